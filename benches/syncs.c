/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of dma_bench that counts rt_dma_sync_out_data and rt_dma_sync_in_data against a reference in C, which takes
 * the steps that RT-Thread's dma_pool.c takes: it checks the address and the size, looks the device's table up, calls
 * through it, and the function in the table translates the address and maintains the cache. The reference is compiled
 * for size, as RT-Thread is. It has none of the checks that the library promises beyond that.
 *
 * Lines: "sync NAME OURS REFERENCE": the instructions of one call, the median of TURNS.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>

#include <mm_aspace.h>

#include "dma_bench.h"

#define TURNS           63
#define LARGEST         16384

#define REFERENCE       __attribute__((optimize("Os"), noinline))

/* ---- the reference ----------------------------------------------------------------------------------------------- */

static REFERENCE rt_err_t plain_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *handle,
        rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    if (handle)
    {
        *handle = (rt_ubase_t)rt_kmem_v2p(data);
    }
    return RT_EOK;
}

static REFERENCE rt_err_t plain_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t handle,
        rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(data);
    RT_UNUSED(size);
    RT_UNUSED(handle);
    RT_UNUSED(flags);
    return RT_EOK;
}

static REFERENCE rt_err_t flushing_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *handle,
        rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(flags);
    if (handle)
    {
        *handle = (rt_ubase_t)rt_kmem_v2p(data);
    }
    rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, data, size);
    return RT_EOK;
}

static REFERENCE rt_err_t invalidating_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t handle,
        rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(handle);
    RT_UNUSED(flags);
    rt_hw_cpu_dcache_ops(RT_HW_CACHE_INVALIDATE, data, size);
    return RT_EOK;
}

static struct rt_pci_host_bridge *bridge_of(struct rt_device *dev)
{
    return rt_pci_find_host_bridge(rt_container_of(dev, struct rt_pci_device, parent)->bus);
}

static REFERENCE rt_ubase_t to_bus(struct rt_device *dev, rt_ubase_t address)
{
    struct rt_pci_host_bridge *bridge = bridge_of(dev);

    for (rt_size_t i = 0; bridge && bridge->dma_regions && i < bridge->dma_regions_nr; ++i)
    {
        struct rt_pci_bus_region *window = &bridge->dma_regions[i];

        if (address >= window->cpu_addr && address < window->cpu_addr + window->size)
        {
            return window->phy_addr + (address - window->cpu_addr);
        }
    }
    return address;
}

static REFERENCE rt_ubase_t to_cpu(struct rt_device *dev, rt_ubase_t handle)
{
    struct rt_pci_host_bridge *bridge = bridge_of(dev);

    for (rt_size_t i = 0; bridge && bridge->dma_regions && i < bridge->dma_regions_nr; ++i)
    {
        struct rt_pci_bus_region *window = &bridge->dma_regions[i];

        if (handle >= window->phy_addr && handle < window->phy_addr + window->size)
        {
            return window->cpu_addr + (handle - window->phy_addr);
        }
    }
    return handle;
}

static REFERENCE rt_err_t translated_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *handle,
        rt_ubase_t flags)
{
    rt_err_t error = flags & RT_DMA_F_NOCACHE ? plain_out(dev, data, size, handle, flags)
                                              : flushing_out(dev, data, size, handle, flags);

    if (!error && handle)
    {
        *handle = to_bus(dev, *handle);
    }
    return error;
}

static REFERENCE rt_err_t translated_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t handle,
        rt_ubase_t flags)
{
    handle = to_cpu(dev, handle);
    return flags & RT_DMA_F_NOCACHE ? plain_in(dev, data, size, handle, flags)
                                    : invalidating_in(dev, data, size, handle, flags);
}

static const struct rt_dma_map_ops plain_ops = { .sync_out_data = plain_out, .sync_in_data = plain_in };
static const struct rt_dma_map_ops coherent_ops = { .sync_out_data = flushing_out, .sync_in_data = invalidating_in };
static const struct rt_dma_map_ops translated_ops = { .sync_out_data = translated_out, .sync_in_data = translated_in };

/* The device's table. One that has none would get it here; in this program each has one. */
static REFERENCE const struct rt_dma_map_ops *table_of(struct rt_device *dev)
{
    const struct rt_dma_map_ops *table = dev->dma_ops;

    if (!table)
    {
        dev->dma_ops = table = rt_dma_device_is_coherent(dev) ? &coherent_ops : &plain_ops;
    }
    return table;
}

static REFERENCE rt_err_t reference_out(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *handle,
        rt_ubase_t flags)
{
    rt_ubase_t found = 0;
    rt_err_t error;

    if (!data || !size)
    {
        return -RT_EINVAL;
    }
    error = table_of(dev)->sync_out_data(dev, data, size, &found, flags);
    if (handle)
    {
        *handle = found;
    }
    return error;
}

