/* SPDX-License-Identifier: BSD-3-Clause */
#include "netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "complain.h"

static int open_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int ask(int fd, unsigned long request, struct ifreq *ifreq)
{
	return ioctl(fd, request, ifreq) == 0 ? 0 : -errno;
}

int netdev_read(const char *name, struct netdev *netdev)
{
	struct ifreq ifreq = {0};
	int error, fd = open_socket();

	if (strlen(name) >= IFNAMSIZ) {
		error = -ENODEV;
		goto out;
	}
	strcpy(ifreq.ifr_name, name);
	if ((error = ask(fd, SIOCGIFINDEX, &ifreq)) != 0)
		goto out;
	netdev->index = ifreq.ifr_ifindex;
	if ((error = ask(fd, SIOCGIFHWADDR, &ifreq)) != 0)
		goto out;
	memcpy(netdev->mac, ifreq.ifr_hwaddr.sa_data, 6);
	if ((error = ask(fd, SIOCGIFMTU, &ifreq)) != 0)
		goto out;
	netdev->mtu = (unsigned)ifreq.ifr_mtu;
	if ((error = ask(fd, SIOCGIFFLAGS, &ifreq)) != 0)
		goto out;
	netdev->up = (ifreq.ifr_flags & IFF_UP) && (ifreq.ifr_flags & IFF_RUNNING);
out:
	close(fd);
	if (error == -ENODEV)
		complain(
		    "no interface named %s here (ip link shows those of this network namespace)",
		    name);
	else if (error != 0)
		complain("interface %s: %s", name, strerror(-error));
	return error;
}

/* What a RTM_NEWLINK says. */
struct link_facts {
	int peer_index;
	int peer_namespace; /* -1: the same */
	bool has_mac;
	uint8_t mac[6];
};

static int parse_link(const struct nlmsghdr *message, struct link_facts *facts)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *attribute = IFLA_RTA(info);
	long left = (long)message->nlmsg_len - (long)NLMSG_LENGTH(sizeof *info);

	*facts = (struct link_facts){.peer_namespace = -1};
	if (message->nlmsg_type != RTM_NEWLINK || left < 0)
		return -ENODEV;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		const void *data = RTA_DATA(attribute);
		size_t size = RTA_PAYLOAD(attribute);

		if (attribute->rta_type == IFLA_LINK && size == sizeof(int)) {
			memcpy(&facts->peer_index, data, size);
		} else if (attribute->rta_type == IFLA_LINK_NETNSID && size == sizeof(int)) {
			memcpy(&facts->peer_namespace, data, size);
		} else if (attribute->rta_type == IFLA_ADDRESS && size == 6) {
			memcpy(facts->mac, data, 6);
			facts->has_mac = true;
		}
	}
	return 0;
}

/* Asks rtnetlink about the link of an index in a namespace (-1: ours). */
static int ask_link(int fd, int index, int namespace, struct link_facts *facts)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
		struct rtattr attribute;
		int value;
	} request = {
	    .header = {.nlmsg_len = NLMSG_LENGTH(sizeof request.info),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST},
	    .info = {.ifi_family = AF_UNSPEC, .ifi_index = index},
	    .attribute = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = IFLA_TARGET_NETNSID},
	    .value = namespace,
	};
	union {
		struct nlmsghdr header;
		char bytes[16384];
	} answer;

	if (namespace >= 0)
		request.header.nlmsg_len = sizeof request;
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t size = recv(fd, &answer, sizeof answer, 0);
	if (size < 0)
		return -errno;
	if (!NLMSG_OK(&answer.header, (size_t)size))
		return -EBADMSG;
	return parse_link(&answer.header, facts);
}

bool netdev_peer_mac(int index, uint8_t *mac)
{
	struct timeval patience = {.tv_sec = 1};
	struct link_facts own, peer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (ask_link(fd, index, -1, &own) == 0 && own.peer_index != 0)
		ask_link(fd, own.peer_index, own.peer_namespace, &peer);
	close(fd);
	if (peer.has_mac)
		memcpy(mac, peer.mac, 6);
	return peer.has_mac;
}

static int ethtool(int fd, const char *name, uint32_t command, uint32_t *value)
{
	struct ethtool_value request = {.cmd = command, .data = *value};
	struct ifreq ifreq = {.ifr_data = (void *)&request};

	strncpy(ifreq.ifr_name, name, IFNAMSIZ - 1);
	int error = ask(fd, SIOCETHTOOL, &ifreq);
	*value = request.data;
	return error;
}

unsigned netdev_merge_off(const char *name)
{
	int fd = open_socket();
	uint32_t gro = 0, flags = 0;
	unsigned mask = 0;

	if (ethtool(fd, name, ETHTOOL_GGRO, &gro) == 0 && gro != 0) {
		gro = 0;
		mask |= ethtool(fd, name, ETHTOOL_SGRO, &gro) == 0 ? NETDEV_GRO : 0;
	}
	if (ethtool(fd, name, ETHTOOL_GFLAGS, &flags) == 0 && flags & ETH_FLAG_LRO) {
		flags &= ~(uint32_t)ETH_FLAG_LRO;
		mask |= ethtool(fd, name, ETHTOOL_SFLAGS, &flags) == 0 ? NETDEV_LRO : 0;
	}
	close(fd);
	return mask;
}

void netdev_merge_restore(const char *name, unsigned mask)
{
	int fd = open_socket();
	uint32_t gro = 1, flags = 0;

	if (mask & NETDEV_GRO)
		ethtool(fd, name, ETHTOOL_SGRO, &gro);
	if (mask & NETDEV_LRO && ethtool(fd, name, ETHTOOL_GFLAGS, &flags) == 0) {
		flags |= ETH_FLAG_LRO;
		ethtool(fd, name, ETHTOOL_SFLAGS, &flags);
	}
	close(fd);
}
