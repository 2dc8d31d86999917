/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma_port.h
 * @brief What the library needs from the kernel. The files of rtthread-port/ define it; drivers do not include this header.
 *
 * rt_dma.h defines the terms of the notes "Context".
 */
#ifndef RT_DMA_PORT_H
#define RT_DMA_PORT_H

/**
 * @brief What rt_dma_port_v2p returns for an address that is not mapped.
 */
#define RT_DMA_PORT_UNMAPPED UINTPTR_MAX

/**
 * Memory type: write-back cached.
 */
#define RT_DMA_PORT_CACHED 0

/**
 * Memory type: not cached.
 */
#define RT_DMA_PORT_UNCACHED 1

/**
 * Memory type: write-through.
 */
#define RT_DMA_PORT_WRITE_THROUGH 2

/**
 * Cache operation: write dirty lines to memory (`RT_HW_CACHE_FLUSH`).
 */
#define RT_DMA_PORT_FLUSH 1

/**
 * Cache operation: drop lines (`RT_HW_CACHE_INVALIDATE`).
 */
#define RT_DMA_PORT_INVALIDATE 2

/**
 * Cache operation: write dirty lines to memory and drop them, in one step, so that a write to a line meanwhile is not
 * lost.
 */
#define RT_DMA_PORT_FLUSH_AND_DROP 3

/**
 * Severity of a log line: an error (`LOG_E`).
 */
#define RT_DMA_PORT_ERROR 0

/**
 * Severity of a log line: a warning (`LOG_W`).
 */
#define RT_DMA_PORT_WARNING 1

/**
 * The entry was found.
 */
#define RT_DMA_PORT_FOUND 0

/**
 * The caller of `rt_dma_pool_extract` passed no list.
 */
#define RT_DMA_PORT_INVALID 1

/**
 * The kernel is built without the service.
 */
#define RT_DMA_PORT_ABSENT 2

/**
 * The list ends before the index.
 */
#define RT_DMA_PORT_END 3

/**
 * The entry exists, but cannot be read.
 */
#define RT_DMA_PORT_UNREADABLE 4

/**
 * `memory-region` refers to no node.
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
 * A range of physical memory.
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
 * A region of reserved memory to which a device's node refers in `memory-region`.
 */
struct rt_dma_port_named_region {
  /**
   * First and last byte.
   */
  struct rt_dma_port_region place;
  /**
   * 1 if its node has `no-map`.
   */
  int no_map;
  /**
   * 1 if its node has `reusable`.
   */
  int reusable;
  /**
   * 1 if a `reusable` region serves every device: its node has `linux,cma-default`, or the configuration has
   * `PKG_RT_DMA_POOL_SHARE_REUSABLE`.
   */
  int is_shared;
};

/**
 * A DMA window of a PCI host bridge: the first members of a `struct rt_pci_bus_region`.
 */
struct rt_dma_port_window {
  /**
   * First byte, as an address of the device.
   */
  uint64_t bus;
  /**
   * First byte, as an address of the processor.
   */
  uint64_t cpu;
  /**
   * Size in bytes.
   */
  uint64_t size;
};

/**
 * The list of `rt_region_t` that the caller of `rt_dma_pool_extract` passes in revision r1; ignored in revision r2.
 */
struct rt_dma_port_list {
  /**
   * The first region, or null.
   */
  const void *start;
  /**
   * Number of regions.
   */
  uintptr_t length;
};

/**
 * A child of `/reserved-memory` with `compatible = "shared-dma-pool"`.
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
   * 1 if the node has `no-map`.
   */
  int no_map;
  /**
   * 1 if the node has `reusable`.
   */
  int reusable;
  /**
   * 1 if the node has `linux,cma-default`.
   */
  int is_default;
};

/**
 * The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
 * configuration.
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
 * Constants of the BSP's configuration.
 */
