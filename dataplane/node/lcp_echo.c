/* SPDX-License-Identifier: BSD-3-Clause */
/* lcp_echo: answers the subscribers' LCP Echo-Requests (RFC 1661 section 5.8), whoever is away. The
 * packet begins at the LCP code. */
#include "dp_node.h"
#include "dp_ppp.h"

enum edge { TO_L2TP, BAD, LOOPED };

DP_DROP(lcp_bad);
DP_DROP(lcp_looped);
DP_COUNTER(lcp_echo_answered)

static rte_edge_t lcp_echo_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct lc_session *session = dp_session(worker->dp, m->hash.usr);
	uint8_t *lcp = rte_pktmbuf_mtod(m, uint8_t *);
	if (m->data_len < 8 || lc_get16(lcp + 2) < 8 || lc_get16(lcp + 2) > m->data_len)
		return BAD;
	if (session->magic != 0 && lc_get32(lcp + 4) == session->magic)
		return LOOPED;
	dp_trim(m, lc_get16(lcp + 2));
	lcp[0] = DP_LCP_ECHO_REPLY;
	lc_put32(lcp + 4, session->magic);
	dp_ppp_push(m, 0, DP_PPP_LCP);
	dp_count(worker, &lcp_echo_answered_counter, 1);
	return TO_L2TP;
}

DP_NODE(lcp_echo,
	lcp_echo_decide, [TO_L2TP] = "l2tp_output", [BAD] = "lcp_bad", [LOOPED] = "lcp_looped");
