/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of streaming mappings share. */
#ifndef HOST_STREAMING_H__
#define HOST_STREAMING_H__

#include <rtdevice.h>
#include "expect.h"
#include "kernel.h"

/* The kernel's own memory, mapped linearly and in no pool. */
#define KERNEL_RAM      (HOST_RAM + 44 * MIB)
#define KERNEL_RAM_SIZE (1 * MIB)

extern struct rt_device nic;

/* Returns that memory, which the first call maps. */
char *kernel_memory(void);

/* Each of these is in a file of its subject; streaming_drivers() calls them. */
void driver_behind_an_iommu(void);
void interrupt_before_a_removal(void);
void mask_over_own_syncs(void);
void mask_over_syncs_that_invalidate(void);
void own_allocations_and_default_syncs(void);
void default_syncs_of_a_snooping_device(void);
void bounce_within_the_mask(void);
void bounce_out_of_the_mask(void);
void copied_sync_out_of_reach(void);
void failed_fills(void);
void own_syncs_that_move_kept_bits(void);
void cleared_memory_of_own_operations(void);
void wrong_unmaps(void);
void wrong_mappings(void);

#endif
