/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for RT-Thread on a host: the services that rtthread-port/ calls. RAM is a memory file, and each
 * mapping of the kernel maps that file once more. Each thread plays a core, and its interrupts too.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <mm_memblock.h>
#include <drivers/ofw_io.h>
#include "kernel.h"

#define RAM_PAGES   (HOST_RAM_SIZE / ARCH_PAGE_SIZE)
#define MAPPINGS    64

static int ram = -1;
static char *linear;
static unsigned char is_linear[RAM_PAGES];
/* The number of pages of the area of the linear map that begins at a page. */
static rt_size_t linear_areas[RAM_PAGES];
static struct { char *va; rt_size_t pa, size; } mappings[MAPPINGS];
static int heap_blocks;
static rt_size_t heap_requested;
static __thread int in_interrupt, masked; /* each thread plays a core */

static rt_size_t page_table[1];
struct rt_aspace rt_kernel_space = { .page_table = page_table };
static struct rt_memblock reserved, memory;

static void need_thread(const char *service)
{
    if (in_interrupt || masked)
    {
        fprintf(stderr, "%s is called where sleeping is not allowed\n", service);
        abort();
    }
}

void host_start(void)
{
    ram = memfd_create("ram", 0);
    linear = mmap(NULL, HOST_RAM_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ram < 0 || ftruncate(ram, HOST_RAM_SIZE) || linear == MAP_FAILED)
    {
        abort();
    }
}

int host_heap_blocks(void)
{
    return heap_blocks;
}

rt_size_t host_heap_requested(void)
{
    return heap_requested;
}

int host_mappings(void)
{
    int count = 0;

    for (int i = 0; i < MAPPINGS; i++)
    {
        count += mappings[i].va != NULL;
    }
    return count;
}

void host_interrupt(int on)
{
    in_interrupt = on;
}

void *host_device_view(rt_ubase_t handle)
{
    static char *bus;

    if (!bus)
    {
        bus = mmap(NULL, HOST_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
    }
    return bus + (handle - HOST_RAM);
}

void host_reserve(struct rt_mmblk_reg *region)
{
    region->node.next = reserved.reg_list.next;
    reserved.reg_list.next = &region->node;
}

void *rt_calloc(rt_size_t count, rt_size_t size)
{
    need_thread(__func__);
    heap_blocks++;
    heap_requested += count * size;
    return calloc(count, size);
}

void *rt_malloc(rt_size_t size)
{
    return rt_calloc(1, size);
}

void rt_free(void *ptr)
{
    /* Volatile, because otherwise the compiler removes the writes. */
    static void *(*volatile fill)(void *, int, size_t) = memset;

    need_thread(__func__);
    heap_blocks--;
    /* Freed memory is overwritten: a later read fails also in the library's code, which no sanitizer instruments. */
    fill(ptr, 0xdd, malloc_usable_size(ptr));
    free(ptr);
}

rt_ubase_t rt_kmem_pvoff(void)
{
    return HOST_RAM - (rt_ubase_t)linear;
}

/* The board leaves the MMU off: all memory is accessible at its linear address, and there are no page tables. */
void host_leave_mmu_off(void)
{
    rt_kernel_space.page_table = RT_NULL;
    if (mmap(linear, HOST_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram, 0) == MAP_FAILED)
    {
        abort();
    }
}

void *rt_kmem_v2p(void *vaddr)
{
    char *va = vaddr;

    /* RT-Thread reads through the null pointer here. */
    RT_ASSERT(rt_kernel_space.page_table);

    if (va >= linear && va < linear + HOST_RAM_SIZE && is_linear[(va - linear) / ARCH_PAGE_SIZE])
    {
        return (void *)(HOST_RAM + (va - linear));
    }
    for (int i = 0; i < MAPPINGS; i++)
    {
        if (mappings[i].va && va >= mappings[i].va && va < mappings[i].va + mappings[i].size)
        {
            return (void *)(mappings[i].pa + (va - mappings[i].va));
        }
    }
    return ARCH_MAP_FAILED;
}

static void *map(void *paddr, size_t size)
{
    rt_size_t pa = (rt_size_t)paddr;

    need_thread("rt_ioremap");
    RT_ASSERT(rt_kernel_space.page_table);
    for (int i = 0; i < MAPPINGS; i++)
    {
        if (!mappings[i].va && pa >= HOST_RAM && pa + size <= HOST_RAM + HOST_RAM_SIZE)
        {
            mappings[i].va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram, pa - HOST_RAM);
            mappings[i].pa = pa;
            mappings[i].size = size;
            return mappings[i].va;
        }
    }
    return RT_NULL;
}

