/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXPECT_H__
#define EXPECT_H__

#include <stdio.h>
#include <stdlib.h>

#define MIB (1UL << 20)

#define EXPECT(condition)                                                               \
    do                                                                                  \
    {                                                                                   \
        if (!(condition))                                                               \
        {                                                                               \
            printf("FAIL %s, line %d: %s\n", __func__, __LINE__, #condition);           \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

/* Prints both numbers if they differ. */
#define EXPECT_EQ(actual, expected)                                                     \
    do                                                                                  \
    {                                                                                   \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);     \
                                                                                        \
        if (actual_ != expected_)                                                       \
        {                                                                               \
            printf("FAIL %s, line %d: %s is %lld, not %lld\n", __func__, __LINE__,      \
                    #actual, actual_, expected_);                                       \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

#endif
