/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounting around the engine lab: for each end a ledger's driver, a client that plays RADIUS to a server, and a data
 * plane that counts packets, also between the commit that closes a door and its quiescent point. The server keeps what
 * it was told; what was counted is kept by accounting identity, to compare. */
#pragma once

#include "engine_lab.h"

#include "cp_account.h"
#include "cp_ledger.h"

enum { AL_WORKER = 0, AL_TOLD = 16384, AL_IDS = 16384, AL_BURST = 256 };

enum al_server {
	AL_GOOD,  /* answers at once */
	AL_SLOW,  /* after 300 ms */
	AL_LOSSY, /* requests and answers are lost */
	AL_DEAD,
};

struct al_flight {
	uint32_t entry;
	uint64_t at;
	bool answered;
};

struct al_end {
	struct lab_end *end;
	struct cp_ledger *ledger;
	unsigned starts; /* of the control plane, when ledger was made */
	enum al_server server;
	uint64_t random;
	uint8_t identifier;
	struct al_flight flights[CP_LEDGER_WINDOW];
	unsigned n_flights, most_flights;
	struct lc_account *told; /* by the order in which the server got them first */
	uint64_t *told_at;
	unsigned n_told, repeated;
	struct lc_totals counted[AL_IDS]; /* by accounting identity */
	uint32_t burst[AL_BURST];         /* slots whose doors the worker found open */
	uint64_t burst_id[AL_BURST];
	unsigned n_burst, late; /* packets counted after their session was gone */
};

struct account_lab {
	struct lab *lab;
	struct al_end end[2];
};

static inline uint32_t al_random(struct al_end *a, uint32_t n)
{
	a->random = a->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(a->random >> 33) % n;
}

/* ---- the server ---- */

