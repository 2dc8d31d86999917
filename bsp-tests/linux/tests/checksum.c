/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums, and bytes to compute them over. */
#include <linux/kernel.h>
#include "checksum.h"

static u32 table[256];

static void make_table(void)
{
    for (u32 i = 0; i < 256; i++)
    {
        u32 crc = i;

        for (int bit = 0; bit < 8; bit++)
        {
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
        }
        table[i] = crc;
    }
}

u32 crc32(u32 crc, const u8 *bytes, unsigned int size)
{
    if (!table[1])
    {
        make_table();
    }
    crc = ~crc;
    while (size--)
    {
        crc = table[(crc ^ *bytes++) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}

void fill(u8 *bytes, unsigned int size, u32 seed)
{
    while (size--)
    {
        seed = seed * 1664525U + 1013904223U;
        *bytes++ = (u8)(seed >> 24);
    }
}
