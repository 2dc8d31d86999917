/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of linux_fw_cfg.c, as linux_file.c uses it. Functions return 0 or a negative error number. */
#ifndef LINUX_FW_CFG_H__
#define LINUX_FW_CFG_H__

#include <linux/dma-mapping.h>
#include "linux_glue.h"

struct fw_cfg_found {
	u16 key;
	u32 size;
	char name[56];
};

int fw_cfg_probe(struct platform_device *pdev);
void fw_cfg_remove(struct platform_device *pdev);
/* Finds the file of this name, or else the largest file. */
int fw_cfg_lookup(struct platform_device *pdev, const char *name, struct fw_cfg_found *found);
/* Reads the first `size` bytes of a file to buf, with one request for each `chunk` bytes. Stores the handle of buf. */
int fw_cfg_read(struct platform_device *pdev, u16 key, void *buf, u32 size, u32 chunk, dma_addr_t *buf_dma);
/* Computes the checksum of the file's bytes, read from the data register. */
u32 fw_cfg_sum_by_port(struct platform_device *pdev, u16 key, u32 size, u32 (*add)(u32 sum, u8 byte), u32 sum);

#endif
