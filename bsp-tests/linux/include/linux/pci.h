/* SPDX-License-Identifier: Apache-2.0 */
/* PCI: devices of bus 0, found and given addresses through the standard configuration space. */
#ifndef LEAST_PCI_H
#define LEAST_PCI_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <uapi/linux/pci_regs.h>
#include <linux/pci_ids.h>

struct resource
{
    u64 start, end;
    const char *name;
    unsigned long flags;
};
#define IORESOURCE_IO           0x100UL
#define IORESOURCE_MEM          0x200UL
#define resource_size(r)        ((r)->end - (r)->start + 1)

struct pci_bus
{
    struct device *bridge;
    struct pci_dev *self;
    unsigned char number;
};

struct pci_device_id
{
    u32 vendor, device, subvendor, subdevice, class, class_mask;
    unsigned long driver_data;
};

typedef int pci_channel_state_t;
struct pci_driver;

struct pci_dev
{
    struct device dev;
    struct pci_bus *bus;
    unsigned int devfn;
    unsigned short vendor, device, subsystem_vendor, subsystem_device;
    unsigned int class;
    u8 revision, pin;
    unsigned int irq;
    struct resource resource[6];
    int current_state;
    volatile u8 *config;
    struct pci_driver *driver;
    pci_channel_state_t error_state;
    bool no_vf_scan, is_virtfn, msi_enabled, msix_enabled, untrusted;
    struct pci_dev *physfn;
};

typedef int pci_power_t;
typedef int pci_ers_result_t;
enum { pci_channel_io_normal = 1, pci_channel_io_frozen, pci_channel_io_perm_failure };
enum { PCI_ERS_RESULT_NONE = 1, PCI_ERS_RESULT_CAN_RECOVER, PCI_ERS_RESULT_NEED_RESET, PCI_ERS_RESULT_DISCONNECT,
       PCI_ERS_RESULT_RECOVERED };

struct pci_error_handlers
{
    pci_ers_result_t (*error_detected)(struct pci_dev *pdev, pci_channel_state_t state);
    pci_ers_result_t (*slot_reset)(struct pci_dev *pdev);
    void (*resume)(struct pci_dev *pdev);
    void (*reset_prepare)(struct pci_dev *pdev);
    void (*reset_done)(struct pci_dev *pdev);
};

struct pci_driver
{
    const char *name;
    const struct pci_device_id *id_table;
    int (*probe)(struct pci_dev *pdev, const struct pci_device_id *id);
    void (*remove)(struct pci_dev *pdev);
    void (*shutdown)(struct pci_dev *pdev);
    int (*sriov_configure)(struct pci_dev *pdev, int count);
    const struct pci_error_handlers *err_handler;
    struct device_driver driver;
};

#define PCI_ANY_ID              (~0U)
#define PCI_DEVICE(v, d)        .vendor = (v), .device = (d), .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_VDEVICE(v, d)       PCI_DEVICE(PCI_VENDOR_ID_##v, d)
#define PCI_DEVICE_CLASS(c, m)  .class = (c), .class_mask = (m), .vendor = PCI_ANY_ID, .device = PCI_ANY_ID, \
                                .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_DEVFN(slot, func)   ((slot) << 3 | (func))
#define PCI_SLOT(devfn)         ((devfn) >> 3 & 0x1f)
#define PCI_FUNC(devfn)         ((devfn) & 7)

/* What the driver registered last. Tests probe and remove their device by hand: see least.h. */
int pci_register_driver(struct pci_driver *driver);
void pci_unregister_driver(struct pci_driver *driver);
#define module_pci_driver(driver) \
    int LEAST_JOIN(least_init_, LEAST_MODULE)(void) { return pci_register_driver(&(driver)); } \
    void LEAST_JOIN(least_exit_, LEAST_MODULE)(void) { pci_unregister_driver(&(driver)); }

#define to_pci_dev(d)           container_of(d, struct pci_dev, dev)
#define dev_is_pci(d)           ({ (void)(d); true; })
#define pci_name(pdev)          dev_name(&(pdev)->dev)
#define pci_set_drvdata(pdev, data) dev_set_drvdata(&(pdev)->dev, data)
#define pci_get_drvdata(pdev)   dev_get_drvdata(&(pdev)->dev)
#define pci_resource_start(pdev, bar) ((pdev)->resource[bar].start)
#define pci_resource_end(pdev, bar) ((pdev)->resource[bar].end)
#define pci_resource_len(pdev, bar) resource_size(&(pdev)->resource[bar])
#define pci_resource_flags(pdev, bar) ((pdev)->resource[bar].flags)

