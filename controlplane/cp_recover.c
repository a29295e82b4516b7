/* SPDX-License-Identifier: BSD-3-Clause */
/* The recovery endpoint (RFC 4951 section 3.2), each step one transaction:
 *
 *   recovery tunnel and SCCRQ    the old one: RECOVERING
 *   SCCRP                        SCCCN; the old channel is reset: CLEARING
 *   SCCCN acknowledged           StopCCN; the old tunnel may query (cp_resync.c)
 *
 * If our process ends in between, all of it is silent at once, and the next one begins anew: the recovery
 * tunnel is dropped, the peer learns of the new one by its SCCRQ. If the recovery tunnel fails before the
 * reset, the old one is cleared (3.2.1). If it dies after it, the SCCCN may have arrived or not: the
 * recovered channel itself will tell. */
#include "cp_recover.h"

#include <errno.h>
#include <string.h>

bool cp_recover_is_mute(const struct lc_tunnel *t)
{
	return t->state == CP_TUNNEL_ESTABLISHED &&
	       (t->resync == CP_RESYNC_LOST || t->resync == CP_RESYNC_RECOVERING ||
		t->resync == CP_RESYNC_HELD);
}

bool cp_recover_is_open(const struct lc_tunnel *t)
{
	return !cp_recover_is_mute(t) && t->unsynced != CP_UNSYNCED_ALL;
}

uint32_t cp_recover_old(const struct cp_engine *e, const struct lc_tunnel *t)
{
	uint32_t slot = lc_tunnel_slot(e->mirror, t->recovers);
	const struct lc_tunnel *old = lc_txn_peek_tunnel(e->txn, slot);

	return t->recovers != 0 && slot != LC_LISTENER && old != NULL &&
		       old->door.id == t->recovers && old->state == CP_TUNNEL_ESTABLISHED
		   ? slot
		   : LC_NO_SLOT;
}

/* ---- the old tunnel's fate ---- */

int cp_recover_fail(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	struct cp_turn own = {.engine = e,
			      .now = turn->now,
			      .slot = old_slot,
			      .tunnel = cp_tunnel_touch(e, old_slot)};

	if (own.tunnel == NULL)
		return -EAGAIN;
	cp_end_set(&own.end, 0, 0, "recovery failed: %s", turn->end.text);
	e->counters.recoveries_failed++;
	return cp_tunnel_event(&own, CP_TUNNEL_LOST);
}

static int reset(struct cp_turn *turn, uint32_t old_slot, struct cp_sequence sequence, bool here)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	char label[CP_LABEL];

	if (old == NULL)
		return -EAGAIN;
	lc_txn_reset_channel(e->txn, old_slot, sequence.ns, sequence.nr);
	old->door.mode = LC_MODE_ESTABLISHED;
	old->resync = CP_RESYNC_CLEARING;
	old->unsynced = CP_UNSYNCED_ALL;
	old->recovered_here = here;
	old->n_queried = old->n_confirmed = old->n_cleared = 0;
	lc_timers_set(e->soon, old_slot, turn->now);
	e->counters.tunnels_recovered += here;
	cp_log(e, CP_LOG_NOTICE, "%s: control channel reset by recovery tunnel %u, Ns %u Nr %u",
	       cp_tunnel_label(label, old), turn->tunnel->door.id, sequence.ns, sequence.nr);
	return 0;
}

bool cp_recover_is_wanted(const struct cp_turn *turn)
{
	uint32_t slot = cp_recover_old(turn->engine, turn->tunnel);

	if (slot == LC_NO_SLOT)
		return false;
	uint8_t resync = lc_txn_peek_tunnel(turn->engine->txn, slot)->resync;
	bool ours = resync == CP_RESYNC_LOST || resync == CP_RESYNC_RECOVERING;
	return turn->tunnel->role == LC_ROLE_LAC ? resync == CP_RESYNC_RECOVERING : !ours;
}

int cp_recover_connected(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;

	cp_recover_answered(turn);
	t->door.mode = LC_MODE_ESTABLISHED;
	t->deadline = turn->now + CP_SETUP_MS;
	/* Zero where the peer has suggested nothing (5.3). */
	return reset(turn, cp_recover_old(turn->engine, t), turn->message->sequence, true);
}

/* Others for the same old tunnel have lost their meaning: our own, and those that the peer sent before. One that
 * it sent later may be that of its next life, or a copy that came late. It does not hold the old tunnel any more; but
 * should it get its SCCCN, then it counts. */
