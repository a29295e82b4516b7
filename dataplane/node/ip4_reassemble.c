/* SPDX-License-Identifier: BSD-3-Clause */
/* ip4_reassemble: fragments of packets to our own address (RFC 791), a table a worker. What is
 * whole goes back to ip4_input, in one piece of memory; fragments whose others do not come in time
 * are counted and freed, also where no frame comes any more: they may hold the buffers that it would
 * need.
 *
 * DPDK adds all fragments of a packet to the list of the dead without asking for room, and the list
 * is not long enough for a burst in which every fragment is one too many. So it is emptied after
 * each. */
#include "dp_frame.h"
#include "dp_node.h"
#include "dp_worker.h"

enum edge { TO_IP4, TOO_BIG };

DP_DROP(reassembly_too_big);
DP_COUNTER(reassembled)
DP_COUNTER(reassembly_expired) /* fragments given up */

static void bury(struct dp_worker *worker)
{
	if (likely(worker->dead_fragments.cnt == 0))
		return;
	dp_count(worker, &reassembly_expired_counter, worker->dead_fragments.cnt);
	rte_ip_frag_free_death_row(&worker->dead_fragments, 0);
}

void dp_fragments_expire(struct dp_worker *worker)
{
	rte_ip_frag_table_del_expired_entries(worker->fragments, &worker->dead_fragments,
					      worker->now);
	bury(worker);
}

static void take(struct rte_graph *graph, struct rte_node *node, struct dp_worker *worker,
		 struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, port->eth_size);
	m->l2_len = (uint64_t)port->eth_size & 0x7f;
	m->l3_len = (uint64_t)rte_ipv4_hdr_len(ip) & 0x1ff;
	m = rte_ipv4_frag_reassemble_packet(worker->fragments, &worker->dead_fragments, m,
					    worker->now, ip);
	bury(worker);
	if (!m)
		return;
	m->ol_flags = 0;
	if (rte_pktmbuf_linearize(m) < 0) {
		rte_node_enqueue_x1(graph, node, TOO_BIG, m);
		return;
	}
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, port->eth_size);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, rte_ipv4_hdr_len(ip));
	dp_count(worker, &reassembled_counter, 1);
	rte_node_enqueue_x1(graph, node, TO_IP4, m);
}

static uint16_t ip4_reassemble_process(struct rte_graph *graph, struct rte_node *node, void **objs,
				       uint16_t n)
{
	struct dp_worker *worker = dp_node_context(node)->worker;
	for (uint16_t i = 0; i < n; i++)
		take(graph, node, worker, objs[i]);
	return n;
}

static struct rte_node_register ip4_reassemble_node = {
    .name = "ip4_reassemble",
    .process = ip4_reassemble_process,
    .init = dp_node_init,
    .nb_edges = TOO_BIG + 1,
    .next_nodes = {[TO_IP4] = "ip4_input", [TOO_BIG] = "reassembly_too_big"},
};
RTE_NODE_REGISTER(ip4_reassemble_node);
