/* SPDX-License-Identifier: BSD-3-Clause */
/* One interface. We may die between any two steps. Pins without a link: no program runs, and the next start uses them. A link
 * whose program uses other maps than the pinned ones: it is replaced at the next start, with the pinned ones. A link that has the
 * new program, and the pin of the old one: that pin is for people. */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "dp.h"
#include "dp_port.h"
#include "dp_xdp_internal.h"

enum { STALE_MS = 1000 };

/* Whose sockets are opened by the driver, which knows them by the interface's name alone. */
static const struct dp_xdp *opening;

int dp_xdp_complain(const struct cfg_port *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "warmline-dataplane: port %s: interface %s: ", c->name, c->interface);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return DP_EXIT_SETUP;
}

void dp_xdp_leaf(const struct dp_xdp *xdp, const struct cfg_port *c, const char *leaf,
		 char path[DP_XDP_PATH])
{
	if (dp_xdp_pin_path(path, DP_XDP_PATH, xdp->name, c->interface, leaf) < 0)
		path[0] = 0;
}

/* There, of an Ethernet, up, and large enough. */
static int check_interface(const struct dp_xdp *xdp, const struct cfg_port *c,
			   struct dp_xdp_netdev *netdev)
{
	char path[DP_XDP_PATH];
	int error = dp_xdp_netdev_read(netdev, c->interface);
	if (error == -ENODEV) {
		dp_xdp_complain(c, "there is no such network interface here");
		/* One that we had may come back. */
		dp_xdp_leaf(xdp, c, "port", path);
		return access(path, F_OK) == 0 ? DP_EXIT_FAILURE : DP_EXIT_SETUP;
	}
	if (error < 0)
		return dp_xdp_complain(c, "it cannot be asked: %s", strerror(-error));
	if (!netdev->is_ethernet)
		return dp_xdp_complain(c, "it is no Ethernet");
	if (!netdev->is_up) {
		dp_xdp_complain(c, "it is down (ip link set dev %s up): to be started again",
				c->interface);
		return DP_EXIT_FAILURE; /* at boot we may be earlier than who brings it up */
	}
	if (netdev->receive_queues > netdev->queues || netdev->queues > DP_XDP_QUEUES)
		return dp_xdp_complain(
		    c,
		    "it has %u receive queues, of which %u can be polled: fewer are needed (ethtool -L %s combined %u, or rx %u)",
		    netdev->receive_queues, RTE_MIN(netdev->queues, (uint32_t)DP_XDP_QUEUES),
		    c->interface, RTE_MIN(netdev->queues, (uint32_t)DP_XDP_QUEUES),
		    RTE_MIN(netdev->queues, (uint32_t)DP_XDP_QUEUES));
	uint32_t needed = c->mtu + (c->vlan != 0 ? 4U : 0U);
	if (netdev->mtu < needed)
		return dp_xdp_complain(
		    c, "its MTU is %u, of which the port wants %u (ip link set dev %s mtu %u)",
		    netdev->mtu, needed, c->interface, needed);
	return 0;
}

/* Said to the program in one go, as it may be running; not alive until the first beat, so the guard works on. */
static int describe(const struct dp_xdp *xdp, struct dp_xdp_port *port, const struct cfg_port *c,
		    const struct dp_xdp_netdev *netdev)
{
	struct dp_xdp_port as = {
	    .magic = DP_XDP_MAGIC,
	    .version = DP_XDP_VERSION,
	    .stale = STALE_MS * UINT64_C(1000000),
	    .facing = (uint8_t)c->facing,
	    .has_ipv6 = c->ipv6.length != 0,
	    .vlan = rte_cpu_to_be_16(c->vlan),
	    .address = rte_cpu_to_be_32(c->ipv4.address),
	    .ifindex = netdev->index,
	    .mode = port->mode,
	    .attached = port->attached,
	    .starts = port->starts + 1,
	};
	if (port->ifindex == netdev->index) /* else its tags are its own */
		as.vlan_stripped = port->vlan_stripped;
	memcpy(as.mac, netdev->mac, 6);
	memcpy(as.ipv6, c->ipv6.address, 16);
	dp_link_local(as.link_local, netdev->mac);
	snprintf(as.chassis, sizeof(as.chassis), "%s", xdp->name);
	snprintf(as.name, sizeof(as.name), "%s", c->name);
	snprintf(as.interface, sizeof(as.interface), "%s", c->interface);
	int error = dp_xdp_look(&as);
	if (error < 0)
		return dp_xdp_complain(c, "the kernel does not tell its addresses: %s",
				       strerror(-error));
	memcpy(port, &as, sizeof(as));
	return 0;
}

