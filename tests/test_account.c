/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounting that a restart neither repeats nor loses (RFC 2866, 2867): whatever happens to a tunnel or a session, and
 * wherever the control planes die, the server is told of each beginning once and of each end once, in order, with what
 * was counted to the last packet. */
#include "account_lab.h"

enum { SUBSCRIBERS = 20 };

#define ALL AL_SERVER ",\"link_accounting\":true"

static const struct lc_session *user(struct account_lab *al, unsigned end, const char *name)
{
	const struct lc_session *s = lab_user(&al->lab->end[end], name);
	if (s == NULL)
		fail_msg("no %s at end %u", name, end);
	return s;
}

static void close_user(struct account_lab *al, unsigned end, const char *name, uint16_t result)
{
	const struct lc_session *s = user(al, end, name);
	assert_int_equal(cp_engine_close_session(al->lab->end[end].engine, s->tunnel_id, s->id,
						 result, "test", al->lab->now),
			 0);
}

static void close_tunnel(struct account_lab *al, unsigned end, uint16_t result)
{
	const struct lc_tunnel *t = lab_tunnel(&al->lab->end[end], 0);
	assert_int_equal(cp_engine_close_tunnel(al->lab->end[end].engine, t->door.id, result,
						"test", al->lab->now),
			 0);
}

static void expect_cause(const struct al_end *a, enum lc_account_type type, uint64_t identity,
			 uint8_t cause)
{
	assert_int_equal(al_only(a, type, identity)->cause, cause);
}

/* ---- one life ---- */

static void what_a_life_tells(void **state)
{
	(void)state;
	struct account_lab *al = al_new(LAB_SILENT, ALL, 2);

	al_run(al, 1000);
	for (unsigned i = 0; i < 2; i++) {
		struct al_end *a = &al->end[i];
		const struct lc_tunnel *t = lab_tunnel(a->end, 0);
		const struct lc_session *s = user(al, i, "user1");
		const struct lc_account *start = al_only(a, LC_ACCOUNT_START, s->accounting_id);
		const struct lc_account *tunnel =
		    al_only(a, LC_ACCOUNT_TUNNEL_START, t->accounting_id);
		assert_int_equal(a->n_told, 5);
		assert_int_equal(start->role, i == LAC ? LC_ROLE_LAC : LC_ROLE_LNS);
		assert_int_equal(start->tunnel_accounting_id, t->accounting_id);
		assert_string_equal(start->name, "user1");
		assert_int_equal(start->call_serial, s->call_serial);
		assert_int_equal(start->tunnel_id, t->door.id);
		assert_int_equal(start->session_id, s->id);
		assert_int_equal(start->access_port, i == LAC ? 0 : UINT16_MAX);
		assert_int_equal(start->pppoe_session, i == LAC ? 1 : 0);
		assert_int_equal(start->mac[5], i == LAC ? 1 : 0);
		assert_int_equal(start->ipv4, i == LAC ? 0 : 0x0a400001);
		assert_int_equal(start->peer_address, lab_address[!i]);
		assert_int_equal(start->local_address, lab_address[i]);
		assert_string_equal(start->local_host, i == LAC ? "lac" : "lns");
		assert_string_equal(start->peer_host, i == LAC ? "lns" : "lac");
		assert_int_equal(start->began, s->established);
		assert_int_equal(start->when, s->established);
		assert_int_equal(start->cause, 0);
		assert_int_equal(tunnel->slot, LC_NO_SLOT);
		assert_string_equal(tunnel->name, "");
		assert_int_equal(tunnel->began, t->established);
		assert_true(t->accounted && s->accounted == 3);
	}
	al_free(al);
}

