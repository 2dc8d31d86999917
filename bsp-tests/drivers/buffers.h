/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of DMA memory, and what the checks of dma_smoke do with each. */
#ifndef SMOKE_BUFFERS_H__
#define SMOKE_BUFFERS_H__

#include <rtthread.h>
#include <rtdevice.h>

#define PAGE        ARCH_PAGE_SIZE
#define COHERENT    (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)

struct buffer
{
    void *va;
    rt_ubase_t handle;
    rt_size_t size;
    rt_ubase_t flags;
};

/* The device for which the checks allocate. */
extern struct rt_device smoke_device;

/* The buffers that a check holds. There is room for one for each page of the pools, and one more. */
extern struct buffer *buffers;
extern rt_size_t buffer_count, buffer_max;

/* Returns the next number of a pseudo-random sequence (xorshift). The state is not 0. */
rt_uint32_t next_random(rt_uint32_t *state);

/* Allocates a buffer, and notes in `buffer` what its free needs. Returns whether there was memory. */
rt_bool_t buffer_alloc(struct buffer *buffer, rt_size_t size, rt_ubase_t flags);
void buffer_free(const struct buffer *buffer);

/* Frees all of `buffers`, in a pseudo-random order. */
void buffers_free(rt_uint32_t seed);

/* Checks that every page of the buffer lies at its handle and has the memory type of the buffer's flags. */
const char *buffer_check(const struct buffer *buffer);

/* Writes a word that identifies the owner to both ends of every page. */
void buffer_stamp(const struct buffer *buffer, rt_uint32_t seed);
/* Returns whether buffer_stamp() was the last to write these words. */
rt_bool_t buffer_is_stamped(const struct buffer *buffer, rt_uint32_t seed);

#endif
