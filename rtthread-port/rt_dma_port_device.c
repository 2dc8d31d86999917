/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* What struct rt_device contains: its layout depends on the BSP's configuration. */

#include "rt_dma_port_rtthread.h"

const char *rt_dma_port_device_name(void *dev)
{
    const char *name = rt_dm_dev_get_name(dev);

#ifdef RT_USING_OFW
    const struct rt_ofw_node *np = ((struct rt_device *)dev)->ofw_node;

    if ((!name || !*name) && np)
    {
        name = rt_ofw_node_full_name(np);
    }
#endif

    return name && *name ? name : RT_NULL;
}

int rt_dma_port_device_is_coherent(void *dev)
{
    return rt_dma_device_is_coherent(dev);
}

/*
 * A core that reads dma_ops with acquire ordering must also see what was written before: the pools that the device
 * owns, and their flags. So this store has release ordering, which that of rt_dma_device_set_ops() lacks.
 */
void rt_dma_port_device_set_ops(void *dev, const void *ops)
{
    __atomic_store_n(&((struct rt_device *)dev)->dma_ops, ops, __ATOMIC_RELEASE);
}

/*
 * A GCC that is made for Linux calls a function of its library for a compare-exchange. That function finds out at run
 * time which instructions the processor has, and needs what a kernel does not have. With this attribute, the compiler
 * writes the instructions here.
 */
#if defined(__aarch64__) && !defined(__clang__) && __GNUC__ >= 10
#define INLINE_ATOMICS __attribute__((target("no-outline-atomics")))
#else
#define INLINE_ATOMICS
#endif

INLINE_ATOMICS void rt_dma_port_device_choose_ops(void *dev, const void *ops)
{
    __typeof__(((struct rt_device *)dev)->dma_ops) none = RT_NULL;

    /* On riscv64, GCC 12 makes a compare-exchange that acquires, but does not release. The fence releases. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_compare_exchange_n(&((struct rt_device *)dev)->dma_ops, &none, ops, 0,
            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
