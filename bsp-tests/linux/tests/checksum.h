/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of zlib's crc32(), which Python has. */
#ifndef LEAST_CHECKSUM_H
#define LEAST_CHECKSUM_H

#include <linux/types.h>

/* Of bytes that follow others with the checksum crc; of the first bytes with 0. */
u32 crc32(u32 crc, const u8 *bytes, unsigned int size);
/* Fills bytes from a seed. */
void fill(u8 *bytes, unsigned int size, u32 seed);

#endif
