/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of a USB host controller calls. */
#ifndef LEAST_KERNEL_USB_H
#define LEAST_KERNEL_USB_H

#include <linux/usb/hcd.h>

/* The host controller that was bound last, or NULL. */
extern struct usb_hcd *least_usb_hcd;

#endif
