/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cache of blocks of a disk in borrowed memory: it uses the region of a camera while the camera is off. A block can
 * be read again at any time, so it is dropped as soon as the camera's driver needs the memory.
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>

#define BLOCK_SIZE  4096
#define BLOCKS      64

struct cached_block
{
    void *memory;       /* RT_NULL: the place is free */
    rt_off_t number;
};

struct block_cache
{
    struct rt_mutex lock;
    rt_device_t disk;
    struct cached_block blocks[BLOCKS];
};

/*
 * The library calls this in the thread of the camera's driver. That thread waits for the lock, so no code reads the
 * disk with the lock held.
 */
static void drop_block(void *memory, rt_size_t size, void *arg)
{
    struct block_cache *cache = arg;

    RT_UNUSED(size);
    rt_mutex_take(&cache->lock, RT_WAITING_FOREVER);
    for (int i = 0; i < BLOCKS; ++i)
    {
        if (cache->blocks[i].memory == memory)
        {
            cache->blocks[i].memory = RT_NULL;
            rt_dma_give_back(memory);
            break;
        }
    }
    rt_mutex_release(&cache->lock);
}

rt_err_t block_cache_init(struct block_cache *cache, rt_device_t disk)
{
    rt_memset(cache, 0, sizeof(*cache));
    cache->disk = disk;

    return rt_mutex_init(&cache->lock, "blkcache", RT_IPC_FLAG_PRIO);
}

/* Keeps a copy of a block that was read, if there is a free place and memory to borrow. */
static void remember(struct block_cache *cache, rt_off_t number, const void *data)
{
    struct cached_block *place = RT_NULL;

    rt_mutex_take(&cache->lock, RT_WAITING_FOREVER);
    for (int i = 0; i < BLOCKS && !place; ++i)
    {
        place = cache->blocks[i].memory ? RT_NULL : &cache->blocks[i];
    }
    if (place)
    {
        /* The lock is held until the memory is noted, so that drop_block() finds it. */
        place->memory = rt_dma_borrow(BLOCK_SIZE, drop_block, cache);
        if (place->memory)
        {
            place->number = number;
            rt_memcpy(place->memory, data, BLOCK_SIZE);
        }
    }
    rt_mutex_release(&cache->lock);
}

/* Copies block `number` to `data`, from the cache if it is there. The disk has blocks of BLOCK_SIZE bytes. */
rt_err_t block_cache_read(struct block_cache *cache, rt_off_t number, void *data)
{
    rt_bool_t found = RT_FALSE;

    rt_mutex_take(&cache->lock, RT_WAITING_FOREVER);
    for (int i = 0; i < BLOCKS && !found; ++i)
    {
        if (cache->blocks[i].memory && cache->blocks[i].number == number)
        {
            rt_memcpy(data, cache->blocks[i].memory, BLOCK_SIZE);
            found = RT_TRUE;
        }
    }
    rt_mutex_release(&cache->lock);
    if (found)
    {
        return RT_EOK;
    }
    if (rt_device_read(cache->disk, number, data, 1) != 1)
    {
        return -RT_EIO;
    }
    remember(cache, number, data);

    return RT_EOK;
}
