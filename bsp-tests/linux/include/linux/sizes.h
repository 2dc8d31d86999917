/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes. */
#ifndef LEAST_SIZES_H
#define LEAST_SIZES_H

#define SZ_1K                   0x400
#define SZ_4K                   0x1000
#define SZ_32K                  0x8000
#define SZ_64K                  0x10000
#define SZ_1M                   0x100000

#endif
