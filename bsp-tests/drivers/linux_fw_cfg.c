// SPDX-License-Identifier: Apache-2.0
/*
 * A driver for QEMU's firmware configuration device (QEMU, docs/specs/fw_cfg), as it would be written for Linux.
 *
 * The driver writes the address of a request to a register. The device reads the request, executes it, and clears its
 * control word. Requests are blocks of a DMA pool, one for each chunk of a file. All are written before the first starts.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>

#include "linux_glue.h"
#include "linux_fw_cfg.h"

#define FW_CFG_DATA		0x00
#define FW_CFG_SELECTOR		0x08
#define FW_CFG_DMA		0x10

#define FW_CFG_FILE_DIR		0x19
#define FW_CFG_FILES_MAX	64

#define FW_CFG_DMA_ERROR	0x01
#define FW_CFG_DMA_READ		0x02
#define FW_CFG_DMA_SELECT	0x08

#define FW_CFG_TIMEOUT_MS	5000

struct fw_cfg_request {
	__be32 control;
	__be32 length;
	__be64 address;
};

struct fw_cfg_file {
	__be32 size;
	__be16 select;
	__be16 reserved;
	char name[56];
};

struct fw_cfg_dir {
	__be32 count;
	struct fw_cfg_file files[FW_CFG_FILES_MAX];
};

struct fw_cfg {
	struct device *dev;
	void __iomem *regs;
	struct dma_pool *requests;
};

/* The driver's record of a request that the device may be using. */
struct fw_cfg_slot {
	struct fw_cfg_request *request;
	dma_addr_t dma;
};

static int fw_cfg_start(struct fw_cfg *fw, struct fw_cfg_slot *slot)
{
	u32 control;
	int ms;

	writeq(cpu_to_be64(slot->dma), fw->regs + FW_CFG_DMA);
	for (ms = 0; ms < FW_CFG_TIMEOUT_MS; ms++) {
		dma_rmb();
		control = be32_to_cpu(READ_ONCE(slot->request->control));
		if (!control)
			return 0;
		if (control & FW_CFG_DMA_ERROR)
			return -EIO;
		msleep(1);
	}
	return -ETIMEDOUT;
}

/* Requests the file's next bytes. The first request also selects the file. */
static int fw_cfg_read_dma(struct fw_cfg *fw, u16 key, dma_addr_t dma, u32 size, u32 chunk)
{
	u32 count = (size + chunk - 1) / chunk, i;
	struct fw_cfg_slot *slots;
	int ret = -ENOMEM;

	slots = kzalloc(count * sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		u32 control = i ? FW_CFG_DMA_READ : (u32)key << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ;
		struct fw_cfg_request *request;

		request = dma_pool_alloc(fw->requests, GFP_KERNEL, &slots[i].dma);
		if (!request)
			goto free;
		request->control = cpu_to_be32(control);
		request->length = cpu_to_be32(min(chunk, size - i * chunk));
		request->address = cpu_to_be64(dma + i * chunk);
		slots[i].request = request;
	}
	for (i = 0, ret = 0; i < count && !ret; i++)
		ret = fw_cfg_start(fw, &slots[i]);
free:
	for (i = 0; i < count && slots[i].request; i++)
		dma_pool_free(fw->requests, slots[i].request, slots[i].dma);
	kfree(slots);
	return ret;
}

int fw_cfg_read(struct platform_device *pdev, u16 key, void *buf, u32 size, u32 chunk, dma_addr_t *buf_dma)
{
	struct fw_cfg *fw = platform_get_drvdata(pdev);
	dma_addr_t dma;
	int ret;

	dma = dma_map_single(fw->dev, buf, size, DMA_FROM_DEVICE);
	if (dma_mapping_error(fw->dev, dma))
		return -ENOMEM;
	*buf_dma = dma;
	ret = fw_cfg_read_dma(fw, key, dma, size, chunk);
	dma_unmap_single(fw->dev, dma, size, DMA_FROM_DEVICE);
	return ret;
}

int fw_cfg_lookup(struct platform_device *pdev, const char *name, struct fw_cfg_found *found)
{
	struct fw_cfg *fw = platform_get_drvdata(pdev);
	struct fw_cfg_dir *dir;
	u32 count, i, j;
	dma_addr_t dma;
	int ret;

	dir = dma_alloc_coherent(fw->dev, sizeof(*dir), &dma, GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	/* A read past the end of the directory returns zeros. */
	ret = fw_cfg_read_dma(fw, FW_CFG_FILE_DIR, dma, sizeof(*dir), sizeof(*dir));
	count = ret ? 0 : min(be32_to_cpu(dir->count), FW_CFG_FILES_MAX);
	found->size = 0;
	for (i = 0; i < count; i++) {
		const struct fw_cfg_file *file = &dir->files[i];
		u32 size = be32_to_cpu(file->size);

		if (strcmp(file->name, name) && size <= found->size)
			continue;
		found->key = be16_to_cpu(file->select);
		found->size = size;
		for (j = 0; j < sizeof(found->name) - 1; j++)
			found->name[j] = file->name[j];
		found->name[j] = 0;
		if (!strcmp(found->name, name))
			break;
	}
	dma_free_coherent(fw->dev, sizeof(*dir), dir, dma);
	return ret ? ret : found->size ? 0 : -ENOENT;
}

u32 fw_cfg_sum_by_port(struct platform_device *pdev, u16 key, u32 size, u32 (*add)(u32 sum, u8 byte), u32 sum)
{
	struct fw_cfg *fw = platform_get_drvdata(pdev);

	writew(cpu_to_be16(key), fw->regs + FW_CFG_SELECTOR);
	while (size--)
		sum = add(sum, readb(fw->regs + FW_CFG_DATA));
	return sum;
}

int fw_cfg_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct fw_cfg *fw;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;

	fw = kzalloc(sizeof(*fw), GFP_KERNEL);
	if (!fw)
		return -ENOMEM;
	fw->dev = dev;
	fw->regs = pdev->regs;
	/* Managed: remove has nothing to free. */
	fw->requests = dmam_pool_create("fw_cfg requests", dev, sizeof(struct fw_cfg_request),
					sizeof(struct fw_cfg_request), 0);
	if (!fw->requests) {
		kfree(fw);
		return -ENOMEM;
	}
	platform_set_drvdata(pdev, fw);
	return 0;
}

void fw_cfg_remove(struct platform_device *pdev)
{
	kfree(platform_get_drvdata(pdev));
	platform_set_drvdata(pdev, NULL);
}
