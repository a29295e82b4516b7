/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a thread sleeps that has little to do. */
#include "dp_idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LIMIT = 100 };

static struct dp_idle idle;

static int set_up(void **state)
{
	(void)state;
	idle = (struct dp_idle){.limit = LIMIT, .sleep = DP_IDLE_LEAST_US};
	return 0;
}

/* Until it sleeps at all. */
static void run_out(void)
{
	for (int i = 0; i < DP_IDLE_TURNS - 1; i++)
		assert_int_equal(dp_idle_next(&idle, 0), 0);
}

static void it_sleeps_longer_and_longer(void **state)
{
	(void)state;
	run_out();
	for (uint32_t us = DP_IDLE_LEAST_US; us < LIMIT; us *= 2)
		assert_int_equal(dp_idle_next(&idle, 0), us);
	for (int i = 0; i < DP_IDLE_CALM_AFTER_US / LIMIT; i++)
		assert_int_equal(dp_idle_next(&idle, 0), LIMIT);
}

static void a_burst_wakes_it(void **state)
{
	(void)state;
	run_out();
	assert_int_equal(dp_idle_next(&idle, 0), DP_IDLE_LEAST_US);
	assert_int_equal(dp_idle_next(&idle, DP_IDLE_BURST), 0);
	run_out();
	assert_int_equal(dp_idle_next(&idle, 0), DP_IDLE_LEAST_US);
}

static void a_few_packets_only_shorten_its_sleep(void **state)
{
	(void)state;
	run_out();
	for (int i = 0; i < 20; i++)
		dp_idle_next(&idle, 0);
	assert_int_equal(dp_idle_next(&idle, 1), LIMIT);
	assert_int_equal(dp_idle_next(&idle, 1), LIMIT / 2);
	assert_int_equal(dp_idle_next(&idle, 1), LIMIT / 4);
	assert_int_equal(dp_idle_next(&idle, 1), LIMIT / 8);
	assert_int_equal(dp_idle_next(&idle, 0), DP_IDLE_LEAST_US);
}

static void reach_calm(uint32_t worked)
{
	uint32_t us = 0;

	for (int i = 0; i < 20 * DP_IDLE_CALM_AFTER_US / LIMIT && us < DP_IDLE_CALM_US; i++)
		us = dp_idle_next(&idle, i % 10 == 0 ? worked : 0);
	assert_int_equal(us, DP_IDLE_CALM_US);
}

static void where_there_are_few_for_a_while_it_sleeps_much_longer(void **state)
{
	(void)state;
	reach_calm(0);
	for (int i = 0; i < DP_IDLE_CALM_MOST_US / DP_IDLE_CALM_US; i++)
		assert_int_equal(dp_idle_next(&idle, 0), DP_IDLE_CALM_US);
	assert_int_equal(dp_idle_next(&idle, 2), DP_IDLE_CALM_US);
	assert_int_equal(dp_idle_next(&idle, 2), DP_IDLE_CALM_US);
	/* Some that have come together: nothing has changed. */
	assert_int_equal(dp_idle_next(&idle, DP_IDLE_BURST - 1), DP_IDLE_CALM_US);
	/* Traffic: no more of that. */
	for (int i = 0; i < DP_IDLE_CALM_MOST_US / DP_IDLE_PACKET_US; i += DP_IDLE_BURST - 1)
		dp_idle_next(&idle, DP_IDLE_BURST - 1);
	for (int i = 0; i < DP_IDLE_CALM_AFTER_US / LIMIT; i++)
		assert_true(dp_idle_next(&idle, i % 2 == 0) <= LIMIT);
	set_up(state);
	reach_calm(2);
}

static void a_long_limit_is_the_limit(void **state)
{
	(void)state;
	idle.limit = 5 * DP_IDLE_CALM_US;
	for (int i = 0; i < 4000; i++)
		assert_true(dp_idle_next(&idle, 0) <= 5 * DP_IDLE_CALM_US);
	assert_int_equal(dp_idle_next(&idle, 0), 5 * DP_IDLE_CALM_US);
}

static void without_a_limit_it_never_sleeps(void **state)
{
	(void)state;
	idle.limit = 0;
	for (int i = 0; i < 4 * DP_IDLE_TURNS; i++)
		assert_int_equal(dp_idle_next(&idle, 0), 0);
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(it_sleeps_longer_and_longer),
	    T(a_burst_wakes_it),
	    T(a_few_packets_only_shorten_its_sleep),
	    T(where_there_are_few_for_a_while_it_sleeps_much_longer),
	    T(a_long_limit_is_the_limit),
	    T(without_a_limit_it_never_sleeps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
