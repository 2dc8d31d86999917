/* SPDX-License-Identifier: Apache-2.0 */
/* Bits, and atomic operations on bits of words. */
#ifndef LEAST_BITOPS_H
#define LEAST_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG           64
#define BITS_PER_BYTE           8
#define BIT(n)                  (1UL << (n))
#define BIT_ULL(n)              (1ULL << (n))
#define BIT_MASK(n)             (1UL << ((n) % BITS_PER_LONG))
#define BIT_WORD(n)             ((n) / BITS_PER_LONG)
#define BITS_TO_LONGS(n)        (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define GENMASK(high, low)      ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low)  ((~0ULL << (low)) & (~0ULL >> (63 - (high))))
#define FIELD_GET(mask, value)  (((value) & (mask)) >> __builtin_ctzl(mask))
#define FIELD_PREP(mask, value) (((__typeof__(mask))(value) << __builtin_ctzl(mask)) & (mask))
#define hweight8(x)             __builtin_popcount((u8)(x))
#define hweight16(x)            __builtin_popcount((u16)(x))
#define hweight32(x)            __builtin_popcount((u32)(x))
#define hweight_long(x)         __builtin_popcountl(x)
#define __ffs(x)                ((unsigned long)__builtin_ctzl(x))
#define ffs(x)                  __builtin_ffs(x)
#define fls(x)                  ((x) ? 32 - __builtin_clz(x) : 0)

static inline bool test_bit(unsigned long nr, const volatile unsigned long *words)
{
    return __atomic_load_n(&words[BIT_WORD(nr)], __ATOMIC_RELAXED) & BIT_MASK(nr);
}

static inline bool test_and_set_bit(unsigned long nr, volatile unsigned long *words)
{
    return __atomic_fetch_or(&words[BIT_WORD(nr)], BIT_MASK(nr), __ATOMIC_SEQ_CST) & BIT_MASK(nr);
}

static inline bool test_and_clear_bit(unsigned long nr, volatile unsigned long *words)
{
    return __atomic_fetch_and(&words[BIT_WORD(nr)], ~BIT_MASK(nr), __ATOMIC_SEQ_CST) & BIT_MASK(nr);
}

static inline void set_bit(unsigned long nr, volatile unsigned long *words)
{
    test_and_set_bit(nr, words);
}

static inline void clear_bit(unsigned long nr, volatile unsigned long *words)
{
    test_and_clear_bit(nr, words);
}

static inline void change_bit(unsigned long nr, volatile unsigned long *words)
{
    __atomic_fetch_xor(&words[BIT_WORD(nr)], BIT_MASK(nr), __ATOMIC_SEQ_CST);
}

#define __set_bit               set_bit
#define __clear_bit             clear_bit
#define __test_and_set_bit      test_and_set_bit
#define __test_and_clear_bit    test_and_clear_bit
#define clear_bit_unlock        clear_bit

static inline unsigned long find_next_bit(const unsigned long *words, unsigned long size, unsigned long from)
{
    while (from < size && !test_bit(from, words))
    {
        from++;
    }
    return from < size ? from : size;
}

static inline unsigned long find_next_zero_bit(const unsigned long *words, unsigned long size, unsigned long from)
{
    while (from < size && test_bit(from, words))
    {
        from++;
    }
    return from < size ? from : size;
}

#define find_first_bit(words, size)         find_next_bit(words, size, 0)
#define find_first_zero_bit(words, size)    find_next_zero_bit(words, size, 0)
#define for_each_set_bit(bit, words, size) \
    for ((bit) = find_first_bit(words, size); (bit) < (size); (bit) = find_next_bit(words, size, (bit) + 1))

static inline void bitmap_zero(unsigned long *words, unsigned int bits)
{
    __builtin_memset(words, 0, BITS_TO_LONGS(bits) * sizeof(unsigned long));
}

#endif
