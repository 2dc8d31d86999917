/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Stops the build where drivers/dma.h is not the one of RT-Thread 5.2.0 to 5.2.2 or of its master since December 2025.
 * Other trees have functions of the same names with other arguments: drivers that were compiled for those would call
 * the library wrongly. rt_dma_port_rtthread.h includes this before any file of the port uses the interface, so that
 * this error comes first.
 */

#ifndef RT_DMA_PORT_INTERFACE_H__
#define RT_DMA_PORT_INTERFACE_H__

#define RT_DMA_PORT_NEEDED(declaration) \
    "; needed: " declaration ", as in RT-Thread 5.2.0 to 5.2.2, or master since December 2025"

#ifndef RT_DMA_F_LINEAR
#error "drivers/dma.h: found no RT_DMA_F_LINEAR; needed: RT-Thread 5.2.0 to 5.2.2, or master since December 2025"
#endif

#if defined(rt_dma_alloc) || defined(rt_dma_free) || defined(rt_dma_pool_install) || defined(rt_dma_pool_extract)
#error "drivers/dma.h: found a macro for a function; needed: RT-Thread 5.2.0 to 5.2.2, or master since December 2025"
#endif

#define RT_DMA_PORT_IS(name, result, ...) \
    __builtin_types_compatible_p(__typeof__(name), result (__VA_ARGS__))

/* Whether a function has no parameters. Other trees declare it with one of these results. */
#define RT_DMA_PORT_TAKES_NOTHING(name) \
    (RT_DMA_PORT_IS(name, void, void) || RT_DMA_PORT_IS(name, int, void) || RT_DMA_PORT_IS(name, rt_err_t, void) || \
     RT_DMA_PORT_IS(name, void *, void) || RT_DMA_PORT_IS(name, struct rt_dma_pool *, void))

_Static_assert(!RT_DMA_PORT_TAKES_NOTHING(rt_dma_pool_install),
        "drivers/dma.h: found rt_dma_pool_install() without arguments"
        RT_DMA_PORT_NEEDED("struct rt_dma_pool *rt_dma_pool_install(rt_region_t *region)"));

/* Any other difference. With its next error, the compiler then shows the declaration that it found. */
_Static_assert(RT_DMA_PORT_IS(rt_dma_pool_install, struct rt_dma_pool *, rt_region_t *),
        "drivers/dma.h: found another rt_dma_pool_install(), which the compiler shows below"
        RT_DMA_PORT_NEEDED("struct rt_dma_pool *rt_dma_pool_install(rt_region_t *region)"));
struct rt_dma_pool *rt_dma_pool_install(rt_region_t *region);

_Static_assert(RT_DMA_PORT_IS(rt_dma_alloc, void *, struct rt_device *, rt_size_t, rt_ubase_t *, rt_ubase_t),
        "drivers/dma.h: found another rt_dma_alloc(), such as one with three arguments, which the compiler shows below"
        RT_DMA_PORT_NEEDED("void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, "
        "rt_ubase_t flags)"));
void *rt_dma_alloc(struct rt_device *dev, rt_size_t size, rt_ubase_t *dma_handle, rt_ubase_t flags);

_Static_assert(RT_DMA_PORT_IS(rt_dma_free, void, struct rt_device *, rt_size_t, void *, rt_ubase_t, rt_ubase_t),
        "drivers/dma.h: found another rt_dma_free(), which the compiler shows below"
        RT_DMA_PORT_NEEDED("void rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, "
        "rt_ubase_t dma_handle, rt_ubase_t flags)"));
void rt_dma_free(struct rt_device *dev, rt_size_t size, void *cpu_addr, rt_ubase_t dma_handle, rt_ubase_t flags);

#endif /* RT_DMA_PORT_INTERFACE_H__ */
