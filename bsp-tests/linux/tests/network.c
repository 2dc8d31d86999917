/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_net DRIVER COUNT [coherent] [high] [odd]: exchanges packets with a peer on the other end of QEMU's netdev.
 *
 * Each request has a number, a length that follows from it, bytes, and their checksum. The peer checks it and answers with
 * a packet of its own, which has the checksum that the peer computed over the request. A few requests are under way at a
 * time, fewer than a device has descriptors, so that none may be lost.
 */
#include <linux/etherdevice.h>
#include <linux/dma-mapping.h>

#include "../emulation/net.h"
#include "checksum.h"
#include "faults.h"
#include "session.h"
#include "subjects.h"

#define PROTOCOL        0x88b5  /* for experiments in a local network */
#define WINDOW          24
#define SHORTEST        64
#define LONGEST         1514
#define TIMEOUT         20000   /* ms without a packet */
#define MOST_PAGES_OF_A_BUFFER 64  /* of one coherent buffer of these drivers */

struct message
{
    u8 destination[ETH_ALEN], source[ETH_ALEN];
    __be16 protocol;
    __be16 length;              /* of the bytes */
    __be32 number;
    __be32 checksum;            /* of the bytes */
    __be32 checksum_of_request;
    u8 bytes[];
} __packed;

static const u8 peer[ETH_ALEN] = { 0x02, 0, 0, 0, 0, 0x01 };
static u32 sums[WINDOW];

static const char *send(struct net_device *dev, u32 number)
{
    unsigned int length = SHORTEST + number * 37 % (LONGEST - SHORTEST + 1);
    unsigned int size = length - (unsigned int)sizeof(struct message);
    struct sk_buff *skb = netdev_alloc_skb_ip_align(dev, length);
    struct message *message;

    if (!skb)
    {
        return "no memory for a packet";
    }
    message = skb_put(skb, length);
    memcpy(message->destination, peer, ETH_ALEN);
    memcpy(message->source, dev->dev_addr, ETH_ALEN);
    message->protocol = htons(PROTOCOL);
    message->length = htons(size);
    message->number = htonl(number);
    message->checksum_of_request = 0;
    fill(message->bytes, size, number);
    sums[number % WINDOW] = crc32(0, message->bytes, size);
    message->checksum = htonl(sums[number % WINDOW]);
    if (!least_net_send(dev, skb))
    {
        kfree_skb(skb);
        return "the driver takes no packet";
    }
    return NULL;
}

static const char *check(struct sk_buff *skb, u32 number)
{
    struct message *message = (struct message *)(skb->data - ETH_HLEN);
    unsigned int size = ntohs(message->length);

    if (skb->len < sizeof(*message) - ETH_HLEN)
    {
        return reason("packet %u: %u bytes after Ethernet's header", number, skb->len);
    }
    if (message->protocol != htons(PROTOCOL) || sizeof(*message) + size > skb->len + ETH_HLEN)
    {
        return reason("packet %u: %u bytes, protocol 0x%04x", number, skb->len, ntohs(message->protocol));
    }
    if (ntohl(message->number) != number)
    {
        return reason("packet %u came, packet %u was expected", ntohl(message->number), number);
    }
    if (ntohl(message->checksum) != crc32(0, message->bytes, size))
    {
        return reason("packet %u: the checksum of what was received is wrong", number);
    }
    if (ntohl(message->checksum_of_request) != sums[number % WINDOW])
    {
        return reason("packet %u: the peer received other bytes than were sent", number);
    }
    return NULL;
}

static const char *exchange(struct net_device *dev, u32 count)
{
    u32 sent = 0, received = 0;
    unsigned long last = jiffies;

    while (received < count)
    {
        const char *error = NULL;
        struct sk_buff *skb;

        if (sent < count && sent - received < WINDOW)
        {
            error = send(dev, sent++);
        }
        least_run();
        skb = error ? NULL : least_net_received();
        if (skb)
        {
            error = check(skb, received++);
            kfree_skb(skb);
            last = jiffies;
        }
        if (error)
        {
            return error;
        }
        if (time_after(jiffies, last + TIMEOUT))
        {
            return reason("%u packets sent, %u received, then none", sent, received);
        }
    }
    return NULL;
}

static const char *run(struct least_device *device, const struct mode *mode, void *context)
{
    struct net_device *dev = least_net_device;
    const char *error;
    int result;

    if (mode->is_high)
    {
        result = dma_set_mask_and_coherent(&device->pdev.dev, DMA_BIT_MASK(32));
        if (result)
        {
            return reason("the mask is refused: %d", result);
        }
    }
    result = least_net_open(dev);
    if (result)
    {
        return reason("open: %d", result);
    }
    error = exchange(dev, *(const u32 *)context);
    for (struct sk_buff *skb = least_net_received(); skb; skb = least_net_received())
    {
        kfree_skb(skb);
    }
    return error;
}

static const struct subject *find(const char *name)
{
    for (unsigned int i = 0; i < subject_count; i++)
    {
        if (!strcmp(network_subjects[i].name, name))
        {
            return &network_subjects[i];
        }
    }
    rt_kprintf("no driver %s\n", name);
    return NULL;
}

static const char *judge(const struct subject *subject, const struct mode *mode, u32 count)
{
    bool may_bounce = mode->is_high || (!mode->is_coherent && (mode->is_odd || subject->has_odd_ends));

    if (mode->is_high && least_counts.bounced < 2UL * count)
    {
        return reason("%lu mappings bounced, of at least %u", least_counts.bounced, 2 * count);
    }
    if (!may_bounce && least_counts.bounced)
    {
        return reason("%lu mappings bounced, and none need be", least_counts.bounced);
    }
    /* Coherent buffers are cleaned once, when they are allocated, by one operation for each page. */
    if (mode->is_coherent
        && least_counts.cache_calls > MOST_PAGES_OF_A_BUFFER * (least_counts.allocations + least_counts.blocks))
    {
        return reason("%lu cache operations for a coherent device", least_counts.cache_calls);
    }
    if (!mode->is_coherent && least_counts.cache_calls < 2UL * count)
    {
        return reason("%lu cache operations, of at least %u", least_counts.cache_calls, 2 * count);
    }
    return NULL;
}

static const char *test(const struct subject *subject, const struct mode *mode, u32 count)
{
    const char *error;

    least_net_ip_align = mode->is_odd ? 2 : 0;
    error = session_run(subject, mode, run, &count);
    return error ? error : judge(subject, mode, count);
}

static int linux_net(int argc, char **argv)
{
    const struct subject *subject = argc > 2 ? find(argv[1]) : NULL;
    struct mode mode;
    int count;

    if (subject && !kstrtoint(argv[2], 10, &count) && read_mode(&mode, argc - 3, argv + 3))
    {
        print_result("linux_net", test(subject, &mode, (u32)count));
    }
    return 0;
}
MSH_CMD_EXPORT(linux_net, DRIVER COUNT MODE...: exchange packets through a driver of Linux);

static int open_device(void)
{
    return least_net_open(least_net_device);
}

static int linux_net_faults(int argc, char **argv)
{
    const struct subject *subject = argc > 1 ? find(argv[1]) : NULL;
    unsigned int runs = 0;
    struct mode mode;

    if (subject && read_mode(&mode, argc - 2, argv + 2))
    {
        print_faults("linux_net_faults", fail_each_request(subject, &mode, open_device, &runs), runs);
    }
    return 0;
}
MSH_CMD_EXPORT(linux_net_faults, DRIVER MODE...: fail each request of probe and open);
