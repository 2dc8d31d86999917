/* SPDX-License-Identifier: Apache-2.0 */
/* USB: devices, endpoints and requests, for one host controller with one device at its first port. */
#ifndef LEAST_USB_H
#define LEAST_USB_H

#include <linux/device.h>
#include <linux/scatterlist.h>
#include <linux/usb/ch9.h>

struct usb_device;
struct usb_hcd;
struct urb;

struct usb_bus
{
    struct device *controller, *sysdev;
    struct usb_device *root_hub;
    const char *bus_name;
    unsigned int sg_tablesize;
    unsigned int no_sg_constraint : 1, b_hnp_enable : 1;
    u8 otg_port;
    int bandwidth_allocated, bandwidth_int_reqs, bandwidth_isoc_reqs;
};

struct usb_host_endpoint
{
    struct usb_endpoint_descriptor desc;
    struct list_head urb_list;
    void *hcpriv;
};

struct usb_tt
{
    struct usb_device *hub;
    int multi;
    unsigned int think_time;
    void *hcpriv;
};

struct usb_device
{
    int devnum;
    char devpath[16];
    enum usb_device_speed speed;
    struct usb_tt *tt;
    int ttport;
    unsigned int toggle[2];
    struct usb_bus *bus;
    struct usb_host_endpoint ep0;
    struct usb_host_endpoint *ep_in[16], *ep_out[16];
    struct device dev;
    int maxchild;
    unsigned int do_remote_wakeup : 1, persist_enabled : 1;
};

struct usb_iso_packet_descriptor
{
    unsigned int offset, length, actual_length;
    int status;
};

struct urb
{
    struct list_head urb_list;
    void *hcpriv;
    int unlinked;
    struct usb_device *dev;
    struct usb_host_endpoint *ep;
    unsigned int pipe;
    int status;
    unsigned int transfer_flags;
    void *transfer_buffer;
    dma_addr_t transfer_dma;
    struct scatterlist *sg;
    int num_sgs, num_mapped_sgs;
    u32 transfer_buffer_length, actual_length;
    unsigned char *setup_packet;
    dma_addr_t setup_dma;
    int start_frame, number_of_packets, interval, error_count;
    void *context;
    void (*complete)(struct urb *urb);
    struct usb_iso_packet_descriptor iso_frame_desc[];
};

#define URB_SHORT_NOT_OK        0x0001
#define URB_ISO_ASAP            0x0002
#define URB_ZERO_PACKET         0x0040
#define URB_NO_INTERRUPT        0x0080
#define USB_MAXCHILDREN         31
#define USB_RESUME_TIMEOUT      40

/* A pipe is a number: the kind of transfer, the endpoint, the device, and the direction. */
enum { PIPE_ISOCHRONOUS, PIPE_INTERRUPT, PIPE_CONTROL, PIPE_BULK };
#define least_pipe(kind, device, endpoint, in) \
    ((unsigned int)(kind) << 30 | (unsigned int)(endpoint) << 15 | (unsigned int)(device)->devnum << 8 | ((in) ? USB_DIR_IN : 0))
#define usb_pipein(pipe)        ((pipe) & USB_DIR_IN)
#define usb_pipeout(pipe)       (!usb_pipein(pipe))
#define usb_pipedevice(pipe)    ((pipe) >> 8 & 0x7f)
#define usb_pipeendpoint(pipe)  ((pipe) >> 15 & 0xf)
#define usb_pipetype(pipe)      ((pipe) >> 30)
#define usb_pipeisoc(pipe)      (usb_pipetype(pipe) == PIPE_ISOCHRONOUS)
#define usb_pipeint(pipe)       (usb_pipetype(pipe) == PIPE_INTERRUPT)
#define usb_pipecontrol(pipe)   (usb_pipetype(pipe) == PIPE_CONTROL)
#define usb_pipebulk(pipe)      (usb_pipetype(pipe) == PIPE_BULK)
#define usb_pipe_endpoint(dev, pipe) \
    (usb_pipein(pipe) ? (dev)->ep_in[usb_pipeendpoint(pipe)] : (dev)->ep_out[usb_pipeendpoint(pipe)])
#define usb_gettoggle(dev, ep, out) ((dev)->toggle[out] >> (ep) & 1)
#define usb_settoggle(dev, ep, out, bit) ((dev)->toggle[out] = ((dev)->toggle[out] & ~(1U << (ep))) | (unsigned int)(bit) << (ep))

#define usb_disabled()          0
#define usb_reset_device(dev)   ({ (void)(dev); -EOPNOTSUPP; })
#define usb_clear_halt(dev, pipe) ({ (void)(dev); -EOPNOTSUPP; })
#define usb_hub_clear_tt_buffer(urb) ({ (void)(urb); 0; })
#define usb_root_hub_lost_power(hub) ((void)(hub))
#define usb_for_each_dev(data, f) ({ (void)(data); (void)(f); 0; })
/* The time of a transfer in nanoseconds, for transfers that are reserved. None is reserved in the tests. */
#define usb_calc_bus_time(speed, in, isoc, bytes) ({ (void)(speed); (void)(in); (void)(isoc); (void)(bytes); 0L; })

/* Hands a request to the host controller. Its function complete() is called in an interrupt. */
int usb_submit_urb(struct urb *urb, gfp_t gfp);

#endif
