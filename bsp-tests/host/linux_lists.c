/* SPDX-License-Identifier: Apache-2.0 */
/* The porting headers: scatter lists and tables. */
#include <string.h>

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include "linux_tests.h"

/* A page and a scatter list, unmapped with the driver's attributes. */
void skipped_sync_of_pages_and_lists(void)
{
    unsigned char *target = memory + 4096 + 100;
    struct scatterlist list[2];
    dma_addr_t handle;

    memset(memory, 0, DRIVER_SIZE);
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
    memset(memory, 0, DRIVER_SIZE);
}

/* Two arrays are chained. A driver that writes sg_dma_len() and sg_dma_address() does not disturb the unmap or the syncs. */
void chained_lists(void)
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
        sg_set_buf(sg, memory + 100 + i * 8192, sizes[i]);
        memset(sg_virt(sg), 0x10 + i, sizes[i]);
    }
    EXPECT(!sg && sg_nents(first) == 4 && sg_last(first, 4) == &second[1] && sg_is_chain(&first[2]));
    EXPECT(sg_nents_for_len(first, 101) == 2 && sg_nents_for_len(first, 5194) == 4);
    EXPECT(sg_nents_for_len(first, 5195) == -EINVAL && sg_nents_for_len(first, 0) == 0);
    EXPECT(sg_phys(&first[0]) == DRIVER_RAM + 100 && sg_page(&first[0]) == virt_to_page(memory));

    EXPECT(sg_copy_to_buffer(first, 4, copy, 600) == 600 && copy[99] == 0x10 && copy[100] == 0x11);
    EXPECT(sg_pcopy_to_buffer(first, 4, copy, 600, 5090) == 104 && copy[9] == 0x11 && copy[10] == 0x12 && copy[74] == 0x13);
    EXPECT(sg_zero_buffer(first, 4, 8, 96) == 8 && memory[195] == 0x10 && !memory[196] && !memory[100 + 8192 + 3]);
    EXPECT(memory[100 + 8192 + 4] == 0x11);
    memset(copy, 0x77, 600);
    EXPECT(sg_pcopy_from_buffer(first, 4, copy, 600, 5164) == 30 && memory[100 + 3 * 8192] == 0x77);

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
    EXPECT(memory[100 + 8192 + 4999] == 0x41);
    dma_unmap_sg(dev, first, 4, DMA_BIDIRECTIONAL);
    EXPECT(memory[100] == 0x40 && memory[199] == 0x40 && memory[100 + 3 * 8192 + 29] == 0x43);
    memset(memory, 0, DRIVER_SIZE);
}

/* The pages that a device sees are those from the page of the first byte to the page of the last one. */
static void pages_of_the_device(void)
{
    struct scatterlist list[2];
    struct sg_dma_page_iter piter;
    dma_addr_t expected[5];
    int count = 0;

    sg_init_table(list, 2);
    sg_set_buf(&list[0], memory + 2048, 4096);
    sg_set_buf(&list[1], memory + 4 * 4096 + 100, 2 * 4096);
    EXPECT(dma_map_sg(dev, list, 2, DMA_TO_DEVICE) == 2);
    for (int i = 0; i < 5; i++)
    {
        expected[i] = i < 2 ? sg_dma_address(&list[0]) + i * 4096 : sg_dma_address(&list[1]) + (i - 2) * 4096;
    }
    for_each_sg_dma_page(list, &piter, 2, 0)
    {
        EXPECT(count < 5 && sg_page_iter_dma_address(&piter) == expected[count]);
        count++;
    }
    EXPECT_EQ(count, 5);
    dma_unmap_sg(dev, list, 2, DMA_TO_DEVICE);
}

/* An entry without bytes is mapped, as on Linux: the list of a cryptographic request may have one. */
static void entries_without_bytes(void)
{
    struct scatterlist list[3];

    sg_init_table(list, 3);
    sg_set_buf(&list[0], memory, 64);
    sg_set_buf(&list[1], memory + 8192, 0);
    sg_set_buf(&list[2], memory + 4096, 64);
    EXPECT(dma_map_sg(dev, list, 3, DMA_BIDIRECTIONAL) == 3);
    EXPECT(sg_dma_len(&list[0]) == 64 && sg_dma_len(&list[1]) == 0 && sg_dma_len(&list[2]) == 64);
    memset(host_device_view(sg_dma_address(&list[2])), 0x66, 64);
    dma_sync_sg_for_cpu(dev, list, 3, DMA_BIDIRECTIONAL);
    EXPECT(memory[4096] == 0x66 && memory[4096 + 63] == 0x66);
    dma_sync_sg_for_device(dev, list, 3, DMA_BIDIRECTIONAL);
    dma_unmap_sg(dev, list, 3, DMA_BIDIRECTIONAL);
    memset(memory, 0, DRIVER_SIZE);
}

/* The table has the pages of the memory, but no handle: the driver maps it for the device that is to use them. */
static void table_of_coherent_memory(void)
{
    dma_addr_t handle = 0;
    void *cpu_addr = dma_alloc_coherent(dev, 5000, &handle, GFP_KERNEL);
    struct sg_table table;

    EXPECT(cpu_addr && dma_get_sgtable(dev, &table, cpu_addr, handle, 5000) == 0);
    EXPECT(table.nents == 1 && table.orig_nents == 1 && sg_is_last(table.sgl));
    EXPECT(sg_virt(table.sgl) == cpu_addr && table.sgl->offset == 0 && table.sgl->length == 8192);
    sg_free_table(&table);
    EXPECT(dma_get_sgtable_attrs(dev, &table, NULL, handle, 5000, 0) == -EINVAL);
    dma_free_coherent(dev, 5000, cpu_addr, handle);
}

void tables(void)
{
    struct page *pages[4] =
    {
        virt_to_page(memory), virt_to_page(memory + 4096), virt_to_page(memory + 3 * 4096),
        virt_to_page(memory + 4 * 4096)
    };
    struct sg_append_table append = { { NULL, 0, 0 }, NULL, 0 };
    struct sg_table table, *allocated;
    struct sg_page_iter piter;
    int count = 0;

    pages_of_the_device();
    entries_without_bytes();
    table_of_coherent_memory();

    /* Pages that adjoin share an entry. */
    EXPECT(sg_alloc_table_from_pages(&table, pages, 4, 100, 4 * 4096 - 200, GFP_KERNEL) == 0 && table.nents == 2);
    EXPECT(table.sgl->length == 8092 && table.sgl->offset == 100 && sg_next(table.sgl)->length == 8092);
    for_each_sgtable_page(&table, &piter, 0)
    {
        EXPECT(sg_page_iter_page(&piter) == pages[count]);
        count++;
    }
    EXPECT_EQ(count, 4);
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
