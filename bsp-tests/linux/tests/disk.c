/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the first half of a disk, reads as much of its second half, and reads a part of what it wrote. The checksums of both
 * halves are printed: the script compares them with the disk's file.
 */
#include "checksum.h"
#include "disk.h"

static void fill_pieces(const struct disk *disk, u32 seed)
{
    for (unsigned int i = 0; i < disk->pieces; i++)
    {
        fill(disk->memory[i], disk->sizes[i], seed * disk->pieces + i);
    }
}

static u32 sum_pieces(const struct disk *disk, u32 crc)
{
    for (unsigned int i = 0; i < disk->pieces; i++)
    {
        crc = crc32(crc, disk->memory[i], disk->sizes[i]);
    }
    return crc;
}

const char *disk_run(const struct disk *disk, u32 mib)
{
    u32 chunks = (mib << 20) / DISK_CHUNK, blocks = DISK_CHUNK / disk->block_size, written = 0, read = 0, again = 0;
    int error = 0;

    if (disk->blocks / 2 < chunks * blocks)
    {
        return reason("the disk has %u blocks", disk->blocks);
    }
    for (u32 chunk = 0; chunk < chunks && !error; chunk++)
    {
        fill_pieces(disk, chunk);
        written = sum_pieces(disk, written);
        error = disk->move(chunk * blocks, true);
        if (!error)
        {
            error = disk->move(disk->blocks / 2 + chunk * blocks, false);
            read = sum_pieces(disk, read);
        }
    }
    /* A part of what was written. */
    for (u32 chunk = 0; chunk < chunks && !error; chunk += 8)
    {
        u32 expected;

        fill_pieces(disk, chunk);
        expected = sum_pieces(disk, 0);
        fill_pieces(disk, ~chunk);
        error = disk->move(chunk * blocks, false);
        again = sum_pieces(disk, 0);
        if (!error && again != expected)
        {
            return reason("chunk %u is read as 0x%08x, and was 0x%08x", chunk, again, expected);
        }
    }
    rt_kprintf("  written 0x%08x, read 0x%08x\n", written, read);
    return error ? reason("a transfer: %d", error) : NULL;
}

const char *disk_judge(const struct disk *disk, const struct mode *mode, u32 mib)
{
    unsigned long chunks = (mib << 20) / DISK_CHUNK;

    if (mode->is_high && least_counts.bounced < 2 * disk->pieces * chunks)
    {
        return reason("%lu mappings bounced", least_counts.bounced);
    }
    if (!mode->is_high && mode->is_coherent && least_counts.bounced)
    {
        return reason("%lu mappings bounced, and none need be", least_counts.bounced);
    }
    if (!mode->is_coherent && least_counts.cache_calls < 2 * disk->pieces * chunks)
    {
        return reason("%lu cache operations", least_counts.cache_calls);
    }
    return NULL;
}
