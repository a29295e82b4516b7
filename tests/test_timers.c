/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of deadlines against a plain array. */
#include "lc_timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum {
	N = 50,
	STEPS = 200000,
};

static uint64_t model_next(const uint64_t at[N])
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < N; i++)
		if (at[i] != 0 && at[i] < next)
			next = at[i];
	return next;
}

static void random_steps_agree_with_an_array(void **state)
{
	(void)state;
	uint64_t at[N] = {0};
	struct lc_timers *t = lc_timers_new(N);
	assert_non_null(t);
	srandom(1);
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t number = (uint32_t)random() % N;
		if (random() % 4 != 0) {
			at[number] = random() % 5 == 0 ? 0 : (uint64_t)random() % 40 + 1;
			lc_timers_set(t, number, at[number]);
		} else {
			uint64_t now = (uint64_t)random() % 40, next = model_next(at);
			uint32_t taken = lc_timers_take(t, now);
			assert_int_equal(taken == UINT32_MAX, next > now);
			if (taken != UINT32_MAX) {
				assert_int_equal(at[taken], next);
				for (uint32_t k = 0; k < taken; k++)
					assert_int_not_equal(at[k], next);
				at[taken] = 0;
			}
		}
		assert_int_equal(lc_timers_next(t), model_next(at));
	}
	lc_timers_free(t);
}

static void the_earliest_comes_first(void **state)
{
	(void)state;
	struct lc_timers *t = lc_timers_new(3);
	assert_int_equal(lc_timers_next(t), UINT64_MAX);
	assert_int_equal(lc_timers_take(t, UINT64_MAX), UINT32_MAX);
	lc_timers_set(t, 0, 30);
	lc_timers_set(t, 1, 10);
	lc_timers_set(t, 2, 20);
	lc_timers_set(t, 1, 25); /* moved */
	assert_int_equal(lc_timers_take(t, 19), UINT32_MAX);
	assert_int_equal(lc_timers_take(t, 100), 2);
	assert_int_equal(lc_timers_take(t, 100), 1);
	lc_timers_set(t, 0, 0);
	assert_int_equal(lc_timers_take(t, 100), UINT32_MAX);
	lc_timers_free(t);
	lc_timers_free(NULL);
}

/* However they came in. */
static void equal_deadlines_come_out_by_number(void **state)
{
	(void)state;
	struct lc_timers *t = lc_timers_new(N);
	for (uint32_t step = 1; step < N; step += 2) {
		for (uint32_t i = 0; i < N; i++)
			lc_timers_set(t, i * (step % 5 == 0 ? 1 : step) % N, 7);
		for (uint32_t i = 0; i < N; i += 3) { /* moved away and back */
			lc_timers_set(t, i, 1 + step);
			lc_timers_set(t, i, 7);
		}
		for (uint32_t i = 0; i < N; i++)
			assert_int_equal(lc_timers_take(t, 7), i);
		assert_int_equal(lc_timers_take(t, 7), UINT32_MAX);
	}
	lc_timers_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_earliest_comes_first),
	    cmocka_unit_test(equal_deadlines_come_out_by_number),
	    cmocka_unit_test(random_steps_agree_with_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