static void each_end_has_its_cause(void **state)
{
	(void)state;
	struct account_lab *al = al_new(LAB_SILENT, ALL, 6);
	struct al_end *lac = &al->end[LAC], *lns = &al->end[LNS];
	uint64_t id[2][7];

	al_run(al, 1000);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned u = 1; u < 7; u++) {
			char name[16];
			snprintf(name, sizeof(name), "user%u", u);
			id[i][u] = user(al, i, name)->accounting_id;
		}
	close_user(al, LNS, "user1", CP_CDN_ADMINISTRATIVE);
	close_user(al, LAC, "user2", CP_CDN_CARRIER_LOST);
	al_run(al, 100);
	for (unsigned i = 0; i < 2; i++) {
		expect_cause(&al->end[i], LC_ACCOUNT_STOP, id[i][1], CP_CAUSE_ADMIN_RESET);
		expect_cause(&al->end[i], LC_ACCOUNT_STOP, id[i][2], CP_CAUSE_LOST_CARRIER);
		expect_cause(&al->end[i], LC_ACCOUNT_LINK_STOP, id[i][2], CP_CAUSE_LOST_CARRIER);
	}
	al_run(al, 10000); /* both have called again: a new identity */
	assert_true(user(al, LNS, "user1")->accounting_id != id[LNS][1]);

	uint64_t tunnel[2] = {lab_tunnel(lac->end, 0)->accounting_id,
			      lab_tunnel(lns->end, 0)->accounting_id};
	close_tunnel(al, LNS, CP_STOPCCN_SHUTDOWN);
	al_run(al, 100);
	expect_cause(lns, LC_ACCOUNT_STOP, id[LNS][3], CP_CAUSE_ADMIN_REBOOT);
	expect_cause(lns, LC_ACCOUNT_TUNNEL_STOP, tunnel[LNS], CP_CAUSE_ADMIN_REBOOT);
	expect_cause(lac, LC_ACCOUNT_STOP, id[LAC][3], CP_CAUSE_LOST_SERVICE);
	expect_cause(lac, LC_ACCOUNT_TUNNEL_STOP, tunnel[LAC], CP_CAUSE_LOST_SERVICE);
	/* It is told at once, and not when the record goes; after its sessions; with all that they had. */
	const struct lc_account *stop = al_only(lac, LC_ACCOUNT_TUNNEL_STOP, tunnel[LAC]);
	assert_true(al->lab->now - stop->when <= 100);
	struct lc_totals sum = {0};
	for (unsigned i = 0; i < lac->n_told; i++) {
		const struct lc_account *a = &lac->told[i];
		if (a->status_type != LC_ACCOUNT_STOP)
			continue;
		assert_true(a->number < stop->number);
		sum.in_packets += a->in_packets;
		sum.lost += a->lost;
	}
	assert_true(stop->in_packets > 0 && stop->in_packets <= sum.in_packets);
	assert_in_range(sum.lost - stop->lost, 0, 8); /* bursts that came after */

	al_run(al, 60000);
	id[LNS][4] = user(al, LNS, "user4")->accounting_id;
	al->lab->cut = true; /* the peer does not answer any more */
	al_run(al, 150000);
	expect_cause(lns, LC_ACCOUNT_STOP, id[LNS][4], CP_CAUSE_LOST_SERVICE);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(al->end[i].late > 0);
		al_verify(&al->end[i]);
	}
	/* What is not established is rejected: each try. */
	assert_true(al_count(lac, LC_ACCOUNT_TUNNEL_REJECT) > 0);
	assert_int_equal(al_told(lac, LC_ACCOUNT_TUNNEL_REJECT, 0, 0)->cause,
			 CP_CAUSE_SERVICE_UNAVAILABLE);
	al_free(al);
}

