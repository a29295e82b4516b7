/* SPDX-License-Identifier: BSD-3-Clause */
/* ip4_fragment: whole frames, made by us, that are larger than the MTU of the port they leave by
 * (RFC 791). Where DF is set (a subscriber's packet on its way to the core) they end here. */
#include "dp_fragment.h"
#include "dp_node.h"

enum edge { TO_TX, TO_HOLD, DONT, FAILED };

DP_DROP(ip4_dont_fragment);
DP_DROP(fragment_failed);
DP_COUNTER(fragmented)

static void fragment(struct rte_graph *graph, struct rte_node *node, struct rte_mbuf *m)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint8_t ethernet[RTE_ETHER_HDR_LEN + 4];
	memcpy(ethernet, rte_pktmbuf_mtod(m, uint8_t *), port->eth_size);
	dp_strip(m, port->eth_size);

	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) {
		rte_node_enqueue_x1(graph, node, DONT, m);
		return;
	}
	struct rte_mbuf *pieces[DP_FRAGMENTS];
	int n = dp_fragment(worker->dp->pool, m, port->mtu, pieces);
	if (n < 0) {
		rte_node_enqueue_x1(graph, node, FAILED, m);
		return;
	}
	static const uint8_t unknown[6];
	rte_edge_t edge = memcmp(ethernet, unknown, 6) == 0 ? TO_HOLD : TO_TX;
	for (int i = 0; i < n; i++) {
		memcpy(dp_push(pieces[i], port->eth_size), ethernet, port->eth_size);
		pieces[i]->port = m->port;
		rte_node_enqueue_x1(graph, node, edge, pieces[i]);
	}
	dp_count(worker, &fragmented_counter, 1);
	rte_pktmbuf_free(m);
}

static uint16_t ip4_fragment_process(struct rte_graph *graph, struct rte_node *node, void **objs,
				     uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		fragment(graph, node, objs[i]);
	return n;
}

static struct rte_node_register ip4_fragment_node = {
    .name = "ip4_fragment",
    .process = ip4_fragment_process,
    .init = dp_node_init,
    .nb_edges = FAILED + 1,
    .next_nodes = {[TO_TX] = "port_tx",
		   [TO_HOLD] = "hold",
		   [DONT] = "ip4_dont_fragment",
		   [FAILED] = "fragment_failed"},
};
RTE_NODE_REGISTER(ip4_fragment_node);
