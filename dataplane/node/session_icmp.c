/* SPDX-License-Identifier: BSD-3-Clause */
/* session_icmp: echo requests of subscribers to our address on the core port. The packet begins at
 * its IPv4 header. */
#include "dp_icmp.h"
#include "dp_node.h"
#include "dp_ppp.h"

enum edge { TO_L2TP, OTHER };

static rte_edge_t session_icmp_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	if (ip->next_proto_id != IPPROTO_ICMP || rte_ipv4_frag_pkt_is_fragmented(ip) ||
	    !dp_icmp_answer(ip))
		return OTHER;
	dp_ppp_push(m, lc_session_door_read(dp_session(worker->dp, m->hash.usr)).flags, DP_PPP_IP4);
	return TO_L2TP;
}

DP_NODE(session_icmp, session_icmp_decide, [TO_L2TP] = "l2tp_output", [OTHER] = "icmp_other");
