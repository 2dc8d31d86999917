/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scatterlist.h
 * @brief For porting drivers from Linux: scatter lists.
 *
 * `struct scatterlist` has Linux's members, and lists may be chained. The names are Linux's; what the calls do is
 * written from Linux's Documentation/core-api/dma-api.rst. docs/porting-from-linux.md lists the differences.
 */
#ifndef RT_DMA_LINUX_SCATTERLIST_H
#define RT_DMA_LINUX_SCATTERLIST_H

#include <rt_dma_linux/sg_list.h>
#include <rt_dma_linux/sg_table.h>
#include <rt_dma_linux/sg_iterate.h>
#include <rt_dma_linux/sg_copy.h>

#endif /* RT_DMA_LINUX_SCATTERLIST_H */
