/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings in the kernel's ioremap window: thread context only. */
#ifndef IOREMAP_H__
#define IOREMAP_H__

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

extern void *rt_ioremap_start;
extern size_t rt_ioremap_size;

void *rt_ioremap(void *paddr, size_t size);         /* Device memory */
void *rt_ioremap_nocache(void *paddr, size_t size); /* Device memory */
void *rt_ioremap_wt(void *paddr, size_t size);      /* Normal Non-cacheable on aarch64 */
void *rt_ioremap_cached(void *paddr, size_t size);  /* write-back cached */
void rt_iounmap(volatile void *addr);

#ifdef __cplusplus
}
#endif
#endif
