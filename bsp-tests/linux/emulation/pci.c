/* SPDX-License-Identifier: Apache-2.0 */
/* PCI: gives a device addresses, binds a driver to it, and delivers its interrupts. */
#include <linux/least.h>
#include <linux/dma-mapping.h>
#include "soft.h"

/* Each device's addresses are taken from its own part of the window. */
#define SLOT_WINDOW     (16UL << 20)
/* QEMU's virt machine: the interrupt of pin A of slot 0. The next pin, and the next slot, have the next of four. */
#define FIRST_INTERRUPT 35
#define INTERRUPTS      4
#define HANDLERS        4

static struct device root_bridge;
static struct pci_bus root_bus = { .bridge = &root_bridge };

static struct pci_driver *registered;

/* ---- drivers ---- */

int pci_register_driver(struct pci_driver *driver)
{
    registered = driver;
    return 0;
}

void pci_unregister_driver(struct pci_driver *driver)
{
    BUG_ON(registered != driver);
    registered = NULL;
}

static bool matches(const struct pci_device_id *id, const struct pci_dev *pdev)
{
    return (id->vendor == PCI_ANY_ID || id->vendor == pdev->vendor)
        && (id->device == PCI_ANY_ID || id->device == pdev->device)
        && !((id->class ^ pdev->class) & id->class_mask);
}

static const struct pci_device_id *find_id(const struct pci_driver *driver, const struct pci_dev *pdev)
{
    const struct pci_device_id *id;

    for (id = driver->id_table; id->vendor || id->class_mask; id++)
    {
        if (matches(id, pdev))
        {
            return id;
        }
    }
    return NULL;
}

/* ---- devices ---- */

