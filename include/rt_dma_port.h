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
 * A line of `LOG_E`.
 */
#define RT_DMA_PORT_ERROR 0

/**
 * A line of `LOG_W`.
 */
#define RT_DMA_PORT_WARNING 1

/**
 * A line of `LOG_I`.
 */
#define RT_DMA_PORT_INFO 2

/**
 * An entry was found and filled in.
 */
#define RT_DMA_PORT_FOUND 0

/**
 * The list ends before that index.
 */
#define RT_DMA_PORT_END 1

/**
 * There is an entry, but it cannot be read.
 */
#define RT_DMA_PORT_UNREADABLE 2

/**
 * The kernel is built without the service.
 */
#define RT_DMA_PORT_ABSENT 3

/**
 * The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`): their values depend on its configuration.
 */
struct rt_dma_port_errors {
  /**
   * `RT_EOK`
   */
  intptr_t ok;
  /**
   * `-RT_ERROR`
   */
  intptr_t error;
  /**
   * `-RT_EINVAL`
   */
  intptr_t inval;
  /**
   * `-RT_ENOSYS`
   */
  intptr_t nosys;
  /**
   * `-RT_EEMPTY`
   */
  intptr_t empty;
  /**
   * `-RT_ENOMEM`
   */
  intptr_t nomem;
  /**
   * `-RT_EBUSY`
   */
  intptr_t busy;
  /**
   * `-RT_EIO`
   */
  intptr_t io;
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
  /**
   * Reserved list: 1 if the node is in use, not hot-pluggable and named "dma-pool".
   */
  int usable;
  /**
   * `memory-region`: 1 if the node says `no-map`.
   */
  int no_map;
  /**
   * `memory-region`: 1 if the node says `reusable`.
   */
  int reusable;
};

/**
 * A DMA window of a PCI host bridge, as the port reports it.
 */
struct rt_dma_port_window {
  /**
   * First byte as the processor sees it.
   */
  uint64_t cpu;
  /**
   * First byte as the device sees it.
   */
  uint64_t bus;
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

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The BSP's error numbers: a constant. Any context.
 */
extern const struct rt_dma_port_errors *rt_dma_port_error_numbers(void);

/**
 * 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
 * sizes. Any context.
 */
extern int rt_dma_port_revision(void);

/**
 * Bytes up to which a pool is mapped as a whole for its uncached or write-through buffers. Any context.
 */
extern uintptr_t rt_dma_port_view_limit(void);

/**
 * `rt_calloc(1, size)`. Thread.
 */
extern void *rt_dma_port_heap_alloc(uintptr_t size);

/**
 * `rt_free`. Thread.
 */
extern void rt_dma_port_heap_free(void *memory);

/**
 * `rt_kmem_v2p`; RT_DMA_PORT_UNMAPPED if nothing is mapped there. Any context.
 */
extern uintptr_t rt_dma_port_v2p(void *va);

/**
 * `pa - PV_OFFSET`. Any context.
 */
extern void *rt_dma_port_linear(uintptr_t pa);

/**
 * Maps whole pages write-back cached at their linear address with `rt_aspace_map_phy`; 0 on success, -1 on failure
 * and where the revision leaves the linear map to its boot code. Thread.
 */
extern int rt_dma_port_map_linear(uintptr_t pa,
                                  uintptr_t size);

/**
 * `rt_ioremap_cached` (RT_DMA_PORT_CACHED), `rt_ioremap_nocache` (RT_DMA_PORT_UNCACHED), `rt_ioremap_wt`
 * (RT_DMA_PORT_WRITE_THROUGH); null on failure. Thread.
 */
extern void *rt_dma_port_map(uintptr_t pa, uintptr_t size, int memory);

/**
 * `rt_iounmap`. Thread.
 */
extern void rt_dma_port_unmap(void *va);

/**
 * `rt_hw_cpu_dcache_ops(RT_HW_CACHE_FLUSH, ...)`. Any context.
 */
extern void rt_dma_port_cache_flush(void *va, int size);

/**
 * `rt_hw_cpu_dcache_ops(RT_HW_CACHE_INVALIDATE, ...)`. Any context.
 */
extern void rt_dma_port_cache_invalidate(void *va, int size);

/**
 * Bytes in a line of the data cache. Any context.
 */
extern uintptr_t rt_dma_port_cache_line(void);

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
 * 1 in a thread with interrupts on, or before the scheduler runs; 0 in an interrupt or with interrupts off. Any
 * context.
 */
extern int rt_dma_port_can_sleep(void);

/**
 * Lets other threads run for a tick (`rt_thread_mdelay(1)`); returns at once before the scheduler runs. Thread.
 */
extern void rt_dma_port_pause(void);

/**
 * Fills in entry `index` of `rt_memblock_get_reserved()`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END, or
 * RT_DMA_PORT_ABSENT without memblock. Thread.
 */
extern int rt_dma_port_reserved(uintptr_t index, struct rt_dma_port_region *region);

/**
 * `rt_dm_dev_get_name`; may be null. Any context.
 */
extern const char *rt_dma_port_device_name(void *dev);

/**
 * `rt_dma_device_is_coherent`. Any context.
 */
extern int rt_dma_port_device_is_coherent(void *dev);

/**
 * `dev->dma_ops`. Any context.
 */
extern const void *rt_dma_port_device_ops(void *dev);

/**
 * `dev->dma_ops = ops`. Any context.
 */
extern void rt_dma_port_device_set_ops(void *dev, const void *ops);

/**
 * 1 if the device has a device-tree node. Any context.
 */
extern int rt_dma_port_has_node(void *dev);

/**
 * Fills in region `index` of the node's `memory-region`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END or
 * RT_DMA_PORT_UNREADABLE. Thread.
 */
extern int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_region *region);

/**
 * 1 if a node above the device's has a non-empty `dma-ranges`. Thread.
 */
extern int rt_dma_port_has_dma_ranges(void *dev);

/**
 * `rt_ofw_translate_cpu2dma`; RT_DMA_PORT_UNMAPPED where no range covers `pa`. Any context.
 */
extern uintptr_t rt_dma_port_cpu_to_dma(void *dev, uintptr_t pa);

/**
 * `rt_ofw_translate_dma2cpu`; RT_DMA_PORT_UNMAPPED where no range covers `handle`. Any context.
 */
extern uintptr_t rt_dma_port_dma_to_cpu(void *dev, uintptr_t handle);

/**
 * Fills in DMA window `index` of the host bridge of a device on bus "pci"; RT_DMA_PORT_FOUND or RT_DMA_PORT_END.
 * Any context.
 */
extern int rt_dma_port_bus_window(void *dev,
                                  uintptr_t index,
                                  struct rt_dma_port_window *window);

/**
 * One line in the log under the tag "dma.pool". `format` takes `name`, then the words. Thread.
 */
extern void rt_dma_port_log(int level,
                            const char *format,
                            const char *name,
                            uintptr_t a,
                            uintptr_t b,
                            uintptr_t c,
                            uintptr_t d,
                            uintptr_t e);

/**
 * One line for the shell. `format` takes `name`, then the words, then `tail`. Thread.
 */
extern void rt_dma_port_print(const char *format,
                              const char *name,
                              uintptr_t a,
                              uintptr_t b,
                              uintptr_t c,
                              uintptr_t d,
                              uintptr_t e,
                              const char *tail);

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


#endif /* RT_DMA_PORT_H */