static int drop_others(struct cp_turn *turn, uint32_t old_slot)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = LC_NO_SLOT;
	int error = 0;

	while (error == 0 && (slot = cp_recover_next(e, old_slot, slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		bool later = t->role == LC_ROLE_LNS && t->state == CP_TUNNEL_WAIT_CTL_CONN &&
			     (int32_t)(t->call_serial - turn->tunnel->call_serial) > 0;

		if (slot == turn->slot || later || e->n_tunnels >= LC_TXN_TUNNELS)
			continue;
		struct cp_turn own = {.engine = e,
				      .now = turn->now,
				      .slot = slot,
				      .tunnel = cp_tunnel_touch(e, slot)};
		cp_end_set(&own.end, 0, 0, "another recovery tunnel has come up");
		error = cp_tunnel_event(&own, CP_TUNNEL_LOST);
	}
	return error;
}

int cp_recover_accepted(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	uint32_t old_slot = cp_recover_old(turn->engine, t);
	const struct cp_sequence ours = {.ns = t->suggested_nr, .nr = t->suggested_ns};

	t->door.mode = LC_MODE_ESTABLISHED;
	t->deadline = turn->now + CP_LINGER_MAX_MS; /* for the peer to tear it down */
	int error = reset(turn, old_slot, ours, false);
	return error != 0 ? error : drop_others(turn, old_slot);
}

/* Does this end mean that the handshake has failed, although we have had our SCCRP? */
static bool is_failure(const struct cp_turn *turn, enum cp_tunnel_event event)
{
	uint16_t result = turn->end.result;

	if (event ==
	    CP_TUNNEL_STOPCCN) /* "Either endpoint can tear down the recovery tunnel" (3.2.2) */
		return result != CP_STOPCCN_GENERAL && result != CP_STOPCCN_SHUTDOWN;
	return event != CP_TUNNEL_CLOSE && event != CP_TUNNEL_DEAD;
}

int cp_recover_ended(struct cp_turn *turn, enum cp_tunnel_state state, enum cp_tunnel_event event)
{
	struct cp_engine *e = turn->engine;
	uint32_t old_slot = cp_recover_old(e, turn->tunnel);
	bool ours = turn->tunnel->role == LC_ROLE_LAC;

	if (ours && state == CP_TUNNEL_WAIT_CTL_REPLY)
		cp_recover_answered(turn);
	/* LOST: who has sent that event knows what becomes of the old one. */
	if (old_slot == LC_NO_SLOT || event == CP_TUNNEL_LOST || event == CP_TUNNEL_TIE_LOST)
		return 0;
	if (!ours)
		return state == CP_TUNNEL_WAIT_CTL_CONN ? cp_recover_release(turn, old_slot) : 0;
	if (state == CP_TUNNEL_WAIT_CTL_REPLY)
		return cp_recover_is_wanted(turn) ? cp_recover_fail(turn, old_slot) : 0;
	struct lc_tunnel *old = cp_tunnel_touch(e, old_slot);
	if (old == NULL)
		return -EAGAIN;
	if (old->has_tie_seen == CP_TIE_BEATEN)
		old->has_tie_seen = event == CP_TUNNEL_CLOSE ? CP_TIE_TAKEN : CP_TIE_NONE;
	if (old->resync != CP_RESYNC_CLEARING)
		return 0; /* another recovery has overtaken it */
	if (is_failure(turn, event))
		return cp_recover_fail(turn, old_slot);
	lc_timers_set(e->soon, old_slot, turn->now);
	return 0;
}

/* ---- its recovery tunnel ---- */

uint32_t cp_recover_own(struct cp_engine *e, uint32_t old_slot)
{
	uint32_t slot = LC_NO_SLOT;

	while ((slot = cp_recover_next(e, old_slot, slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		if (t != NULL && t->role == LC_ROLE_LAC)
			break;
	}
	return slot;
}

struct lc_tunnel *cp_recover_create(struct cp_turn *turn, const struct lc_tunnel *old,
				    uint16_t initial_nr, int *error)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = lc_txn_create_spare_tunnel(e->txn, initial_nr, &turn->slot, error);

	if (t == NULL)
		return NULL;
	cp_tunnel_touch(e, turn->slot);
	turn->tunnel = t;
	t->role = initial_nr == 0 ? LC_ROLE_LAC : LC_ROLE_LNS;
	t->created = turn->now;
	t->recovers = old->door.id;
	t->mortal = 1;
	t->life = lc_control_life(e->mirror);
	t->peer_address = old->peer_address;
	t->local_address = old->local_address;
	t->peer_udp_port = LC_L2TP_UDP_PORT;
	t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = old->port;
	t->retransmit_established = old->retransmit_established;
	t->retransmit_not_established = old->retransmit_not_established;
	t->retransmit_ms = old->retransmit_ms;
	t->retransmit_max_ms = old->retransmit_max_ms;
	t->hello_ms = old->hello_ms;
	t->receive_window = old->receive_window;
	t->method = old->method;
	t->method_scope = old->method_scope;
	t->no_silent = old->no_silent;
	t->hide_avps = old->hide_avps;
	memcpy(t->local_host, old->local_host, sizeof(t->local_host));
	memcpy(t->peer_host, old->peer_host, sizeof(t->peer_host));
	memcpy(t->secret, old->secret, sizeof(t->secret)); /* the same secret (3.2.1) */
	return t;
}
