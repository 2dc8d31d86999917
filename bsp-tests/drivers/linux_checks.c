/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binds the Linux-style drivers to QEMU's devices, as the bus code of a port does, and lets them move data from and to
 * the heap, and from and to RAM that a device cannot reach.
 */
#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <stand_in.h>

#include "checks.h"
#include "linux_edu.h"
#include "linux_fw_cfg.h"

#define FOUR_GIB        (1ULL << 32)
#define HIGH_SIZE       (256 * 1024)
#define FILE_NAME       "opt/rt-dma-pool/test"

/* More than twice the size of the device's buffer, and not a multiple of a cache line. */
#define COPY_SIZE       5001
#define GUARD           64

static struct pci_dev edu = { .rt = { .vendor = 0x1234, .device = 0x11e8 } };
static int edu_bound;

/* ---- binding ---------------------------------------------------------------------------------------------------- */

static const char *bind_edu(void)
{
    int error;

    if (edu_bound)
    {
        return RT_NULL;
    }
    edu.bar0 = stand_in_pci_attach(&edu.rt, "linux-edu");
    if (!edu.bar0)
    {
        return "QEMU was not given -device edu,dma_mask=0xffffffff";
    }
    error = edu_probe(&edu);
    if (error)
    {
        rt_dmam_release(&edu.rt.parent);
        rt_iounmap(edu.bar0);
        return why("probe gives %d", error);
    }
    edu_bound = 1;
    return RT_NULL;
}

static void unbind_edu(void)
{
    edu_remove(&edu);
    rt_dmam_release(&edu.rt.parent);
    rt_iounmap(edu.bar0);
    edu_bound = 0;
}

static void fill(rt_uint8_t *bytes, rt_size_t size, rt_uint32_t seed)
{
    while (size--)
    {
        seed = seed * 1664525U + 1013904223U;
        *bytes++ = (rt_uint8_t)(seed >> 24);
    }
}

/* Maps RAM above 4 GiB, which the kernel does not use, as cached memory, as a heap is mapped. */
static const char *map_high(rt_uint8_t **high)
{
    rt_uint64_t start, size;

    if (stand_in_high_memory(&start, &size) || size < HIGH_SIZE)
    {
        return "QEMU was not given RAM above 4 GiB (-m 3200M)";
    }
    *high = rt_ioremap_cached((void *)(rt_ubase_t)start, HIGH_SIZE);
    return *high ? RT_NULL : "cannot map RAM above 4 GiB";
}

static int is_high(const void *va)
{
    rt_uint64_t pa = (rt_ubase_t)stand_in_v2p((void *)va);

    return pa >= FOUR_GIB;
}

/* Checks that the handle is within the device's reach, and is the buffer's own if the device reaches the buffer. */
static const char *check_handle(const char *name, dma_addr_t handle, const void *va, rt_size_t size)
{
    dma_addr_t pa = (dma_addr_t)stand_in_v2p((void *)va);

    if (handle > DMA_BIT_MASK(32) - (size - 1))
    {
        return why("%s: handle 0x%lx is beyond the mask", name, (rt_ubase_t)handle);
    }
    /* If the device is not coherent, a target that shares a cache line with its neighbours is bounced, too. */
    if (!is_high(va) && handle != pa && rt_dma_device_is_coherent(&edu.rt.parent))
    {
        return why("%s: handle 0x%lx for 0x%lx, which the device can reach", name, (rt_ubase_t)handle, (rt_ubase_t)pa);
    }
    return RT_NULL;
}

/* ---- coherent memory of the ported drivers ---------------------------------------------------------------------- */

static void *bsp_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags)
{
    static rt_uint64_t word;

    RT_UNUSED(dev);
    RT_UNUSED(size);
    *dma_handle = flags;
    return &word;
}

/* Checks that coherent memory is zeroed, also when it was used before, and has a type that allows memset(). */
static const char *check_coherent(struct rt_device *dev)
{
#ifdef __aarch64__
    const int expected = STAND_IN_NONCACHED;
#else
    const int expected = STAND_IN_DEVICE;
#endif
    dma_addr_t handle;
    rt_size_t zeros = 0;
    rt_uint8_t *bytes = rt_dma_alloc(dev, 8192, &handle, 0);
    int type;

    if (!bytes)
    {
        return "no buffer";
    }
    rt_memset(bytes, 0x5a, 8192);
    rt_dma_free(dev, 8192, bytes, handle, 0);
    bytes = dma_alloc_coherent(dev, 8192, &handle, GFP_KERNEL);
    if (!bytes)
    {
        return "no coherent buffer";
    }
    while (zeros < 8192 && !bytes[zeros])
    {
        ++zeros;
    }
    type = stand_in_memory_type(bytes);
    dma_free_coherent(dev, 8192, bytes, handle);
    if (zeros != 8192)
    {
        return why("byte %lu of a coherent buffer is not zero", (unsigned long)zeros);
    }
    return type == expected ? RT_NULL : why("coherent memory is of type %d, not %d", type, expected);
}

