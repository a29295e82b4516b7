/* SPDX-License-Identifier: BSD-3-Clause */
/* inject: source; frames of the main lcore for the worker's ports (m->port says which). */
#include "dp_node.h"

static uint16_t inject_process(struct rte_graph *graph, struct rte_node *node, void **objs,
			       uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	void **to = rte_node_next_stream_get(graph, node, 0, DP_BURST);
	uint16_t got = (uint16_t)rte_ring_sc_dequeue_burst(worker->inject, to, DP_BURST, NULL);
	rte_node_next_stream_put(graph, node, 0, got);
	worker->work += got;
	return got;
}

static struct rte_node_register inject_node = {
    .name = "inject",
    .flags = RTE_NODE_SOURCE_F,
    .process = inject_process,
    .init = dp_node_init,
    .nb_edges = 1,
    .next_nodes = {"port_tx"},
};
RTE_NODE_REGISTER(inject_node);
