/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers under test, and the devices of QEMU that they drive. The names of the functions follow from the build. */
#include "subjects.h"

#define MODULE(name) int least_init_##name(void); void least_exit_##name(void)
MODULE(8139cp);
MODULE(e100);
MODULE(ehci_hcd);
MODULE(ehci_pci);
MODULE(nvme);

const struct subject network_subjects[] =
{
    {
        .name = "8139cp",
        .vendor = PCI_VENDOR_ID_REALTEK,
        .device = PCI_DEVICE_ID_REALTEK_8139,
        .init = least_init_8139cp,
        .exit = least_exit_8139cp,
    },
    {
        .name = "e100",
        .vendor = PCI_VENDOR_ID_INTEL,
        .device = 0x1209,
        .has_odd_ends = true,
        .init = least_init_e100,
        .exit = least_exit_e100,
    },
};
const unsigned int subject_count = ARRAY_SIZE(network_subjects);

static int init_ehci(void)
{
    int error = least_init_ehci_hcd();

    return error ? error : least_init_ehci_pci();
}

static void exit_ehci(void)
{
    least_exit_ehci_pci();
    least_exit_ehci_hcd();
}

const struct subject usb_subject =
{
    .name = "ehci",
    .vendor = PCI_VENDOR_ID_INTEL,
    .device = 0x24cd,
    .init = init_ehci,
    .exit = exit_ehci,
};

/*
 * It works without shadow doorbells, which are two coherent buffers. If its first request_irq() fails, its probe does not free
 * the two buffers of the admin queue: nvme_pci_enable() fails, and nvme_probe() then passes over nvme_free_queues().
 */
const struct subject nvme_subject =
{
    .name = "nvme",
    .vendor = 0x1b36,
    .device = 0x0010,
    .optional = 2,
    .needs_interrupts = true,
    .init = least_init_nvme,
    .exit = least_exit_nvme,
};
