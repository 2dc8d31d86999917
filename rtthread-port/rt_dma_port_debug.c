/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The debug mode. The linker passes each call of a function that is named in a line WATCH(name) below to __wrap_name(),
 * which checks it and calls the library's function, __real_name() (GNU ld, option --wrap). SConscript reads the names from
 * those lines. Calls within the library do not pass here, and without the option nothing of this exists.
 */

#include "rt_dma_port_rtthread.h"

#ifdef PKG_RT_DMA_POOL_USING_DEBUG

#include <rt_dma.h>
#include <rt_dma_debug.h>
#include <rt_dma_watch.h>

/* Entries of the table; menuconfig asks for it. */
#ifndef PKG_RT_DMA_POOL_DEBUG_ENTRIES
#define PKG_RT_DMA_POOL_DEBUG_ENTRIES 512
#endif

_Static_assert(PKG_RT_DMA_POOL_DEBUG_ENTRIES > 0, "PKG_RT_DMA_POOL_DEBUG_ENTRIES is a number of entries");

#define WATCH(name) \
    __typeof__(name) __real_##name, __wrap_##name

int list_dma_pool(int argc, char **argv);

WATCH(list_dma_pool);
WATCH(rt_dma_alloc);
WATCH(rt_dma_alloc_aligned);
WATCH(rt_dma_alloc_wc);
WATCH(rt_dma_block_pool_alloc);
WATCH(rt_dma_block_pool_create);
WATCH(rt_dma_block_pool_create_linux);
WATCH(rt_dma_block_pool_destroy);
WATCH(rt_dma_block_pool_free);
WATCH(rt_dma_block_pool_zalloc);
WATCH(rt_dma_free);
WATCH(rt_dma_map_page);
WATCH(rt_dma_map_sg);
WATCH(rt_dma_map_single);
WATCH(rt_dma_map_single_attrs);
WATCH(rt_dma_mapping_error);
WATCH(rt_dma_sync_in_data);
WATCH(rt_dma_sync_out_data);
WATCH(rt_dma_sync_sg_for_cpu);
WATCH(rt_dma_sync_sg_for_device);
WATCH(rt_dma_sync_single_for_cpu);
WATCH(rt_dma_sync_single_for_device);
WATCH(rt_dma_unmap_page);
WATCH(rt_dma_unmap_sg);
WATCH(rt_dma_unmap_sg_attrs);
WATCH(rt_dma_unmap_single);
WATCH(rt_dma_unmap_single_attrs);
WATCH(rt_dma_zalloc);
WATCH(rt_dma_zalloc_coherent);
WATCH(rt_dmam_alloc);
WATCH(rt_dmam_block_pool_create);
WATCH(rt_dmam_block_pool_create_linux);
WATCH(rt_dmam_block_pool_destroy);
WATCH(rt_dmam_free);
WATCH(rt_dmam_map_single);
WATCH(rt_dmam_release);
WATCH(rt_dmam_unmap_single);
WATCH(rt_dmam_zalloc_coherent);

/* For each function the address in the driver after the call. */
#define CALLER ((uintptr_t)__builtin_return_address(0))

static uintptr_t entries[PKG_RT_DMA_POOL_DEBUG_ENTRIES][RT_DMA_WATCH_ENTRY_WORDS];

static uintptr_t now(void)
{
    return (uintptr_t)((uint64_t)rt_tick_get() * 1000 / RT_TICK_PER_SECOND);
}

/* What a call is checked by. A call without a device is not checked: the library refuses it. */
static struct rt_dma_watch_call call_of(struct rt_device *dev, uintptr_t caller)
{
    /* In an interrupt this is the thread that was interrupted, whose stack the interrupt may use. */
    rt_thread_t thread = rt_thread_self();
    struct rt_dma_watch_call call =
    {
        .dev = dev,
        .caller = caller,
        .time = now(),
        .is_new = dev && !dev->dma_ops,
        .stack = thread ? (uintptr_t)thread->stack_addr : 0,
        .stack_size = thread ? thread->stack_size : 0,
    };

