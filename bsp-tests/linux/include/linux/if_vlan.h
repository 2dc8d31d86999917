/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual networks, which the tests do not use. */
#ifndef LEAST_IF_VLAN_H
#define LEAST_IF_VLAN_H

#include <linux/netdevice.h>

#define VLAN_HLEN               4
#define VLAN_ETH_HLEN           18
#define VLAN_ETH_FRAME_LEN      1518
#define skb_vlan_tag_present(skb) ({ (void)(skb); 0; })
#define skb_vlan_tag_get(skb)   ({ (void)(skb); (u16)0; })
#define __vlan_hwaccel_put_tag(skb, proto, tag) ((void)(skb), (void)(proto), (void)(tag))
#define vlan_features_check(skb, features) ({ (void)(skb); (features); })

#endif