void *rt_ioremap_cached(void *paddr, size_t size)
{
    return map(paddr, size);
}

void *rt_ioremap_nocache(void *paddr, size_t size)
{
    return map(paddr, size);
}

void *rt_ioremap_wt(void *paddr, size_t size)
{
    return map(paddr, size);
}

void rt_iounmap(volatile void *vaddr)
{
    need_thread(__func__);
    RT_ASSERT(rt_kernel_space.page_table);
    for (int i = 0; i < MAPPINGS; i++)
    {
        if (mappings[i].va && mappings[i].va == vaddr)
        {
            munmap(mappings[i].va, mappings[i].size);
            mappings[i].va = NULL;
            return;
        }
    }
    fprintf(stderr, "rt_iounmap of what is not mapped\n");
    abort();
}

int rt_aspace_map_phy(rt_aspace_t aspace, rt_mm_va_hint_t hint, rt_size_t attr, rt_size_t pa_off, void **ret_va)
{
    rt_size_t first = ((char *)hint->prefer - linear) / ARCH_PAGE_SIZE;

    RT_UNUSED(attr);
    need_thread(__func__);
    RT_ASSERT(aspace->page_table);
    for (rt_size_t page = first; page < first + hint->map_size / ARCH_PAGE_SIZE; page++)
    {
        RT_ASSERT(!is_linear[page]);
        is_linear[page] = 1;
    }
    linear_areas[first] = hint->map_size / ARCH_PAGE_SIZE;
    *ret_va = mmap(hint->prefer, hint->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram,
            (off_t)((pa_off << MM_PAGE_SHIFT) - HOST_RAM));
    return 0;
}

int rt_aspace_unmap(rt_aspace_t aspace, void *addr)
{
    rt_size_t first = ((char *)addr - linear) / ARCH_PAGE_SIZE, pages = linear_areas[first];

    need_thread(__func__);
    RT_ASSERT(aspace->page_table);
    RT_ASSERT(pages);
    linear_areas[first] = 0;
    memset(&is_linear[first], 0, pages);
    /* An access from now on is a fault. */
    mmap(addr, pages * ARCH_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return 0;
}

static rt_size_t flushed;

rt_size_t host_flushed(void)
{
    return flushed;
}

void rt_hw_cpu_dcache_ops(int ops, void *addr, int size)
{
    /* A host's caches are coherent; an address that is not mapped would fault. */
    RT_ASSERT(rt_kmem_v2p(addr) != ARCH_MAP_FAILED);
    RT_ASSERT(size > 0);
    flushed += ops == RT_HW_CACHE_FLUSH ? (rt_size_t)size : 0;
}

rt_base_t rt_hw_local_irq_disable(void)
{
    return masked++;
}

void rt_hw_local_irq_enable(rt_base_t level)
{
    masked = (int)level;
}

rt_base_t rt_cpus_lock(void)
{
    return masked++;
}

void rt_cpus_unlock(rt_base_t level)
{
    masked = (int)level;
}

rt_bool_t rt_hw_interrupt_is_disabled(void)
{
    return masked != 0;
}

rt_uint8_t rt_interrupt_get_nest(void)
{
    return (rt_uint8_t)in_interrupt;
}

rt_thread_t rt_thread_self(void)
{
    static struct rt_thread thread;

    /* The part of the stack that a test uses. It is no memory of the stand-in's, and so not mapped for rt_kmem_v2p(). */
    thread.stack_size = 64 << 10;
    thread.stack_addr = (char *)__builtin_frame_address(0) - thread.stack_size / 2;
    return &thread;
}

rt_tick_t rt_tick_get(void)
{
    static rt_tick_t ticks;

    return ++ticks;
}

rt_uint16_t rt_critical_level(void)
{
    return 0;
}

static int in_console;

rt_err_t rt_thread_mdelay(rt_int32_t ms)
{
    static int waits;

    RT_UNUSED(ms);
    waits = in_console ? waits + 1 : 0;
    if (waits > 1000)
    {
        printf("FAIL the console's driver waits for what the thread that writes the line holds\n");
        exit(1);
    }
    return RT_EOK;
}

struct rt_memblock *rt_memblock_get_memory(void)
{
    return &memory;
}

void host_add_memory(struct rt_mmblk_reg *region)
{
    region->node.next = memory.reg_list.next;
    memory.reg_list.next = &region->node;
}

rt_err_t rt_memblock_reserve_memory(const char *name, rt_size_t start, rt_size_t end, mmblk_flag_t flags)
{
    static struct rt_mmblk_reg regions[4];
    static int used;
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &reserved.reg_list, node)
    {
        RT_ASSERT(end <= reg->memreg.start || reg->memreg.end <= start);
    }
    if (used == RT_ARRAY_SIZE(regions))
    {
        return -RT_ENOMEM;
    }
    regions[used] = (struct rt_mmblk_reg) { { start, end, name }, flags, 1, { 0 } };
    host_reserve(&regions[used++]);
    return RT_EOK;
}

