/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of devices, which may share a line. */
#ifndef LEAST_INTERRUPT_H
#define LEAST_INTERRUPT_H

#include <linux/device.h>

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *data);
#define IRQ_NONE                0
#define IRQ_HANDLED             1
#define IRQ_WAKE_THREAD         2
#define IRQ_RETVAL(handled)     ((handled) ? IRQ_HANDLED : IRQ_NONE)
#define IRQF_SHARED             0x80UL

int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags, const char *name, void *data);
const void *free_irq(unsigned int irq, void *data);
void disable_irq(unsigned int irq);
void enable_irq(unsigned int irq);
#define synchronize_irq(irq)    ((void)(irq))

struct tasklet_struct;

#endif