static void give_addresses(struct pci_dev *pdev, u64 next)
{
    for (unsigned int bar = 0; bar < ARRAY_SIZE(pdev->resource); bar++)
    {
        int where = PCI_BASE_ADDRESS_0 + 4 * (int)bar;
        struct resource *resource = &pdev->resource[bar];
        u32 bits;
        u64 size;

        pci_write_config_dword(pdev, where, ~0U);
        pci_read_config_dword(pdev, where, &bits);
        if (!bits)
        {
            continue;
        }
        if (bits & PCI_BASE_ADDRESS_SPACE_IO)
        {
            pci_write_config_dword(pdev, where, 0);
            resource->flags = IORESOURCE_IO;
            continue;
        }
        size = (u32)~(bits & ~0xfU) + 1ULL;
        next = ALIGN(next, size);
        *resource = (struct resource) { next, next + size - 1, pci_name(pdev), IORESOURCE_MEM };
        pci_write_config_dword(pdev, where, (u32)next);
        next += size;
        if ((bits & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
        {
            pci_write_config_dword(pdev, where + 4, 0);
            bar++;
        }
    }
}

static void read_identity(struct pci_dev *pdev)
{
    u32 word;

    pci_read_config_word(pdev, PCI_VENDOR_ID, &pdev->vendor);
    pci_read_config_word(pdev, PCI_DEVICE_ID, &pdev->device);
    pci_read_config_word(pdev, PCI_SUBSYSTEM_VENDOR_ID, &pdev->subsystem_vendor);
    pci_read_config_word(pdev, PCI_SUBSYSTEM_ID, &pdev->subsystem_device);
    pci_read_config_dword(pdev, PCI_CLASS_REVISION, &word);
    pdev->class = word >> 8;
    pdev->revision = (u8)word;
    pci_read_config_byte(pdev, PCI_INTERRUPT_PIN, &pdev->pin);
    pdev->irq = FIRST_INTERRUPT + (PCI_SLOT(pdev->devfn) + pdev->pin - 1) % INTERRUPTS;
}

static int bring_up(struct pci_dev *pdev, const char *name, u16 vendor, u16 id, bool is_coherent)
{
    rt_uint64_t memory, memory_size;

    if (stand_in_pci_window(&memory, &memory_size))
    {
        return -ENODEV;
    }
    pdev->dev.rt.vendor = vendor;
    pdev->dev.rt.device = id;
    pdev->config = stand_in_pci_find(&pdev->dev.rt, name);
    if (!pdev->config)
    {
        return -ENODEV;
    }
    pdev->devfn = pdev->dev.rt.devfn;
    if (!is_coherent)
    {
        /* The node of QEMU's PCI host, which has the property dma-coherent. The stand-in asks the device's node for it. */
        pdev->dev.rt.parent.user_data = NULL;
    }
    pdev->bus = &root_bus;
    pdev->error_state = pci_channel_io_normal;
    read_identity(pdev);
    give_addresses(pdev, memory + PCI_SLOT(pdev->devfn) * SLOT_WINDOW);
    return 0;
}

int least_probe(struct least_device *device, const char *name, u16 vendor, u16 id, int (*init)(void), bool is_coherent)
{
    struct pci_dev *pdev = &device->pdev;
    const struct pci_device_id *entry;
    int error;

    memset(device, 0, sizeof(*device));
    error = bring_up(pdev, name, vendor, id, is_coherent);
    if (error)
    {
        return error;
    }
    least_soft_begin();
    /* On Linux, the mask of a PCI device has 32 bits until its driver sets another. */
    error = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
    error = error ? error : init();
    if (error)
    {
        return error;
    }
    device->driver = pdev->driver = registered;
    pdev->dev.driver = &device->driver->driver;
    entry = find_id(device->driver, pdev);
    error = entry ? device->driver->probe(pdev, entry) : -ENODEV;
    least_flush_lines();
    return error;
}

void least_forget(struct least_device *device, void (*exit)(void))
{
    exit();
    least_soft_end();
    rt_dmam_release(&device->pdev.dev.rt.parent);
    pci_disable_device(&device->pdev);
    iounmap(device->pdev.config);
    least_flush_lines();
}

void least_remove(struct least_device *device, void (*exit)(void))
{
    device->driver->remove(&device->pdev);
    least_forget(device, exit);
}

/* Clears and sets bits of the command register. */
static void change_command(struct pci_dev *pdev, u16 clear, u16 set)
{
    u16 command;

    pci_read_config_word(pdev, PCI_COMMAND, &command);
    pci_write_config_word(pdev, PCI_COMMAND, (command & ~clear) | set);
}

int pci_enable_device(struct pci_dev *pdev)
{
    change_command(pdev, 0, PCI_COMMAND_MEMORY);
    return 0;
}

void pci_disable_device(struct pci_dev *pdev)
{
    change_command(pdev, PCI_COMMAND_MASTER, 0);
}

void pci_set_master(struct pci_dev *pdev)
{
    change_command(pdev, 0, PCI_COMMAND_MASTER);
}

void __iomem *pci_iomap(struct pci_dev *pdev, int bar, unsigned long size)
{
    (void)size;
    return ioremap(pci_resource_start(pdev, bar), pci_resource_len(pdev, bar));
}

/* ---- interrupts ---- */

static struct handler
{
    irq_handler_t function;
    void *data;
    unsigned int irq;
} handlers[HANDLERS];

static void interrupt(int irq, void *parameter)
{
    int handled = IRQ_NONE;

    (void)parameter;
    least_counts.interrupts++;
    for (unsigned int i = 0; i < HANDLERS; i++)
    {
        if (handlers[i].function && handlers[i].irq == (unsigned int)irq)
        {
            handled |= handlers[i].function(irq, handlers[i].data);
        }
    }
    least_counts.unhandled += handled == IRQ_NONE;
}

int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, const char *name, void *data)
{
    (void)flags;
    if (least_interrupts_fail && least_fails())
    {
        return -EBUSY;
    }
    for (unsigned int i = 0; i < HANDLERS; i++)
    {
        if (!handlers[i].function)
        {
            handlers[i] = (struct handler) { handler, data, irq };
            rt_hw_interrupt_install((int)irq, interrupt, NULL, name);
            rt_hw_interrupt_umask((int)irq);
            return 0;
        }
    }
    return -EBUSY;
}

const void *free_irq(unsigned int irq, void *data)
{
    bool is_used = false;

    rt_hw_interrupt_mask((int)irq);
    for (unsigned int i = 0; i < HANDLERS; i++)
    {
        if (handlers[i].irq == irq && handlers[i].data == data)
        {
            handlers[i] = (struct handler) { 0 };
        }
        is_used |= handlers[i].function && handlers[i].irq == irq;
    }
    if (is_used)
    {
        rt_hw_interrupt_umask((int)irq);
    }
    return NULL;
}

void disable_irq(unsigned int irq)
{
    rt_hw_interrupt_mask((int)irq);
}

void enable_irq(unsigned int irq)
{
    rt_hw_interrupt_umask((int)irq);
}
