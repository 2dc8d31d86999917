/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices without a stack, packets, and polling for them. */
#include <linux/least.h>
#include <linux/etherdevice.h>
#include "soft.h"
#include "net.h"

/* As on Linux: the head-room before a packet, and the bytes that would align the header of IP (on arm64: none). */
#define HEAD_ROOM       64
#define POLL_ROUNDS     10

struct net_device *least_net_device;
unsigned int least_net_ip_align;

static LIST_HEAD(polls);
static LIST_HEAD(received);
static spinlock_t lock;

/* ---- devices ---- */

struct net_device *alloc_etherdev(int priv_size)
{
    struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

    if (!dev)
    {
        return NULL;
    }
    dev->priv = kzalloc((size_t)priv_size, GFP_KERNEL);
    if (!dev->priv)
    {
        kfree(dev);
        return NULL;
    }
    dev->mtu = ETH_DATA_LEN;
    strcpy(dev->name, "eth0");
    return dev;
}

void free_netdev(struct net_device *dev)
{
    WARN_ON(dev->registered);
    kfree(dev->priv);
    kfree(dev);
}

int register_netdev(struct net_device *dev)
{
    if (least_fails())
    {
        return -ENOMEM;
    }
    strcpy(dev->name, "eth0");
    dev->registered = true;
    least_net_device = dev;
    return 0;
}

int least_net_open(struct net_device *dev)
{
    int error;

    dev->running = true;
    error = dev->netdev_ops->ndo_open(dev);
    if (error)
    {
        dev->running = false;
        return error;
    }
    if (dev->netdev_ops->ndo_set_rx_mode)
    {
        local_bh_disable();
        dev->netdev_ops->ndo_set_rx_mode(dev);
        local_bh_enable();
    }
    return 0;
}

void least_net_close(struct net_device *dev)
{
    dev->running = false;
    dev->netdev_ops->ndo_stop(dev);
}

void unregister_netdev(struct net_device *dev)
{
    if (dev->running)
    {
        least_net_close(dev);
    }
    dev->registered = false;
    least_net_device = NULL;
}

/* ---- packets ---- */

static struct sk_buff *new_packet(struct net_device *dev, unsigned int size, unsigned int head_room)
{
    struct sk_buff *skb = kzalloc(sizeof(*skb), GFP_ATOMIC);

    if (!skb)
    {
        return NULL;
    }
    skb->head = kmalloc(head_room + size, GFP_ATOMIC);
    if (!skb->head)
    {
        kfree(skb);
        return NULL;
    }
    skb->dev = dev;
    skb->data = skb->tail = skb->head + head_room;
    skb->end = skb->data + size;
    return skb;
}

struct sk_buff *netdev_alloc_skb(struct net_device *dev, unsigned int size)
{
    return new_packet(dev, size, HEAD_ROOM);
}

struct sk_buff *netdev_alloc_skb_ip_align(struct net_device *dev, unsigned int size)
{
    return new_packet(dev, size, HEAD_ROOM + least_net_ip_align);
}

void kfree_skb(struct sk_buff *skb)
{
    if (skb)
    {
        kfree(skb->head);
        kfree(skb);
    }
}

__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
    __be16 protocol;

    skb->dev = dev;
    memcpy(&protocol, skb->data + 2 * ETH_ALEN, sizeof(protocol));
    skb_pull(skb, ETH_HLEN);
    return protocol;
}

int netif_receive_skb(struct sk_buff *skb)
{
    unsigned long flags;

    least_counts.in_interrupts += in_interrupt();
    spin_lock_irqsave(&lock, flags);
    list_add_tail(&skb->list, &received);
    spin_unlock_irqrestore(&lock, flags);
    return 0;
}

struct sk_buff *least_net_received(void)
{
    struct sk_buff *skb;
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    skb = list_first_entry_or_null(&received, struct sk_buff, list);
    if (skb)
    {
        list_del(&skb->list);
    }
    spin_unlock_irqrestore(&lock, flags);
    return skb;
}

bool least_net_send(struct net_device *dev, struct sk_buff *skb)
{
    netdev_tx_t result = NETDEV_TX_BUSY;

    local_bh_disable();
    if (!netif_queue_stopped(dev))
    {
        result = dev->netdev_ops->ndo_start_xmit(skb, dev);
    }
    local_bh_enable();
    return result == NETDEV_TX_OK;
}

/* ---- polling ---- */

void netif_napi_add_weight(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int),
        int weight)
{
    spin_lock_init(&lock);
    *napi = (struct napi_struct) { .dev = dev, .poll = poll, .weight = weight };
    INIT_LIST_HEAD(&napi->entry);
}

void napi_enable(struct napi_struct *napi)
{
    napi->scheduled = napi->missed = false;
    napi->enabled = true;
}

void napi_disable(struct napi_struct *napi)
{
    napi->enabled = false;
    while (READ_ONCE(napi->scheduled))
    {
        least_run();
    }
}

bool napi_schedule_prep(struct napi_struct *napi)
{
    bool can_schedule = false;
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    if (napi->scheduled)
    {
        napi->missed = true;
    }
    else if (napi->enabled)
    {
        napi->scheduled = can_schedule = true;
    }
    spin_unlock_irqrestore(&lock, flags);
    return can_schedule;
}

void __napi_schedule(struct napi_struct *napi)
{
    unsigned long flags;

    spin_lock_irqsave(&lock, flags);
    list_add_tail(&napi->entry, &polls);
    spin_unlock_irqrestore(&lock, flags);
}

bool napi_schedule(struct napi_struct *napi)
{
    bool can_schedule = napi_schedule_prep(napi);

    if (can_schedule)
    {
        __napi_schedule(napi);
    }
    return can_schedule;
}

bool napi_complete_done(struct napi_struct *napi, int done)
{
    unsigned long flags;
    bool complete;

    (void)done;
    spin_lock_irqsave(&lock, flags);
    complete = !napi->missed;
    napi->missed = false;
    if (complete)
    {
        napi->scheduled = false;
    }
    else
    {
        list_add_tail(&napi->entry, &polls);
    }
    spin_unlock_irqrestore(&lock, flags);
    return complete;
}

/* What is left after some rounds waits for the next soft interrupt. */
void least_run_polls(void)
{
    for (int round = 0; round < POLL_ROUNDS; round++)
    {
        struct napi_struct *napi;
        unsigned long flags;

        spin_lock_irqsave(&lock, flags);
        napi = list_first_entry_or_null(&polls, struct napi_struct, entry);
        if (napi)
        {
            list_del_init(&napi->entry);
        }
        spin_unlock_irqrestore(&lock, flags);
        if (!napi)
        {
            return;
        }
        if (napi->poll(napi, napi->weight) == napi->weight)
        {
            __napi_schedule(napi);
        }
    }
}
