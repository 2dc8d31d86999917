/* SPDX-License-Identifier: Apache-2.0 */
/* Uses every name of the porting headers with the types that Linux drivers use, in C and C++. Compiled, not run. */
#ifdef RTTHREAD_FIRST
#include <rtdevice.h>
#endif
#ifdef DEVICE_IS_RT_DEVICE
#define device rt_device
#endif
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/scatterlist.h>
#ifdef RTTHREAD_LAST
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

#ifdef WRONG_DEVICE
void wrong(int *dev);
void wrong(int *dev)
{
    (void)dma_get_mask(dev);
}
#endif