/* A subscriber's newer session takes the place of the older one, whose LAC is another. */
static void a_newer_session_preempts(void **state)
{
	(void)state;
	struct account_lab *al = al_new(LAB_SILENT, ALL, 1);
	struct al_end *lns = &al->end[LNS];
	struct lab_end *lac = &al->lab->end[LAC];

	al_run(al, 40000); /* so that its SCCRQ is no late copy of the first */
	uint64_t first = user(al, LNS, "user1")->accounting_id;
	/* The LAC forgets all, as after a cold start. */
	lab_stop_control(lac);
	lc_channels_detach(lac->channels);
	lc_mirror_close(&lac->mirror);
	char *json = al_json(lab_lac_json(LAB_SILENT, "", 1), ALL);
	cfg_free(lac->cfg);
	lab_open_end(al->lab, LAC, json);
	free(json);
	lc_reader_online(&lac->mirror, AL_WORKER);
	al->end[LAC].n_burst = al->end[LAC].n_told = 0;
	al_start(&al->end[LAC]);
	al_run(al, 3000);
	expect_cause(lns, LC_ACCOUNT_STOP, first, CP_CAUSE_PORT_PREEMPTED);
	assert_true(user(al, LNS, "user1")->accounting_id != first);
	assert_int_equal(al_verify(lns), 2);
	al_free(al);
}

static void a_refused_call_is_a_link_reject(void **state)
{
	(void)state;
	struct account_lab *al = al_new_with(LAB_SILENT, "\"max_sessions\":1,", ALL, 2);

	al_run(al, 500);
	for (unsigned i = 0; i < 2; i++) {
		const struct lc_account *a = al_only(&al->end[i], LC_ACCOUNT_LINK_REJECT, 0);
		assert_int_equal(a->cause, CP_CAUSE_SERVICE_UNAVAILABLE);
		assert_int_equal(a->began, 0);
		assert_true(a->call_serial != 0 && a->accounting_id != 0);
	}
	assert_int_equal(al_verify(&al->end[LNS]), 1);
	al_free(al);
}

/* What would recover a tunnel that is not here any more is refused, and no tunnel is rejected (RFC 2867 section 3.3). */
static void a_refused_recovery_is_no_tunnel_reject(void **state)
{
	(void)state;
	struct account_lab *al = al_new("", ALL, 2);
	struct al_end *lac = &al->end[LAC], *lns = &al->end[LNS];

	al_run(al, 500);
	al->lab->cut = true;
	close_tunnel(al, LNS, CP_STOPCCN_GENERAL);
	al_run(al, 500);
	lab_restart(lac->end);
	al->lab->cut = false;
	al_run(al, 5000);
	assert_int_equal(cp_engine_counters(lac->end->engine)->recoveries_failed, 1);
	assert_int_equal(cp_engine_counters(lns->end->engine)->refused, 1);
	assert_int_equal(al_count(lns, LC_ACCOUNT_TUNNEL_REJECT), 0);
	assert_int_equal(al_count(lac, LC_ACCOUNT_TUNNEL_REJECT), 0);
	al_run(al, 5000);
	for (unsigned i = 0; i < 2; i++)
		al_verify(&al->end[i]);
	al_free(al);
}

/* ---- what is configured ---- */

static unsigned told_with(const char *radius, unsigned end)
{
	struct account_lab *al = al_new(LAB_SILENT, radius, 3);
	al_run(al, 1000);
	unsigned n = al->end[end].n_told;
	assert_int_equal(al->end[end].end->mirror.header->account_number, n);
	al_free(al);
	return n;
}

static void what_is_not_wanted_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(told_with("", LAC), 0);
	assert_int_equal(told_with("\"link_accounting\":true", LNS), 0);
	assert_int_equal(told_with(AL_SERVER, LAC), 4);
	assert_int_equal(told_with(ALL, LNS), 7);
	assert_int_equal(told_with(AL_SERVER ",\"tunnel_accounting\":false", LAC), 3);
	assert_int_equal(told_with(AL_SERVER ",\"session_accounting\":false", LAC), 1);
	assert_int_equal(told_with(AL_SERVER ",\"session_accounting\":false,"
					     "\"tunnel_accounting\":false,"
					     "\"link_accounting\":true",
				   LAC),
			 3);
}

