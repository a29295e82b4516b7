/* SPDX-License-Identifier: BSD-3-Clause */
/* A device is probed here rather than by EAL's arguments, so that each failure can be told in the
 * user's own terms. */
#include "dp_port.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dp_claim.h"

enum {
	PPPOE_IDS = 65536,
	DESCRIPTORS = 1024,
	ENCAPSULATION = 64, /* octets that a tunnel adds to a packet, at most, rounded up */
	ETHERNET = 18,
	RING_FRAME = 2048, /* net_af_packet: octets of a frame in its ring, unless the device says
			      another number */
	RING_FRAME_HEADER = 80, /* of which this many are the kernel's */
};

static int complain(const struct cfg_port *port, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int complain(const struct cfg_port *port, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "warmline-dataplane: port %s: device '%s': ", port->name, port->device);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return DP_EXIT_SETUP;
}

/* The value of key=value in the device's arguments into text. */
static bool device_argument(const char *device, const char *key, char *text, size_t size)
{
	size_t length = strlen(key);
	for (const char *at = strchr(device, ','); at; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, length) == 0 && at[length] == '=') {
			at += length + 1;
			snprintf(text, size, "%.*s", (int)strcspn(at, ","), at);
			return true;
		}
	}
	return false;
}

static bool is_af_packet(const struct cfg_port *port)
{
	return strncmp(port->device, "net_af_packet", strlen("net_af_packet")) == 0;
}

/* The size of a frame in net_af_packet's ring. */
static uint32_t ring_frame(const struct cfg_port *port)
{
	char text[16];
	if (device_argument(port->device, "framesz", text, sizeof(text)))
		return (uint32_t)strtoul(text, NULL, 10);
	return RTE_ALIGN_CEIL(port->mtu + (uint32_t)(ETHERNET + RING_FRAME_HEADER), RING_FRAME);
}

uint32_t dp_port_room(const struct cfg_port *port)
{
	uint32_t room = port->mtu + (uint32_t)(ETHERNET + ENCAPSULATION);
	if (is_af_packet(port))
		room = RTE_MAX(room, ring_frame(port));
	return RTE_MAX(room, (uint32_t)RTE_MBUF_DEFAULT_DATAROOM);
}

static bool is_pci(const char *device)
{
	unsigned domain, bus, slot, function;
	return sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4;
}

/* What is the machine's, not the process's own: it must be there, and nobody else's. A device of ours
 * alone (net_null, net_ring) is neither. 0 or DP_EXIT_SETUP. */
static int device_check(const struct cfg_port *port)
{
	char name[128] = "", path[192];
	bool interface = device_argument(port->device, "iface", name, sizeof(name));
	if (is_af_packet(port) && interface && if_nametoindex(name) == 0)
		return complain(port, "there is no network interface %s", name);
	if (is_pci(port->device)) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(port->device, ","), port->device);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name);
		if (access(path, F_OK) < 0)
			return complain(
			    port, "there is no such PCI device (see dpdk-devbind.py --status)");
	}
	int error = name[0] != 0 ? dp_claim(name) : 0;
	if (error == -EADDRINUSE)
		return complain(
		    port,
		    "%s is used by a port already, of this chassis or another (ss -xap | grep warmline-port)",
		    name);
	if (error < 0)
		return complain(port, "%s cannot be claimed: %s", name, strerror(-error));
	return 0;
}

/* The driver numbers its socket group by process ID and interface, and the kernel refuses a number
 * that another process has on another interface: then another process ID, that is another start,
 * will do. */
static int af_packet_failed(const struct cfg_port *port)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return complain(port, "cannot open a packet socket: %s (it takes root)",
				strerror(errno));
	close(fd);
	complain(
	    port,
	    "did not open: wrong arguments, or another process has its socket group; to be started again");
	return DP_EXIT_FAILURE;
}

