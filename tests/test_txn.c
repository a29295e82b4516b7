/* SPDX-License-Identifier: BSD-3-Clause */
/* The commit point: random transactions, every record checked after every step, crashes at every
 * step of a commit. */
#include "lc_txn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char path[64];
static char why[200];
static struct lc_mirror m;
static struct lc_txn *txn;

static void attach(void)
{
	if (lc_txn_attach(&txn, &m, why, sizeof(why)) != 0)
		fail_msg("attach: %s", why);
}

static void check(void)
{
	if (!lc_mirror_check(&m, why, sizeof(why)) || !lc_mirror_check_free(&m, why, sizeof(why)))
		fail_msg("%s", why);
}

static int setup(void **state)
{
	(void)state;
	struct lc_geometry g = lc_geometry_for(30, 200, 256, 64);
	bool cold;

	snprintf(path, sizeof(path), "/dev/shm/warmline-test-txn-%d", getpid());
	unlink(path);
	assert_int_equal(lc_mirror_open(&m, path, &g, &cold, why, sizeof(why)), 0);
	attach();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lc_txn_step = NULL;
	lc_txn_detach(txn);
	lc_mirror_close(&m);
	unlink(path);
	return 0;
}

/* ---- the data plane's part, played ---- */

/* Delivers a message into an inbox as the channel does: buffer, slot, one store. */
static bool deliver(uint32_t slot, const char *text)
{
	struct lc_channel *c = &m.channels[slot];
	union lc_channel_rx rx = c->rx;
	if ((uint16_t)(lc_inbox_tail(rx) - m.tunnels[slot].door.inbox_head) >=
	    2) /* 128 slots x 2 <= 256 buffers */
		return false;
	uint32_t buffer = slot * 2 + lc_inbox_tail(rx) % 2;
	m.inbox[buffer].length = (uint32_t)strlen(text);
	memcpy(m.inbox[buffer].bytes, text, strlen(text));
	c->inbox[lc_inbox_tail(rx) % LC_RING] = buffer;
	rx.nr++;
	__atomic_store_n(&c->rx.word, rx.word, __ATOMIC_RELEASE);
	return true;
}

/* A channel that was reset begins anew (RFC 4951 section 3.2.2). */
static void begin_anew(uint32_t slot)
{
	struct lc_channel *c = &m.channels[slot];
	const struct lc_tunnel *t = &m.tunnels[slot];
	if (lc_channel_current(c, t->door))
		return;
	assert_int_equal(t->reset_generation, t->door.generation);
	c->rx = (union lc_channel_rx){.nr = t->reset_nr,
				      .shift = (uint16_t)(t->reset_nr - t->door.inbox_head)};
	c->tx = (union lc_channel_tx){.acked = t->reset_ns,
				      .next = t->reset_ns,
				      .shift = (uint16_t)(t->reset_ns - t->outbox_base)};
	c->generation = t->door.generation;
}

/* The peer acknowledges one message. */
static void acknowledge(uint32_t slot)
{
	struct lc_channel *c = &m.channels[slot];
	union lc_channel_tx tx = c->tx;
	if (lc_outbox_head(tx) == m.tunnels[slot].door.outbox_tail)
		return;
	tx.acked++;
	tx.next = tx.acked;
	__atomic_store_n(&c->tx.word, tx.word, __ATOMIC_RELEASE);
}

/* ---- random transactions ---- */

static uint32_t some_slot(const uint64_t *map, uint32_t n)
{
	uint32_t slot = lc_map_next(map, n, (uint32_t)random() % n);
	return slot != LC_NO_SLOT ? slot : lc_map_next(map, n, 0);
}

