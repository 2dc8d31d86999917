/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the porting headers where Linux drivers rely on conventions that differ from RT-Thread's. */
#include <string.h>

#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/scatterlist.h>
#include <mm_aspace.h>
#include "expect.h"
#include "kernel.h"

/* RAM outside of all pools: the driver's own memory, mapped cached. */
#define OWN_RAM     (HOST_RAM + 46 * MIB)
#define OWN_SIZE    (64 * 1024)

static struct rt_device device = { .parent.name = "from linux" };
static struct device *const dev = (struct device *)&device;
static unsigned char *own;

static int is_zero(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;

    while (size && !*bytes)
    {
        ++bytes;
        --size;
    }
    return !size;
}

static void error_numbers(void)
{
    static struct rt_device narrow = { .parent.name = "narrow" };
    uint64_t before = dma_get_mask(&narrow);

    EXPECT(dma_set_mask(&narrow, DMA_BIT_MASK(24)) == -EIO && dma_get_mask(&narrow) == before);
    EXPECT(dma_set_coherent_mask(&narrow, DMA_BIT_MASK(24)) == -EIO);
    EXPECT(dma_set_mask_and_coherent(&narrow, DMA_BIT_MASK(24)) == -EIO);
    EXPECT(dma_coerce_mask_and_coherent(&narrow, DMA_BIT_MASK(0)) == -EIO);
    EXPECT(dma_set_mask((struct rt_device *)NULL, DMA_BIT_MASK(32)) == -EIO);
    EXPECT(before == DMA_BIT_MASK(64) || before == DMA_BIT_MASK(32));
    EXPECT(dma_set_mask_and_coherent(&narrow, DMA_BIT_MASK(32)) == 0 && dma_get_mask(&narrow) == DMA_BIT_MASK(32));
    EXPECT(dma_mapping_error(dev, DMA_MAPPING_ERROR) == -ENOMEM);
    EXPECT(dma_mapping_error(dev, dma_map_single(dev, NULL, 64, DMA_TO_DEVICE)) == -ENOMEM);
    EXPECT(dma_mapping_error(dev, OWN_RAM) == 0);
}

