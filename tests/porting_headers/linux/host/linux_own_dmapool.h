/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Linux's mm/dmapool.c needs beyond linux_host.h: lists, locks, and memory for its blocks from this library.
 *
 * The spin lock is Linux's on x86-64, without contention: the flags are read and interrupts masked, one compare-and-exchange
 * takes the lock, one store gives it back, and the flags show whether interrupts are unmasked. A program cannot mask
 * interrupts, so that a nop stands for each of `cli` and `sti`.
 */
#ifndef LINUX_OWN_DMAPOOL_H
#define LINUX_OWN_DMAPOOL_H

typedef unsigned long dma_addr_t;
typedef unsigned int gfp_t;

#define GFP_KERNEL              0u
#define GFP_ATOMIC              1u
#define __GFP_ZERO              0x20u
#define want_init_on_alloc(f)   ((f) & __GFP_ZERO)
#define want_init_on_free()     0
#define DMA_BIT_MASK(n)         ((n) > 63 ? ~0ULL : (1ULL << ((n) & 63)) - 1)

static inline int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
    return rt_dma_set_mask_and_coherent(&dev->rt, mask) ? -EIO : 0;
}

static inline void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp)
{
    (void)gfp;
    return rt_dma_zalloc_coherent(&dev->rt, size, handle);
}

static inline void dma_free_coherent(struct device *dev, size_t size, void *va, dma_addr_t handle)
{
    rt_dma_free(&dev->rt, size, va, handle, rt_dma_wc_flags(&dev->rt));
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align, size_t boundary);
void dma_pool_destroy(struct dma_pool *pool);
void *dma_pool_alloc(struct dma_pool *pool, gfp_t flags, dma_addr_t *handle);
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr);
struct dma_pool *dmam_pool_create(const char *name, struct device *dev, size_t size, size_t align, size_t boundary);
void dmam_pool_destroy(struct dma_pool *pool);

#define kmalloc(size, gfp)              malloc(size)
#define kzalloc(size, gfp)              calloc(1, size)
#define kmalloc_node(size, gfp, node)   malloc(size)
#define kzalloc_node(size, gfp, node)   calloc(1, size)
#define dev_to_node(dev)                NUMA_NO_NODE
#define strscpy(to, from, size)         snprintf(to, size, "%s", from)
#define dev_name(dev)                   ((dev)->rt.parent.name)

/* ---- lists ---- */

static inline void list_add(struct list_head *entry, struct list_head *head)
{
    entry->next = head->next;
    entry->prev = head;
    head->next->prev = entry;
    head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
    entry->next->prev = entry->prev;
    entry->prev->next = entry->next;
}

static inline bool list_empty(const struct list_head *head)
{
    return head->next == head;
}

#define list_for_each_entry(pos, head, member)                                              \
    for (pos = container_of((head)->next, __typeof__(*pos), member); &pos->member != (head); \
         pos = container_of(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, other, head, member)                                  \
    for (pos = container_of((head)->next, __typeof__(*pos), member),                        \
         other = container_of(pos->member.next, __typeof__(*pos), member);                  \
         &pos->member != (head);                                                            \
         pos = other, other = container_of(other->member.next, __typeof__(*other), member))

/* ---- locks ---- */

struct mutex
{
    int unused;
};

#define DEFINE_MUTEX(name)  struct mutex name
#define mutex_lock(mutex)   ((void)(mutex))
#define mutex_unlock(mutex) ((void)(mutex))

typedef struct
{
    int value;
} spinlock_t;

#define spin_lock_init(lock)    ((lock)->value = 0)

static inline unsigned long linux_irq_save(void)
{
    unsigned long flags;

    __asm__ volatile ("pushfq\n\tpopq %0\n\tnop" : "=r"(flags) : : "memory");
    return flags;
}

static inline void linux_spin_lock(spinlock_t *lock)
{
    int free = 0;

    while (!__atomic_compare_exchange_n(&lock->value, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    {
        free = 0;
        __builtin_ia32_pause();
    }
}

static inline void linux_spin_unlock(spinlock_t *lock, unsigned long flags)
{
    __atomic_store_n(&lock->value, 0, __ATOMIC_RELEASE);
    if (flags & 0x200)
    {
        __asm__ volatile ("nop" : : : "memory");
    }
}

#define spin_lock_irqsave(lock, flags)          ((flags) = linux_irq_save(), linux_spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags)     linux_spin_unlock(lock, flags)

/* ---- what dmapool.c shows in sysfs, and its managed pools ---- */

struct device_attribute
{
    ssize_t (*show)(struct device *dev, struct device_attribute *attr, char *buf);
};

#define DEVICE_ATTR_RO(name)    struct device_attribute dev_attr_##name = { name##_show }
#define sysfs_emit(buf, ...)    sprintf(buf, __VA_ARGS__)
#define sysfs_emit_at(buf, at, ...) sprintf((buf) + (at), __VA_ARGS__)
#define device_create_file(dev, attribute)  ((void)(attribute), 0)
#define device_remove_file(dev, attribute)  ((void)(attribute))
#define devres_alloc(release, size, gfp)    ((void)(release), malloc(size))
#define devres_add(dev, resource)           ((void)(resource))
#define devres_free(resource)               free(resource)
#define devres_release(dev, release, match, data) ((void)(match), (void)(data), 0)

#endif /* LINUX_OWN_DMAPOOL_H */
