/* SPDX-License-Identifier: Apache-2.0 */
/* Registers in memory. A device sees all earlier writes to memory before a write to its register. */
#ifndef LEAST_IO_H
#define LEAST_IO_H

#include <linux/kernel.h>

#define LEAST_REGISTER(suffix, type)                                        \
    static inline type read##suffix##_relaxed(const volatile void __iomem *reg) \
    {                                                                       \
        return *(const volatile type *)reg;                                 \
    }                                                                       \
    static inline type read##suffix(const volatile void __iomem *reg)      \
    {                                                                       \
        type value = *(const volatile type *)reg;                           \
        rmb();                                                              \
        return value;                                                       \
    }                                                                       \
    static inline void write##suffix##_relaxed(type value, volatile void __iomem *reg) \
    {                                                                       \
        *(volatile type *)reg = value;                                      \
    }                                                                       \
    static inline void write##suffix(type value, volatile void __iomem *reg) \
    {                                                                       \
        wmb();                                                              \
        *(volatile type *)reg = value;                                      \
    }
LEAST_REGISTER(b, u8)
LEAST_REGISTER(w, u16)
LEAST_REGISTER(l, u32)
LEAST_REGISTER(q, u64)
#undef LEAST_REGISTER

#define ioread8(reg)            readb(reg)
#define ioread16(reg)           readw(reg)
#define ioread32(reg)           readl(reg)
#define iowrite8(value, reg)    writeb(value, reg)
#define iowrite16(value, reg)   writew(value, reg)
#define iowrite32(value, reg)   writel(value, reg)
#define lo_hi_readq(reg)        ({ u32 lo_hi_low = readl(reg); lo_hi_low | (u64)readl((const volatile u8 *)(reg) + 4) << 32; })
#define lo_hi_writeq(value, reg) \
    do { u64 lo_hi_value = (value); writel((u32)lo_hi_value, reg); \
         writel((u32)(lo_hi_value >> 32), (volatile u8 *)(reg) + 4); } while (0)

#define hi_lo_writeq(value, reg) \
    do { u64 hi_lo_value = (value); writel((u32)(hi_lo_value >> 32), (volatile u8 *)(reg) + 4); \
         writel((u32)hi_lo_value, reg); } while (0)

static inline void memcpy_fromio(void *dst, const volatile void __iomem *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
    {
        ((u8 *)dst)[i] = readb((const volatile u8 *)src + i);
    }
}

static inline void memcpy_toio(volatile void __iomem *dst, const void *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
    {
        writeb(((const u8 *)src)[i], (volatile u8 *)dst + i);
    }
}

static inline void __iomem *ioremap(u64 address, size_t size)
{
    return rt_ioremap((void *)(rt_ubase_t)address, size);
}

static inline void iounmap(volatile void __iomem *registers)
{
    rt_iounmap((void *)registers);
}

static inline u64 virt_to_phys(const volatile void *address)
{
    return (u64)stand_in_v2p((void *)(rt_ubase_t)address);
}

#endif