struct rt_dma_port_configuration {
  /**
   * The BSP's error numbers.
   */
  struct rt_dma_port_errors errors;
  /**
   * Largest size, in MiB, of a pool that is mapped as a whole for its uncached or write-through buffers; 0 to 32,767.
   */
  int16_t view_limit;
  /**
   * 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
   * sizes.
   */
  int16_t revision;
  /**
   * Offset of `dma_ops` in a `struct rt_device`, in bytes.
   */
  uint16_t ops_offset;
  /**
   * 1 if the configuration has `PKG_RT_DMA_POOL_MAP_AT_INSTALL`, else 0.
   */
  int16_t maps_at_install;
  /**
   * Size of the largest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`), in bytes; 0 if it states none.
   */
  uint16_t stated_cache_line;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Returns a device's name (`rt_dm_dev_get_name`), or that of its device-tree node.
 *
 * @param[in] dev The device.
 * @return The name; null if the device has no name and no node.
 *
 * @note Context: any
 */
extern const char *rt_dma_port_device_name(void *dev);

/**
 * @brief Returns whether a device is coherent (`rt_dma_device_is_coherent`).
 *
 * @param[in] dev The device.
 * @return Not 0 if it is.
 *
 * @note Context: any
 */
extern int rt_dma_port_device_is_coherent(void *dev);

/**
 * @brief Sets `dev->dma_ops` with release, if it is null.
 *
 * @param[in] dev The device.
 * @param[in] ops The map operations.
 *
 * @note Context: any
 */
extern void rt_dma_port_device_choose_ops(void *dev, const void *ops);

/**
 * @brief Sets `dev->dma_ops` with release.
 *
 * @param[in] dev The device.
 * @param[in] ops The map operations.
 *
 * @note Context: any
 */
extern void rt_dma_port_device_set_ops(void *dev, const void *ops);

/**
 * @brief Returns a device's device-tree node.
 *
 * @param[in] dev The device.
 * @return The node; null if the device has none.
 *
 * @note Context: any
 */
extern const void *rt_dma_port_node(void *dev);

/**
 * @brief Reads one entry of the `memory-region` of a device's node.
 *
 * @param[in] dev The device.
 * @param[in] index The index in the property.
 * @param[out] region The region, if the entry was found.
 * @retval RT_DMA_PORT_FOUND The region was filled in.
 * @retval RT_DMA_PORT_END The property has no such entry.
 * @retval RT_DMA_PORT_NO_NODE The entry refers to no node.
 * @retval RT_DMA_PORT_DISABLED The node is disabled.
 * @retval RT_DMA_PORT_NO_REG The node has no `reg`.
 * @retval RT_DMA_PORT_UNREADABLE The `reg` is malformed, or beyond what the processor can address.
 * @retval RT_DMA_PORT_NOT_RESERVED The page allocator owns a part of the region.
 *
 * @note Context: thread
 */
extern int rt_dma_port_memory_region(void *dev, uintptr_t index, struct rt_dma_port_named_region *region);

/**
 * @brief Finds the next node above that of a device with a non-empty `dma-ranges`.
 *
 * @param[in] dev The device, which has a node.
 * @return The node; null if there is none.
 *
 * @note Context: thread
 */
extern const void *rt_dma_port_dma_ranges(void *dev);

/**
 * @brief Translates a physical address for a device (`rt_ofw_translate_cpu2dma`).
 *
 * @param[in] dev The device, which has a node.
 * @param[in] pa The physical address.
 * @param[out] last The last address, not below `pa`, up to which the result holds: the device's addresses rise
 *        with the physical ones up to it, or no range covers any of them.
 * @return The device's address; RT_DMA_PORT_UNMAPPED if no range of the bus above the device covers `pa`.
 *
 * @note Context: thread first, then any. The first call for a bus reads its ranges.
 */
extern uintptr_t rt_dma_port_bus_address(void *dev,
                                         uintptr_t pa,
                                         uintptr_t *last);

/**
 * @brief Translates a device's address (`rt_ofw_translate_dma2cpu`).
 *
 * @param[in] dev The device, which has a node.
 * @param[in] handle The device's address.
 * @return The physical address; RT_DMA_PORT_UNMAPPED if the processor has no such address.
 *
 * @note Context: thread first, then any. The first call for a bus reads its ranges.
 */
extern uintptr_t rt_dma_port_cpu_address(void *dev, uintptr_t handle);

/**
 * @brief Finds a DMA window of the host bridge of a device on bus "pci".
 *
 * @param[in] dev The device.
 * @param[in] index The index of the window.
 * @return The window, to be read at once; null if there is none.
 *
 * @note Context: any
 */
extern const struct rt_dma_port_window *rt_dma_port_bus_window(void *dev, uintptr_t index);

/**
 * @brief Writes a line to the log under the tag "dma.pool": `name`, a colon, and the formatted text. Where the
 * caller may not sleep, it writes nothing.
 *
 * @param[in] level RT_DMA_PORT_ERROR or RT_DMA_PORT_WARNING.
 * @param[in] name The name; if it is null, the line begins with the address `dev`.
 * @param[in] format A `printf` format of `%s`, `%lu` and `%lx`, at most four of them.
 * @param[in] a First argument of the format; 0 if there is none.
 * @param[in] b Second argument.
 * @param[in] c Third argument.
 * @param[in] d Fourth argument.
 * @param[in] dev The address of the device that the line is about, or 0.
 *
 * @note Context: any
 */
extern void rt_dma_port_log(int level,
                            const char *name,
                            const char *format,
                            uintptr_t a,
                            uintptr_t b,
                            uintptr_t c,
                            uintptr_t d,
                            uintptr_t dev);

/**
 * @brief Logs that memory is reserved (`LOG_I`).
 *
 * @param[in] start The first byte.
 * @param[in] name The name of the pool.
 * @param[in] size Bytes.
 *
 * @note Context: thread
 */
extern void rt_dma_port_log_reserved(uintptr_t start, const char *name, uintptr_t size);

/**
 * @brief The shell command `list_dma_pool` with options: calls `rt_dma_list_pools` if the configuration has the options.
 *
 * @param[in] argc Number of arguments, the command included.
 * @param[in] argv The arguments.
 * @return The command's result.
 *
 * @note Context: thread
 */
extern int rt_dma_port_list(int argc,
                            char **argv);

/**
 * @brief Prints text to the shell (`rt_kprintf`).
 *
 * @param[in] format A `printf` format of `%s`, `%lu` and `%lx`, at most six of them.
 * @param[in] a First argument of the format; 0 if there is none.
 * @param[in] b Second argument.
 * @param[in] c Third argument.
 * @param[in] d Fourth argument.
 * @param[in] e Fifth argument.
 * @param[in] f Sixth argument.
 *
 * @note Context: thread
 */
extern void rt_dma_port_print(const char *format,
                              uintptr_t a,
                              uintptr_t b,
                              uintptr_t c,
                              uintptr_t d,
                              uintptr_t e,
                              uintptr_t f);

/**
 * @brief Allocates zeroed memory (`rt_calloc`).
 *
 * @param[in] size Bytes, not zero.
 * @return The memory, aligned for a pointer; null if the heap has no room.
 *
 * @note Context: thread
 */
extern void *rt_dma_port_heap_alloc(uintptr_t size);

/**
 * @brief Frees memory (`rt_free`).
 *
 * @param[in] memory What `rt_dma_port_heap_alloc` returned.
 *
 * @note Context: thread
 */
extern void rt_dma_port_heap_free(void *memory);

/**
 * @brief Translates a virtual address (`rt_kmem_v2p`). A kernel without page tables gives `va + PV_OFFSET`.
 *
 * @param[in] va The address.
 * @return The physical address; RT_DMA_PORT_UNMAPPED if nothing is mapped at the address.
 *
 * @note Context: any
 */
extern uintptr_t rt_dma_port_v2p(void *va);

/**
 * @brief Returns whether the kernel has page tables.
 *
 * @return 0 if the kernel leaves the MMU off: then every address is mapped at `PV_OFFSET` from its physical address,
 *         and only cached memory can be mapped. Otherwise not 0.
 *
 * @note Context: any
 */
extern int rt_dma_port_has_page_tables(void);

/**
 * @brief Returns `PV_OFFSET`: the physical address minus the virtual address, in the linear map.
 *
 * @return `PV_OFFSET`.
 *
 * @note Context: any
 */
extern uintptr_t rt_dma_port_pv_offset(void);

/**
 * @brief Maps whole pages write-back cached (`rt_aspace_map_phy`), if the kernel can. It maps nothing where the
 * revision leaves the linear map to the boot code.
 *
 * @param[in] va The virtual address, at which nothing is mapped.
 * @param[in] pa The physical address.
 * @param[in] size Bytes, whole pages.
 *
 * @note Context: thread
 */
extern void rt_dma_port_map_linear(void *va,
                                   uintptr_t pa,
                                   uintptr_t size);

/**
 * @brief Removes a mapping of `rt_dma_port_map_linear` (`rt_aspace_unmap`).
 *
 * @param[in] va The virtual address at which it begins.
 * @param[in] size Bytes, all that was mapped.
 *
 * @note Context: thread
 */
extern void rt_dma_port_unmap_linear(void *va, uintptr_t size);

/**
 * @brief Maps whole pages at an address that the kernel chooses (`rt_ioremap_cached`, `rt_ioremap_nocache`,
 * `rt_ioremap_wt`).
 *
 * @param[in] pa The physical address.
 * @param[in] size Bytes, whole pages.
 * @param[in] memory RT_DMA_PORT_CACHED, RT_DMA_PORT_UNCACHED or RT_DMA_PORT_WRITE_THROUGH.
 * @return The address, or null on failure. Without page tables: the linear address for RT_DMA_PORT_CACHED, null
 *         for other memory.
 *
 * @note Context: thread
 */
extern void *rt_dma_port_map(uintptr_t pa,
                             uintptr_t size,
                             int memory);

/**
 * @brief Removes a mapping (`rt_iounmap`).
 *
 * @param[in] va What `rt_dma_port_map` returned.
 *
 * @note Context: thread
 */
extern void rt_dma_port_unmap(void *va);

/**
 * @brief Maintains the data cache (`rt_hw_cpu_dcache_ops`). The operation is complete when the call returns.
 *
 * @param[in] operation RT_DMA_PORT_FLUSH, RT_DMA_PORT_INVALIDATE or RT_DMA_PORT_FLUSH_AND_DROP.
 * @param[in] va The first byte.
 * @param[in] size Bytes, not zero.
 *
 * @note Context: any
 */
extern void rt_dma_port_cache(int operation, void *va, int size);

/**
 * @brief Returns the size of the largest line of any cache of the system.
 *
 * @return Bytes, a power of two.
 *
 * @note Context: any
 */
extern uintptr_t rt_dma_port_cache_line_max(void);

/**
 * @brief Masks interrupts on this core. Calls nest.
 *
 * @return The value for `rt_dma_port_irq_restore`.
 *
 * @note Context: any
 */
extern uintptr_t rt_dma_port_irq_save(void);

/**
 * @brief Undoes one `rt_dma_port_irq_save`.
 *
 * @param[in] saved The value that it returned.
 *
 * @note Context: any
 */
extern void rt_dma_port_irq_restore(uintptr_t saved);

/**
 * @brief Excludes all other code on every core, for the crate critical-section (`rt_hw_interrupt_disable`).
 *
 * @return The value for `rt_dma_port_critical_exit`.
 *
 * @note Context: any
 */
extern uintptr_t rt_dma_port_critical_enter(void);

/**
 * @brief Undoes one `rt_dma_port_critical_enter` (`rt_hw_interrupt_enable`).
 *
 * @param[in] saved The value that it returned.
 *
 * @note Context: any
 */
extern void rt_dma_port_critical_exit(uintptr_t saved);

/**
 * @brief Returns whether the caller must not sleep.
 *
 * @return Not 0 in an interrupt, and in a thread with interrupts masked or the scheduler locked; otherwise 0.
 *
 * @note Context: any
 */
extern int rt_dma_port_is_atomic(void);

/**
 * @brief Lets other threads run for a tick (`rt_thread_mdelay(1)`). The scheduler is running.
 *
 * @note Context: thread
 */
extern void rt_dma_port_pause(void);

/**
 * @brief Finds a region in which boot pools can be made.
 *
 * In revision r1, all regions of the list are counted, and one without a name is returned as empty. In revision
 * r2, the regions of `rt_memblock_get_reserved()` are counted that are in use, not hot-pluggable, and named
 * "dma-pool".
 *
 * @param[in] list In revision r1, the list of the caller of `rt_dma_pool_extract`. Otherwise ignored.
 * @param[in] index The index of the region.
 * @return The address of the region's `rt_region_t`; RT_DMA_PORT_END after the last; RT_DMA_PORT_INVALID if a
 *         list is needed and there is none; RT_DMA_PORT_ABSENT without memblock.
 *
 * @note Context: thread
 */
extern uintptr_t rt_dma_port_reserved(const struct rt_dma_port_list *list,
                                      uintptr_t index);

/**
 * @brief Makes a region of a caller's list begin at `end`, unless it ends there or no longer begins at `start`.
 * A region of memblock is not written.
 *
 * @param[in] region What `rt_dma_port_reserved` returned.
 * @param[in] start Where the region began.
 * @param[in] end One past the last byte that pools cover.
 *
 * @note Context: thread
 */
extern void rt_dma_port_consume(void *region,
                                uintptr_t start,
                                uintptr_t end);

/**
 * @brief Reads one of the shared pools of `/reserved-memory`.
 *
 * @param[in] index The index of the pool.
 * @param[out] pool The pool, if it was found.
 * @retval RT_DMA_PORT_FOUND The pool was filled in.
 * @retval RT_DMA_PORT_END There is no such pool.
 * @retval RT_DMA_PORT_UNREADABLE Its node cannot be read.
 * @retval RT_DMA_PORT_ABSENT There is no unflattened device tree.
 *
 * @note Context: thread
 */
extern int rt_dma_port_shared_pool(uintptr_t index, struct rt_dma_port_shared_pool *pool);

/**
 * @brief Reads one entry of a node's `alloc-ranges`.
 *
 * @param[in] node The node.
 * @param[in] index The index of the entry.
 * @param[out] start The first byte.
 * @param[out] size Bytes.
 * @retval RT_DMA_PORT_FOUND The entry was filled in.
 * @retval RT_DMA_PORT_END There is no such entry.
 *
 * @note Context: thread
 */
extern int rt_dma_port_alloc_range(void *node, uintptr_t index, uint64_t *start, uint64_t *size);

/**
 * @brief Reads one entry of `rt_memblock_get_memory()`.
 *
 * @param[in] index The index of the entry.
 * @param[out] region The entry, if it was found.
 * @retval RT_DMA_PORT_FOUND The entry was filled in.
 * @retval RT_DMA_PORT_UNREADABLE The memory has a flag, and is not to be used.
 * @retval RT_DMA_PORT_END There is no such entry.
 *
 * @note Context: thread
 */
extern int rt_dma_port_boot_memory(uintptr_t index, struct rt_dma_port_region *region);

/**
 * @brief Reads one entry of `rt_memblock_get_reserved()`, in use or not.
 *
 * @param[in] index The index of the entry.
 * @param[out] region The entry, if it was found.
 * @retval RT_DMA_PORT_FOUND The entry was filled in.
 * @retval RT_DMA_PORT_END There is no such entry.
 *
 * @note Context: thread
 */
extern int rt_dma_port_boot_reserved(uintptr_t index, struct rt_dma_port_region *region);

/**
 * @brief Returns whether the page allocator owns a page (`rt_page_is_member`).
 *
 * @param[in] pa A physical address in the page.
 * @return Not 0 if it does.
 *
 * @note Context: thread
 */
extern int rt_dma_port_is_paged(uintptr_t pa);

/**
 * @brief Reserves memory for a node (`rt_memblock_reserve_memory`, under the node's name), and makes it the
 * `reg` of the node.
 *
 * @param[in] node The node.
 * @param[in] start The first byte, on a page boundary.
 * @param[in] end One past the last byte, on a page boundary.
 * @param[in] no_map 1 if the node has `no-map`, otherwise 0.
 * @retval 0 The memory is reserved.
 * @retval -1 Nothing was changed.
 *
 * @note Context: thread
 */
extern int rt_dma_port_reserve(void *node, uintptr_t start, uintptr_t end, int no_map);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


/**
 * @brief The constants of the BSP's configuration.
 */
extern const struct rt_dma_port_configuration rt_dma_port_configuration;

#endif /* RT_DMA_PORT_H */
