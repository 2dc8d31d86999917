/* SPDX-License-Identifier: Apache-2.0 */
/* The porting headers at the limits of their arguments: lists and tables, and physical addresses. */
#include <string.h>

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include "linux_tests.h"

/*
 * A list with memory of its own has whole entries, except the last one, and zeros, although the heap's blocks have
 * none.
 */
static void lists_with_memory(void)
{
    for (int round = 0; round < 2; round++)
    {
        unsigned int nents = 0;
        struct scatterlist *list = sgl_alloc_order(12288 + 100, 1, round != 0, GFP_KERNEL, &nents);

        EXPECT(list && nents == 2 && sg_nents(list) == 2 + round);
        EXPECT(list[0].length == 8192 && list[1].length == 4196 && !list[0].offset && !list[1].offset);
        EXPECT(is_zero(sg_virt(&list[0]), 8192) && is_zero(sg_virt(&list[1]), 4196));
        sgl_free_order(list, 1);
    }
}

/* An entry's length is an unsigned int: what does not fit in it is refused, not cut. */
static void lengths_that_do_not_fit(void)
{
    struct sg_table table = { 0 };

    /* Entries of 4 GiB. Then the bytes of an entry, and the number of its pages, do not fit in a size_t either. */
    EXPECT(!sgl_alloc_order(100, 20, false, GFP_KERNEL, NULL));
    EXPECT(!sgl_alloc_order(100, 52, false, GFP_KERNEL, NULL));
    EXPECT(!sgl_alloc_order(100, 64, false, GFP_KERNEL, NULL));
    EXPECT(!dma_alloc_noncontiguous(dev, ~(size_t)0 / 2, DMA_FROM_DEVICE, GFP_KERNEL, 0));
#if SIZE_MAX > 0xffffffffu
    EXPECT(dma_get_sgtable(dev, &table, memory, 0, (size_t)1 << 32) == -EINVAL);
#endif
    EXPECT(dma_get_sgtable(dev, &table, memory, 0, ~(size_t)0) == -EINVAL);
    EXPECT(dma_get_sgtable(dev, &table, memory, 0, 0xfffff000) == 0 && table.sgl->length == 0xfffff000);
    sg_free_table(&table);
}

static void walks(void)
{
    struct scatterlist list[2];
    struct sg_mapping_iter miter;
    struct sg_page_iter piter;
    int count = 0;

    /* The first byte is beyond the entry's first page. */
    sg_init_table(list, 2);
    sg_set_page(&list[0], virt_to_page(memory), 100, 4096 + 50);
    sg_set_buf(&list[1], memory + 3 * 4096, 3 * 4096);
    sg_miter_start(&miter, list, 1, SG_MITER_TO_SG);
    EXPECT(sg_miter_next(&miter) && miter.addr == memory + 4096 + 50 && miter.length == 100);
    EXPECT(!sg_miter_next(&miter));
    sg_miter_stop(&miter);

    /* The walk begins in the second entry: the first one has two pages. */
    for_each_sg_page(list, &piter, 2, 3)
    {
        EXPECT(sg_page_iter_page(&piter) == virt_to_page(memory + (4 + count) * 4096));
        count++;
    }
    EXPECT_EQ(count, 2);
}

