/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the stand-in kernel: RAM is a memory file, and each mapping of the kernel maps that file once more. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include "parts.h"

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

static rt_size_t page_table[1];
struct rt_aspace rt_kernel_space = { .page_table = page_table };

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

void *host_device_view(rt_ubase_t handle)
{
    static char *bus;

    if (!bus)
    {
        bus = mmap(NULL, HOST_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
    }
    return bus + (handle - HOST_RAM);
}

void *rt_calloc(rt_size_t count, rt_size_t size)
{
    host_need_thread(__func__);
    __atomic_add_fetch(&heap_blocks, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&heap_requested, count * size, __ATOMIC_RELAXED);
    return calloc(count, size);
}

void *rt_malloc(rt_size_t size)
{
    void *memory = rt_calloc(1, size);

    /* As with RT-Thread, the memory is not cleared. */
    return memory ? memset(memory, 0x5a, size) : NULL;
}

void rt_free(void *ptr)
{
    /* Volatile, because otherwise the compiler removes the writes. */
    static void *(*volatile fill)(void *, int, size_t) = memset;

    host_need_thread(__func__);
    __atomic_sub_fetch(&heap_blocks, 1, __ATOMIC_RELAXED);
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

static void *translate(char *va)
{
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

void *rt_kmem_v2p(void *vaddr)
{
    void *pa;

    /* RT-Thread reads through the null pointer here. */
    RT_ASSERT(rt_kernel_space.page_table);
    host_lock();
    pa = translate(vaddr);
    host_unlock();
    return pa;
}

static void *map(void *paddr, size_t size)
{
    rt_size_t pa = (rt_size_t)paddr;
    void *va = RT_NULL;

    host_need_thread("rt_ioremap");
    RT_ASSERT(rt_kernel_space.page_table);
    host_lock();
    for (int i = 0; i < MAPPINGS && !va; i++)
    {
        if (!mappings[i].va && pa >= HOST_RAM && pa + size <= HOST_RAM + HOST_RAM_SIZE)
        {
            mappings[i].va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram, pa - HOST_RAM);
            mappings[i].pa = pa;
            mappings[i].size = size;
            va = mappings[i].va;
        }
    }
    host_unlock();
    return va;
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

int rt_aspace_map_phy(rt_aspace_t aspace, rt_mm_va_hint_t hint, rt_size_t attr, rt_size_t pa_off, void **ret_va)
{
    rt_size_t first = ((char *)hint->prefer - linear) / ARCH_PAGE_SIZE;

    RT_UNUSED(attr);
    host_need_thread(__func__);
    RT_ASSERT(aspace->page_table);
    host_lock();
    for (rt_size_t page = first; page < first + hint->map_size / ARCH_PAGE_SIZE; page++)
    {
        RT_ASSERT(!is_linear[page]);
        is_linear[page] = 1;
    }
    linear_areas[first] = hint->map_size / ARCH_PAGE_SIZE;
    *ret_va = mmap(hint->prefer, hint->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram,
            (off_t)((pa_off << MM_PAGE_SHIFT) - HOST_RAM));
    host_unlock();
    return 0;
}

static int unmap_linear(char *addr)
{
    rt_size_t first = (addr - linear) / ARCH_PAGE_SIZE, pages;

    pages = linear_areas[first];
    RT_ASSERT(pages);
    linear_areas[first] = 0;
    memset(&is_linear[first], 0, pages);
    /* An access from now on is a fault. */
    mmap(addr, pages * ARCH_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return 1;
}

static int unmap(char *addr)
{
    if (addr >= linear && addr < linear + HOST_RAM_SIZE)
    {
        return unmap_linear(addr);
    }
    for (int i = 0; i < MAPPINGS; i++)
    {
        if (mappings[i].va && mappings[i].va == addr)
        {
            munmap(mappings[i].va, mappings[i].size);
            mappings[i].va = NULL;
            return 1;
        }
    }
    return 0;
}

static void (*unmapping)(void);

void host_call_at_unmap(void (*function)(void))
{
    unmapping = function;
}

int rt_aspace_unmap(rt_aspace_t aspace, void *addr)
{
    int is_unmapped;

    host_need_thread(__func__);
    RT_ASSERT(aspace->page_table);
    if (unmapping)
    {
        unmapping();
    }
    host_lock();
    is_unmapped = unmap(addr);
    host_unlock();
    if (!is_unmapped)
    {
        fprintf(stderr, "an unmap of what is not mapped\n");
        abort();
    }
    return 0;
}

void rt_iounmap(volatile void *vaddr)
{
    rt_aspace_unmap(&rt_kernel_space, (void *)vaddr);
}

static rt_size_t flushed, invalidated;

rt_size_t host_flushed(void)
{
    return flushed;
}

rt_size_t host_invalidated(void)
{
    return invalidated;
}

void rt_hw_cpu_dcache_ops(int ops, void *addr, int size)
{
    /* A host's caches are coherent; an address that is not mapped would fault. */
    RT_ASSERT(rt_kmem_v2p(addr) != ARCH_MAP_FAILED);
    RT_ASSERT(size > 0);
    __atomic_add_fetch(ops == RT_HW_CACHE_FLUSH ? &flushed : &invalidated, size, __ATOMIC_RELAXED);
}
