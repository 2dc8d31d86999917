/* SPDX-License-Identifier: Apache-2.0 */
/* linux_usb MIB [coherent] [high]: moves MIB to a USB disk, and MIB from it. linux_usb_faults: see disk.h. */
#include "disk.h"
#include "usb_device.h"

static struct usb_disk disk;
static struct disk about;

static const char *open_disk(void)
{
    const char *error = usb_disk_open(&disk, least_usb_hcd);

    about.blocks = disk.blocks;
    return error;
}

static void close_disk(void)
{
    usb_disk_close(&disk);
}

static int move(u32 block, bool write)
{
    return usb_disk_move(&disk, block, write);
}

static struct disk about =
{
    .subject = &usb_subject, .command = "linux_usb", .open = open_disk, .close = close_disk,
    .pieces = DISK_PIECES, .sizes = usb_disk_sizes, .memory = disk.pieces, .block_size = DISK_BLOCK, .move = move,
};

static int linux_usb(int argc, char **argv)
{
    return disk_command(&about, argc, argv);
}
MSH_CMD_EXPORT(linux_usb, MIB MODE...: move blocks of a USB disk through a driver of Linux);

static int linux_usb_faults(int argc, char **argv)
{
    return disk_faults_command(&about, argc, argv);
}
MSH_CMD_EXPORT(linux_usb_faults, MODE...: fail each request until a chunk of the disk was read);
