/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers of data and their reset (RFC 2661 section 5.4; RFC 4951 section 3.2.3, as in RFC 3931 appendix C), without
 * packets. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dp_sequence.h"

static struct lc_session session;
static struct lc_session_in in;

static int setup(void **state)
{
	memset(&session, 0, sizeof(session));
	memset(&in, 0, sizeof(in));
	session.reset_after = 5;
	return 0;
}

static bool take(unsigned ns)
{
	return dp_sequence_take(&in, (uint16_t)ns, &session);
}

/* So that nr is expected next. */
static void begin_at(unsigned nr)
{
	in.nr_valid = 0;
	assert_true(take(nr - 1));
	assert_int_equal(in.nr, (uint16_t)nr);
}

/* Of n late packets in sequence those before the last are dropped, and the last is taken; for every n there
 * is, from before and behind the wrap of Ns. */
static void rfc4951_3_2_3_the_nth_packet_sets_nr(void **state)
{
	static const uint16_t starts[] = {0, 1, 1000, 65533, 65535, 32768};
	for (unsigned n = 1; n <= UINT8_MAX; n++) {
		for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
			setup(NULL);
			session.reset_after = (uint8_t)n;
			begin_at(starts[i] + 20000U);
			for (unsigned k = 0; k + 1 < n; k++)
				assert_false(take(starts[i] + k));
			assert_int_equal(in.nr, (uint16_t)(starts[i] + 20000));
			assert_int_equal(in.resets, 0);
			for (unsigned k = n - 1; k < n + 10; k++)
				assert_true(take(starts[i] + k));
			assert_int_equal(in.nr, (uint16_t)(starts[i] + n + 10));
			assert_int_equal(in.resets, 1);
			assert_int_equal(in.late, n - 1);
			assert_int_equal(in.lost, 0);
		}
	}
}

static void without_n_there_is_no_reset(void **state)
{
	session.reset_after = 0;
	begin_at(20000);
	for (unsigned ns = 0; ns < 20000; ns++)
		assert_false(take(ns));
	assert_int_equal(in.late, 20000);
	assert_int_equal(in.resets, 0);
	assert_int_equal(in.run, 0);
	assert_true(take(20000));
}

/* Packets that overtook each other: however many are late, those in order between them end the run. */
static void a_packet_in_order_ends_the_run(void **state)
{
	begin_at(1000);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 4; k++)
			assert_false(take(100 + 4 * i + k));
		assert_true(take(1000 + i));
	}
	assert_int_equal(in.lost, 0);
	for (unsigned k = 0; k < 4; k++)
		assert_false(take(k));
	assert_true(take(1103)); /* three are lost */
	assert_int_equal(in.lost, 3);
	for (unsigned k = 4; k < 8; k++)
		assert_false(take(k));
	assert_true(take(8)); /* the fifth since */
	assert_int_equal(in.resets, 1);
	assert_int_equal(in.lost, 3);
}

/* The network doubles each packet: the reset takes place, and never by one packet alone. */
static void packets_that_come_again(void **state)
{
	begin_at(30000);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(take(29999));
	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < 2; i++)
			assert_false(take(k));
	assert_true(take(4));
	assert_false(take(4));
	assert_true(take(5));
	assert_false(take(5));
	assert_int_equal(in.late, 1000 + 8 + 2);
	assert_int_equal(in.resets, 1);
}

static void two_late_streams_mixed(void **state)
{
	begin_at(30000);
	for (unsigned k = 0; k < 1000; k++) {
		assert_false(take(k));
		assert_false(take(20000 + k));
	}
	assert_int_equal(in.resets, 0);
	for (unsigned k = 1000; k < 1004; k++) /* one of them alone */
		assert_false(take(k));
	assert_true(take(1004));
	assert_int_equal(in.nr, 1005);
}

static void a_gap_or_an_exchange_begins_a_new_run(void **state)
{
	static const struct {
		uint16_t ns;
		bool taken;
	} steps[] = {
	    {0, false},  {1, false},  {2, false},  {3, false}, {5, false}, /* 4 is missing */
	    {6, false},  {8, false},  {7, false},  {9, false},             /* exchanged */
	    {10, false}, {11, false}, {12, false}, {13, true}, {14, true}};
	begin_at(30000);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_int_equal(take(steps[i].ns), steps[i].taken);
	assert_int_equal(in.resets, 1);
}

/* n is what the record says at the time. */
static void n_changes_in_mid_run(void **state)
{
	begin_at(30000);
	for (unsigned k = 0; k < 3; k++)
		assert_false(take(k));
	session.reset_after = 10;
	for (unsigned k = 3; k < 9; k++)
		assert_false(take(k));
	session.reset_after = 2;
	assert_true(take(9));
	session.reset_after = 0;
	assert_false(take(8));
}

/* A data plane dies in mid-run (dp_links_open() says so to its successor): what comes first is taken. */
static void a_restart_in_mid_run(void **state)
{
	begin_at(30000);
	for (unsigned k = 0; k < 3; k++)
		assert_false(take(k));
	in.nr_valid = 2;
	for (unsigned k = 3; k < 100; k++)
		assert_true(take(k));
	assert_int_equal(in.run, 0);
	assert_int_equal(in.resets, 0); /* it was not n of them */

	begin_at(30000);
	for (unsigned k = 0; k < 3; k++)
		assert_false(take(k));
	in.nr_valid = 2;
	assert_true(take(30010)); /* the old stream goes on */
	for (unsigned k = 3; k < 7; k++)
		assert_false(take(k));
	assert_true(take(7));
}

/* ---- at random, against the late packets themselves ---- */

