/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: "[E/tag] text". Define DBG_TAG and DBG_LVL before the include. */
#ifndef RT_DBG_H__
#define RT_DBG_H__

#include <rtthread.h>

#define DBG_ERROR   0
#define DBG_WARNING 1
#define DBG_INFO    2
#define DBG_LOG     3

#ifndef DBG_TAG
#define DBG_TAG     "DBG"
#endif
#ifndef DBG_LVL
#define DBG_LVL     DBG_WARNING
#endif

#define stand_in_log(level, letter, fmt, ...)                               \
    do                                                                      \
    {                                                                       \
        if ((level) <= DBG_LVL)                                             \
        {                                                                   \
            rt_kprintf("[" letter "/" DBG_TAG "] " fmt "\n", ##__VA_ARGS__); \
        }                                                                   \
    } while (0)

#define LOG_E(fmt, ...) stand_in_log(DBG_ERROR, "E", fmt, ##__VA_ARGS__)
#define LOG_W(fmt, ...) stand_in_log(DBG_WARNING, "W", fmt, ##__VA_ARGS__)
#define LOG_I(fmt, ...) stand_in_log(DBG_INFO, "I", fmt, ##__VA_ARGS__)
#define LOG_D(fmt, ...) stand_in_log(DBG_LOG, "D", fmt, ##__VA_ARGS__)

#endif
