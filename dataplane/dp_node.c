/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_node.h"

#include <errno.h>

#include "dp_worker.h"

_Static_assert(sizeof(struct dp_node_context) <= RTE_NODE_CTX_SZ, "a node's context must fit");

int dp_node_init(const struct rte_graph *graph, struct rte_node *node)
{
	*dp_node_context(node) = (struct dp_node_context){.worker = dp_worker_in_making};
	return 0;
}

int dp_drop_init(const struct rte_graph *graph, struct rte_node *node)
{
	const struct dp_counter *counter = dp_counter_find(node->name);
	if (!counter)
		return -ENOENT;
	dp_node_init(graph, node);
	dp_node_context(node)->counter = &dp_worker_in_making->counters[counter->id];
	return 0;
}

uint16_t dp_drop_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	*dp_node_context(node)->counter += n;
	rte_pktmbuf_free_bulk((struct rte_mbuf **)objs, n);
	return n;
}