/* A Stop follows its Start, and not the configuration; where there is no server left the records wait. */
static void a_stop_follows_its_start(void **state)
{
	(void)state;
	struct account_lab *al = al_new(LAB_SILENT, ALL, 3);
	struct al_end *lns = &al->end[LNS];
	struct cfg *cfg = lns->end->cfg;
	unsigned servers = cfg->radius.n_accounting;

	al_run(al, 1000);
	cfg->radius.n_accounting = 0;
	cfg->radius.session_accounting = false;
	cp_ledger_set_client(lns->ledger, NULL);
	close_user(al, LNS, "user1", CP_CDN_ADMINISTRATIVE);
	close_tunnel(al, LAC, CP_STOPCCN_GENERAL);
	al_run(al, 10000);
	assert_int_equal(al_count(lns, LC_ACCOUNT_STOP), 0);
	assert_int_equal(cp_ledger_stats(lns->ledger).used, 7);
	cfg->radius.n_accounting = servers;
	al_start(lns);
	al_run(al, 1000);
	assert_int_equal(al_count(lns, LC_ACCOUNT_STOP), 3);
	assert_int_equal(al_verify(lns), 3);
	al_free(al);
}

/* The ledger is full and no server answers: tunnels and sessions come and go as if there were none. What has no room is
 * counted and said, not too often; before that, what nobody must have is left out. A session whose Start was lost has
 * no Stop. */
static void a_full_ledger_holds_nobody_up(void **state)
{
	(void)state;
	al_records = 64;
	struct account_lab *al = al_new(LAB_SILENT, ALL ",\"interim_interval\":60", SUBSCRIBERS);
	struct al_end *lac = &al->end[LAC];

	al_records = 4096;
	lac->server = al->end[LNS].server = AL_DEAD;
	al_run(al, 5000); /* 1 + 40 records */
	assert_int_equal(lab_sessions(lac->end, CP_SESSION_ESTABLISHED), SUBSCRIBERS);
	al_run(al, 130000);
	const struct cp_counters *c = cp_engine_counters(lac->end->engine);
	assert_int_equal(c->accounting_queued[LC_ACCOUNT_START], SUBSCRIBERS);
	assert_int_equal(c->accounting_queued[LC_ACCOUNT_INTERIM], 0);
	assert_int_equal(c->accounting_skipped, 2 * SUBSCRIBERS);
	assert_int_equal(c->accounting_lost, 0);
	for (unsigned k = 0; k < 3; k++) {
		close_tunnel(al, LNS, CP_STOPCCN_GENERAL);
		al_run(al, 45000);
		assert_int_equal(lab_sessions(lac->end, CP_SESSION_ESTABLISHED), SUBSCRIBERS);
		assert_int_equal(lab_sessions(al->end[LNS].end, CP_SESSION_ESTABLISHED),
				 SUBSCRIBERS);
	}
	assert_int_equal(cp_ledger_stats(lac->ledger).used, 64);
	/* 41 Starts had room; then one of the next tunnel, while 22 Stops waited for more: so its Stop is due, too. */
	assert_int_equal(c->accounting_lost, 41 - 22 + 40 + 1 + 2 * 41);
	unsigned said = 0;
	for (const char *at = lac->end->log; (at = strstr(at, "the ledger is full")) != NULL; at++)
		said++;
	assert_in_range(said, 3, 4); /* once a flood */

	lac->server = AL_GOOD;
	al_run(al, 120000);
	assert_int_equal(cp_ledger_stats(lac->ledger).used, 0);
	assert_int_equal(user(al, LAC, "user1")->accounted, 0);
	/* The first 20 were told; of their Stops those that had room. */
	assert_in_range(al_count(lac, LC_ACCOUNT_START), SUBSCRIBERS, SUBSCRIBERS);
	assert_in_range(al_count(lac, LC_ACCOUNT_STOP), 10, 12);
	al_free(al);
}

/* Calls come up a few at a time, so that the server is told of them before there are more than the ledger holds: the wire
 * is cut now and then. */
