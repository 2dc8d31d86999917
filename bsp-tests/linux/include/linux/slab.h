/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap. Unlike RT-Thread's it may be used in interrupts, and a block is aligned to its size as far as that is a power
 * of two, as on Linux. So it is a heap of its own, in an area that the test chooses: see least.h.
 */
#ifndef LEAST_SLAB_H
#define LEAST_SLAB_H

#include <linux/kernel.h>

void *least_kmalloc(size_t size, gfp_t gfp, bool zero);
void kfree(const void *memory);

#define kmalloc(size, gfp)      least_kmalloc(size, gfp, false)
#define kzalloc(size, gfp)      least_kmalloc(size, gfp, true)
#define kcalloc(count, size, gfp) kzalloc((size_t)(count) * (size), gfp)
#define kmalloc_array(count, size, gfp) kmalloc((size_t)(count) * (size), gfp)
#define kzalloc_node(size, gfp, node) ({ (void)(node); kzalloc(size, gfp); })
#define kcalloc_node(count, size, gfp, node) kcalloc(count, size, gfp)
#define kmalloc_node(size, gfp, node) kmalloc(size, gfp)
#define kvcalloc(count, size, gfp) kcalloc(count, size, gfp)
#define kvfree(memory)          kfree(memory)
#define kfree_sensitive(memory) kfree(memory)
#define vmalloc(size)           kmalloc(size, GFP_KERNEL)
#define vfree(memory)           kfree(memory)

#endif
