/* SPDX-License-Identifier: BSD-3-Clause */
/* Each kind of damage is counted for what it is, also where the identification wraps. */
#include "tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000u

static struct tracker *tracker;
static uint64_t now;

static int setup(void **state)
{
	tracker = tracker_new(4);
	now = 1000 * (uint64_t)MS;
	return tracker ? 0 : -1;
}

static int teardown(void **state)
{
	tracker_free(tracker);
	return 0;
}

/* Sends one packet upstream in session 0; returns the identification that it carries. */
static uint16_t send_one(void)
{
	uint64_t number = tracker_next(tracker, 0, UPSTREAM);

	assert_int_equal(tracker_sent(tracker, 0, UPSTREAM, (uint32_t)number * 3, now), 0);
	return (uint16_t)number;
}

static bool arrive(uint16_t carried, bool intact)
{
	uint64_t number;
	uint32_t packet;

	if (!tracker_find(tracker, 0, UPSTREAM, carried, 16, &number, &packet))
		return false;
	assert_int_equal(packet, (uint32_t)number * 3);
	tracker_arrived(tracker, 0, UPSTREAM, number, intact, now);
	return true;
}

static const struct tracker_totals *up(void)
{
	return tracker_totals(tracker, UPSTREAM);
}

static void all_arrive(void **state)
{
	for (int i = 0; i < 1000; i++) {
		uint16_t id = send_one();
		now += 10000;
		assert_true(arrive(id, true));
	}
	assert_int_equal(up()->sent, 1000);
	assert_int_equal(up()->received, 1000);
	assert_int_equal(up()->reordered + up()->duplicated + up()->corrupted + up()->in_flight, 0);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0);
	assert_int_equal(tracker_summarize(tracker).sessions, 1);
	assert_int_equal(tracker_summarize(tracker).first_loss_at, 0);
	assert_int_equal(tracker_latency(tracker)->min, 10000);
}

static void lost(void **state)
{
	send_one();
	uint16_t id = send_one();
	uint64_t sent_at = now;
	assert_true(arrive(id, true));
	assert_int_equal(up()->in_flight, 1);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0); /* not yet */
	now += 500 * (uint64_t)MS;
	tracker_expire(tracker, now);
	assert_int_equal(up()->in_flight, 0);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 1);
	assert_int_equal(tracker_summarize(tracker).sessions_with_loss, 1);
	assert_int_equal(tracker_summarize(tracker).first_loss_at, sent_at);
}

static void late_is_not_lost(void **state)
{
	uint16_t id = send_one();
	now += 800 * (uint64_t)MS;
	tracker_expire(tracker, now);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 1);
	assert_true(arrive(id, true));
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0);
	assert_int_equal(up()->received, 1);
	assert_int_equal(up()->in_flight, 0);
}

static void reordered(void **state)
{
	uint16_t a = send_one(), b = send_one(), c = send_one();

	arrive(c, true), arrive(a, true), arrive(b, true);
	assert_int_equal(up()->received, 3);
	assert_int_equal(up()->reordered, 2);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0);
}

static void duplicated(void **state)
{
	uint16_t a = send_one();

	arrive(a, true), arrive(a, true), arrive(a, true);
	assert_int_equal(up()->received, 1);
	assert_int_equal(up()->duplicated, 2);
	assert_int_equal(up()->reordered, 0);
}

static void corrupted(void **state)
{
	uint16_t a = send_one(), b = send_one();

	arrive(a, false), arrive(b, true);
	assert_int_equal(up()->received, 1);
	assert_int_equal(up()->corrupted, 1);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0); /* it is known what became of it */
	assert_int_equal(tracker_summarize(tracker).sessions_with_loss, 1);
	assert_int_equal(up()->in_flight, 0);
	arrive(b, false); /* a damaged copy of one that had come */
	assert_int_equal(up()->corrupted, 2);
	arrive(a, true); /* the intact one comes after all */
	assert_int_equal(up()->received, 2);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 0);
}

static void unknown(void **state)
{
	uint64_t number;
	uint32_t packet;

	assert_false(arrive(0, true)); /* nothing was sent */
	send_one();
	assert_false(arrive(1, true));
	assert_false(arrive(65535, true));
	assert_false(tracker_find(tracker, 1, UPSTREAM, 0, 16, &number, &packet));
	assert_false(tracker_find(tracker, 0, DOWNSTREAM, 0, 16, &number, &packet));
}

