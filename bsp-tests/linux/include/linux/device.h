/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: what this library needs of one comes first. */
#ifndef LEAST_DEVICE_H
#define LEAST_DEVICE_H

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/delay.h>
#include <linux/module.h>

enum { PROBE_DEFAULT_STRATEGY, PROBE_PREFER_ASYNCHRONOUS };

struct device_driver
{
    const char *name;
    const void *pm;
    int probe_type;
};

struct device
{
    /* A struct rt_device comes first in it. */
    struct rt_pci_device rt;
    struct device *parent;
    void *driver_data;
    u64 *dma_mask;
    u64 coherent_dma_mask;
    struct device_driver *driver;
    void *platform_data;
    int kobj;
    /* The last put_device() calls release(), if there is one. */
    int refs;
    void (*release)(struct device *dev);
};

#define dev_name(dev)           ((const char *)(dev)->rt.parent.parent.name)
#define dev_set_drvdata(dev, data) ((void)((dev)->driver_data = (data)))
#define dev_get_drvdata(dev)    ((dev)->driver_data)
#define dev_get_platdata(dev)   ((dev)->platform_data)
#define dev_to_node(dev)        0
#define set_dev_node(dev, node) ((void)(dev))

static inline struct device *get_device(struct device *dev)
{
    dev->refs++;
    return dev;
}

static inline void put_device(struct device *dev)
{
    if (--dev->refs == 0 && dev->release)
    {
        dev->release(dev);
    }
}

#define dev_printk(level, dev, fmt, ...) printk("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_emerg(dev, fmt, ...) dev_printk(KERN_EMERG, dev, fmt, ##__VA_ARGS__)
#define dev_err(dev, fmt, ...)  dev_printk(KERN_ERR, dev, fmt, ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...) dev_printk(KERN_WARNING, dev, fmt, ##__VA_ARGS__)
#define dev_notice(dev, fmt, ...) dev_printk(KERN_NOTICE, dev, fmt, ##__VA_ARGS__)
#define dev_info(dev, fmt, ...) dev_printk(KERN_INFO, dev, fmt, ##__VA_ARGS__)
#define dev_dbg(dev, fmt, ...)  do { if (0) { dev_printk(KERN_DEBUG, dev, fmt, ##__VA_ARGS__); } } while (0)
#define dev_vdbg                dev_dbg
#define dev_warn_once           dev_warn
#define dev_warn_ratelimited    dev_warn
#define dev_err_ratelimited     dev_err
#define dev_info_ratelimited    dev_info
#define dev_WARN_ONCE(dev, condition, fmt, ...) WARN_ON(condition)

static inline int dev_err_probe(const struct device *dev, int error, const char *fmt, ...)
{
    (void)dev;
    (void)fmt;
    return error;
}

/* ---- power: the devices are always on ---- */

typedef struct { int event; } pm_message_t;
struct dev_pm_ops
{
    int (*suspend)(struct device *dev);
    int (*resume)(struct device *dev);
    int (*freeze)(struct device *dev);
    int (*thaw)(struct device *dev);
    int (*poweroff)(struct device *dev);
    int (*restore)(struct device *dev);
};
#define PMSG_SUSPEND            ((pm_message_t) { 2 })
#define PMSG_IS_AUTO(msg)       ((msg).event & 0x400)
#define SIMPLE_DEV_PM_OPS(name, s, r) const struct dev_pm_ops __maybe_unused name = { .suspend = (s), .resume = (r) }
#define DEFINE_SIMPLE_DEV_PM_OPS(name, s, r) const struct dev_pm_ops __maybe_unused name = { .suspend = (s), .resume = (r) }
#define pm_sleep_ptr(ptr)       (1 ? NULL : (ptr))
#define pm_ptr(ptr)             (1 ? NULL : (ptr))
#define device_set_wakeup_enable(dev, enable) ({ (void)(dev); 0; })
#define device_set_wakeup_capable(dev, capable) ((void)(dev))
#define device_init_wakeup(dev, enable) ({ (void)(dev); 0; })
#define device_may_wakeup(dev)  ({ (void)(dev); false; })
#define device_can_wakeup(dev)  ({ (void)(dev); false; })
#define device_wakeup_enable(dev) ({ (void)(dev); 0; })
#define pm_runtime_get_sync(dev) ({ (void)(dev); 0; })
#define pm_runtime_put(dev)     ({ (void)(dev); 0; })
#define pm_wakeup_event(dev, ms) ((void)(dev))

/* ---- attributes in a file system that is not there ---- */

struct kobject;
struct attribute { const char *name; umode_t mode; };
struct attribute_group
{
    const char *name;
    umode_t (*is_visible)(struct kobject *kobj, struct attribute *attr, int index);
    struct attribute **attrs;
};
struct device_attribute
{
    struct attribute attr;
    ssize_t (*show)(struct device *dev, struct device_attribute *attr, char *buf);
    ssize_t (*store)(struct device *dev, struct device_attribute *attr, const char *buf, size_t count);
};
#define DEVICE_ATTR(name, mode, s, t) struct device_attribute __maybe_unused dev_attr_##name = { { #name, mode }, (s), (t) }
#define DEVICE_ATTR_RO(name)    DEVICE_ATTR(name, 0444, name##_show, NULL)
#define DEVICE_ATTR_RW(name)    DEVICE_ATTR(name, 0644, name##_show, name##_store)
#define DEVICE_ATTR_WO(name)    DEVICE_ATTR(name, 0200, NULL, name##_store)
#define device_create_file(dev, attr) ({ (void)(dev); (void)(attr); 0; })
#define device_remove_file(dev, attr) ((void)(dev), (void)(attr))
#define sysfs_emit(buf, ...)    scnprintf(buf, PAGE_SIZE, __VA_ARGS__)

/* There is no bus but PCI. */
struct platform_driver;
#define platform_register_drivers(drivers, count) ({ (void)(drivers); (void)(count); 0; })
#define platform_unregister_drivers(drivers, count) ((void)(drivers), (void)(count))

/* A device that the driver asks memory for. */
#define devm_kzalloc(dev, size, gfp) kzalloc(size, gfp)

#endif
