/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for block devices, without a block layer: a set of requests for each kind of queue, one hardware queue, and the
 * data of a request as pieces of memory.
 */
#ifndef LEAST_BLK_MQ_H
#define LEAST_BLK_MQ_H

#include <linux/device.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/dmapool.h>

#define SECTOR_SHIFT            9
#define BLK_PIECES              16

typedef u8 blk_status_t;
enum { BLK_STS_OK, BLK_STS_NOTSUPP, BLK_STS_RESOURCE = 9, BLK_STS_IOERR = 10, BLK_STS_TARGET = 14 };
enum req_op { REQ_OP_READ, REQ_OP_WRITE, REQ_OP_DRV_IN = 34, REQ_OP_DRV_OUT = 35 };
enum blk_eh_timer_return { BLK_EH_DONE, BLK_EH_RESET_TIMER };
enum rq_end_io_ret { RQ_END_IO_NONE, RQ_END_IO_FREE };
enum { HCTX_TYPE_DEFAULT, HCTX_TYPE_READ, HCTX_TYPE_POLL, HCTX_MAX_TYPES };
enum mq_rq_state { MQ_RQ_IDLE, MQ_RQ_IN_FLIGHT, MQ_RQ_COMPLETE };
enum blk_unique_id { BLK_UID_T10 };
#define REQ_DRV                 (1U << 24)
#define BLK_MQ_REQ_NOWAIT       1

struct request;
struct blk_mq_tag_set;

struct bio_vec
{
    void *bv_page;
    unsigned int bv_len, bv_offset;
};

struct rq_list
{
    struct request *head, *tail;
};

struct io_comp_batch
{
    struct rq_list req_list;
};

struct blk_mq_tags
{
    unsigned int count;
    struct request **rqs;
};

struct blk_mq_hw_ctx
{
    void *driver_data;
    struct blk_mq_tags *tags;
    unsigned int queue_num;
};

struct request_queue
{
    void *queuedata;
    struct blk_mq_tag_set *set;
    struct blk_mq_hw_ctx hctx;
};

typedef enum rq_end_io_ret rq_end_io_fn(struct request *rq, blk_status_t status);

/* A request. What the driver keeps for it follows in memory. */
struct request
{
    struct request_queue *q;
    struct blk_mq_hw_ctx *mq_hctx;
    struct request *next;
    int tag;
    unsigned int cmd_flags;
    enum mq_rq_state state;
    unsigned short nr_phys_segments, nr_integrity_segments;
    unsigned int data_len;
    struct bio_vec pieces[BLK_PIECES];
    void *bio;
    rq_end_io_fn *end_io;
    void *end_io_data;
};

struct blk_mq_queue_data
{
    struct request *rq;
    bool last;
};

struct blk_mq_queue_map
{
    unsigned int nr_queues, queue_offset;
};

struct blk_mq_ops
{
    blk_status_t (*queue_rq)(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data);
    void (*commit_rqs)(struct blk_mq_hw_ctx *hctx);
    void (*queue_rqs)(struct rq_list *list);
    void (*complete)(struct request *rq);
    int (*init_hctx)(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index);
    int (*init_request)(struct blk_mq_tag_set *set, struct request *rq, unsigned int index, unsigned int node);
    void (*map_queues)(struct blk_mq_tag_set *set);
    enum blk_eh_timer_return (*timeout)(struct request *rq);
    int (*poll)(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *batch);
};

struct blk_mq_tag_set
{
    const struct blk_mq_ops *ops;
    struct blk_mq_queue_map map[HCTX_MAX_TYPES];
    unsigned int nr_maps, cmd_size;
    void *driver_data;
    struct blk_mq_tags **tags;
    struct blk_mq_tags least_tags;
    struct blk_mq_tags *least_table[1];
};

#define blk_mq_rq_to_pdu(rq)    ((void *)((struct request *)(rq) + 1))
#define blk_mq_rq_from_pdu(pdu) ((struct request *)(pdu) - 1)
#define blk_mq_rq_state(rq)     READ_ONCE((rq)->state)
#define blk_mq_start_request(rq) ((rq)->state = MQ_RQ_IN_FLIGHT)
#define blk_mq_tag_to_rq(tags, tag) ((tag) < (tags)->count ? (tags)->rqs[tag] : NULL)
#define blk_rq_nr_phys_segments(rq) ((rq)->nr_phys_segments)
#define blk_rq_payload_bytes(rq) ((rq)->data_len)
#define blk_rq_bytes(rq)        ((rq)->data_len)
#define blk_integrity_rq(rq)    ((void)(rq), false)
#define blk_op_str(op)          "?"
#define blk_should_fake_timeout(q) false
#define blk_queue_dying(q)      ((void)(q), false)
#define blk_mq_complete_request_remote(rq) ((rq)->state = MQ_RQ_COMPLETE, false)
#define blk_mq_add_to_batch(rq, batch, error, complete) ((void)(batch), (void)(complete), false)
#define blk_mq_end_request_batch(batch) ((void)(batch))
#define blk_mq_map_queues(map)  ((void)(map))
#define blk_mq_pci_map_queues(map, pdev, offset) ((void)(map), (void)(offset))
#define blk_mq_update_nr_hw_queues(set, count) ((void)(set), (void)(count))
#define blk_rq_map_integrity_sg(rq, sgl) 0
#define req_op(rq)              ((enum req_op)((rq)->cmd_flags & 0xff))
#define rq_dma_dir(rq)          (req_op(rq) & 1 ? DMA_TO_DEVICE : DMA_FROM_DEVICE)
#define req_bvec(rq)            ((rq)->pieces[0])
#define rq_integrity_vec(rq)    ((rq)->pieces[0])
#define dma_map_bvec(dev, bv, dir, attrs) \
    dma_map_single_attrs(dev, (u8 *)(bv)->bv_page + (bv)->bv_offset, (bv)->bv_len, dir, attrs)
