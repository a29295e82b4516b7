/* SPDX-License-Identifier: BSD-3-Clause */
/* Which record is written when.
 *
 *   tunnel established                  Tunnel-Start
 *   it ends, its last session is gone   Tunnel-Stop, with what its sessions counted
 *   its set-up ends otherwise           Tunnel-Reject
 *   session established                 Start, Tunnel-Link-Start
 *   freed                               Tunnel-Link-Stop, Stop
 *   call refused, or not established    Tunnel-Link-Reject
 *
 * A Tunnel-Stop has the totals of its sessions as their Stops had them when they were written: a burst that a worker was
 * just counting is in the session's Stop (lc_ledger.c) and not in it. */
#include "cp_account.h"

#include <errno.h>
#include <string.h>

enum {
	SAY_LOST_MS = 10000, /* at most so often */
	SHORT_MS = 2000,     /* a server that answers makes room for a batch of Stops within this */
};

/* ---- entries ---- */

static void fill_tunnel(struct lc_account *a, const struct lc_tunnel *t)
{
	a->accounting_id = t->accounting_id;
	a->tunnel_accounting_id = t->accounting_id;
	a->began = t->established;
	a->peer_address = t->peer_address;
	a->local_address = t->local_address;
	a->tunnel_id = t->door.id;
	a->access_port = UINT16_MAX;
	a->role = t->role;
	memcpy(a->assignment, t->assignment, sizeof(a->assignment));
	memcpy(a->local_host, t->local_host, sizeof(a->local_host));
	memcpy(a->peer_host, t->peer_host, sizeof(a->peer_host));
}

static void fill_session(const struct cp_engine *e, struct lc_account *a,
			 const struct lc_session *s)
{
	a->accounting_id = s->accounting_id;
	a->began = s->established;
	a->slot = lc_session_slot(e->mirror, s->tunnel_id, s->id);
	a->ipv4 = s->ipv4;
	a->call_serial = s->call_serial;
	a->session_id = s->id;
	a->access_port = s->access_port;
	a->pppoe_session = s->pppoe_session;
	memcpy(a->mac, s->mac, sizeof(a->mac));
	a->role = s->role;
	a->class_length = s->class_length;
	memcpy(a->class, s->class, sizeof(a->class));
	memcpy(a->name, s->name, sizeof(a->name));
	memcpy(a->group, s->group, sizeof(a->group));
}

struct lc_account *cp_account_record(struct cp_engine *e, enum lc_account_type type,
				     const struct lc_tunnel *t, const struct lc_session *s,
				     uint64_t now)
{
	int error;
	struct lc_account *a = lc_txn_account(e->txn, &error);

	e->accounts.any = true;
	if (a == NULL) {
		e->accounts.lost++;
		return NULL;
	}
	e->accounts.queued[type]++;
	a->status_type = (uint8_t)type;
	a->when = now;
	fill_tunnel(a, t);
	if (s != NULL)
		fill_session(e, a, s);
	return a;
}

bool cp_account_spare_room(struct cp_engine *e)
{
	if (lc_txn_accounts_room(e->txn) >= e->mirror->header->geometry.accounts / 2)
		return true;
	e->accounts.any = true;
	e->accounts.skipped++;
	return false;
}

unsigned cp_account_due(const struct lc_session *s)
{
	return (unsigned)__builtin_popcount(s->accounted);
}

bool cp_account_has_room(struct cp_engine *e, unsigned records, uint64_t now)
{
	if (lc_txn_accounts_room(e->txn) >= records) {
		e->short_since = 0;
		return true;
	}
	if (e->short_since == 0)
		e->short_since = now;
	return now - e->short_since >= SHORT_MS;
}

void cp_account_committed(struct cp_engine *e, uint64_t now)
{
	struct cp_account_pending *p = &e->accounts;
	struct cp_counters *c = &e->counters;

	if (!p->any)
		return;
	for (unsigned i = 0; i < LC_N_ACCOUNT_TYPES; i++)
		c->accounting_queued[i] += p->queued[i];
	c->accounting_skipped += p->skipped;
	c->accounting_lost += p->lost;
	if (p->lost > 0 && (e->lost_said == 0 || now - e->lost_said >= SAY_LOST_MS)) {
		e->lost_said = now;
		cp_log(
		    e, CP_LOG_ERROR,
		    "accounting: %llu records lost so far, the ledger is full (%u records wait for "
		    "a server): see to the accounting servers, or raise limits.accounting_records",
		    (unsigned long long)c->accounting_lost, lc_txn_accounts(e->txn));
	}
	*p = (struct cp_account_pending){0};
}

