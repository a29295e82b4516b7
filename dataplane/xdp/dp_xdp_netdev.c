/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_xdp_netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One request about an interface; what it points to, if anything, is in request->ifr_data already. */
static int ask(const char *name, unsigned long what, struct ifreq *request)
{
	int error, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	error = ioctl(fd, what, request) < 0 ? -errno : 0;
	close(fd);
	return error;
}

/* A request of ethtool's: a structure that begins with its command. */
static int ask_ethtool(const char *name, void *structure)
{
	struct ifreq request = {.ifr_data = structure};

	return ask(name, SIOCETHTOOL, &request);
}

static void read_driver(struct dp_xdp_netdev *netdev, const char *name)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};

	netdev->is_veth = ask_ethtool(name, &driver) == 0 && strcmp(driver.driver, "veth") == 0;
	netdev->strips_vlan = ask_ethtool(name, &flags) == 0 && (flags.data & ETH_FLAG_RXVLAN);
	netdev->queues = netdev->receive_queues = 1;
	if (ask_ethtool(name, &channels) < 0)
		return;
	if (channels.max_combined != 0 && channels.combined_count != 0)
		netdev->queues = channels.combined_count;
	if (channels.combined_count + channels.rx_count != 0)
		netdev->receive_queues = channels.combined_count + channels.rx_count;
}

int dp_xdp_netdev_read(struct dp_xdp_netdev *netdev, const char *name)
{
	struct ifreq address = {0}, flags = {0}, mtu = {0};
	int error;

	*netdev = (struct dp_xdp_netdev){.index = if_nametoindex(name)};
	if (netdev->index == 0)
		return -ENODEV;
	if ((error = ask(name, SIOCGIFHWADDR, &address)) < 0 ||
	    (error = ask(name, SIOCGIFFLAGS, &flags)) < 0 ||
	    (error = ask(name, SIOCGIFMTU, &mtu)) < 0)
		return error;
	netdev->is_ethernet = address.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	memcpy(netdev->mac, address.ifr_hwaddr.sa_data, sizeof(netdev->mac));
	netdev->is_up = (flags.ifr_flags & IFF_UP) != 0;
	netdev->mtu = (uint32_t)mtu.ifr_mtu;
	read_driver(netdev, name);
	return 0;
}

int dp_xdp_netdev_strip_vlan(const char *name, bool on)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	int error = ask_ethtool(name, &flags);

	if (error < 0)
		return error;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data = on ? flags.data | ETH_FLAG_RXVLAN : flags.data & ~(uint32_t)ETH_FLAG_RXVLAN;
	return ask_ethtool(name, &flags);
}
