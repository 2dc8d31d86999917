/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rt_dma/types.h
 * @brief What several families of calls use. A part of rt_dma.h.
 */
#ifndef RT_DMA_TYPES_H
#define RT_DMA_TYPES_H

#include <stdint.h>

/*
 * If RT-Thread's headers are found, as in a BSP's build, its types are used. On 32 bits they are based on int or on
 * long, which depends on the toolchain. The two have the same size, but pointers to them are different types.
 */
#ifdef __has_include
#if __has_include(<rtdef.h>)
#include <rtdef.h>
/** @brief Defined: the integer types are RT-Thread's. */
#define RT_DMA_HAS_RT_TYPES
#endif
#endif
#if !defined(RT_DMA_HAS_RT_TYPES) && !defined(__RT_DEF_H__)
/* Without RT-Thread's headers: types of the same sizes. */

/** @brief An unsigned integer with the size of a pointer: an address, a handle, or flags. */
typedef unsigned long rt_ubase_t;

/** @brief A size in bytes, or a number of things. */
typedef rt_ubase_t rt_size_t;

/** @brief A signed integer with the size of a pointer. */
typedef long rt_base_t;

/** @brief An error number: RT_EOK, which is 0, or a negative RT_E... code. */
typedef rt_base_t rt_err_t;

/** @brief 1 (true) or 0 (false). */
typedef int rt_bool_t;
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
 * @brief A pool of small blocks of DMA memory, which rt_dma_block_pool_create() returns.
 */
struct rt_dma_block_pool;

/**
 * @brief The handle that no mapping has. A map that fails returns it.
 */
#define RT_DMA_MAPPING_ERROR UINTPTR_MAX

#endif /* RT_DMA_TYPES_H */
