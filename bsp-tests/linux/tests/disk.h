/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of a disk does, whatever the disk is. */
#ifndef LEAST_DISK_H
#define LEAST_DISK_H

#include "session.h"

#define DISK_CHUNK      (64U << 10)

struct disk
{
    /* The memory that move() moves: all of it is a chunk. */
    unsigned int pieces;
    const unsigned int *sizes;
    u8 **memory;
    u32 blocks, block_size;
    /* Writes or reads the chunk that begins at a block. Returns 0 or an error. */
    int (*move)(u32 block, bool write);
};

/* Moves mib MiB to the disk, and from it. Returns NULL, or what was wrong. */
const char *disk_run(const struct disk *disk, u32 mib);
/* Compares the counts with what the mode makes necessary. Returns NULL, or what was wrong. */
const char *disk_judge(const struct disk *disk, const struct mode *mode, u32 mib);

#endif