const char *check_linux_memory(void)
{
    static const struct rt_dma_map_ops ops = { .alloc = bsp_alloc };
    static struct rt_device plain = { .parent.name = "linux-plain" };
    struct rt_device own = { .parent.name = "own ops" };
    const char *error = check_coherent(&plain);
    dma_addr_t handle = 0;

    /* A BSP's own operations may know no other flags than those of uncached memory. */
    rt_dma_device_set_ops(&own, &ops);
    if (!error && (!dma_alloc_wc(&own, 8, &handle, GFP_KERNEL) || handle != (RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR)))
    {
        error = why("a BSP's operations get the flags 0x%lx", (rt_ubase_t)handle);
    }
    return error;
}

/* ---- edu -------------------------------------------------------------------------------------------------------- */

const char *check_linux_masks(void)
{
    const char *error = bind_edu();
    struct device *dev = &edu.dev;

    if (error)
    {
        return error;
    }
    /* No RAM of these machines lies below 256 MiB, so the driver fell back to 32 bits. */
    if (dma_get_mask(dev) != DMA_BIT_MASK(32))
    {
        return "the mask is not the one that was set last";
    }
    if (dma_set_mask(dev, DMA_BIT_MASK(28)) != -EIO || dma_set_coherent_mask(dev, DMA_BIT_MASK(28)) != -EIO)
    {
        return "a mask that no pool is within is not refused with -EIO";
    }
    return dma_get_mask(dev) == DMA_BIT_MASK(32) ? check_coherent(&edu.rt.parent) : "a refused mask was set";
}

/* Copies from src to dst through the device, and checks that the bytes next to dst did not change. */
static const char *copy(rt_uint8_t *dst, rt_uint8_t *src, rt_size_t size)
{
    const char *error;
    int result;

    fill(src, size, (rt_uint32_t)size);
    rt_memset(dst - GUARD, 0xa5, size + 2 * GUARD);
    result = edu_copy(&edu, dst, src, size);
    if (result)
    {
        return why("the copy gives %d", result);
    }
    error = check_handle("source", edu_last(&edu)->src, src, size);
    if (!error)
    {
        error = check_handle("target", edu_last(&edu)->dst, dst, size);
    }
    if (!error && rt_memcmp(dst, src, size))
    {
        error = "other bytes arrive than were sent";
    }
    for (rt_size_t i = 0; i < GUARD && !error; ++i)
    {
        if (dst[-1 - (int)i] != 0xa5 || dst[size + i] != 0xa5)
        {
            error = "bytes beside the target are lost";
        }
    }
    return error;
}

const char *check_linux_copy(void)
{
    const char *error = bind_edu();
    rt_uint8_t *src = rt_malloc(COPY_SIZE), *dst = rt_malloc(COPY_SIZE + 2 * GUARD);
    unsigned int before;

    if (!error && (!src || !dst))
    {
        error = "no heap";
    }
    if (!error)
    {
        before = edu_last(&edu)->descriptors;
        error = copy(dst + GUARD, src, COPY_SIZE);
        if (!error && edu_last(&edu)->descriptors != before + 6)
        {
            error = "the device did not fetch the descriptors of three pieces";
        }
    }
    rt_free(src);
    rt_free(dst);
    return error;
}

static const char *copy_sg(rt_uint8_t *bytes)
{
    static const rt_size_t offsets[] = { 0, 5000, 9000 }, sizes[] = { 300, 2049, 64 };
    struct scatterlist list[3];
    rt_uint8_t *dst = bytes + 16384;
    int result;

    fill(bytes, 16384, 3);
    rt_memset(dst, 0, 4096);
    sg_init_table(list, 3);
    for (int i = 0; i < 3; ++i)
    {
        sg_set_buf(&list[i], bytes + offsets[i], (unsigned int)sizes[i]);
    }
    result = edu_copy_sg(&edu, dst, list, 3);
    if (result)
    {
        return why("the copy of a list gives %d", result);
    }
    for (int i = 0; i < 3; dst += sizes[i++])
    {
        if (rt_memcmp(dst, bytes + offsets[i], sizes[i]))
        {
            return why("entry %d of the list does not arrive", i);
        }
    }
    return check_handle("entry 0", edu_last(&edu)->src, bytes, sizes[0]);
}

const char *check_linux_sg(void)
{
    const char *error = bind_edu();
    rt_uint8_t *bytes = rt_malloc(20480);

    if (!error)
    {
        error = bytes ? copy_sg(bytes) : "no heap";
    }
    rt_free(bytes);
    return error;
}

const char *check_linux_loopback(void)
{
    const char *error = bind_edu();
    int result = error ? 0 : edu_loopback(&edu, 7);

    return result ? why("the circular buffer gives %d", result) : error;
}

