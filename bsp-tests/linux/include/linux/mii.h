/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of a PHY, which lead to the state of the link. Settings are left as the PHY has negotiated them. */
#ifndef LEAST_MII_H
#define LEAST_MII_H

#include <linux/netdevice.h>
#include <linux/ethtool.h>
#include <uapi/linux/mii.h>

struct mii_if_info
{
    int phy_id, advertising, phy_id_mask, reg_num_mask;
    unsigned int full_duplex : 1, force_media : 1, supports_gmii : 1;
    struct net_device *dev;
    int (*mdio_read)(struct net_device *dev, int phy_id, int reg);
    void (*mdio_write)(struct net_device *dev, int phy_id, int reg, int value);
};

struct ifreq
{
    struct mii_ioctl_data mii;
};

int mii_link_ok(struct mii_if_info *mii);
void mii_check_link(struct mii_if_info *mii);
unsigned int mii_check_media(struct mii_if_info *mii, unsigned int ok_to_print, unsigned int init_media);
void mii_ethtool_gset(struct mii_if_info *mii, struct ethtool_cmd *cmd);
#define if_mii(request)         (&(request)->mii)
#define mii_ethtool_sset(mii, cmd) ({ (void)(mii); (void)(cmd); -EOPNOTSUPP; })
#define mii_nway_restart(mii)   ({ (void)(mii); -EOPNOTSUPP; })
#define mii_ethtool_get_link_ksettings(mii, cmd) ((void)(mii), (void)(cmd))
#define mii_ethtool_set_link_ksettings(mii, cmd) ({ (void)(mii); (void)(cmd); -EOPNOTSUPP; })
#define generic_mii_ioctl(mii, data, cmd, changed) ({ (void)(mii); (void)(data); (void)(cmd); -EOPNOTSUPP; })

#endif
