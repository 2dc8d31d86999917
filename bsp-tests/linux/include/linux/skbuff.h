/* SPDX-License-Identifier: Apache-2.0 */
/* Packets. */
#ifndef LEAST_SKBUFF_H
#define LEAST_SKBUFF_H

#include <linux/kernel.h>
#include <linux/slab.h>

#define MAX_SKB_FRAGS           17

typedef struct
{
    void *address;
    unsigned int size;
} skb_frag_t;

struct skb_shared_info
{
    unsigned int nr_frags, gso_size;
    skb_frag_t frags[1];
};

struct net_device;

struct sk_buff
{
    struct list_head list;
    struct net_device *dev;
    unsigned char *head, *data, *tail, *end;
    unsigned int len;
    __be16 protocol;
    u8 ip_summed;
    u8 no_fcs;
    struct skb_shared_info shared;
};

enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };

#define skb_shinfo(skb)         (&(skb)->shared)
#define skb_headlen(skb)        ((skb)->len)
#define skb_frag_size(frag)     ((frag)->size)
#define skb_frag_address(frag)  ((frag)->address)
#define skb_checksum_none_assert(skb) ((void)(skb))
#define skb_tx_timestamp(skb)   ((void)(skb))
#define skb_copy_to_linear_data(skb, from, n) memcpy((skb)->data, from, n)
#define ip_hdr(skb)             ((struct iphdr *)(skb)->data)

/* Returns room for size bytes, after a head-room and after the bytes that align the header of IP. */
struct sk_buff *netdev_alloc_skb(struct net_device *dev, unsigned int size);
struct sk_buff *netdev_alloc_skb_ip_align(struct net_device *dev, unsigned int size);
#define napi_alloc_skb(napi, size) netdev_alloc_skb_ip_align((napi)->dev, size)
void kfree_skb(struct sk_buff *skb);
#define dev_kfree_skb           kfree_skb
#define dev_kfree_skb_any       kfree_skb
#define dev_kfree_skb_irq       kfree_skb
#define dev_consume_skb_any     kfree_skb
#define dev_consume_skb_irq     kfree_skb

static inline void *skb_put(struct sk_buff *skb, unsigned int len)
{
    unsigned char *at = skb->tail;

    skb->tail += len;
    skb->len += len;
    BUG_ON(skb->tail > skb->end);
    return at;
}

/* Returns NULL, and changes nothing, if the packet is shorter. */
static inline void *skb_pull(struct sk_buff *skb, unsigned int len)
{
    if (len > skb->len)
    {
        return NULL;
    }
    skb->len -= len;
    return skb->data += len;
}

static inline void *skb_push(struct sk_buff *skb, unsigned int len)
{
    skb->len += len;
    skb->data -= len;
    BUG_ON(skb->data < skb->head);
    return skb->data;
}

static inline void skb_reserve(struct sk_buff *skb, unsigned int len)
{
    skb->data += len;
    skb->tail += len;
}

#endif
