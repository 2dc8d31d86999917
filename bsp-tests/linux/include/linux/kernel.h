/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic, bits, byte order, strings, text, and assertions. */
#ifndef LEAST_KERNEL_H
#define LEAST_KERNEL_H

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/bitops.h>
#include <linux/byteorder.h>
#include <linux/string.h>
#include <linux/printk.h>
#include <linux/atomic.h>
#include <linux/sizes.h>

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_SIZE(a)           (sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))
#define struct_size(ptr, member, count) (sizeof(*(ptr)) + sizeof(*(ptr)->member) * (count))
#define array_size(a, b)        ((size_t)(a) * (b))
#define flex_array_size(ptr, member, count) (sizeof(*(ptr)->member) * (count))

#define min(a, b)               ({ __typeof__(a) min_a = (a); __typeof__(b) min_b = (b); min_a < min_b ? min_a : min_b; })
#define max(a, b)               ({ __typeof__(a) max_a = (a); __typeof__(b) max_b = (b); max_a > max_b ? max_a : max_b; })
#define min3(a, b, c)           min(min(a, b), c)
#define max3(a, b, c)           max(max(a, b), c)
#define min_t(type, a, b)       min((type)(a), (type)(b))
#define max_t(type, a, b)       max((type)(a), (type)(b))
#define min_not_zero(a, b)      ({ __typeof__(a) not_a = (a); __typeof__(b) not_b = (b); \
                                   !not_a ? not_b : !not_b ? not_a : min(not_a, not_b); })
#define clamp(value, low, high) min(max(value, low), high)
#define clamp_t(type, value, low, high) clamp((type)(value), (type)(low), (type)(high))
#define clamp_val(value, low, high) clamp_t(__typeof__(value), value, low, high)
#define swap(a, b)              do { __typeof__(a) swap_a = (a); (a) = (b); (b) = swap_a; } while (0)
#define abs(x)                  ((x) < 0 ? -(x) : (x))

#define ALIGN(x, a)             (((x) + (__typeof__(x))(a) - 1) & ~((__typeof__(x))(a) - 1))
#define PTR_ALIGN(p, a)         ((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#define IS_ALIGNED(x, a)        (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define round_up(x, a)          ALIGN(x, a)
#define round_down(x, a)        ((x) & ~((__typeof__(x))(a) - 1))
#define roundup(x, n)           (((x) + (n) - 1) / (n) * (n))
#define rounddown(x, n)         ((x) - (x) % (n))
#define DIV_ROUND_UP(n, d)      (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)  DIV_ROUND_UP((u64)(n), d)
#define DIV_ROUND_CLOSEST(n, d) (((n) + (d) / 2) / (d))
#define do_div(n, base)         ({ u32 do_div_rest = (n) % (base); (n) /= (base); do_div_rest; })
#define upper_32_bits(n)        ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n)        ((u32)((n) & 0xffffffff))

#define PAGE_SHIFT              12
#define PAGE_SIZE               (1UL << PAGE_SHIFT)
#define PAGE_MASK               (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)           ALIGN(x, PAGE_SIZE)

#define INT_MAX                 0x7fffffff
#define INT_MIN                 (-INT_MAX - 1)
#define UINT_MAX                (~0U)
#define LONG_MAX                ((long)(~0UL >> 1))
#define ULONG_MAX               (~0UL)
#define U8_MAX                  ((u8)~0U)
#define U16_MAX                 ((u16)~0U)
#define U32_MAX                 (~0U)
#define U64_MAX                 (~0ULL)

/* Stops the machine with a line. */
void least_bug(const char *what, const char *file, int line) __attribute__((noreturn));
/* Writes a line, and counts it: a test fails if there was any. */
void least_warn(const char *what, const char *file, int line);

#define BUG()                   least_bug("BUG", __FILE__, __LINE__)
#define BUG_ON(condition)       do { if (unlikely(condition)) { least_bug(#condition, __FILE__, __LINE__); } } while (0)
/* Conditions that only the optimizer knows are checked when the code runs. */
#define BUILD_BUG_ON(condition) BUG_ON(condition)
#define WARN_ON(condition)      ({ int warn_on = !!(condition); \
                                   if (unlikely(warn_on)) { least_warn(#condition, __FILE__, __LINE__); } \
                                   unlikely(warn_on); })
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN(condition, ...)    WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)

static inline int ilog2(unsigned long n)
{
    return 63 - __builtin_clzl(n);
}

static inline bool is_power_of_2(unsigned long n)
{
    return n && !(n & (n - 1));
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
    return n <= 1 ? 1 : 1UL << (64 - __builtin_clzl(n - 1));
}

static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
    return 1UL << ilog2(n);
}

#define order_base_2(n)         ((n) > 1 ? ilog2((n) - 1) + 1 : 0)
#define check_mul_overflow(a, b, out) __builtin_mul_overflow(a, b, out)
#define check_add_overflow(a, b, out) __builtin_add_overflow(a, b, out)

int kstrtoint(const char *text, unsigned int base, int *value);
#define kstrtobool(text, value) ({ (void)(text); *(value) = false; -EINVAL; })
#define kstrtouint(text, base, value) kstrtoint(text, base, (int *)(value))
/* Values of files that are not there. */
#define sscanf(text, fmt, ...)  ({ (void)(text); 0; })

/* The machine has one state here, and one processor that matters. */
enum system_states { SYSTEM_RUNNING, SYSTEM_POWER_OFF };
#define system_state            SYSTEM_RUNNING
#define might_sleep()           ((void)0)
#define might_sleep_if(x)       ((void)(x))
#define smp_processor_id()      rt_hw_cpu_id()
#define raw_smp_processor_id()  rt_hw_cpu_id()
#define num_possible_cpus()     1U
#define num_online_cpus()       1U
#define nr_cpu_ids              1U

#endif