/* 16 bits wrap three times, with 60000 packets under way. */
static void identification_wraps(void **state)
{
	enum { N = 200000, BEHIND = 60000 };

	for (uint64_t i = 0; i < N + BEHIND; i++) {
		now += 1000;
		if (i < N)
			send_one();
		if (i >= BEHIND && (i - BEHIND) % 1000 != 7)
			assert_true(arrive((uint16_t)(i - BEHIND), true));
	}
	now += 1000 * (uint64_t)MS;
	tracker_expire(tracker, now);
	assert_int_equal(up()->received, N - N / 1000);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), N / 1000);
	assert_int_equal(up()->reordered + up()->duplicated + up()->in_flight, 0);
}

/* More than the identification can tell apart: what is overtaken leaves the window, and is lost. */
static void too_many_in_flight(void **state)
{
	for (int i = 0; i < 65536 + 10; i++)
		send_one();
	assert_int_equal(up()->in_flight, 65536);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 10);
	now += 1000 * (uint64_t)MS;
	tracker_expire(tracker, now);
	assert_int_equal(up()->in_flight, 0);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 65536 + 10);
}

/* IPv6: 20 bits of flow label find a packet that 16 would not tell from a later one. */
/* Packets of ten seconds ago are forgotten and their places used again; then the rate goes up, and
 * there must be more places. */
static void faster_after_a_while(void **state)
{
	uint16_t first = send_one();

	for (int i = 1; i < 64; i++)
		send_one();
	now += 11000 * (uint64_t)MS;
	tracker_expire(tracker, now);
	for (int i = 0; i < 300; i++)
		send_one();
	assert_int_equal(up()->in_flight, 300);
	assert_false(arrive(first, true));
	assert_true(arrive(64, true));
	now += TRACKER_GIVE_UP_NS + MS;
	tracker_expire(tracker, now);
	assert_int_equal(up()->in_flight, 0);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 363);
}

static void flow_label(void **state)
{
	uint64_t number;
	uint32_t packet;

	for (int i = 0; i < 70000; i++)
		send_one();
	assert_true(tracker_find(tracker, 0, UPSTREAM, 69999, 20, &number, &packet));
	assert_int_equal(number, 69999);
	assert_false(tracker_find(tracker, 0, UPSTREAM, 100, 20, &number, &packet));
	assert_true(tracker_find(tracker, 0, UPSTREAM, 65536 + 100, 20, &number, &packet));
	assert_int_equal(number, 65536 + 100);
}

/* What was not answered for ten seconds may be forgotten, what is younger may not. */
static void memory(void **state)
{
	uint16_t first = send_one();

	for (int i = 0; i < 5000; i++) {
		now += MS;
		send_one();
	}
	assert_true(arrive(first, true));
	for (int i = 0; i < 20000; i++) {
		now += MS;
		arrive(send_one(), true);
	}
	tracker_expire(tracker, now);
	assert_int_equal(up()->received, 20001);
	assert_int_equal(tracker_lost(tracker, UPSTREAM), 5000);
	/* the first of the lost is remembered as a time even though its slot is not */
	assert_int_equal(tracker_summarize(tracker).first_loss_at, 1000 * (uint64_t)MS + MS);
}

/* A gap is a time in which arrivals were due, not one in which nothing was sent. */
static void gaps(void **state)
{
	for (int i = 0; i < 10; i++) { /* ten packets a second, each answered in 1 ms */
		uint16_t id = send_one();
		now += MS;
		arrive(id, true);
		now += 99 * MS;
	}
	assert_int_equal(up()->longest_gap_ns, MS);

	uint64_t began = now;
	uint16_t id = 0;
	for (int i = 0; i < 300; i++) { /* 300 ms without an answer to packets 1 ms apart */
		id = send_one();
		now += MS;
	}
	arrive((uint16_t)(id - 299), true);
	assert_int_equal(up()->longest_gap_ns, 300 * MS);
	assert_int_equal(up()->longest_gap_at, began);
	for (int i = 298; i >= 0; i--)
		arrive((uint16_t)(id - i), true);
	now += 5000 * (uint64_t)MS; /* nothing is due */
	arrive(send_one(), true);
	assert_int_equal(up()->longest_gap_ns, 300 * MS);
}

static void gap_at_the_end(void **state)
{
	arrive(send_one(), true);
	send_one();
	uint64_t began = now;
	now += 700 * (uint64_t)MS;
	tracker_finish(tracker, now);
	assert_true(up()->longest_gap_ns > 699 * MS && up()->longest_gap_ns <= 700 * MS);
	assert_true(up()->longest_gap_at >= began);
}

