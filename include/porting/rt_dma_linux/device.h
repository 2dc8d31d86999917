/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * @brief For porting drivers from Linux: which pointers are a device.
 */
#ifndef RT_DMA_LINUX_DEVICE_H
#define RT_DMA_LINUX_DEVICE_H

struct device;
struct rt_device;

/*
 * A device as an argument is a `struct device *`, a `struct rt_device *` or a `void *`. In GNU C, which Linux's drivers are
 * written in, and in C++, no other pointer compiles. Strict ISO C does not check it.
 */
#if defined(__cplusplus)
extern "C++" {
/*
 * The constructor below takes a pointer to each type for which dma_linux_device_type has the member `allowed`. Any other
 * pointer does not compile.
 */
/** @brief Lists the types that a driver may use for a device. */
template <class T> struct dma_linux_device_type;
/** @brief A `void *` may point to a device. */
template <> struct dma_linux_device_type<void>
{
    /** Exists, so the type is accepted. */
    typedef int allowed;
};
/** @brief Linux's `struct device`; with `#define device rt_device` it is RT-Thread's. */
template <> struct dma_linux_device_type<struct device>
{
    /** Exists, so the type is accepted. */
    typedef int allowed;
};

/** @brief A device as an argument. */
struct dma_device_t
{
    /** RT-Thread's device. */
    struct rt_device *rt;

    /** Takes RT-Thread's device, or a null pointer. */
    dma_device_t(struct rt_device *dev) : rt(dev) {}
    /** Takes Linux's device, or `void *`. */
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