/* A driver gets zeroed memory, also when the pages were used before. */
static void allocators_clear(void)
{
    dma_addr_t handle;
    unsigned char *p = rt_dma_alloc(&device, 40960, &handle, 0);

    memset(p, 0x5a, 40960);
    rt_dma_free(&device, 40960, p, handle, 0);

    p = dma_alloc_coherent(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(p && is_zero(p, 10001) && host_device_view(handle));
    memset(p, 0x5a, 10001);
    dma_free_coherent(dev, 10001, p, handle);
    p = dma_alloc_wc(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(p && is_zero(p, 10001));
    memset(p, 0x5a, 10001);
    dma_free_wc(dev, 10001, p, handle);
    p = dmam_alloc_coherent(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(p && is_zero(p, 10001));
    memset(p, 0x5a, 10001);
    dmam_free_coherent(dev, 10001, p, handle);
    p = dmam_alloc_attrs(dev, 10001, &handle, GFP_KERNEL, DMA_ATTR_WRITE_COMBINE);
    EXPECT(p && is_zero(p, 10001));
    rt_dmam_release(&device);

    EXPECT(!dma_alloc_coherent((struct rt_device *)NULL, 64, &handle, GFP_KERNEL));
    EXPECT(!dmam_alloc_coherent(dev, 0, &handle, GFP_KERNEL));
}

static void noncoherent(void)
{
    dma_addr_t handle = 0;
    unsigned char *p = dma_alloc_noncoherent(dev, 5000, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL);
    unsigned char *seen;

    EXPECT(p && is_zero(p, 5000));
    seen = host_device_view(handle);
    memset(p, 0x11, 5000);
    dma_sync_single_for_device(dev, handle, 5000, DMA_TO_DEVICE);
    EXPECT(seen[0] == 0x11 && seen[4999] == 0x11);
    memset(seen + 64, 0x22, 64);
    dma_sync_single_range_for_cpu(dev, handle, 64, 64, DMA_FROM_DEVICE);
    EXPECT(p[63] == 0x11 && p[64] == 0x22 && p[127] == 0x22 && p[128] == 0x11);
    dma_free_noncoherent(dev, 5000, p, handle, DMA_BIDIRECTIONAL);
    EXPECT(!dma_alloc_noncoherent(dev, ~(size_t)0, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL));
    EXPECT(!dma_alloc_noncoherent(dev, 0, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL));
    EXPECT(!dma_alloc_noncoherent(dev, 5000, &handle, DMA_NONE, GFP_KERNEL));
}

/* The target shares cache lines, so it is bounced. The bytes that the processor wrote after the sync stay. */
static void skipped_sync(void)
{
    unsigned char *target = own + 100;
    dma_addr_t handle = dma_map_single(dev, target, 100, DMA_FROM_DEVICE);
    unsigned char *seen = host_device_view(handle);

    EXPECT(!dma_mapping_error(dev, handle) && handle != OWN_RAM + 100);
    memset(target, 0, 100);
    memset(seen, 0x33, 100);
    dma_sync_single_range_for_cpu(dev, handle, 64, 16, DMA_FROM_DEVICE);
    EXPECT(target[63] == 0 && target[64] == 0x33 && target[79] == 0x33 && target[80] == 0);
    /* The device writes while the driver reads. A sync for the device copies none of the driver's bytes to it. */
    memset(target + 70, 0x77, 2);
    memset(seen, 0x34, 100);
    dma_sync_single_range_for_device(dev, handle, 71, 1, DMA_FROM_DEVICE);
    dma_sync_single_for_device(dev, handle, 100, DMA_FROM_DEVICE);
    EXPECT(seen[0] == 0x34 && seen[70] == 0x34 && seen[71] == 0x34);
    dma_sync_single_for_cpu(dev, handle, 100, DMA_FROM_DEVICE);
    EXPECT(target[0] == 0x34 && target[70] == 0x34 && target[99] == 0x34);
    memset(target, 0x44, 50);
    memset(seen, 0x35, 100);
    dma_unmap_single_attrs(dev, handle, 100, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
    EXPECT(target[0] == 0x44 && target[49] == 0x44 && target[50] == 0x34 && target[99] == 0x34);
    EXPECT(target[-1] == 0 && target[100] == 0);
}

/* A page and a scatter list, unmapped with the driver's attributes. */
static void skipped_sync_of_pages_and_lists(void)
{
    unsigned char *target = own + 4096 + 100;
    struct scatterlist list[2];
    dma_addr_t handle;

    memset(own, 0, OWN_SIZE);
    sg_init_table(list, 2);
    sg_set_buf(&list[0], target, 100);
    sg_set_buf(&list[1], target + 200, 100);
    for (int skips = 0; skips < 2; skips++)
    {
        unsigned long attrs = skips ? DMA_ATTR_SKIP_CPU_SYNC : 0;
        unsigned char got = skips ? 0x21 : 0x22;

        EXPECT(dma_map_sg(dev, list, 2, DMA_FROM_DEVICE) == 2);
        for (int i = 0; i < 2; i++)
        {
            memset(sg_virt(&list[i]), 0x21, 100);
            memset(host_device_view(sg_dma_address(&list[i])), 0x22, 100);
        }
        dma_unmap_sg_attrs(dev, list, 2, DMA_FROM_DEVICE, attrs);
        EXPECT(target[0] == got && target[99] == got && target[200] == got && target[299] == got);
    }

    handle = dma_map_page(dev, virt_to_page(target), offset_in_page(target), 100, DMA_FROM_DEVICE);
    if (!dma_mapping_error(dev, handle))
    {
        memset(host_device_view(handle), 0x23, 100);
        memset(target, 0x24, 100);
        dma_unmap_page_attrs(dev, handle, 100, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
        EXPECT(target[0] == 0x24 && target[99] == 0x24);
    }
    memset(own, 0, OWN_SIZE);
}

static void maps(void)
{
    struct scatterlist list[3], *sg;
    dma_addr_t handle;
    int i;

    memset(own, 0, OWN_SIZE);
    memset(own + 4096, 0x55, 8192);
    handle = dma_map_page(dev, virt_to_page(own + 5000), offset_in_page(own + 5000), 700, DMA_TO_DEVICE);
    EXPECT(page_to_phys(virt_to_page(own + 5000)) == OWN_RAM + 4096);
    EXPECT(dma_mapping_error(dev, handle) || handle == OWN_RAM + 5000);
    if (!dma_mapping_error(dev, handle))
    {
        dma_unmap_page(dev, handle, 700, DMA_TO_DEVICE);
    }

    sg_init_table(list, 3);
    for (i = 0; i < 3; i++)
    {
        sg_set_buf(&list[i], own + 4096 + i * 1000, 200);
    }
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 3);
    for_each_sg(list, sg, 3, i)
    {
        EXPECT(sg_dma_len(sg) == 200 && sg_virt(sg) == own + 4096 + i * 1000);
        EXPECT(*(unsigned char *)host_device_view(sg_dma_address(sg)) == 0x55);
    }
    dma_sync_sg_for_cpu(dev, list, 3, DMA_TO_DEVICE);
    dma_sync_sg_for_device(dev, list, 3, DMA_TO_DEVICE);
    dma_unmap_sg(dev, list, 3, DMA_TO_DEVICE);

    sg_set_buf(&list[2], NULL, 200);
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 0);

    /* More entries than the list has: nothing is mapped, and no entry after the end mark is read. */
    sg_init_table(list, 2);
    sg_set_buf(&list[0], own + 4096, 200);
    sg_set_buf(&list[1], own + 5096, 200);
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 0);
    EXPECT(dma_map_sg(dev, NULL, 1, DMA_TO_DEVICE) == 0);
    EXPECT(dma_map_sg(dev, list, 2, DMA_TO_DEVICE) == 2);
    dma_unmap_sg(dev, list, 3, DMA_TO_DEVICE);
}

static void pools(void)
{
    dma_addr_t a, b;
    struct dma_pool *pool = dma_pool_create("from linux", dev, 68, 0, 0);
    unsigned char *x, *y;

    EXPECT(pool);
    x = dma_pool_alloc(pool, GFP_ATOMIC, &a);
    EXPECT(x && host_device_view(a));
    memset(x, 0x66, 68);
    EXPECT(*(unsigned char *)host_device_view(a) == 0x66);
    dma_pool_free(pool, x, a);
    y = dma_pool_alloc(pool, GFP_KERNEL | __GFP_ZERO, &b);
    EXPECT(y && is_zero(y, 68));
    memset(y, 0x66, 68);
    dma_pool_free(pool, y, b);
    y = dma_pool_zalloc(pool, GFP_KERNEL, &b);
    EXPECT(y && is_zero(y, 68));

    /* A block is in use, so the pool is not destroyed. */
    dma_pool_destroy(pool);
    dma_pool_free(pool, y, b);
    dma_pool_destroy(pool);
    dma_pool_destroy(NULL);

    EXPECT(!dma_pool_create("bad", dev, 0, 0, 0) && !dma_pool_create("bad", dev, 64, 3, 0));
    EXPECT(!dma_pool_create("bad", dev, 64, 0, 48) && !dma_pool_create("bad", dev, 64, 0, 32));
    pool = dmam_pool_create("managed", dev, 64, 0, 4096);
    EXPECT(pool);
    dmam_pool_destroy(pool);
    EXPECT(dmam_pool_create("managed", dev, 64, 32, 0));
    rt_dmam_release(&device);
}

/* The memory is aligned to its size's power of two of pages, so that 64 KiB and less do not cross a multiple of 64 KiB. */
static void coherent_memory_is_aligned(void)
{
    static const size_t sizes[] = { 100, 4097, 12288, 20000, 65536, 200000 };
    dma_addr_t handles[2][6];
    void *buffers[2][6];

    for (int i = 0; i < 12; i++)
    {
        size_t size = sizes[i % 6], order = 4096;

        buffers[i / 6][i % 6] = i < 6 ? dma_alloc_coherent(dev, size, &handles[0][i], GFP_KERNEL)
                                      : dmam_alloc_coherent(dev, size, &handles[1][i % 6], GFP_KERNEL);
        EXPECT(buffers[i / 6][i % 6]);
        while (order < size)
        {
            order *= 2;
        }
        EXPECT(handles[i / 6][i % 6] % order == 0);
    }
    for (int i = 0; i < 6; i++)
    {
        dma_free_coherent(dev, sizes[i], buffers[0][i], handles[0][i]);
        dmam_free_coherent(dev, sizes[i], buffers[1][i], handles[1][i]);
    }
}

/* Two arrays are chained. A driver that writes sg_dma_len() and sg_dma_address() does not disturb the unmap or the syncs. */
static void chained_lists(void)
{
    struct scatterlist first[3], second[2], *sg;
    unsigned char copy[600];
    size_t sizes[4] = { 100, 5000, 64, 30 }, sum = 0;
    struct sg_mapping_iter miter;
    int i, count = 0;

    sg_init_table(first, 3);
    sg_init_table(second, 2);
    sg_chain(first, 3, second);
    for_each_sg(first, sg, 4, i)
    {
        sg_set_buf(sg, own + 100 + i * 8192, sizes[i]);
        memset(sg_virt(sg), 0x10 + i, sizes[i]);
    }
    EXPECT(!sg && sg_nents(first) == 4 && sg_last(first, 4) == &second[1] && sg_is_chain(&first[2]));
    EXPECT(sg_nents_for_len(first, 101) == 2 && sg_nents_for_len(first, 5194) == 4);
    EXPECT(sg_nents_for_len(first, 5195) == -EINVAL && sg_nents_for_len(first, 0) == 0);
    EXPECT(sg_phys(&first[0]) == OWN_RAM + 100 && sg_page(&first[0]) == virt_to_page(own));

    EXPECT(sg_copy_to_buffer(first, 4, copy, 600) == 600 && copy[99] == 0x10 && copy[100] == 0x11);
    EXPECT(sg_pcopy_to_buffer(first, 4, copy, 600, 5090) == 104 && copy[9] == 0x11 && copy[10] == 0x12 && copy[74] == 0x13);
    EXPECT(sg_zero_buffer(first, 4, 8, 96) == 8 && own[195] == 0x10 && !own[196] && !own[100 + 8192 + 3]);
    EXPECT(own[100 + 8192 + 4] == 0x11);
    memset(copy, 0x77, 600);
    EXPECT(sg_pcopy_from_buffer(first, 4, copy, 600, 5164) == 30 && own[100 + 3 * 8192] == 0x77);

    /* The pieces of a walk lie within pages, and what is not consumed comes again. */
    sg_miter_start(&miter, first, 4, SG_MITER_FROM_SG);
    while (sg_miter_next(&miter))
    {
        EXPECT((uintptr_t)miter.addr / 4096 == ((uintptr_t)miter.addr + miter.length - 1) / 4096);
        miter.consumed = miter.length > 1000 ? 1000 : miter.length;
        sum += miter.consumed;
        count++;
    }
    sg_miter_stop(&miter);
    EXPECT(sum == 5194 && count > 5);

    EXPECT(dma_map_sg(dev, first, 4, DMA_BIDIRECTIONAL) == 4);
    for_each_sg(first, sg, 4, i)
    {
        unsigned char *seen = host_device_view(sg_dma_address(sg));

        EXPECT(sg_dma_len(sg) == sizes[i]);
        memset(seen, 0x40 + i, sizes[i]);
        sg_dma_len(sg) = 7;
    }
    dma_sync_sg_for_cpu(dev, first, 4, DMA_BIDIRECTIONAL);
    EXPECT(own[100 + 8192 + 4999] == 0x41);
    dma_unmap_sg(dev, first, 4, DMA_BIDIRECTIONAL);
    EXPECT(own[100] == 0x40 && own[199] == 0x40 && own[100 + 3 * 8192 + 29] == 0x43);
    memset(own, 0, OWN_SIZE);
}

static void tables(void)
{
    struct page *pages[4] =
    {
        virt_to_page(own), virt_to_page(own + 4096), virt_to_page(own + 3 * 4096), virt_to_page(own + 4 * 4096)
    };
    struct sg_append_table append = { { NULL, 0, 0 }, NULL, 0 };
    struct sg_table table, *allocated;
    struct sg_page_iter piter;
    int count = 0;

    /* Pages that adjoin share an entry. */
    EXPECT(sg_alloc_table_from_pages(&table, pages, 4, 100, 4 * 4096 - 200, GFP_KERNEL) == 0 && table.nents == 2);
    EXPECT(table.sgl->length == 8092 && table.sgl->offset == 100 && sg_next(table.sgl)->length == 8092);
    for_each_sgtable_page(&table, &piter, 0)
    {
        EXPECT(sg_page_iter_page(&piter) == pages[count]);
        count++;
    }
    EXPECT(count == 4);
    EXPECT(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0) == 0);
    dma_unmap_sgtable(dev, &table, DMA_TO_DEVICE, 0);
    sg_free_table(&table);
    sg_free_table(&table);
    EXPECT(sg_alloc_table(&table, 0, GFP_KERNEL) == -EINVAL && dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0) == -EINVAL);
    EXPECT(sg_alloc_append_table_from_pages(&append, pages, 2, 0, 8192, 4096, 2, GFP_KERNEL) == 0);
    EXPECT(sg_alloc_append_table_from_pages(&append, pages + 2, 2, 0, 8192, 65536, 0, GFP_KERNEL) == 0);
    EXPECT(append.sgt.orig_nents == 3 && sg_is_last(append.prv) && sg_page(append.prv) == pages[2]);
    sg_free_append_table(&append);
    sgl_free(sgl_alloc(10000, GFP_KERNEL, NULL));
    allocated = dma_alloc_noncontiguous(dev, 8192, DMA_FROM_DEVICE, GFP_KERNEL, 0);
    EXPECT(allocated && is_zero(dma_vmap_noncontiguous(dev, 8192, allocated), 8192));
    dma_free_noncontiguous(dev, 8192, allocated, DMA_FROM_DEVICE);
}

