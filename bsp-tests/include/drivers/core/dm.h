/* SPDX-License-Identifier: Apache-2.0 */
/* Queries of a driver about its device. */
#ifndef CORE_DM_H__
#define CORE_DM_H__

#include <rthw.h>
#include <rtdef.h>
#include <bitmap.h>
#include <ioremap.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *rt_dm_dev_get_name(rt_device_t dev);
rt_bool_t rt_dm_dev_prop_read_bool(rt_device_t dev, const char *propname);

#ifdef __cplusplus
}
#endif
#endif
