/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux's driver for NVMe controllers on PCI expects of the part that all transports share, for one namespace. */
#include <linux/least.h>
#include "nvme.h"
#include "nvme_disk.h"

#define ADMIN_REQUESTS  8
#define IO_REQUESTS     8
#define READY_TIMEOUT   5000    /* ms */
#define IDENTIFY_SIZE   4096

struct workqueue_struct *nvme_wq;
unsigned int nvme_io_timeout = 10, admin_timeout = 10;
const struct attribute_group nvme_dev_attrs_group;
struct nvme_ctrl *least_nvme;
struct request_queue *least_nvme_queue;
u64 least_nvme_blocks;
unsigned int least_nvme_block_size;

static struct nvme_ns name_space;

/* ---- the controller's life ---- */

static void release(struct device *dev)
{
    struct nvme_ctrl *ctrl = container_of(dev, struct nvme_ctrl, ctrl_device);

    ctrl->ops->free_ctrl(ctrl);
}

static void no_work(struct work_struct *work)
{
    (void)work;
}

int nvme_init_ctrl(struct nvme_ctrl *ctrl, struct device *dev, const struct nvme_ctrl_ops *ops, unsigned long quirks)
{
    if (least_fails())
    {
        return -ENOMEM;
    }
    spin_lock_init(&ctrl->lock);
    INIT_WORK(&ctrl->scan_work, no_work);
    ctrl->dev = dev;
    ctrl->ops = ops;
    ctrl->quirks = quirks;
    ctrl->state = NVME_CTRL_NEW;
    ctrl->device = &ctrl->ctrl_device;
    ctrl->ctrl_device.refs = 1;
    ctrl->ctrl_device.release = release;
    strcpy(ctrl->ctrl_device.rt.parent.parent.name, "nvme0");
    return 0;
}

int nvme_add_ctrl(struct nvme_ctrl *ctrl)
{
    nvme_get_ctrl(ctrl);
    return 0;
}

void nvme_uninit_ctrl(struct nvme_ctrl *ctrl)
{
    nvme_put_ctrl(ctrl);
}

bool nvme_change_ctrl_state(struct nvme_ctrl *ctrl, enum nvme_ctrl_state state)
{
    if (nvme_state_terminal(ctrl) && state < NVME_CTRL_DELETING)
    {
        return false;
    }
    ctrl->state = state;
    return true;
}

static int wait_status(struct nvme_ctrl *ctrl, u32 mask, u32 value)
{
    unsigned long end = jiffies + READY_TIMEOUT;
    u32 status;

    for (;;)
    {
        ctrl->ops->reg_read32(ctrl, NVME_REG_CSTS, &status);
        if ((status & mask) == value)
        {
            return 0;
        }
        if (time_after(jiffies, end))
        {
            return -ENODEV;
        }
        msleep(1);
    }
}

int nvme_enable_ctrl(struct nvme_ctrl *ctrl)
{
    ctrl->ctrl_config = NVME_CC_CSS_NVM | NVME_CC_AMS_RR | NVME_CC_SHN_NONE | NVME_CC_IOSQES | NVME_CC_IOCQES
        | NVME_CC_ENABLE;
    ctrl->ops->reg_write32(ctrl, NVME_REG_CC, ctrl->ctrl_config);
    return wait_status(ctrl, NVME_CSTS_RDY, NVME_CSTS_RDY);
}

int nvme_disable_ctrl(struct nvme_ctrl *ctrl, bool shutdown)
{
    ctrl->ctrl_config &= ~(NVME_CC_SHN_MASK | NVME_CC_ENABLE);
    if (shutdown)
    {
        ctrl->ctrl_config |= NVME_CC_SHN_NORMAL | NVME_CC_ENABLE;
    }
    ctrl->ops->reg_write32(ctrl, NVME_REG_CC, ctrl->ctrl_config);
    return shutdown ? wait_status(ctrl, NVME_CSTS_SHST_MASK, NVME_CSTS_SHST_CMPLT) : wait_status(ctrl, NVME_CSTS_RDY, 0);
}

/* ---- commands ---- */

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

/* ---- queues ---- */

static void prepare_set(struct nvme_ctrl *ctrl, struct blk_mq_tag_set *set, const struct blk_mq_ops *ops,
        unsigned int size)
{
    memset(set, 0, sizeof(*set));
    set->ops = ops;
    set->cmd_size = size;
    set->driver_data = ctrl;
}

int nvme_alloc_admin_tag_set(struct nvme_ctrl *ctrl, struct blk_mq_tag_set *set, const struct blk_mq_ops *ops,
        unsigned int size)
{
    prepare_set(ctrl, set, ops, size);
    ctrl->admin_q = blk_least_create(set, ADMIN_REQUESTS, NULL);
    ctrl->admin_tagset = set;
    return ctrl->admin_q ? 0 : -ENOMEM;
}

void nvme_remove_admin_tag_set(struct nvme_ctrl *ctrl)
{
    blk_least_destroy(ctrl->admin_q);
    ctrl->admin_q = NULL;
}

int nvme_alloc_io_tag_set(struct nvme_ctrl *ctrl, struct blk_mq_tag_set *set, const struct blk_mq_ops *ops,
        unsigned int maps, unsigned int size)
{
    prepare_set(ctrl, set, ops, size);
    set->nr_maps = maps;
    ops->map_queues(set);
    least_nvme_queue = blk_least_create(set, IO_REQUESTS, &name_space);
    if (!least_nvme_queue)
    {
        return -ENOMEM;
    }
    ctrl->tagset = set;
    least_nvme = ctrl;
    return 0;
}

void nvme_remove_io_tag_set(struct nvme_ctrl *ctrl)
{
    (void)ctrl;
    blk_least_destroy(least_nvme_queue);
    least_nvme_queue = NULL;
}

/* No request is under way when the driver asks for one of these. */

#define NOTHING(name) void name(struct nvme_ctrl *ctrl) { (void)ctrl; }
NOTHING(nvme_start_ctrl)
NOTHING(nvme_stop_ctrl)
NOTHING(nvme_remove_namespaces)
NOTHING(nvme_cancel_tagset)
NOTHING(nvme_cancel_admin_tagset)
NOTHING(nvme_quiesce_io_queues)
NOTHING(nvme_unquiesce_io_queues)
NOTHING(nvme_quiesce_admin_queue)
NOTHING(nvme_unquiesce_admin_queue)
NOTHING(nvme_mark_namespaces_dead)
NOTHING(nvme_sync_queues)
NOTHING(nvme_unfreeze)
NOTHING(nvme_wait_freeze)
NOTHING(nvme_start_freeze)

int nvme_wait_freeze_timeout(struct nvme_ctrl *ctrl, long timeout)
{
    (void)ctrl;
    return (int)timeout;
}

bool nvme_wait_reset(struct nvme_ctrl *ctrl)
{
    (void)ctrl;
    return false;
}

int nvme_try_sched_reset(struct nvme_ctrl *ctrl)
{
    (void)ctrl;
    return -EBUSY;
}

void nvme_complete_async_event(struct nvme_ctrl *ctrl, __le16 status, volatile union nvme_result *result)
{
    (void)ctrl;
    (void)status;
    (void)result;
}
