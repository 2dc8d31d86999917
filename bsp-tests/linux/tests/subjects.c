/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers under test, and the devices of QEMU that they drive. The names of the functions follow from the build. */
#include "subjects.h"

#define MODULE(name) int least_init_##name(void); void least_exit_##name(void)
MODULE(8139cp);
MODULE(e100);
MODULE(ehci_hcd);
MODULE(ehci_pci);

const struct subject network_subjects[] =
{
    { "8139cp", PCI_VENDOR_ID_REALTEK, PCI_DEVICE_ID_REALTEK_8139, false, least_init_8139cp, least_exit_8139cp },
    { "e100", PCI_VENDOR_ID_INTEL, 0x1209, true, least_init_e100, least_exit_e100 },
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

const struct subject usb_subject = { "ehci", PCI_VENDOR_ID_INTEL, 0x24cd, false, init_ehci, exit_ehci };
