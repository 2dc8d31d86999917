/* SPDX-License-Identifier: Apache-2.0 */
/* The device framework: drivers include this header. */
#ifndef RT_DEVICE_H__
#define RT_DEVICE_H__

#include <rtdef.h>
#include <rtthread.h>
#include <drivers/core/bus.h>
#include <drivers/core/dm.h>
#ifdef RT_USING_DMA
#include <drivers/dma.h>
#endif
#ifdef RT_USING_OFW
#include <drivers/ofw.h>
#include <drivers/ofw_io.h>
#endif
#ifdef RT_USING_PCI
#include <drivers/pci.h>
#endif

#endif