static void tables_of_the_drivers_own_entries(void)
{
    struct scatterlist own_entries[2];
    struct sg_table table;
    struct page *pages[4];

    /* As many entries as fit: nothing is allocated, and nothing is freed. */
    EXPECT(sg_alloc_table_chained(&table, 2, own_entries, 2) == 0 && table.sgl == own_entries);
    sg_free_table_chained(&table, 2);
    EXPECT(sg_alloc_table_chained(&table, 3, own_entries, 2) == 0 && table.sgl != own_entries);
    sg_free_table_chained(&table, 2);

    /* Without own entries, a table that the free would take for the driver's own is not made: it could never be freed. */
    EXPECT(sg_alloc_table_chained(&table, 2, NULL, 2) == -EINVAL && !table.sgl && !table.nents && !table.orig_nents);
    EXPECT(sg_alloc_table_chained(&table, 0, own_entries, 2) == -EINVAL && !table.sgl && !table.orig_nents);
    EXPECT(sg_alloc_table_chained(&table, 2, NULL, 0) == 0 && table.sgl);
    sg_free_table_chained(&table, 0);
    EXPECT(!table.sgl);

    for (int i = 0; i < 4; i++)
    {
        pages[i] = virt_to_page(memory + i * 4096);
    }
    memset(&table, 0xff, sizeof(table));
    EXPECT(sg_alloc_table_from_pages_segment(&table, pages, 4, 0, 16384, 4095, GFP_KERNEL) == -EINVAL);
    EXPECT(!table.sgl && !table.nents && !table.orig_nents);
    EXPECT(sg_alloc_table_from_pages_segment(&table, pages, 4, 4096, 16384, 8192, GFP_KERNEL) == -EINVAL);
    EXPECT(sg_alloc_table_from_pages_segment(&table, pages, 4, 0, 16384, 8192 + 4095, GFP_KERNEL) == 0);
    EXPECT(table.nents == 2 && table.sgl[0].length == 8192 && table.sgl[1].length == 8192);
    sg_free_table(&table);

    /* More bytes than the pages have: the table has those of the pages. */
    EXPECT(sg_alloc_table_from_pages(&table, pages, 2, 100, 16384, GFP_KERNEL) == 0);
    EXPECT(table.nents == 1 && table.sgl[0].length == 8192 - 100);
    sg_free_table(&table);
}

/* An unmap covers what was mapped, whatever the driver writes to the entry meanwhile. */
static void entries_that_change(void)
{
    struct scatterlist list[3], second[1];

    memset(list, 0xff, sizeof(list));
    sg_set_buf(&list[0], memory + 100, 64);
    EXPECT(dma_linux_mapped_length(&list[0]) == 64);

    sg_init_table(list, 2);
    sg_init_table(second, 1);
    sg_chain(list, 2, second);
    EXPECT(!sg_is_last(&list[1]) && sg_next(&list[0]) == second);

    sg_init_one(list, memory + 100, 100);
    EXPECT(dma_map_sg(dev, list, 1, DMA_FROM_DEVICE) == 1);
    memset(host_device_view(sg_dma_address(list)), 0x61, 100);
    list[0].length = 7;
    host_forget_text();
    dma_unmap_sg(dev, list, 1, DMA_FROM_DEVICE);
    EXPECT(!strcmp(host_text(), ""));
    EXPECT(memory[100] == 0x61 && memory[199] == 0x61 && !memory[99] && !memory[200]);
}

static void physical_addresses(void)
{
    static struct rt_device narrow = { .parent.name = "narrow of linux" };
    rt_ubase_t pa = 0;
    unsigned char *bytes = rt_dma_alloc((struct rt_device *)dev, 4096, &pa, 0);
    dma_addr_t handle;

    EXPECT(dma_set_mask(&narrow, DMA_BIT_MASK(32)) == 0);
    EXPECT(dma_map_resource(&narrow, 0xfffff000, 0x1000, DMA_TO_DEVICE, 0) == 0xfffff000);
    EXPECT(dma_map_resource(&narrow, 0xfffff000, 0x1001, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
    EXPECT(dma_map_resource(&narrow, 0x9000000, 4096, DMA_NONE, 0) == DMA_MAPPING_ERROR);

    /* For this device, the handle of its memory is the physical address. */
    host_forget_text();
    handle = dma_map_phys(dev, pa + 100, 50, DMA_TO_DEVICE, 0);
    EXPECT(!dma_mapping_error(dev, handle));
    bytes[100] = 0x63;
    dma_sync_single_for_device(dev, handle, 50, DMA_TO_DEVICE);
    EXPECT(*(unsigned char *)host_device_view(handle) == 0x63);
    dma_unmap_phys(dev, handle, 50, DMA_TO_DEVICE, 0);
    rt_dma_free((struct rt_device *)dev, 4096, bytes, pa, 0);
    /* A register needs no mapping, so that there is none to end. */
    handle = dma_map_phys(dev, 0x9000000, 4096, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
    EXPECT(handle == 0x9000000);
    dma_unmap_phys(dev, handle, 4096, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
    EXPECT(!strcmp(host_text(), ""));
    rt_dmam_release(&narrow);
}

void edges_of_the_porting_headers(void)
{
    memset(memory, 0, DRIVER_SIZE);
    lists_with_memory();
    lengths_that_do_not_fit();
    walks();
    tables_of_the_drivers_own_entries();
    entries_that_change();
    physical_addresses();
    memset(memory, 0, DRIVER_SIZE);
}
