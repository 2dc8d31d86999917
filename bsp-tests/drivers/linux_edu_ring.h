/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of linux_edu.c, as the transfers of linux_edu_transfers.c use it. */
#ifndef LINUX_EDU_RING_H__
#define LINUX_EDU_RING_H__

#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include "linux_edu.h"

#define EDU_PERIODS		4
#define EDU_PERIOD_BYTES	512

struct edu_desc;

struct edu {
	struct device *dev;
	void __iomem *regs;

	struct edu_desc *ring;
	dma_addr_t ring_dma;
	unsigned int head, tail;	/* run freely */
	struct dma_pool *batches;

	u32 *play, *record;
	dma_addr_t play_dma, record_dma;

	struct edu_trace trace;
};

/* Queues the copy of len bytes through the device's buffer, in pieces that fit in it. */
int edu_move(struct edu *edu, dma_addr_t src, dma_addr_t dst, size_t len);
/* Executes what is queued. */
int edu_run(struct edu *edu);

#endif