static void limits(void)
{
    static struct rt_device disk = { .parent.name = "disk of linux" };

    EXPECT(dma_get_max_seg_size(&disk) == 65536 && dma_get_seg_boundary(&disk) == ~0UL);
    EXPECT(dma_set_max_seg_size(&disk, 4096) == 0 && dma_set_seg_boundary(&disk, 0xffff) == 0);
    EXPECT(dma_set_min_align_mask(&disk, 0xfff) == 0 && dma_set_min_align_mask(&disk, 0x1fff) == -EIO);
    EXPECT(dma_get_max_seg_size(&disk) == 4096 && dma_get_seg_boundary(&disk) == 0xffff);
    EXPECT(dma_get_min_align_mask(&disk) == 0xfff && dma_get_seg_boundary_nr_pages(&disk, 12) == 16);
    EXPECT(dma_map_resource(&disk, 0x9000000, 4096, DMA_BIDIRECTIONAL, 0) == 0x9000000);
    EXPECT(dma_set_mask(&disk, DMA_BIT_MASK(32)) == 0);
    EXPECT(dma_map_resource(&disk, 0x100000000, 4096, DMA_BIDIRECTIONAL, 0) == DMA_MAPPING_ERROR);
    rt_dmam_release(&disk);
    EXPECT(dma_get_max_seg_size(&disk) == 65536);
}

void linux_drivers(void)
{
    own = rt_ioremap_cached((void *)OWN_RAM, OWN_SIZE);
    EXPECT(own);
    memset(own, 0, OWN_SIZE);
    error_numbers();
    allocators_clear();
    noncoherent();
    skipped_sync();
    skipped_sync_of_pages_and_lists();
    maps();
    pools();
    coherent_memory_is_aligned();
    chained_lists();
    tables();
    limits();
    rt_iounmap(own);
}
