/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of a network driver calls. */
#ifndef LEAST_NET_H
#define LEAST_NET_H

#include <linux/netdevice.h>

/* The device that was registered last, or NULL. */
extern struct net_device *least_net_device;
/* Bytes before a packet that a driver receives, so that the header after Ethernet's is aligned: 0, or 2. */
extern unsigned int least_net_ip_align;

int least_net_open(struct net_device *dev);
void least_net_close(struct net_device *dev);
/* Gives a packet to the driver. Returns false if the driver does not take it now. */
bool least_net_send(struct net_device *dev, struct sk_buff *skb);
/* Returns a packet that was received, without Ethernet's header, or NULL. */
struct sk_buff *least_net_received(void);

#endif
