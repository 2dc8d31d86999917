/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rt_dma/types.h
 * @brief What several families of calls use. A part of rt_dma.h.
 */
#ifndef RT_DMA_TYPES_H
#define RT_DMA_TYPES_H

#include <stdint.h>

/**
 * @brief A device, as RT-Thread declares it.
 */
struct rt_device;

/**
 * @brief A pool of DMA memory, as RT-Thread declares it.
 */
struct rt_dma_pool;

/**
 * @brief A pool of small blocks of DMA memory, which rt_dma_block_pool_create() makes.
 */
struct rt_dma_block_pool;

/**
 * @brief The handle that no mapping has. A map that fails returns it.
 */
#define RT_DMA_MAPPING_ERROR UINTPTR_MAX

#endif /* RT_DMA_TYPES_H */
