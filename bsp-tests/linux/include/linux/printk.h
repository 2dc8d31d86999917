/* SPDX-License-Identifier: Apache-2.0 */
/* Text for the console. From an interrupt, a line is kept until a thread can write it. */
#ifndef LEAST_PRINTK_H
#define LEAST_PRINTK_H

#include <linux/types.h>

int printk(const char *fmt, ...);
int snprintf(char *buf, size_t size, const char *fmt, ...);
int scnprintf(char *buf, size_t size, const char *fmt, ...);
int sprintf(char *buf, const char *fmt, ...);
/* Writes the lines that interrupts have left. Context: thread. */
void least_flush_lines(void);

#define KERN_EMERG
#define KERN_ALERT
#define KERN_CRIT
#define KERN_ERR
#define KERN_WARNING
#define KERN_NOTICE
#define KERN_INFO
#define KERN_DEBUG
#define KERN_CONT
#define no_printk(...)          ({ if (0) { printk(__VA_ARGS__); } 0; })
#ifndef pr_fmt
#define pr_fmt(fmt)             fmt
#endif
#define pr_err(fmt, ...)        printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err_ratelimited(fmt, ...) pr_err(fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)       printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...)     printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)       printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_once(fmt, ...)  printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_once(fmt, ...)  printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)      no_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define printk_once(fmt, ...)   printk(fmt, ##__VA_ARGS__)
#define printk_ratelimit()      1
#define net_ratelimit()         1
#define print_hex_dump(...)     ((void)0)
#define print_hex_dump_debug(...) ((void)0)
#define dump_stack()            ((void)0)

#endif