const char *check_linux_bounce(void)
{
    const char *error = bind_edu();
    rt_uint8_t *high = RT_NULL, *low = rt_malloc(COPY_SIZE + 2 * GUARD);
    int result;

    if (!error && !low)
    {
        error = "no heap";
    }
    if (!error)
    {
        error = map_high(&high);
    }
    /* From memory out of reach, to it, both in a scatter list, and several transfers in one mapping. */
    if (!error)
    {
        error = copy(low + GUARD, high + 4001, COPY_SIZE);
    }
    if (!error)
    {
        error = copy(high + 8001, low + GUARD, COPY_SIZE);
    }
    if (!error)
    {
        error = copy_sg(high + 65536 + 7);
    }
    if (!error && (result = edu_echo(&edu, high + 131072 - 100, 1024, 2)))
    {
        error = why("a mapping that lives on gives %d", result);
    }
    if (!error)
    {
        error = check_handle("echo", edu_last(&edu)->src, high + 131072 - 100, 1024);
    }
    if (high)
    {
        rt_iounmap(high);
    }
    rt_free(low);
    return error;
}

/* The check runs twice, because the first run leaves what the library keeps for later calls. */
const char *check_linux_remove(void)
{
    const char *error = bind_edu();
    rt_size_t before;

    if (error)
    {
        return error;
    }
    unbind_edu();
    before = stand_in_heap_used();
    error = bind_edu();
    if (error)
    {
        return error;
    }
    unbind_edu();
    if (stand_in_heap_used() != before)
    {
        return why("the heap grew from %lu to %lu bytes", (unsigned long)before, (unsigned long)stand_in_heap_used());
    }
    return RT_NULL;
}

/* ---- fw_cfg ----------------------------------------------------------------------------------------------------- */

static struct platform_device fw_cfg = { .dev.rt = { .parent.name = "linux-fw_cfg", .user_data = "qemu,fw-cfg-mmio" } };

static const char *read_file(const struct fw_cfg_found *file, rt_uint32_t expected, void *buffer)
{
    dma_addr_t handle;
    int result;

    rt_memset(buffer, 0, file->size);
    result = fw_cfg_read(&fw_cfg, file->key, buffer, file->size, 4096, &handle);
    if (result)
    {
        return why("the read gives %d", result);
    }
    /* The driver sets a mask of 64 bits, so that the device gets the buffer itself, wherever it lies (see check_handle). */
    if (handle != (dma_addr_t)stand_in_v2p(buffer) && rt_dma_device_is_coherent(&fw_cfg.dev.rt))
    {
        return why("handle 0x%lx for 0x%lx", (rt_ubase_t)handle, (rt_ubase_t)stand_in_v2p(buffer));
    }
    return checksum(buffer, file->size) == expected ? RT_NULL : "checksums differ";
}

const char *check_linux_fw_cfg(void)
{
    rt_uint64_t start, length;
    struct fw_cfg_found file;
    const char *error = RT_NULL;
    rt_uint8_t *high = RT_NULL;
    void *buffer = RT_NULL;
    rt_uint32_t expected;
    int result;

    if (stand_in_fdt_reg("qemu,fw-cfg-mmio", 0, &start, &length))
    {
        return "the device tree has no qemu,fw-cfg-mmio";
    }
    fw_cfg.regs = rt_ioremap((void *)(rt_ubase_t)start, (rt_size_t)length);
    if (!fw_cfg.regs)
    {
        return "cannot map the registers";
    }
    result = fw_cfg_probe(&fw_cfg);
    if (result)
    {
        rt_iounmap(fw_cfg.regs);
        return why("probe gives %d", result);
    }

    result = fw_cfg_lookup(&fw_cfg, FILE_NAME, &file);
    if (result)
    {
        error = why("there is no file (%d): give QEMU -fw_cfg name=" FILE_NAME ",file=...", result);
        goto done;
    }
    expected = fw_cfg_sum_by_port(&fw_cfg, file.key, file.size, checksum_add, CHECKSUM_START);
    rt_kprintf("linux-fw_cfg: %s, %u bytes, by port 0x%08x\n", file.name, (unsigned)file.size, (unsigned)expected);
    buffer = rt_malloc(file.size);
    error = buffer ? read_file(&file, expected, buffer) : "no heap";
    if (!error && file.size <= HIGH_SIZE && HAS_HIGH_MEMORY)
    {
        error = map_high(&high);
    }
    if (high)
    {
        if (!error)
        {
            error = read_file(&file, expected, high);
        }
        rt_iounmap(high);
    }

done:
    rt_free(buffer);
    fw_cfg_remove(&fw_cfg);
    rt_dmam_release(&fw_cfg.dev.rt);
    rt_iounmap(fw_cfg.regs);
    return error;
}