enum { HISTORY = 512, STEPS = 400000 };

static struct {
	uint16_t nr, late[HISTORY]; /* since a packet was taken */
	unsigned n_late;
	uint64_t lost, resets;
} model;

static bool model_take(uint16_t ns)
{
	uint16_t ahead = (uint16_t)(ns - model.nr), expected = ns;
	unsigned in_sequence = 1, n = session.reset_after;
	if (ahead < 0x8000) {
		model.lost += ahead;
		model.n_late = 0;
		model.nr = (uint16_t)(ns + 1);
		return true;
	}
	if (n == 0 || (model.n_late > 0 && model.late[model.n_late - 1] == ns))
		return false;
	for (unsigned i = model.n_late; i > 0; i--) {
		if (model.late[i - 1] == expected)
			continue;
		if (model.late[i - 1] != (uint16_t)(expected - 1))
			break;
		expected--;
		in_sequence++;
	}
	assert_true(model.n_late < HISTORY);
	model.late[model.n_late++] = ns;
	if (in_sequence < n)
		return false;
	model.n_late = 0;
	model.resets++;
	model.nr = (uint16_t)(ns + 1);
	return true;
}

static void at_random(void **state)
{
	unsigned seed = 3931;
	uint16_t stream[2] = {0, 40000};
	begin_at(20000);
	model.nr = in.nr;
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned which = rand_r(&seed) % 16 == 0, dice = (unsigned)rand_r(&seed) % 64;
		if (dice == 0)
			stream[which] = (uint16_t)rand_r(&seed);
		else if (dice == 1 && model.n_late == 0)
			session.reset_after = (uint8_t)(rand_r(&seed) % 7);
		else if (dice < 6)
			stream[which] = (uint16_t)(stream[which] + rand_r(&seed) % 4);
		else if (dice < 12)
			stream[which] = (uint16_t)(stream[which] - rand_r(&seed) % 4);
		if (model.n_late == HISTORY)
			stream[which] = model.nr; /* ends it */
		bool taken = model_take(stream[which]);
		assert_int_equal(take(stream[which]), taken);
		assert_int_equal(in.nr, model.nr);
		assert_int_equal(in.lost, model.lost);
		assert_int_equal(in.resets, model.resets);
		if (dice % 8 != 7)
			stream[which]++;
	}
	assert_true(model.resets > STEPS / 1000);
}

/* ---- sending ---- */

enum { WORKERS = 3, RESETS = 2000, SOME = 100, MOST = 60000 };

static struct lc_session_out out;
static uint32_t drawn[65536]; /* times that a number was drawn */
static bool stop;

static void rfc4951_3_2_3_ns_begins_at_zero(void **state)
{
	memset(&out, 0, sizeof(out));
	for (unsigned i = 0; i < 70000; i++)
		assert_int_equal(dp_sequence_next(&out), (uint16_t)i);
	for (unsigned resets = 1; resets < 600; resets++) { /* wraps */
		session.data_resets = (uint8_t)resets;
		dp_sequence_restart(&out, &session);
		for (unsigned i = 0; i < 10; i++) {
			assert_int_equal(dp_sequence_next(&out), i);
			dp_sequence_restart(&out, &session); /* done already */
		}
	}
}

/* A SIGKILL between the two stores of the reset: both are made again. */
static void a_reset_is_interrupted(void **state)
{
	memset(&out, 0, sizeof(out));
	out.ns = 1234;
	session.data_resets = 1;
	out.ns = 0; /* and no more */
	assert_int_equal(dp_sequence_next(&out), 0);
	dp_sequence_restart(&out, &session);
	assert_int_equal(dp_sequence_next(&out), 0);
	dp_sequence_restart(&out, &session);
	assert_int_equal(dp_sequence_next(&out), 1);
}

static void *draw(void *argument)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (__atomic_load_n(&out.ns, __ATOMIC_RELAXED) > MOST)
			sched_yield();
		else
			__atomic_fetch_add(&drawn[dp_sequence_next(&out)], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void wait_for_some(void)
{
	while (__atomic_load_n(&out.ns, __ATOMIC_RELAXED) < SOME)
		sched_yield();
}

/* Several workers draw while the main lcore resets: after each reset they draw each number once, from zero on. So
 * none is drawn more often than the one before it, and zero as often as it began. */
static void workers_draw_each_number_once(void **state)
{
	pthread_t worker[WORKERS];
	memset(&out, 0, sizeof(out));
	session.data_resets = 0;
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&worker[i], NULL, draw, NULL), 0);
	wait_for_some();
	for (unsigned i = 0; i < RESETS; i++) {
		session.data_resets++;
		dp_sequence_restart(&out, &session);
		wait_for_some();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(worker[i], NULL);
	for (unsigned ns = 0; ns < SOME; ns++)
		assert_int_equal(drawn[ns], RESETS + 1);
	for (unsigned ns = SOME; ns < 65536; ns++)
		assert_true(drawn[ns] <= drawn[ns - 1]);
}

#define TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(rfc4951_3_2_3_the_nth_packet_sets_nr),
	    TEST(without_n_there_is_no_reset),
	    TEST(a_packet_in_order_ends_the_run),
	    TEST(packets_that_come_again),
	    TEST(two_late_streams_mixed),
	    TEST(a_gap_or_an_exchange_begins_a_new_run),
	    TEST(n_changes_in_mid_run),
	    TEST(a_restart_in_mid_run),
	    TEST(at_random),
	    TEST(rfc4951_3_2_3_ns_begins_at_zero),
	    TEST(a_reset_is_interrupted),
	    TEST(workers_draw_each_number_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
