/* SPDX-License-Identifier: BSD-3-Clause */
/* ppp_input: PPP frames of an LNS's sessions that l2tp_input did not take all the way. */
#include "dp_up.h"

DP_DROP(ppp_short);
DP_DROP(ppp_protocol);
DP_DROP(ip4_bad);
DP_DROP(ip6_bad);
DP_DROP(ip4_source);
DP_DROP(ip6_source);
DP_DROP(ip4_scope);
DP_DROP(ip6_scope);
DP_DROP(ip4_ttl);
DP_DROP(ip6_hop_limit);
DP_DROP(ip6_too_big);
DP_DROP(core_no_route);

static rte_edge_t ppp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	return dp_up(worker, m, dp_view_of(m), m->hash.usr);
}

DP_NODE(ppp_input, ppp_decide, DP_UP_NEXT_NODES(0));