static rt_region_t paged;

void host_set_paged(rt_size_t start, rt_size_t end)
{
    paged = (rt_region_t) { start, end, RT_NULL };
}

rt_bool_t rt_page_is_member(rt_base_t page_pa)
{
    return (rt_size_t)page_pa >= paged.start && (rt_size_t)page_pa < paged.end;
}

struct rt_memblock *rt_memblock_get_reserved(void)
{
    return &reserved;
}

void rt_assert_handler(const char *ex, const char *func, rt_size_t line)
{
    fprintf(stderr, "assertion failed at function %s, line %lu: %s\n", func, line, ex);
    abort();
}

rt_int32_t rt_strcmp(const char *a, const char *b)
{
    return strcmp(a, b);
}

int rt_snprintf(char *buf, rt_size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}

static char last_text[512], all_text[8192];
static void (*console)(void);

void host_set_console(void (*driver)(void))
{
    console = driver;
}

static void through_console(void)
{
    if (console && !in_console)
    {
        in_console = 1;
        console();
        in_console = 0;
    }
}

void host_forget_text(void)
{
    all_text[0] = 0;
}

const char *host_text(void)
{
    return all_text;
}

const char *host_last_text(void)
{
    return last_text;
}

int rt_kprintf(const char *fmt, ...)
{
    va_list args;
    int length;

    need_thread(__func__);
    va_start(args, fmt);
    length = vsnprintf(last_text, sizeof(last_text), fmt, args);
    va_end(args);
    fputs(last_text, stdout);
    through_console();
    if (strlen(all_text) + strlen(last_text) < sizeof(all_text))
    {
        strcat(all_text, last_text);
    }
    return length;
}

void rt_kputs(const char *str)
{
    need_thread(__func__);
    fputs(str, stdout);
    through_console();
}

/* Devices and firmware: a device's node is its ofw_node, and the node's list of properties is the device tree. */

const char *rt_dm_dev_get_name(rt_device_t dev)
{
    return dev->parent.name;
}

struct rt_ofw_prop *rt_ofw_get_prop(const struct rt_ofw_node *np, const char *name, rt_ssize_t *out_length)
{
    for (struct rt_ofw_prop *prop = np ? np->props : RT_NULL; prop; prop = prop->next)
    {
        if (!strcmp(prop->name, name))
        {
            if (out_length)
            {
                *out_length = prop->length;
            }
            return prop;
        }
    }
    return RT_NULL;
}

