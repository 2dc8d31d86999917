/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scatterlist.h
 * @brief For porting drivers from Linux: scatter lists.
 *
 * `struct scatterlist` has Linux's members, and lists may be chained. Names are those that drivers use, and what they do is
 * written from Linux's Documentation/core-api/dma-api.rst. What differs is in docs/porting-from-linux.md.
 */
#ifndef RT_DMA_LINUX_SCATTERLIST_H
#define RT_DMA_LINUX_SCATTERLIST_H

#include <rt_dma_linux/sg_list.h>
#include <rt_dma_linux/sg_table.h>
#include <rt_dma_linux/sg_iterate.h>
#include <rt_dma_linux/sg_copy.h>

#endif /* RT_DMA_LINUX_SCATTERLIST_H */
