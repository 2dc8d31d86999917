/* SPDX-License-Identifier: Apache-2.0 */
/* Basic types, lists and objects of RT-Thread's interface, as far as this repository's C code uses them. */
#ifndef RT_DEF_H__
#define RT_DEF_H__

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <rtconfig.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int8_t          rt_int8_t;
typedef int16_t         rt_int16_t;
typedef int32_t         rt_int32_t;
typedef int64_t         rt_int64_t;
typedef uint8_t         rt_uint8_t;
typedef uint16_t        rt_uint16_t;
typedef uint32_t        rt_uint32_t;
typedef uint64_t        rt_uint64_t;

typedef int             rt_bool_t;
#ifdef STAND_IN_WORDS_ARE_INT
/* As on 32 bits without RT_USING_LIBC, or with a musl toolchain. With newlib they are long. */
typedef signed int      rt_base_t;
typedef unsigned int    rt_ubase_t;
#else
typedef signed long     rt_base_t;
typedef unsigned long   rt_ubase_t;
#endif
typedef rt_base_t       rt_err_t;
typedef rt_ubase_t      rt_size_t;
typedef rt_base_t       rt_ssize_t;
typedef rt_base_t       rt_off_t;
typedef rt_uint32_t     rt_tick_t;
typedef rt_ubase_t      rt_uintptr_t;

#define RT_TRUE         1
#define RT_FALSE        0
#define RT_NULL         0

/* A BSP with a C library has other numbers here: code must use the names. */
#define RT_EOK          0
#define RT_ERROR        1
#define RT_ETIMEOUT     2
#define RT_EFULL        3
#define RT_EEMPTY       4
#define RT_ENOMEM       5
#define RT_ENOSYS       6
#define RT_EBUSY        7
#define RT_EIO          8
#define RT_EINTR        9
#define RT_EINVAL       10
#define RT_ENOENT       11

#define RT_UNUSED(x)            ((void)(x))
#define rt_section(name)        __attribute__((section(name)))
#define rt_used                 __attribute__((used))
#define rt_weak                 __attribute__((weak))
#define rt_align(n)             __attribute__((aligned(n)))
#define rt_inline               static inline __attribute__((unused))
#define rt_noreturn             __attribute__((noreturn))

/* The boot code calls these functions once, before threads run. */
typedef int (*init_fn_t)(void);
#define INIT_BOARD_EXPORT(fn)   rt_used static const init_fn_t stand_in_init_##fn rt_section("stand_in_init") = fn

#define RT_ALIGN(size, align)       (((size) + (align) - 1) & ~((align) - 1))
#define RT_ALIGN_DOWN(size, align)  ((size) & ~((align) - 1))
#define RT_BIT(n)                   (1UL << (n))
#define RT_DIV_ROUND_UP(n, d)       (((n) + (d) - 1) / (d))
#define RT_ARRAY_SIZE(a)            (sizeof(a) / sizeof((a)[0]))
#define rt_container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))

struct rt_list_node
{
    struct rt_list_node *next;
    struct rt_list_node *prev;
};
typedef struct rt_list_node rt_list_t;

struct rt_slist_node
{
    struct rt_slist_node *next;
};
typedef struct rt_slist_node rt_slist_t;

#define rt_list_entry(node, type, member)   rt_container_of(node, type, member)
#define rt_slist_entry(node, type, member)  rt_container_of(node, type, member)
#define rt_slist_for_each_entry(pos, head, member)                                      \
    for (pos = (head)->next ? rt_slist_entry((head)->next, __typeof__(*pos), member)    \
                            : (__typeof__(pos))RT_NULL;                                 \
         pos;                                                                           \
         pos = pos->member.next ? rt_slist_entry(pos->member.next, __typeof__(*pos), member) \
                                : (__typeof__(pos))RT_NULL)

struct rt_object
{
    char name[RT_NAME_MAX];
    rt_uint8_t type;
    rt_uint8_t flag;
    rt_list_t list;
};

#ifdef RT_USING_SMP
typedef union
{
    unsigned long slock;
    struct
    {
        unsigned short owner;
        unsigned short next;
    } tickets;
} rt_hw_spinlock_t;

struct rt_spinlock
{
    rt_hw_spinlock_t lock;
};
#else
struct rt_spinlock
{
    rt_ubase_t lock;
};
#endif

struct rt_bus;
struct rt_driver;

struct rt_device
{
    struct rt_object parent;
#ifdef RT_USING_DM
    struct rt_bus *bus;
    rt_list_t node;
    struct rt_driver *drv;
#ifdef RT_USING_OFW
    void *ofw_node;
#endif
    void *power_domain_unit;
#ifdef RT_USING_DMA
    const void *dma_ops;
#endif
#endif
    void *user_data;
};
typedef struct rt_device *rt_device_t;

struct rt_thread
{
    void *stack_addr;
    rt_uint32_t stack_size;
};
typedef struct rt_thread *rt_thread_t;
#ifdef RT_USING_SMP
struct rt_cpu
{
    struct rt_thread *current_thread;
};
#endif
struct rt_timer;
typedef struct rt_timer *rt_timer_t;

/* Flags of rt_timer_create: a hard timer's function runs in the tick interrupt. */
#define RT_TIMER_FLAG_ONE_SHOT      0x0
#define RT_TIMER_FLAG_PERIODIC      0x2
#define RT_TIMER_FLAG_HARD_TIMER    0x0

/* Commands of rt_thread_control. */
#define RT_THREAD_CTRL_BIND_CPU     0x04

#ifdef __cplusplus
}
#endif
#endif
