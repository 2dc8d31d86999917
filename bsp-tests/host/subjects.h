/* SPDX-License-Identifier: Apache-2.0 */
/* The subjects that main.c runs. */
#ifndef HOST_SUBJECTS_H__
#define HOST_SUBJECTS_H__

/* drivers.c */
void ring_driver(void);
void streaming_driver(void);
void driver_with_own_ops(void);
void device_tree_drivers(void);
void pci_driver(void);
void write_through_driver(void);
void wrong_calls(void);
void from_an_interrupt(void);
void from_boot_code(void);
void fixed_region(void);
/* Returns the number of refused calls that list_dma_pool prints. */
int refused_calls(void);

/* The other files */
void special_buffers(void);
void linux_drivers(void);
void masked_drivers(void);
void limits_of_segments(void);
void managed_drivers(void);
void managed_pools_and_maps(void);
void devices_that_come_and_go(void);
void managed_and_freed_plainly(void);
void drivers_with_reserved_memory(void);
void regions_of_nodes_that_are_there(void);
void regions_that_must_not_be_used(void);
void streaming_drivers(void);
void ring_in_an_interrupt(void);
void block_pools(void);
void memory_that_no_range_covers(void);
void the_end_of_a_buffer_and_the_mask(void);
void children_that_copied_a_masked_table(void);
void more_masks_than_tables(void);
void syncs_that_have_nothing_to_do(void);
void syncs_that_leave_the_cache_alone(void);
void console_with_dma(void);
void statistics(void);
void borrowers(void);
void pools_that_are_uninstalled(void);

#endif
