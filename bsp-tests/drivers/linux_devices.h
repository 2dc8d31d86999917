/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of the Linux-style drivers share. */
#ifndef LINUX_DEVICES_H__
#define LINUX_DEVICES_H__

#include <linux/dma-mapping.h>
#include "linux_glue.h"

#define HIGH_SIZE       (256 * 1024)

/* QEMU's device edu. */
extern struct pci_dev linux_edu;

/* Binds the driver to linux_edu, unless it is bound. Returns RT_NULL or the reason why it cannot. */
const char *linux_bind_edu(void);
void linux_unbind_edu(void);

/* Writes pseudo-random bytes. */
void linux_fill(rt_uint8_t *bytes, rt_size_t size, rt_uint32_t seed);

/* Maps HIGH_SIZE bytes of RAM above 4 GiB, which the kernel does not use, as cached memory, as a heap is mapped. */
const char *linux_map_high(rt_uint8_t **high);

/* Checks that the handle is within the device's reach, and is the buffer's own if the device reaches the buffer. */
const char *linux_check_handle(const char *name, dma_addr_t handle, const void *va, rt_size_t size);

/* Checks that coherent memory is zeroed, also when it was used before, and has a type that allows memset(). */
const char *linux_check_coherent(struct rt_device *dev);

#endif
