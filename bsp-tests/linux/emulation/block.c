/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for block devices. */
#include <linux/least.h>
#include <linux/blk-mq.h>

static spinlock_t lock;

mempool_t *least_mempool_create(size_t size)
{
    mempool_t *pool = kmalloc(sizeof(*pool), GFP_KERNEL);

    if (pool)
    {
        pool->size = size;
    }
    return pool;
}

static bool make_requests(struct blk_mq_tag_set *set, struct request_queue *queue)
{
    struct blk_mq_tags *tags = &set->least_tags;

    for (unsigned int i = 0; i < tags->count; i++)
    {
        struct request *rq = kzalloc(sizeof(*rq) + set->cmd_size, GFP_KERNEL);

        if (!rq)
        {
            return false;
        }
        tags->rqs[i] = rq;
        rq->tag = (int)i;
        rq->q = queue;
        rq->mq_hctx = &queue->hctx;
        set->ops->init_request(set, rq, 0, 0);
    }
    return true;
}

struct request_queue *blk_least_create(struct blk_mq_tag_set *set, unsigned int count, void *queuedata)
{
    struct request_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);

    if (!queue)
    {
        return NULL;
    }
    spin_lock_init(&lock);
    set->least_tags = (struct blk_mq_tags) { count, kcalloc(count, sizeof(struct request *), GFP_KERNEL) };
    set->least_table[0] = &set->least_tags;
    set->tags = set->least_table;
    queue->set = set;
    queue->queuedata = queuedata;
    queue->hctx.tags = &set->least_tags;
    if (!set->least_tags.rqs || !make_requests(set, queue))
    {
        blk_least_destroy(queue);
        return NULL;
    }
    set->ops->init_hctx(&queue->hctx, set->driver_data, 0);
    return queue;
}

void blk_least_destroy(struct request_queue *queue)
{
    struct blk_mq_tags *tags = queue->hctx.tags;

    for (unsigned int i = 0; tags->rqs && i < tags->count; i++)
    {
        kfree(tags->rqs[i]);
    }
    kfree(tags->rqs);
    queue->set->tags = NULL;
    kfree(queue);
}

struct request *blk_mq_alloc_request(struct request_queue *queue, unsigned int flags, unsigned int wait)
{
    struct blk_mq_tags *tags = queue->hctx.tags;
    struct request *found = ERR_PTR(-EWOULDBLOCK);
    unsigned long saved;

    (void)wait;
    spin_lock_irqsave(&lock, saved);
    for (unsigned int i = 0; i < tags->count && IS_ERR(found); i++)
    {
        /* A request that is in use has a queue's operation. */
        if (!tags->rqs[i]->cmd_flags)
        {
            found = tags->rqs[i];
            found->cmd_flags = flags;
        }
    }
    spin_unlock_irqrestore(&lock, saved);
    if (!IS_ERR(found))
    {
        found->state = MQ_RQ_IDLE;
        found->nr_phys_segments = 0;
        found->data_len = 0;
        found->end_io = NULL;
    }
    return found;
}

void blk_mq_free_request(struct request *rq)
{
    rq->state = MQ_RQ_IDLE;
    smp_store_release(&rq->cmd_flags, 0);
}

void blk_mq_end_request(struct request *rq, blk_status_t status)
{
    least_counts.in_interrupts += in_interrupt();
    if (rq->end_io && rq->end_io(rq, status) == RQ_END_IO_NONE)
    {
        return;
    }
    blk_mq_free_request(rq);
}

void blk_execute_rq_nowait(struct request *rq, bool at_head)
{
    struct blk_mq_queue_data data = { rq, true };
    blk_status_t status = rq->q->set->ops->queue_rq(rq->mq_hctx, &data);

    (void)at_head;
    if (status)
    {
        blk_mq_end_request(rq, status);
    }
}

struct waiting
{
    struct completion done;
    blk_status_t status;
};

static enum rq_end_io_ret executed(struct request *rq, blk_status_t status)
{
    struct waiting *waiting = rq->end_io_data;

    waiting->status = status;
    complete(&waiting->done);
    return RQ_END_IO_NONE;
}

blk_status_t blk_execute_rq(struct request *rq, bool at_head)
{
    struct waiting waiting = { { 0 }, BLK_STS_OK };

    rq->end_io = executed;
    rq->end_io_data = &waiting;
    blk_execute_rq_nowait(rq, at_head);
    BUG_ON(!wait_for_completion_timeout(&waiting.done, 20 * HZ));
    return waiting.status;
}

void blk_least_add(struct request *rq, void *memory, unsigned int size)
{
    unsigned long offset = (unsigned long)memory & ~PAGE_MASK;

    BUG_ON(rq->nr_phys_segments == BLK_PIECES);
    rq->pieces[rq->nr_phys_segments++] = (struct bio_vec) { (u8 *)memory - offset, size, (unsigned int)offset };
    rq->data_len += size;
}

int blk_rq_map_sg(struct request_queue *queue, struct request *rq, struct scatterlist *sgl)
{
    struct scatterlist *sg = sgl;

    (void)queue;
    for (unsigned int i = 0; i < rq->nr_phys_segments; i++, sg = sg_next(sg))
    {
        sg_set_buf(sg, (u8 *)rq->pieces[i].bv_page + rq->pieces[i].bv_offset, rq->pieces[i].bv_len);
    }
    return rq->nr_phys_segments;
}
