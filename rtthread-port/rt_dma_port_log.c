/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Text: lines of the log, and what the shell commands print. */

#include <rtthread.h>

#define DBG_TAG "dma.pool"

/* The level is set in menuconfig. */
#if defined(PKG_RT_DMA_POOL_LOG_ERROR)
#define DBG_LVL DBG_ERROR
#elif defined(PKG_RT_DMA_POOL_LOG_WARNING)
#define DBG_LVL DBG_WARNING
#else
#define DBG_LVL DBG_INFO
#endif
#include <rtdbg.h>

#include <rt_dma.h>
#include "rt_dma_port.h"

/* No line of the library is longer. If a line were, rt_snprintf would cut it. */
#define LINE_SIZE 128
/* "device 0x" and an address. */
#define NAME_SIZE 32

void rt_dma_port_log(int level, uintptr_t dev, const char *name, const char *format, const uintptr_t *values)
{
    char line[LINE_SIZE];
    char device_name[NAME_SIZE];

    /* Without RT_USING_CONSOLE, LOG_E, LOG_W and LOG_I are macros that drop their arguments. */
    RT_UNUSED(name);

    /* Log and console may take a mutex. */
    if (rt_dma_port_is_atomic())
    {
        return;
    }

    if (!name)
    {
        rt_snprintf(device_name, sizeof(device_name), dev ? "device 0x%lx" : "unnamed", (unsigned long)dev);
        name = device_name;
    }

    /* LOG_E adds text to its format, which must be a string literal. So the line is made first. */
    rt_snprintf(line, sizeof(line), format, values[0], values[1], values[2], values[3], values[4], values[5]);

    if (level == RT_DMA_PORT_LOG_ERROR)
    {
        LOG_E("%s: %s", name, line);
    }
    else if (level == RT_DMA_PORT_LOG_WARNING)
    {
        LOG_W("%s: %s", name, line);
    }
    else
    {
        LOG_I("%s: %s", name, line);
    }
}

void rt_dma_port_print(const char *format, const uintptr_t *values)
{
    RT_UNUSED(format);
    RT_UNUSED(values);

    /*
     * rt_kprintf cuts a text that is longer than RT_CONSOLEBUF_SIZE. Where a name may be long, the newline is in the
     * next text.
     */
    rt_kprintf(format, values[0], values[1], values[2], values[3], values[4], values[5]);
}

/* The options of the shell command list_dma_pool. A kernel without them does not link what they print. */
int rt_dma_port_list_options(int argc, char **argv)
{
#ifdef PKG_RT_DMA_POOL_USING_LIST_OPTIONS
    return rt_dma_list_pools(argc, argv);
#else
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    rt_kprintf("list_dma_pool: options need PKG_RT_DMA_POOL_USING_LIST_OPTIONS\n");

    return -1;
#endif
}
