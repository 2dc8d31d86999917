/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of the NVMe driver calls. */
#ifndef LEAST_NVME_DISK_H
#define LEAST_NVME_DISK_H

#include <linux/blk-mq.h>

/* The queue of the first namespace, or NULL, and what the namespace has. */
extern struct request_queue *least_nvme_queue;
extern u64 least_nvme_blocks;
extern unsigned int least_nvme_block_size;

#endif
