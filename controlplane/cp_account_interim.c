/* SPDX-License-Identifier: BSD-3-Clause */
/* Interim-Updates (RFC 2866 section 5.1, RFC 2869 section 2.1): one is due at each multiple of the interval after a
 * session was established. Which was the last is in its record, and written with it: so the next process goes on in the
 * same phase, repeats none, and makes up for one that came due while nobody was there, with the totals of then. */
#include "cp_account.h"

static uint64_t interval_of(const struct cp_engine *e)
{
	const struct cfg_radius *r = &e->cfg->radius;
	return r->n_accounting > 0 && r->session_accounting ? r->interim_interval_s : 0;
}

/* The first multiple of the interval after s seconds; in ms of the clock. */
static uint64_t due_after(const struct lc_session *session, uint64_t s, uint64_t interval)
{
	return session->established + (s / interval + 1) * interval * 1000;
}

void cp_account_index(struct cp_engine *e, uint32_t slot, const struct lc_session *s)
{
	uint64_t interval = interval_of(e);
	bool wants = interval > 0 && s != NULL && s->state == CP_SESSION_ESTABLISHED &&
		     (s->accounted & LC_ACCOUNTED_SESSION) != 0;

	lc_timers_set(e->interims, slot, wants ? due_after(s, s->interim_s, interval) : 0);
}

void cp_account_interim(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_session *s = lc_txn_peek_session(e->txn, slot);
	uint64_t interval = interval_of(e);

	if (s == NULL || interval == 0)
		return;
	const struct lc_tunnel *t =
	    lc_txn_peek_tunnel(e->txn, lc_tunnel_slot(e->mirror, s->tunnel_id));
	uint64_t age = (now - s->established) / 1000;
	if (t == NULL || !cp_account_spare_room(e)) {
		cp_account_committed(e, now);
		lc_timers_set(e->interims, slot, due_after(s, age, interval));
		return;
	}
	cp_session_touch(e, slot)->interim_s = (uint32_t)(age / interval * interval);
	struct lc_account *a = cp_account_record(e, LC_ACCOUNT_INTERIM, t, s, now);
	if (a != NULL)
		lc_session_totals(e->mirror, slot, s->role, &a->totals);
	if (cp_commit(e, now) != 0)
		lc_timers_set(e->interims, slot, now + CP_BLOCKED_MS);
}
