/* SPDX-License-Identifier: Apache-2.0 */
/* Made by cbindgen from the Rust sources; tests/headers.rs describes how to make it anew. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file rt_dma_watch.h
 * @brief The library's side of the debug mode. Only the files rtthread-port/rt_dma_port_debug*.c call it.
 */
#ifndef RT_DMA_WATCH_H
#define RT_DMA_WATCH_H

#include "rt_dma.h"

/**
 * @brief Words of memory for each entry of the table.
 */
#define RT_DMA_WATCH_ENTRY_WORDS 11

/**
 * @brief The call is for mappings of `rt_dma_map_single`.
 */
#define RT_DMA_WATCH_SINGLE 0

/**
 * @brief The call is for mappings of `rt_dma_map_page`.
 */
#define RT_DMA_WATCH_PAGE 1

/**
 * @brief The call is for mappings of `rt_dma_map_single` and of `rt_dma_map_page`.
 */
#define RT_DMA_WATCH_ANY 2

/**
 * @brief The call is for mappings of `rt_dmam_map_single`.
 */
#define RT_DMA_WATCH_MANAGED 3

/**
 * @brief The call is for mappings with `RT_DMA_ATTR_LIST_ENTRY`.
 */
#define RT_DMA_WATCH_LIST_ENTRY 4

/**
 * A device. Only the port accesses its members.
 */
struct rt_device;

/**
 * @brief A call of a driver.
 */
