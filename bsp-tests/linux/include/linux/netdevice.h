/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices without a network stack: the test opens the device, sends packets, and is given those that come. */
#ifndef LEAST_NETDEVICE_H
#define LEAST_NETDEVICE_H

#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/skbuff.h>
#include <uapi/linux/if_ether.h>

typedef u64 netdev_features_t;
typedef int netdev_tx_t;
enum { NETDEV_TX_OK = 0, NETDEV_TX_BUSY = 0x10 };

#define LEAST_FEATURE(n)        (1ULL << (n))
#define NETIF_F_SG              LEAST_FEATURE(0)
#define NETIF_F_IP_CSUM         LEAST_FEATURE(1)
#define NETIF_F_TSO             LEAST_FEATURE(2)
#define NETIF_F_HIGHDMA         LEAST_FEATURE(3)
#define NETIF_F_RXCSUM          LEAST_FEATURE(4)
#define NETIF_F_HW_VLAN_CTAG_TX LEAST_FEATURE(5)
#define NETIF_F_HW_VLAN_CTAG_RX LEAST_FEATURE(6)
#define NETIF_F_RXFCS           LEAST_FEATURE(7)
#define NETIF_F_RXALL           LEAST_FEATURE(8)
#define NETIF_F_VLAN_CHALLENGED LEAST_FEATURE(9)
#define IFF_SUPP_NOFCS          1U
#define IFF_UP                  0x1
#define IFF_BROADCAST           0x2
#define IFF_PROMISC             0x100
#define IFF_ALLMULTI            0x200
#define IFNAMSIZ                16

struct net_device_stats
{
    unsigned long rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped, multicast,
        collisions, rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors, rx_missed_errors,
        tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors, tx_window_errors, rx_compressed,
        tx_compressed;
};

struct net_device;
struct ifreq;
struct ethtool_ops;

struct net_device_ops
{
    int (*ndo_open)(struct net_device *dev);
    int (*ndo_stop)(struct net_device *dev);
    netdev_tx_t (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
    netdev_features_t (*ndo_features_check)(struct sk_buff *skb, struct net_device *dev, netdev_features_t features);
    void (*ndo_set_rx_mode)(struct net_device *dev);
    int (*ndo_set_mac_address)(struct net_device *dev, void *address);
    int (*ndo_validate_addr)(struct net_device *dev);
    int (*ndo_eth_ioctl)(struct net_device *dev, struct ifreq *request, int command);
    int (*ndo_change_mtu)(struct net_device *dev, int mtu);
    void (*ndo_tx_timeout)(struct net_device *dev, unsigned int queue);
    struct net_device_stats *(*ndo_get_stats)(struct net_device *dev);
    int (*ndo_set_features)(struct net_device *dev, netdev_features_t features);
};

struct netdev_hw_addr
{
    unsigned char addr[ETH_ALEN];
};

struct napi_struct
{
    struct list_head entry;     /* points to itself if the poll is not scheduled */
    struct net_device *dev;
    int (*poll)(struct napi_struct *napi, int budget);
    int weight;
    bool enabled, scheduled, missed;
};

struct net_device
{
    char name[IFNAMSIZ];
    struct device dev;
    const struct net_device_ops *netdev_ops;
    const struct ethtool_ops *ethtool_ops;
    struct net_device_stats stats;
    unsigned char dev_addr[ETH_ALEN];
    netdev_features_t features, hw_features, vlan_features;
    unsigned int flags, priv_flags, mtu, min_mtu, max_mtu;
    int watchdog_timeo;
    bool running, stopped, carrier, registered;
    void *priv;
};

struct net_device *alloc_etherdev(int priv_size);
void free_netdev(struct net_device *dev);
int register_netdev(struct net_device *dev);
void unregister_netdev(struct net_device *dev);
#define netdev_priv(netdev)     ((netdev)->priv)
#define SET_NETDEV_DEV(netdev, device) ((netdev)->dev.parent = (device))

#define netif_start_queue(netdev) ((netdev)->stopped = false)
#define netif_wake_queue(netdev) ((netdev)->stopped = false)
#define netif_stop_queue(netdev) ((netdev)->stopped = true)
#define netif_queue_stopped(netdev) READ_ONCE((netdev)->stopped)
#define netif_running(netdev)   ((netdev)->running)
#define netif_device_present(netdev) ({ (void)(netdev); true; })
#define netif_device_detach(netdev) ((void)(netdev))
#define netif_device_attach(netdev) ((void)(netdev))
#define netif_carrier_on(netdev) ((netdev)->carrier = true)
#define netif_carrier_off(netdev) ((netdev)->carrier = false)
#define netif_carrier_ok(netdev) ((netdev)->carrier)
#define netdev_sent_queue(netdev, bytes) ((void)(netdev), (void)(bytes))
#define netdev_completed_queue(netdev, packets, bytes) ((void)(netdev), (void)(packets), (void)(bytes))
#define netdev_reset_queue(netdev) ((void)(netdev))
#define netdev_mc_count(netdev) ({ (void)(netdev); 0; })
#define netdev_mc_empty(netdev) ({ (void)(netdev); true; })
#define netdev_for_each_mc_addr(address, netdev) for ((address) = NULL; (address);)
#define rtnl_lock()             ((void)0)
#define rtnl_unlock()           ((void)0)

/* ---- polling for packets, as a soft interrupt ---- */

void netif_napi_add_weight(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int),
        int weight);
