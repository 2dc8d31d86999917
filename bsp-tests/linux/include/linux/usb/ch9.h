/* SPDX-License-Identifier: Apache-2.0 */
/* Chapter 9 of the specification of USB, from Linux's own header. */
#ifndef LEAST_USB_CH9_H
#define LEAST_USB_CH9_H

#include <uapi/linux/usb/ch9.h>

#endif
