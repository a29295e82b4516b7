/* SPDX-License-Identifier: BSD-3-Clause */
/* icmp_input: echo requests to our address on a port. */
#include "dp_icmp.h"
#include "dp_node.h"

enum edge { TO_TX, OTHER };

DP_DROP(icmp_other);

static rte_edge_t icmp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	if (!dp_icmp_answer((void *)(frame + port->eth_size)))
		return OTHER;
	dp_eth_reply(port, frame);
	return TO_TX;
}

DP_NODE(icmp_input, icmp_decide, [TO_TX] = "port_tx", [OTHER] = "icmp_other");