void cp_account_aborted(struct cp_engine *e)
{
	if (e->accounts.any)
		e->accounts = (struct cp_account_pending){0};
}

/* ---- tunnels ---- */

/* What an operator of the other end wants is to its sessions the loss of the service. */
static uint8_t tunnel_cause(const struct cp_turn *turn, enum cp_tunnel_event event)
{
	switch (event) {
	case CP_TUNNEL_CLOSE:
		return turn->end.result == CP_STOPCCN_SHUTDOWN ? CP_CAUSE_ADMIN_REBOOT
							       : CP_CAUSE_ADMIN_RESET;
	case CP_TUNNEL_STOPCCN: /* the connection to the peer was interrupted, by it ... */
	case CP_TUNNEL_DEAD:    /* ... or for want of an answer */
		return CP_CAUSE_LOST_SERVICE;
	case CP_TUNNEL_LOST: /* our control plane was restarted, and the channel not recovered */
		return CP_CAUSE_NAS_REBOOT;
	case CP_TUNNEL_TIMEOUT:
		return CP_CAUSE_SERVICE_UNAVAILABLE; /* it was never there */
	default:
		return CP_CAUSE_NAS_ERROR; /* what the protocol does not allow */
	}
}

static bool is_ending(unsigned state)
{
	return state == CP_TUNNEL_STOPPING || state >= CP_TUNNEL_STOPPED;
}

/* Its record refuses, and recovers nothing: only the message tells (cp_recover_remote.c). */
static bool is_of_recovery(const struct cp_turn *turn)
{
	return turn->message != NULL && turn->message->type == LC_MSG_SCCRQ &&
	       cp_message_has(turn->message, CP_AVP_TUNNEL_RECOVERY);
}

/* RFC 2867 section 3.3. One that lost a tie was not rejected: the other one is the same tunnel. */
static bool is_reject(const struct cp_turn *turn, enum cp_tunnel_state before,
		      enum cp_tunnel_event event)
{
	const struct cfg_radius *r = &turn->engine->cfg->radius;

	if (!r->tunnel_accounting || r->n_accounting == 0 || event == CP_TUNNEL_TIE_LOST ||
	    is_of_recovery(turn))
		return false;
	return before == CP_TUNNEL_WAIT_CTL_REPLY || before == CP_TUNNEL_WAIT_CTL_CONN ||
	       (before == CP_TUNNEL_IDLE && event == CP_TUNNEL_SCCRQ_BAD);
}

void cp_account_tunnel_opened(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;

	if (e->cfg->radius.tunnel_accounting && e->cfg->radius.n_accounting > 0)
		t->accounted =
		    cp_account_record(e, LC_ACCOUNT_TUNNEL_START, t, NULL, turn->now) != NULL;
}

void cp_account_tunnel_ended(struct cp_engine *e, struct lc_tunnel *t, uint64_t now)
{
	if (!t->accounted || !is_ending(t->state) || t->n_sessions > 0)
		return;
	t->accounted = 0;
	struct lc_account *a = cp_account_record(e, LC_ACCOUNT_TUNNEL_STOP, t, NULL, now);
	if (a == NULL)
		return;
	a->totals = t->ended;
	a->cause = t->cause;
}

void cp_account_tunnel_event(struct cp_turn *turn, enum cp_tunnel_state before,
			     enum cp_tunnel_event event)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;

	if (t->recovers != 0 || is_ending(before) || !is_ending(t->state))
		return;
	if (t->cause == 0)
		t->cause = tunnel_cause(turn, event);
	if (t->cause == CP_CAUSE_LOST_SERVICE && t->established == 0)
		t->cause = CP_CAUSE_SERVICE_UNAVAILABLE; /* there was none to lose */
	cp_account_tunnel_ended(e, t, turn->now);
	if (!is_reject(turn, before, event) || !cp_account_spare_room(e))
		return;
	struct lc_account *a = cp_account_record(e, LC_ACCOUNT_TUNNEL_REJECT, t, NULL, turn->now);
	if (a != NULL)
		a->cause = t->cause;
}

/* ---- sessions ---- */

/* The result code of a CDN, sent or received (RFC 2661 section 4.4.2). */
static uint8_t cause_of_result(uint16_t result)
{
	switch (result) {
	case CP_CDN_CARRIER_LOST:
	case CP_CDN_NO_CARRIER:
		return CP_CAUSE_LOST_CARRIER;
	case CP_CDN_ADMINISTRATIVE:
		return CP_CAUSE_ADMIN_RESET;
	case CP_CDN_NO_FACILITIES:
	case CP_CDN_NO_FACILITIES_EVER:
	case CP_CDN_INVALID_DESTINATION:
	case CP_CDN_BUSY:
	case CP_CDN_NO_DIAL_TONE:
	case CP_CDN_TIMEOUT:
		return CP_CAUSE_SERVICE_UNAVAILABLE;
	default:
		return CP_CAUSE_NAS_ERROR;
	}
}