    rt_dma_watch_start(entries, PKG_RT_DMA_POOL_DEBUG_ENTRIES);

    return call;
}

/* Allocations */

static void *allocated(const struct rt_dma_watch_call *call, void *cpu_addr, rt_size_t size, const rt_ubase_t *handle,
        rt_ubase_t *dma_handle, rt_ubase_t flags, int is_managed)
{
    if (cpu_addr)
    {
        if (dma_handle)
        {
            *dma_handle = *handle;
        }

        rt_dma_watch_allocated(call, cpu_addr, size, *handle, flags, is_managed);
    }

    return cpu_addr;
}

void *__wrap_rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    return allocated(&call, __real_rt_dma_alloc(dev, size, &handle, flags), size, &handle, dma_handle, flags, 0);
}

void *__wrap_rt_dma_zalloc(struct rt_device *dev, uintptr_t size, rt_ubase_t *dma_handle, uintptr_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    return allocated(&call, __real_rt_dma_zalloc(dev, size, &handle, flags), size, &handle, dma_handle, flags, 0);
}

void *__wrap_rt_dma_alloc_wc(struct rt_device *dev, uintptr_t size, rt_ubase_t *dma_handle)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = __real_rt_dma_alloc_wc(dev, size, &handle);

    return allocated(&call, cpu_addr, size, &handle, dma_handle, rt_dma_wc_flags(dev), 0);
}

void *__wrap_rt_dma_zalloc_coherent(struct rt_device *dev, uintptr_t size, rt_ubase_t *dma_handle)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = __real_rt_dma_zalloc_coherent(dev, size, &handle);

    return allocated(&call, cpu_addr, size, &handle, dma_handle, rt_dma_wc_flags(dev), 0);
}

void *__wrap_rt_dma_alloc_aligned(struct rt_device *dev, uintptr_t size, uintptr_t align, rt_ubase_t *dma_handle,
        uintptr_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = __real_rt_dma_alloc_aligned(dev, size, align, &handle, flags);

    return allocated(&call, cpu_addr, size, &handle, dma_handle, flags, 0);
}

void *__wrap_rt_dmam_alloc(struct rt_device *dev, uintptr_t size, rt_ubase_t *dma_handle, uintptr_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    return allocated(&call, __real_rt_dmam_alloc(dev, size, &handle, flags), size, &handle, dma_handle, flags, 1);
}

void *__wrap_rt_dmam_zalloc_coherent(struct rt_device *dev, uintptr_t size, rt_ubase_t *dma_handle)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    rt_ubase_t handle = 0;
    void *cpu_addr;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_NULL;
    }

    cpu_addr = __real_rt_dmam_zalloc_coherent(dev, size, &handle);

    return allocated(&call, cpu_addr, size, &handle, dma_handle, rt_dma_wc_flags(dev), 1);
}

void __wrap_rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    uintptr_t refused = rt_dma_watch_freeing(&call, cpu_addr, size, dma_handle, 0);

    __real_rt_dma_free(dev, size, cpu_addr, dma_handle, flags);
    rt_dma_watch_freed(&call, cpu_addr, size, refused);
}

void __wrap_rt_dmam_free(struct rt_device *dev, uintptr_t size, void *cpu_addr, uintptr_t dma_handle)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    uintptr_t refused = rt_dma_watch_freeing(&call, cpu_addr, size, dma_handle, 1);

    __real_rt_dmam_free(dev, size, cpu_addr, dma_handle);
    rt_dma_watch_freed(&call, cpu_addr, size, refused);
}

void __wrap_rt_dmam_release(struct rt_device *dev)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    __real_rt_dmam_release(dev);

    /* Elsewhere the call released nothing. */
    if (!rt_dma_port_is_atomic())
    {
        rt_dma_watch_released(&call);
    }
}

/* Block pools */

