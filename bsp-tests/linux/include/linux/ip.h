/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of the Internet Protocol, as far as drivers look into them. */
#ifndef LEAST_IP_H
#define LEAST_IP_H

#include <linux/types.h>

struct iphdr
{
    u8 version, tos;
    __be16 total_length, id, fragment;
    u8 ttl, protocol;
    __be16 check;
    __be32 source, destination;
};
enum { IPPROTO_TCP = 6, IPPROTO_UDP = 17 };

#endif
