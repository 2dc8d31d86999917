/* SPDX-License-Identifier: Apache-2.0 */
/* A USB disk at the host controller's first port. */
#ifndef LEAST_USB_DEVICE_H
#define LEAST_USB_DEVICE_H

#include "../emulation/usb.h"
#include "disk.h"

#define DISK_BLOCK      512
#define DISK_PIECES     5

struct usb_disk
{
    struct usb_device dev;
    struct usb_host_endpoint in, out;
    /* Memory of the driver's heap. */
    struct usb_ctrlrequest *setup;
    struct bulk_command *command;
    struct bulk_status *status;
    u8 *descriptor;
    u8 *pieces[DISK_PIECES];
    u32 tag, blocks;
};

/* Resets the port, gives the device an address, and reads its capacity. Returns NULL, or what went wrong. */
const char *usb_disk_open(struct usb_disk *disk, struct usb_hcd *hcd);
void usb_disk_close(struct usb_disk *disk);
/* Moves a chunk from or to the pieces, which are the entries of one scatter list. Returns 0 or an error. */
int usb_disk_move(struct usb_disk *disk, u32 block, bool write);
/* The bytes in each piece. */
extern const unsigned int usb_disk_sizes[DISK_PIECES];

#endif
