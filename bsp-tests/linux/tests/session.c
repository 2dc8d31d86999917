/* SPDX-License-Identifier: Apache-2.0 */
/* Before and after a driver runs: its heap, and what it must have given back. */
#include <linux/dma-mapping.h>

#include "session.h"

#define HEAP_SIZE   (3UL << 20)

static void *area;
static rt_size_t bytes_before, mappings_before;
static bool area_is_high;

const char *reason(const char *fmt, ...)
{
    /* Two, since a reason may be a part of the next. */
    static char texts[2][160];
    static unsigned int last;
    char *text = texts[++last % 2];
    va_list args;

    va_start(args, fmt);
    rt_vsnprintf(text, sizeof(texts[0]), fmt, args);
    va_end(args);
    return text;
}

/*
 * The library keeps at most 64 records of mappings that have ended. What interrupts have left beyond that is freed by the
 * next map of a thread, for any device.
 */
static void let_library_tidy(void)
{
    static struct device device = { .rt.parent.user_data = "pci-host-ecam-generic" };
    static u8 bytes[64] __aligned(64);
    dma_addr_t handle = dma_map_single(&device, bytes, sizeof(bytes), DMA_TO_DEVICE);

    if (!dma_mapping_error(&device, handle))
    {
        dma_unmap_single(&device, handle, sizeof(bytes), DMA_TO_DEVICE);
    }
}

bool read_mode(struct mode *mode, int argc, char **argv)
{
    *mode = (struct mode) { 0 };
    for (int i = 0; i < argc; i++)
    {
        mode->is_coherent |= !strcmp(argv[i], "coherent");
        mode->is_high |= !strcmp(argv[i], "high");
        mode->is_odd |= !strcmp(argv[i], "odd");
        if (strcmp(argv[i], "coherent") && strcmp(argv[i], "high") && strcmp(argv[i], "odd"))
        {
            rt_kprintf("no mode %s\n", argv[i]);
            return false;
        }
    }
    return true;
}

#define BLOCK   0x200000UL

/*
 * Returns HEAP_SIZE bytes of RAM above 4 GiB, or null. RT-Thread maps blocks of 2 MiB where the virtual address allows it, drops
 * the low bits of the physical address there, and never removes a block. So the mapping is made once and stays, and only the part
 * that consists of blocks is used: it begins at the first address that a block may have.
 */
static void *high_area(void)
{
    static rt_ubase_t mapped;
    rt_uint64_t start, size;

    if (!mapped && !stand_in_high_memory(&start, &size) && size >= HEAP_SIZE + 2 * BLOCK && start % BLOCK == 0)
    {
        mapped = (rt_ubase_t)rt_ioremap_cached((void *)(rt_ubase_t)start, HEAP_SIZE + 2 * BLOCK);
    }
    return mapped ? (void *)((mapped + BLOCK - 1) & ~(BLOCK - 1)) : NULL;
}

const char *session_begin(const struct mode *mode)
{
    void *high = mode->is_high ? high_area() : NULL;

    let_library_tidy();
    bytes_before = stand_in_live_bytes();
    mappings_before = stand_in_mappings();
    area_is_high = mode->is_high;
    if (mode->is_high && !high)
    {
        return "QEMU was not given RAM above 4 GiB, or it cannot be mapped";
    }
    area = mode->is_high ? high : rt_malloc(HEAP_SIZE);
    if (!area)
    {
        return "no memory for the heap of drivers";
    }
    least_heap_begin(area, HEAP_SIZE);
    memset(&least_counts, 0, sizeof(least_counts));
    least_warnings = 0;
    return NULL;
}

const char *session_end(void)
{
    size_t left = least_heap_end();
    rt_size_t bytes, mappings;

    if (!area_is_high)
    {
        rt_free(area);
    }
    let_library_tidy();
    bytes = stand_in_live_bytes();
    mappings = stand_in_mappings();
    if (left)
    {
        return reason("%lu bytes of the driver's heap were not freed", (unsigned long)left);
    }
    if (least_counts.maps != least_counts.unmaps)
    {
        return reason("%lu maps and %lu unmaps", least_counts.maps, least_counts.unmaps);
    }
    if (least_warnings)
    {
        return reason("%u warnings", least_warnings);
    }
    if (bytes != bytes_before)
    {
        return reason("the heap had %lu bytes in use, and has %lu", (unsigned long)bytes_before, (unsigned long)bytes);
    }
    if (mappings != mappings_before)
    {
        return reason("%lu mappings before, %lu after", (unsigned long)mappings_before, (unsigned long)mappings);
    }
    return NULL;
}

static void print_counts(void)
{
    rt_kprintf("  maps %lu (in interrupts %lu, bounced %lu), coherent buffers %lu, pool blocks %lu\n", least_counts.maps,
            least_counts.maps_in_interrupts, least_counts.bounced, least_counts.allocations, least_counts.blocks);
    rt_kprintf("  interrupts %lu (not the driver's %lu), cache operations %lu\n", least_counts.interrupts,
            least_counts.unhandled, least_counts.cache_calls);
}

const char *session_run(const struct subject *subject, const struct mode *mode,
        const char *(*use)(struct least_device *device, const struct mode *mode, void *context), void *context)
{
    static struct least_device device;
    const char *error = session_begin(mode), *end;
    int result;

    if (error)
    {
        return error;
    }
    result = least_probe(&device, subject->name, subject->vendor, subject->device, subject->init, mode->is_coherent);
    if (result)
    {
        session_end();
        return reason("probe: %d", result);
    }
    error = use(&device, mode, context);
    least_remove(&device, subject->exit);
    print_counts();
    end = session_end();
    return error ? error : end;
}

void print_result(const char *command, const char *error)
{
    rt_kprintf("%s: %s%s\n", command, error ? "FAIL: " : "PASS", error ? error : "");
}
