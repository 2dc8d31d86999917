/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux's driver for NVMe controllers on PCI expects of the part that all transports share, for one namespace. */
#include <linux/least.h>
#include "nvme.h"
#include "nvme_disk.h"

#define ADMIN_REQUESTS  8
#define IO_REQUESTS     8
#define READY_TIMEOUT   5000    /* ms */

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
