/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; `cargo test --test headers` says how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/* What the library needs from the kernel: rtthread-port/ defines it. */
#ifndef RT_DMA_PORT_H
#define RT_DMA_PORT_H

/**
 * What `rt_kmem_v2p` answers for an address that is not mapped, as the port hands it on.
 */
#define RT_DMA_PORT_UNMAPPED UINTPTR_MAX

/**
 * Write-back cached memory.
 */
#define RT_DMA_PORT_CACHED 0

/**
 * Uncached memory.
 */
#define RT_DMA_PORT_UNCACHED 1

/**
 * Write-through memory.
 */
#define RT_DMA_PORT_WRITE_THROUGH 2

/**
 * `RT_HW_CACHE_FLUSH`.
 */
#define RT_DMA_PORT_FLUSH 1

/**
 * `RT_HW_CACHE_INVALIDATE`.
 */
#define RT_DMA_PORT_INVALIDATE 2

/**
 * Clean and invalidate as one operation: nothing that is written to a line meanwhile is lost.
 */
#define RT_DMA_PORT_FLUSH_AND_DROP 3

/**
 * A line of `LOG_E`.
 */
#define RT_DMA_PORT_ERROR 0

/**
 * A line of `LOG_W`.
 */
#define RT_DMA_PORT_WARNING 1

/**
 * An entry was found and filled in.
 */
#define RT_DMA_PORT_FOUND 0

/**
 * There is no list.
 */
#define RT_DMA_PORT_INVALID 1

/**
 * The kernel is built without the service.
 */
#define RT_DMA_PORT_ABSENT 2

/**
 * The list ends before that index.
 */
#define RT_DMA_PORT_END 3

/**
 * There is an entry, but it cannot be read.
 */
#define RT_DMA_PORT_UNREADABLE 4

/**
 * `memory-region` leads to no node.
 */
#define RT_DMA_PORT_NO_NODE 5

/**
 * The node's `status` is neither absent, `okay` nor `ok`.
 */
#define RT_DMA_PORT_DISABLED 6

/**
 * The node has no `reg`.
 */
#define RT_DMA_PORT_NO_REG 7

/**
 * The page allocator owns a part of the region.
 */
#define RT_DMA_PORT_NOT_RESERVED 8

/**
 * The list of `rt_region_t` that `rt_dma_pool_extract` is handed, where it is handed one; else anything.
 */
struct rt_dma_port_list {
  /**
   * Where it is, or null.
   */
  const void *start;
  /**
   * Regions in it.
   */
  uintptr_t length;
};

/**
 * A range of physical memory, as the port reports it.
 */
struct rt_dma_port_region {
  /**
   * First byte.
   */
  uintptr_t start;
  /**
   * One past the last byte.
   */
  uintptr_t end;
};

/**
 * Reserved memory that a device's node names in `memory-region`, as the port reports it.
 */
struct rt_dma_port_named_region {
  /**
   * Its place.
   */
  struct rt_dma_port_region place;
  /**
   * 1 if its node says `no-map`.
   */
  int no_map;
  /**
   * 1 if its node says `reusable`.
   */
  int reusable;
};

/**
 * A DMA window of a PCI host bridge: what a `struct rt_pci_bus_region` begins with.
 */
struct rt_dma_port_window {
  /**
   * First byte as the device sees it.
   */
  uint64_t bus;
  /**
   * First byte as the processor sees it.
   */
  uint64_t cpu;
  /**
   * Bytes.
   */
  uint64_t size;
};

/**
 * A child of `/reserved-memory` with `compatible = "shared-dma-pool"`, as the port reports it.
 */
struct rt_dma_port_shared_pool {
  /**
   * The node, which stays.
   */
  void *node;
  /**
   * Its name, which stays.
   */
  const char *name;
  /**
   * `size`, in bytes; 0 if there is none.
   */
  uint64_t size;
  /**
   * `alignment`, in bytes; 0 if there is none.
   */
  uint64_t alignment;
  /**
   * `reg`: first byte.
   */
  uintptr_t start;
  /**
   * `reg`: one past the last byte.
   */
  uintptr_t end;
  /**
   * 1 if there is a `reg`.
   */
  int has_reg;
  /**
   * 1 if the node says `no-map`.
   */
  int no_map;
  /**
   * 1 if the node says `reusable`.
   */
  int reusable;
  /**
   * 1 if the node says `linux,cma-default`.
   */
  int is_default;
};

/**
 * The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`): their values depend on its configuration.
 */
struct rt_dma_port_errors {
  /**
   * `RT_EOK`
   */
  int16_t ok;
  /**
   * `-RT_EINVAL`
   */
  int16_t inval;
  /**
   * `-RT_ENOSYS`
   */
  int16_t nosys;
  /**
   * `-RT_EEMPTY`
   */
  int16_t empty;
  /**
   * `-RT_ENOMEM`
   */
  int16_t nomem;
  /**
   * `-RT_EBUSY`
   */
  int16_t busy;
  /**
   * `-RT_ERROR`
   */
  int16_t error;
  /**
   * `-RT_EIO`
   */
  int16_t io;
};

/**
 * What the BSP's configuration says, once and for all.
 */