static void change_something(void)
{
	uint32_t tunnel = some_slot(m.tunnel_map, m.tunnel_mask + 1);
	uint32_t session = some_slot(m.session_map, m.session_mask + 1);
	uint32_t slot;
	int error;

	switch (random() % 9) {
	case 0:
		lc_txn_create_tunnel(txn, (uint16_t)(random() % 2), &slot, &error);
		break;
	case 1:
	case 2:
		if (tunnel != LC_NO_SLOT) {
			struct lc_session *s = lc_txn_create_session(txn, tunnel, &slot, &error);
			if (s != NULL && random() % 2 == 0)
				lc_txn_open_door(txn, s, 0);
		}
		break;
	case 3:
		if (session != LC_NO_SLOT)
			lc_txn_free_session(txn, session);
		break;
	case 4:
		if (tunnel != LC_NO_SLOT) {
			const struct lc_tunnel *t = lc_txn_peek_tunnel(txn, tunnel);
			if (t != NULL && t->n_sessions == 0 && random() % 4 == 0)
				lc_txn_free_tunnel(txn, tunnel);
		}
		break;
	case 5:
		if (tunnel != LC_NO_SLOT)
			lc_txn_send(txn, tunnel, "message", 7);
		break;
	case 7:
		lc_txn_reset_channel(txn, tunnel, (uint16_t)random(), (uint16_t)random());
		break;
	case 6:
		if (tunnel != LC_NO_SLOT && lc_txn_receive(txn, tunnel) != NULL)
			lc_txn_consume(txn, tunnel);
		break;
	default:
		if (tunnel != LC_NO_SLOT && lc_txn_tunnel(txn, tunnel) != NULL)
			lc_txn_tunnel(txn, tunnel)->call_serial++;
	}
}

static void change_and_play(void)
{
	for (long n = random() % 3; n >= 0; n--)
		change_something();
}

static void play_dataplane(void)
{
	uint32_t tunnel = some_slot(m.tunnel_map, m.tunnel_mask + 1);
	if (tunnel == LC_NO_SLOT)
		return;
	/* It looks at the door before all else. */
	if (random() % 4 != 0)
		begin_anew(tunnel);
	else if (!lc_channel_current(&m.channels[tunnel], m.tunnels[tunnel].door))
		return;
	if (random() % 2 == 0)
		deliver(tunnel, "hello");
	else
		acknowledge(tunnel);
}

static void random_transactions_keep_every_rule(void **state)
{
	(void)state;
	unsigned most_tunnels = 0, most_sessions = 0;

	srandom(42);
	for (int i = 0; i < 30000; i++) {
		change_and_play();
		if (random() % 5 == 0)
			lc_txn_abort(txn);
		else
			assert_int_equal(lc_txn_commit(txn), 0);
		play_dataplane();
		if (random() % 100 == 0) {
			lc_txn_detach(txn);
			attach();
		}
		check();
		most_tunnels =
		    lc_txn_tunnels(txn) > most_tunnels ? lc_txn_tunnels(txn) : most_tunnels;
		most_sessions =
		    lc_txn_sessions(txn) > most_sessions ? lc_txn_sessions(txn) : most_sessions;
	}
	assert_true(most_tunnels > 20 && most_sessions > 30);
}

/* ---- a crash at each step ---- */

static jmp_buf crash;
static int steps_left;
static char crashed_at[16];

static void count_down(const char *step)
{
	if (steps_left-- == 0) {
		snprintf(crashed_at, sizeof(crashed_at), "%s", step);
		longjmp(crash, 1);
	}
}

/* What the control plane owns, as bytes. */
static size_t owned_bytes(uint8_t *out)
{
	const enum lc_region from[] = {LC_REGION_TUNNELS, LC_REGION_SESSIONS, LC_REGION_TUNNEL_MAP};
	const enum lc_region to[] = {LC_REGION_CHANNELS, LC_REGION_SESSIONS_IN, LC_REGION_INBOX};
	size_t n = 0;
	for (int i = 0; i < 3; i++) {
		uint64_t start = m.header->region[from[i]], end = m.header->region[to[i]];
		if (out != NULL)
			memcpy(out + n, (uint8_t *)m.header + start, end - start);
		n += end - start;
	}
	return n;
}

/* The same transaction from the same state, cut short at step k and whole: the outcome is the old
 * state if k is before the commit point and the new one if it is after. */
static void a_crash_leaves_the_old_state_or_the_new(void **state)
{
	(void)state;
	size_t owned = owned_bytes(NULL);
	uint8_t *file = malloc(m.size), *before = malloc(owned), *after = malloc(owned),
		*now = malloc(owned);
	int old_states = 0, new_states = 0;

	for (unsigned round = 0; round < 1500; round++) {
		lc_txn_detach(txn); /* both runs start with the same private state: a fresh one */
		attach();
		memcpy(file, m.header, m.size);
		owned_bytes(before);

		srandom(round);
		change_and_play();
		lc_txn_step = NULL;
		assert_int_equal(lc_txn_commit(txn), 0);
		owned_bytes(after);
		if (memcmp(before, after, owned) == 0)
			continue;

		memcpy(m.header, file, m.size); /* back, and once more with a crash */
		lc_txn_detach(txn);
		attach();
		srandom(round);
		change_and_play();
		steps_left = (int)(round % 7);
		lc_txn_step = count_down;
		bool crashed = setjmp(crash) != 0;
		if (!crashed)
			assert_int_equal(lc_txn_commit(txn), 0);
		lc_txn_step = NULL;
		lc_txn_detach(txn);
		attach();
		check();
		owned_bytes(now);
		bool expect_old = crashed && strcmp(crashed_at, "journal") == 0;
		assert_memory_equal(now, expect_old ? before : after, owned);
		old_states += expect_old;
		new_states += !expect_old;
		play_dataplane();
	}
	assert_true(old_states > 50 && new_states > 200);
	free(file);
	free(before);
	free(after);
	free(now);
}

