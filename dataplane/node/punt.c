/* SPDX-License-Identifier: BSD-3-Clause */
/* punt: control messages, as frames, to the main lcore. hold: frames to be sent whose next hop is
 * not resolved yet (m->port is the port they leave by; the Ethernet header's destination is to be
 * filled in). Two rings, so that a flood of the one does not crowd out the other. */
#include "dp_node.h"

DP_COUNTER(punt_full)
DP_COUNTER(hold_full)

static uint16_t hand_over(struct dp_worker *worker, struct rte_ring *ring,
			  const struct dp_counter *full, void **objs, uint16_t n)
{
	unsigned taken = rte_ring_mp_enqueue_burst(ring, objs, n, NULL);
	if (unlikely(taken < n)) {
		dp_count(worker, full, n - taken);
		rte_pktmbuf_free_bulk((struct rte_mbuf **)objs + taken, n - taken);
	}
	return n;
}

static uint16_t punt_process(struct rte_graph *graph, struct rte_node *node, void **objs,
			     uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	return hand_over(worker, worker->dp->control, &punt_full_counter, objs, n);
}

static uint16_t hold_process(struct rte_graph *graph, struct rte_node *node, void **objs,
			     uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	return hand_over(worker, worker->dp->hold, &hold_full_counter, objs, n);
}

static struct rte_node_register punt_node = {
    .name = "punt", .process = punt_process, .init = dp_node_init};
RTE_NODE_REGISTER(punt_node);
static struct rte_node_register hold_node = {
    .name = "hold", .process = hold_process, .init = dp_node_init};
RTE_NODE_REGISTER(hold_node);