static struct rt_dma_block_pool *created(struct rt_device *dev, struct rt_dma_block_pool *pool, uintptr_t size,
        int is_managed, uintptr_t caller)
{
    if (pool)
    {
        struct rt_dma_watch_call call = call_of(dev, caller);

        rt_dma_watch_pool_created(&call, pool, size, is_managed);
    }

    return pool;
}

struct rt_dma_block_pool *__wrap_rt_dma_block_pool_create(const char *name, struct rt_device *dev, uintptr_t size,
        uintptr_t align, uintptr_t boundary)
{
    return created(dev, __real_rt_dma_block_pool_create(name, dev, size, align, boundary), size, 0, CALLER);
}

struct rt_dma_block_pool *__wrap_rt_dma_block_pool_create_linux(const char *name, struct rt_device *dev, uintptr_t size,
        uintptr_t align, uintptr_t boundary)
{
    return created(dev, __real_rt_dma_block_pool_create_linux(name, dev, size, align, boundary), size, 0, CALLER);
}

struct rt_dma_block_pool *__wrap_rt_dmam_block_pool_create(const char *name, struct rt_device *dev, uintptr_t size,
        uintptr_t align, uintptr_t boundary)
{
    return created(dev, __real_rt_dmam_block_pool_create(name, dev, size, align, boundary), size, 1, CALLER);
}

struct rt_dma_block_pool *__wrap_rt_dmam_block_pool_create_linux(const char *name, struct rt_device *dev, uintptr_t size,
        uintptr_t align, uintptr_t boundary)
{
    return created(dev, __real_rt_dmam_block_pool_create_linux(name, dev, size, align, boundary), size, 1, CALLER);
}

intptr_t __wrap_rt_dma_block_pool_destroy(struct rt_dma_block_pool *pool)
{
    intptr_t result = __real_rt_dma_block_pool_destroy(pool);

    if (result == RT_EOK)
    {
        rt_dma_watch_pool_destroyed(pool);
    }

    return result;
}

void __wrap_rt_dmam_block_pool_destroy(struct rt_dma_block_pool *pool)
{
    /* Whether the pool is gone, only a second look would show: what is in the table of a pool that stays is lost. */
    __real_rt_dmam_block_pool_destroy(pool);
    rt_dma_watch_pool_destroyed(pool);
}

static void *block_alloc(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle, uintptr_t caller,
        void *(*alloc)(struct rt_dma_block_pool *, rt_ubase_t *))
{
    struct rt_dma_watch_call call = call_of(rt_dma_watch_pool_device(pool), caller);
    rt_ubase_t handle = 0;
    void *block;

    if (rt_dma_watch_must_fail(&call, 0))
    {
        return RT_NULL;
    }

    block = alloc(pool, &handle);

    if (block)
    {
        if (dma_handle)
        {
            *dma_handle = handle;
        }

        rt_dma_watch_block_allocated(&call, pool, block, handle);
    }

    return block;
}

void *__wrap_rt_dma_block_pool_alloc(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle)
{
    return block_alloc(pool, dma_handle, CALLER, __real_rt_dma_block_pool_alloc);
}

void *__wrap_rt_dma_block_pool_zalloc(struct rt_dma_block_pool *pool, rt_ubase_t *dma_handle)
{
    return block_alloc(pool, dma_handle, CALLER, __real_rt_dma_block_pool_zalloc);
}

void __wrap_rt_dma_block_pool_free(struct rt_dma_block_pool *pool, void *block, uintptr_t dma_handle)
{
    struct rt_dma_watch_call call = call_of(rt_dma_watch_pool_device(pool), CALLER);
    uintptr_t refused = rt_dma_watch_block_freeing(&call, pool, block, dma_handle);

    __real_rt_dma_block_pool_free(pool, block, dma_handle);
    rt_dma_watch_freed(&call, block, 0, refused);
}

/* Maps */

