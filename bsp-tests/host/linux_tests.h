/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the porting headers share. */
#ifndef HOST_LINUX_TESTS_H__
#define HOST_LINUX_TESTS_H__

#include <linux/dma-mapping.h>
#include "expect.h"
#include "kernel.h"

/* RAM outside of all pools: the memory of the driver itself, mapped cached at `memory`. */
#define DRIVER_RAM  (HOST_RAM + 46 * MIB)
#define DRIVER_SIZE (64 * 1024)

extern struct device *const dev;
extern unsigned char *memory;

/* Returns whether all bytes are zero. */
int is_zero(const void *start, size_t size);

/* In linux_lists.c; linux_drivers() calls them. */
void skipped_sync_of_pages_and_lists(void);
void chained_lists(void);
void tables(void);
/* In linux_edges.c; linux_drivers() calls it. */
void edges_of_the_porting_headers(void);

#endif
