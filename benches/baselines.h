/* SPDX-License-Identifier: Apache-2.0 */
/* The allocators with which the library is compared: see bit_by_bit.c, word_by_word.c and in_band.c. */
#ifndef BASELINES_H__
#define BASELINES_H__

#include <rtdevice.h>

/* Pages. */
struct rt_dma_pool *bit_by_bit_install(rt_region_t *region);
void *bit_by_bit_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void bit_by_bit_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);
struct rt_dma_pool *word_by_word_install(rt_region_t *region);
void *word_by_word_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);
void word_by_word_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);

/* Small blocks. */
struct in_band_pool;
struct in_band_pool *in_band_create(struct rt_device *dev, rt_size_t size, rt_size_t align, rt_size_t boundary);
void *in_band_alloc(struct in_band_pool *pool, rt_ubase_t *dma_handle);
void in_band_free(struct in_band_pool *pool, void *block, rt_ubase_t dma_handle);
void in_band_destroy(struct in_band_pool *pool);

#endif
