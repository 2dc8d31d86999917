/* SPDX-License-Identifier: Apache-2.0 */
/* Uses every name of the porting headers with the types that Linux drivers use, in C and C++. Compiled, not run. */
/* C++ refuses RT-Thread's rtdevice.h, which includes drivers/dma.h. */
#if defined(RTTHREAD_FIRST) && defined(__cplusplus)
#include <rtthread.h>
#elif defined(RTTHREAD_FIRST)
#include <rtdevice.h>
#endif
#ifdef DEVICE_IS_RT_DEVICE
#define device rt_device
#endif
#ifdef LINUX_DIRECTION_FIRST
/* What Linux's own linux/dma-direction.h defines. */
#ifndef RT_DMA_LINUX_HAS_DIRECTION
#define _LINUX_DMA_DIRECTION_H
#endif
enum dma_data_direction { DMA_BIDIRECTIONAL = 0, DMA_TO_DEVICE = 1, DMA_FROM_DEVICE = 2, DMA_NONE = 3 };
#ifndef OLD_LINUX_DIRECTION
static inline int valid_dma_direction(enum dma_data_direction direction)
{
    return direction == DMA_BIDIRECTIONAL || direction == DMA_TO_DEVICE || direction == DMA_FROM_DEVICE;
}
/* A compiler may warn of a function that nothing calls. */
int uses_the_direction(void);
int uses_the_direction(void)
{
    return valid_dma_direction(DMA_NONE);
}
#endif
#endif
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/of_reserved_mem.h>
#include <linux/scatterlist.h>
#if defined(RTTHREAD_LAST) && defined(__cplusplus)
#include <rtthread.h>
#elif defined(RTTHREAD_LAST)
#include <rtdevice.h>
#include <mm_aspace.h>
#endif

/* The masks are constants. */
static const uint64_t masks[] = { DMA_BIT_MASK(0), DMA_BIT_MASK(1), DMA_BIT_MASK(32), DMA_BIT_MASK(63), DMA_BIT_MASK(64) };
typedef char mask_of_28[DMA_BIT_MASK(28) == 0xfffffffu ? 1 : -1];
typedef char mask_of_64[DMA_BIT_MASK(64) == 0xffffffffffffffffu ? 1 : -1];
typedef char mask_of_none[DMA_BIT_MASK(0) == 0 ? 1 : -1];
typedef char address[sizeof(dma_addr_t) == sizeof(void *) ? 1 : -1];

struct buffer_info
{
    DEFINE_DMA_UNMAP_ADDR(dma);
    DEFINE_DMA_UNMAP_LEN(len);
};

int memory(struct device *dev, struct rt_device *rt);
int memory(struct device *dev, struct rt_device *rt)
{
    dma_addr_t handle;
    gfp_t gfp = GFP_KERNEL | GFP_ATOMIC | GFP_NOWAIT | GFP_NOIO | GFP_DMA | GFP_DMA32 | __GFP_ZERO | __GFP_NOWARN;
    unsigned long attrs = DMA_ATTR_WRITE_COMBINE | DMA_ATTR_WEAK_ORDERING | DMA_ATTR_NO_KERNEL_MAPPING
            | DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_ALLOC_SINGLE_PAGES | DMA_ATTR_NO_WARN | DMA_ATTR_PRIVILEGED;
    void *p;
    int err = dma_set_mask(dev, masks[4]);

    err |= dma_set_coherent_mask(dev, DMA_BIT_MASK(32));
    err |= dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
    err |= dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(24));
    if (err == -EIO || dma_get_mask(dev) > dma_get_required_mask(dev) || dma_get_cache_alignment() < 32)
    {
        return err;
    }
    p = dma_alloc_coherent(dev, 64, &handle, gfp);
    dma_free_coherent(dev, 64, p, handle);
    p = dma_zalloc_coherent(dev, 64, &handle, GFP_ATOMIC);
    dma_free_coherent(rt, 64, p, handle);
    p = dma_alloc_wc(dev, 64, &handle, GFP_KERNEL);
    dma_free_wc(dev, 64, p, handle);
    p = dma_alloc_attrs(dev, 64, &handle, GFP_KERNEL, attrs);
    dma_free_attrs(dev, 64, p, handle, attrs);
    p = dma_alloc_noncoherent(dev, 64, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL);
    dma_free_noncoherent(dev, 64, p, handle, DMA_BIDIRECTIONAL);
    p = dmam_alloc_coherent(dev, 64, &handle, GFP_KERNEL);
    dmam_free_coherent(dev, 64, p, handle);
    p = dmam_alloc_attrs(rt, 64, &handle, GFP_KERNEL, DMA_ATTR_WRITE_COMBINE);
    return p ? 0 : -ENOMEM;
}

