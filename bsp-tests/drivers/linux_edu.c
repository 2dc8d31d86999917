// SPDX-License-Identifier: Apache-2.0
/*
 * A driver for QEMU's educational PCI device, as it would be written for Linux.
 *
 * The device copies up to 4 KiB between memory and a buffer of its own (QEMU, docs/specs/edu). It has no ring of
 * descriptors, so the driver adds one: the device fetches a batch of descriptors by DMA, then the driver executes them.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>

#include "linux_edu_ring.h"

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

struct edu_desc {
	__le64 src;
	__le64 dst;
	__le32 len;
	__le32 cmd;
	__le64 reserved;
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

int edu_run(struct edu *edu)
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

int edu_move(struct edu *edu, dma_addr_t src, dma_addr_t dst, size_t len)
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
