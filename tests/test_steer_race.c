/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program's guard beside another CPU, the channel, and a writer of its entry: what guard.bpf.h argues. */
#include "steer_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 8000 };

/* Two threads, one round each at a time, begun together. */
struct pair {
	unsigned arrived;
	void (*second)(struct pair *pair, unsigned round);
	struct steer_frame frame;
	int action; /* of the second */
	bool took;
};

static void meet(struct pair *pair, unsigned round, unsigned step)
{
	unsigned all = 2 * (2 * round + step);
	__atomic_add_fetch(&pair->arrived, 1, __ATOMIC_ACQ_REL);
	for (unsigned i = 0; __atomic_load_n(&pair->arrived, __ATOMIC_ACQUIRE) < all; i++)
		if (i % 1000 == 999)
			sched_yield();
}

static int run(const struct steer_frame *f, uint8_t out[STEER_FRAME])
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes,
		    .data_size_in = (uint32_t)f->length, .data_out = out,
		    .data_size_out = STEER_FRAME, .repeat = 1);
	int e = bpf_prog_test_run_opts(lab.program, &opts);
	return e != 0 ? e : (int)opts.retval;
}

static void *second(void *context)
{
	struct pair *pair = context;
	for (unsigned round = 0; round < ROUNDS; round++) {
		meet(pair, round, 1);
		pair->second(pair, round);
		meet(pair, round, 2);
	}
	return NULL;
}

static void second_runs(struct pair *pair, unsigned round)
{
	uint8_t out[STEER_FRAME];
	(void)round;
	pair->action = run(&pair->frame, out);
}

/* What the counters have moved by since before. */
static void moved(uint64_t counters[DP_XDP_N_COUNTERS], const uint64_t before[DP_XDP_N_COUNTERS])
{
	lab_counters(counters);
	for (unsigned i = 0; i < DP_XDP_N_COUNTERS; i++)
		counters[i] -= before[i];
}

static void one_of_two_cpus_takes_a_hello(void **state)
{
	(void)state;
	struct pair pair = {.second = second_runs};
	uint64_t before[DP_XDP_N_COUNTERS], after[DP_XDP_N_COUNTERS];
	uint8_t out[STEER_FRAME];
	unsigned dropped = 0;
	pthread_t thread;

	lab_port(DP_XDP_PEER, 0, false);
	lab_plane(false, false);
	lab_counters(before);
	lab_word(65000, 3);
	frame_control(&pair.frame, 0, LC_MSG_HELLO, 65000, 3);
	assert_int_equal(pthread_create(&thread, NULL, second, &pair), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		meet(&pair, round, 1);
		int action = run(&pair.frame, out);
		meet(&pair, round, 2);
		/* The second does not go on until we meet again. */
		assert_true(action == XDP_TX || pair.action == XDP_TX);
		dropped += (unsigned)(action == XDP_DROP) + (unsigned)(pair.action == XDP_DROP);
		uint16_t nr = (uint16_t)(65000 + round + 1);
		assert_int_equal(lab.tunnels[LAB_SLOT].word.nr, nr);
		frame_control(&pair.frame, 0, LC_MSG_HELLO, nr, 3);
	}
	pthread_join(thread, NULL);
	moved(after, before);
	assert_int_equal(after[DP_XDP_guard_hello], ROUNDS);
	assert_int_equal(after[DP_XDP_guard_race], dropped);
	assert_int_equal(after[DP_XDP_guard_duplicate], ROUNDS - dropped);
	print_message("races: %u of %u\n", dropped, ROUNDS);
}

/* The channel takes the same HELLO, and says so in the word. */
static void second_takes(struct pair *pair, unsigned round)
{
	union lc_guard_word word = lab.tunnels[LAB_SLOT].word, next = word;
	for (unsigned i = 0; i < round % 128 * 100; i++)
		__asm__ volatile("" ::: "memory"); /* sooner or later */
	next.nr = (uint16_t)(round + 1);
	pair->took =
	    word.nr == (uint16_t)round &&
	    __sync_bool_compare_and_swap(&lab.tunnels[LAB_SLOT].word.word, word.word, next.word);
}