int maps(struct device *dev, struct rt_device *rt, char *buf, struct page *page);
int maps(struct device *dev, struct rt_device *rt, char *buf, struct page *page)
{
    enum dma_data_direction dir = DMA_TO_DEVICE;
    struct buffer_info info;
    struct scatterlist list[4], *sg;
    dma_addr_t handle = dma_map_single(dev, buf, 100, dir), sum = DMA_MAPPING_ERROR;
    int i, count;

    if (dma_mapping_error(dev, handle))
    {
        return -ENOMEM;
    }
    dma_unmap_addr_set(&info, dma, handle);
    dma_unmap_len_set(&info, len, 100);
    dma_sync_single_for_cpu(dev, handle, 100, DMA_TO_DEVICE);
    dma_sync_single_for_device(dev, handle, 100, DMA_FROM_DEVICE);
    dma_sync_single_range_for_cpu(dev, handle, 8, 32, DMA_BIDIRECTIONAL);
    dma_sync_single_range_for_device(dev, handle, 8, 32, DMA_NONE);
    dma_unmap_single(dev, dma_unmap_addr(&info, dma), dma_unmap_len(&info, len), dir);
    handle = dma_map_single_attrs(rt, buf, 100, dir, DMA_ATTR_SKIP_CPU_SYNC);
    dma_unmap_single_attrs(rt, handle, 100, dir, DMA_ATTR_SKIP_CPU_SYNC);
    handle = dma_map_page(dev, page, 16, 100, dir);
    dma_unmap_page(dev, handle, 100, dir);
    handle = dma_map_page_attrs(dev, page, page_to_phys(page) & 7, 100, dir, 0);
    dma_unmap_page_attrs(dev, handle, 100, dir, 0);
#ifdef RTTHREAD_LAST
    handle = dma_map_page(dev, virt_to_page(buf), offset_in_page(buf), 100, dir);
#endif

    sg_init_table(list, 4);
    sg_init_one(&list[0], buf, 10);
    sg_set_buf(&list[1], buf + 10, 20);
    count = dma_map_sg(dev, list, 2, dir);
    for_each_sg(list, sg, count, i)
    {
        sum += sg_dma_address(sg) + sg_dma_len(sg) + (dma_addr_t)sg_virt(sg);
    }
    dma_sync_sg_for_cpu(dev, list, 2, dir);
    dma_sync_sg_for_device(dev, list, 2, dir);
    dma_unmap_sg(dev, list, 2, dir);
    count = dma_map_sg_attrs(dev, list, 2, dir, 0);
    dma_unmap_sg_attrs(dev, list, 2, dir, 0);
    return count + (int)sum;
}

int pools(struct device *dev, struct rt_device *rt);
int pools(struct device *dev, struct rt_device *rt)
{
    dma_addr_t handle;
    struct dma_pool *pool = dma_pool_create("descriptors", dev, 68, 32, 4096);
    void *block = dma_pool_alloc(pool, GFP_ATOMIC, &handle);

    dma_pool_free(pool, block, handle);
    block = dma_pool_zalloc(pool, GFP_KERNEL, &handle);
    dma_pool_free(pool, block, handle);
    dma_pool_destroy(pool);
    pool = dmam_pool_create("descriptors", rt, 68, 0, 0);
    dmam_pool_destroy(pool);
    return block ? 0 : -ENOMEM;
}

int regions(struct device *dev, struct device_node *np);
int regions(struct device *dev, struct device_node *np)
{
    int err = of_reserved_mem_device_init(dev) | of_reserved_mem_device_init_by_idx(dev, np, 1);

    err |= of_reserved_mem_device_init_by_name(dev, np, "frames");
    of_reserved_mem_device_release(dev);
    return err;
}

int limits(struct device *dev);
int limits(struct device *dev)
{
    int err = dma_set_max_seg_size(dev, 4096);

    err |= dma_set_seg_boundary(dev, 0xffff) | dma_set_min_align_mask(dev, 0xfff);
    err |= dma_get_max_seg_size(dev) != 4096 || dma_get_seg_boundary(dev) != 0xffff;
    err |= dma_get_min_align_mask(dev) != 0xfff || dma_get_seg_boundary_nr_pages(dev, 12) != 16;
    err |= dma_max_mapping_size(dev) < 4096 || dma_opt_mapping_size(dev) < 4096;
    err |= dma_get_merge_boundary(dev) != 0 || dma_addressing_limited(dev);
    return err || !dma_need_sync(dev, 0) || !dma_dev_need_sync(dev) || dma_can_mmap(dev);
}

int more_maps(struct device *dev, struct page *page, phys_addr_t phys);
int more_maps(struct device *dev, struct page *page, phys_addr_t phys)
{
    dma_addr_t handle = dma_map_resource(dev, phys, 16, DMA_BIDIRECTIONAL, 0);
    struct sg_table *sgt, table;
    void *p;

    dma_unmap_resource(dev, handle, 16, DMA_BIDIRECTIONAL, 0);
    handle = dma_map_phys(dev, phys, 16, DMA_TO_DEVICE, DMA_ATTR_MMIO);
    dma_unmap_phys(dev, handle, 16, DMA_TO_DEVICE, DMA_ATTR_MMIO);
    page = dma_alloc_pages(dev, 8192, &handle, DMA_FROM_DEVICE, GFP_KERNEL);
    dma_free_pages(dev, 8192, page, handle, DMA_FROM_DEVICE);
    sgt = dma_alloc_noncontiguous(dev, 8192, DMA_FROM_DEVICE, GFP_KERNEL, 0);
    p = dma_vmap_noncontiguous(dev, 8192, sgt);
    dma_vunmap_noncontiguous(dev, p);
    dma_free_noncontiguous(dev, 8192, sgt, DMA_FROM_DEVICE);
    if (dma_get_sgtable(dev, &table, p, handle, 8192) || dma_get_sgtable_attrs(dev, &table, p, handle, 8192, 0))
    {
        return -1;
    }
    sg_free_table(&table);
    return valid_dma_direction(DMA_NONE) || dma_mmap_coherent(dev, NULL, p, handle, 8192)
            || dma_mmap_wc(dev, NULL, p, handle, 8192) || dma_mmap_pages(dev, NULL, 8192, page)
            || dma_mmap_noncontiguous(dev, NULL, 8192, sgt) || dma_pci_p2pdma_supported(dev);
}

