/* SPDX-License-Identifier: BSD-3-Clause */
/* How a node is written.
 *
 * A node is a decision, an inline function (worker, packet) to edge, inside a loop that all nodes
 * share. The decision may change the packet and count; it never waits, allocates, logs or calls the
 * system. Where a packet ends for a reason, the edge leads to a drop node, which has the reason's
 * name and its counter: declared beside the code with DP_DROP().
 *
 * Between nodes a packet carries, in fields of its mbuf that belong to whoever has it: port, DPDK's
 * number of the port it came in by and, from the node on that chose it, the port it leaves by;
 * hash.usr, the slot of its session, once known.
 *
 *   port_rx -+- peer:   l2tp_input ---- port_tx    LNS: from the tunnel to the core; LAC: to access
 *            +- access: pppoe_input --- port_tx    LAC, from access to the tunnel
 *            +- core:   core_input ---- port_tx    LNS, from the core to the tunnel
 *
 * These are fused so far that a data packet meets three nodes, one of which reads it. Each takes the one
 * frame that it is made for (dp_look) and hands all else to eth_input, which has ARP, ICMP, neighbour
 * discovery, fragments and every odd header behind it; what comes out there as data goes on by ppp_input,
 * pppoe_output and l2tp_output, which are the second halves of the above.
 */
#pragma once

/* The walk would read the clock twice a node; the counters say enough. (tools/bench has a build of its own that defines
 * DP_GRAPH_STATS, for its table of nodes.) */
#ifndef DP_GRAPH_STATS
#undef RTE_LIBRTE_GRAPH_STATS
#endif

#include <rte_graph.h>
#include <rte_graph_worker.h>

#include "dp.h"
#include "dp_counter.h"

/* In rte_node.ctx, of RTE_NODE_CTX_SZ bytes. */
struct dp_node_context {
	struct dp_worker *worker;
	union {
		uint64_t guess;    /* the edge that the last packet took */
		uint64_t *counter; /* of a drop node */
	};
};

static inline struct dp_node_context *dp_node_context(struct rte_node *node)
{
	return (struct dp_node_context *)(void *)node->ctx;
}

/* For rte_node_register.init: binds the node to the worker whose graph is being made. */
int dp_node_init(const struct rte_graph *graph, struct rte_node *node);

uint16_t dp_drop_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n);
int dp_drop_init(const struct rte_graph *graph, struct rte_node *node);

/* A drop: a node, a counter and a reason of one name. */
#define DP_DROP(drop)                                                                              \
	DP_COUNTER(drop)                                                                           \
	static struct rte_node_register drop##_drop = {                                            \
	    .name = #drop, .process = dp_drop_process, .init = dp_drop_init};                      \
	RTE_NODE_REGISTER(drop##_drop)

/* What looking ahead found. */
struct dp_hint {
	uint8_t
	    *at; /* where the decision begins; NULL: the frame is not what the node is made for */
	uint32_t octets; /* from there on */
	uint32_t slot;   /* of the session that it is likely of */
	uint64_t key;    /* by which that is looked up */
};

typedef rte_edge_t dp_decision(struct dp_worker *worker, struct rte_mbuf *m,
			       const struct dp_hint *hint);

/* Recognizes the one frame that the node is made for, checks what can be checked of it without its session, and asks for
 * the memory that the decision will read. */
typedef void dp_look(struct dp_worker *worker, struct rte_mbuf *m, struct dp_hint *hint);

/* Where what is asked for tells what to ask for next: a second look, for frames that the first has recognized. */
typedef void dp_look_further(struct dp_worker *worker, struct dp_hint *hint);

static __rte_always_inline void dp_no_look(struct dp_worker *worker, struct rte_mbuf *m,
					   struct dp_hint *hint)
{
}

static __rte_always_inline void dp_node_look(struct dp_worker *worker, void **objs, uint16_t n,
					     dp_look *look, dp_look_further *look_further,
					     struct dp_hint hints[DP_BURST])
{
	for (uint16_t i = 0; i < n; i++)
		look(worker, objs[i], &hints[i]);
	for (uint16_t i = 0; look_further && i < n; i++)
		if (likely(hints[i].at != NULL))
			look_further(worker, &hints[i]);
}

/* A burst is looked at, then decided on: what one packet waits for is on its way while the others are looked at. (The loops
 * are short for the same reason: a processor reads some two hundred instructions ahead.)
 * Packets mostly go where the one before went: those are moved together, the others one by one. */
static __rte_always_inline uint16_t dp_node_run(struct rte_graph *graph, struct rte_node *node,
						void **objs, uint16_t n, dp_look *look,
						dp_look_further *look_further, dp_decision *decide)
{
	struct dp_node_context *context = dp_node_context(node);
	struct dp_worker *worker = context->worker;
	rte_edge_t guess = (rte_edge_t)context->guess, edge = guess;
	void **to = rte_node_next_stream_get(graph, node, guess, n);
	void **from = objs;
	uint16_t run = 0, moved = 0;
	struct dp_hint hints[DP_BURST];

	for (uint16_t start = 0; start < n; start = (uint16_t)(start + DP_BURST)) {
		uint16_t size = (uint16_t)RTE_MIN(n - start, (int)DP_BURST);
		dp_node_look(worker, objs + start, size, look, look_further, hints);
		for (uint16_t i = 0; i < size; i++) {
			void **obj = objs + start + i;
			edge = decide(worker, *obj, &hints[i]);
			if (likely(edge == guess)) {
				run++;
				continue;
			}
			memcpy(to + moved, from, run * sizeof(*from));
			moved = (uint16_t)(moved + run);
			from = obj + 1;
			run = 0;
			rte_node_enqueue_x1(graph, node, edge, *obj);
		}
	}
	if (likely(run == n)) {
		rte_node_next_stream_move(graph, node, guess);
		return n;
	}
	memcpy(to + moved, from, run * sizeof(*from));
	rte_node_next_stream_put(graph, node, guess, (uint16_t)(moved + run));
	context->guess = edge;
	return n;
}

/* A node of one decision, with looks ahead (look_further: NULL where one is enough). nodes: its next_nodes, by edge. */
#define DP_NODE_LOOKING(node_name, look, look_further, decide, ...)                                \
	static uint16_t node_name##_process(struct rte_graph *graph, struct rte_node *node,        \
					    void **objs, uint16_t n)                               \
	{                                                                                          \
		return dp_node_run(graph, node, objs, n, look, look_further, decide);              \
	}                                                                                          \
	static struct rte_node_register node_name##_node = {                                       \
	    .name = #node_name,                                                                    \
	    .process = node_name##_process,                                                        \
	    .init = dp_node_init,                                                                  \
	    .nb_edges = RTE_DIM(((const char *[]){__VA_ARGS__})),                                  \
	    .next_nodes = {__VA_ARGS__},                                                           \
	};                                                                                         \
	RTE_NODE_REGISTER(node_name##_node)

/* Without: decide is (worker, packet) to edge. */
#define DP_NODE(node_name, decide, ...)                                                            \
	static __rte_always_inline rte_edge_t node_name##_hintless(                                \
	    struct dp_worker *worker, struct rte_mbuf *m, const struct dp_hint *hint)              \
	{                                                                                          \
		return decide(worker, m);                                                          \
	}                                                                                          \
	DP_NODE_LOOKING(node_name, dp_no_look, NULL, node_name##_hintless, __VA_ARGS__)

static inline void dp_count(struct dp_worker *worker, const struct dp_counter *counter, uint64_t n)
{
	worker->counters[counter->id] += n;
}
