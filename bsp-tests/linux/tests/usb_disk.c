/* SPDX-License-Identifier: Apache-2.0 */
/* linux_usb MIB [coherent] [high]: moves MIB to a USB disk, and MIB from it. linux_usb_faults: see faults.h. */
#include "disk.h"
#include "faults.h"
#include "subjects.h"
#include "usb_device.h"

static struct least_device device;
static struct usb_disk disk;

static int move(u32 block, bool write)
{
    return usb_disk_move(&disk, block, write);
}

static struct disk about = { .pieces = DISK_PIECES, .sizes = usb_disk_sizes, .block_size = DISK_BLOCK, .move = move };

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
    error = usb_disk_open(&disk, least_usb_hcd);
    about.blocks = disk.blocks;
    about.memory = disk.pieces;
    error = error ? error : disk_run(&about, mib);
    usb_disk_close(&disk);
    least_remove(&device, usb_subject.exit);
    print_counts();
    end = session_end();
    return error ? error : end ? end : disk_judge(&about, mode, mib);
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
    int error = wrong ? -EIO : move(0, false);

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
