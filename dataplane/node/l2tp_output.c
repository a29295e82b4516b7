/* SPDX-License-Identifier: BSD-3-Clause */
/* l2tp_output: PPP frames of a session into its tunnel: L2TP, UDP, IPv4, Ethernet.
 *
 * UDP's checksum is left out of data (RFC 2661 section 8.1 allows that). DF is clear: what is
 * larger than the port's MTU is fragmented (ip4_fragment), for PPP has no other way to carry it. */
#include "dp_frame.h"
#include "dp_l2tp.h"
#include "dp_node.h"

enum edge { TO_TX, TO_FRAGMENT, TO_HOLD, CLOSED, NO_HEADROOM, NO_PORT };

DP_DROP(session_closed);
DP_DROP(no_headroom);
DP_DROP(session_no_port);

static __rte_always_inline bool wants_sequence(const struct lc_session_out *out,
					       union lc_session_door door)
{
	return (door.flags & LC_SESSION_SEND_SEQUENCE) != 0 ||
	       unlikely(__atomic_load_n(&out->follow_sequence, __ATOMIC_RELAXED) != 0);
}

/* Ns is kept in the mirror, so that it goes on where it was after a restart. */
static __rte_always_inline void l2tp_push(struct rte_mbuf *m, const struct lc_session *session,
					  struct lc_session_out *out, union lc_session_door door)
{
	bool sequence = wants_sequence(out, door), length = (door.flags & LC_SESSION_LENGTH) != 0;
	uint8_t *p = dp_push(m, 6U + (sequence ? 4 : 0) + (length ? 2 : 0));
	lc_put16(p, (uint16_t)(LC_L2TP_VERSION | (sequence ? LC_L2TP_SEQUENCE : 0) |
			       (length ? LC_L2TP_LENGTH : 0)));
	p += 2;
	if (length) {
		lc_put16(p, m->data_len);
		p += 2;
	}
	lc_put16(p, session->peer_tunnel_id);
	lc_put16(p + 2, session->peer_session_id);
	if (sequence) {
		lc_put16(p + 4, dp_sequence_next(out));
		lc_put16(p + 6, 0);
	}
}

static __rte_always_inline rte_edge_t l2tp_output_decide(struct dp_worker *worker,
							 struct rte_mbuf *m)
{
	struct dp *dp = worker->dp;
	uint32_t slot = m->hash.usr;
	const struct lc_session *session = dp_session(dp, slot);
	struct lc_session_out *out = &dp->mirror.sessions_out[slot];
	union lc_session_door door = lc_session_door_read(session);
	if (unlikely(door.tunnel_id == 0))
		return CLOSED;
	if (unlikely(m->data_off < DP_HEADROOM))
		return NO_HEADROOM;
	if (unlikely(session->port >= dp->n_ports))
		return NO_PORT;
	const struct dp_port *port = &dp->ports[session->port];

	worker->forwarded = 1;
	out->packets++;
	out->octets += m->data_len;
	l2tp_push(m, session, out, door);
	uint32_t total =
	    m->data_len + (uint32_t)(sizeof(struct rte_udp_hdr) + sizeof(struct rte_ipv4_hdr));
	struct rte_ipv4_hdr *ip = dp_push(m, total - m->data_len);
	*(struct rte_udp_hdr *)(ip + 1) = (struct rte_udp_hdr){
	    .src_port = rte_cpu_to_be_16(session->local_udp_port),
	    .dst_port = rte_cpu_to_be_16(session->peer_udp_port),
	    .dgram_len = rte_cpu_to_be_16((uint16_t)(total - sizeof(*ip))),
	};
	dp_ip4_write(ip, total, worker->ip_id++, IPPROTO_UDP, session->local_address,
		     session->peer_address);

	union lc_neighbour_link link = dp_hop_use(&dp->hops, out->next_hop);
	dp_eth_push(m, port, link.word, RTE_BE16(RTE_ETHER_TYPE_IPV4));
	m->port = port->id;
	if (unlikely(total > port->mtu)) {
		out->fragmented++;
		return TO_FRAGMENT;
	}
	return likely(link.state == LC_NEIGHBOUR_REACHABLE) ? TO_TX : TO_HOLD;
}

DP_NODE(l2tp_output,
	l2tp_output_decide, [TO_TX] = "port_tx", [TO_FRAGMENT] = "ip4_fragment", [TO_HOLD] = "hold",
	[CLOSED] = "session_closed", [NO_HEADROOM] = "no_headroom", [NO_PORT] = "session_no_port");
