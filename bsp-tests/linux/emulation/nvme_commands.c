/* SPDX-License-Identifier: Apache-2.0 */
/* Commands for an NVMe controller: those of its driver, and those that ask the controller what it has. */
#include <linux/least.h>
#include "nvme.h"
#include "nvme_disk.h"

#define IDENTIFY_SIZE   4096

void nvme_init_request(struct request *rq, struct nvme_command *cmd)
{
    *nvme_req(rq)->cmd = *cmd;
    nvme_req(rq)->flags = 0;
    nvme_req(rq)->status = 0;
}

blk_status_t nvme_setup_cmd(struct nvme_ns *ns, struct request *rq)
{
    (void)ns;
    nvme_req(rq)->genctr++;
    nvme_req(rq)->cmd->common.command_id = cpu_to_le16(nvme_cid(rq));
    return BLK_STS_OK;
}

void nvme_cleanup_cmd(struct request *rq)
{
    (void)rq;
}

void nvme_complete_rq(struct request *rq)
{
    blk_mq_end_request(rq, nvme_req(rq)->status ? BLK_STS_IOERR : BLK_STS_OK);
}

void nvme_complete_batch_req(struct request *rq)
{
    nvme_complete_rq(rq);
}

bool __nvme_check_ready(struct nvme_ctrl *ctrl, struct request *rq, bool queue_live, enum nvme_ctrl_state state)
{
    (void)ctrl;
    (void)rq;
    /* A controller that is removed still has its queues deleted. */
    return queue_live && state != NVME_CTRL_NEW && state != NVME_CTRL_DEAD;
}

blk_status_t nvme_fail_nonready_command(struct nvme_ctrl *ctrl, struct request *rq)
{
    (void)ctrl;
    (void)rq;
    return BLK_STS_IOERR;
}

static int submit(struct request_queue *queue, struct nvme_command *cmd, void *buffer, unsigned int size, u32 *result)
{
    struct request *rq = blk_mq_alloc_request(queue, nvme_req_op(cmd), 0);
    blk_status_t status;
    int error;

    if (IS_ERR(rq))
    {
        return (int)PTR_ERR(rq);
    }
    nvme_init_request(rq, cmd);
    if (size)
    {
        blk_least_add(rq, buffer, size);
    }
    status = blk_execute_rq(rq, false);
    error = nvme_req(rq)->status ? nvme_req(rq)->status : status ? -EIO : 0;
    if (result)
    {
        *result = le32_to_cpu(nvme_req(rq)->result.u32);
    }
    blk_mq_free_request(rq);
    return error;
}

int nvme_submit_sync_cmd(struct request_queue *queue, struct nvme_command *cmd, void *buffer, unsigned int size)
{
    return submit(queue, cmd, buffer, size, NULL);
}

int nvme_set_queue_count(struct nvme_ctrl *ctrl, int *count)
{
    struct nvme_command cmd = { };
    u32 asked = (u32)(*count - 1), result = 0;
    int error;

    cmd.features.opcode = nvme_admin_set_features;
    cmd.features.fid = cpu_to_le32(NVME_FEAT_NUM_QUEUES);
    cmd.features.dword11 = cpu_to_le32(asked | asked << 16);
    error = submit(ctrl->admin_q, &cmd, NULL, 0, &result);
    if (error)
    {
        return error < 0 ? error : -EIO;
    }
    *count = min_t(int, *count, (int)min(result & 0xffff, result >> 16) + 1);
    return 0;
}

static int identify(struct nvme_ctrl *ctrl, u8 what, u32 name_space_id, void *buffer)
{
    struct nvme_command cmd = { };
    int error;

    cmd.identify.opcode = nvme_admin_identify;
    cmd.identify.nsid = cpu_to_le32(name_space_id);
    cmd.identify.cns = what;
    error = submit(ctrl->admin_q, &cmd, buffer, IDENTIFY_SIZE, NULL);
    return error > 0 ? -EIO : error;
}

int nvme_init_ctrl_finish(struct nvme_ctrl *ctrl, bool was_suspended)
{
    void *buffer = kmalloc(IDENTIFY_SIZE, GFP_KERNEL);
    int error = buffer ? identify(ctrl, NVME_ID_CNS_CTRL, 0, buffer) : -ENOMEM;

    (void)was_suspended;
    if (!error)
    {
        struct nvme_id_ctrl *id = buffer;

        ctrl->sgls = le32_to_cpu(id->sgls);
        ctrl->oacs = le16_to_cpu(id->oacs);
        error = identify(ctrl, NVME_ID_CNS_NS, 1, buffer);
    }
    if (!error)
    {
        struct nvme_id_ns *id = buffer;

        least_nvme_blocks = le64_to_cpu(id->nsze);
        least_nvme_block_size = 1U << id->lbaf[id->flbas & 0xf].ds;
    }
    kfree(buffer);
    return error;
}
