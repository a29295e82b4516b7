/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages for tunnel ID 0: from peers that do not know an ID of ours yet. An SCCRQ makes a tunnel,
 * also where it is refused: the StopCCN needs a channel to be delivered by (RFC 2661 section 7.1).
 *
 * Whose secret? The Host Name is never hidden (4.4.3), so the message is decoded twice: without a
 * secret for the name, which with the address finds the policy; then with the policy's. */
#include "cp_recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Who opens a tunnel, and what applies to him. */
struct caller {
	const struct cfg_tunnel_policy *policy; /* NULL: nobody we know */
	const char *profile;
	int32_t configured; /* his SCCRQ won over that of our tunnel: it takes its place */
};

/* The same SCCRQ again, or one for a tunnel that is just being refused. The tunnel may be up
 * already: the network may have held a copy back, but for no longer than it is retransmitted. */
static bool is_duplicate(const struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = LC_NO_SLOT;

	while ((slot = cp_index_tunnel_by_peer(e, turn->buffer->peer_address,
					       turn->message->assigned_tunnel_id, slot)) !=
	       LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		if (t == NULL || t->peer_udp_port != turn->buffer->peer_udp_port ||
		    t->state == CP_TUNNEL_STOPPED)
			continue;
		if (t->state != CP_TUNNEL_ESTABLISHED || turn->now - t->created < CP_LINGER_MAX_MS)
			return true;
	}
	return false;
}

enum tie {
	TIE_NONE, /* both go on */
	TIE_WON,
	TIE_LOST,
	TIE_EQUAL,
};

static enum tie compare_ties(const struct lc_tunnel *ours, const struct cp_message *theirs)
{
	bool has = cp_message_has(theirs, CP_AVP_TIE_BREAKER);

	if (!has || !ours->has_tie_breaker)
		return has ? TIE_LOST : ours->has_tie_breaker ? TIE_WON : TIE_NONE;
	uint64_t tie =
	    (uint64_t)lc_get32(ours->tie_breaker) << 32 | lc_get32(ours->tie_breaker + 4);
	return tie < theirs->tie_breaker   ? TIE_WON
	       : tie > theirs->tie_breaker ? TIE_LOST
					   : TIE_EQUAL;
}

/* Clears a tunnel of ours silently (4.4.3). *configured gets its place if the winner is to have
 * it. */
static int lose(const struct cp_turn *turn, uint32_t slot, int32_t *configured)
{
	struct cp_engine *e = turn->engine;
	struct cp_turn own = {
	    .engine = e, .now = turn->now, .slot = slot, .tunnel = cp_tunnel_touch(e, slot)};

	if (own.tunnel == NULL)
		return -EAGAIN;
	cp_end_set(&own.end, 0, 0, "the peer's SCCRQ won the tie");
	if (configured != NULL && *configured == CP_NO_TUNNEL) {
		*configured = e->places[slot].configured;
		own.tunnel->profile[0] = 0;
	}
	return cp_tunnel_event(&own, CP_TUNNEL_TIE_LOST);
}

/* Both ends open at once? (4.4.3, 7.2.1). *drop: theirs is to be dropped. */
static int break_ties(struct cp_turn *turn, int32_t *configured, bool *drop)
{
	struct cp_engine *e = turn->engine;
	uint32_t slot = LC_NO_SLOT;
	int error = 0;

	while (error == 0 && (slot = cp_index_tunnel_by_peer(e, turn->buffer->peer_address, 0,
							     slot)) != LC_NO_SLOT) {
		const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
		/* A recovery tunnel has its own ties (RFC 4951 section 3.2.1). */
		if (t == NULL || t->state != CP_TUNNEL_WAIT_CTL_REPLY || t->recovers != 0)
			continue;
		enum tie tie = compare_ties(t, turn->message);
		if (tie == TIE_WON || tie == TIE_EQUAL) {
			cp_log(e, CP_LOG_NOTICE,
			       "tunnel %u: an SCCRQ of its peer %s the tie: dropped", t->door.id,
			       tie == TIE_WON ? "lost" : "is equal in");
			*drop = true;
		}
		/* As many of ours as a transaction holds; each tie is between two. */
		if ((tie == TIE_LOST || tie == TIE_EQUAL) && e->n_tunnels < LC_TXN_TUNNELS - 2)
			error = lose(turn, slot, tie == TIE_LOST ? configured : NULL);
	}
	return error;
}

/* Finds the policy, and decodes again with its secret. */
static void find_policy(struct cp_turn *turn, struct caller *caller)
{
	struct cp_engine *e = turn->engine;
	const struct cfg_profile *profile = NULL;
	const struct cp_octets host = turn->message->host_name;

	if (caller->configured != CP_NO_TUNNEL) {
		caller->policy = &e->cfg->tunnels[caller->configured].policy;
		caller->profile = e->cfg->tunnels[caller->configured].name;
	} else {
		const struct cfg_remote_host *remote =
		    cfg_find_remote_host(e->cfg, turn->buffer->peer_address,
					 (const char *)host.bytes, host.length, &profile);
		caller->policy = remote != NULL                 ? &remote->policy
				 : e->cfg->accept_unknown_hosts ? &e->cfg->l2tp
								: NULL;
		caller->profile = profile != NULL ? profile->name : "";
	}
	if (caller->policy != NULL && caller->policy->password[0] != 0)
		turn->verdict = cp_message_decode(&e->message, turn->buffer->bytes,
						  turn->buffer->length, caller->policy->password);
}