size_t lists(struct device *dev, struct scatterlist *sgl, struct page **pages, char *buf);
size_t lists(struct device *dev, struct scatterlist *sgl, struct page **pages, char *buf)
{
    struct sg_append_table append = { { NULL, 0, 0 }, NULL, 0 };
    struct sg_dma_page_iter dma_iter;
    struct sg_mapping_iter miter;
    struct sg_page_iter piter;
    struct scatterlist *sg, first[2];
    struct sg_table table;
    size_t sum = 0;
    unsigned int i;
    int err = sg_alloc_table(&table, 4, GFP_KERNEL);

    err |= dma_map_sgtable(dev, &table, DMA_TO_DEVICE, 0);
    dma_sync_sgtable_for_cpu(dev, &table, DMA_TO_DEVICE);
    dma_sync_sgtable_for_device(dev, &table, DMA_TO_DEVICE);
    dma_unmap_sgtable(dev, &table, DMA_TO_DEVICE, 0);
    for_each_sgtable_sg(&table, sg, i)
    {
        sum += sg->length + sg->offset + sg_phys(sg);
    }
    for_each_sgtable_dma_sg(&table, sg, i)
    {
        sum += sg_dma_len(sg);
        sg_dma_len(sg) = 0;
        sg_dma_address(sg) = 0;
    }
    for_each_sgtable_page(&table, &piter, 0)
    {
        sum += page_to_phys(sg_page_iter_page(&piter));
    }
    for_each_sgtable_dma_page(&table, &dma_iter, 0)
    {
        sum += sg_page_iter_dma_address(&dma_iter);
    }
    sg_free_table(&table);
    err |= sg_alloc_table_from_pages(&table, pages, 4, 0, 16384, GFP_KERNEL);
    sg_free_table(&table);
    err |= sg_alloc_append_table_from_pages(&append, pages, 4, 0, 16384, 65536, 0, GFP_KERNEL);
    sg_free_append_table(&append);
    err |= sg_alloc_table_chained(&table, 2, first, 2);
    sg_free_table_chained(&table, 2);

    sg_init_marker(sgl, 2);
    sg_unmark_end(&sgl[1]);
    sg_mark_end(&sgl[1]);
    sg_chain(sgl, 2, first);
    sg_set_page(sgl, sg_page(sgl), 10, 20);
    sg_assign_page(sgl, pages[0]);
    sum += (size_t)sg_nents(sgl) + (size_t)sg_nents_for_len(sgl, 10) + (sg_is_last(sgl) || sg_is_chain(sgl));
    sum += sg_next(sgl) == sg_last(sgl, 2) || sg_chain_ptr(&sgl[1]) == first;
    sum += sg_copy_to_buffer(sgl, 2, buf, 10) + sg_copy_from_buffer(sgl, 2, buf, 10);
    sum += sg_pcopy_to_buffer(sgl, 2, buf, 10, 3) + sg_pcopy_from_buffer(sgl, 2, buf, 10, 3);
    sum += sg_zero_buffer(sgl, 2, 10, 0) + sg_copy_buffer(sgl, 2, buf, 10, 0, true);
    sg_miter_start(&miter, sgl, 2, SG_MITER_ATOMIC | SG_MITER_TO_SG | SG_MITER_FROM_SG);
    err |= !sg_miter_skip(&miter, 1);
    while (sg_miter_next(&miter))
    {
        sum += miter.length + *(unsigned char *)miter.addr;
        miter.consumed = 1;
    }
    sg_miter_stop(&miter);
    sgl = sgl_alloc_order(8192, 1, false, GFP_KERNEL, &i);
    sgl_free_n_order(sgl, 1, 1);
    sgl_free_order(sgl_alloc_order(8192, 1, true, GFP_KERNEL, NULL), 1);
    sgl_free(sgl_alloc(8192, GFP_KERNEL, &i));
    return err ? 0 : sum;
}

#ifdef __cplusplus
int in_cpp(void *untyped);
int in_cpp(void *untyped)
{
    return dma_set_mask(untyped, 1) || dma_set_mask(NULL, 1) || dma_set_mask(0, 1);
}
#endif

#ifdef WRONG_DEVICE
void wrong(int *dev);
void wrong(int *dev)
{
    (void)dma_get_mask(dev);
}
#endif