rt_bool_t rt_dm_dev_prop_read_bool(rt_device_t dev, const char *propname)
{
    return rt_ofw_get_prop(dev->ofw_node, propname, RT_NULL) != RT_NULL;
}

static struct rt_ofw_node *nodes[8];

void host_add_node(struct rt_ofw_node *node)
{
    nodes[node->phandle] = node;
}

void host_remove_node(rt_phandle phandle)
{
    nodes[phandle] = RT_NULL;
}

struct rt_ofw_node *rt_ofw_find_node_by_phandle(rt_phandle phandle)
{
    return phandle < RT_ARRAY_SIZE(nodes) ? nodes[phandle] : RT_NULL;
}

void rt_ofw_node_put(struct rt_ofw_node *np)
{
    RT_UNUSED(np);
}

static struct rt_ofw_node *root;

void host_set_root(struct rt_ofw_node *node)
{
    root = node;
}

/* Only paths of one level: the port uses no others. */
struct rt_ofw_node *rt_ofw_find_node_by_path(const char *path)
{
    for (struct rt_ofw_node *np = root ? root->child : RT_NULL; np && path[1]; np = np->sibling)
    {
        if (!strcmp(np->full_name, path + 1))
        {
            return np;
        }
    }
    return path[1] ? RT_NULL : root;
}

rt_bool_t rt_ofw_node_is_available(const struct rt_ofw_node *np)
{
    struct rt_ofw_prop *status = rt_ofw_get_prop(np, "status", RT_NULL);

    return np && (!status || !strcmp(status->value, "okay") || !strcmp(status->value, "ok"));
}

struct rt_ofw_node *rt_ofw_get_next_available_child(const struct rt_ofw_node *parent, struct rt_ofw_node *prev)
{
    struct rt_ofw_node *next = !parent ? RT_NULL : prev ? prev->sibling : parent->child;

    while (next && !rt_ofw_node_is_available(next))
    {
        next = next->sibling;
    }
    return next;
}

rt_bool_t rt_ofw_node_is_compatible(const struct rt_ofw_node *np, const char *compatible)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, "compatible", RT_NULL);

    return prop && !strcmp(prop->value, compatible);
}

static int fail_append;

void host_fail_append(int on)
{
    fail_append = on;
}

rt_err_t rt_ofw_append_prop(struct rt_ofw_node *np, const char *name, int length, void *value)
{
    struct rt_ofw_prop **last = &np->props;

    if (fail_append)
    {
        return -RT_ENOMEM;
    }
    while (*last)
    {
        last = &(*last)->next;
    }
    *last = rt_calloc(1, sizeof(**last));
    **last = (struct rt_ofw_prop) { name, length, value, RT_NULL };
    return RT_EOK;
}

/* The cell counts are those of the nearest bus above that has the property. */
static int bus_cells(struct rt_ofw_node *np, const char *name)
{
    rt_uint32_t cells;

    if (!np)
    {
        return -RT_EINVAL;
    }
    for (; np; np = np->parent)
    {
        if (!rt_ofw_prop_read_u32_index(np, name, 0, &cells))
        {
            return (int)cells;
        }
    }
    return 2;
}

int rt_ofw_bus_addr_cells(struct rt_ofw_node *np)
{
    return bus_cells(np, "#address-cells");
}

int rt_ofw_bus_size_cells(struct rt_ofw_node *np)
{
    return bus_cells(np, "#size-cells");
}

int rt_ofw_io_addr_cells(struct rt_ofw_node *np)
{
    return rt_ofw_bus_addr_cells(np && np->parent ? np->parent : np);
}

int rt_ofw_io_size_cells(struct rt_ofw_node *np)
{
    return rt_ofw_bus_size_cells(np && np->parent ? np->parent : np);
}