#define netif_napi_add(dev, napi, poll) netif_napi_add_weight(dev, napi, poll, 64)
#define netif_napi_del(napi)    ((void)(napi))
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);
bool napi_schedule_prep(struct napi_struct *napi);
void __napi_schedule(struct napi_struct *napi);
bool napi_complete_done(struct napi_struct *napi, int done);
bool napi_schedule(struct napi_struct *napi);
#define napi_schedule_irqoff    napi_schedule

/* Hands a packet to the test. */
int netif_receive_skb(struct sk_buff *skb);
#define napi_gro_receive(napi, skb) netif_receive_skb(skb)
#define netif_rx(skb)           netif_receive_skb(skb)

/* ---- messages ---- */

enum
{
    NETIF_MSG_DRV = 0x0001, NETIF_MSG_PROBE = 0x0002, NETIF_MSG_LINK = 0x0004, NETIF_MSG_TIMER = 0x0008,
    NETIF_MSG_IFDOWN = 0x0010, NETIF_MSG_IFUP = 0x0020, NETIF_MSG_RX_ERR = 0x0040, NETIF_MSG_TX_ERR = 0x0080,
};
#define netif_msg_drv(p)        ((p)->msg_enable & NETIF_MSG_DRV)
#define netif_msg_probe(p)      ((p)->msg_enable & NETIF_MSG_PROBE)
#define netif_msg_link(p)       ((p)->msg_enable & NETIF_MSG_LINK)
#define netif_msg_timer(p)      ((p)->msg_enable & NETIF_MSG_TIMER)
#define netif_msg_ifdown(p)     ((p)->msg_enable & NETIF_MSG_IFDOWN)
#define netif_msg_ifup(p)       ((p)->msg_enable & NETIF_MSG_IFUP)
#define netif_msg_rx_err(p)     ((p)->msg_enable & NETIF_MSG_RX_ERR)
#define netif_msg_tx_err(p)     ((p)->msg_enable & NETIF_MSG_TX_ERR)
#define netif_msg_tx_queued(p)  0
#define netif_msg_intr(p)       0
#define netif_msg_tx_done(p)    0
#define netif_msg_rx_status(p)  0
#define netif_msg_hw(p)         0
#define netdev_printk(level, netdev, fmt, ...) printk("%s: " fmt, (netdev)->name, ##__VA_ARGS__)
#define netdev_err(netdev, fmt, ...) netdev_printk(KERN_ERR, netdev, fmt, ##__VA_ARGS__)
#define netdev_warn(netdev, fmt, ...) netdev_printk(KERN_WARNING, netdev, fmt, ##__VA_ARGS__)
#define netdev_info(netdev, fmt, ...) netdev_printk(KERN_INFO, netdev, fmt, ##__VA_ARGS__)
#define netdev_dbg(netdev, fmt, ...) no_printk(fmt, ##__VA_ARGS__)
#define netdev_WARN_ONCE(netdev, fmt, ...) WARN_ON(1)
#define netif_printk(p, type, level, netdev, fmt, ...) \
    do { if (netif_msg_##type(p)) { netdev_printk(level, netdev, fmt, ##__VA_ARGS__); } } while (0)
#define netif_err(p, type, netdev, fmt, ...) netif_printk(p, type, KERN_ERR, netdev, fmt, ##__VA_ARGS__)
#define netif_warn(p, type, netdev, fmt, ...) netif_printk(p, type, KERN_WARNING, netdev, fmt, ##__VA_ARGS__)
#define netif_notice(p, type, netdev, fmt, ...) netif_printk(p, type, KERN_NOTICE, netdev, fmt, ##__VA_ARGS__)
#define netif_info(p, type, netdev, fmt, ...) netif_printk(p, type, KERN_INFO, netdev, fmt, ##__VA_ARGS__)
#define netif_dbg(p, type, netdev, fmt, ...) \
    do { if (0) { netdev_printk(KERN_DEBUG, netdev, fmt, ##__VA_ARGS__); } } while (0)

#endif