static void cut(struct lab_end *e)
{
	if (++e->steps % 64 == 0)
		e->lab->cut = true;
}

static void run_slowly(struct account_lab *al, uint64_t ms)
{
	al->end[LAC].end->on_step = cut;
	for (uint64_t done = 0; done < ms; done += 2000) {
		al->lab->cut = false;
		al_run(al, 2000);
	}
	al->end[LAC].end->on_step = NULL;
	al->lab->cut = false;
}

/* A tunnel with more sessions than the ledger has room for: a server that answers gets all of their Stops, also if it is
 * the start of a control plane that ends them. */
static void a_large_tunnel_ends(bool at_start)
{
	al_records = 700;
	struct account_lab *al =
	    al_new(at_start ? "\"failover_resync\":\"disable\"," : LAB_SILENT, ALL, 600);

	al_records = 4096;
	run_slowly(al, 60000);
	al_run(al, 3000);
	unsigned lost = (unsigned)cp_engine_counters(al->end[LAC].end->engine)->accounting_lost;
	uint64_t tunnel = lab_tunnel(al->end[LAC].end, 0)->accounting_id;
	assert_int_equal(lost, 0);
	if (at_start)
		lab_restart(al->end[LAC].end);
	else
		close_tunnel(al, LNS, CP_STOPCCN_GENERAL);
	run_slowly(al, 60000);
	for (unsigned i = at_start ? LAC : 0; i < (at_start ? 1 : 2); i++)
		assert_int_equal(cp_engine_counters(al->end[i].end->engine)->accounting_lost, 0);
	al_only(&al->end[LAC], LC_ACCOUNT_TUNNEL_STOP, tunnel);
	assert_int_equal(al_count(&al->end[LAC], LC_ACCOUNT_STOP), 600);
	assert_int_equal(al_count(&al->end[LAC], LC_ACCOUNT_LINK_STOP), 600);
	al_free(al);
}

static void a_large_tunnel_loses_nothing(void **state)
{
	(void)state;
	a_large_tunnel_ends(false);
	a_large_tunnel_ends(true);
}

/* ---- restarts ---- */

struct how {
	enum al_server server;
	unsigned restart_every, crash_every;
	const char *l2tp;
};

static void disturb(struct account_lab *al, const struct how *how)
{
	for (unsigned i = 0; i < 2; i++) {
		al->end[i].server = how->server;
		al->lab->end[i].restart_every = how->restart_every;
		al->lab->end[i].crash_every = how->crash_every;
	}
}

static const struct how calm = {.server = AL_GOOD};

/* Comes and goes of all kinds, while the ends are disturbed; then all is quiet, and the server has the truth. */
static void live(const struct how *how)
{
	struct account_lab *al = al_new(how->l2tp, ALL ",\"interim_interval\":60", SUBSCRIBERS);

	disturb(al, how);
	al_run(al, 20000);
	close_user(al, LNS, "user5", CP_CDN_ADMINISTRATIVE);
	al_run(al, 300);
	close_user(al, LAC, "user6", CP_CDN_ADMINISTRATIVE);
	al_run(al, 70000);
	close_tunnel(al, LNS, CP_STOPCCN_GENERAL);
	al_run(al, 70000);
	close_tunnel(al, LAC, CP_STOPCCN_GENERAL);
	al_run(al, 20000);
	al->lab->cut = true;
	al_run(al, 150000);
	al->lab->cut = false;
	al_run(al, 150000);
	disturb(al, &calm);
	al_run(al, 130000);
	for (unsigned i = 0; i < 2; i++) {
		struct al_end *a = &al->end[i];
		unsigned starts = al_verify(a);
		assert_true(starts >= 4 * SUBSCRIBERS + 2 && a->late > 0);
		assert_int_equal(lab_sessions(a->end, CP_SESSION_ESTABLISHED), SUBSCRIBERS);
		assert_int_equal(cp_engine_counters(a->end->engine)->accounting_lost, 0);
		if (how->restart_every == 1 || how->crash_every != 0)
			assert_true(a->end->starts > 80);
		if (how->server == AL_LOSSY)
			assert_true(a->repeated > 20);
	}
	al_free(al);
}

