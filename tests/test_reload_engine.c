/* SPDX-License-Identifier: BSD-3-Clause */
/* Another configuration for a running engine is nothing that a peer can see: a life of tunnels and calls in which the
 * engine is succeeded by one of a changed configuration at any step, calls, queries and recoveries under way, puts the
 * same octets on the wire at the same moments as one without. And what changes applies to later tunnels only. */
#include "engine_lab.h"

enum { SUBSCRIBERS = 20 };

/* What an end runs with in turn: two configurations that differ where it must not matter. */
struct swaps {
	struct lab_end *e;
	char *json[2];
	unsigned every; /* steps, about */
	unsigned n;
	uint64_t random;
};
static struct swaps swaps[2];

static struct cfg *parse(const char *json)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_parse(json, strlen(json), "lab", &errors);

	if (cfg == NULL)
		fail_msg("%s: %s\n%s", errors.list[0].path, errors.list[0].text, json);
	return cfg;
}

static void succeed(struct lab_end *e, const char *json)
{
	struct cfg *cfg = parse(json), *before = e->cfg;
	struct lab_end *running = lab_running;

	lab_running = NULL;
	e->engine = cp_engine_succeed(e->engine, cfg, e->lab->now);
	lab_running = running;
	assert_non_null(e->engine);
	e->cfg = cfg;
	cfg_free(before);
}

static void maybe_swap(struct lab_end *e)
{
	struct swaps *s = &swaps[e->number];

	s->random = s->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	if (s->every == 0 || (s->random >> 40) % s->every != 0)
		return;
	succeed(e, s->json[++s->n % 2]);
}

/* Takes over the engine of an end; other: a text in its configuration and another for it. */
static void prepare(struct lab_end *e, const char *json, const char *text, const char *other,
		    unsigned every, uint64_t seed)
{
	struct swaps *s = &swaps[e->number];
	const char *at = strstr(json, text);

	assert_non_null(at);
	free(s->json[0]);
	free(s->json[1]);
	*s = (struct swaps){.e = e, .every = every, .random = seed};
	s->json[0] = strdup(json);
	assert_true(asprintf(&s->json[1], "%.*s%s%s", (int)(at - json), json, other,
			     at + strlen(text)) > 0);
	e->on_step = maybe_swap;
}

static void close_user(struct lab *lab, unsigned end, const char *name)
{
	const struct lc_session *s = lab_user(&lab->end[end], name);

	assert_non_null(s);
	assert_int_equal(cp_engine_close_session(lab->end[end].engine, s->tunnel_id, s->id,
						 CP_CDN_ADMINISTRATIVE, "test", lab->now),
			 0);
}

static void close_tunnel(struct lab *lab, unsigned end)
{
	assert_int_equal(cp_engine_close_tunnel(lab->end[end].engine,
						lab_tunnel(&lab->end[end], 0)->door.id,
						CP_STOPCCN_GENERAL, "test", lab->now),
			 0);
}

static uint64_t received_by(const struct lab_end *e)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 32; i++)
		n += cp_engine_counters(e->engine)->received[i];
	return n;
}

/* What was on the wire. l2tp: members of both; method: with its quotes; others: a policy for what is new is none of
 * theirs. */
static char *live(unsigned every, uint64_t seed, const char *l2tp, unsigned *n_swaps)
{
	char *lac = lab_lac_json(l2tp, "\"data_sequencing\":true,", SUBSCRIBERS);
	char *lns = lab_lns_json(l2tp, "\"max_sessions\":19,", SUBSCRIBERS);
	struct lab *lab = lab_new(lac, lns);
	char *trace;

	prepare(
	    &lab->end[LAC], lac, "\"tunnels\":[{",
	    "\"destination_profiles\":[{\"name\":\"x\",\"address\":\"10.7.0.0/24\",\"remote_hosts\":"
	    "[{\"name\":\"*\"}]}],\"tunnels\":[{",
	    every, seed);
	prepare(&lab->end[LNS], lns, "\"subscribers\":[",
		"\"subscribers\":[{\"name\":\"one\",\"ipv4\":\"10.65.0.1\"},", every, seed + 1);
	lab->trace = calloc(1, LAB_TRACE);
	assert_non_null(lab->trace);
	lab_run(lab, 10000); /* 19 sessions, one in back-off */
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	close_user(lab, LNS, "user5");
	lab_run(lab, 300);
	close_user(lab, LAC, "user6");
	lab_run(lab, 30000);
	close_tunnel(lab, LNS);
	lab_run(lab, 50000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	close_tunnel(lab, LAC);
	lab_run(lab, 20000);
	lab->cut = true;
	lab_run(lab, 150000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 0);
	lab->cut = false;
	lab_run(lab, 150000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), 19);
	*n_swaps = swaps[LAC].n + swaps[LNS].n;
	assert_in_range(received_by(&lab->end[LNS]), 100, 10000);
	trace = lab->trace;
	lab->trace = NULL;
	free(lac);
	free(lns);
	lab_free(lab);
	return trace;
}

