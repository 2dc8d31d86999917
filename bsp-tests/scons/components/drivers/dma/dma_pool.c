/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for RT-Thread's dma_pool.c: serves no request, and lists its pools in the form of dma_pool.c. */
#include <rtdevice.h>
#include <rtthread.h>

#define DBG_TAG "dma.pool"
#define DBG_LVL DBG_INFO
#include <rtdbg.h>

void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(size);
    RT_UNUSED(dma_handle);
    RT_UNUSED(flags);

    return RT_NULL;
}

rt_err_t rt_dma_pool_extract(rt_size_t cma_size, rt_size_t coherent_pool_size)
{
    LOG_I("%s: Reserved %lu bytes", "coherent-pool", (unsigned long)coherent_pool_size);
    LOG_I("%s: Reserved %lu bytes", "cma", (unsigned long)(cma_size - coherent_pool_size));

    return RT_EOK;
}

/* As in dma_pool.c, the precision of the name is zero, so that no name is printed. */
static int list_dma_pool(int argc, char *argv[])
{
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    rt_kprintf("%-16s Region\n", "");
    rt_kprintf("%-16s [%p, %p]\n", "", (void *)0x42000000, (void *)0x42200000);
    rt_kprintf("%-16s [%p, %p]\n", "", (void *)0x42200000, (void *)0x42800000);
    rt_kprintf("2 DMA memory found\n");

    return 0;
}
MSH_CMD_EXPORT(list_dma_pool, dump all dma memory pool);