uint8_t cp_account_session_cause(const struct cp_turn *turn, enum cp_session_event event)
{
	switch (event) {
	case CP_SESSION_CDN:
	case CP_SESSION_CLOSE:
	case CP_SESSION_TIMEOUT:
		return cause_of_result(turn->end.result);
	case CP_SESSION_UNPAIRED: /* the other end of the user's connection is gone */
		return CP_CAUSE_LOST_SERVICE;
	case CP_SESSION_LOST:
		return CP_CAUSE_NAS_REBOOT;
	default:
		return CP_CAUSE_NAS_ERROR; /* what the protocol does not allow */
	}
}

void cp_account_session_opened(struct cp_turn *turn, struct lc_session *s)
{
	struct cp_engine *e = turn->engine;
	const struct cfg_radius *r = &e->cfg->radius;

	s->accounted = 0;
	if (r->n_accounting == 0)
		return;
	if (r->session_accounting &&
	    cp_account_record(e, LC_ACCOUNT_START, turn->tunnel, s, turn->now) != NULL)
		s->accounted |= LC_ACCOUNTED_SESSION;
	if (r->link_accounting &&
	    cp_account_record(e, LC_ACCOUNT_LINK_START, turn->tunnel, s, turn->now) != NULL)
		s->accounted |= LC_ACCOUNTED_LINK;
}

static void add_totals(struct lc_totals *sum, const struct lc_totals *totals)
{
	sum->in_packets += totals->in_packets;
	sum->in_octets += totals->in_octets;
	sum->out_packets += totals->out_packets;
	sum->out_octets += totals->out_octets;
	sum->lost += totals->lost;
}

static void record_stop(struct cp_engine *e, enum lc_account_type type, const struct lc_tunnel *t,
			const struct lc_session *s, uint8_t cause, uint64_t now)
{
	struct lc_account *a = cp_account_record(e, type, t, s, now);

	if (a == NULL)
		return;
	a->cause = cause;
	lc_session_totals(e->mirror, a->slot, a->role, &a->totals);
}

/* RFC 2867 section 3.6: a call that was tried and not established. */
static bool is_link_reject(const struct cp_engine *e, const struct lc_session *s)
{
	return e->cfg->radius.link_accounting && e->cfg->radius.n_accounting > 0 &&
	       (s->state == CP_SESSION_WAIT_REPLY || s->state == CP_SESSION_WAIT_CONNECT);
}

void cp_account_session_ended(struct cp_engine *e, struct lc_tunnel *t, uint32_t slot,
			      uint8_t cause, uint64_t now)
{
	struct lc_session *s = lc_txn_session(e->txn, slot);
	struct lc_account *a;

	if (cause == 0)
		cause = t->cause != 0 ? t->cause : CP_CAUSE_NAS_ERROR;
	if (s->state == CP_SESSION_ESTABLISHED && s->result_code != 0)
		cause = CP_CAUSE_PORT_PREEMPTED; /* by a newer one, however it went in the end */
	if (t->accounted && s->established != 0) {
		struct lc_totals totals;
		lc_session_totals(e->mirror, slot, s->role, &totals);
		add_totals(&t->ended, &totals);
	}
	if (s->accounted & LC_ACCOUNTED_LINK)
		record_stop(e, LC_ACCOUNT_LINK_STOP, t, s, cause, now);
	if (s->accounted & LC_ACCOUNTED_SESSION)
		record_stop(e, LC_ACCOUNT_STOP, t, s, cause, now);
	s->accounted = 0;
	if (!is_link_reject(e, s) || !cp_account_spare_room(e))
		return;
	a = cp_account_record(e, LC_ACCOUNT_LINK_REJECT, t, s, now);
	if (a != NULL)
		a->cause = cause;
}

void cp_account_call_refused(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const struct cfg_radius *r = &e->cfg->radius;

	if (!r->link_accounting || r->n_accounting == 0 || turn->message->type != LC_MSG_ICRQ ||
	    !cp_account_spare_room(e))
		return;
	struct lc_account *a =
	    cp_account_record(e, LC_ACCOUNT_LINK_REJECT, turn->tunnel, NULL, turn->now);
	if (a == NULL)
		return;
	a->accounting_id = lc_txn_accounting_id(e->txn);
	a->began = 0;
	a->call_serial = turn->message->call_serial_number;
	a->cause = cause_of_result(turn->end.result);
}
