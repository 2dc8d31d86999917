// SPDX-License-Identifier: Apache-2.0
/* The transfers of the driver of linux_edu.c: of buffers, of scatter lists, with one mapping for many, and of circular buffers. */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

#include "linux_edu_ring.h"

int edu_copy(struct pci_dev *pdev, void *dst, void *src, size_t len)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;
	dma_addr_t src_dma, dst_dma;
	int ret;

	src_dma = dma_map_single(dev, src, len, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, src_dma))
		return -ENOMEM;
	dst_dma = dma_map_single(dev, dst, len, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dst_dma)) {
		ret = -ENOMEM;
		goto unmap_src;
	}
	edu->trace.src = src_dma;
	edu->trace.dst = dst_dma;

	ret = edu_move(edu, src_dma, dst_dma, len);
	if (!ret)
		ret = edu_run(edu);

	dma_unmap_single(dev, dst_dma, len, DMA_FROM_DEVICE);
unmap_src:
	dma_unmap_single(dev, src_dma, len, DMA_TO_DEVICE);
	return ret;
}

int edu_copy_sg(struct pci_dev *pdev, void *dst, struct scatterlist *sgl, int nents)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;
	struct scatterlist *sg;
	dma_addr_t dst_dma;
	size_t len = 0, done = 0;
	int count, i, ret = 0;

	for_each_sg(sgl, sg, nents, i)
		len += sg->length;
	count = dma_map_sg(dev, sgl, nents, DMA_TO_DEVICE);
	if (!count)
		return -ENOMEM;
	dst_dma = dma_map_single(dev, dst, len, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dst_dma)) {
		ret = -ENOMEM;
		goto unmap_sg;
	}
	edu->trace.src = sg_dma_address(sgl);
	edu->trace.dst = dst_dma;

	for_each_sg(sgl, sg, count, i) {
		if (!ret)
			ret = edu_move(edu, sg_dma_address(sg), dst_dma + done, sg_dma_len(sg));
		done += sg_dma_len(sg);
	}
	if (!ret)
		ret = edu_run(edu);

	dma_unmap_single(dev, dst_dma, len, DMA_FROM_DEVICE);
unmap_sg:
	dma_unmap_sg(dev, sgl, nents, DMA_TO_DEVICE);
	return ret;
}

/* Uses one mapping for many transfers, as a network driver does with a receive buffer. */
int edu_echo(struct pci_dev *pdev, u8 *buf, size_t len, unsigned int rounds)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;
	size_t half = len / 2, i;
	dma_addr_t dma;
	int ret = 0;

	for (i = 0; i < len; i++)
		buf[i] = (u8)i;
	dma = dma_map_single(dev, buf, len, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	edu->trace.src = edu->trace.dst = dma;

	while (rounds-- && !ret) {
		ret = edu_move(edu, dma, dma + half, half);
		if (!ret)
			ret = edu_run(edu);
		dma_sync_single_range_for_cpu(dev, dma, half, half, DMA_BIDIRECTIONAL);
		if (!ret && memcmp(buf, buf + half, half))
			ret = -EIO;
		for (i = 0; i < half; i++)
			buf[i] = (u8)(buf[i] * 5 + 3);
		dma_sync_single_for_device(dev, dma, half, DMA_BIDIRECTIONAL);
	}

	dma_unmap_single(dev, dma, len, DMA_BIDIRECTIONAL);
	return ret;
}

static u32 edu_sample(unsigned int period, unsigned int i)
{
	return period * 0x01010101 + i * 0x9e3779b9;
}

/* Fills, plays and records one half of a circular buffer at a time, as a sound driver does. */
int edu_loopback(struct pci_dev *pdev, unsigned int periods)
{
	const unsigned int words = EDU_PERIOD_BYTES / sizeof(u32);
	struct edu *edu = pci_get_drvdata(pdev);
	unsigned int filled, heard = 0, i;
	int ret = 0;

	for (filled = 0; filled < periods && !ret;) {
		u32 *play = edu->play + filled % EDU_PERIODS * words;
		u32 offset = filled % EDU_PERIODS * EDU_PERIOD_BYTES;

		for (i = 0; i < words; i++)
			play[i] = edu_sample(filled, i);
		ret = edu_move(edu, edu->play_dma + offset, edu->record_dma + offset, EDU_PERIOD_BYTES);
		if (++filled % (EDU_PERIODS / 2) && filled < periods)
			continue;
		if (!ret)
			ret = edu_run(edu);
		for (; heard < filled && !ret; heard++)
			for (i = 0; i < words; i++)
				if (READ_ONCE(edu->record[heard % EDU_PERIODS * words + i]) != edu_sample(heard, i))
					ret = -EIO;
	}
	return ret;
}

const struct edu_trace *edu_last(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	return &edu->trace;
}
