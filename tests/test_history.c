/* SPDX-License-Identifier: BSD-3-Clause */
/* What every start of the control plane did, tunnel by tunnel: kept in the mirror. */
#include "recovery_acts.h"

#include "cp_history.h"

/* Line n from the newest, 0 the newest itself. */
static struct lc_history line_of(const struct lab_end *e, unsigned n)
{
	struct lc_history line;

	assert_true(cp_history_read(&e->mirror, e->mirror.header->history_number - n, &line));
	return line;
}

static void expect_lines(const struct lab_end *e, unsigned n)
{
	assert_int_equal(e->mirror.header->history_number, n);
}

static const struct lc_start *start_of(const struct lab_end *e)
{
	uint32_t life = lc_control_life(&e->mirror);
	const struct lc_start *start = &e->mirror.starts[life % LC_STARTS];

	assert_int_equal(start->life, life);
	return start;
}

/* ---- each outcome ---- */

static void test_silent(void **state)
{
	(void)state;
	struct lab *lab = lab_pair("", "\"failover_resync\":\"silent-failover\",", 3);
	struct lab_end *lns = &lab->end[LNS];

	lab_run(lab, 10000);
	expect_lines(lns, 0); /* a cold start finds nothing */
	assert_int_equal(start_of(lns)->tunnels, 0);
	lab_restart(lns);
	expect_lines(lns, 1);
	struct lc_history line = line_of(lns, 0);
	const struct lc_tunnel *t = lab_tunnel(lns, 0);
	assert_int_equal(line.outcome, LC_OUTCOME_SILENT);
	assert_int_equal(line.method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(line.life, 2);
	assert_int_equal(line.when, lab->now);
	assert_int_equal(line.took_ms, 0);
	assert_int_equal(line.tunnel_id, t->door.id);
	assert_int_equal(line.peer_address, lab_address[LAC]);
	assert_int_equal(line.role, LC_ROLE_LNS);
	assert_int_equal(line.sessions_before, 3);
	assert_int_equal(line.sessions_after, 3);
	assert_string_equal(line.peer_host, "lac");
	assert_string_equal(line.reason, "");
	assert_int_equal(start_of(lns)->tunnels, 1);
	assert_int_equal(start_of(lns)->sessions, 3);
	assert_int_equal(start_of(lns)->began, lab->now);
	assert_int_equal(start_of(lns)->ready, 0);
	cp_history_ready(&lns->mirror, lab->now + 85);
	assert_int_equal(start_of(lns)->ready, lab->now + 85);
	lab_run(lab, 5000);
	expect_lines(lns, 1);
	lab_free(lab);
}

static void test_recovered(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	uint16_t session = far_call(f, FAR_SESSION);
	uint16_t ghost = far_call(f, FAR_SESSION + 1);

	far_fail(f);
	struct lc_history line = line_of(f->e, 0);
	uint64_t began = f->lab->now;
	assert_int_equal(line.outcome, LC_OUTCOME_RECOVERING);
	assert_int_equal(line.method, CFG_METHOD_FAILOVER_PROTOCOL);
	assert_int_equal(line.sessions_before, 2);
	far_run(f, 700);
	far_grant(f, 3000, 100);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERING);
	far_run(f, 1000);
	far_expect(f, FAR_OLD, LC_MSG_FSQ);
	/* It knows one of the two. */
	far_begin(f, LC_MSG_FSR);
	far_put_state(f, FAR_SESSION, session);
	far_put_state(f, 0, ghost);
	far_send(f, FAR_OLD);
	far_run(f, 100);
	line = line_of(f->e, 0);
	expect_lines(f->e, 1);
	assert_int_equal(line.outcome, LC_OUTCOME_RECOVERED);
	assert_int_equal(line.n_queried, 2);
	assert_int_equal(line.n_confirmed, 1);
	assert_int_equal(line.n_cleared, 1);
	assert_int_equal(line.sessions_after, 1);
	assert_in_range(line.when, began + 700, f->lab->now);
	assert_int_equal(line.took_ms, line.when - start_of(f->e)->began);
	/* What comes later is another story. */
	assert_int_equal(cp_engine_close_tunnel(f->e->engine, f->channel[FAR_OLD].to,
						CP_STOPCCN_GENERAL, "test", f->lab->now),
			 0);
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERED);
	far_close(f);
}

