/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the first half of a disk, reads as much of its second half, and reads a part of what it wrote. The checksums of both
 * halves are printed: the script compares them with the disk's file.
 */
#include "checksum.h"
#include "disk.h"
#include "faults.h"

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

static const char *move_all(const struct disk *disk, u32 mib)
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

static const char *judge(const struct disk *disk, const struct mode *mode, u32 mib)
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

struct order
{
    struct disk *disk;
    u32 mib;
};

static const char *use(struct least_device *device, const struct mode *mode, void *context)
{
    const struct order *order = context;
    const char *error = order->disk->open();

    (void)device;
    (void)mode;
    error = error ? error : move_all(order->disk, order->mib);
    order->disk->close();
    return error;
}

int disk_command(struct disk *disk, int argc, char **argv)
{
    struct mode mode;
    const char *error;
    int mib;

    if (argc > 1 && !kstrtoint(argv[1], 10, &mib) && read_mode(&mode, argc - 2, argv + 2))
    {
        struct order order = { disk, (u32)mib };

        error = session_run(disk->subject, &mode, use, &order);
        print_result(disk->command, error ? error : judge(disk, &mode, order.mib));
    }
    return 0;
}

static struct disk *faulty;

static int read_a_chunk(void)
{
    int error = faulty->open() ? -EIO : faulty->move(0, false);

    faulty->close();
    return error;
}

int disk_faults_command(struct disk *disk, int argc, char **argv)
{
    unsigned int runs = 0;
    struct mode mode;
    const char *error;

    if (read_mode(&mode, argc - 1, argv + 1))
    {
        faulty = disk;
        error = fail_each_request(disk->subject, &mode, read_a_chunk, &runs);
        print_faults(reason("%s_faults", disk->command), error, runs);
    }
    return 0;
}
