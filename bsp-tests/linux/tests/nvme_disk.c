/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_nvme MIB [coherent] [high]: moves MIB to an NVMe disk, and MIB from it. linux_nvme_faults: see faults.h.
 *
 * A chunk is moved by three requests, for the driver's three ways to describe memory: one large piece (a segment), one piece
 * of two pages (two addresses), and four pages (a list of pages from a DMA pool).
 */
#include "disk.h"
#include "faults.h"
#include "subjects.h"
#include "../kernel/nvme_disk.h"
#include "nvme.h"

#define PIECES          6

static const unsigned int sizes[PIECES] = { 40960, 8192, 4096, 4096, 4096, 4096 };
/* The first piece of each request, and the one after its last. */
static const unsigned int first[] = { 0, 1, 2 }, last[] = { 1, 2, 6 };

static struct least_device device;
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

static struct disk about = { .pieces = PIECES, .sizes = sizes, .memory = memory, .move = move };

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

static const char *test(const struct mode *mode, u32 mib)
{
    const char *error = session_begin(mode), *end;
    int result;

    if (error)
    {
        return error;
    }
    result = least_probe(&device, nvme_subject.name, nvme_subject.vendor, nvme_subject.device, nvme_subject.init,
            mode->is_coherent);
    if (result)
    {
        session_end();
        return reason("probe: %d", result);
    }
    error = open_disk();
    error = error ? error : disk_run(&about, mib);
    close_disk();
    least_remove(&device, nvme_subject.exit);
    print_counts();
    end = session_end();
    return error ? error : end ? end : disk_judge(&about, mode, mib);
}

static int linux_nvme(int argc, char **argv)
{
    struct mode mode;
    const char *error;
    int mib;

    if (argc > 1 && !kstrtoint(argv[1], 10, &mib) && read_mode(&mode, argc - 2, argv + 2))
    {
        error = test(&mode, (u32)mib);
        rt_kprintf("linux_nvme: %s%s\n", error ? "FAIL: " : "PASS", error ? error : "");
    }
    return 0;
}
MSH_CMD_EXPORT(linux_nvme, MIB MODE...: move blocks of an NVMe disk through a driver of Linux);

static int use(void)
{
    int error = open_disk() ? -ENOMEM : move(0, false);

    close_disk();
    return error;
}

static int linux_nvme_faults(int argc, char **argv)
{
    unsigned int runs = 0;
    struct mode mode;

    if (read_mode(&mode, argc - 1, argv + 1))
    {
        print_faults("linux_nvme_faults", fail_each_request(&nvme_subject, &mode, use, &runs), runs);
    }
    return 0;
}
MSH_CMD_EXPORT(linux_nvme_faults, MODE...: fail each request until a chunk of the disk was read);
