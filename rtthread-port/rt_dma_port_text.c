/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* Log and shell text. */

#include <rtthread.h>

#define DBG_TAG "dma.pool"

/* menuconfig asks for it. */
#if defined(PKG_RT_DMA_POOL_LOG_ERROR)
#define DBG_LVL DBG_ERROR
#elif defined(PKG_RT_DMA_POOL_LOG_WARNING)
#define DBG_LVL DBG_WARNING
#else
#define DBG_LVL DBG_INFO
#endif
#include <rtdbg.h>

#include <rt_dma_port.h>

/* Longer than any line of the library with a name of RT_NAME_MAX; rt_snprintf cuts what is longer still. */
#define LINE_SIZE 160

void rt_dma_port_say(const char *format, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e,
        uintptr_t f, int level)
{
    char line[LINE_SIZE];

    /*
     * LOG_x wants a literal to paste its own text to, so the line is made first. Nor does the shell get it by rt_kprintf,
     * which cuts it, and its end, at RT_CONSOLEBUF_SIZE.
     */
    rt_snprintf(line, sizeof(line), format, a, b, c, d, e, f);

    /* Log and console may take a mutex. Asked for here, and not first, for fewer words to keep meanwhile. */
    if (!rt_dma_port_can_sleep())
    {
        return;
    }

    switch (level)
    {
    case RT_DMA_PORT_ERROR:
        LOG_E("%s", line);
        break;
    case RT_DMA_PORT_WARNING:
        LOG_W("%s", line);
        break;
    case RT_DMA_PORT_INFO:
        LOG_I("%s", line);
        break;
    default:
        rt_kputs(line);
        break;
    }
}
