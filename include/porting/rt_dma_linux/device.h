/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * @brief For porting drivers from Linux: the pointers that a call takes for a device.
 */
#ifndef RT_DMA_LINUX_DEVICE_H
#define RT_DMA_LINUX_DEVICE_H

struct device;
struct rt_device;

/*
 * The headers take a `struct device *`, a `struct rt_device *` or a `void *` for a device. Each is converted without a
 * check: it must be null or point to a `struct rt_device`. So a driver's own `struct device` must begin with a
 * `struct rt_device`.
 *
 * Which other pointers the compiler accepts:
 * - GNU C, in which Linux's drivers are written: one to a `const` or `volatile` device, with a warning.
 * - C++: one to a class that is derived from `struct rt_device`, which it converts to the base.
 * - Strict ISO C: every one, because the argument is a `void *` there.
 */
#if defined(__cplusplus)
extern "C++" {
/**
 * @brief Defined for each type, other than `struct rt_device`, to which a pointer to a device may point.
 *
 * A constructor of dma_device_t uses the member `allowed`. Another type has none, so its pointer does not compile.
 */
template <class T> struct dma_linux_device_type;
/** @brief A `void *` is accepted. */
template <> struct dma_linux_device_type<void>
{
    /** For the constructor. */
    typedef int allowed;
};
/** @brief A `struct device *` is accepted. With `#define device rt_device` it is RT-Thread's. */
template <> struct dma_linux_device_type<struct device>
{
    /** For the constructor. */
    typedef int allowed;
};

/** @brief A device as an argument. */
struct dma_device_t
{
    /** RT-Thread's device. */
    struct rt_device *rt;

    /** Takes RT-Thread's device, one of a derived class, or a null pointer. */
    dma_device_t(struct rt_device *dev) : rt(dev) {}
    /** Takes Linux's device, or a `void *`. */
    template <class T>
    dma_device_t(T *dev, typename dma_linux_device_type<T>::allowed = 0)
        : rt(static_cast<struct rt_device *>(static_cast<void *>(dev))) {}
};
}
/** @brief Returns RT-Thread's device of an argument. */
#define dma_rt_device(dev) ((dev).rt)
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__)
/** @brief A device as an argument. */
typedef union
{
    /** RT-Thread's device. */
    struct rt_device *rt;
    /** Linux's device. */
    struct device *dev;
} dma_device_t __attribute__((__transparent_union__));
/** @brief Returns RT-Thread's device of an argument. */
#define dma_rt_device(dev) ((dev).rt)
#else
/** @brief A device as an argument. */
typedef void *dma_device_t;
/** @brief Returns RT-Thread's device of an argument. */
#define dma_rt_device(dev) ((struct rt_device *)(dev))
#endif

#endif /* RT_DMA_LINUX_DEVICE_H */
