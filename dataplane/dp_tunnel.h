/* SPDX-License-Identifier: BSD-3-Clause */
/* PPP frames of a session into its tunnel: L2TP, UDP, IPv4, Ethernet. For the nodes that meet them: core_input and
 * pppoe_input, in one step, and l2tp_output, which takes what came another way.
 *
 * UDP's checksum is left out of data (RFC 2661 section 8.1 allows that). DF is clear: what is
 * larger than the port's MTU is fragmented (ip4_fragment), for PPP has no other way to carry it. */
#pragma once

#include "dp_frame.h"
#include "dp_l2tp.h"
#include "dp_node.h"

enum dp_tunnel_edge {
	DP_TUNNEL_TX,
	DP_TUNNEL_FRAGMENT,
	DP_TUNNEL_HOLD,
	DP_TUNNEL_CLOSED,
	DP_TUNNEL_NO_HEADROOM,
	DP_TUNNEL_NO_PORT,
	DP_TUNNEL_EDGES,
};

/* first: the edges come after a node's own. */
#define DP_TUNNEL_NEXT_NODES(first)                                                                \
	[(first) + DP_TUNNEL_TX] = "port_tx", [(first) + DP_TUNNEL_FRAGMENT] = "ip4_fragment",     \
		   [(first) + DP_TUNNEL_HOLD] = "hold",                                            \
		   [(first) + DP_TUNNEL_CLOSED] = "session_closed",                                \
		   [(first) + DP_TUNNEL_NO_HEADROOM] = "no_headroom",                              \
		   [(first) + DP_TUNNEL_NO_PORT] = "session_no_port"

static __rte_always_inline bool dp_tunnel_numbers(const struct lc_session_out *out,
						  union lc_session_door door)
{
	return (door.flags & LC_SESSION_SEND_SEQUENCE) != 0 ||
	       unlikely(__atomic_load_n(&out->follow_sequence, __ATOMIC_RELAXED) != 0);
}

/* Two neighbouring fields of a session, as they are on the wire one after the other. */
static __rte_always_inline uint32_t dp_tunnel_ids(const struct lc_session *session)
{
	_Static_assert(offsetof(struct lc_session, peer_session_id) ==
			   offsetof(struct lc_session, peer_tunnel_id) + 2,
		       "read as one");
	uint32_t ids = rte_be_to_cpu_32(dp_load32(&session->peer_tunnel_id));
	return ids << 16 | ids >> 16;
}

static __rte_always_inline uint32_t dp_tunnel_udp_ports(const struct lc_session *session)
{
	_Static_assert(offsetof(struct lc_session, local_udp_port) ==
			   offsetof(struct lc_session, peer_udp_port) + 2,
		       "read as one");
	return rte_be_to_cpu_32(dp_load32(&session->peer_udp_port));
}

/* A header with whatever fields the session wants. Ns is kept in the mirror, so that it goes on where it was after a
 * restart. */
static __rte_always_inline void dp_tunnel_push_more(struct dp_view *v,
						    const struct lc_session *session, bool sequence,
						    uint16_t ns, bool length)
{
	uint32_t ids = dp_tunnel_ids(session);
	uint8_t *p = dp_view_push(v, 6U + (sequence ? 4 : 0) + (length ? 2 : 0));
	lc_put16(p, (uint16_t)(LC_L2TP_VERSION | (sequence ? LC_L2TP_SEQUENCE : 0) |
			       (length ? LC_L2TP_LENGTH : 0)));
	p += 2;
	if (length) {
		lc_put16(p, (uint16_t)v->octets);
		p += 2;
	}
	memcpy(p, &ids, sizeof(ids));
	if (sequence) {
		lc_put16(p + 4, ns);
		lc_put16(p + 6, 0);
	}
}

static __rte_always_inline void dp_tunnel_push_l2tp(struct dp_worker *worker, struct dp_view *v,
						    const struct lc_session *session,
						    struct lc_session_out *out,
						    union lc_session_door door)
{
	bool sequence = dp_tunnel_numbers(out, door),
	     length = (door.flags & LC_SESSION_LENGTH) != 0;
	if (unlikely(sequence || length)) {
		uint16_t ns = !sequence       ? 0
			      : worker->alone ? dp_sequence_next_alone(out, session)
					      : dp_sequence_next(out);
		dp_tunnel_push_more(v, session, sequence, ns, length);
		return;
	}
	uint32_t ids = dp_tunnel_ids(session);
	uint8_t *p = dp_view_push(v, 6);
	lc_put16(p, LC_L2TP_VERSION);
	memcpy(p + 2, &ids, sizeof(ids));
}

static __rte_always_inline void dp_tunnel_push_udp(struct dp_view *v,
						   const struct lc_session *session)
{
	uint32_t ports = dp_tunnel_udp_ports(session);
	uint8_t *p = dp_view_push(v, sizeof(struct rte_udp_hdr));
	rte_be32_t rest = rte_cpu_to_be_16((uint16_t)v->octets); /* and no checksum */
	memcpy(p, &ports, sizeof(ports));
	memcpy(p + 4, &rest, sizeof(rest));
}

/* v: a PPP frame in m, of the session in this slot, whose door was read. */
static __rte_always_inline rte_edge_t dp_tunnel_send(struct dp_worker *worker, struct rte_mbuf *m,
						     struct dp_view v, uint32_t slot,
						     union lc_session_door door)
{
	struct dp *dp = worker->dp;
	const struct lc_session *session = dp_session(dp, slot);
	struct lc_session_out *out = &dp->mirror.sessions_out[slot];
	if (unlikely(door.tunnel_id == 0))
		return DP_TUNNEL_CLOSED;
	if (unlikely(v.at < (uint8_t *)m->buf_addr + DP_HEADROOM))
		return DP_TUNNEL_NO_HEADROOM;
	if (unlikely(session->port >= dp->n_ports))
		return DP_TUNNEL_NO_PORT;
	const struct dp_port *port = &dp->ports[session->port];

	worker->forwarded = 1;
#ifndef DP_WITHOUT_WIRE_STORES
	out->packets++;
	out->octets += v.octets;
#endif
	dp_tunnel_push_l2tp(worker, &v, session, out, door);
	dp_tunnel_push_udp(&v, session);
	dp_view_push(&v, sizeof(struct rte_ipv4_hdr));
	uint32_t total = v.octets;
	dp_ip4_write(v.at, total, worker->ip_id++, IPPROTO_UDP, session->local_address,
		     session->peer_address);

	union lc_neighbour_link link = dp_hop_use(&dp->hops, out->next_hop);
	dp_view_push_eth(&v, port, link.word, RTE_BE16(RTE_ETHER_TYPE_IPV4));
	m->port = port->id;
	m->hash.usr = slot;
	dp_view_store(m, v);
	if (unlikely(total > port->mtu)) {
		out->fragmented++;
		return DP_TUNNEL_FRAGMENT;
	}
	return likely(link.state == LC_NEIGHBOUR_REACHABLE) ? DP_TUNNEL_TX : DP_TUNNEL_HOLD;
}
