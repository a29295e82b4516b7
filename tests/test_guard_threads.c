/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard and the channel at the same time: a thread takes HELLOs as fast as it can, while the channel takes them too,
 * puts messages into its inbox, publishes, withdraws and changes its entry. Every 256th number is a message, which
 * only the channel takes; so both know of each number what it is, as if one peer had sent it. */
#include "guard_stand_in.h"

#include <pthread.h>
#include <time.h>

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	HOP = 5,
	RUN_MS = 500,
};

static struct end e;
static struct lc_guard_entry *table;
static bool over;
static uint64_t taken, races; /* by the guard */
static uint64_t promised, adoptions;

static int type_of(uint16_t ns)
{
	return ns % 256 == 0 ? LC_MSG_ICRQ : LC_MSG_HELLO;
}

static uint64_t real_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void *guard_run(void *context)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	struct end_packet answer;
	(void)context;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		uint16_t ns = guard_read(&table[e.slot]).nr;
		size_t length = end_write(bytes, e.id, type_of(ns), ns, 0, ns);
		enum guard_deed deed = guard_take(table, e.mirror.tunnel_mask, &e.from_peer, bytes,
						  length, 0, &answer);
		taken += deed == GUARD_HELLO;
		races += deed == GUARD_RACE;
	}
	return NULL;
}

static void count_step(const char *name)
{
	promised += strcmp(name, "promised") == 0;
	adoptions += strcmp(name, "adopted") == 0;
}

/* What the mirror says is behind, or the same; what we send is never ahead of the word. */
static void check_sent(void)
{
	for (unsigned i = 0; i < e.n_sent; i++) {
		struct lc_l2tp_header h;
		assert_int_equal(lc_l2tp_parse(e.sent[i].bytes, e.sent[i].length, &h), 0);
		union lc_guard_word word = guard_read(&table[e.slot]);
		assert_true(word.id == 0 || !lc_seq_before(word.nr, h.nr));
	}
	e.n_sent = 0;
}

static void turn(uint64_t i, uint64_t now, uint64_t *consumed)
{
	const struct lc_channel *c = &e.mirror.channels[e.slot];
	uint16_t ns = c->rx.nr;
	enum lc_verdict verdict = end_receive(&e, type_of(ns), ns, c->tx.acked, ns, now);
	assert_true(verdict == LC_TAKEN ||
		    (type_of(ns) == LC_MSG_HELLO && verdict == LC_DUPLICATE));
	int64_t payload = end_consume(&e);
	if (payload != END_NOTHING)
		assert_int_equal(payload, (uint16_t)(256 * (*consumed)++));
	if (i % 64 == 0) { /* the next hop moves */
		e.mirror.neighbours[HOP].link.mac[5]++;
		lc_dirty_set(&e.mirror.to_dataplane, e.slot);
	}
	if (i % 1024 == 0) { /* the process is replaced */
		lc_channels_detach(e.channels);
		end_attach(&e, now);
		lc_channels_guard(e.channels, table);
	}
	end_run(&e, now);
	check_sent();
}

static void numbers_agree(void **state)
{
	uint64_t end = real_ms() + RUN_MS, consumed = 0, i = 0;
	pthread_t guard;
	(void)state;
	end_open(&e, OURS, PEER);
	end_create(&e, 0, PEER_ID);
	end_tunnel(&e)->hello_ms = 0;
	end_commit(&e);
	e.mirror.neighbours[HOP].link.state = LC_NEIGHBOUR_REACHABLE;
	e.mirror.channels[e.slot].next_hop = HOP;
	table = guard_table(&e);
	end_attach(&e, 1);
	lc_channels_guard(e.channels, table);
	end_run(&e, 1);
	lc_channel_step = count_step;
	assert_int_equal(pthread_create(&guard, NULL, guard_run, NULL), 0);
	for (; real_ms() < end; i++)
		turn(i, 1 + i, &consumed);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(guard, NULL);
	lc_channels_heard(e.channels, e.slot, i);
	lc_channel_step = NULL;

	const struct lc_channel *c = &e.mirror.channels[e.slot];
	consumed += end_consume(&e) != END_NOTHING;
	assert_int_equal(c->rx.nr, guard_read(&table[e.slot]).nr);
	assert_int_equal(c->received, c->hello_received + consumed);
	assert_int_equal((uint16_t)c->received, c->rx.nr);
	assert_int_equal(c->hello_received, taken + promised);
	assert_int_equal(c->inbox_full, 0);
	print_message(
	    "%llu turns: %llu HELLOs by the guard in %llu goes, %llu by us, %llu messages, "
	    "%llu races lost by the guard\n",
	    (unsigned long long)i, (unsigned long long)taken, (unsigned long long)adoptions,
	    (unsigned long long)promised, (unsigned long long)consumed, (unsigned long long)races);
	assert_true(taken > 0 && promised > 0);
	end_check(&e);
	end_close(&e);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_agree),
	};
	return cmocka_run_group_tests_name("guard_threads", tests, NULL, NULL);
}
