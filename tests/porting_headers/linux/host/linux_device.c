/* SPDX-License-Identifier: Apache-2.0 */
/* The device of compare.c, which does not see the least of Linux. */
#include "linux_host.h"

struct device *linux_device(void);

struct device *linux_device(void)
{
    static struct device device;

    device_register(&device);
    dev_set_name(&device, "compare");
    return &device;
}
