/* SPDX-License-Identifier: BSD-3-Clause */
/* pppoe_output: PPP frames of a LAC's sessions that l2tp_input did not take all the way. */
#include "dp_pppoe.h"

DP_DROP(pppoe_too_big);

static rte_edge_t pppoe_output_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	return dp_down(worker, m, dp_view_of(m), m->hash.usr);
}

DP_NODE(pppoe_output, pppoe_output_decide, DP_DOWN_NEXT_NODES(0));
