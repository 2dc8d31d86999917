/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of the least of Linux. The build includes this file before every file, as Linux's build does.
 *
 * No CONFIG_ option is set except those below.
 */
#ifndef LEAST_KCONFIG_H
#define LEAST_KCONFIG_H

#define CONFIG_64BIT            1
#define CONFIG_PCI              1
#define CONFIG_HAS_IOMEM        1
#define HZ                      1000

/* IS_ENABLED(CONFIG_X) is 1 if CONFIG_X is defined as 1. Otherwise the pasted name is no macro, and the second 0 is taken. */
#define LEAST_IS_1              0, 1
#define LEAST_SECOND(a, b, ...) b
#define LEAST_PICK(a, ...)      LEAST_SECOND(a, __VA_ARGS__)
#define LEAST_PASTE(value)      LEAST_PICK(LEAST_IS_##value, 0, 0)
#define LEAST_EXPAND(value)     LEAST_PASTE(value)
#define IS_ENABLED(option)      LEAST_EXPAND(option)
#define IS_REACHABLE(option)    IS_ENABLED(option)
#define IS_BUILTIN(option)      IS_ENABLED(option)
#define IS_MODULE(option)       0

#include <linux/types.h>
#include <linux/compiler.h>

#endif