#define LEAST_CONFIG(name, type)                                            \
    static inline int pci_read_config_##name(const struct pci_dev *pdev, int where, type *value) \
    {                                                                       \
        *value = *(volatile type *)(pdev->config + where);                  \
        return 0;                                                           \
    }                                                                       \
    static inline int pci_write_config_##name(const struct pci_dev *pdev, int where, type value) \
    {                                                                       \
        *(volatile type *)(pdev->config + where) = value;                   \
        return 0;                                                           \
    }
LEAST_CONFIG(byte, u8)
LEAST_CONFIG(word, u16)
LEAST_CONFIG(dword, u32)
#undef LEAST_CONFIG

int pci_enable_device(struct pci_dev *pdev);
void pci_disable_device(struct pci_dev *pdev);
void pci_set_master(struct pci_dev *pdev);
void __iomem *pci_iomap(struct pci_dev *pdev, int bar, unsigned long size);
#define pci_iounmap(pdev, registers) iounmap(registers)
#define pci_ioremap_bar(pdev, bar) pci_iomap(pdev, bar, 0)
#define pci_enable_device_mem(pdev) pci_enable_device(pdev)
#define pci_request_regions(pdev, name) ({ (void)(pdev); 0; })
#define pci_release_regions(pdev) ((void)(pdev))
#define pci_request_mem_regions(pdev, name) ({ (void)(pdev); 0; })
#define pci_release_mem_regions(pdev) ((void)(pdev))
#define pci_set_mwi(pdev)       ({ (void)(pdev); 0; })
#define pci_try_set_mwi(pdev)   ({ (void)(pdev); 0; })
#define pci_clear_mwi(pdev)     ((void)(pdev))
#define pci_save_state(pdev)    ({ (void)(pdev); 0; })
#define pci_restore_state(pdev) ((void)(pdev))
#define PCI_D0                  0
#define PCI_D3hot               3
#define PCI_D3cold              4
#define pci_set_power_state(pdev, state) ({ (void)(pdev); 0; })
#define pci_enable_wake(pdev, state, enable) ({ (void)(pdev); 0; })
#define pci_wake_from_d3(pdev, enable) ({ (void)(pdev); (void)(enable); 0; })
#define pci_prepare_to_sleep(pdev) ({ (void)(pdev); 0; })
#define pci_pme_active(pdev, enable) ((void)(pdev))
#define pci_find_capability(pdev, capability) ({ (void)(pdev); 0; })
#define pci_dev_get(pdev)       (pdev)
#define pci_dev_put(pdev)       ((void)(pdev))
#define pci_device_is_present(pdev) ({ (void)(pdev); true; })
#define pci_channel_offline(pdev) ({ (void)(pdev); 0; })
#define pci_is_enabled(pdev)    ({ (void)(pdev); 1; })
#define pci_dev_is_disconnected(pdev) ({ (void)(pdev); false; })
#define pcie_reset_flr(pdev, probe) ({ (void)(pdev); -ENOTTY; })
#define pci_sriov_configure_simple NULL
#define pci_load_saved_state(pdev, state) ({ (void)(pdev); 0; })
#define pci_bus_address(pdev, bar) pci_resource_start(pdev, bar)

#define PCIBIOS_SUCCESSFUL      0

/* One interrupt line for all vectors. */
#define PCI_IRQ_INTX            1
#define PCI_IRQ_MSI             2
#define PCI_IRQ_MSIX            4
#define PCI_IRQ_ALL_TYPES       7
#define PCI_IRQ_AFFINITY        8
#define pci_alloc_irq_vectors(pdev, least, most, flags) ({ (void)(pdev); (void)(flags); 1; })
#define pci_alloc_irq_vectors_affinity(pdev, least, most, flags, affinity) \
    ({ (void)(pdev); (void)(flags); (affinity)->calc_sets(affinity, 0); 1; })
#define pci_free_irq_vectors(pdev) ((void)(pdev))
#define pci_irq_vector(pdev, vector) ((int)(pdev)->irq)
#define pci_request_irq(pdev, vector, handler, thread, data, fmt, ...) \
    ({ (void)(thread); no_printk(fmt, ##__VA_ARGS__); request_irq((pdev)->irq, handler, IRQF_SHARED, fmt, data); })
#define pci_free_irq(pdev, vector, data) ((void)free_irq((pdev)->irq, data))
#define pci_match_id(ids, pdev) ({ (void)(ids); (void)(pdev); NULL; })

#endif