static void the_guard_or_the_channel_takes_a_hello(void **state)
{
	(void)state;
	struct pair pair = {.second = second_takes};
	uint64_t before[DP_XDP_N_COUNTERS], after[DP_XDP_N_COUNTERS];
	uint8_t out[STEER_FRAME];
	unsigned took = 0;
	pthread_t thread;

	lab_port(DP_XDP_PEER, 0, false);
	lab_plane(false, false);
	lab_counters(before);
	lab_word(0, 3);
	frame_control(&pair.frame, 0, LC_MSG_HELLO, 0, 3);
	assert_int_equal(pthread_create(&thread, NULL, second, &pair), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint16_t nr = (uint16_t)(round + 1);
		meet(&pair, round, 1);
		int action = run(&pair.frame, out);
		meet(&pair, round, 2);
		/* Whoever took it, the number that leaves is that of the word. */
		assert_int_equal(lab.tunnels[LAB_SLOT].word.nr, nr);
		assert_true(action == XDP_TX || pair.took);
		if (action == XDP_TX)
			assert_int_equal(lc_get16(out + 14 + 20 + 8 + 10), nr);
		took += pair.took;
		frame_control(&pair.frame, 0, LC_MSG_HELLO, nr, 3);
	}
	pthread_join(thread, NULL);
	moved(after, before);
	assert_int_equal(after[DP_XDP_guard_hello], ROUNDS - took);
	print_message("the channel: %u of %u\n", took, ROUNDS);
}

/* The entry comes to serve another tunnel of the same ID, over and over: word 0, fields, word. All that is in it says which. */
static void *rewrite(void *context)
{
	struct lc_guard_entry *e = &lab.tunnels[LAB_SLOT];
	const bool *stop = context;
	for (uint16_t id = 0; !__atomic_load_n(stop, __ATOMIC_ACQUIRE);
	     id = (uint16_t)(id + 1) % 30000) {
		union lc_guard_word word = {
		    .nr = 8, .ns = id, .id = STEER_LOCAL_ID, .generation = (uint8_t)id};
		__atomic_exchange_n(&e->word.word, 0, __ATOMIC_SEQ_CST);
		*(volatile uint16_t *)&e->peer_id = id;
		for (unsigned i = 0; i < 6; i += 2)
			*(volatile uint16_t *)&e->mac[i] = htons(i == 0 ? 0x0200 : id);
		__atomic_exchange_n(&e->word.word, word.word, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < id % 64; i++)
			__asm__ volatile("" ::: "memory");
	}
	return NULL;
}

static void an_answer_is_of_one_tunnel(void **state)
{
	(void)state;
	uint64_t before[DP_XDP_N_COUNTERS], after[DP_XDP_N_COUNTERS];
	struct steer_frame f;
	bool stop = false;
	pthread_t thread;

	lab_port(DP_XDP_PEER, 0, false);
	lab_plane(false, false);
	lab_counters(before);
	lab.tunnels[LAB_SLOT].word.word = 0;
	assert_int_equal(pthread_create(&thread, NULL, rewrite, &stop), 0);
	for (unsigned round = 0; round < 10 * ROUNDS; round++) {
		uint8_t out[STEER_FRAME];
		frame_control(&f, 0, LC_MSG_HELLO, round % 2 ? 7 : 8, 0);
		if (run(&f, out) != XDP_TX)
			continue;
		const uint8_t *l2tp = out + 14 + 20 + 8;
		uint16_t id = lc_get16(l2tp + 4);
		assert_int_equal(lc_get16(l2tp + 8), id);
		assert_int_equal(lc_get16(out + 2), id);
		assert_int_equal(lc_get16(out + 4), id);
		assert_in_range(lc_get16(l2tp + 10), 8, 9);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	moved(after, before);
	assert_int_equal(after[DP_XDP_guard_hello] + after[DP_XDP_guard_duplicate] +
			     after[DP_XDP_guard_race] + after[DP_XDP_guard_no_tunnel],
			 10 * ROUNDS);
	print_message("taken: %u, duplicates: %u, races: %u, between tunnels: %u\n",
		      (unsigned)after[DP_XDP_guard_hello], (unsigned)after[DP_XDP_guard_duplicate],
		      (unsigned)after[DP_XDP_guard_race], (unsigned)after[DP_XDP_guard_no_tunnel]);
}

int main(void)
{
	lab_probe();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_of_two_cpus_takes_a_hello),
	    cmocka_unit_test(the_guard_or_the_channel_takes_a_hello),
	    cmocka_unit_test(an_answer_is_of_one_tunnel),
	};
	return cmocka_run_group_tests(tests, lab_start, lab_stop);
}
