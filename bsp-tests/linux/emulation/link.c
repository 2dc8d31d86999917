/* SPDX-License-Identifier: Apache-2.0 */
/* The link of a network device, and the checksum of Ethernet. */
#include <linux/least.h>
#include <linux/etherdevice.h>
#include <linux/mii.h>

int mii_link_ok(struct mii_if_info *mii)
{
    /* The bit stays clear until it was read once. */
    mii->mdio_read(mii->dev, mii->phy_id, MII_BMSR);
    return !!(mii->mdio_read(mii->dev, mii->phy_id, MII_BMSR) & BMSR_LSTATUS);
}

void mii_check_link(struct mii_if_info *mii)
{
    mii->dev->carrier = mii_link_ok(mii);
}

unsigned int mii_check_media(struct mii_if_info *mii, unsigned int ok_to_print, unsigned int init_media)
{
    (void)ok_to_print;
    (void)init_media;
    mii_check_link(mii);
    return 0;
}

void mii_ethtool_gset(struct mii_if_info *mii, struct ethtool_cmd *cmd)
{
    (void)mii;
    cmd->speed = SPEED_100;
    cmd->duplex = DUPLEX_FULL;
}

u32 ether_crc(int n, const unsigned char *bytes)
{
    u32 crc = ~0U;

    while (n--)
    {
        unsigned char byte = *bytes++;

        for (int bit = 0; bit < 8; bit++, byte >>= 1)
        {
            crc = crc << 1 ^ ((crc >> 31 ^ byte) & 1 ? 0x04c11db7U : 0);
        }
    }
    return crc;
}