static int device_probe(const struct cfg_port *port)
{
	char device[512];
	int length = snprintf(device, sizeof(device), "%s", port->device);
	/* Frames larger than usual need larger frames in the ring; blocks are pages, of two such
	 * frames. */
	uint32_t frame = ring_frame(port);
	char text[16];
	if (is_af_packet(port) && frame > RING_FRAME &&
	    !device_argument(port->device, "framesz", text, sizeof(text)))
		length += snprintf(device + length, sizeof(device) - (size_t)length,
				   ",framesz=%u,blocksz=%u,framecnt=512", frame, 2 * frame);
	if ((size_t)length >= sizeof(device))
		return complain(port, "its arguments are too long");
	int error = rte_dev_probe(device);
	if (error == 0)
		return 0;
	if (is_af_packet(port))
		return af_packet_failed(port);
	if (is_pci(port->device))
		return complain(
		    port,
		    "did not open (%s): is it bound to vfio-pci and free? (dpdk-devbind.py --status)",
		    strerror(-error));
	return complain(
	    port,
	    "did not open (%s): does its driver take these arguments, and is nobody else using it?",
	    strerror(-error));
}

/* DPDK's number of the device, by name or by the device that it belongs to. */
static int device_find(const struct cfg_port *port, uint16_t *id)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(port->device, ","), port->device);
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return 0;
	for (*id = 0; *id < RTE_MAX_ETHPORTS; ++*id) {
		struct rte_eth_dev_info info;
		if (rte_eth_dev_is_valid_port(*id) && rte_eth_dev_info_get(*id, &info) == 0 &&
		    info.device && strcmp(rte_dev_name(info.device), name) == 0)
			return 0;
	}
	return -ENODEV;
}

/* DPDK takes net_af_packet for an Ethernet of 1500 octets; what it carries is what its interface
 * does.
 */
static int set_interface_mtu(const struct cfg_port *c)
{
	struct ifreq interface = {0};
	int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return complain(c, "no socket: %s", strerror(errno));
	(void)device_argument(c->device, "iface", interface.ifr_name, sizeof(interface.ifr_name));
	if (ioctl(fd, SIOCGIFMTU, &interface) < 0 || interface.ifr_mtu < c->mtu) {
		interface.ifr_mtu = c->mtu;
		error = ioctl(fd, SIOCSIFMTU, &interface) < 0 ? errno : 0;
	}
	close(fd);
	return error == 0 ? 0
			  : complain(c, "does not take an MTU of %u: %s", c->mtu, strerror(error));
}

/* The MTU is raised where it must be, never lowered: a larger one does no harm. */
static int set_mtu(const struct cfg_port *c, uint16_t id)
{
	uint16_t mtu = 0;
	if (is_af_packet(c))
		return set_interface_mtu(c);
	if (rte_eth_dev_get_mtu(id, &mtu) == 0 && mtu >= c->mtu)
		return 0;
	int error = rte_eth_dev_set_mtu(id, c->mtu);
	if (error < 0 && error != -ENOTSUP)
		return complain(c, "does not take an MTU of %u: %s", c->mtu, strerror(-error));
	return 0;
}

static int start(struct dp *dp, struct dp_port *port, const struct cfg_port *c)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int error = rte_eth_dev_info_get(port->id, &info);
	if (error < 0)
		return complain(c, "says nothing of itself: %s", strerror(-error));
	port->tx_queues = (uint16_t)RTE_MIN(dp->n_workers, (unsigned)info.max_tx_queues);
	if ((error = rte_eth_dev_configure(port->id, 1, port->tx_queues, &conf)) < 0)
		return complain(c, "cannot be configured: %s", strerror(-error));
	int wrong = set_mtu(c, port->id);
	if (wrong)
		return wrong;
	rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	int socket = rte_eth_dev_socket_id(port->id);
	error = rte_eth_rx_queue_setup(port->id, 0, rx, (unsigned)socket, NULL, dp->pool);
	for (uint16_t i = 0; i < port->tx_queues && error == 0; i++)
		error = rte_eth_tx_queue_setup(port->id, i, tx, (unsigned)socket, NULL);
	if (error == 0)
		error = rte_eth_dev_start(port->id);
	if (error < 0)
		return complain(c, "did not start: %s", strerror(-error));
	/* Neighbour solicitations come to group addresses. Devices that cannot choose have them
	 * all. */
	if (port->ipv6_length != 0)
		(void)rte_eth_allmulticast_enable(port->id);
	return 0;
}