/* Tags that the interface takes out of frames are not seen by the program. Noted first, and only where there is a link, so that
 * whoever lets go of the interface puts them back. */
static void keep_tags(struct dp_xdp_port *port, const struct cfg_port *c,
		      const struct dp_xdp_netdev *netdev)
{
	port->vlan_stripped = port->vlan_stripped || netdev->strips_vlan;
	int error = netdev->strips_vlan ? dp_xdp_netdev_strip_vlan(c->interface, false) : 0;
	if (error < 0)
		fprintf(
		    stderr,
		    "warmline-dataplane: warning: port %s: interface %s: it strips VLAN tags, and cannot be told not "
		    "to (%s): frames of VLANs are taken for untagged ones\n",
		    c->name, c->interface, strerror(-error));
}

/* Neighbour solicitations come to groups, which the interface need not take for the kernel's sake. */
static int join_groups(const struct dp_xdp_port *port)
{
	struct packet_mreq all = {.mr_ifindex = (int)port->ifindex, .mr_type = PACKET_MR_ALLMULTI};
	int fd = port->has_ipv6 ? socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) : -1;
	if (fd >= 0)
		(void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
	return fd;
}

/* What is not ours is found before anything is changed. */
static int attach(struct dp_xdp *xdp, struct dp_xdp_attachment *attachment,
		  const struct cfg_port *c)
{
	struct dp_xdp_netdev netdev;
	int wrong = check_interface(xdp, c, &netdev);
	if (wrong)
		return wrong;
	int link = dp_xdp_link_find(xdp, c, netdev.index);
	if (link == -EEXIST)
		return DP_EXIT_SETUP;
	wrong = dp_xdp_load(xdp, attachment, c);
	if (!wrong)
		wrong = describe(xdp, attachment->port, c, &netdev);
	if (wrong) {
		if (link >= 0)
			close(link);
		return wrong;
	}
	attachment->queues = (uint16_t)netdev.queues;
	wrong = dp_xdp_link_take(xdp, c, &netdev, link, attachment);
	if (!wrong)
		keep_tags(attachment->port, c, &netdev);
	return wrong;
}

int dp_xdp_attach(struct dp *dp, unsigned index)
{
	const struct cfg_port *c = &dp->cfg->ports[index];
	struct dp_xdp_attachment *attachment = &dp->xdp.attachments[index];
	*attachment = (struct dp_xdp_attachment){.dp = dp, .index = index, .groups = -1};
	snprintf(attachment->name, sizeof(attachment->name), "%s", c->interface);
	int wrong = attach(&dp->xdp, attachment, c);
	if (wrong)
		return wrong;
	attachment->groups = join_groups(attachment->port);
	attachment->copies = ring_buffer__new(bpf_map__fd(attachment->steer->maps.copies),
					      dp_xdp_copied, attachment, NULL);
	opening = &dp->xdp;
	return attachment->copies != NULL
		   ? 0
		   : dp_xdp_complain(c, "its copies cannot be read: %s", strerror(errno));
}

void dp_xdp_detach(struct dp_xdp_attachment *attachment)
{
	if (attachment->steer == NULL)
		return;
	ring_buffer__free(attachment->copies);
	dp_xdp_unmap_values(attachment->port, sizeof(*attachment->port), 1);
	dp_steer__destroy(attachment->steer);
	if (attachment->groups >= 0)
		close(attachment->groups);
	*attachment = (struct dp_xdp_attachment){0};
}

int dp_xdp_sockets(const char *name)
{
	for (unsigned i = 0; opening != NULL && i < LC_MAX_PORTS; i++)
		if (opening->attachments[i].steer != NULL &&
		    strcmp(opening->attachments[i].name, name) == 0)
			return bpf_map__fd(opening->attachments[i].steer->maps.xsks_map);
	return -1;
}
