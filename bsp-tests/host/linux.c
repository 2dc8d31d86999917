/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the porting headers where Linux drivers rely on conventions that differ from RT-Thread's. */
#include <string.h>

#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/scatterlist.h>
#include <mm_aspace.h>
#include "linux_tests.h"
#include "subjects.h"

static struct rt_device device = { .parent.name = "from linux" };
struct device *const dev = (struct device *)&device;
unsigned char *memory;

int is_zero(const void *start, size_t size)
{
    const unsigned char *bytes = start;

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
    EXPECT(dma_mapping_error(dev, DRIVER_RAM) == 0);
}

/* A driver gets zeroed memory, also when the pages were used before. */
static void allocators_clear(void)
{
    dma_addr_t handle;
    unsigned char *bytes = rt_dma_alloc(&device, 40960, &handle, 0);

    memset(bytes, 0x5a, 40960);
    rt_dma_free(&device, 40960, bytes, handle, 0);

    bytes = dma_alloc_coherent(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(bytes && is_zero(bytes, 10001) && host_device_view(handle));
    memset(bytes, 0x5a, 10001);
    dma_free_coherent(dev, 10001, bytes, handle);
    bytes = dma_alloc_wc(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(bytes && is_zero(bytes, 10001));
    memset(bytes, 0x5a, 10001);
    dma_free_wc(dev, 10001, bytes, handle);
    bytes = dmam_alloc_coherent(dev, 10001, &handle, GFP_KERNEL);
    EXPECT(bytes && is_zero(bytes, 10001));
    memset(bytes, 0x5a, 10001);
    dmam_free_coherent(dev, 10001, bytes, handle);
    bytes = dmam_alloc_attrs(dev, 10001, &handle, GFP_KERNEL, DMA_ATTR_WRITE_COMBINE);
    EXPECT(bytes && is_zero(bytes, 10001));
    rt_dmam_release(&device);

    EXPECT(!dma_alloc_coherent((struct rt_device *)NULL, 64, &handle, GFP_KERNEL));
    EXPECT(!dmam_alloc_coherent(dev, 0, &handle, GFP_KERNEL));
}

static void noncoherent(void)
{
    dma_addr_t handle = 0;
    unsigned char *bytes = dma_alloc_noncoherent(dev, 5000, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL);
    unsigned char *seen;

    EXPECT(bytes && is_zero(bytes, 5000));
    seen = host_device_view(handle);
    memset(bytes, 0x11, 5000);
    dma_sync_single_for_device(dev, handle, 5000, DMA_TO_DEVICE);
    EXPECT(seen[0] == 0x11 && seen[4999] == 0x11);
    memset(seen + 64, 0x22, 64);
    dma_sync_single_range_for_cpu(dev, handle, 64, 64, DMA_FROM_DEVICE);
    EXPECT(bytes[63] == 0x11 && bytes[64] == 0x22 && bytes[127] == 0x22 && bytes[128] == 0x11);
    dma_free_noncoherent(dev, 5000, bytes, handle, DMA_BIDIRECTIONAL);
    EXPECT(!dma_alloc_noncoherent(dev, ~(size_t)0, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL));
    EXPECT(!dma_alloc_noncoherent(dev, 0, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL));
    EXPECT(!dma_alloc_noncoherent(dev, 5000, &handle, DMA_NONE, GFP_KERNEL));
}

/* The target shares cache lines, so it is bounced. The bytes that the processor wrote after the sync stay. */
static void skipped_sync(void)
{
    unsigned char *target = memory + 100;
    dma_addr_t handle = dma_map_single(dev, target, 100, DMA_FROM_DEVICE);
    unsigned char *seen = host_device_view(handle);

    EXPECT(!dma_mapping_error(dev, handle) && handle != DRIVER_RAM + 100);
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

static void maps(void)
{
    struct scatterlist list[3], *sg;
    dma_addr_t handle;
    int i;

    memset(memory, 0, DRIVER_SIZE);
    memset(memory + 4096, 0x55, 8192);
    handle = dma_map_page(dev, virt_to_page(memory + 5000), offset_in_page(memory + 5000), 700, DMA_TO_DEVICE);
    EXPECT(page_to_phys(virt_to_page(memory + 5000)) == DRIVER_RAM + 4096);
    EXPECT(dma_mapping_error(dev, handle) || handle == DRIVER_RAM + 5000);
    if (!dma_mapping_error(dev, handle))
    {
        dma_unmap_page(dev, handle, 700, DMA_TO_DEVICE);
    }

    sg_init_table(list, 3);
    for (i = 0; i < 3; i++)
    {
        sg_set_buf(&list[i], memory + 4096 + i * 1000, 200);
    }
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 3);
    for_each_sg(list, sg, 3, i)
    {
        EXPECT(sg_dma_len(sg) == 200 && sg_virt(sg) == memory + 4096 + i * 1000);
        EXPECT(*(unsigned char *)host_device_view(sg_dma_address(sg)) == 0x55);
    }
    dma_sync_sg_for_cpu(dev, list, 3, DMA_TO_DEVICE);
    dma_sync_sg_for_device(dev, list, 3, DMA_TO_DEVICE);
    dma_unmap_sg(dev, list, 3, DMA_TO_DEVICE);

    sg_set_buf(&list[2], NULL, 200);
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 0);

    /* More entries than the list has: nothing is mapped, and no entry after the end mark is read. */
    sg_init_table(list, 2);
    sg_set_buf(&list[0], memory + 4096, 200);
    sg_set_buf(&list[1], memory + 5096, 200);
    EXPECT(dma_map_sg(dev, list, 3, DMA_TO_DEVICE) == 0);
    EXPECT(dma_map_sg(dev, NULL, 1, DMA_TO_DEVICE) == 0);
    EXPECT(dma_map_sg(dev, list, 2, DMA_TO_DEVICE) == 2);
    dma_unmap_sg(dev, list, 3, DMA_TO_DEVICE);
}

static void pools(void)
{
    dma_addr_t first_handle, second_handle;
    struct dma_pool *pool = dma_pool_create("from linux", dev, 68, 0, 0);
    unsigned char *first, *second;

    EXPECT(pool);
    first = dma_pool_alloc(pool, GFP_ATOMIC, &first_handle);
    EXPECT(first && host_device_view(first_handle));
    memset(first, 0x66, 68);
    EXPECT(*(unsigned char *)host_device_view(first_handle) == 0x66);
    dma_pool_free(pool, first, first_handle);
    second = dma_pool_alloc(pool, GFP_KERNEL | __GFP_ZERO, &second_handle);
    EXPECT(second && is_zero(second, 68));
    memset(second, 0x66, 68);
    dma_pool_free(pool, second, second_handle);
    second = dma_pool_zalloc(pool, GFP_KERNEL, &second_handle);
    EXPECT(second && is_zero(second, 68));

    /* A block is in use, so the pool is not destroyed. */
    dma_pool_destroy(pool);
    dma_pool_free(pool, second, second_handle);
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

static void limits(void)
{
    static struct rt_device disk = { .parent.name = "disk of linux" };

    EXPECT(dma_get_max_seg_size(&disk) == 65536 && dma_get_seg_boundary(&disk) == ~0UL);
    EXPECT(dma_set_max_seg_size(&disk, 4096) == 0 && dma_set_seg_boundary(&disk, 0xffff) == 0);
    EXPECT(dma_set_min_align_mask(&disk, 0xfff) == 0 && dma_set_min_align_mask(&disk, 0x1fff) == -EIO);
    EXPECT(dma_get_max_seg_size(&disk) == 4096 && dma_get_seg_boundary(&disk) == 0xffff);
    EXPECT(dma_get_min_align_mask(&disk) == 0xfff && dma_get_seg_boundary_nr_pages(&disk, 12) == 16);
    EXPECT(dma_get_seg_boundary_nr_pages((struct rt_device *)NULL, 12) == 0x100000);
    EXPECT(dma_map_resource(&disk, 0x9000000, 4096, DMA_BIDIRECTIONAL, 0) == 0x9000000);
    EXPECT(dma_set_mask(&disk, DMA_BIT_MASK(32)) == 0);
    EXPECT(dma_map_resource(&disk, 0x100000000, 4096, DMA_BIDIRECTIONAL, 0) == DMA_MAPPING_ERROR);
    rt_dmam_release(&disk);
    EXPECT(dma_get_max_seg_size(&disk) == 65536);
}

void linux_drivers(void)
{
    memory = rt_ioremap_cached((void *)DRIVER_RAM, DRIVER_SIZE);
    EXPECT(memory);
    memset(memory, 0, DRIVER_SIZE);
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
    edges_of_the_porting_headers();
    rt_iounmap(memory);
}