static uintptr_t map_single(struct rt_device *dev, void *cpu_addr, uintptr_t size, int direction, uintptr_t attrs,
        uintptr_t caller)
{
    struct rt_dma_watch_call call = call_of(dev, caller);
    uintptr_t handle;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_DMA_MAPPING_ERROR;
    }

    handle = __real_rt_dma_map_single_attrs(dev, cpu_addr, size, direction, attrs);
    rt_dma_watch_mapped(&call, cpu_addr, size, direction, attrs, handle, 0);

    return handle;
}

uintptr_t __wrap_rt_dma_map_single(struct rt_device *dev, void *cpu_addr, uintptr_t size, int direction)
{
    return map_single(dev, cpu_addr, size, direction, 0, CALLER);
}

uintptr_t __wrap_rt_dma_map_single_attrs(struct rt_device *dev, void *cpu_addr, uintptr_t size, int direction,
        uintptr_t attrs)
{
    return map_single(dev, cpu_addr, size, direction, attrs, CALLER);
}

uintptr_t __wrap_rt_dmam_map_single(struct rt_device *dev, void *cpu_addr, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    uintptr_t handle;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_DMA_MAPPING_ERROR;
    }

    handle = __real_rt_dmam_map_single(dev, cpu_addr, size, direction);
    rt_dma_watch_mapped(&call, cpu_addr, size, direction, 0, handle, 1);

    return handle;
}

uintptr_t __wrap_rt_dma_map_page(struct rt_device *dev, uintptr_t page_pa, uintptr_t offset, uintptr_t size,
        int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    uintptr_t handle;

    if (rt_dma_watch_must_fail(&call, size))
    {
        return RT_DMA_MAPPING_ERROR;
    }

    handle = __real_rt_dma_map_page(dev, page_pa, offset, size, direction);
    rt_dma_watch_page_mapped(&call, page_pa + offset, size, direction, handle);

    return handle;
}

int __wrap_rt_dma_map_sg(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);
    int mapped;

    if (sg && nents > 0 && rt_dma_watch_must_fail(&call, sg->length))
    {
        for (mapped = 0; mapped < nents; ++mapped)
        {
            sg[mapped].dma_handle = RT_DMA_MAPPING_ERROR;
        }

        return 0;
    }

    mapped = __real_rt_dma_map_sg(dev, sg, nents, direction);
    rt_dma_watch_list_mapped(&call, sg, nents, direction, mapped > 0);

    return mapped;
}

int __wrap_rt_dma_mapping_error(struct rt_device *dev, uintptr_t dma_handle)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_checked(&call, dma_handle);

    return __real_rt_dma_mapping_error(dev, dma_handle);
}

/* Unmaps */

void __wrap_rt_dma_unmap_single(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_SINGLE);
    __real_rt_dma_unmap_single(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_unmap_single_attrs(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction,
        uintptr_t attrs)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    /* There is no other call that ends a mapping of a page with attributes. */
    rt_dma_watch_unmapping(&call, dma_handle, size, direction,
            attrs & RT_DMA_ATTR_LIST_ENTRY ? RT_DMA_WATCH_LIST_ENTRY : RT_DMA_WATCH_ANY);
    __real_rt_dma_unmap_single_attrs(dev, dma_handle, size, direction, attrs);
}

void __wrap_rt_dma_unmap_page(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_PAGE);
    __real_rt_dma_unmap_page(dev, dma_handle, size, direction);
}

