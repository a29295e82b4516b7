/* SPDX-License-Identifier: BSD-3-Clause */
/* pppoe_output: PPP frames of a session to its subscriber (RFC 2516 section 4). The address and
 * control field has no place there (section 7) and is taken off. */
#include "dp_frame.h"
#include "dp_node.h"
#include "dp_pppoe.h"

enum edge { TO_TX, SHORT, TOO_BIG, NO_PORT };

DP_DROP(pppoe_too_big);

static __rte_always_inline rte_edge_t pppoe_output_decide(struct dp_worker *worker,
							  struct rte_mbuf *m)
{
	struct dp *dp = worker->dp;
	const struct lc_session *session = dp_session(dp, m->hash.usr);
	const uint8_t *ppp = rte_pktmbuf_mtod(m, const uint8_t *);
	if (m->data_len >= 2 && ppp[0] == 0xff && ppp[1] == 0x03)
		dp_strip(m, 2);
	if (unlikely(m->data_len == 0))
		return SHORT;
	if (unlikely(session->access_port >= dp->n_ports))
		return NO_PORT;
	const struct dp_port *port = &dp->ports[session->access_port];
	if (unlikely(m->data_len + sizeof(struct dp_pppoe) > port->mtu))
		return TOO_BIG;

	worker->forwarded = 1;
	uint16_t length = m->data_len;
	struct dp_pppoe *pppoe = dp_push(m, sizeof(*pppoe));
	*pppoe = (struct dp_pppoe){.version_type = DP_PPPOE_VERSION_TYPE,
				   .session = rte_cpu_to_be_16(session->pppoe_session),
				   .length = rte_cpu_to_be_16(length)};
	dp_eth_push(m, port, dp_load64(session->mac), RTE_BE16(RTE_ETHER_TYPE_PPPOE_SESSION));
	m->port = port->id;
	return TO_TX;
}

DP_NODE(pppoe_output, pppoe_output_decide, [TO_TX] = "port_tx", [SHORT] = "ppp_short",
	[TOO_BIG] = "pppoe_too_big", [NO_PORT] = "session_no_port");
