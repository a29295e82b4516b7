/* SPDX-License-Identifier: BSD-3-Clause */
/* A device becomes a port: queues, MTU, MAC address. */
#include "dp_port.h"

#include <string.h>
#include <sys/mman.h>

#include <rte_ethdev.h>

#include "dp_device.h"

enum {
	PPPOE_IDS = 65536,
	DESCRIPTORS = 1024,
	TAGGED_HEADER = 18,
	XDP_BUFFERS = 4096, /* net_af_xdp: packet buffers that a queue may hold */
};

/* The MTU is raised where it must be, never lowered: a larger one does no harm. */
static int set_mtu(const struct cfg_port *c, uint16_t id)
{
	uint16_t mtu = 0;
	if (c->interface[0]) /* was looked at when the program was attached */
		return 0;
	if (dp_device_is_af_packet(c))
		return dp_device_set_mtu(c);
	if (rte_eth_dev_get_mtu(id, &mtu) == 0 && mtu >= c->mtu)
		return 0;
	int error = rte_eth_dev_set_mtu(id, c->mtu);
	if (error < 0 && error != -ENOTSUP)
		return dp_device_complain(c, "does not take an MTU of %u: %s", c->mtu,
					  strerror(-error));
	return 0;
}

/* One receive queue, and a transmit queue for each worker; an interface has all its queues, in pairs. */
static int choose_queues(struct dp *dp, struct dp_port *port, const struct cfg_port *c,
			 uint16_t max_tx)
{
	port->rx_queues = 1;
	port->tx_queues = (uint16_t)RTE_MIN(dp->n_workers, (unsigned)max_tx);
	if (!c->interface[0])
		return 0;
	port->rx_queues = port->tx_queues = dp->xdp.attachments[port->index].queues;
	unsigned wanted = port->rx_queues * (unsigned)XDP_BUFFERS,
		 there = rte_mempool_avail_count(dp->pool);
	return there >= wanted
		   ? 0
		   : dp_device_complain(
			 c,
			 "its %u queues may hold %u packet buffers, and %u are free: raise dataplane.mbufs (%u)",
			 port->rx_queues, wanted, there, dp->cfg->dataplane.mbufs);
}

static int start(struct dp *dp, struct dp_port *port, const struct cfg_port *c)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	int error = rte_eth_dev_info_get(port->id, &info);
	if (error < 0)
		return dp_device_complain(c, "says nothing of itself: %s", strerror(-error));
	int wrong = choose_queues(dp, port, c, info.max_tx_queues);
	if (wrong)
		return wrong;
	if ((error = rte_eth_dev_configure(port->id, port->rx_queues, port->tx_queues, &conf)) < 0)
		return dp_device_complain(c, "cannot be configured: %s", strerror(-error));
	if ((wrong = set_mtu(c, port->id)) != 0)
		return wrong;
	rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	int socket = rte_eth_dev_socket_id(port->id);
	for (uint16_t i = 0; i < port->rx_queues && error == 0; i++)
		error = rte_eth_rx_queue_setup(port->id, i, rx, (unsigned)socket, NULL, dp->pool);
	for (uint16_t i = 0; i < port->tx_queues && error == 0; i++)
		error = rte_eth_tx_queue_setup(port->id, i, tx, (unsigned)socket, NULL);
	if (error == 0)
		error = rte_eth_dev_start(port->id);
	if (error < 0) {
		dp_device_complain(c, "did not start: %s", strerror(-error));
		/* The kernel lets go of a dead process's sockets a little after it. */
		return c->interface[0] ? DP_EXIT_FAILURE : DP_EXIT_SETUP;
	}
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
	port->eth_size = c->vlan ? TAGGED_HEADER : RTE_ETHER_HDR_LEN;
	port->address = c->ipv4.address;
	port->address_be = rte_cpu_to_be_32(port->address);
	port->mask = dp_mask4(c->ipv4.length);
	port->gateway = c->gateway4;
	port->ipv6_length = c->ipv6.length;
	memcpy(port->ipv6, c->ipv6.address, 16);
	memcpy(port->gateway6, c->gateway6, 16);
	rte_spinlock_init(&port->lock);
}

void dp_link_local(uint8_t address[16], const uint8_t mac[6])
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
	int wrong = dp_device_open(dp, index, &port->id);
	if (wrong)
		return wrong;
	if (dp->by_id[port->id])
		return dp_device_complain(c, "is port %s already", dp->by_id[port->id]->name);
	wrong = start(dp, port, c);
	if (wrong)
		return wrong;
	struct rte_ether_addr mac;
	if (rte_eth_macaddr_get(port->id, &mac) < 0)
		return dp_device_complain(c, "has no MAC address");
	memcpy(&port->mac, mac.addr_bytes, 6);
	memcpy(&port->mac_rest, mac.addr_bytes + 2, 4);
	dp_link_local(port->link_local, mac.addr_bytes);
	if (c->facing == CFG_FACING_ACCESS && open_pppoe(port) < 0)
		return dp_device_complain(c, "no memory for its sessions");
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
