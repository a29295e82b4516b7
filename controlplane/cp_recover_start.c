/* SPDX-License-Identifier: BSD-3-Clause */
/* What a control plane finds at its start: tunnels whose channels died with the one before (RFC 4951 section
 * 3.2). They are told by their life, so that nothing needs to be written down when a control plane dies. */
#include "cp_history.h"
#include "cp_recover.h"

static bool is_lost(const struct cp_engine *e, const struct lc_tunnel *t)
{
	return t->mortal && t->life != lc_control_life(e->mirror) && t->state != CP_TUNNEL_IDLE;
}

/* false with *end: it will not be recovered. */
static bool will_recover(const struct cp_engine *e, const struct lc_tunnel *t, struct cp_end *end)
{
	const char *why = NULL;
	uint8_t slot;

	if (t->recovers != 0)
		why = "the control plane whose recovery tunnel it was is gone";
	else if (t->method == CFG_METHOD_FALLBACK && t->no_silent &&
		 (t->state != CP_TUNNEL_ESTABLISHED || !cp_failover_negotiated(t))) {
		const char *module = cp_port_module(e->cfg, t->port, &slot);
		cp_end_set(end, 0, 0, "no silent failover on %s in slot %u, and %s", module, slot,
			   t->state == CP_TUNNEL_ESTABLISHED ? "no RFC 4951 at the peer"
							     : "it was not established");
		return false;
	} else if (t->method == CFG_METHOD_DISABLE)
		why = "its control plane was restarted, and its method is disable";
	else if (t->state != CP_TUNNEL_ESTABLISHED)
		why = "its control plane was restarted, and it was not established";
	else if (!cp_failover_negotiated(t))
		why = "recovery failed: not both ends have offered the failover protocol";
	if (why != NULL)
		cp_end_set(end, 0, 0, "%s", why);
	return why == NULL;
}

static int mark_lost(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	struct lc_tunnel *t = cp_tunnel_touch(e, slot);

	t->resync = CP_RESYNC_LOST;
	t->has_tie_seen = CP_TIE_NONE;
	if (t->door.mode == LC_MODE_HELD)
		t->door.mode = LC_MODE_ESTABLISHED;
	return cp_commit(e, now);
}

int cp_recover_start(struct cp_engine *e, uint64_t now)
{
	const struct lc_mirror *m = e->mirror;
	uint32_t slots = m->tunnel_mask + 1, n_lost = 0;

	for (uint32_t slot = lc_map_next(m->tunnel_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, slots, slot + 1)) {
		const struct lc_tunnel *t = &m->tunnels[slot];
		struct cp_end end = {0};
		if (!is_lost(e, t)) {
			cp_history_find(e, slot, LC_OUTCOME_SILENT, NULL, now);
		} else if (!will_recover(e, t, &end)) {
			cp_history_find(e, slot,
					cp_tunnel_method(t) == CFG_METHOD_DISABLE
					    ? LC_OUTCOME_CLEARED
					    : LC_OUTCOME_FAILED,
					end.text, now);
			cp_tunnel_clear(e, slot, end, now);
		} else {
			cp_history_find(e, slot, LC_OUTCOME_RECOVERING, NULL, now);
			n_lost += mark_lost(e, slot, now) == 0;
		}
	}
	return cp_recover_pace(e, n_lost, now);
}