/* The record, with all that the buffer and the policy say. */
static int create_tunnel(struct cp_turn *turn, const struct caller *caller)
{
	struct cp_engine *e = turn->engine;
	int error = 0;

	turn->tunnel = cp_tunnel_create(e, 1, &turn->slot, &error);
	if (turn->tunnel == NULL)
		return error;
	struct lc_tunnel *t = turn->tunnel;
	t->role = LC_ROLE_LNS;
	t->created = turn->now;
	if (caller->configured != CP_NO_TUNNEL)
		cp_tunnel_configure(e, t, caller->configured);
	t->port = turn->buffer->port; /* what applies depends on its module */
	cp_tunnel_apply_policy(e, t, caller->policy != NULL ? caller->policy : &e->cfg->l2tp,
			       caller->profile);
	cp_tunnel_meet(turn);
	return 0;
}

/* Acceptable? Sets turn->end where not. */
static enum cp_tunnel_event judge(struct cp_turn *turn, const struct caller *caller)
{
	char host[LC_NAME], address[16];

	if (caller->policy != NULL)
		return cp_tunnel_acceptable(turn) ? CP_TUNNEL_SCCRQ : CP_TUNNEL_SCCRQ_BAD;
	cp_printable(host, sizeof(host), turn->message->host_name);
	turn->tunnel->secret[0] = 0;
	cp_end_set(&turn->end, CP_STOPCCN_NOT_AUTHORIZED, 0, "no profile for host %.40s at %s",
		   host, cp_address(address, turn->buffer->peer_address));
	return CP_TUNNEL_SCCRQ_BAD;
}

static int handle_sccrq(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct caller caller = {.configured = CP_NO_TUNNEL, .profile = ""};
	bool drop = false;
	char from[16];

	cp_address(from, turn->buffer->peer_address);
	int error = break_ties(turn, &caller.configured, &drop);
	if (error != 0 || drop)
		return error;
	find_policy(turn, &caller);
	cp_inbox_log(turn);
	if (turn->message->assigned_tunnel_id == 0) {
		e->counters.malformed++;
		cp_log(e, CP_LOG_WARNING, "SCCRQ from %s: no readable Assigned Tunnel ID, dropped",
		       from);
		return 0;
	}
	if (is_duplicate(turn))
		return 0;
	error = create_tunnel(turn, &caller);
	if (error == -ENOSPC) {
		e->counters.refused++;
		cp_log(e, CP_LOG_WARNING, "SCCRQ from %s: dropped, limits.tunnels (%u) is reached",
		       from, e->cfg->limits.tunnels);
		return 0;
	}
	return error != 0 ? error : cp_tunnel_event(turn, judge(turn, &caller));
}

/* A peer that gives up before it knows our ID (4.4.3 Assigned Tunnel ID). */
static int handle_stopccn(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const struct lc_tunnel *t = NULL;
	uint32_t slot = LC_NO_SLOT;

	if (turn->message->assigned_tunnel_id == 0)
		return 0;
	do { /* not one that it has stopped before, and whose ID it uses again */
		slot = cp_index_tunnel_by_peer(e, turn->buffer->peer_address,
					       turn->message->assigned_tunnel_id, slot);
		t = slot != LC_NO_SLOT ? lc_txn_peek_tunnel(e->txn, slot) : NULL;
	} while (t != NULL && t->state == CP_TUNNEL_STOPPED);
	if (t == NULL)
		return 0;
	turn->slot = slot;
	turn->tunnel = cp_tunnel_touch(e, slot);
	return turn->tunnel != NULL ? cp_tunnel_event(turn, CP_TUNNEL_STOPCCN) : 0;
}

int cp_listener_handle(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const uint32_t listener = turn->slot;
	char from[16];
	int error = 0;

	turn->verdict =
	    cp_message_decode(&e->message, turn->buffer->bytes, turn->buffer->length, NULL);
	if (turn->verdict == CP_IGNORE || turn->verdict == CP_DISCARD)
		cp_inbox_log(turn);
	else if (e->message.type == LC_MSG_SCCRQ)
		error = cp_message_has(&e->message, CP_AVP_TUNNEL_RECOVERY)
			    ? cp_recover_requested(turn)
			    : handle_sccrq(turn);
	else if (e->message.type == LC_MSG_STOPCCN)
		error = handle_stopccn(turn);
	else {
		e->counters.unexpected++;
		cp_log(e, CP_LOG_NOTICE, "message type %u from %s names no tunnel: dropped",
		       e->message.type, cp_address(from, turn->buffer->peer_address));
	}
	turn->slot = listener;
	turn->tunnel = cp_tunnel_touch(e, listener);
	return error;
}
