/* SPDX-License-Identifier: BSD-3-Clause */
/* l2tp_output: PPP frames of sessions that no other node has put into their tunnel: our own answers, and pieces of what was
 * too large. */
#include "dp_tunnel.h"

DP_DROP(session_closed);
DP_DROP(no_headroom);
DP_DROP(session_no_port);

static rte_edge_t l2tp_output_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	uint32_t slot = m->hash.usr;
	return dp_tunnel_send(worker, m, dp_view_of(m), slot,
			      lc_session_door_read(dp_session(worker->dp, slot)));
}

DP_NODE(l2tp_output, l2tp_output_decide, DP_TUNNEL_NEXT_NODES(0));