/* Random damage to two sessions in both directions, against a model that simply remembers
 * everything. */
static void random_damage(void **state)
{
	enum { N = 100000, STREAMS = 4, DEPTH = 32 };
	uint64_t sent = 0, received = 0, twice = 0, bad = 0, gone = 0, out_of_order = 0;
	uint64_t highest[STREAMS] = {0}, waiting[STREAMS][DEPTH] = {0};
	unsigned n_waiting[STREAMS] = {0};

	srandom(4951);
	for (int i = 0; i < N; i++) {
		unsigned s = (unsigned)random() % STREAMS;
		enum direction direction = s % 2 ? DOWNSTREAM : UPSTREAM;
		uint64_t number = tracker_next(tracker, s / 2, direction);

		now += 1000;
		tracker_sent(tracker, s / 2, direction, (uint32_t)i, now);
		sent++;
		waiting[s][n_waiting[s]++] = number;
		while (n_waiting[s] > 0 && (n_waiting[s] == DEPTH || random() % 3 == 0)) {
			unsigned pick = random() % 8 ? 0 : (unsigned)random() % n_waiting[s];
			unsigned fate = (unsigned)random() % 50;
			uint64_t n = waiting[s][pick], found;
			uint32_t packet;

			memmove(&waiting[s][pick], &waiting[s][pick + 1],
				(--n_waiting[s] - pick) * sizeof n);
			if (fate == 0) {
				gone++;
				continue;
			}
			assert_true(tracker_find(tracker, s / 2, direction, n & 0xffff, 16, &found,
						 &packet));
			assert_int_equal(found, n);
			tracker_arrived(tracker, s / 2, direction, found, fate != 1, now);
			bad += fate == 1;
			if (fate == 1)
				continue;
			received++;
			out_of_order += n + 1 < highest[s];
			highest[s] = n + 1 > highest[s] ? n + 1 : highest[s];
			if (fate == 2) {
				tracker_arrived(tracker, s / 2, direction, found, true, now);
				twice++;
			}
		}
	}
	for (int s = 0; s < STREAMS; s++)
		gone += n_waiting[s];
	now += 1000 * (uint64_t)MS;
	tracker_expire(tracker, now);
	const struct tracker_totals *down = tracker_totals(tracker, DOWNSTREAM);
	assert_int_equal(up()->sent + down->sent, sent);
	assert_int_equal(up()->received + down->received, received);
	assert_int_equal(up()->duplicated + down->duplicated, twice);
	assert_int_equal(up()->corrupted + down->corrupted, bad);
	assert_int_equal(up()->reordered + down->reordered, out_of_order);
	assert_int_equal(tracker_lost(tracker, UPSTREAM) + tracker_lost(tracker, DOWNSTREAM), gone);
	assert_int_equal(up()->in_flight + down->in_flight, 0);
	assert_int_equal(tracker_summarize(tracker).sessions_with_loss, 2);
	assert_int_equal(tracker_latency(tracker)->count, received);
}

/* Every quantile is within one bucket (1/32) above the true value. */
static void histogram(void **state)
{
	struct histogram *histogram = calloc(1, sizeof *histogram);

	assert_int_equal(histogram_quantile(histogram, 0.5), 0);
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(histogram, i * 1000);
	assert_int_equal(histogram->min, 1000);
	assert_int_equal(histogram->max, 100000000);
	for (int i = 1; i < 100; i++) {
		uint64_t truth = (uint64_t)i * 1000000;
		uint64_t value = histogram_quantile(histogram, i / 100.0);

		assert_true(value + 1000 >= truth && value <= truth + truth / 32 + 1);
	}
	assert_int_equal(histogram_quantile(histogram, 1), 100000000);
	histogram_add(histogram, UINT64_MAX);
	histogram_add(histogram, 0);
	assert_int_equal(histogram_quantile(histogram, 1), UINT64_MAX);
	free(histogram);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_arrive),
	    TEST(lost),
	    TEST(late_is_not_lost),
	    TEST(reordered),
	    TEST(duplicated),
	    TEST(corrupted),
	    TEST(unknown),
	    TEST(identification_wraps),
	    TEST(too_many_in_flight),
	    TEST(faster_after_a_while),
	    TEST(flow_label),
	    TEST(memory),
	    TEST(gaps),
	    TEST(gap_at_the_end),
	    TEST(random_damage),
	    cmocka_unit_test(histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
