/* SPDX-License-Identifier: BSD-3-Clause */
/* PPPoE session frames (RFC 2516 section 4), and the way of a LAC's sessions down to the subscriber, for the two nodes that
 * meet them: l2tp_input, in one step, and pppoe_output, which takes what came another way. */
#pragma once

#include "dp_frame.h"
#include "dp_node.h"

enum {
	DP_PPPOE_VERSION_TYPE = 0x11,
};

struct dp_pppoe {
	uint8_t version_type;
	uint8_t code; /* 0: session data */
	rte_be16_t session;
	rte_be16_t length; /* of what follows */
} __attribute__((packed));

enum dp_down_edge {
	DP_DOWN_TX,
	DP_DOWN_SHORT,
	DP_DOWN_TOO_BIG,
	DP_DOWN_NO_PORT,
	DP_DOWN_EDGES,
};

/* first: the edges come after a node's own. */
#define DP_DOWN_NEXT_NODES(first)                                                                  \
	[(first) + DP_DOWN_TX] = "port_tx", [(first) + DP_DOWN_SHORT] = "ppp_short",               \
		   [(first) + DP_DOWN_TOO_BIG] = "pppoe_too_big",                                  \
		   [(first) + DP_DOWN_NO_PORT] = "session_no_port"

/* v: a PPP frame in m, of the session in this slot. The address and control field has no place there (section 7) and is
 * taken off. */
static __rte_always_inline rte_edge_t dp_down(struct dp_worker *worker, struct rte_mbuf *m,
					      struct dp_view v, uint32_t slot)
{
	struct dp *dp = worker->dp;
	const struct lc_session *session = dp_session(dp, slot);
	if (v.octets >= 2 && dp_load16(v.at) == RTE_BE16(0xff03))
		dp_view_strip(&v, 2);
	if (unlikely(v.octets == 0))
		return DP_DOWN_SHORT;
	if (unlikely(session->access_port >= dp->n_ports))
		return DP_DOWN_NO_PORT;
	const struct dp_port *port = &dp->ports[session->access_port];
	if (unlikely(v.octets + sizeof(struct dp_pppoe) > port->mtu))
		return DP_DOWN_TOO_BIG;

	worker->forwarded = 1;
	rte_be16_t length = rte_cpu_to_be_16((uint16_t)v.octets);
	struct dp_pppoe *pppoe = dp_view_push(&v, sizeof(*pppoe));
	*pppoe = (struct dp_pppoe){.version_type = DP_PPPOE_VERSION_TYPE,
				   .session = rte_cpu_to_be_16(session->pppoe_session),
				   .length = length};
	dp_view_push_eth(&v, port, dp_load64(session->mac), RTE_BE16(RTE_ETHER_TYPE_PPPOE_SESSION));
	m->port = port->id;
	dp_view_store(m, v);
	return DP_DOWN_TX;
}
