/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of dma_smoke. Each returns RT_NULL if it passed, or else the reason. */
#ifndef DMA_CHECKS_H__
#define DMA_CHECKS_H__

#include <rtthread.h>
#include <rtdevice.h>

/* A 32-bit processor of these tests has no RAM above 4 GiB, so that no buffer exceeds the devices' masks. */
#define HAS_HIGH_MEMORY (sizeof(void *) > 4)

/* exhaustion.c. The first checks that every page is free: each pool can be allocated as one buffer. */
const char *check_nothing_in_use(rt_ubase_t flags);
const char *check_pools_in_one_piece(void);
const char *check_pages_cached(void);
const char *check_pages_coherent(void);
const char *check_mixed_cached(void);
const char *check_mixed_coherent(void);
/* mappings.c */
const char *check_large_mapping(void);
#ifdef RT_DMA_F_WT
const char *check_left_block(void);
#endif
const char *check_no_tables(void);
const char *check_scattered(void);
const char *check_type_cached(void);
const char *check_type_uncached(void);
#ifdef RT_DMA_F_WT
const char *check_type_write_through(void);
#endif
const char *check_alternating_types(void);
const char *check_no_leak(void);
/* race.c */
const char *check_race(void);
/* wrong_calls.c */
const char *check_wrong_calls(void);
const char *check_interrupt_calls(void);
/* fw_cfg.c, block_pool.c, edu.c */
const char *check_fw_cfg(void);
const char *check_block_pool(void);
const char *check_edu_coherent(void);
const char *check_edu_cached(void);
#ifdef RT_DMA_F_WT
const char *check_edu_write_through(void);
#endif
/* linux_memory.c, linux_copies.c, linux_file.c */
const char *check_linux_memory(void);
const char *check_linux_masks(void);
const char *check_linux_copy(void);
const char *check_linux_sg(void);
const char *check_linux_loopback(void);
const char *check_linux_bounce(void);
const char *check_linux_remove(void);
const char *check_linux_fw_cfg(void);
/* context.c */
const char *check_interrupts_off(void);
const char *check_translation(void);
/* other_core.c */
const char *check_other_core(void);
/* uninstall.c */
const char *check_uninstall(void);

/* Formats the reason of a FAIL line. The text is valid until the next call. */
const char *why(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Computes FNV-1a. The bytes are read one by one, since Device memory allows only aligned accesses. */
rt_uint32_t checksum(const void *data, rt_size_t size);
rt_uint32_t checksum_add(rt_uint32_t sum, rt_uint8_t byte);
#define CHECKSUM_START 2166136261U

#endif
