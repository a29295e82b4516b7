/* SPDX-License-Identifier: BSD-3-Clause */
/* Reloads while subscribers are asked for, wait for a tunnel, are being called, are accounted: domain maps, subscribers,
 * policies and servers come and go, the control plane dies within commits, tunnels and sessions end. In the end everybody
 * has one session, at both ends, and the accounting server has each Start once, with its Stop once if it has ended. */
#include "account_lab.h"
#include "dial_lab.h"

enum { USERS = 30 };

#define MAP(authentication, tunnels)                                                               \
	"{\"name\":\"isp\",\"authentication\":\"" authentication "\",\"tunnels\":[" tunnels "]}"
#define T1 "{\"tunnel\":1,\"remote\":\"10.1.0.2\",\"max_sessions\":25}"
#define T2 "{\"tunnel\":2,\"remote\":\"10.1.0.3\",\"failover_resync\":\"failover-protocol\"}"
#define ACCOUNTING                                                                                 \
	"\"link_accounting\":true,\"interim_interval\":60,\"accounting_servers\":[{\"address\":"   \
	"\"127.0.0.1\",\"secret\":\"s\"}],\"authentication_servers\""

static char *variants[4];
static uint64_t chance;

static uint32_t pick(uint32_t n)
{
	chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(chance >> 33) % n;
}

static char *accounted(char *json)
{
	return dial_replace(json, "\"authentication_servers\"", ACCOUNTING);
}

static void succeed(struct lab_end *e, const char *json)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_parse(json, strlen(json), "lab", &errors), *before = e->cfg;
	struct lab_end *running = lab_running;

	if (cfg == NULL)
		fail_msg("%s: %s\n%s", errors.list[0].path, errors.list[0].text, json);
	cfg_errors_free(&errors);
	lab_running = NULL;
	e->engine = cp_engine_succeed(e->engine, cfg, e->lab->now);
	lab_running = running;
	assert_non_null(e->engine);
	e->cfg = cfg;
	cfg_free(before);
	radius.answered = radius.n; /* what was asked before is not answered any more */
}

static void maybe_swap(struct lab_end *e)
{
	if (pick(25) == 0)
		succeed(e, variants[pick(4)]);
}

static void answer_some(struct lab *lab)
{
	struct cp_authorization a = {.outcome = CP_ACCESS_ACCEPTED, .class_length = 3};
	struct cp_authorized_tunnel other = {.tag = 2, .server = 0x0a010005, .preference = 7};

	for (unsigned i = pick(12); i > 0 && radius.answered < radius.n; i--) {
		a.outcome = pick(8) == 0 ? CP_ACCESS_UNANSWERED : CP_ACCESS_ACCEPTED;
		a.n_tunnels = pick(3) == 0;
		a.tunnels[0] = other;
		a.method = pick(4) == 0 ? CFG_METHOD_FAILOVER_PROTOCOL : CFG_METHOD_NOT_CONFIGURED;
		dial_answer(lab, &a);
	}
}

static void end_something(struct lab *lab)
{
	unsigned n = pick(2);
	const struct lc_session *s = lab_session(&lab->end[n], pick(10));
	const struct lc_tunnel *t = lab_tunnel(&lab->end[n], pick(3));

	if (pick(4) > 1 && s != NULL)
		cp_engine_close_session(lab->end[n].engine, s->tunnel_id, s->id,
					CP_CDN_ADMINISTRATIVE, "test", lab->now);
	else if (pick(2) == 0 && t != NULL)
		cp_engine_close_tunnel(lab->end[n].engine, t->door.id, CP_STOPCCN_GENERAL, "test",
				       lab->now);
}

/* Everybody has one session, and the other end has no other. */
static void check_sessions(const struct account_lab *al, uint64_t seed)
{
	struct lab_end *lac = &al->lab->end[LAC];
	unsigned all = lab_sessions(lac, CP_SESSION_ESTABLISHED);
	unsigned there = lab_sessions(&al->lab->end[LNS], CP_SESSION_ESTABLISHED);

	lab_check(lac);
	for (unsigned i = 1; i <= USERS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "user%u@isp", i);
		const struct lc_session *s = lab_user(lac, name);
		if (s == NULL || s->state != CP_SESSION_ESTABLISHED)
			fail_msg("seed %llu: %s has no session", (unsigned long long)seed, name);
	}
	if (all != there)
		fail_msg("seed %llu: %u sessions here, %u there", (unsigned long long)seed, all,
			 there);
	for (unsigned i = 0; i < all; i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(lab_session(lac, k)->name, lab_session(lac, i)->name) == 0)
				fail_msg("seed %llu: two sessions of %s", (unsigned long long)seed,
					 lab_session(lac, i)->name);
}

