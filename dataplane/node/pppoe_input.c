/* SPDX-License-Identifier: BSD-3-Clause */
/* pppoe_input: frames of access ports. PPPoE session frames (RFC 2516) go into their session's
 * tunnel, in one step. The session is found by port and session ID, and must be of this subscriber: its MAC
 * address is compared (section 9 tells why). */
#include "dp_pppoe.h"
#include "dp_tunnel.h"

enum { TO_ETH, OTHERS, BAD, NO_SESSION, WRONG_MAC, TUNNEL };

DP_DROP(pppoe_bad);
DP_DROP(pppoe_no_session);
DP_DROP(pppoe_wrong_mac);

/* A frame that has a PPP frame in it; and the slot that its session ID stands for. */
static __rte_always_inline void pppoe_look(struct dp_worker *worker, struct rte_mbuf *m,
					   struct dp_hint *hint)
{
	const struct dp *dp = worker->dp;
	const struct dp_port *port = dp->by_id[m->port];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const struct dp_pppoe *pppoe = (const void *)(frame + port->eth_size);
	uint32_t at = port->eth_size + (uint32_t)sizeof(*pppoe),
		 octets = rte_be_to_cpu_16(pppoe->length);
	hint->at = NULL;
	if (unlikely(m->data_len <= at ||
		     !dp_eth_is(port, frame, RTE_BE16(RTE_ETHER_TYPE_PPPOE_SESSION)) ||
		     dp_load16(pppoe) != RTE_BE16(DP_PPPOE_VERSION_TYPE << 8) || octets == 0 ||
		     at + octets > m->data_len))
		return;
	uint32_t id = rte_be_to_cpu_16(pppoe->session);
	uint32_t slot = __atomic_load_n(&port->pppoe[id], __ATOMIC_RELAXED);
	uint32_t there = slot & dp->mirror.session_mask;
	rte_prefetch0(&dp->mirror.sessions[there]);
	rte_prefetch0(&dp->mirror.sessions_out[there]);
	*hint = (struct dp_hint){frame + at, octets, slot, id};
}

static bool is_session_frame(const struct dp_port *port, const struct rte_mbuf *m)
{
	return m->data_len >= port->eth_size &&
	       dp_eth_is(port, rte_pktmbuf_mtod(m, const uint8_t *),
			 RTE_BE16(RTE_ETHER_TYPE_PPPOE_SESSION));
}

static __rte_always_inline rte_edge_t pppoe_decide(struct dp_worker *worker, struct rte_mbuf *m,
						   const struct dp_hint *hint)
{
	const struct dp_port *port = worker->dp->by_id[m->port];
	if (unlikely(hint->at == NULL))
		return dp_eth_is_others(port, m)   ? OTHERS
		       : is_session_frame(port, m) ? BAD
						   : TO_ETH;
	if (unlikely(hint->slot == LC_NO_SLOT))
		return NO_SESSION;
	const struct lc_session *session = dp_session(worker->dp, hint->slot);
	union lc_session_door door = lc_session_door_read(session);
	if (unlikely(door.tunnel_id == 0 || door.role != LC_ROLE_LAC ||
		     session->access_port != port->index || session->pppoe_session != hint->key))
		return NO_SESSION;
	uint64_t mac = dp_load64(hint->at - sizeof(struct dp_pppoe) - port->eth_size + 6);
	if (unlikely((dp_load64(session->mac) ^ mac) << 16 != 0))
		return WRONG_MAC;

	struct dp_view v = {hint->at, hint->octets};
	if (likely((door.flags & LC_SESSION_ACFC) == 0))
		lc_put16(dp_view_push(&v, 2), 0xff03);
	return (rte_edge_t)(TUNNEL + dp_tunnel_send(worker, m, v, hint->slot, door));
}

DP_NODE_LOOKING(
    pppoe_input, pppoe_look, NULL, pppoe_decide, [TO_ETH] = "eth_input", [OTHERS] = "eth_not_ours",
    [BAD] = "pppoe_bad", [NO_SESSION] = "pppoe_no_session", [WRONG_MAC] = "pppoe_wrong_mac",
    DP_TUNNEL_NEXT_NODES(TUNNEL));