#define DEFINE_IO_COMP_BATCH(name) struct io_comp_batch name = { { NULL, NULL } }

#define rq_list_empty(list)     ((list)->head == NULL)
#define rq_list_for_each(list, rq) for ((rq) = (list)->head; (rq); (rq) = (rq)->next)

static inline struct request *rq_list_pop(struct rq_list *list)
{
    struct request *rq = list->head;

    if (rq)
    {
        list->head = rq->next;
    }
    return rq;
}

static inline void rq_list_add_tail(struct rq_list *list, struct request *rq)
{
    rq->next = NULL;
    *(list->head ? &list->tail->next : &list->head) = rq;
    list->tail = rq;
}

/* A queue with count requests, or NULL. */
struct request_queue *blk_least_create(struct blk_mq_tag_set *set, unsigned int count, void *queuedata);
void blk_least_destroy(struct request_queue *queue);
struct request *blk_mq_alloc_request(struct request_queue *queue, unsigned int flags, unsigned int wait);
void blk_mq_free_request(struct request *rq);
void blk_execute_rq_nowait(struct request *rq, bool at_head);
/* Runs a request and waits for it. */
blk_status_t blk_execute_rq(struct request *rq, bool at_head);
void blk_mq_end_request(struct request *rq, blk_status_t status);
/* Adds a piece of memory to a request. */
void blk_least_add(struct request *rq, void *memory, unsigned int size);
int blk_rq_map_sg(struct request_queue *queue, struct request *rq, struct scatterlist *sgl);

/* ---- pools of memory, as far as one is more than the heap ---- */

typedef struct mempool { size_t size; } mempool_t;
#define mempool_kmalloc         NULL
#define mempool_kfree           NULL
mempool_t *least_mempool_create(size_t size);
#define mempool_create_node(least, alloc, free, size, gfp, node) ({ (void)(node); least_mempool_create((size_t)(size)); })
#define mempool_destroy(pool)   kfree(pool)
#define mempool_alloc(pool, gfp) kmalloc((pool)->size, gfp)
#define mempool_free(memory, pool) kfree(memory)

/* ---- names of what is not there ---- */

struct cdev { int unused; };
struct srcu_struct { int unused; };
struct kref { int unused; };
struct xarray { int unused; };
struct ida { int unused; };
struct ratelimit_state { int unused; };
typedef int key_serial_t;
typedef unsigned int blk_mode_t;
struct gendisk { void *private_data; };
struct block_device;
struct block_device_operations;
struct file;
struct file_operations;
struct hd_geometry;
struct io_uring_cmd;
struct opal_dev;
struct pr_ops;
struct queue_limits;
typedef int (*report_zones_cb)(void *zone, unsigned int index, void *data);
#define dev_to_disk(dev)        ((struct gendisk *)(dev)->driver_data)
#define acpi_storage_d3(dev)    ((void)(dev), false)
#define dmi_match(field, text)  false
#define DMI_SYS_VENDOR          0
#define pm_suspend_via_firmware() false
#define pci_p2pdma_add_resource(pdev, bar, size, offset) (-EOPNOTSUPP)
#define pci_p2pmem_publish(pdev, publish) ((void)(pdev))
#define pci_alloc_p2pmem(pdev, size) ((void)(pdev), NULL)
#define pci_free_p2pmem(pdev, memory, size) ((void)(pdev))
#define pci_p2pmem_virt_to_bus(pdev, memory) 0
#define dma_pci_p2pdma_supported(dev) ((void)(dev), false)
#define is_pci_p2pdma_page(page) ((void)(page), false)
#define flush_workqueue(queue)  ((void)(queue))
#define param_get_uint          NULL
#define param_set_uint(value, param) ((void)(value), (void)(param), 0)
#define param_set_uint_minmax(value, param, least, most) ((void)(value), (void)(param), 0)
#define absolute_pointer(p)     (p)
#define div_u64(a, b)           ((a) / (b))
#define MAX_ORDER_NR_PAGES      1024
#define sysfs_update_group(object, group) ((void)(object), (void)(group))
#define memremap_compat_align() PAGE_SIZE
#define DO_ONCE(f, ...)         (f(__VA_ARGS__), true)
struct irq_affinity
{
    unsigned int pre_vectors, post_vectors, nr_sets, set_size[4];
    void (*calc_sets)(struct irq_affinity *affinity, unsigned int vectors);
    void *priv;
};
#define IRQ_AFFINITY_MAX_SETS   4

#endif
