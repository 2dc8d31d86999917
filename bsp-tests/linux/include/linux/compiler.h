/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations for the compiler, and for checkers that are not run here. */
#ifndef LEAST_COMPILER_H
#define LEAST_COMPILER_H

#define __iomem
#define __user
#define __percpu
#define __rcu
#define __force
#define __bitwise
#define __must_check
#define __read_mostly
#define __init
#define __exit
#define __devinit
#define __initdata
#define __initconst
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __counted_by(member)
#define __always_inline         inline __attribute__((always_inline))
#define noinline                __attribute__((noinline))
#define __maybe_unused          __attribute__((unused))
#define __always_unused         __attribute__((unused))
#define __used                  __attribute__((used))
#define __weak                  __attribute__((weak))
#define __packed                __attribute__((packed))
#define __aligned(n)            __attribute__((aligned(n)))
#define __printf(a, b)          __attribute__((format(printf, a, b)))
#define __deprecated
#define ____cacheline_aligned   __attribute__((aligned(64)))
#define ____cacheline_aligned_in_smp ____cacheline_aligned
#define L1_CACHE_BYTES          64
#define fallthrough             __attribute__((fallthrough))
#define likely(x)               __builtin_expect(!!(x), 1)
#define unlikely(x)             __builtin_expect(!!(x), 0)
#define barrier()               __asm__ volatile("" ::: "memory")
#define READ_ONCE(x)            (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)    (*(volatile __typeof__(x) *)&(x) = (value))
#define ACCESS_ONCE(x)          (*(volatile __typeof__(x) *)&(x))
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define asmlinkage
#define static_assert(...)      _Static_assert(__VA_ARGS__, "")
#define uninitialized_var(x)    x

/* struct_group(name, members...): the members, and a struct of them with that name, at one place. */
#define struct_group(name, ...) union { struct { __VA_ARGS__ }; struct { __VA_ARGS__ } name; }
#define DECLARE_FLEX_ARRAY(type, name) struct { struct { } empty_##name; type name[]; }
#define __DECLARE_FLEX_ARRAY    DECLARE_FLEX_ARRAY
#define __struct_group(tag, name, attributes, ...) union { struct { __VA_ARGS__ } attributes; struct tag { __VA_ARGS__ } attributes name; }

#endif