struct rt_dma_port_configuration {
  /**
   * The BSP's error numbers.
   */
  struct rt_dma_port_errors errors;
  /**
   * MiB up to which a pool is mapped as a whole for its uncached or write-through buffers; 0 to 32,767.
   */
  int16_t view_limit;
  /**
   * 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
   * sizes.
   */
  int16_t revision;
  /**
   * Where `dma_ops` stands in a `struct rt_device`, in bytes.
   */
  uint16_t ops_offset;
  /**
   * Bytes in the longest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`); 0 if it states none.
   */
  uint16_t stated_cache_line;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * `rt_calloc(size, 1)`. Thread.
 */
extern void *rt_dma_port_heap_alloc(uintptr_t size);

/**
 * `rt_free`. Thread.
 */
extern void rt_dma_port_heap_free(void *memory);

/**
 * `rt_kmem_v2p`; RT_DMA_PORT_UNMAPPED if nothing is mapped there. Without page tables `va + PV_OFFSET`. Any
 * context.
 */
extern uintptr_t rt_dma_port_v2p(void *va);

/**
 * Not 0 if the kernel has page tables. 0 where it leaves the MMU off: then every address is mapped at
 * `PV_OFFSET` from its physical address, and only cached memory can be mapped. Any context.
 */
extern int rt_dma_port_has_page_tables(void);

/**
 * `PV_OFFSET`. Any context.
 */
extern uintptr_t rt_dma_port_pv_offset(void);

/**
 * Maps whole pages write-back cached at `va` with `rt_aspace_map_phy`, if it can; not where the revision leaves the
 * linear map to its boot code. Thread.
 */
extern void rt_dma_port_map_linear(void *va,
                                   uintptr_t pa,
                                   uintptr_t size);

/**
 * `rt_ioremap_cached` (RT_DMA_PORT_CACHED), `rt_ioremap_nocache` (RT_DMA_PORT_UNCACHED), `rt_ioremap_wt`
 * (RT_DMA_PORT_WRITE_THROUGH); null on failure. Without page tables the linear address for RT_DMA_PORT_CACHED, else
 * null. Thread.
 */
extern void *rt_dma_port_map(uintptr_t pa,
                             uintptr_t size,
                             int memory);

/**
 * `rt_iounmap`. Thread.
 */
extern void rt_dma_port_unmap(void *va);

/**
 * `rt_hw_cpu_dcache_ops`: RT_DMA_PORT_FLUSH or RT_DMA_PORT_INVALIDATE; or RT_DMA_PORT_FLUSH_AND_DROP. Complete when it
 * returns. Any context.
 */
extern void rt_dma_port_cache(int operation,
                              void *va,
                              int size);

/**
 * Bytes in the largest line of any cache of the system. Any context.
 */
extern uintptr_t rt_dma_port_cache_line_max(void);

/**
 * Masks interrupts on this core and says what to give to `rt_dma_port_irq_restore`. Any context.
 */
extern uintptr_t rt_dma_port_irq_save(void);

/**
 * Undoes one `rt_dma_port_irq_save`. Any context.
 */
extern void rt_dma_port_irq_restore(uintptr_t saved);

/**
 * `rt_hw_interrupt_disable`: excludes every core (for the critical-section crate). Any context.
 */
extern uintptr_t rt_dma_port_critical_enter(void);

/**
 * `rt_hw_interrupt_enable`. Any context.
 */
extern void rt_dma_port_critical_exit(uintptr_t saved);

/**
 * Not 0 where the caller may not sleep: in an interrupt, or in a thread with interrupts or the scheduler off. Any context.
 */
extern int rt_dma_port_is_atomic(void);

/**
 * Lets other threads run for a tick (`rt_thread_mdelay(1)`). Thread, with the scheduler running.
 */
extern void rt_dma_port_pause(void);

/**
 * The address of entry `index` of the list, where `rt_dma_pool_extract` is handed one: of an empty one if it has no name.
 * Else, whatever the list is, of those in `rt_memblock_get_reserved()` that are in use, not hot-pluggable, and named
 * "dma-pool". Where there is none, RT_DMA_PORT_END, RT_DMA_PORT_INVALID without a list where one is needed, or
 * RT_DMA_PORT_ABSENT without memblock. Thread.
 */
extern uintptr_t rt_dma_port_reserved(const struct rt_dma_port_list *list,
                                      uintptr_t index);

/**
 * The region of such a list at an address that `rt_dma_port_reserved` gave begins at `end` from now on if it began at
 * `start`, unless it ends there. Memblock's is not written. Thread.
 */
extern void rt_dma_port_consume(void *region,
                                uintptr_t start,
                                uintptr_t end);

/**
 * `rt_dm_dev_get_name`; if the device has no name, that of its device-tree node; null if it has none either. Any
 * context.
 */
extern const char *rt_dma_port_device_name(void *dev);

/**
 * `rt_dma_device_is_coherent`. Any context.
 */
extern int rt_dma_port_device_is_coherent(void *dev);

/**
 * `dev->dma_ops = ops`, if it is null, written with release. Any context.
 */
extern void rt_dma_port_device_choose_ops(void *dev, const void *ops);

/**
 * `dev->dma_ops = ops`, written with release. Any context.
 */
extern void rt_dma_port_device_set_ops(void *dev, const void *ops);

/**
 * The device's device-tree node; null if it has none. Any context.
 */
extern const void *rt_dma_port_node(void *dev);

/**
 * Fills in region `index` of the node's `memory-region`. Returns RT_DMA_PORT_FOUND, RT_DMA_PORT_END if the property
 * has no such entry, or why the entry leads to no memory: RT_DMA_PORT_NO_NODE, RT_DMA_PORT_DISABLED,
 * RT_DMA_PORT_NO_REG, RT_DMA_PORT_UNREADABLE (a bad `reg`, or beyond what the processor can address),
 * RT_DMA_PORT_NOT_RESERVED. Thread.
 */
extern int rt_dma_port_memory_region(void *dev,
                                     uintptr_t index,
                                     struct rt_dma_port_named_region *region);

/**
 * The next node above that of a device, which has one, with a non-empty `dma-ranges`; null if there is none. Thread.
 */
extern const void *rt_dma_port_dma_ranges(void *dev);

/**
 * Returns the device's address for `pa`, which is what `rt_ofw_translate_cpu2dma` returns; RT_DMA_PORT_UNMAPPED where
 * no range of the bus above the device, which has a node, covers it. `*last` becomes the last address, not below
 * `pa`, for which that holds: up to it the device's addresses rise with the physical ones, or no range covers any. Any
 * context, but a thread for the first call for a bus.
 */
extern uintptr_t rt_dma_port_bus_address(void *dev,
                                         uintptr_t pa,
                                         uintptr_t *last);

/**
 * `rt_ofw_translate_dma2cpu`; RT_DMA_PORT_UNMAPPED where the processor has no such address. Any context, but a thread
 * for the first call for a bus.
 */
extern uintptr_t rt_dma_port_cpu_address(void *dev,
                                         uintptr_t handle);

/**
 * DMA window `index` of the host bridge of a device on bus "pci", to be read at once; null if there is none. Any
 * context.
 */
extern const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev,
                                                               uintptr_t index);