static void test_the_wire_shows_nothing(void **state)
{
	static const char *const methods[] = {LAB_SILENT, "\"failover\":{\"recovery_time_ms\":0},",
					      "\"failover_resync\":\"disable\","};
	unsigned n;

	for (unsigned m = 0; m < 3; m++) {
		char *without = live(0, 0, methods[m], &n);

		assert_int_equal(n, 0);
		for (unsigned i = 0; i < 12; i++) {
			char *with = live(i < 2 ? 1 : i, i, methods[m], &n);

			assert_true(n > 10);
			assert_string_equal(with, without);
			free(with);
		}
		free(without);
	}
}

/* Recoveries (RFC 4951) at both ends, with queries and clearing: the control plane of one end dies, and from then on
 * both engines are succeeded. */
static char *recover(unsigned every, uint64_t seed, unsigned victim, unsigned *n_swaps,
		     struct cp_counters counters[2])
{
	char *lac = lab_lac_json("", "", SUBSCRIBERS), *lns = lab_lns_json("", "", SUBSCRIBERS);
	struct lab *lab = lab_new(lac, lns);
	char *trace;

	prepare(&lab->end[LAC], lac, "\"host_name\":\"lac\",",
		"\"host_name\":\"lac\",\"lockout\":7,", every, seed);
	prepare(&lab->end[LNS], lns, "\"host_name\":\"lns\",",
		"\"host_name\":\"lns\",\"lockout\":7,", every, seed + 1);
	lab->trace = calloc(1, LAB_TRACE);
	lab_run(lab, 5000);
	assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), SUBSCRIBERS);
	for (unsigned i = 0; i < 3; i++) {
		lab_restart(&lab->end[i == 1 ? !victim : victim]);
		for (unsigned k = 0; k < 2; k++) /* while it is LOST still */
			if (every != 0)
				succeed(&lab->end[k], swaps[k].json[0]);
		lab_run(lab, 20000);
		assert_int_equal(lab_sessions(&lab->end[LNS], CP_SESSION_ESTABLISHED), SUBSCRIBERS);
	}
	/* An operator's query. */
	assert_int_equal(cp_engine_resync(lab->end[LNS].engine,
					  lab_tunnel(&lab->end[LNS], 0)->door.id, 0, lab->now),
			 0);
	lab_run(lab, 5000);
	assert_int_equal(lab_tunnel(&lab->end[LNS], 0)->resync, CP_RESYNC_NONE);
	assert_int_equal(lab_tunnel(&lab->end[LAC], 0)->resync, CP_RESYNC_NONE);
	for (unsigned k = 0; k < 2; k++)
		counters[k] = *cp_engine_counters(lab->end[k].engine);
	*n_swaps = swaps[LAC].n + swaps[LNS].n;
	trace = lab->trace;
	lab->trace = NULL;
	free(lac);
	free(lns);
	lab_free(lab);
	return trace;
}

static void test_recoveries_go_on(void **state)
{
	struct cp_counters plain[2], counters[2];
	unsigned n;

	for (unsigned victim = 0; victim < 2; victim++) {
		char *without = recover(0, 0, victim, &n, plain);

		assert_true(plain[victim].recoveries_started > 0);
		assert_true(plain[victim].sessions_queried > 0);
		for (unsigned i = 0; i < 12; i++) {
			char *with = recover(i < 2 ? 1 : i, i, victim, &n, counters);

			assert_true(n > 2);
			assert_string_equal(with, without);
			assert_memory_equal(counters, plain, sizeof(plain));
			free(with);
		}
		free(without);
	}
}

