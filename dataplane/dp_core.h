/* SPDX-License-Identifier: BSD-3-Clause */
/* From a session to the core: the next hop is on the link of a core port, or a gateway there. */
#pragma once

#include "dp_frame.h"
#include "dp_node.h"

enum dp_core_edge {
	DP_CORE_TX,
	DP_CORE_HOLD,
	DP_CORE_FRAGMENT, /* IPv4, larger than the port's MTU; the frame is whole but for what hold
			     fills in */
	DP_CORE_TOO_BIG,  /* IPv6, likewise; the packet is untouched */
	DP_CORE_NO_ROUTE,
	DP_CORE_EDGES, /* the first that a node may use for its own */
};

#define DP_CORE_NEXT_NODES(first)                                                                  \
	[(first) + DP_CORE_TX] = "port_tx", [(first) + DP_CORE_HOLD] = "hold",                     \
		   [(first) + DP_CORE_FRAGMENT] = "ip4_fragment",                                  \
		   [(first) + DP_CORE_TOO_BIG] = "ip6_too_big",                                    \
		   [(first) + DP_CORE_NO_ROUTE] = "core_no_route"

static __rte_always_inline bool dp_core_is_on_link6(const struct dp_port *port,
						    const uint8_t address[16])
{
	if (port->ipv6_length == 0)
		return false;
	struct dp_prefix6 own = dp_prefix6(port->ipv6, port->ipv6_length),
			  other = dp_prefix6(address, port->ipv6_length);
	return own.high == other.high && own.low == other.low;
}

static __rte_always_inline bool dp_core_is_on_link4(const struct dp_port *port, uint32_t to)
{
	return ((to ^ port->address) & port->mask) == 0 && port->address != 0;
}

/* The port, and in *hop the neighbour (DP_NO_HOP: not known yet). NULL: no way. */
static __rte_always_inline const struct dp_port *dp_core_route4(struct dp *dp, uint32_t to,
								uint16_t *hop)
{
	const struct dp_port *only = dp->only_core;
	if (likely(only && only->gateway != 0 && !dp_core_is_on_link4(only, to))) {
		*hop = only->hop4;
		return only;
	}
	const struct dp_port *by_gateway = NULL;
	for (unsigned i = 0; i < dp->n_core; i++) {
		const struct dp_port *port = &dp->ports[dp->core[i]];
		if (dp_core_is_on_link4(port, to)) {
			*hop = dp_hop_find(&dp->hops, port->index, to, NULL);
			return port;
		}
		if (port->gateway != 0 && !by_gateway)
			by_gateway = port;
	}
	if (by_gateway)
		*hop = by_gateway->hop4;
	return by_gateway;
}

static __rte_always_inline const struct dp_port *dp_core_route6(struct dp *dp, const uint8_t to[16],
								uint16_t *hop)
{
	static const uint8_t none[16];
	const struct dp_port *by_gateway = NULL;
	for (unsigned i = 0; i < dp->n_core; i++) {
		const struct dp_port *port = &dp->ports[dp->core[i]];
		if (dp_core_is_on_link6(port, to)) {
			*hop = dp_hop_find(&dp->hops, port->index, 0, to);
			return port;
		}
		if (!by_gateway && memcmp(port->gateway6, none, 16) != 0)
			by_gateway = port;
	}
	if (by_gateway)
		*hop = by_gateway->hop6;
	return by_gateway;
}

static __rte_always_inline rte_edge_t dp_core_frame(struct dp_worker *worker, struct rte_mbuf *m,
						    struct dp_view *v, const struct dp_port *port,
						    uint16_t hop, rte_be16_t type)
{
	union lc_neighbour_link link = dp_hop_use(&worker->dp->hops, hop);
	bool fits = v->octets <= port->mtu;
	worker->forwarded = 1;
	dp_view_push_eth(v, port, link.word, type);
	m->port = port->id;
	if (unlikely(!fits))
		return DP_CORE_FRAGMENT;
	return likely(link.state == LC_NEIGHBOUR_REACHABLE) ? DP_CORE_TX : DP_CORE_HOLD;
}
