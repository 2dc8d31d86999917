/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet. */
#ifndef LEAST_ETHERDEVICE_H
#define LEAST_ETHERDEVICE_H

#include <linux/netdevice.h>

struct sockaddr
{
    unsigned short sa_family;
    char sa_data[14];
};

static inline bool is_zero_ether_addr(const u8 *address)
{
    return !(address[0] | address[1] | address[2] | address[3] | address[4] | address[5]);
}

static inline bool is_valid_ether_addr(const u8 *address)
{
    return !(address[0] & 1) && !is_zero_ether_addr(address);
}

#define eth_hw_addr_set(netdev, address) memcpy((netdev)->dev_addr, address, ETH_ALEN)
#define eth_validate_addr       NULL
/* Removes the Ethernet header, and returns the protocol in it. */
__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);
/* The checksum of Ethernet over n bytes, with the last bit first, as multicast filters use it. */
u32 ether_crc(int n, const unsigned char *bytes);

#endif
