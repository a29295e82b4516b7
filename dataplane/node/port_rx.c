/* SPDX-License-Identifier: BSD-3-Clause */
/* port_rx: source; polls the worker's ports. */
#include <rte_ethdev.h>

#include "dp_node.h"

enum edge { TO_ACCESS, TO_PEER, TO_CORE, SEGMENTED };

DP_DROP(rx_segmented);

static const enum edge edge_of[] = {
    [CFG_FACING_ACCESS] = TO_ACCESS,
    [CFG_FACING_PEER] = TO_PEER,
    [CFG_FACING_CORE] = TO_CORE,
};

/* Not all drivers say which port a packet came by. Buffers hold the largest frame there is (dp_open()): all later code
 * relies on one segment. */
static __rte_always_inline uint16_t rx_prepare(struct rte_graph *graph, struct rte_node *node,
					       void **objs, uint16_t n, const struct dp_port *port)
{
	uint16_t kept = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = objs[i];
		rte_prefetch0(rte_pktmbuf_mtod(m, void *));
		m->port = port->id;
		if (likely(m->nb_segs == 1))
			objs[kept++] = m;
		else
			rte_node_enqueue_x1(graph, node, SEGMENTED, m);
	}
	return kept;
}

static uint16_t port_rx_process(struct rte_graph *graph, struct rte_node *node, void **objs,
				uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	uint16_t total = 0;
	for (unsigned i = 0; i < worker->n_polled; i++) {
		const struct dp_port *port = worker->polled[i];
		rte_edge_t edge = edge_of[port->facing];
		for (uint16_t queue = 0; queue < port->rx_queues; queue++) {
			void **to = rte_node_next_stream_get(graph, node, edge, DP_BURST);
			uint16_t got =
			    rte_eth_rx_burst(port->id, queue, (struct rte_mbuf **)to, DP_BURST);
			if (got == 0)
				continue;
			total = (uint16_t)(total + got);
			rte_node_next_stream_put(graph, node, edge,
						 rx_prepare(graph, node, to, got, port));
		}
	}
	worker->work += total;
	return total;
}

static struct rte_node_register port_rx_node = {
    .name = "port_rx",
    .flags = RTE_NODE_SOURCE_F,
    .process = port_rx_process,
    .init = dp_node_init,
    .nb_edges = SEGMENTED + 1,
    .next_nodes = {[TO_ACCESS] = "pppoe_input",
		   [TO_PEER] = "l2tp_input",
		   [TO_CORE] = "core_input",
		   [SEGMENTED] = "rx_segmented"},
};
RTE_NODE_REGISTER(port_rx_node);
