/* SPDX-License-Identifier: BSD-3-Clause */
/* session_split: IPv4 packets for a subscriber, DF clear, that are larger than its session's MTU.
 */
#include "dp_fragment.h"
#include "dp_node.h"
#include "dp_ppp.h"

enum edge { TO_L2TP, FAILED };

DP_COUNTER(session_split)

static void split(struct rte_graph *graph, struct rte_node *node, struct rte_mbuf *m)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	uint32_t slot = m->hash.usr;
	const struct lc_session *session = dp_session(worker->dp, slot);
	uint8_t flags = lc_session_door_read(session).flags;
	struct rte_mbuf *pieces[DP_FRAGMENTS];
	int n = dp_fragment(worker->dp->pool, m, session->mtu, pieces);
	if (n < 0) {
		rte_node_enqueue_x1(graph, node, FAILED, m);
		return;
	}
	for (int i = 0; i < n; i++) {
		pieces[i]->hash.usr = slot;
		dp_ppp_push(pieces[i], flags, DP_PPP_IP4);
		rte_node_enqueue_x1(graph, node, TO_L2TP, pieces[i]);
	}
	dp_count(worker, &session_split_counter, 1);
	rte_pktmbuf_free(m);
}

static uint16_t session_split_process(struct rte_graph *graph, struct rte_node *node, void **objs,
				      uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		split(graph, node, objs[i]);
	return n;
}

static struct rte_node_register session_split_node = {
    .name = "session_split",
    .process = session_split_process,
    .init = dp_node_init,
    .nb_edges = FAILED + 1,
    .next_nodes = {[TO_L2TP] = "l2tp_output", [FAILED] = "fragment_failed"},
};
RTE_NODE_REGISTER(session_split_node);