void __wrap_rt_dmam_unmap_single(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_unmapping(&call, dma_handle, size, direction, RT_DMA_WATCH_MANAGED);
    __real_rt_dmam_unmap_single(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_unmap_sg(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_list_unmapping(&call, sg, nents, direction);
    __real_rt_dma_unmap_sg(dev, sg, nents, direction);
}

void __wrap_rt_dma_unmap_sg_attrs(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction,
        uintptr_t attrs)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_list_unmapping(&call, sg, nents, direction);
    __real_rt_dma_unmap_sg_attrs(dev, sg, nents, direction, attrs);
}

/* Syncs */

void __wrap_rt_dma_sync_single_for_cpu(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_cpu(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_single_for_device(struct rt_device *dev, uintptr_t dma_handle, uintptr_t size, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_syncing(&call, dma_handle, size, direction);
    __real_rt_dma_sync_single_for_device(dev, dma_handle, size, direction);
}

void __wrap_rt_dma_sync_sg_for_cpu(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_cpu(dev, sg, nents, direction);
}

void __wrap_rt_dma_sync_sg_for_device(struct rt_device *dev, struct rt_dma_sg *sg, int nents, int direction)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_list_syncing(&call, sg, nents, direction);
    __real_rt_dma_sync_sg_for_device(dev, sg, nents, direction);
}

rt_err_t __wrap_rt_dma_sync_out_data(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_syncing_data(&call, data, size, flags);

    return __real_rt_dma_sync_out_data(dev, data, size, dma_handle, flags);
}

rt_err_t __wrap_rt_dma_sync_in_data(struct rt_device *dev, void *out_data, rt_size_t size, rt_ubase_t dma_handle,
        rt_ubase_t flags)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_syncing_data(&call, out_data, size, flags);

    return __real_rt_dma_sync_in_data(dev, out_data, size, dma_handle, flags);
}

/* Calls for drivers */

int rt_dma_debug_fail(struct rt_device *dev, uintptr_t number)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    return rt_dma_watch_fail(&call, number);
}

struct rt_device *rt_dma_debug_find(const char *name)
{
    return name ? rt_dma_watch_find(name) : RT_NULL;
}

int rt_dma_debug_has_failed(struct rt_device *dev)
{
    return rt_dma_watch_has_failed(dev);
}

void rt_dma_debug_device_gone(struct rt_device *dev)
{
    struct rt_dma_watch_call call = call_of(dev, CALLER);

    rt_dma_watch_released(&call);
}

uintptr_t rt_dma_debug_mistakes(struct rt_device *dev)
{
    return rt_dma_watch_mistakes(dev);
}

/* The shell */

/* With -v, also what devices hold. */
int __wrap_list_dma_pool(int argc, char **argv)
{
    int result = __real_list_dma_pool(argc, argv);

    if (argc > 1 && argv[1][0] == '-' && argv[1][1] == 'v')
    {
        rt_dma_watch_list_held(now());
    }

    return result;
}

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

static struct rt_device *find(const char *name)
{
    struct rt_device *dev = rt_dma_watch_find(name);

    if (!dev)
    {
        rt_kprintf("no device %s has used DMA memory\n", name);
    }

    return dev;
}

static int list_dma_debug(int argc, char **argv)
{
    struct rt_device *dev = argc > 1 ? find(argv[1]) : RT_NULL;

    if (argc > 1 && !dev)
    {
        return -1;
    }

    rt_dma_watch_list(dev, now());

    return 0;
}
MSH_CMD_EXPORT(list_dma_debug, list mistakes of drivers and what devices hold: list_dma_debug [device]);

static int dma_fail(int argc, char **argv)
{
    struct rt_device *dev;
    uintptr_t number = 0;
    const char *digit;

    if (argc != 3)
    {
        rt_kprintf("usage: dma_fail DEVICE N: the N-th allocation or mapping from now on fails; 0 for none\n");
        return -1;
    }

    for (digit = argv[2]; *digit >= '0' && *digit <= '9'; ++digit)
    {
        number = number * 10 + (uintptr_t)(*digit - '0');
    }

    if (*digit || digit == argv[2])
    {
        rt_kprintf("%s is not a number\n", argv[2]);
        return -1;
    }

    dev = find(argv[1]);

    return dev && rt_dma_debug_fail(dev, number) ? 0 : -1;
}
MSH_CMD_EXPORT(dma_fail, make a DMA allocation or mapping fail: dma_fail DEVICE N);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */

#endif /* PKG_RT_DMA_POOL_USING_DEBUG */
