/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rt_dma_port.h
 * @brief What the library needs from the kernel. The files in its folder define it; drivers cannot include this header.
 *
 * Each subject has a header in rt_dma_port/:
 *
 * | header            | defined in                                     | subject                                    |
 * | ----------------- | ---------------------------------------------- | ------------------------------------------ |
 * | configuration.h   | configuration.c                                | the constants of the BSP's configuration   |
 * | heap.h            | services.c                                     | the heap                                   |
 * | threads.h         | services.c                                     | what the caller may do, interrupts, pauses |
 * | addresses.h       | addresses.c                                    | virtual and physical addresses             |
 * | mappings.h        | mappings.c                                     | the linear map, and mappings elsewhere     |
 * | cache.h           | cache.c                                        | the data cache                             |
 * | firmware.h        | device.c, nodes.c, bus.c, pci.c                | devices, in the device tree and on PCI     |
 * | pool_regions.h    | pool_regions.c                                 | the regions of which boot pools are made   |
 * | reserved_memory.h | reserved_memory.c, memblock.c, kernel_memory.c | shared pools of /reserved-memory           |
 * | log.h             | log.c                                          | text: the log, and the shell               |
 *
 * "Defined in" leaves out the prefix rt_dma_port_ of the files in rtthread-port/. The other files there: ioremap.c,
 * pages*.c and blocks.c have what mappings.c calls, check.c compares the BSP's headers with what the library expects,
 * msh.c has the shell commands, and debug*.c the debug mode.
 *
 * The notes "Context" have the terms that rt_dma.h defines.
 */
#ifndef RT_DMA_PORT_H
#define RT_DMA_PORT_H

#include "rt_dma_port/configuration.h"
#include "rt_dma_port/heap.h"
#include "rt_dma_port/addresses.h"
#include "rt_dma_port/mappings.h"
#include "rt_dma_port/cache.h"
#include "rt_dma_port/threads.h"
#include "rt_dma_port/firmware.h"
#include "rt_dma_port/pool_regions.h"
#include "rt_dma_port/reserved_memory.h"
#include "rt_dma_port/log.h"

/**
 * @brief What a translation returns for an address that is not mapped, or not reachable.
 */
#define RT_DMA_PORT_UNMAPPED UINTPTR_MAX

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief The constants of the BSP's configuration.
 */
extern const struct rt_dma_port_configuration rt_dma_port_configuration;

#ifdef __cplusplus
}
#endif

#endif /* RT_DMA_PORT_H */
