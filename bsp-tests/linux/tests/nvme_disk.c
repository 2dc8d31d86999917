/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_nvme MIB [coherent] [high]: moves MIB to an NVMe disk, and MIB from it. linux_nvme_faults: see disk.h.
 *
 * A chunk is moved by three requests, for the driver's three ways to describe memory: one large piece (a segment), one piece
 * of two pages (two addresses), and four pages (a list of pages from a DMA pool).
 */
#include "disk.h"
#include "../emulation/nvme_disk.h"
#include "nvme.h"

#define PIECES          6

static const unsigned int sizes[PIECES] = { 40960, 8192, 4096, 4096, 4096, 4096 };
/* The first piece of each request, and the one after its last. */
static const unsigned int first[] = { 0, 1, 2 }, last[] = { 1, 2, 6 };

static u8 *memory[PIECES];

static int request(u64 block, unsigned int index, bool write)
{
    struct nvme_command cmd = { };
    struct request *rq;
    blk_status_t status;

    cmd.rw.opcode = write ? nvme_cmd_write : nvme_cmd_read;
    cmd.rw.nsid = cpu_to_le32(1);
    cmd.rw.slba = cpu_to_le64(block);
    rq = blk_mq_alloc_request(least_nvme_queue, nvme_req_op(&cmd), 0);
    if (IS_ERR(rq))
    {
        return (int)PTR_ERR(rq);
    }
    for (unsigned int i = first[index]; i < last[index]; i++)
    {
        blk_least_add(rq, memory[i], sizes[i]);
    }
    cmd.rw.length = cpu_to_le16(rq->data_len / least_nvme_block_size - 1);
    nvme_init_request(rq, &cmd);
    status = blk_execute_rq(rq, false);
    blk_mq_free_request(rq);
    return status ? -EIO : 0;
}

static int move(u32 block, bool write)
{
    int error = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(first) && !error; i++)
    {
        error = request(block, i, write);
        for (unsigned int j = first[i]; j < last[i]; j++)
        {
            block += sizes[j] / least_nvme_block_size;
        }
    }
    return error;
}

static struct disk about;

static const char *open_disk(void)
{
    bool complete = true;

    for (unsigned int i = 0; i < PIECES; i++)
    {
        memory[i] = kmalloc(sizes[i], GFP_KERNEL);
        complete = complete && memory[i];
    }
    about.blocks = (u32)least_nvme_blocks;
    about.block_size = least_nvme_block_size;
    return !complete ? "no memory" : !least_nvme_queue ? "no queue for blocks" : NULL;
}

static void close_disk(void)
{
    for (unsigned int i = 0; i < PIECES; i++)
    {
        kfree(memory[i]);
    }
}

static struct disk about =
{
    .subject = &nvme_subject, .command = "linux_nvme", .open = open_disk, .close = close_disk,
    .pieces = PIECES, .sizes = sizes, .memory = memory, .move = move,
};

static int linux_nvme(int argc, char **argv)
{
    return disk_command(&about, argc, argv);
}
MSH_CMD_EXPORT(linux_nvme, MIB MODE...: move blocks of an NVMe disk through a driver of Linux);

static int linux_nvme_faults(int argc, char **argv)
{
    return disk_faults_command(&about, argc, argv);
}
MSH_CMD_EXPORT(linux_nvme_faults, MODE...: fail each request until a chunk of the disk was read);
