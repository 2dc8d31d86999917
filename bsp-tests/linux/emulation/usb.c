/* SPDX-License-Identifier: Apache-2.0 */
/* USB: requests on their way to and from a host controller, and the controller on the PCI bus. */
#include <linux/least.h>
#include <linux/dma-mapping.h>
#include <linux/usb/hcd.h>
#include "usb.h"

unsigned long usb_hcds_loaded;
struct rw_semaphore least_port_reset;
struct usb_hcd *least_usb_hcd;

static spinlock_t lock;

/* ---- requests ---- */

static enum dma_data_direction direction(const struct urb *urb)
{
    return usb_pipein(urb->pipe) ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
}

static void unmap_setup(struct device *dev, struct urb *urb)
{
    if (urb->setup_packet)
    {
        dma_unmap_single(dev, urb->setup_dma, sizeof(struct usb_ctrlrequest), DMA_TO_DEVICE);
    }
}

static void unmap(struct device *dev, struct urb *urb)
{
    if (urb->num_mapped_sgs)
    {
        dma_unmap_sg(dev, urb->sg, urb->num_sgs, direction(urb));
        urb->num_mapped_sgs = 0;
    }
    else if (urb->transfer_buffer_length)
    {
        dma_unmap_single(dev, urb->transfer_dma, urb->transfer_buffer_length, direction(urb));
    }
    unmap_setup(dev, urb);
}

static int map_data(struct device *dev, struct urb *urb)
{
    if (urb->num_sgs)
    {
        urb->num_mapped_sgs = dma_map_sg(dev, urb->sg, urb->num_sgs, direction(urb));
        return urb->num_mapped_sgs ? 0 : -ENOMEM;
    }
    if (urb->transfer_buffer_length)
    {
        urb->transfer_dma = dma_map_single(dev, urb->transfer_buffer, urb->transfer_buffer_length, direction(urb));
        return dma_mapping_error(dev, urb->transfer_dma);
    }
    return 0;
}

static int map(struct device *dev, struct urb *urb)
{
    int error;

    if (urb->setup_packet)
    {
        urb->setup_dma = dma_map_single(dev, urb->setup_packet, sizeof(struct usb_ctrlrequest), DMA_TO_DEVICE);
        if (dma_mapping_error(dev, urb->setup_dma))
        {
            return -ENOMEM;
        }
    }
    error = map_data(dev, urb);
    if (error)
    {
        unmap_setup(dev, urb);
    }
    return error;
}

int usb_submit_urb(struct urb *urb, gfp_t gfp)
{
    struct usb_hcd *hcd = bus_to_hcd(urb->dev->bus);
    int error = map(hcd->self.sysdev, urb);

    if (error)
    {
        return error;
    }
    urb->status = -EINPROGRESS;
    urb->actual_length = 0;
    urb->unlinked = 0;
    error = hcd->driver->urb_enqueue(hcd, urb, gfp);
    if (error)
    {
        unmap(hcd->self.sysdev, urb);
    }
    return error;
}

int usb_hcd_link_urb_to_ep(struct usb_hcd *hcd, struct urb *urb)
{
    (void)hcd;
    spin_lock(&lock);
    list_add_tail(&urb->urb_list, &urb->ep->urb_list);
    spin_unlock(&lock);
    return 0;
}

void usb_hcd_unlink_urb_from_ep(struct usb_hcd *hcd, struct urb *urb)
{
    (void)hcd;
    spin_lock(&lock);
    list_del_init(&urb->urb_list);
    spin_unlock(&lock);
}

int usb_hcd_check_unlink_urb(struct usb_hcd *hcd, struct urb *urb, int status)
{
    (void)hcd;
    if (urb->unlinked)
    {
        return -EBUSY;
    }
    urb->unlinked = status;
    return 0;
}

void usb_hcd_giveback_urb(struct usb_hcd *hcd, struct urb *urb, int status)
{
    least_counts.in_interrupts += in_interrupt();
    urb->hcpriv = NULL;
    urb->status = urb->unlinked ? urb->unlinked : status;
    unmap(hcd->self.sysdev, urb);
    urb->complete(urb);
}

/* ---- the host controller ---- */

void usb_hc_died(struct usb_hcd *hcd)
{
    (void)hcd;
    WARN_ON(1);
}

static irqreturn_t hcd_interrupt(int irq, void *data)
{
    struct usb_hcd *hcd = data;

    (void)irq;
    return hcd->driver->irq(hcd);
}

static struct usb_hcd *create(struct pci_dev *pdev, const struct hc_driver *driver)
{
    struct usb_hcd *hcd = kzalloc(sizeof(*hcd) + driver->hcd_priv_size, GFP_KERNEL);

    if (!hcd)
    {
        return NULL;
    }
    hcd->self.root_hub = kzalloc(sizeof(*hcd->self.root_hub), GFP_KERNEL);
    if (!hcd->self.root_hub)
    {
        kfree(hcd);
        return NULL;
    }
    hcd->self.root_hub->speed = USB_SPEED_HIGH;
    hcd->self.root_hub->bus = &hcd->self;
    hcd->self.controller = hcd->self.sysdev = &pdev->dev;
    hcd->self.bus_name = pci_name(pdev);
    hcd->driver = driver;
    hcd->product_desc = driver->product_desc;
    hcd->irq = pdev->irq;
    hcd->rsrc_start = pci_resource_start(pdev, 0);
    hcd->rsrc_len = pci_resource_len(pdev, 0);
    return hcd;
}

static void destroy(struct usb_hcd *hcd)
{
    kfree(hcd->self.root_hub);
    kfree(hcd);
}

static int start(struct usb_hcd *hcd)
{
    int error = hcd->driver->reset(hcd);

    if (error)
    {
        return error;
    }
    error = request_irq(hcd->irq, hcd_interrupt, IRQF_SHARED, hcd->product_desc, hcd);
    if (!error)
    {
        error = hcd->driver->start(hcd);
        if (!error)
        {
            return 0;
        }
        free_irq(hcd->irq, hcd);
    }
    hcd->driver->stop(hcd);
    return error;
}

int usb_hcd_pci_probe(struct pci_dev *pdev, const struct hc_driver *driver)
{
    struct usb_hcd *hcd = create(pdev, driver);
    int error = -ENOMEM;

    if (!hcd)
    {
        return error;
    }
    spin_lock_init(&lock);
    pci_enable_device(pdev);
    hcd->regs = pci_iomap(pdev, 0, 0);
    if (!hcd->regs)
    {
        goto destroy;
    }
    pci_set_master(pdev);
    set_bit(HCD_FLAG_HW_ACCESSIBLE, &hcd->flags);
    error = start(hcd);
    if (error)
    {
        goto unmap;
    }
    pci_set_drvdata(pdev, hcd);
    least_usb_hcd = hcd;
    return 0;

unmap:
    iounmap(hcd->regs);
destroy:
    destroy(hcd);
    return error;
}

void usb_hcd_pci_remove(struct pci_dev *pdev)
{
    struct usb_hcd *hcd = pci_get_drvdata(pdev);

    hcd->driver->stop(hcd);
    free_irq(hcd->irq, hcd);
    iounmap(hcd->regs);
    destroy(hcd);
    least_usb_hcd = NULL;
}