static void test_failed(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();

	far_call(f, FAR_SESSION);
	far_fail(f);
	far_begin(f, LC_MSG_STOPCCN);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, FAR_RECOVERY);
	raw_u16(&f->out, CP_AVP_RESULT_CODE, CP_STOPCCN_NOT_AUTHORIZED);
	far_send(f, f->fresh);
	far_run(f, 1000);
	struct lc_history line = line_of(f->e, 0);
	assert_int_equal(line.outcome, LC_OUTCOME_FAILED);
	assert_int_equal(line.sessions_before, 1);
	assert_int_equal(line.sessions_after, 0);
	assert_string_equal(line.reason, "closed by the peer");
	far_expect_cleared(f);
	far_close(f);
}

/* The peer does not answer at all. */
static void test_failed_for_want_of_an_answer(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();

	far_fail(f);
	f->channel[f->fresh].deaf = true;
	far_run(f, 120000);
	struct lc_history line = line_of(f->e, 0);
	expect_lines(f->e, 1);
	assert_int_equal(line.outcome, LC_OUTCOME_FAILED);
	assert_true(line.took_ms >= 30000);
	assert_true(line.reason[0] != 0);
	far_close(f);
}

/* The method is disable; or the failover protocol, which the peer does not have, or is not set up yet. */
static void test_cleared(void **state)
{
	static const struct {
		const char *l2tp;
		uint8_t offer;
		enum lc_outcome outcome;
		const char *reason;
	} cases[] = {
	    {"\"failover_resync\":\"disable\",", FAR_C | FAR_D, LC_OUTCOME_CLEARED,
	     "its control plane was restarted, and its method is disable"},
	    {FAR_METHOD, 0, LC_OUTCOME_FAILED, "not both ends have offered the failover protocol"},
	    {FAR_METHOD, FAR_D, LC_OUTCOME_FAILED,
	     "not both ends have offered the failover protocol"},
	    {FAR_FALLBACK, 0, LC_OUTCOME_SILENT, ""},
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct far *f = far_establish(
		    &(struct far_options){.l2tp = cases[i].l2tp, .offer = cases[i].offer});
		bool stays = cases[i].outcome == LC_OUTCOME_SILENT;

		far_call(f, FAR_SESSION);
		lab_restart(f->e);
		struct lc_history line = line_of(f->e, 0);
		expect_lines(f->e, 1);
		assert_int_equal(line.outcome, cases[i].outcome);
		assert_string_equal(line.reason, cases[i].reason);
		assert_int_equal(line.sessions_before, 1);
		assert_int_equal(line.sessions_after, stays);
		far_close(f);
	}
}

static void test_not_established(void **state)
{
	(void)state;
	const struct far_options o = {.offer = FAR_C | FAR_D};
	struct far *f = far_new(&o);

	far_open_tunnel(f, &o, FAR_TUNNEL);
	lab_restart(f->e);
	struct lc_history line = line_of(f->e, 0);
	assert_int_equal(line.outcome, LC_OUTCOME_FAILED);
	assert_string_equal(line.reason,
			    "its control plane was restarted, and it was not established");
	far_close(f);
}

/* Neither recovery tunnels nor tunnels that are going count. */
static void test_what_does_not_count(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();

	far_fail(f);
	lab_restart(f->e);
	expect_lines(f->e, 2); /* the old tunnel's, twice */
	assert_int_equal(start_of(f->e)->tunnels, 1);
	assert_int_equal(cp_engine_counters(f->e->engine)->recoveries_started, 0);
	far_settle(f);
	f->fresh = far_expect_call(f, f->recovery_id);
	far_close(f);
	f = far_establish_plain();
	assert_int_equal(cp_engine_close_tunnel(f->e->engine, f->channel[FAR_OLD].to,
						CP_STOPCCN_GENERAL, "test", f->lab->now),
			 0);
	lab_restart(f->e);
	expect_lines(f->e, 0);
	far_close(f);
}

/* ---- starts that follow each other ---- */

static void test_interrupted(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();

	far_fail(f);
	far_run(f, 300);
	for (unsigned n = 1; n <= 3; n++) {
		lab_restart(f->e);
		expect_lines(f->e, n + 1);
		for (unsigned i = 1; i <= n; i++) {
			struct lc_history line = line_of(f->e, i);
			assert_int_equal(line.outcome, LC_OUTCOME_INTERRUPTED);
			assert_int_equal(line.life, lc_control_life(&f->e->mirror) - i);
			assert_string_equal(line.reason, "the control plane was restarted");
		}
		assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERING);
		assert_int_equal(line_of(f->e, n).took_ms, 300);
	}
	far_settle(f);
	f->fresh = far_expect_call(f, f->recovery_id);
	far_grant(f, 3000, 100);
	far_run(f, 70000);
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERED);
	far_close(f);
}