static void describe(struct dp_port *port, const struct cfg_port *c, unsigned index)
{
	port->index = (uint16_t)index;
	port->name = c->name;
	port->mtu = c->mtu;
	port->worker = c->worker;
	port->facing = (uint8_t)c->facing;
	port->vlan = rte_cpu_to_be_16(c->vlan);
	port->eth_size = c->vlan ? ETHERNET : RTE_ETHER_HDR_LEN;
	port->address = c->ipv4.address;
	port->mask = dp_mask4(c->ipv4.length);
	port->gateway = c->gateway4;
	port->ipv6_length = c->ipv6.length;
	memcpy(port->ipv6, c->ipv6.address, 16);
	memcpy(port->gateway6, c->gateway6, 16);
	rte_spinlock_init(&port->lock);
}

/* fe80:: and the interface identifier that the MAC address makes (RFC 4291 appendix A). */
static void link_local(uint8_t address[16], const uint8_t mac[6])
{
	const uint8_t made[16] = {0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2],
				  0xff, 0xfe, mac[3],           mac[4], mac[5]};
	memcpy(address, made, 16);
}

static int open_pppoe(struct dp_port *port)
{
	port->pppoe = mmap(NULL, PPPOE_IDS * sizeof(*port->pppoe), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (port->pppoe == MAP_FAILED) {
		port->pppoe = NULL;
		return -ENOMEM;
	}
	memset(port->pppoe, 0xff, PPPOE_IDS * sizeof(*port->pppoe)); /* LC_NO_SLOT */
	return 0;
}

int dp_port_open(struct dp *dp, unsigned index)
{
	const struct cfg_port *c = &dp->cfg->ports[index];
	struct dp_port *port = &dp->ports[index];
	describe(port, c, index);
	if (device_find(c, &port->id) < 0) {
		int wrong = device_check(c);
		if (wrong == 0)
			wrong = device_probe(c);
		if (wrong)
			return wrong;
		if (device_find(c, &port->id) < 0)
			return complain(c, "opened, but is not an Ethernet device");
	}
	if (dp->by_id[port->id])
		return complain(c, "is port %s already", dp->by_id[port->id]->name);
	int wrong = start(dp, port, c);
	if (wrong)
		return wrong;
	struct rte_ether_addr mac;
	if (rte_eth_macaddr_get(port->id, &mac) < 0)
		return complain(c, "has no MAC address");
	memcpy(&port->mac, mac.addr_bytes, 6);
	link_local(port->link_local, mac.addr_bytes);
	if (c->facing == CFG_FACING_ACCESS && open_pppoe(port) < 0)
		return complain(c, "no memory for its sessions");
	dp->by_id[port->id] = port;
	port->open = true;
	return 0;
}

void dp_port_close(struct dp_port *port)
{
	if (port->open) {
		rte_eth_dev_stop(port->id);
		rte_eth_dev_close(port->id);
	}
	if (port->pppoe)
		munmap(port->pppoe, PPPOE_IDS * sizeof(*port->pppoe));
	port->open = false;
	port->pppoe = NULL;
}

void dp_port_report(const struct dp_port *port, struct lc_port_state *state)
{
	struct rte_eth_stats stats;
	struct rte_eth_link link;
	memcpy(state->mac, &port->mac, 6);
	if (rte_eth_link_get_nowait(port->id, &link) == 0)
		state->up = link.link_status == RTE_ETH_LINK_UP;
	if (rte_eth_stats_get(port->id, &stats) < 0)
		return;
	state->rx_packets = stats.ipackets;
	state->rx_octets = stats.ibytes;
	state->tx_packets = stats.opackets;
	state->tx_octets = stats.obytes;
	state->rx_missed = stats.imissed;
	state->tx_errors = stats.oerrors;
}
