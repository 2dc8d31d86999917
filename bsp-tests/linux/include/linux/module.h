/* SPDX-License-Identifier: Apache-2.0 */
/* A module: its init function is called by its name, module_NAME, which the build gives as LEAST_MODULE. */
#ifndef LEAST_MODULE_H
#define LEAST_MODULE_H

#include <linux/kernel.h>

#define THIS_MODULE             NULL
struct module;

#define LEAST_JOIN_(a, b)       a##b
#define LEAST_JOIN(a, b)        LEAST_JOIN_(a, b)
#define module_init(f)          int LEAST_JOIN(least_init_, LEAST_MODULE)(void) { return f(); }
#define module_exit(f)          void LEAST_JOIN(least_exit_, LEAST_MODULE)(void) { f(); }
#define MODULE_AUTHOR(...)
#define MODULE_DESCRIPTION(...)
#define MODULE_LICENSE(...)
#define MODULE_VERSION(...)
#define MODULE_FIRMWARE(...)
#define MODULE_ALIAS(...)
#define MODULE_SOFTDEP(...)
#define MODULE_IMPORT_NS(...)
#define MODULE_DEVICE_TABLE(...)
#define MODULE_PARM_DESC(...)
#define S_IRUGO                 0444
#define S_IWUSR                 0200
#define module_param(name, type, mode) struct least_parameter_##name
#define module_param_named(name, value, type, mode) struct least_parameter_##name
struct kernel_param
{
    const char *name;
    void *arg;
};
struct kernel_param_ops
{
    int (*set)(const char *value, const struct kernel_param *param);
    int (*get)(char *buffer, const struct kernel_param *param);
};
#define module_param_cb(name, ops, arg, mode) static const void *const __maybe_unused least_parameter_##name = (ops)
#define kernel_param_lock(m)    ((void)(m))
#define __module_get(m)         ((void)(m))
#define module_put(m)           ((void)(m))

#endif