/**
 * A line in the log under the tag "dma.pool": the name, a colon, and `format` with the words that it asks for; nothing
 * where the caller may not sleep. Where `name` is null, the line begins with the address `dev` of a device, unless that
 * is 0. RT_DMA_PORT_ERROR or RT_DMA_PORT_WARNING. Any context.
 */
extern void rt_dma_port_say(int level,
                            const char *name,
                            const char *format,
                            uintptr_t a,
                            uintptr_t b,
                            uintptr_t c,
                            uintptr_t d,
                            uintptr_t dev);

/**
 * A line of `LOG_I`: so many bytes from `start` on are set aside under that name. Thread.
 */
extern void rt_dma_port_announce(uintptr_t start, const char *name, uintptr_t size);

/**
 * `rt_kprintf`: `format` with the words that it asks for. Thread.
 */
extern void rt_dma_port_print(const char *format,
                              uintptr_t a,
                              uintptr_t b,
                              uintptr_t c,
                              uintptr_t d,
                              uintptr_t e,
                              uintptr_t f);

/**
 * Fills in shared pool `index` of `/reserved-memory`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END, RT_DMA_PORT_UNREADABLE, or
 * RT_DMA_PORT_ABSENT without an unflattened device tree. Thread.
 */
extern int rt_dma_port_shared_pool(uintptr_t index,
                                   struct rt_dma_port_shared_pool *pool);

/**
 * Fills in entry `index` of the node's `alloc-ranges`, in bytes; RT_DMA_PORT_FOUND or RT_DMA_PORT_END. Thread.
 */
extern int rt_dma_port_alloc_range(void *node,
                                   uintptr_t index,
                                   uint64_t *start,
                                   uint64_t *size);

/**
 * Fills in entry `index` of `rt_memblock_get_memory()`; RT_DMA_PORT_FOUND, RT_DMA_PORT_UNREADABLE for memory with a
 * flag, RT_DMA_PORT_END. Thread.
 */
extern int rt_dma_port_boot_memory(uintptr_t index,
                                   struct rt_dma_port_region *region);

/**
 * Fills in entry `index` of `rt_memblock_get_reserved()`, whatever it is; RT_DMA_PORT_FOUND or RT_DMA_PORT_END.
 * Thread.
 */
extern int rt_dma_port_boot_reserved(uintptr_t index,
                                     struct rt_dma_port_region *region);

/**
 * `rt_page_is_member`. Thread.
 */
extern int rt_dma_port_is_paged(uintptr_t pa);

/**
 * `rt_memblock_reserve_memory` under the node's name, and `[start, end)` as the node's `reg`; 0 on success, -1 on
 * failure, which changes nothing. Thread.
 */
extern int rt_dma_port_reserve(void *node,
                               uintptr_t start,
                               uintptr_t end,
                               int no_map);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


/**
 * What the BSP's configuration says, once and for all.
 */
extern const struct rt_dma_port_configuration rt_dma_port_configuration;

#endif /* RT_DMA_PORT_H */