struct rt_dma_watch_call {
  /**
   * The device. The call is not checked if it is null.
   */
  struct rt_device *dev;
  /**
   * The address to which the call returns.
   */
  uintptr_t caller;
  /**
   * The time in milliseconds.
   */
  uintptr_t time;
  /**
   * 1 if the device has no map operations yet.
   */
  int is_new;
  /**
   * The first byte of the calling thread's stack; 0 if it is not known.
   */
  uintptr_t stack;
  /**
   * Bytes of that stack.
   */
  uintptr_t stack_size;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * @brief Gives the debug mode the memory of its table. Calls after the first one have no effect.
 *
 * @param[in] memory Zeroed memory, aligned for a pointer, which the debug mode keeps: RT_DMA_WATCH_ENTRY_WORDS words for
 * each entry.
 * @param[in] count Entries.
 * @note Context: any.
 */
void rt_dma_watch_start(void *memory,
                        uintptr_t count);

/**
 * @brief Counts an allocation or a mapping, and returns whether it must fail: `rt_dma_watch_fail` asked for it.
 *
 * @param[in] call The call.
 * @param[in] size Bytes that the driver asked for.
 * @return 1 if the call must fail, else 0.
 * @note Context: any.
 */
int rt_dma_watch_must_fail(const struct rt_dma_watch_call *call,
                           uintptr_t size);

/**
 * @brief Makes an allocation or a mapping of a device fail.
 *
 * @param[in] call The call, with the device.
 * @param[in] number 1 for the next one, 2 for the one after it; 0 for none any more.
 * @return 1; 0 if there is no room for a record of the device.
 * @note Context: any.
 */
int rt_dma_watch_fail(const struct rt_dma_watch_call *call, uintptr_t number);

/**
 * @brief Returns whether the call that `rt_dma_watch_fail` asked for has failed.
 *
 * @param[in] dev The device.
 * @return 1 if it has, else 0.
 * @note Context: any.
 */
int rt_dma_watch_has_failed(struct rt_device *dev);

/**
 * @brief Returns the device with a name.
 *
 * @param[in] name The name.
 * @return The device; null if no such device used DMA memory.
 * @note Context: any.
 */
struct rt_device *rt_dma_watch_find(const char *name);

/**
 * @brief Returns how many mistakes were found.
 *
 * @param[in] dev The device; null for all devices.
 * @return The number.
 * @note Context: any.
 */
uintptr_t rt_dma_watch_mistakes(struct rt_device *dev);

/**
 * @brief Prints the mistakes that were found, and what devices hold.
 *
 * @param[in] dev The device; null for all devices.
 * @param[in] now The time in milliseconds.
 * @note Context: thread.
 */
void rt_dma_watch_list(struct rt_device *dev, uintptr_t now);

/**
 * @brief Prints what devices hold.
 *
 * @param[in] now The time in milliseconds.
 * @note Context: thread.
 */
void rt_dma_watch_list_held(uintptr_t now);

/**
 * @brief Notes that the device is removed: its managed resources are released, and what it holds besides is reported.
 *
 * @param[in] call The call.
 * @note Context: any.
 */
void rt_dma_watch_released(const struct rt_dma_watch_call *call);

/**
 * @brief Checks a map after it was done, and records the mapping.
 *
 * @param[in] call The call.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes.
 * @param[in] direction The direction.
 * @param[in] attrs The attributes.
 * @param[in] dma_handle What the map returned.
 * @param[in] is_managed 1 if `rt_dmam_release` ends the mapping.
 * @note Context: any.
 */
void rt_dma_watch_mapped(const struct rt_dma_watch_call *call,
                         void *cpu_addr,
                         uintptr_t size,
                         int direction,
                         uintptr_t attrs,
                         uintptr_t dma_handle,
                         int is_managed);

/**
 * @brief Checks the map of a part of a page after it was done, and records the mapping.
 *
 * @param[in] call The call.
 * @param[in] pa The physical address of the part.
 * @param[in] size Bytes.
 * @param[in] direction The direction.
 * @param[in] dma_handle What the map returned.
 * @note Context: any.
 */
void rt_dma_watch_page_mapped(const struct rt_dma_watch_call *call,
                              uintptr_t pa,
                              uintptr_t size,
                              int direction,
                              uintptr_t dma_handle);

/**
 * @brief Checks the map of a list after it was done, and records the mappings.
 *
 * @param[in] call The call.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction.
 * @param[in] is_mapped 1 if the list was mapped.
 * @note Context: any.
 */
void rt_dma_watch_list_mapped(const struct rt_dma_watch_call *call,
                              struct rt_dma_sg *sg,
                              int nents,
                              int direction,
                              int is_mapped);

/**
 * @brief Notes that a driver checked whether a map failed.
 *
 * @param[in] call The call.
 * @param[in] dma_handle What the map returned.
 * @note Context: any.
 */
void rt_dma_watch_checked(const struct rt_dma_watch_call *call, uintptr_t dma_handle);

/**
 * @brief Checks an unmap before it is done.
 *
 * @param[in] call The call.
 * @param[in] dma_handle The handle.
 * @param[in] size Bytes.
 * @param[in] direction The direction.
 * @param[in] kind RT_DMA_WATCH_SINGLE, RT_DMA_WATCH_PAGE, RT_DMA_WATCH_ANY, RT_DMA_WATCH_MANAGED or RT_DMA_WATCH_LIST_ENTRY.
 * @note Context: any.
 */
void rt_dma_watch_unmapping(const struct rt_dma_watch_call *call,
                            uintptr_t dma_handle,
                            uintptr_t size,
                            int direction,
                            int kind);

/**
 * @brief Checks the unmap of a list before it is done.
 *
 * @param[in] call The call.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction.
 * @note Context: any.
 */
void rt_dma_watch_list_unmapping(const struct rt_dma_watch_call *call,
                                 struct rt_dma_sg *sg,
                                 int nents,
                                 int direction);

/**
 * @brief Checks a sync before it is done.
 *
 * @param[in] call The call.
 * @param[in] dma_handle The handle.
 * @param[in] size Bytes.
 * @param[in] direction The direction.
 * @note Context: any.
 */
void rt_dma_watch_syncing(const struct rt_dma_watch_call *call,
                          uintptr_t dma_handle,
                          uintptr_t size,
                          int direction);

/**
 * @brief Checks the sync of a list before it is done.
 *
 * @param[in] call The call.
 * @param[in] sg The list.
 * @param[in] nents Entries in the list.
 * @param[in] direction The direction.
 * @note Context: any.
 */
void rt_dma_watch_list_syncing(const struct rt_dma_watch_call *call, struct rt_dma_sg *sg, int nents, int direction);

/**
 * @brief Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. One for NULL or 0 bytes is not checked: the library
 * refuses it.
 *
 * @param[in] call The call.
 * @param[in] data The buffer.
 * @param[in] size Bytes.
 * @param[in] flags The flags.
 * @note Context: any.
 */
void rt_dma_watch_syncing_data(const struct rt_dma_watch_call *call,
                               void *data,
                               uintptr_t size,
                               uintptr_t flags);

/**
 * @brief Records a buffer.
 *
 * @param[in] call The call.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes that the driver asked for.
 * @param[in] dma_handle The handle.
 * @param[in] flags The flags.
 * @param[in] is_managed 1 if `rt_dmam_release` frees it.
 * @note Context: any.
 */
void rt_dma_watch_allocated(const struct rt_dma_watch_call *call,
                            void *cpu_addr,
                            uintptr_t size,
                            uintptr_t dma_handle,
                            uintptr_t flags,
                            int is_managed);

/**
 * @brief Checks a free before it is done. A free of NULL or of 0 bytes does nothing, and is not checked.
 *
 * @param[in] call The call.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes.
 * @param[in] dma_handle The handle.
 * @param[in] is_managed 1 if the call is for managed buffers.
 * @return What `rt_dma_watch_freed` takes.
 * @note Context: any.
 */
uintptr_t rt_dma_watch_freeing(const struct rt_dma_watch_call *call,
                               void *cpu_addr,
                               uintptr_t size,
                               uintptr_t dma_handle,
                               int is_managed);

/**
 * @brief Checks whether a free of memory that the table does not have was refused.
 *
 * @param[in] call The call.
 * @param[in] cpu_addr The buffer.
 * @param[in] size Bytes; 0 if the call does not state it.
 * @param[in] refused The result of the check before the free.
 * @note Context: any.
 */
void rt_dma_watch_freed(const struct rt_dma_watch_call *call,
                        void *cpu_addr,
                        uintptr_t size,
                        uintptr_t refused);

/**
 * @brief Records a block pool.
 *
 * @param[in] call The call.
 * @param[in] pool The pool.
 * @param[in] size Bytes in a block.
 * @param[in] is_managed 1 if `rt_dmam_release` destroys it.
 * @note Context: thread.
 */
void rt_dma_watch_pool_created(const struct rt_dma_watch_call *call,
                               struct rt_dma_block_pool *pool,
                               uintptr_t size,
                               int is_managed);

/**
 * @brief Forgets a block pool that was destroyed.
 *
 * @param[in] pool The pool.
 * @note Context: any.
 */
void rt_dma_watch_pool_destroyed(struct rt_dma_block_pool *pool);

/**
 * @brief Returns the device of a block pool.
 *
 * @param[in] pool The pool.
 * @return The device; null if the pool is not in the table.
 * @note Context: any.
 */
struct rt_device *rt_dma_watch_pool_device(struct rt_dma_block_pool *pool);

/**
 * @brief Records a block.
 *
 * @param[in] call The call.
 * @param[in] pool The pool.
 * @param[in] block The block.
 * @param[in] dma_handle The handle.
 * @note Context: any.
 */
void rt_dma_watch_block_allocated(const struct rt_dma_watch_call *call,
                                  struct rt_dma_block_pool *pool,
                                  void *block,
                                  uintptr_t dma_handle);

/**
 * @brief Checks the free of a block before it is done. A free of NULL does nothing, and is not checked.
 *
 * @param[in] call The call.
 * @param[in] pool The pool.
 * @param[in] block The block.
 * @param[in] dma_handle The handle.
 * @return What `rt_dma_watch_freed` takes.
 * @note Context: any.
 */
uintptr_t rt_dma_watch_block_freeing(const struct rt_dma_watch_call *call,
                                     struct rt_dma_block_pool *pool,
                                     void *block,
                                     uintptr_t dma_handle);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


#endif /* RT_DMA_WATCH_H */
