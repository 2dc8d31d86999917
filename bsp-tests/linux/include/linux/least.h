/* SPDX-License-Identifier: Apache-2.0 */
/* What a test does with the least of Linux: chooses a heap, binds a driver to a device, and counts. */
#ifndef LEAST_H
#define LEAST_H

#include <linux/pci.h>

/* ---- the heap of drivers: kmalloc() ---- */

/* Gives the heap an area, which is the test's again after least_heap_end(). */
void least_heap_begin(void *area, size_t size);
/* Returns the bytes of blocks that were not freed: 0 if the driver has cleaned up. */
size_t least_heap_end(void);

/* ---- the bus ---- */

struct least_device
{
    struct pci_dev pdev;
    struct pci_driver *driver;
};

/*
 * Finds a device, gives it addresses, and calls the driver's init and probe. Returns 0, or the driver's or another error. A
 * device that is not coherent has its cache maintained. One beyond a bridge sees only the memory below 4 GiB.
 */
int least_probe(struct least_device *device, const char *name, u16 vendor, u16 id, int (*init)(void), bool is_coherent);
/* Calls the driver's remove and exit, and gives managed memory back. */
void least_remove(struct least_device *device, void (*exit)(void));
/* Forgets the device without remove: for a device whose probe failed. */
void least_forget(struct least_device *device, void (*exit)(void));

/* ---- counts and faults ---- */

struct least_counts
{
    unsigned long maps, unmaps, bounced, maps_in_interrupts;
    /* Coherent buffers, and blocks of DMA pools. */
    unsigned long allocations, blocks;
    unsigned long cache_calls;
    /* Interrupts, those that no driver recognized as its own, and packets that were received in an interrupt. */
    unsigned long interrupts, unhandled, in_interrupts;
    /* Requests that were made to fail. */
    unsigned long failed;
};
extern struct least_counts least_counts;
/* The number of the request, from 1 on, that fails: kmalloc(), a DMA allocation or a mapping. 0: none. */
extern long least_fail_at;
/* Whether request_irq() is such a request. */
extern bool least_interrupts_fail;
/* True if a request fails now. */
bool least_fails(void);
/* The number of warnings since the kernel started. */
extern unsigned int least_warnings;

#endif
