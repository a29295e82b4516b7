/* SPDX-License-Identifier: BSD-3-Clause */
/* port_tx: hands frames to the ports that they chose (m->port). */
#include <rte_ethdev.h>

#include "dp_node.h"

enum {
	TRIES =
	    4, /* a full port is asked again this often: virtual devices drain between two calls */
};

DP_COUNTER(tx_full)

static uint16_t tx_burst(struct dp_worker *worker, struct dp_port *port, struct rte_mbuf **frames,
			 uint16_t n)
{
	bool shared = port->tx_queues <= worker->index || port->tx_queues < worker->dp->n_workers;
	uint16_t queue = (uint16_t)(worker->index % port->tx_queues), sent = 0;
	if (shared)
		rte_spinlock_lock(&port->lock);
	for (unsigned i = 0; i < TRIES && sent < n; i++)
		sent = (uint16_t)(sent + rte_eth_tx_burst(port->id, queue, frames + sent,
							  (uint16_t)(n - sent)));
	if (shared)
		rte_spinlock_unlock(&port->lock);
	return sent;
}

static uint16_t port_tx_process(struct rte_graph *graph, struct rte_node *node, void **objs,
				uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	struct rte_mbuf **frames = (struct rte_mbuf **)objs;
	for (uint16_t i = 0, end; i < n; i = end) {
		uint16_t id = frames[i]->port;
		for (end = (uint16_t)(i + 1); end < n && frames[end]->port == id; end++)
			;
		uint16_t run = (uint16_t)(end - i);
		uint16_t sent = tx_burst(worker, worker->dp->by_id[id], frames + i, run);
		if (unlikely(sent < run)) {
			dp_count(worker, &tx_full_counter, (uint64_t)(run - sent));
			rte_pktmbuf_free_bulk(frames + i + sent, (unsigned)(run - sent));
		}
	}
	return n;
}

static struct rte_node_register port_tx_node = {
    .name = "port_tx",
    .process = port_tx_process,
    .init = dp_node_init,
};
RTE_NODE_REGISTER(port_tx_node);
