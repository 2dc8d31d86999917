/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rt_dma.h
 * @brief The DMA API beyond RT-Thread's drivers/dma.h: streaming mappings, masks, block pools, managed resources.
 *
 * docs/driver-guide.md has a table of which call a driver needs. Each family of calls has a header in include/rt_dma/,
 * with an example at its first call. In the order in which a driver author needs them:
 *
 * | header           | family                                                       | first call                   |
 * | ---------------- | ------------------------------------------------------------ | ---------------------------- |
 * | memory.h         | coherent, cleared, write-combining and aligned memory        | rt_dma_zalloc_coherent       |
 * | masks.h          | the addresses that a device can use                          | rt_dma_set_mask              |
 * | streaming.h      | a driver's own buffer, mapped for a device for a time        | rt_dma_map_single            |
 * | streaming_sync.h | access to a buffer that stays mapped                         | rt_dma_sync_single_for_cpu   |
 * | streaming_list.h | several buffers for one transfer                             | rt_dma_map_sg                |
 * | block_pool.h     | many small blocks of one size                                | rt_dma_block_pool_create     |
 * | managed.h        | resources that rt_dmam_release gives back                    | rt_dmam_alloc                |
 * | limits.h         | limits of a device, for code that builds its scatter lists   | rt_dma_set_max_segment       |
 * | regions.h        | regions of the device tree: a device's own, reserved, lent   | rt_dma_own_region_init       |
 * | pools.h          | statistics of the pools, and the end of a pool               | rt_dma_pool_statistics       |
 *
 * The header may be included together with drivers/dma.h, and has the same types: rt_size_t for sizes and numbers,
 * rt_ubase_t for handles and flags, rt_err_t for RT_EOK (0) or a negative RT_E... code. Sizes and alignments are in
 * bytes.
 *
 * A note "Context" at each function states where it may be called:
 * - any: in a thread, in an interrupt, and with interrupts off. The call sleeps only where its caller may sleep: in an
 *   interrupt, or with interrupts off, it never does.
 * - thread: the call may sleep. Elsewhere it returns an error or NULL, changes nothing, and counts the refusal.
 * - thread first, then any: the first call for a device, or for a pool's view, may sleep; elsewhere it returns an error
 *   or NULL. Later calls: any. (A view is a mapping of a whole pool, which is made once and kept.)
 *
 * Where the caller may not sleep, the library writes nothing to the log. If a comment states that a call is logged and
 * counted, it is only counted there.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

#include "rt_dma_version.h"

#include "rt_dma/memory.h"
#include "rt_dma/masks.h"
#include "rt_dma/streaming.h"
#include "rt_dma/streaming_sync.h"
#include "rt_dma/streaming_list.h"
#include "rt_dma/block_pool.h"
#include "rt_dma/managed.h"
#include "rt_dma/limits.h"
#include "rt_dma/regions.h"
#include "rt_dma/pools.h"

#endif /* RT_DMA_H */
