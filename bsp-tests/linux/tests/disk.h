/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of a disk does, whatever the disk is. */
#ifndef LEAST_DISK_H
#define LEAST_DISK_H

#include "subjects.h"

#define DISK_CHUNK      (64U << 10)

struct disk
{
    /* The driver under test, and the command's name. */
    const struct subject *subject;
    const char *command;
    /* Finds the disk that the driver has, and fills in what is not constant. Returns NULL, or what was wrong. */
    const char *(*open)(void);
    void (*close)(void);
    /* The memory that move() moves: all of it is a chunk. */
    unsigned int pieces;
    const unsigned int *sizes;
    u8 **memory;
    u32 blocks, block_size;
    /* Writes or reads the chunk that begins at a block. Returns 0 or an error. */
    int (*move)(u32 block, bool write);
};

/* The command COMMAND MIB [coherent] [high]: moves MIB to the disk, and MIB from it. */
int disk_command(struct disk *disk, int argc, char **argv);
/* The command COMMAND_faults [coherent] [high]: fails each request until a chunk of the disk was read. See faults.h. */
int disk_faults_command(struct disk *disk, int argc, char **argv);

#endif
