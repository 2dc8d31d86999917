// SPDX-License-Identifier: Apache-2.0
/*
 * A driver for QEMU's educational PCI device, as it would be written for Linux.
 *
 * The device copies up to 4 KiB between memory and a buffer of its own (QEMU, docs/specs/edu). It has no ring of
 * descriptors, so the driver adds one: the device fetches a batch of descriptors by DMA, then the driver executes them.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/scatterlist.h>

#include "linux_glue.h"
#include "linux_edu.h"

#define EDU_ID			0x00
#define EDU_ID_MASK		0xff
#define EDU_ID_VALUE		0xed
#define EDU_LIVENESS		0x04
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_CMD_RUN		0x01
#define EDU_CMD_TO_MEMORY	0x02

/* The device's own buffer: data in front, then descriptors. QEMU up to 9.0 stops if a transfer reaches its last byte. */
#define EDU_BUF			0x40000
#define EDU_DATA_MAX		2048
#define EDU_BUF_DESC		(EDU_BUF + EDU_DATA_MAX)

#define EDU_RING_SIZE		16	/* a power of two */
#define EDU_TIMEOUT_MS		10000

#define EDU_PERIODS		4
#define EDU_PERIOD_BYTES	512

struct edu_desc {
	__le64 src;
	__le64 dst;
	__le32 len;
	__le32 cmd;
	__le64 reserved;
};

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

static int edu_dma(struct edu *edu, u64 src, u64 dst, u32 len, u32 cmd)
{
	int ms;

	writeq(src, edu->regs + EDU_DMA_SRC);
	writeq(dst, edu->regs + EDU_DMA_DST);
	writeq(len, edu->regs + EDU_DMA_COUNT);
	writeq(cmd | EDU_CMD_RUN, edu->regs + EDU_DMA_CMD);
	for (ms = 0; ms < EDU_TIMEOUT_MS; ms++) {
		if (!(readq(edu->regs + EDU_DMA_CMD) & EDU_CMD_RUN))
			return 0;
		msleep(1);
	}
	dev_err(edu->dev, "transfer timed out\n");
	return -ETIMEDOUT;
}

static int edu_queue(struct edu *edu, u64 src, u64 dst, u32 len, u32 cmd)
{
	struct edu_desc *desc = &edu->ring[edu->head % EDU_RING_SIZE];

	if (edu->head - edu->tail == EDU_RING_SIZE)
		return -EBUSY;
	desc->src = cpu_to_le64(src);
	desc->dst = cpu_to_le64(dst);
	desc->len = cpu_to_le32(len);
	desc->cmd = cpu_to_le32(cmd);
	edu->head++;
	return 0;
}

/* Lets the device read a batch of descriptors, up to the end of the ring, and executes them. */
static int edu_run_batch(struct edu *edu, unsigned int index, unsigned int count)
{
	u32 bytes = count * sizeof(struct edu_desc);
	struct edu_desc *batch;
	dma_addr_t batch_dma;
	unsigned int i;
	int ret;

	batch = dma_pool_zalloc(edu->batches, GFP_KERNEL, &batch_dma);
	if (!batch)
		return -ENOMEM;
	ret = edu_dma(edu, edu->ring_dma + index * sizeof(struct edu_desc), EDU_BUF_DESC, bytes, 0);
	if (!ret)
		ret = edu_dma(edu, EDU_BUF_DESC, batch_dma, bytes, EDU_CMD_TO_MEMORY);
	for (i = 0; i < count && !ret; i++) {
		ret = edu_dma(edu, le64_to_cpu(READ_ONCE(batch[i].src)), le64_to_cpu(READ_ONCE(batch[i].dst)),
			      le32_to_cpu(READ_ONCE(batch[i].len)), le32_to_cpu(READ_ONCE(batch[i].cmd)));
		edu->trace.descriptors++;
	}
	dma_pool_free(edu->batches, batch, batch_dma);
	return ret;
}

static int edu_run(struct edu *edu)
{
	int ret = 0;

	while (edu->tail != edu->head && !ret) {
		unsigned int index = edu->tail % EDU_RING_SIZE;
		unsigned int count = min(edu->head - edu->tail, EDU_RING_SIZE - index);

		ret = edu_run_batch(edu, index, count);
		edu->tail += count;
	}
	edu->tail = edu->head;
	return ret;
}

/* Copies through the device's buffer, in pieces that fit in it. */
static int edu_move(struct edu *edu, dma_addr_t src, dma_addr_t dst, size_t len)
{
	size_t done;
	int ret = 0;

	for (done = 0; done < len && !ret; done += EDU_DATA_MAX) {
		u32 count = min(len - done, EDU_DATA_MAX);

		ret = edu_queue(edu, src + done, EDU_BUF, count, 0);
		if (!ret)
			ret = edu_queue(edu, EDU_BUF, dst + done, count, EDU_CMD_TO_MEMORY);
	}
	return ret;
}

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

/* By default the device has 28 address bits. QEMU's option dma_mask gives it 32. */
static int edu_set_masks(struct device *dev)
{
	static const unsigned int widths[] = { 28, 32 };
	unsigned int i;
	int ret = -EIO;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(widths[i]));
		if (!ret)
			break;
		dev_info(dev, "no %u-bit DMA (%d)\n", widths[i], ret);
	}
	return ret;
}

int edu_probe(struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;
	struct edu *edu;
	int ret;

	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->dev = dev;
	edu->regs = pdev->bar0;
	pci_set_drvdata(pdev, edu);

	writel(0x12345678, edu->regs + EDU_LIVENESS);
	if ((readl(edu->regs + EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE ||
	    readl(edu->regs + EDU_LIVENESS) != ~0x12345678u) {
		ret = -ENODEV;
		goto free_edu;
	}

	ret = edu_set_masks(dev);
	if (ret)
		goto free_edu;

	ret = -ENOMEM;
	edu->ring = dma_alloc_coherent(dev, EDU_RING_SIZE * sizeof(*edu->ring), &edu->ring_dma, GFP_KERNEL);
	if (!edu->ring)
		goto free_edu;
	edu->batches = dma_pool_create("edu batches", dev, EDU_RING_SIZE * sizeof(*edu->ring),
				       sizeof(struct edu_desc), 4096);
	if (!edu->batches)
		goto free_ring;
	edu->play = dma_alloc_wc(dev, EDU_PERIODS * EDU_PERIOD_BYTES, &edu->play_dma, GFP_KERNEL);
	if (!edu->play)
		goto destroy_pool;
	/* Managed: rt_dmam_release() frees it. */
	edu->record = dmam_alloc_coherent(dev, EDU_PERIODS * EDU_PERIOD_BYTES, &edu->record_dma, GFP_KERNEL);
	if (!edu->record)
		goto free_play;
	return 0;

free_play:
	dma_free_wc(dev, EDU_PERIODS * EDU_PERIOD_BYTES, edu->play, edu->play_dma);
destroy_pool:
	dma_pool_destroy(edu->batches);
free_ring:
	dma_free_coherent(dev, EDU_RING_SIZE * sizeof(*edu->ring), edu->ring, edu->ring_dma);
free_edu:
	pci_set_drvdata(pdev, NULL);
	kfree(edu);
	return ret;
}

void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;

	dma_free_wc(dev, EDU_PERIODS * EDU_PERIOD_BYTES, edu->play, edu->play_dma);
	dma_pool_destroy(edu->batches);
	dma_free_coherent(dev, EDU_RING_SIZE * sizeof(*edu->ring), edu->ring, edu->ring_dma);
	pci_set_drvdata(pdev, NULL);
	kfree(edu);
}
