/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_control.h"

#include "dp_counter.h"
#include "dp_fragment.h"

DP_COUNTER(control_received)
DP_COUNTER(control_sent)
DP_COUNTER(control_no_buffer)
DP_COUNTER(control_no_port)

/* l2tp_input and ip4_input have checked the headers, UDP's checksum among them, and trimmed the
 * frame. */
static void receive(struct dp_main_lcore *lcore, const struct rte_mbuf *m)
{
	const struct dp_port *port = lcore->dp->by_id[m->port];
	const struct rte_ipv4_hdr *ip =
	    rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, port->eth_size);
	uint32_t at = port->eth_size + rte_ipv4_hdr_len(ip);
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	const struct lc_arrival arrival = {
	    .peer_address = rte_be_to_cpu_32(ip->src_addr),
	    .local_address = rte_be_to_cpu_32(ip->dst_addr),
	    .peer_udp_port = rte_be_to_cpu_16(udp->src_port),
	    .port = port->index,
	};
	(void)lc_channels_receive(lcore->channels, &arrival, (const uint8_t *)(udp + 1),
				  m->data_len - at - sizeof(*udp),
				  lcore->dp->now); /* which counts */
}

unsigned dp_control_receive(struct dp_main_lcore *lcore)
{
	struct rte_mbuf *frames[DP_BURST];
	unsigned n = rte_ring_sc_dequeue_burst(lcore->dp->control, (void **)frames, DP_BURST, NULL);
	for (unsigned i = 0; i < n; i++)
		receive(lcore, frames[i]);
	rte_pktmbuf_free_bulk(frames, n);
	lcore->counters[control_received_counter.id] += n;
	return n;
}

static void send_packet(struct dp_main_lcore *lcore, const struct dp_port *port, struct rte_mbuf *m)
{
	dp_eth_push(m, port, 0, RTE_BE16(RTE_ETHER_TYPE_IPV4));
	m->port = port->id;
	dp_held_send(&lcore->held, m);
}

/* A message with all its AVPs may be larger than the port's MTU. */
static void send_in_pieces(struct dp_main_lcore *lcore, const struct dp_port *port,
			   struct rte_mbuf *m)
{
	struct rte_mbuf *pieces[DP_FRAGMENTS];
	int n = dp_fragment(lcore->dp->pool, m, port->mtu, pieces);
	if (n < 0)
		lcore->counters[control_no_buffer_counter.id]++;
	for (int i = 0; i < n; i++)
		send_packet(lcore, port, pieces[i]);
	rte_pktmbuf_free(m);
}

void dp_control_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct dp_main_lcore *lcore = context;
	struct dp *dp = lcore->dp;
	const struct lc_tunnel *tunnel = &dp->mirror.tunnels[slot];
	if (tunnel->port >= dp->n_ports) {
		lcore->counters[control_no_port_counter.id]++;
		return;
	}
	const struct dp_port *port = &dp->ports[tunnel->port];
	/* Anybody may send an SCCRQ from any address: a neighbour is kept for who has established, and
	 * found where it is known, as a recovery tunnel's is (RFC 4951 section 3.2.1). */
	uint8_t mode = lc_tunnel_door_read(tunnel).mode;
	bool keep = mode == LC_MODE_ESTABLISHED || mode == LC_MODE_HELD;
	dp->mirror.channels[slot].next_hop = dp_link_hop(dp, port, tunnel->peer_address, keep);
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp->pool);
	struct rte_ipv4_hdr *ip;
	uint32_t total = (uint32_t)(sizeof(*ip) + sizeof(struct rte_udp_hdr) + length);
	if (!m || total > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		lcore->counters[control_no_buffer_counter.id]++;
		return;
	}
	ip = (void *)rte_pktmbuf_append(m, (uint16_t)total);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(tunnel->local_udp_port),
				    .dst_port = rte_cpu_to_be_16(tunnel->peer_udp_port),
				    .dgram_len = rte_cpu_to_be_16((uint16_t)(total - sizeof(*ip)))};
	memcpy(udp + 1, bytes, length);
	dp_ip4_write(ip, total, lcore->ip_id++, IPPROTO_UDP, tunnel->local_address,
		     tunnel->peer_address);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	lcore->counters[control_sent_counter.id]++;
	if (total > port->mtu)
		send_in_pieces(lcore, port, m);
	else
		send_packet(lcore, port, m);
}