static REFERENCE rt_err_t reference_in(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t handle,
        rt_ubase_t flags)
{
    if (!data || !size)
    {
        return -RT_EINVAL;
    }
    return table_of(dev)->sync_in_data(dev, data, size, handle, flags);
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

typedef rt_err_t (*sync_out)(struct rt_device *, void *, rt_size_t, rt_ubase_t *, rt_ubase_t);
typedef rt_err_t (*sync_in)(struct rt_device *, void *, rt_size_t, rt_ubase_t, rt_ubase_t);

static struct side
{
    sync_out out;
    sync_in in;
} ours = { rt_dma_sync_out_data, rt_dma_sync_in_data }, reference = { reference_out, reference_in };

static struct rt_pci_bus_region window;
static struct rt_pci_host_bridge bridge = { .dma_regions_nr = 1, .dma_regions = &window };
static struct rt_pci_bus pci_bus = { .host_bridge = &bridge };
static struct rt_bus bus = { .name = "pci" };

static rt_uint64_t count_out(const struct side *side, struct rt_device *dev, void *data, rt_size_t size,
        rt_ubase_t *handle, rt_ubase_t flags)
{
    struct cost turns[TURNS] = { 0 };
    rt_uint64_t overhead = count_overhead();

    for (int i = 0; i < TURNS; ++i)
    {
        rt_uint64_t start = count();
        rt_err_t error = side->out(dev, data, size, handle, flags);

        turns[i].call = count() - start - overhead;
        RT_ASSERT(error == RT_EOK);
    }
    return median_of(turns, TURNS).call;
}

static rt_uint64_t count_in(const struct side *side, struct rt_device *dev, void *data, rt_size_t size,
        rt_ubase_t handle, rt_ubase_t flags)
{
    struct cost turns[TURNS] = { 0 };
    rt_uint64_t overhead = count_overhead();

    for (int i = 0; i < TURNS; ++i)
    {
        rt_uint64_t start = count();
        rt_err_t error = side->in(dev, data, size, handle, flags);

        turns[i].call = count() - start - overhead;
        RT_ASSERT(error == RT_EOK);
    }
    return median_of(turns, TURNS).call;
}

static void compare(const char *name, struct rt_device *dev, const struct rt_dma_map_ops *table, void *data,
        rt_ubase_t flags)
{
    static const rt_size_t sizes[] = { 8, 64, 256, 1460, 4096, LARGEST };
    const void *our_table;

    /* The first call gives the device our table. */
    RT_ASSERT(rt_dma_sync_out_data(dev, data, LARGEST, RT_NULL, flags) == RT_EOK);
    our_table = dev->dma_ops;
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(sizes); ++i)
    {
        rt_size_t size = sizes[i];
        rt_ubase_t our_handle = 0, its_handle = 0;
        rt_uint64_t our_out, our_unasked, our_in, its_out, its_unasked, its_in;

        our_out = count_out(&ours, dev, data, size, &our_handle, flags);
        our_unasked = count_out(&ours, dev, data, size, RT_NULL, flags);
        our_in = count_in(&ours, dev, data, size, our_handle, flags);
        dev->dma_ops = table;
        its_out = count_out(&reference, dev, data, size, &its_handle, flags);
        its_unasked = count_out(&reference, dev, data, size, RT_NULL, flags);
        its_in = count_in(&reference, dev, data, size, its_handle, flags);
        dev->dma_ops = our_table;
        /* The kernel's translation is spoilt where interrupts are not masked: only our handle is right. */
        rt_kprintf("sync %s,out,%lu %lu %lu\n", name, (unsigned long)size, (unsigned long)our_out,
                (unsigned long)its_out);
        rt_kprintf("sync %s,out-without-handle,%lu %lu %lu\n", name, (unsigned long)size, (unsigned long)our_unasked,
                (unsigned long)its_unasked);
        rt_kprintf("sync %s,in,%lu %lu %lu\n", name, (unsigned long)size, (unsigned long)our_in, (unsigned long)its_in);
    }
}

void bench_syncs(void)
{
    static struct rt_device plain = { .parent.name = "plain" };
    /* The stand-in reads the properties of the node with this compatible string; QEMU's has dma-coherent. */
    static struct rt_device coherent = { .parent.name = "coherent", .user_data = "pci-host-ecam-generic" };
    static struct rt_pci_device pci = { .parent.parent.name = "pci", .parent.bus = &bus, .bus = &pci_bus };
    rt_ubase_t handle;
    void *data;

    data = rt_dma_alloc(&plain, LARGEST, &handle, 0);
    RT_ASSERT(data);
    compare("non-coherent", &plain, &plain_ops, data, 0);

    compare("coherent", &coherent, &coherent_ops, data, 0);

    window = (struct rt_pci_bus_region)
    {
        .phy_addr = 0x80000000UL,
        .cpu_addr = handle & ~0xffffffUL,
        .size = 0x2000000UL,
    };
    compare("translated", &pci.parent, &translated_ops, data, 0);
    compare("translated-uncached", &pci.parent, &translated_ops, data, RT_DMA_F_NOCACHE);
    rt_dma_free(&plain, LARGEST, data, handle, 0);
}
