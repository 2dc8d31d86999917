/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rt_dma/types.h
 * @brief What several families of calls use. A part of rt_dma.h.
 */
#ifndef RT_DMA_TYPES_H
#define RT_DMA_TYPES_H

#include <stdint.h>

/* A BSP's build has RT-Thread's headers. rt_ubase_t and rt_size_t are theirs: on 32 bits they differ between toolchains, and a
 * pointer to one integer type is no pointer to another of the same size. */
#ifdef __has_include
#if __has_include(<rtdef.h>)
#include <rtdef.h>
/** @brief Defined: rt_ubase_t and rt_size_t are RT-Thread's. */
#define RT_DMA_HAS_RT_TYPES
#endif
#endif
#if !defined(RT_DMA_HAS_RT_TYPES) && !defined(__RT_DEF_H__)
/** @brief An unsigned integer with the size of a pointer, where RT-Thread's headers are missing. */
typedef unsigned long rt_ubase_t;

/** @brief A size in bytes, where RT-Thread's headers are missing. */
typedef rt_ubase_t rt_size_t;
#endif

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