int rt_ofw_prop_read_u32_array_index(const struct rt_ofw_node *np, const char *propname, int index, int nr,
        rt_uint32_t *out_values)
{
    struct rt_ofw_prop *prop = rt_ofw_get_prop(np, propname, RT_NULL);

    if (!prop || (index + nr) * 4 > prop->length)
    {
        return -RT_EINVAL;
    }
    for (int i = 0; i < nr; i++)
    {
        out_values[i] = __builtin_bswap32(((fdt32_t *)prop->value)[index + i]);
    }
    return nr;
}

rt_err_t rt_ofw_get_address(struct rt_ofw_node *np, int index, rt_uint64_t *out_address, rt_uint64_t *out_size)
{
    rt_uint32_t cells[4];

    if (rt_ofw_prop_read_u32_array_index(np, "reg", index * 4, 4, cells) != 4)
    {
        return -RT_EINVAL;
    }
    *out_address = (rt_uint64_t)cells[0] << 32 | cells[1];
    *out_size = (rt_uint64_t)cells[2] << 32 | cells[3];
    return RT_EOK;
}

/*
 * Translates as RT-Thread does: by the ranges of the nearest bus above the node that has any. The first range that
 * contains the address counts. If none contains it, the address is returned unchanged. The ranges that were read first
 * are kept for the bus, whichever property they came from: a bus with both properties always translates by them.
 */
struct table
{
    struct rt_ofw_node *np;
    int count;
    struct { rt_uint64_t child, parent, size; } ranges[8];
};

static struct table tables[64];
static int has_no_heap;

void host_fail_ranges(int on)
{
    has_no_heap = on;
}

void host_forget_ranges(void)
{
    memset(tables, 0, sizeof(tables));
}

static rt_uint64_t number(const fdt32_t **cell, int cells)
{
    rt_uint64_t value = 0;

    for (; cells > 0; cells--)
    {
        value = value << 32 | __builtin_bswap32(*(*cell)++);
    }
    return value;
}

static struct table *table_of(struct rt_ofw_node *np, const struct rt_ofw_prop *prop)
{
    int child = rt_ofw_bus_addr_cells(np), size = rt_ofw_bus_size_cells(np), parent = rt_ofw_io_addr_cells(np);
    struct table *table = tables;
    const fdt32_t *cell = prop->value;

    while (table->np && table->np != np)
    {
        RT_ASSERT(table != &tables[RT_ARRAY_SIZE(tables) - 1]);
        table++;
    }
    if (!table->np)
    {
        need_thread("a bus's first translation");
        if (has_no_heap)
        {
            return RT_NULL;
        }
        table->np = np;
        table->count = prop->length / 4 / (child + parent + size);
        RT_ASSERT(table->count <= (int)RT_ARRAY_SIZE(table->ranges));
        for (int i = 0; i < table->count; i++)
        {
            table->ranges[i].child = number(&cell, child);
            table->ranges[i].parent = number(&cell, parent);
            table->ranges[i].size = number(&cell, size);
        }
    }
    return table;
}

static rt_uint64_t through(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address, int to_parent)
{
    struct rt_ofw_prop *prop = RT_NULL;
    struct table *table;
    rt_ssize_t length = 0;

    do
    {
        np = np ? np->parent : RT_NULL;
        prop = rt_ofw_get_prop(np, range_type, &length);
    }
    while (np && (!prop || !length));

    if (!np)
    {
        return address;
    }
    table = table_of(np, prop);
    for (int i = 0; table && i < table->count; i++)
    {
        rt_uint64_t child = table->ranges[i].child, parent = table->ranges[i].parent, size = table->ranges[i].size;
        rt_uint64_t from = to_parent ? child : parent;

        if (address >= from && address < from + size)
        {
            return address - from + (to_parent ? parent : child);
        }
    }
    return table ? address : ~(rt_uint64_t)0;
}

rt_uint64_t rt_ofw_translate_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address)
{
    return through(np, range_type, address, 1);
}

rt_uint64_t rt_ofw_reverse_address(struct rt_ofw_node *np, const char *range_type, rt_uint64_t address)
{
    return through(np, range_type, address, 0);
}

struct rt_pci_host_bridge *rt_pci_find_host_bridge(struct rt_pci_bus *bus)
{
    return bus->host_bridge;
}
