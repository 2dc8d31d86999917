/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of linux_edu.c, as linux_copies.c uses it. Functions return 0 or a negative error number. */
#ifndef LINUX_EDU_H__
#define LINUX_EDU_H__

#include <linux/dma-mapping.h>
#include "linux_glue.h"

/* The handles of the last transfer. */
struct edu_trace {
	dma_addr_t src, dst;
	unsigned int descriptors;
};

int edu_probe(struct pci_dev *pdev);
void edu_remove(struct pci_dev *pdev);
/* Copies len bytes through the device. */
int edu_copy(struct pci_dev *pdev, void *dst, void *src, size_t len);
/* Copies the bytes of a scatter list, one entry after the other. */
int edu_copy_sg(struct pci_dev *pdev, void *dst, struct scatterlist *sgl, int nents);
/* Lets the device copy the first half of buf to the second half, `rounds` times in one mapping, and checks the result. */
int edu_echo(struct pci_dev *pdev, u8 *buf, size_t len, unsigned int rounds);
/* Plays periods of sound from a circular buffer, records them in another, and checks the result. */
int edu_loopback(struct pci_dev *pdev, unsigned int periods);
const struct edu_trace *edu_last(struct pci_dev *pdev);

#endif