/* A real SIGKILL at a random instant. Each transaction of the child raises call_serial in two
 * tunnels, sends in one and makes or frees a session of the other: together or not at all. */
static void child_life(uint32_t a, uint32_t b)
{
	for (;;) {
		struct lc_tunnel *ta = lc_txn_tunnel(txn, a), *tb = lc_txn_tunnel(txn, b);
		uint32_t slot = lc_txn_first_session(txn, b);
		int error;
		ta->call_serial++;
		tb->call_serial++;
		if (lc_txn_send(txn, a, "x", 1) != 0)
			acknowledge(a);
		else if (slot != LC_NO_SLOT)
			lc_txn_free_session(txn, slot);
		else
			lc_txn_create_session(txn, b, &slot, &error);
		ta->result_code = (uint16_t)(ta->door.outbox_tail & 1);
		lc_txn_commit(txn);
	}
}

static void sigkill_at_any_instant(void **state)
{
	(void)state;
	uint32_t a, b, last = 0;
	int error;

	assert_non_null(lc_txn_create_tunnel(txn, 0, &a, &error));
	assert_non_null(lc_txn_create_tunnel(txn, 0, &b, &error));
	assert_int_equal(lc_txn_commit(txn), 0);
	srandom(7);
	for (int round = 0; round < 200; round++) {
		lc_txn_detach(txn);
		pid_t child = fork();
		if (child == 0) {
			if (lc_txn_attach(&txn, &m, why, sizeof(why)) != 0)
				_exit(1);
			child_life(a, b);
		}
		while (__atomic_load_n(&m.tunnels[a].call_serial, __ATOMIC_ACQUIRE) == last)
			assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
		usleep((useconds_t)(random() % 2000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		attach();
		check();
		const struct lc_tunnel *ta = lc_txn_peek_tunnel(txn, a),
				       *tb = lc_txn_peek_tunnel(txn, b);
		assert_int_equal(ta->call_serial, tb->call_serial);
		assert_int_equal(ta->result_code, ta->door.outbox_tail & 1);
		last = ta->call_serial;
	}
}

/* ---- limits ---- */

static void refuses_a_journal_that_makes_no_sense(void **state)
{
	(void)state;
	uint64_t entry[3] = {m.header->region[LC_REGION_TUNNELS] + 8, 8, 1};

	lc_txn_detach(txn);
	txn = NULL;
	memcpy(m.journal, entry, sizeof(entry));
	m.header->journal_committed = sizeof(entry);
	assert_int_equal(lc_txn_attach(&txn, &m, why, sizeof(why)), -EBADMSG);
	entry[1] = 1 << 20;
	memcpy(m.journal, entry, sizeof(entry));
	assert_int_equal(lc_txn_attach(&txn, &m, why, sizeof(why)), -EBADMSG);
	m.header->journal_committed = UINT64_MAX;
	assert_int_equal(lc_txn_attach(&txn, &m, why, sizeof(why)), -EBADMSG);
	m.header->journal_committed = 0;
	attach();
}

static void a_freed_slot_waits_for_readers(void **state)
{
	(void)state;
	uint32_t slot;
	int error;

	for (int i = 0; i < 30; i++) {
		assert_non_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	assert_int_equal(error, -ENOSPC);
	lc_reader_online(&m, 3);
	for (uint32_t i = 1; i <= 2; i++)
		lc_txn_free_tunnel(txn, i);
	assert_int_equal(lc_txn_commit(txn), 0);
	/* Slots that were never used, until none is left. */
	uint32_t unused = m.tunnel_mask - 30;
	for (uint32_t i = 0; i < unused; i++) {
		assert_non_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
		assert_true(slot > 30);
		assert_int_equal(lc_txn_commit(txn), 0);
		lc_txn_free_tunnel(txn, slot);
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	assert_int_equal(error, -EAGAIN);

	/* A new control plane does not know what is in limbo: it waits too. */
	lc_txn_detach(txn);
	attach();
	assert_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	assert_int_equal(error, -EAGAIN);
	lc_reader_quiesce(&m, 3);
	assert_non_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	lc_txn_abort(txn);
	lc_reader_offline(&m, 3);
}

/* A session freed is the last to lend its ID again; scrambled, the IDs are in no order. */
static void ids_come_again_last(void **state)
{
	(void)state;
	static bool seen[65536];
	uint32_t tunnel, slot, in_order = 0;
	uint16_t last = 0;
	int error;

	assert_non_null(lc_txn_create_tunnel(txn, 0, &tunnel, &error));
	assert_int_equal(lc_txn_commit(txn), 0);
	m.header->id_key = 0x0123456789abcdef;
	for (int i = 0; i < 65535; i++) {
		struct lc_session *s = lc_txn_create_session(txn, tunnel, &slot, &error);
		assert_non_null(s);
		assert_false(seen[s->id]);
		seen[s->id] = true;
		in_order += s->id == last + 1;
		last = s->id;
		assert_int_equal(lc_txn_commit(txn), 0);
		lc_txn_free_session(txn, slot);
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_true(in_order < 20);
}

static void an_outbox_has_its_limits(void **state)
{
	(void)state;
	static uint8_t large[LC_MESSAGE_MAX + 1];
	uint32_t tunnel;
	int error, sent = 0;

	assert_non_null(lc_txn_create_tunnel(txn, 0, &tunnel, &error));
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_int_equal(lc_txn_send(txn, tunnel, large, sizeof(large)), -EMSGSIZE);
	while ((error = lc_txn_send(txn, tunnel, large, 8)) == 0) {
		assert_int_equal(lc_txn_commit(txn), 0);
		sent++;
	}
	assert_int_equal(error, -ENOBUFS);
	assert_int_equal(sent, LC_RING);
	lc_txn_abort(txn);
	acknowledge(tunnel);
	assert_int_equal(lc_txn_outbox_room(txn, tunnel), 1);
	assert_int_equal(lc_txn_send(txn, tunnel, large, 8), 0);
	lc_txn_abort(txn);

	/* Its buffers come back when it is freed. */
	lc_txn_free_tunnel(txn, tunnel);
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_non_null(lc_txn_create_tunnel(txn, 0, &tunnel, &error));
	assert_true(lc_txn_outbox_room(txn, tunnel) >= LC_TXN_MESSAGES);
	lc_txn_abort(txn);
}

/* Recovery tunnels have slots of their own, and count apart, across restarts too. */
static void recovery_tunnels_have_spare_slots(void **state)
{
	(void)state;
	const uint32_t spare = m.tunnel_mask - 30;
	uint32_t slot, ordinary = 0;
	int error;

	for (int i = 0; i < 30; i++) {
		assert_non_null(lc_txn_create_tunnel(txn, 0, &ordinary, &error));
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_true(spare >= LC_SPARE_TUNNELS);
	for (uint32_t i = 0; i < spare; i++) {
		struct lc_tunnel *t = lc_txn_create_spare_tunnel(txn, 0, &slot, &error);
		assert_non_null(t);
		t->recovers = 1;
		assert_int_equal(lc_txn_commit(txn), 0);
		assert_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
		assert_int_equal(error, -ENOSPC);
		if (i == spare / 2) {
			lc_txn_detach(txn);
			attach();
		}
	}
	assert_null(lc_txn_create_spare_tunnel(txn, 0, &slot, &error));
	assert_int_equal(error, -ENOSPC);
	lc_txn_free_tunnel(txn, ordinary);
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_non_null(lc_txn_create_tunnel(txn, 0, &ordinary, &error));
	assert_int_equal(lc_txn_commit(txn), 0);

	/* Where others do not need them, recovery tunnels take their slots; and give them back. */
	for (int i = 0; i < 30; i++) {
		uint32_t at = lc_map_next(m.tunnel_map, m.tunnel_mask + 1, 0);
		while (m.tunnels[at].recovers != 0)
			at = lc_map_next(m.tunnel_map, m.tunnel_mask + 1, at + 1);
		lc_txn_free_tunnel(txn, at);
		assert_int_equal(lc_txn_commit(txn), 0);
		lc_txn_create_spare_tunnel(txn, 0, &slot, &error)->recovers = 2;
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	assert_null(lc_txn_create_tunnel(txn, 0, &ordinary, &error));
	assert_int_equal(error, -EAGAIN);
	lc_txn_free_tunnel(txn, slot);
	assert_int_equal(lc_txn_commit(txn), 0);
	assert_non_null(lc_txn_create_tunnel(txn, 0, &ordinary, &error));
	lc_txn_abort(txn);
	assert_int_equal(lc_txn_tunnels(txn), m.tunnel_mask - 1);
	check();
}

/* ---- the largest transaction */

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Four new tunnels, and 168 sessions of one that is there, each in another word of the map. */
static void change_as_much_as_can_be(uint32_t tunnel, uint32_t sessions[LC_TXN_SESSIONS])
{
	uint32_t slot;
	int error;
	for (int i = 1; i < LC_TXN_TUNNELS; i++)
		assert_non_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	for (int i = 0; i < LC_TXN_SESSIONS; i++) {
		assert_non_null(lc_txn_create_session(txn, tunnel, &sessions[i], &error));
		lc_txn_tunnel(txn, tunnel)->next_session += 63;
	}
	assert_null(lc_txn_create_session(txn, tunnel, &slot, &error));
	assert_int_equal(error, -E2BIG);
	assert_null(lc_txn_create_tunnel(txn, 0, &slot, &error));
	assert_int_equal(error, -E2BIG);
}

static void the_journal_holds_the_largest_transaction(void **state)
{
	(void)state;
	struct lc_geometry g = lc_geometry_for(30, 16384, 256, 64);
	uint32_t tunnel, sessions[LC_TXN_SESSIONS];
	bool cold;
	int error;

	lc_txn_detach(txn);
	lc_mirror_close(&m);
	unlink(path);
	assert_int_equal(lc_mirror_open(&m, path, &g, &cold, why, sizeof(why)), 0);
	attach();
	assert_non_null(lc_txn_create_tunnel(txn, 0, &tunnel, &error));
	assert_int_equal(lc_txn_commit(txn), 0);

	steps_left = 1; /* "committed": its successor does all of it */
	lc_txn_step = count_down;
	if (setjmp(crash) == 0) {
		change_as_much_as_can_be(tunnel, sessions);
		lc_txn_commit(txn);
	}
	lc_txn_step = NULL;
	assert_string_equal(crashed_at, "committed");
	lc_txn_detach(txn);
	attach();
	check();
	assert_int_equal(lc_txn_sessions(txn), LC_TXN_SESSIONS);
	assert_int_equal(lc_txn_tunnels(txn), LC_TXN_TUNNELS);

	uint64_t began = now_us();
	enum { ROUNDS = 50 };
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t slot = lc_txn_first_session(txn, tunnel);
		for (; slot != LC_NO_SLOT; slot = lc_txn_next_session(txn, slot)) {
			assert_true(lc_txn_peek_session(txn, slot)->stale == round % 2);
			lc_txn_session(txn, slot)->stale ^= 1;
			assert_true(lc_txn_peek_session(txn, slot)->stale != round % 2);
		}
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	uint64_t changed = now_us();
	for (uint32_t slot; (slot = lc_txn_first_session(txn, tunnel)) != LC_NO_SLOT;) {
		for (; slot != LC_NO_SLOT; slot = lc_txn_next_session(txn, slot))
			lc_txn_free_session(txn, slot);
		assert_int_equal(lc_txn_commit(txn), 0);
	}
	print_message("168 sessions: changed in %u us, freed in %u us\n",
		      (unsigned)((changed - began) / ROUNDS), (unsigned)(now_us() - changed));
	check();
	assert_int_equal(lc_txn_sessions(txn), 0);
	assert_int_equal(m.tunnels[tunnel].n_sessions, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(random_transactions_keep_every_rule),
	    T(a_crash_leaves_the_old_state_or_the_new),
	    T(sigkill_at_any_instant),
	    T(refuses_a_journal_that_makes_no_sense),
	    T(a_freed_slot_waits_for_readers),
	    T(ids_come_again_last),
	    T(an_outbox_has_its_limits),
	    T(recovery_tunnels_have_spare_slots),
	    T(the_journal_holds_the_largest_transaction),
	};
	return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
