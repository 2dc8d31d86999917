/* SPDX-License-Identifier: Apache-2.0 */
/* USB host controllers. */
#ifndef LEAST_USB_HCD_H
#define LEAST_USB_HCD_H

#include <linux/usb.h>
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <uapi/linux/usb/ch11.h>

struct usb_hcd
{
    struct usb_bus self;
    const char *product_desc;
    struct timer_list rh_timer;
    const struct hc_driver *driver;
    void *usb_phy;
    unsigned long flags;
    unsigned int irq;
    void __iomem *regs;
    u64 rsrc_start, rsrc_len;
    unsigned int uses_new_polling : 1, has_tt : 1;
    void *localmem_pool;
    unsigned long hcd_priv[] __aligned(sizeof(long));
};

#define HCD_FLAG_HW_ACCESSIBLE  0
#define HCD_FLAG_POLL_RH        2
#define HCD_FLAG_WAKEUP_PENDING 4
#define HCD_HW_ACCESSIBLE(hcd)  test_bit(HCD_FLAG_HW_ACCESSIBLE, &(hcd)->flags)
#define HCD_WAKEUP_PENDING(hcd) test_bit(HCD_FLAG_WAKEUP_PENDING, &(hcd)->flags)

struct hc_driver
{
    const char *description, *product_desc;
    size_t hcd_priv_size;
    irqreturn_t (*irq)(struct usb_hcd *hcd);
    int flags;
    int (*reset)(struct usb_hcd *hcd);
    int (*start)(struct usb_hcd *hcd);
    int (*pci_suspend)(struct usb_hcd *hcd, bool do_wakeup);
    int (*pci_resume)(struct usb_hcd *hcd, pm_message_t msg);
    void (*stop)(struct usb_hcd *hcd);
    void (*shutdown)(struct usb_hcd *hcd);
    int (*get_frame_number)(struct usb_hcd *hcd);
    int (*urb_enqueue)(struct usb_hcd *hcd, struct urb *urb, gfp_t gfp);
    int (*urb_dequeue)(struct usb_hcd *hcd, struct urb *urb, int status);
    void (*endpoint_disable)(struct usb_hcd *hcd, struct usb_host_endpoint *ep);
    void (*endpoint_reset)(struct usb_hcd *hcd, struct usb_host_endpoint *ep);
    int (*hub_status_data)(struct usb_hcd *hcd, char *buf);
    int (*hub_control)(struct usb_hcd *hcd, u16 type, u16 value, u16 index, char *buf, u16 length);
    int (*bus_suspend)(struct usb_hcd *hcd);
    int (*bus_resume)(struct usb_hcd *hcd);
    unsigned long (*get_resuming_ports)(struct usb_hcd *hcd);
    void (*relinquish_port)(struct usb_hcd *hcd, int port);
    int (*port_handed_over)(struct usb_hcd *hcd, int port);
    void (*clear_tt_buffer_complete)(struct usb_hcd *hcd, struct usb_host_endpoint *ep);
    void (*free_dev)(struct usb_hcd *hcd, struct usb_device *dev);
    int (*port_power)(struct usb_hcd *hcd, int port, bool enable);
};

#define HCD_MEMORY              0x0001
#define HCD_DMA                 0x0002
#define HCD_USB2                0x0020
#define HCD_BH                  0x0100

#define HUB_REQUEST(direction, request) ((USB_TYPE_CLASS | (direction)) << 8 | (request))
#define ClearHubFeature         HUB_REQUEST(USB_DIR_OUT | USB_RECIP_DEVICE, USB_REQ_CLEAR_FEATURE)
#define ClearPortFeature        HUB_REQUEST(USB_DIR_OUT | USB_RECIP_OTHER, USB_REQ_CLEAR_FEATURE)
#define GetHubDescriptor        HUB_REQUEST(USB_DIR_IN | USB_RECIP_DEVICE, USB_REQ_GET_DESCRIPTOR)
#define GetHubStatus            HUB_REQUEST(USB_DIR_IN | USB_RECIP_DEVICE, USB_REQ_GET_STATUS)
#define GetPortStatus           HUB_REQUEST(USB_DIR_IN | USB_RECIP_OTHER, USB_REQ_GET_STATUS)
#define SetHubFeature           HUB_REQUEST(USB_DIR_OUT | USB_RECIP_DEVICE, USB_REQ_SET_FEATURE)
#define SetPortFeature          HUB_REQUEST(USB_DIR_OUT | USB_RECIP_OTHER, USB_REQ_SET_FEATURE)

#define USB_UHCI_LOADED         0
#define USB_OHCI_LOADED         1
#define USB_EHCI_LOADED         2
extern unsigned long usb_hcds_loaded;
#define ehci_cf_port_reset_rwsem least_port_reset
extern struct rw_semaphore least_port_reset;
#define NS_TO_US(ns)            DIV_ROUND_UP(ns, 1000L)
/* The longest time of a transfer at high speed, from the bytes and the overhead (USB 2.0, 5.11.3): 2.083 ns a bit. */
#define least_high_speed_ns(bytes, overhead) (((overhead) * 8 + 3 + 7 * 8 * (long)(bytes) / 6) * 2083 / 1000)
#define HS_NSECS(bytes)         least_high_speed_ns(bytes, 55)
#define HS_NSECS_ISO(bytes)     least_high_speed_ns(bytes, 38)
#define HS_USECS(bytes)         NS_TO_US(HS_NSECS(bytes))
#define HS_USECS_ISO(bytes)     NS_TO_US(HS_NSECS_ISO(bytes))

int usb_hcd_pci_probe(struct pci_dev *pdev, const struct hc_driver *driver);
void usb_hcd_pci_remove(struct pci_dev *pdev);
#define usb_hcd_pci_shutdown    NULL
#define usb_hcd_pci_pm_ops      least_no_pm

int usb_hcd_link_urb_to_ep(struct usb_hcd *hcd, struct urb *urb);
void usb_hcd_unlink_urb_from_ep(struct usb_hcd *hcd, struct urb *urb);
int usb_hcd_check_unlink_urb(struct usb_hcd *hcd, struct urb *urb, int status);
void usb_hcd_giveback_urb(struct usb_hcd *hcd, struct urb *urb, int status);
void usb_hc_died(struct usb_hcd *hcd);
#define usb_hcd_poll_rh_status(hcd) ((void)(hcd))
#define usb_hcd_resume_root_hub(hcd) ((void)(hcd))
#define usb_hcd_start_port_resume(bus, port) ((void)(bus), (void)(port))
#define usb_hcd_end_port_resume(bus, port) ((void)(bus), (void)(port))
#define hcd_periodic_completion_in_progress(hcd, ep) ({ (void)(hcd); (void)(ep); false; })

static inline struct usb_hcd *bus_to_hcd(struct usb_bus *bus)
{
    return container_of(bus, struct usb_hcd, self);
}

#endif