/* The peer has failed too, and its recovery tunnel is the one that comes up. */
static void test_recovered_by_the_peer(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();

	far_fail(f);
	uint16_t mine = f->recovery_id;
	f->recovery_id = (uint16_t)(mine + 1);
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "\0\0\0\0\0\0\0\0");
	f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	const uint8_t *value = far_expect_avp(f, 78, 0, 6);
	far_reset(f, lc_get16(value + 2), lc_get16(value + 4));
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERING);
	far_begin(f, LC_MSG_SCCCN);
	far_send(f, f->fresh);
	far_run(f, 70000);
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERED);
	far_close(f);
}

/* An engine takes over from another one in the same life (a configuration was reloaded). */
static void test_same_life(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	struct lab_end *e = f->e;
	const struct cp_world world = {
	    .context = e, .random = lab_random, .log = lab_log, .set_aside = lab_set_aside};

	far_fail(f);
	far_grant(f, 3000, 100);
	expect_lines(e, 1);
	uint64_t began = start_of(e)->began;
	cp_engine_free(e->engine);
	e->engine = cp_engine_new(e->cfg, &e->mirror, e->txn, &world, f->lab->now + 5000);
	expect_lines(e, 1);
	assert_int_equal(line_of(e, 0).outcome, LC_OUTCOME_RECOVERING);
	assert_int_equal(start_of(e)->began, began);
	far_run(f, 70000);
	expect_lines(e, 1);
	assert_int_equal(line_of(e, 0).outcome, LC_OUTCOME_RECOVERED);
	far_close(f);
}

/* A writer that died in the middle leaves a line less: nobody stumbles over it. */
static void test_line_of_a_dead_writer(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	struct lc_mirror *m = &f->e->mirror;
	struct lc_history line;

	far_fail(f);
	m->history[1].number = 0;
	assert_false(cp_history_read(m, 1, &line));
	lab_restart(f->e);
	expect_lines(f->e, 2);
	assert_false(cp_history_read(m, 1, &line));
	assert_int_equal(line_of(f->e, 0).outcome, LC_OUTCOME_RECOVERING);
	/* ... and so does a line that is written, and not counted. */
	m->header->history_number = 1;
	lab_restart(f->e);
	expect_lines(f->e, 2);
	assert_int_equal(line_of(f->e, 0).life, 4);
	far_close(f);
}

/* The newest overwrites the oldest, an open one too. */
static void test_ring(void **state)
{
	(void)state;
	struct far *f = far_establish_plain();
	struct lc_mirror *m = &f->e->mirror;
	uint32_t size = m->header->geometry.history;
	struct lc_history line;

	far_fail(f);
	struct lc_history *open = &m->history[m->header->history_number % size];
	assert_int_equal(open->outcome, LC_OUTCOME_RECOVERING);
	open->number += size; /* as if others had come */
	far_grant(f, 3000, 100);
	far_run(f, 70000);
	assert_int_equal(far_old(f)->resync, CP_RESYNC_NONE);
	assert_int_equal(open->outcome, LC_OUTCOME_RECOVERING);
	far_close(f);

	f = far_establish(&(struct far_options){.l2tp = FAR_FALLBACK});
	m = &f->e->mirror;
	for (unsigned i = 0; i < size + 5; i++)
		lab_restart(f->e);
	expect_lines(f->e, size + 5);
	assert_false(cp_history_read(m, 0, &line));
	assert_false(cp_history_read(m, 5, &line));
	assert_true(cp_history_read(m, 6, &line));
	assert_int_equal(line.life, 7);
	assert_true(cp_history_read(m, size + 5, &line));
	assert_false(cp_history_read(m, size + 6, &line));
	assert_int_equal(start_of(f->e)->life, size + 6);
	far_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_recovered),
	    cmocka_unit_test(test_failed),
	    cmocka_unit_test(test_failed_for_want_of_an_answer),
	    cmocka_unit_test(test_cleared),
	    cmocka_unit_test(test_not_established),
	    cmocka_unit_test(test_what_does_not_count),
	    cmocka_unit_test(test_interrupted),
	    cmocka_unit_test(test_recovered_by_the_peer),
	    cmocka_unit_test(test_same_life),
	    cmocka_unit_test(test_line_of_a_dead_writer),
	    cmocka_unit_test(test_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