static struct account_lab *begin(const char *l2tp, uint64_t seed)
{
	struct account_lab *al = calloc(1, sizeof(*al));
	char *lns = dial_replace(lab_lns_json(l2tp, "\"max_sessions\":28,", 0), "\"sessions\":4000",
				 "\"sessions\":12000");

	assert_non_null(al);
	chance = seed;
	variants[0] =
	    accounted(dial_lac_json(l2tp, MAP("radius", T1 "," T2), dial_users("isp", USERS)));
	variants[1] =
	    accounted(dial_lac_json(l2tp, MAP("none", T2 "," T1), dial_users("isp", USERS)));
	variants[2] = accounted(dial_lac_json(
	    l2tp, "{\"name\":\"default\",\"tunnels\":[{\"tunnel\":4,\"remote\":\"10.1.0.4\"}]}",
	    dial_users("org", USERS)));
	variants[3] = dial_lac_json(l2tp, "", "");
	memset(&radius, 0, sizeof(radius));
	lab_authorize = dial_ask;
	lns = al_json(lns, "\"link_accounting\":true," AL_SERVER);
	al->lab = lab_new(variants[0], lns);
	free(lns);
	al->lab->everywhere = true;
	for (unsigned i = 0; i < 2; i++) {
		struct al_end *a = &al->end[i];
		a->end = &al->lab->end[i];
		a->random = seed + i;
		a->server = AL_LOSSY;
		a->told = calloc(AL_TOLD, sizeof(*a->told));
		a->told_at = calloc(AL_TOLD, sizeof(*a->told_at));
		assert_true(a->told != NULL && a->told_at != NULL);
		lc_reader_online(&a->end->mirror, AL_WORKER);
		al_start(a);
	}
	return al;
}

static void disturb(struct account_lab *al, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		al_run(al, 20 + pick(300));
		answer_some(al->lab);
		if (pick(6) == 0)
			end_something(al->lab);
		if (pick(60) == 0)
			al->lab->cut = !al->lab->cut;
	}
	al->lab->cut = false;
}

static void live(const char *l2tp, uint64_t seed)
{
	struct account_lab *al = begin(l2tp, seed);
	struct lab_end *lac = &al->lab->end[LAC];

	lac->on_step = maybe_swap;
	lac->crash_every = 60;
	lac->crash_random = seed;
	disturb(al, 300);
	lac->on_step = NULL;
	lac->crash_every = 0;
	succeed(lac, variants[1]);
	disturb(al, 100); /* whom this engine forgets, no other one finds again */
	for (unsigned i = 0; i < 2; i++)
		al->end[i].server = AL_GOOD;
	for (unsigned i = 0; i < 4000; i++)
		al_run(al, 100);
	check_sessions(al, seed);
	for (unsigned i = 0; i < 2; i++)
		al_verify(&al->end[i]);
	lab_authorize = NULL;
	for (unsigned i = 0; i < 4; i++)
		free(variants[i]);
	al_free(al);
}

#define SHORT                                                                                      \
	"\"lockout\":20,\"tunnel_idle\":5,\"retransmission\":{\"not_established\":2},"             \
	"\"failover\":{\"recovery_time_ms\":30000},"

static void test_silent_failover(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		live(LAB_SILENT SHORT, seed);
}

/* What an end has lost is gone at the other when the recovery time is over. */
static void test_failover_protocol(void **state)
{
	(void)state;
	for (uint64_t seed = 1001; seed <= 1008; seed++)
		live(SHORT, seed);
}

/* A tunnel that could not be set up is skipped after a reload, too. */
static void test_lockouts_stay(void **state)
{
	static const char map[] =
	    MAP("none", "{\"tunnel\":1,\"preference\":1,\"remote\":\"10.1.0.4\"}," T2);
	static const char l2tp[] =
	    LAB_SILENT "\"lockout\":120,\"retransmission\":{\"not_established\":2},";
	struct lab *lab = dial_lab(l2tp, map, dial_users("isp", 5), "");
	struct lab_end *lac = &lab->end[LAC];
	char *more = dial_lac_json(l2tp, map, dial_users("isp", 9));

	(void)state;
	lab->dead[0] = 0x0a010004;
	dial_run(lab, 40000);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 5);
	assert_int_equal(dial_counters(lab)->lockouts, 1);
	succeed(lac, more);
	dial_run(lab, 1000);
	assert_int_equal(lab_sessions(lac, CP_SESSION_ESTABLISHED), 9);
	assert_null(dial_tunnel(lab, 0x0a010004, CP_TUNNEL_WAIT_CTL_REPLY));
	free(more);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lockouts_stay),
	    cmocka_unit_test(test_silent_failover),
	    cmocka_unit_test(test_failover_protocol),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
