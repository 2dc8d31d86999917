/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_usb MIB [coherent] [high]: writes MIB to the first half of a USB disk, and reads as much of its second half.
 *
 * What was written is also read back. The checksums of both halves are printed: the script compares them with the disk's
 * file.
 */
#include "checksum.h"
#include "faults.h"
#include "session.h"
#include "subjects.h"
#include "usb_device.h"

static struct least_device device;
static struct usb_disk disk;

static void fill_pieces(u32 seed)
{
    for (unsigned int i = 0; i < DISK_PIECES; i++)
    {
        fill(disk.pieces[i], usb_disk_piece_size(i), seed * DISK_PIECES + i);
    }
}

static u32 sum_pieces(u32 crc)
{
    for (unsigned int i = 0; i < DISK_PIECES; i++)
    {
        crc = crc32(crc, disk.pieces[i], usb_disk_piece_size(i));
    }
    return crc;
}

static const char *run(u32 mib)
{
    u32 chunks = (mib << 20) / DISK_CHUNK, blocks = DISK_CHUNK / DISK_BLOCK, written = 0, read = 0, again = 0;
    const char *wrong = usb_disk_open(&disk, least_usb_hcd);
    int error = 0;

    if (wrong)
    {
        return wrong;
    }
    if (disk.blocks / 2 < chunks * blocks)
    {
        return reason("the disk has %u blocks", disk.blocks);
    }
    for (u32 chunk = 0; chunk < chunks && !error; chunk++)
    {
        fill_pieces(chunk);
        written = sum_pieces(written);
        error = usb_disk_move(&disk, chunk * blocks, true);
        if (!error)
        {
            error = usb_disk_move(&disk, disk.blocks / 2 + chunk * blocks, false);
            read = sum_pieces(read);
        }
    }
    /* A part of what was written. */
    for (u32 chunk = 0; chunk < chunks && !error; chunk += 8)
    {
        u32 expected;

        fill_pieces(chunk);
        expected = sum_pieces(0);
        fill_pieces(~chunk);
        error = usb_disk_move(&disk, chunk * blocks, false);
        again = sum_pieces(0);
        if (!error && again != expected)
        {
            return reason("chunk %u is read as 0x%08x, and was 0x%08x", chunk, again, expected);
        }
    }
    rt_kprintf("  written 0x%08x, read 0x%08x\n", written, read);
    return error ? reason("a transfer: %d", error) : NULL;
}

static const char *judge(const struct mode *mode, u32 mib)
{
    unsigned long chunks = (mib << 20) / DISK_CHUNK;

    if (mode->is_high && least_counts.bounced < 2 * DISK_PIECES * chunks)
    {
        return reason("%lu mappings bounced", least_counts.bounced);
    }
    if (!mode->is_high && mode->is_coherent && least_counts.bounced)
    {
        return reason("%lu mappings bounced, and none need be", least_counts.bounced);
    }
    if (!mode->is_coherent && least_counts.cache_calls < 2 * DISK_PIECES * chunks)
    {
        return reason("%lu cache operations", least_counts.cache_calls);
    }
    return NULL;
}

static const char *test(const struct mode *mode, u32 mib)
{
    const char *error = session_begin(mode), *end;
    int result;

    if (error)
    {
        return error;
    }
    result = least_probe(&device, usb_subject.name, usb_subject.vendor, usb_subject.device, usb_subject.init,
            mode->is_coherent);
    if (result)
    {
        session_end();
        return reason("probe: %d", result);
    }
    error = run(mib);
    usb_disk_close(&disk);
    least_remove(&device, usb_subject.exit);
    print_counts();
    end = session_end();
    return error ? error : end ? end : judge(mode, mib);
}

static int linux_usb(int argc, char **argv)
{
    struct mode mode;
    const char *error;
    int mib;

    if (argc > 1 && !kstrtoint(argv[1], 10, &mib) && read_mode(&mode, argc - 2, argv + 2))
    {
        error = test(&mode, (u32)mib);
        rt_kprintf("linux_usb: %s%s\n", error ? "FAIL: " : "PASS", error ? error : "");
    }
    return 0;
}
MSH_CMD_EXPORT(linux_usb, MIB MODE...: move blocks of a USB disk through a driver of Linux);

static int open_disk(void)
{
    const char *wrong = usb_disk_open(&disk, least_usb_hcd);
    int error = wrong ? -EIO : usb_disk_move(&disk, 0, false);

    usb_disk_close(&disk);
    return error;
}

static int linux_usb_faults(int argc, char **argv)
{
    unsigned int runs = 0;
    struct mode mode;

    if (read_mode(&mode, argc - 1, argv + 1))
    {
        print_faults("linux_usb_faults", fail_each_request(&usb_subject, &mode, open_disk, &runs), runs);
    }
    return 0;
}
MSH_CMD_EXPORT(linux_usb_faults, MODE...: fail each request until a chunk of the disk was read);