static inline bool al_same(const struct lc_account *a, const struct lc_account *b)
{
	struct lc_account x = *a, y = *b;
	x.progress.word = y.progress.word = 0;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

/* A packet arrives. One that was here before has the same octets. */
static inline void al_tell(struct al_end *a, const struct lc_account *record)
{
	assert_true(record->number != 0 && record->progress.sent);
	for (unsigned i = 0; i < a->n_told; i++) {
		if (a->told[i].number != record->number)
			continue;
		assert_true(al_same(&a->told[i], record));
		a->repeated++;
		return;
	}
	assert_true(a->n_told < AL_TOLD);
	a->told_at[a->n_told] = a->end->lab->now;
	a->told[a->n_told++] = *record;
}

/* ---- the client ---- */

static inline int al_post(void *context, uint32_t entry, const struct lc_account *record)
{
	struct al_end *a = context;
	uint64_t delay = a->server == AL_SLOW ? 300 : a->server == AL_DEAD ? 3000 : 1;

	if (a->server == AL_LOSSY && al_random(a, 8) == 0)
		return -EAGAIN;
	assert_true(record == &a->end->mirror.ledger[entry]);
	cp_ledger_progress(a->ledger, entry,
			   (union lc_account_sent){.sent = 1,
						   .server = (uint8_t)al_random(a, 2),
						   .identifier = a->identifier++});
	bool lost = a->server == AL_DEAD || (a->server == AL_LOSSY && al_random(a, 3) == 0);
	if (!lost)
		al_tell(a, record);
	assert_true(a->n_flights < CP_LEDGER_WINDOW);
	a->flights[a->n_flights++] = (struct al_flight){
	    .entry = entry,
	    .at = a->end->lab->now + delay,
	    .answered = !lost && !(a->server == AL_LOSSY && al_random(a, 3) == 0)};
	if (a->n_flights > a->most_flights)
		a->most_flights = a->n_flights;
	return 0;
}

static inline void al_answers(struct al_end *a)
{
	for (unsigned i = 0; i < a->n_flights;) {
		struct al_flight f = a->flights[i];
		if (f.at > a->end->lab->now) {
			i++;
			continue;
		}
		memmove(&a->flights[i], &a->flights[i + 1], (--a->n_flights - i) * sizeof(f));
		if (f.answered)
			cp_ledger_acknowledged(a->ledger, f.entry);
		else
			cp_ledger_unanswered(a->ledger, f.entry, a->end->lab->now);
	}
}

/* ---- the control plane's part ---- */

static inline void al_start(struct al_end *a)
{
	const struct cp_world world = {.context = a->end, .log = lab_log};
	const struct cp_ledger_client client = {.context = a, .post = al_post};

	cp_ledger_free(a->ledger);
	a->ledger = cp_ledger_new(&a->end->mirror, a->end->txn, &client, &world);
	assert_non_null(a->ledger);
	a->starts = a->end->starts;
	a->n_flights = 0; /* answers that come later find nobody */
}

static inline void al_turn(struct al_end *a)
{
	if (a->end->away)
		return;
	if (a->starts != a->end->starts)
		al_start(a);
	al_answers(a);
	cp_ledger_run(a->ledger, a->end->lab->now);
}

/* ---- the data plane's part ---- */

/* Ends the burst that it had begun, for the sessions whose doors were open then; passes its quiescent point; begins the
 * next one. */
static inline void al_work(struct al_end *a)
{
	struct lc_mirror *m = &a->end->mirror;

	for (unsigned i = 0; i < a->n_burst; i++) {
		uint32_t slot = a->burst[i];
		uint64_t n = 1 + al_random(a, 9);
		struct lc_totals *t = &a->counted[a->burst_id[i]];
		bool lac = m->sessions[slot].role == LC_ROLE_LAC;
		m->sessions_in[slot].packets += n;
		m->sessions_in[slot].octets += 100 * n;
		m->sessions_in[slot].lost++;
		m->sessions_out[slot].packets += 2 * n;
		m->sessions_out[slot].octets += 300 * n;
		t->in_packets += lac ? 2 * n : n;
		t->in_octets += lac ? 300 * n : 100 * n;
		t->out_packets += lac ? n : 2 * n;
		t->out_octets += lac ? 100 * n : 300 * n;
		t->lost++;
		a->late += lc_session_door_read(&m->sessions[slot]).word == 0;
	}
	a->n_burst = 0;
	lc_reader_quiesce(m, AL_WORKER);
	for (uint32_t slot = lc_map_next(m->session_map, m->session_mask + 1, 0);
	     slot != LC_NO_SLOT && a->n_burst < AL_BURST;
	     slot = lc_map_next(m->session_map, m->session_mask + 1, slot + 1)) {
		if (lc_session_door_read(&m->sessions[slot]).word == 0)
			continue;
		assert_true(m->sessions[slot].accounting_id < AL_IDS);
		a->burst[a->n_burst] = slot;
		a->burst_id[a->n_burst++] = m->sessions[slot].accounting_id;
	}
}

/* ---- the whole ---- */

static unsigned al_records = 4096; /* of the ledgers to be made */

/* json with a member "radius" of these members. */
static inline char *al_json(char *json, const char *radius)
{
	const char *limits = strstr(json, "\"limits\":{");
	char *whole = NULL;

	json[strlen(json) - 1] = 0;
	assert_non_null(limits);
	limits += strlen("\"limits\":{");
	assert_true(asprintf(&whole, "%.*s\"accounting_records\":%u,%s,\"radius\":{%s}}",
			     (int)(limits - json), json, al_records, limits, radius) > 0);
	free(json);
	return whole;
}

#define AL_SERVER "\"accounting_servers\":[{\"address\":\"10.9.0.1\",\"secret\":\"s\"}]"

/* host: members of the LNS's remote host. */
static inline struct account_lab *al_new_with(const char *l2tp, const char *host,
					      const char *radius, unsigned subscribers)
{
	struct account_lab *al = calloc(1, sizeof(*al));
	char *lac = al_json(lab_lac_json(l2tp, "", subscribers), radius);
	char *lns = al_json(lab_lns_json(l2tp, host, subscribers), radius);

	assert_non_null(al);
	al->lab = lab_new(lac, lns);
	free(lac);
	free(lns);
	for (unsigned i = 0; i < 2; i++) {
		struct al_end *a = &al->end[i];
		a->end = &al->lab->end[i];
		a->random = 77 + i;
		a->told = calloc(AL_TOLD, sizeof(*a->told));
		a->told_at = calloc(AL_TOLD, sizeof(*a->told_at));
		assert_true(a->told != NULL && a->told_at != NULL);
		lc_reader_online(&a->end->mirror, AL_WORKER);
		al_start(a);
	}
	return al;
}

static inline struct account_lab *al_new(const char *l2tp, const char *radius, unsigned subscribers)
{
	return al_new_with(l2tp, "", radius, subscribers);
}

static inline void al_free(struct account_lab *al)
{
	for (unsigned i = 0; i < 2; i++) {
		cp_ledger_free(al->end[i].ledger);
		free(al->end[i].told);
		free(al->end[i].told_at);
	}
	lab_free(al->lab);
	free(al);
}

static inline uint64_t al_next(const struct account_lab *al)
{
	uint64_t next = lab_next(al->lab), now = al->lab->now;

	for (unsigned i = 0; i < 2; i++) {
		const struct al_end *a = &al->end[i];
		uint64_t at = a->end->away ? UINT64_MAX : cp_ledger_next(a->ledger, now);
		next = at < next ? at : next;
		for (unsigned k = 0; k < a->n_flights; k++)
			next = a->flights[k].at < next ? a->flights[k].at : next;
	}
	return next;
}

/* Like lab_run(). */
static inline void al_run(struct account_lab *al, uint64_t ms)
{
	uint64_t end = al->lab->now + ms;

	for (;;) {
		lab_settle(al->lab);
		for (unsigned i = 0; i < 2; i++)
			al_turn(&al->end[i]);
		for (unsigned i = 0; i < 2; i++)
			al_work(&al->end[i]);
		if (al->lab->now >= end)
			return;
		uint64_t next = al_next(al);
		al->lab->now = next < end ? (next > al->lab->now ? next : al->lab->now + 1) : end;
	}
}

/* ---- what the server knows ---- */

static inline unsigned al_count(const struct al_end *a, enum lc_account_type type)
{
	unsigned n = 0;
	for (unsigned i = 0; i < a->n_told; i++)
		n += a->told[i].status_type == type;
	return n;
}

/* The n-th record of that type, of that identity (0: any); NULL. */
static inline const struct lc_account *al_told(const struct al_end *a, enum lc_account_type type,
					       uint64_t identity, unsigned n)
{
	for (unsigned i = 0; i < a->n_told; i++)
		if (a->told[i].status_type == type &&
		    (identity == 0 || a->told[i].accounting_id == identity) && n-- == 0)
			return &a->told[i];
	return NULL;
}

static inline const struct lc_account *al_only(const struct al_end *a, enum lc_account_type type,
					       uint64_t identity)
{
	const struct lc_account *found = al_told(a, type, identity, 0);
	if (found == NULL || al_told(a, type, identity, 1) != NULL)
		fail_msg("end %u: %s record of type %u of %llu", a->end->number,
			 found == NULL ? "no" : "more than one", type,
			 (unsigned long long)identity);
	return found;
}

static inline bool al_lives(const struct al_end *a, const struct lc_account *start)
{
	const struct lc_mirror *m = &a->end->mirror;
	if (start->slot != LC_NO_SLOT)
		return lc_map_test(m->session_map, start->slot) &&
		       m->sessions[start->slot].accounting_id == start->accounting_id;
	uint32_t slot = lc_tunnel_slot(m, start->tunnel_id);
	return lc_map_test(m->tunnel_map, slot) &&
	       m->tunnels[slot].accounting_id == start->accounting_id && m->tunnels[slot].accounted;
}

/* Each beginning once, with its end once if it has ended, in that order; nothing else ended. Of each identity the
 * server heard in the order of the numbers. Stops have what was counted. Returns how many Starts of sessions. */
static inline unsigned al_verify(const struct al_end *a)
{
	static const enum lc_account_type pairs[][2] = {
	    {LC_ACCOUNT_START, LC_ACCOUNT_STOP},
	    {LC_ACCOUNT_LINK_START, LC_ACCOUNT_LINK_STOP},
	    {LC_ACCOUNT_TUNNEL_START, LC_ACCOUNT_TUNNEL_STOP}};

	assert_int_equal(lc_txn_accounts(a->end->txn), 0);
	for (unsigned p = 0; p < 3; p++) {
		unsigned ended = 0;
		for (unsigned i = 0; i < a->n_told; i++) {
			const struct lc_account *start = &a->told[i], *stop;
			if (start->status_type != pairs[p][0])
				continue;
			assert_ptr_equal(al_only(a, pairs[p][0], start->accounting_id), start);
			if (al_lives(a, start)) {
				assert_null(al_told(a, pairs[p][1], start->accounting_id, 0));
				continue;
			}
			stop = al_only(a, pairs[p][1], start->accounting_id);
			assert_true(stop > start && stop->number > start->number);
			assert_true(stop->cause != 0 && stop->began == start->when);
			if (stop->slot != LC_NO_SLOT)
				assert_memory_equal(&stop->totals, &a->counted[stop->accounting_id],
						    sizeof(stop->totals));
			ended++;
		}
		assert_int_equal(al_count(a, pairs[p][1]), ended);
	}
	for (unsigned i = 0; i < a->n_told; i++)
		for (unsigned k = i + 1; k < a->n_told; k++)
			assert_true(a->told[i].accounting_id != a->told[k].accounting_id ||
				    a->told[i].number < a->told[k].number);
	return al_count(a, LC_ACCOUNT_START);
}
