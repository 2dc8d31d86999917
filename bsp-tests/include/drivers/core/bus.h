/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUS_H__
#define BUS_H__

#include <rtdef.h>

struct rt_bus
{
    struct rt_object parent;
    const char *name;
};
typedef struct rt_bus *rt_bus_t;

#endif
