/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's address space. */
#ifndef MM_ASPACE_H__
#define MM_ASPACE_H__

#include <rthw.h>
#include <rtthread.h>
#include <mm_flag.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MM_PAGE_SHIFT       12
#define MM_PA_TO_OFF(pa)    ((uintptr_t)(pa) >> MM_PAGE_SHIFT)
#define PV_OFFSET           (rt_kmem_pvoff())

/* The lock of the page tables. rt_hw_mmu_map() and rt_hw_mmu_unmap() take it, too. */
#define MM_PGTBL_LOCK(aspace)   (rt_spin_lock(&((aspace)->pgtbl_lock)))
#define MM_PGTBL_UNLOCK(aspace) (rt_spin_unlock(&((aspace)->pgtbl_lock)))

typedef struct rt_aspace
{
    void *start;
    rt_size_t size;
    void *page_table;
    struct rt_spinlock pgtbl_lock;
} *rt_aspace_t;

typedef struct rt_mm_va_hint
{
    void *limit_start;
    rt_size_t limit_range_size;

    void *prefer;
    const rt_size_t map_size;

    mm_flag_t flags;
} *rt_mm_va_hint_t;

typedef struct rt_varea
{
    void *start;
    rt_size_t size;
    rt_size_t flag;
    struct rt_aspace *aspace;
    struct rt_mem_obj *mem_obj;
    void *data;
} *rt_varea_t;

typedef struct rt_mem_obj
{
    void (*hint_free)(rt_mm_va_hint_t hint);
    void (*on_varea_close)(struct rt_varea *varea);
} *rt_mem_obj_t;

extern struct rt_aspace rt_kernel_space;

/* Maps physical pages from page number pa_off on. Thread context. A fixed address that is mapped stops the kernel. */
int rt_aspace_map_phy(rt_aspace_t aspace, rt_mm_va_hint_t hint, rt_size_t attr, rt_size_t pa_off, void **ret_va);
/* Reserves addresses and maps nothing. Thread context. */
int rt_aspace_map_static(rt_aspace_t aspace, rt_varea_t varea, void **addr, rt_size_t length, rt_size_t attr,
        mm_flag_t flags, rt_mem_obj_t mem_obj, rt_size_t offset);
int rt_aspace_unmap(rt_aspace_t aspace, void *addr);

rt_ubase_t rt_kmem_pvoff(void);
void *rt_kmem_v2p(void *vaddr);

#ifdef __cplusplus
}
#endif
#endif
