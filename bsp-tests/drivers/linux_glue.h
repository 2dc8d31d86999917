/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of Linux, other than its DMA API, that the Linux-style drivers use: devices, registers, byte order, heap and
 * log, implemented over RT-Thread as far as these drivers need them.
 */
#ifndef LINUX_GLUE_H__
#define LINUX_GLUE_H__

#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>

#ifndef ENODEV
#define ENODEV      19
#endif
#ifndef EBUSY
#define EBUSY       16
#endif
#ifndef EINVAL
#define EINVAL      22
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT   110
#endif
#ifndef ENOENT
#define ENOENT      2
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef u16 __be16;
typedef u32 __be32, __le32;
typedef u64 __be64, __le64;

#define __iomem
#define min(a, b)           ((a) < (b) ? (a) : (b))
#define ARRAY_SIZE(a)       (sizeof(a) / sizeof((a)[0]))

/* ---- devices ---- */

struct device
{
    struct rt_device rt;
};

struct pci_dev
{
    union
    {
        struct device dev;
        struct rt_pci_device rt;
    };
    void __iomem *bar0;
    void *drvdata;
};

struct platform_device
{
    struct device dev;
    void __iomem *regs;
    void *drvdata;
};

#define pci_set_drvdata(pdev, data)         ((pdev)->drvdata = (data))
#define pci_get_drvdata(pdev)               ((pdev)->drvdata)
#define platform_set_drvdata(pdev, data)    ((pdev)->drvdata = (data))
#define platform_get_drvdata(pdev)          ((pdev)->drvdata)

#define dev_name(dev)                       ((dev)->rt.parent.name)
#define dev_info(dev, fmt, ...)             rt_kprintf("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_err(dev, fmt, ...)              rt_kprintf("%s: " fmt, dev_name(dev), ##__VA_ARGS__)

/* ---- registers: a device sees all earlier writes to memory before the write to its register ---- */

#define dma_wmb()   rt_hw_dsb()
#define dma_rmb()   rt_hw_dsb()

static inline u32 readl(const void __iomem *reg)
{
    u32 value = HWREG32((rt_ubase_t)reg);

    dma_rmb();
    return value;
}

static inline u64 readq(const void __iomem *reg)
{
    u64 value = HWREG64((rt_ubase_t)reg);

    dma_rmb();
    return value;
}

static inline u8 readb(const void __iomem *reg)
{
    return HWREG8((rt_ubase_t)reg);
}

static inline void writew(u16 value, void __iomem *reg)
{
    dma_wmb();
    HWREG16((rt_ubase_t)reg) = value;
}

static inline void writel(u32 value, void __iomem *reg)
{
    dma_wmb();
    HWREG32((rt_ubase_t)reg) = value;
}

static inline void writeq(u64 value, void __iomem *reg)
{
    dma_wmb();
    HWREG64((rt_ubase_t)reg) = value;
}

/* ---- byte order: the processor is little-endian ---- */

static inline u16 swap16(u16 v) { return (u16)(v << 8 | v >> 8); }
static inline u32 swap32(u32 v) { return (u32)swap16((u16)v) << 16 | swap16((u16)(v >> 16)); }
static inline u64 swap64(u64 v) { return (u64)swap32((u32)v) << 32 | swap32((u32)(v >> 32)); }

#define cpu_to_be16(v)  swap16(v)
#define cpu_to_be32(v)  swap32(v)
#define cpu_to_be64(v)  swap64(v)
#define be16_to_cpu(v)  swap16(v)
#define be32_to_cpu(v)  swap32(v)
#define cpu_to_le32(v)  ((__le32)(v))
#define cpu_to_le64(v)  ((__le64)(v))
#define le32_to_cpu(v)  ((u32)(v))
#define le64_to_cpu(v)  ((u64)(v))

/* ---- heap, time, text ---- */

#define kzalloc(size, gfp)  ((void)(gfp), rt_calloc(1, size))
#define kfree(memory)       rt_free(memory)
#define msleep(ms)          rt_thread_mdelay(ms)
#define strcmp(a, b)        rt_strcmp(a, b)
#define memcmp(a, b, n)     rt_memcmp(a, b, n)
#define READ_ONCE(x)        (*(const volatile __typeof__(x) *)&(x))

#endif
