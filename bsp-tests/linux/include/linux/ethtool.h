/* SPDX-License-Identifier: Apache-2.0 */
/* Operations for a tool that the tests do not have. The driver's table must compile. */
#ifndef LEAST_ETHTOOL_H
#define LEAST_ETHTOOL_H

#include <linux/netdevice.h>
#include <uapi/linux/ethtool.h>

struct ethtool_link_ksettings { int unused; };
struct kernel_ethtool_ringparam { int unused; };
struct netlink_ext_ack { int unused; };
struct kernel_ethtool_ts_info { int unused; };

enum ethtool_phys_id_state { ETHTOOL_ID_INACTIVE, ETHTOOL_ID_ACTIVE, ETHTOOL_ID_ON, ETHTOOL_ID_OFF };

struct ethtool_ops
{
    void (*get_drvinfo)(struct net_device *dev, struct ethtool_drvinfo *info);
    int (*get_regs_len)(struct net_device *dev);
    void (*get_regs)(struct net_device *dev, struct ethtool_regs *regs, void *data);
    void (*get_wol)(struct net_device *dev, struct ethtool_wolinfo *wol);
    int (*set_wol)(struct net_device *dev, struct ethtool_wolinfo *wol);
    u32 (*get_msglevel)(struct net_device *dev);
    void (*set_msglevel)(struct net_device *dev, u32 level);
    int (*nway_reset)(struct net_device *dev);
    u32 (*get_link)(struct net_device *dev);
    int (*get_eeprom_len)(struct net_device *dev);
    int (*get_eeprom)(struct net_device *dev, struct ethtool_eeprom *eeprom, u8 *bytes);
    int (*set_eeprom)(struct net_device *dev, struct ethtool_eeprom *eeprom, u8 *bytes);
    void (*get_ringparam)(struct net_device *dev, struct ethtool_ringparam *ring, struct kernel_ethtool_ringparam *kernel,
            struct netlink_ext_ack *ack);
    int (*set_ringparam)(struct net_device *dev, struct ethtool_ringparam *ring, struct kernel_ethtool_ringparam *kernel,
            struct netlink_ext_ack *ack);
    void (*self_test)(struct net_device *dev, struct ethtool_test *test, u64 *data);
    void (*get_strings)(struct net_device *dev, u32 set, u8 *text);
    int (*set_phys_id)(struct net_device *dev, enum ethtool_phys_id_state state);
    void (*get_ethtool_stats)(struct net_device *dev, struct ethtool_stats *stats, u64 *data);
    int (*get_sset_count)(struct net_device *dev, int set);
    int (*get_ts_info)(struct net_device *dev, struct kernel_ethtool_ts_info *info);
    int (*get_link_ksettings)(struct net_device *dev, struct ethtool_link_ksettings *settings);
    int (*set_link_ksettings)(struct net_device *dev, const struct ethtool_link_ksettings *settings);
};

#define ethtool_op_get_link     NULL
#define ethtool_op_get_ts_info  NULL
#define ethtool_cmd_speed(cmd)  ((cmd)->speed)

#endif
