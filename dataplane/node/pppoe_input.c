/* SPDX-License-Identifier: BSD-3-Clause */
/* pppoe_input: frames of access ports. PPPoE session frames (RFC 2516) go to their session's
 * tunnel. The session is found by port and session ID, and must be of this subscriber: its MAC
 * address is compared (section 9 tells why). */
#include "dp_frame.h"
#include "dp_node.h"
#include "dp_pppoe.h"

enum edge { TO_L2TP, TO_ETH, BAD, NO_SESSION, WRONG_MAC, NO_HEADROOM };

DP_DROP(pppoe_bad);
DP_DROP(pppoe_no_session);
DP_DROP(pppoe_wrong_mac);

static __rte_always_inline rte_edge_t pppoe_decide(struct dp_worker *worker, struct rte_mbuf *m)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = port->eth_size;
	if (unlikely(m->data_len < at ||
		     !dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_PPPOE_SESSION))))
		return TO_ETH;
	const struct dp_pppoe *pppoe = (const void *)(frame + at);
	at += (uint32_t)sizeof(*pppoe);
	if (unlikely(m->data_len <= at || pppoe->version_type != DP_PPPOE_VERSION_TYPE ||
		     pppoe->code != 0 || pppoe->length == 0 ||
		     at + rte_be_to_cpu_16(pppoe->length) > m->data_len))
		return BAD;

	uint32_t slot =
	    __atomic_load_n(&port->pppoe[rte_be_to_cpu_16(pppoe->session)], __ATOMIC_ACQUIRE);
	if (unlikely(slot == LC_NO_SLOT))
		return NO_SESSION;
	const struct lc_session *session = dp_session(worker->dp, slot);
	union lc_session_door door = lc_session_door_read(session);
	if (unlikely(door.tunnel_id == 0 || door.role != LC_ROLE_LAC ||
		     session->access_port != port->index ||
		     session->pppoe_session != rte_be_to_cpu_16(pppoe->session)))
		return NO_SESSION;
	if (unlikely((dp_load64(session->mac) ^ dp_load64(frame + 6)) << 16 != 0))
		return WRONG_MAC;

	dp_trim(m, at + rte_be_to_cpu_16(pppoe->length));
	dp_strip(m, at);
	m->hash.usr = slot;
	if (unlikely(m->data_off < DP_HEADROOM))
		return NO_HEADROOM;
	if (!(door.flags & LC_SESSION_ACFC)) {
		static const uint8_t address_control[2] = {0xff, 0x03};
		memcpy(dp_push(m, 2), address_control, 2);
	}
	return TO_L2TP;
}

DP_NODE(pppoe_input, pppoe_decide, [TO_L2TP] = "l2tp_output", [TO_ETH] = "eth_input",
	[BAD] = "pppoe_bad", [NO_SESSION] = "pppoe_no_session", [WRONG_MAC] = "pppoe_wrong_mac",
	[NO_HEADROOM] = "no_headroom");
