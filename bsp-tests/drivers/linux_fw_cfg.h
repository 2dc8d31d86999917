/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of linux_fw_cfg.c, for who binds it to a device and asks it for files. 0 or a negative error number. */
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
/* The file of this name, else the largest. */
int fw_cfg_lookup(struct platform_device *pdev, const char *name, struct fw_cfg_found *found);
/* Reads the first size bytes of a file to buf, a request for each chunk bytes; says where the device found buf. */
int fw_cfg_read(struct platform_device *pdev, u16 key, void *buf, u32 size, u32 chunk, dma_addr_t *buf_dma);
/* Adds up the file's bytes as the data register gives them. */
u32 fw_cfg_sum_by_port(struct platform_device *pdev, u16 key, u32 size, u32 (*add)(u32 sum, u8 byte), u32 sum);

#endif