static void nothing_is_repeated_or_lost(void **state)
{
	(void)state;
	static const struct how hows[] = {
	    {.server = AL_GOOD, .l2tp = LAB_SILENT},
	    {.server = AL_LOSSY, .l2tp = LAB_SILENT},
	    {.server = AL_GOOD, .restart_every = 1, .l2tp = LAB_SILENT},
	    {.server = AL_SLOW, .restart_every = 1, .l2tp = LAB_SILENT},
	    {.server = AL_LOSSY, .restart_every = 3, .l2tp = LAB_SILENT},
	    {.server = AL_DEAD, .restart_every = 2, .l2tp = LAB_SILENT},
	    {.server = AL_GOOD, .crash_every = 3, .l2tp = LAB_SILENT},
	    {.server = AL_LOSSY, .crash_every = 2, .l2tp = LAB_SILENT},
	    {.server = AL_SLOW, .crash_every = 5, .l2tp = LAB_SILENT},
	};
	for (unsigned i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		live(&hows[i]);
}

/* Identities over warm starts, silent or by the failover protocol: no Stop, no Start, the same numbers. */
static void a_warm_start_is_not_told(const char *l2tp)
{
	struct account_lab *al = al_new(l2tp, ALL, 5);

	al_run(al, 2000);
	for (unsigned i = 0; i < 2; i++) {
		struct al_end *a = &al->end[i];
		unsigned told = a->n_told;
		uint64_t tunnel = lab_tunnel(a->end, 0)->accounting_id;
		uint64_t session = user(al, i, "user3")->accounting_id;
		a->server = AL_SLOW;
		for (unsigned k = 0; k < 5; k++) {
			lab_restart(a->end);
			al_run(al, 20000);
		}
		assert_int_equal(a->n_told, told);
		assert_int_equal(lab_tunnel(a->end, 0)->accounting_id, tunnel);
		assert_int_equal(user(al, i, "user3")->accounting_id, session);
		assert_int_equal(al_verify(a), 5);
	}
	al_free(al);
}

static void a_tunnel_that_is_recovered_goes_on(void **state)
{
	(void)state;
	a_warm_start_is_not_told(LAB_SILENT);
	a_warm_start_is_not_told("");
}

static void a_tunnel_without_a_method_ends_at_the_start(void **state)
{
	(void)state;
	struct account_lab *al = al_new("\"failover_resync\":\"disable\",", ALL, 3);
	struct al_end *lac = &al->end[LAC];

	al_run(al, 1000);
	uint64_t id = user(al, LAC, "user1")->accounting_id;
	uint64_t tunnel = lab_tunnel(lac->end, 0)->accounting_id;
	lab_restart(lac->end);
	al_run(al, 500);
	expect_cause(lac, LC_ACCOUNT_STOP, id, CP_CAUSE_NAS_REBOOT);
	expect_cause(lac, LC_ACCOUNT_TUNNEL_STOP, tunnel, CP_CAUSE_NAS_REBOOT);
	al_run(al, 200000);
	for (unsigned i = 0; i < 2; i++)
		al_verify(&al->end[i]);
	al_free(al);
}

/* ---- interims ---- */

/* At established + k * interval, each once, with totals that grow; over restarts, and an outage that costs some. */
static void interims_keep_their_phase(void **state)
{
	(void)state;
	struct account_lab *al = al_new(LAB_SILENT, AL_SERVER ",\"interim_interval\":60", 3);
	struct al_end *lac = &al->end[LAC], *lns = &al->end[LNS];

	al_run(al, 1000);
	al->lab->end[LAC].restart_every = 1;
	for (unsigned k = 0; k < 30; k++) {
		lab_restart(lns->end);
		al_run(al, 10000);
	}
	al_run(al, 1000);
	for (unsigned i = 0; i < 2; i++) {
		const struct lc_session *s = user(al, i, "user2");
		for (unsigned k = 0; k < 5; k++) {
			const struct lc_account *a =
			    al_told(&al->end[i], LC_ACCOUNT_INTERIM, s->accounting_id, k);
			assert_non_null(a);
			assert_in_range(a->when, s->established + (k + 1) * 60000,
					s->established + (k + 1) * 60000 + 100);
			assert_true(k == 0 ||
				    a->in_packets > al_told(&al->end[i], LC_ACCOUNT_INTERIM,
							    s->accounting_id, k - 1)
							->in_packets);
		}
		assert_null(al_told(&al->end[i], LC_ACCOUNT_INTERIM, s->accounting_id, 5));
	}
	/* Away over one that is due: it comes with the start, and the next in its time. */
	uint64_t id = user(al, LNS, "user2")->accounting_id,
		 up = user(al, LNS, "user2")->established;
	lns->end->away = true;
	al_run(al, up + 6 * 60000 + 20000 - al->lab->now);
	lns->end->away = false;
	lab_restart(lns->end);
	al_run(al, 45000);
	assert_in_range(al_told(lns, LC_ACCOUNT_INTERIM, id, 5)->when, up + 380000, up + 380100);
	assert_in_range(al_told(lns, LC_ACCOUNT_INTERIM, id, 6)->when, up + 420000, up + 420100);
	assert_null(al_told(lns, LC_ACCOUNT_INTERIM, id, 7));
	/* Another interval from now on. */
	lns->end->cfg->radius.interim_interval_s = 100;
	lab_restart(lns->end);
	al_run(al, up + 501000 - al->lab->now);
	assert_in_range(al_told(lns, LC_ACCOUNT_INTERIM, id, 7)->when, up + 500000, up + 500100);
	assert_null(al_told(lns, LC_ACCOUNT_INTERIM, id, 8));
	/* None, and again, without a restart; those that came due meanwhile are made up for by one. */
	lns->end->cfg->radius.interim_interval_s = 0;
	lns->end->engine = cp_engine_succeed(lns->end->engine, lns->end->cfg, al->lab->now);
	al_run(al, 400000);
	assert_null(al_told(lns, LC_ACCOUNT_INTERIM, id, 8));
	lns->end->cfg->radius.interim_interval_s = 200;
	lns->end->engine = cp_engine_succeed(lns->end->engine, lns->end->cfg, al->lab->now);
	al_run(al, up + 1001000 - al->lab->now);
	assert_in_range(al_told(lns, LC_ACCOUNT_INTERIM, id, 8)->when, up + 901000, up + 901100);
	assert_in_range(al_told(lns, LC_ACCOUNT_INTERIM, id, 9)->when, up + 1000000, up + 1000100);
	assert_null(al_told(lns, LC_ACCOUNT_INTERIM, id, 10));
	assert_null(al_told(lac, LC_ACCOUNT_TUNNEL_STOP, 0, 0));
	al_free(al);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_life_tells),
	    cmocka_unit_test(each_end_has_its_cause),
	    cmocka_unit_test(a_newer_session_preempts),
	    cmocka_unit_test(a_refused_call_is_a_link_reject),
	    cmocka_unit_test(a_refused_recovery_is_no_tunnel_reject),
	    cmocka_unit_test(what_is_not_wanted_is_not_told),
	    cmocka_unit_test(a_stop_follows_its_start),
	    cmocka_unit_test(a_full_ledger_holds_nobody_up),
	    cmocka_unit_test(a_large_tunnel_loses_nothing),
	    cmocka_unit_test(nothing_is_repeated_or_lost),
	    cmocka_unit_test(a_tunnel_that_is_recovered_goes_on),
	    cmocka_unit_test(a_tunnel_without_a_method_ends_at_the_start),
	    cmocka_unit_test(interims_keep_their_phase),
	};
	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