/* Established ones keep what they have; a later one gets what is new; what is taken out stays until it ends. */
static void test_a_policy_reaches_later_tunnels(void **state)
{
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 3);
	struct lab_end *lac = &lab->end[LAC], *lns = &lab->end[LNS];
	char *json = lab_lns_json("\"failover_resync\":\"disable\",\"hello_interval\":10,", "", 2);
	char *more =
	    lab_lac_json(LAB_SILENT, "\"remote\":\"10.1.0.2\",\"port\":\"p\"},{\"name\":\"u\",", 3);

	lab_run(lab, 1000);
	succeed(lns, json);
	lab_run(lab, 1000);
	assert_int_equal(lab_tunnel(lns, 0)->method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(lab_tunnel(lns, 0)->hello_ms, 60000);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 3);
	/* A tunnel more: dialled at once, under the new policy; the old one is none the wiser. */
	succeed(lac, more);
	lab_run(lab, 1000);
	assert_int_equal(lab_tunnels(lns, CP_TUNNEL_ESTABLISHED), 2);
	assert_int_equal(lab_tunnel(lns, 0)->method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(lab_tunnel(lns, 1)->method, CFG_METHOD_DISABLE);
	assert_int_equal(lab_tunnel(lns, 1)->hello_ms, 10000);
	free(json);
	free(more);
	/* Both tunnels out, and the subscribers: what is up stays up; what ends does not come again. */
	char *none =
	    lab_lac_json(LAB_SILENT, "\"remote\":\"10.1.0.9\",\"port\":\"p\"},{\"name\":\"v\",", 0);
	char *name = strstr(none, "\"name\":\"t\"");
	name[8] = 'w';
	succeed(lac, none);
	lab_run(lab, 5000);
	assert_int_equal(lab_tunnels(lns, CP_TUNNEL_ESTABLISHED), 2 + 1);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 3);
	close_user(lab, LNS, "user1");
	lab_run(lab, 60000);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 2);
	assert_null(lab_user(lac, "user1"));
	free(none);
	lab_free(lab);
}

/* A subscriber more is called, and who was in back-off is not called sooner. */
static void test_subscribers_come(void **state)
{
	struct lab *lab = lab_pair(LAB_SILENT, LAB_SILENT, 3);
	struct lab_end *lac = &lab->end[LAC], *lns = &lab->end[LNS];
	char *lac_json = lab_lac_json(LAB_SILENT, "", 8),
	     *lns_json = lab_lns_json(LAB_SILENT, "", 8);

	lab_run(lab, 2000);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 3);
	succeed(lns, lns_json);
	succeed(lac, lac_json);
	lab_run(lab, 1000);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 8);
	free(lac_json);
	free(lns_json);
	lab_free(lab);
}

static unsigned count_in_log(const struct lab_end *e, const char *part)
{
	unsigned n = 0;

	for (const char *at = e->log; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

/* A peer that is waited for is said to be so once. */
static void test_waiting_is_said_once(void **state)
{
	struct lab *lab = lab_pair("", "", 3);
	struct lab_end *lns = &lab->end[LNS];
	char *json = lab_lns_json("\"lockout\":7,", "", 3);

	lab_run(lab, 2000);
	lab->cut = true;
	lab_run(lab, 150000);
	assert_int_equal(count_in_log(lns, "does not answer; it has asked for"), 1);
	succeed(lns, json);
	lab_run(lab, 1000);
	assert_int_equal(count_in_log(lns, "does not answer; it has asked for"), 1);
	assert_int_equal(lab_sessions(lns, CP_SESSION_ESTABLISHED), 3);
	free(json);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_wire_shows_nothing),
	    cmocka_unit_test(test_recoveries_go_on),
	    cmocka_unit_test(test_a_policy_reaches_later_tunnels),
	    cmocka_unit_test(test_subscribers_come),
	    cmocka_unit_test(test_waiting_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
