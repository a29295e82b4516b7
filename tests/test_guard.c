/* SPDX-License-Identifier: BSD-3-Clause */
/* The hand-over between a channel and the guard, each interleaving of lc_guard.c's essay by itself. test_guard_explore.c
 * tries them all, test_guard_random.c mixes them. */
#include "guard_stand_in.h"

#include <setjmp.h>

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	T0 = 1000, /* ms: when tests start */
	S = 1000,
	HOP = 5, /* neighbour towards the peer */
};

static struct end e;
static struct lc_guard_entry *table;
static struct end_packet answer;
static uint64_t now;
static jmp_buf crash;
static const char *awaited; /* the step at which the process dies, or the guard acts */
static void (*deed)(void);  /* NULL: dies */

static void at_step(const char *name)
{
	if (awaited == NULL || strcmp(name, awaited) != 0)
		return;
	awaited = NULL;
	if (deed == NULL)
		longjmp(crash, 1);
	deed();
}

static struct lc_channel *channel(void)
{
	return &e.mirror.channels[e.slot];
}

static union lc_guard_word word(void)
{
	return guard_read(&table[e.slot]);
}

static void start(void)
{
	end_attach(&e, now);
	lc_channels_guard(e.channels, table);
	end_run(&e, now);
}

static void die(void)
{
	lc_channels_detach(e.channels);
	e.channels = NULL;
	end_check(&e);
}

/* Gone and back at a later time. */
static void restart(void)
{
	die();
	now += S;
	start();
}

static int setup(void **state)
{
	(void)state;
	now = T0;
	awaited = NULL;
	deed = NULL;
	guard_step = NULL;
	lc_channel_step = at_step;
	end_open(&e, OURS, PEER);
	end_create(&e, 0, PEER_ID);
	table = guard_table(&e);
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lc_channel_step = NULL;
	end_close(&e);
	free(table);
	return 0;
}

static enum guard_deed guard(int type, uint16_t ns, uint16_t nr)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	size_t length = end_write(bytes, e.id, type, ns, nr, ns);
	return guard_take(table, e.mirror.tunnel_mask, &e.from_peer, bytes, length, now, &answer);
}

static void expect_answer(uint16_t ns, uint16_t nr)
{
	struct lc_l2tp_header h;
	assert_int_equal(answer.length, LC_L2TP_CONTROL_SIZE);
	assert_int_equal(lc_l2tp_parse(answer.bytes, answer.length, &h), 0);
	assert_int_equal(h.tunnel_id, PEER_ID);
	assert_int_equal(h.ns, ns);
	assert_int_equal(h.nr, nr);
}

static void guard_hellos(uint16_t ns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(guard(LC_MSG_HELLO, (uint16_t)(ns + i), 0), GUARD_HELLO);
}

static void receive(enum lc_verdict verdict, int type, uint16_t ns)
{
	assert_int_equal(end_receive(&e, type, ns, channel()->tx.acked, ns, now), verdict);
}

/* The peer's messages from ns on are taken and acknowledged, and nothing else is in the inbox. */
static void expect_goes_on(uint16_t ns)
{
	assert_int_equal(end_consume(&e), END_NOTHING);
	now += LC_ACK_DELAY_MS; /* what is owed from before */
	end_run(&e, now);
	e.n_sent = 0;
	receive(LC_TAKEN, LC_MSG_ICRQ, ns);
	receive(LC_TAKEN, LC_MSG_HELLO, (uint16_t)(ns + 1));
	now += LC_ACK_DELAY_MS;
	end_run(&e, now);
	end_expect(&e, LC_MSG_ZLB, channel()->tx.next, (uint16_t)(ns + 2));
	assert_int_equal(end_consume(&e), ns);
	assert_int_equal(end_consume(&e), END_NOTHING);
	assert_int_equal(word().nr, (uint16_t)(ns + 2));
	end_check(&e);
}

/* Receives, and dies at a step. */
static void die_receiving(const char *step, int type, uint16_t ns)
{
	awaited = step;
	if (setjmp(crash) == 0) {
		receive(LC_TAKEN, type, ns);
		fail_msg("no step %s", step);
	}
	die();
}

/* ---- an entry */

static void an_entry_says_who_is_answered(void **state)
{
	(void)state;
	struct lc_tunnel *t = end_tunnel(&e);
	t->local_udp_port = 1702;
	end_commit(&e);
	e.mirror.neighbours[HOP].link =
	    (union lc_neighbour_link){.mac = {2, 0, 0, 0, 0, 9}, .state = LC_NEIGHBOUR_REACHABLE};
	channel()->next_hop = HOP;
	end_run(&e, now);
	const struct lc_guard_entry *entry = &table[e.slot];
	assert_int_equal(entry->word.id, e.id);
	assert_int_equal(entry->word.generation, e.mirror.tunnels[e.slot].door.generation);
	assert_int_equal(entry->peer_address, htonl(PEER));
	assert_int_equal(entry->local_address, htonl(OURS));
	assert_int_equal(entry->peer_udp_port, htons(LC_L2TP_UDP_PORT));
	assert_int_equal(entry->local_udp_port, htons(1702));
	assert_int_equal(entry->peer_id, PEER_ID);
	assert_memory_equal(entry->mac, ((uint8_t[]){2, 0, 0, 0, 0, 9}), 6);
	const uint16_t nowhere[] = {0, LC_MAX_NEIGHBOURS, UINT16_MAX, HOP + 1};
	for (unsigned i = 0; i < 4; i++) {
		channel()->next_hop = nowhere[i];
		lc_dirty_set(&e.mirror.to_dataplane, e.slot);
		end_run(&e, now);
		assert_memory_equal(entry->mac, ((uint8_t[6]){0}), 6);
		assert_int_equal(entry->word.id, e.id);
	}
}

static void set_peer(uint16_t port, uint16_t id)
{
	struct lc_tunnel *t = end_tunnel(&e);
	t->peer_udp_port = port;
	t->peer_id = id;
	end_commit(&e);
}

static void its_identity_changes_and_no_number_is_lost(void **state)
{
	(void)state;
	guard_hellos(0, 3);
	set_peer(4000, PEER_ID);
	end_run(&e, now);
	assert_int_equal(channel()->rx.nr, 3);
	assert_int_equal(guard(LC_MSG_HELLO, 3, 0), GUARD_WRONG_PEER);
	e.from_peer.peer_udp_port = 4000;
	guard_hellos(3, 1);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 3);
	expect_goes_on(4);
}

static void take_three(void)
{
	guard_hellos(0, 3);
}

static void the_guard_goes_on_while_it_changes(void **state)
{
	(void)state;
	set_peer(4000, PEER_ID);
	awaited = "swap";
	deed = take_three;
	end_run(&e, now);
	assert_null(awaited);
	assert_int_equal(channel()->rx.nr, 3);
	e.from_peer.peer_udp_port = 4000;
	expect_goes_on(3);
}

static void a_death_while_it_changes_loses_nothing(void **state)
{
	(void)state;
	const char *const steps[] = {"adopted", "swap", "withdrawn", "named", "published"};
	for (uint16_t i = 0; i < 5; i++) {
		uint16_t ns = (uint16_t)(5 * i);
		guard_hellos(ns, 3);
		set_peer((uint16_t)(4000 + i), PEER_ID);
		awaited = steps[i];
		if (setjmp(crash) == 0) {
			end_run(&e, now);
			fail_msg("no step %s", steps[i]);
		}
		die();
		now += S;
		start();
		assert_int_equal(channel()->rx.nr, (uint16_t)(ns + 3));
		e.from_peer.peer_udp_port = (uint16_t)(4000 + i);
		expect_goes_on((uint16_t)(ns + 3));
	}
}

static void set_mode(enum lc_mode mode)
{
	end_tunnel(&e)->door.mode = (uint8_t)mode;
	end_commit(&e);
	end_run(&e, now);
}

static void a_held_channel_is_not_answered_and_keeps_its_numbers(void **state)
{
	(void)state;
	guard_hellos(0, 2);
	set_mode(LC_MODE_HELD);
	assert_int_equal(word().word, 0);
	assert_int_equal(guard(LC_MSG_HELLO, 2, 0), GUARD_NO_TUNNEL);
	restart();
	assert_int_equal(word().word, 0);
	set_mode(LC_MODE_ESTABLISHED);
	guard_hellos(2, 1);
	expect_goes_on(3);
}

static void held_while_nobody_looks(void **state)
{
	(void)state;
	die();
	guard_hellos(0, 2);
	end_tunnel(&e)->door.mode = LC_MODE_HELD;
	end_commit(&e);
	start();
	assert_int_equal(word().word, 0);
	set_mode(LC_MODE_ESTABLISHED);
	expect_goes_on(2);
}

static void not_known_mortal_dead_or_parting_it_is_not_answered(void **state)
{
	(void)state;
	set_peer(LC_L2TP_UDP_PORT, 0);
	end_run(&e, now);
	assert_int_equal(word().word, 0);
	set_peer(LC_L2TP_UDP_PORT, PEER_ID);
	end_run(&e, now);
	assert_int_equal(word().id, e.id);

	struct lc_tunnel *t = end_tunnel(&e);
	t->mortal = 1;
	t->life = lc_control_begin(&e.mirror, 1, now);
	end_commit(&e);
	end_run(&e, now);
	assert_int_equal(word().word, 0);
	end_tunnel(&e)->mortal = 0;
	end_commit(&e);
	end_run(&e, now);
	assert_int_equal(word().id, e.id);

	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	for (unsigned i = 0; i < 200 && !channel()->tx.dead; i++)
		end_run(&e, now += S);
	assert_int_equal(channel()->tx.dead, 1);
	assert_int_equal(word().word, 0);
	restart();
	assert_int_equal(word().word, 0);
}

static void a_farewell_ends_it(void **state)
{
	(void)state;
	assert_true(end_send(&e, LC_MSG_STOPCCN, 1));
	end_tunnel(&e)->door.mode = LC_MODE_FAREWELL;
	end_commit(&e);
	die();
	end_attach(&e, now);
	lc_channels_guard(e.channels, table); /* before its turn */
	assert_int_equal(word().word, 0);
	end_run(&e, now);
	assert_int_equal(channel()->tx.dead, 2);
	assert_int_equal(word().word, 0);
}

static void a_closing_channel_is_answered(void **state)
{
	(void)state;
	set_mode(LC_MODE_CLOSING);
	guard_hellos(0, 1);
	expect_answer(0, 1);
}

static void no_table(void **state)
{
	(void)state;
	die();
	union lc_guard_word before = word();
	end_attach(&e, now);
	lc_channels_guard(e.channels, NULL);
	end_run(&e, now);
	receive(LC_TAKEN, LC_MSG_HELLO, 0);
	receive(LC_TAKEN, LC_MSG_ICRQ, 1);
	set_mode(LC_MODE_HELD);
	assert_int_equal(word().word, before.word);
}

/* ---- an outage */

static void hellos_are_answered_while_nobody_is_there(void **state)
{
	(void)state;
	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	end_run(&e, now);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	die();
	now += 70 * S;
	assert_int_equal(guard(LC_MSG_HELLO, 0, 1), GUARD_HELLO);
	expect_answer(1, 1);
	assert_int_equal(guard(LC_MSG_HELLO, 0, 1), GUARD_DUPLICATE);
	expect_answer(1, 1);
	assert_int_equal(guard(LC_MSG_HELLO, 1, 2), GUARD_MALFORMED);
	assert_int_equal(guard(LC_MSG_HELLO, 2, 1), GUARD_EARLY);
	assert_int_equal(guard(LC_MSG_ICRQ, 1, 1), GUARD_MESSAGE);
	assert_int_equal(guard(LC_MSG_ZLB, 1, 1), GUARD_ZLB);
	now += S;
	start();
	assert_int_equal(channel()->rx.nr, 1);
	assert_int_equal(channel()->rx.told, 1);
	assert_int_equal(channel()->hello_received, 1);
	assert_int_equal(channel()->received, 1);
	assert_int_equal(channel()->last_received, now - S);
	/* Our message again, but no HELLO: the guard has heard the peer. */
	assert_int_equal(e.n_sent, 1);
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 1, 1, 0, now), LC_TAKEN);
	expect_goes_on(1);
}

static void any_number_of_hellos(void **state)
{
	(void)state;
	const uint32_t hellos[] = {0,     1,     2,     63,    64,    65,     255,    256,
				   257,   32766, 32767, 32768, 32769, 65471,  65472,  65535,
				   65536, 65537, 65538, 65600, 70000, 131071, 131072, 200000};
	uint16_t ns = 0;
	uint64_t received = 0;
	for (unsigned i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		receive(LC_TAKEN, LC_MSG_ICRQ, ns++);
		receive(LC_TAKEN, LC_MSG_HELLO, ns++);
		receive(LC_TAKEN, LC_MSG_ICRQ, ns++);
		received = channel()->received;
		die();
		assert_int_equal(guard(LC_MSG_ICRQ, (uint16_t)(ns - 1), 0), GUARD_DUPLICATE);
		guard_hellos(ns, hellos[i]);
		now += S;
		start();
		uint16_t first = (uint16_t)(ns - 3);
		ns = (uint16_t)(ns + hellos[i]);
		assert_int_equal(channel()->rx.nr, ns);
		assert_true(hellos[i] == 0 || hellos[i] % 65536 == 0 || channel()->rx.told == ns);
		assert_int_equal(channel()->received, received + hellos[i] % 65536);
		assert_int_equal(end_consume(&e), first);
		assert_int_equal(end_consume(&e), (uint16_t)(first + 2));
		expect_goes_on(ns);
		ns = (uint16_t)(ns + 2);
	}
}

static void a_message_in_the_inbox_that_was_not_published(void **state)
{
	(void)state;
	die_receiving("taken", LC_MSG_ICRQ, 0);
	assert_int_equal(word().nr, 0);
	assert_int_equal(guard(LC_MSG_ICRQ, 0, 0), GUARD_MESSAGE);
	assert_int_equal(guard(LC_MSG_HELLO, 1, 0), GUARD_EARLY);
	now += S;
	start();
	assert_int_equal(channel()->rx.nr, 1);
	assert_int_equal(word().nr, 1);
	receive(LC_DUPLICATE, LC_MSG_ICRQ, 0);
	assert_int_equal(end_consume(&e), 0);
	expect_goes_on(1);
}

static void published_and_not_acknowledged(void **state)
{
	(void)state;
	die_receiving("published", LC_MSG_ICRQ, 0);
	e.n_sent = 0;
	assert_int_equal(guard(LC_MSG_ICRQ, 0, 0), GUARD_DUPLICATE);
	expect_answer(0, 1);
	guard_hellos(1, 1);
	now += S;
	start();
	assert_int_equal(end_consume(&e), 0);
	expect_goes_on(2);
}

static void a_hello_that_the_word_has_and_not_the_mirror(void **state)
{
	(void)state;
	die_receiving("promised", LC_MSG_HELLO, 0);
	assert_int_equal(channel()->rx.nr, 0);
	assert_int_equal(guard(LC_MSG_HELLO, 0, 0), GUARD_DUPLICATE);
	expect_answer(0, 1);
	now += S;
	start();
	expect_goes_on(1);
}

static void hellos_around_one_that_was_not_acknowledged(void **state)
{
	(void)state;
	die_receiving("hello taken", LC_MSG_HELLO, 0);
	guard_hellos(1, 65535);
	now += S;
	start();
	assert_int_equal(channel()->rx.nr, 0);
	expect_goes_on(0);
}

static void numbered_and_not_published(void **state)
{
	(void)state;
	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	awaited = "numbered";
	if (setjmp(crash) == 0) {
		end_run(&e, now);
		fail_msg("not numbered");
	}
	die();
	guard_hellos(0, 1);
	expect_answer(0, 1);
	now += S;
	start();
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
}

static void published_and_not_sent(void **state)
{
	(void)state;
	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	awaited = "published";
	if (setjmp(crash) == 0) {
		end_run(&e, now);
		fail_msg("not published");
	}
	die();
	end_expect_nothing(&e);
	guard_hellos(0, 1);
	expect_answer(1, 1);
	now += S;
	start();
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
}

static void adopted_and_not_counted(void **state)
{
	(void)state;
	die();
	guard_hellos(0, 5);
	for (unsigned i = 0; i < 2; i++) {
		end_attach(&e, now);
		awaited = "adopted";
		if (setjmp(crash) == 0) {
			lc_channels_guard(e.channels, table);
			assert_int_equal(i, 1); /* equal now: nothing to take */
		}
		die();
		assert_int_equal(channel()->rx.nr, 5);
	}
	awaited = NULL;
	start();
	lc_channels_guard(e.channels, table);
	lc_channels_guard(e.channels, table);
	expect_goes_on(5);
}

/* ---- both at once */

static void take_one(void)
{
	assert_int_equal(guard(LC_MSG_HELLO, channel()->rx.nr, 0), GUARD_HELLO);
}

static void the_guard_is_faster(void **state)
{
	(void)state;
	deed = take_one;
	awaited = "swap"; /* of publishing: nothing is new but the HELLO itself */
	receive(LC_TAKEN, LC_MSG_HELLO, 0);
	assert_null(awaited);
	expect_answer(0, 1);
	assert_int_equal(channel()->rx.nr, 1);
	assert_int_equal(channel()->hello_received, 1);
	assert_int_equal(channel()->received, 1);
	end_expect_nothing(&e); /* the guard has acknowledged */
	expect_goes_on(1);
}

static void the_guard_is_faster_than_a_message_is_published(void **state)
{
	(void)state;
	receive(LC_TAKEN, LC_MSG_ICRQ, 0);
	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	deed = take_one;
	awaited = "swap";
	end_run(&e, now);
	assert_null(awaited);
	end_expect(&e, LC_MSG_ICRQ, 0, 2); /* adopted before the packet was written */
	assert_int_equal(word().ns, 1);
	assert_int_equal(end_consume(&e), 0);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 1, 1, 0, now), LC_TAKEN);
	expect_goes_on(2);
}

static void receive_hello(void)
{
	receive(LC_TAKEN, LC_MSG_HELLO, 0);
}

static void we_are_faster(void **state)
{
	(void)state;
	guard_step = receive_hello;
	assert_int_equal(guard(LC_MSG_HELLO, 0, 0), GUARD_RACE);
	guard_step = NULL;
	assert_int_equal(answer.length, 0);
	assert_int_equal(guard(LC_MSG_HELLO, 0, 0), GUARD_DUPLICATE);
	expect_goes_on(1);
}

static void it_wakes_with_packets_in_its_queue(void **state)
{
	(void)state;
	guard_hellos(0, 4);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 0);
	end_expect(&e, LC_MSG_ZLB, 0, 4);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 3);
	end_expect_nothing(&e); /* one is enough for a burst */
	expect_goes_on(4);
}

static void it_wakes_with_a_packet_written(void **state)
{
	(void)state;
	assert_true(end_send(&e, LC_MSG_ICRQ, 1));
	deed = take_one;
	awaited = "sent";
	end_run(&e, now);
	expect_answer(1, 1);
	end_expect(&e, LC_MSG_ICRQ, 0, 0); /* older than the guard's: nothing new to the peer */
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 1, 1, 0, now), LC_TAKEN);
	expect_goes_on(1);
}

static void the_next_message_overtakes_the_hello(void **state)
{
	(void)state;
	receive(LC_HELD, LC_MSG_ICRQ, 1);
	guard_hellos(0, 1);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 0); /* any look */
	assert_int_equal(end_consume(&e), 1);
	guard_hellos(2, 1);
	receive(LC_TAKEN, LC_MSG_ICRQ, 3);
	assert_int_equal(end_consume(&e), 3);
	expect_goes_on(4);
}

static void what_is_held_of_a_hello_that_the_guard_took_is_forgotten(void **state)
{
	(void)state;
	receive(LC_HELD, LC_MSG_HELLO, 1);
	guard_hellos(0, 3);
	restart(); /* without its memory, then with it */
	receive(LC_HELD, LC_MSG_HELLO, 4);
	guard_hellos(3, 65534);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 0);
	guard_hellos(1, 3);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 3); /* else Ns 4 would be found, and is of long ago */
	assert_int_equal(channel()->rx.nr, 4);
	expect_goes_on(4);
}

/* ---- tenants, resets, other tables */

static void free_tunnel(void)
{
	lc_txn_free_tunnel(e.txn, e.slot);
	end_commit(&e);
	end_run(&e, now);
}

static void the_tenant_leaves_while_the_guard_decides(void **state)
{
	(void)state;
	guard_step = free_tunnel;
	assert_int_equal(guard(LC_MSG_HELLO, 0, 0), GUARD_RACE);
	assert_int_equal(word().word, 0);
}

static void the_tenant_leaves_while_nobody_looks(void **state)
{
	(void)state;
	guard_hellos(0, 2);
	die();
	lc_txn_free_tunnel(e.txn, e.slot);
	end_commit(&e);
	assert_int_equal(guard(LC_MSG_HELLO, 2, 0), GUARD_HELLO);
	start();
	assert_int_equal(word().word, 0);
	die();
	e.mirror.tunnels[e.slot].next_session = 0;
	end_create(&e, 0, PEER_ID);
	start();
	expect_goes_on(0);
}

static void a_reset_begins_anew_whatever_the_guard_took(void **state)
{
	(void)state;
	for (unsigned attached = 0; attached < 2; attached++) {
		guard_hellos(channel()->rx.nr, 3);
		if (!attached)
			die();
		end_tunnel(&e);
		lc_txn_reset_channel(e.txn, e.slot, 30000, 50000);
		end_commit(&e);
		if (!attached)
			start();
		end_run(&e, now);
		assert_int_equal(channel()->rx.nr, 50000);
		assert_int_equal(word().nr, 50000);
		assert_int_equal(word().ns, 30000);
		assert_int_equal(word().generation, e.mirror.tunnels[e.slot].door.generation);
		expect_goes_on(50000);
	}
}

static void a_reset_that_is_half_committed_is_not_answered(void **state)
{
	(void)state;
	e.mirror.tunnels[e.slot].reset_generation++;
	for (unsigned i = 0; i < 2; i++) {
		lc_dirty_set(&e.mirror.to_dataplane, e.slot);
		end_run(&e, now);
		assert_int_equal(word().word, 0);
		if (i == 0) {
			lc_channels_detach(e.channels);
			start();
		}
	}
	e.mirror.tunnels[e.slot].reset_generation--;
}

static void a_table_of_another_mirror(void **state)
{
	(void)state;
	guard_hellos(0, 3);
	die();
	lc_guard_clear(table, guard_slots(&e));
	for (uint32_t i = 0; i < guard_slots(&e); i++)
		assert_int_equal(table[i].word.word, 0);
	table[e.slot].word = (union lc_guard_word){
	    .nr = 9, .id = e.id, .generation = (uint8_t)(word().generation + 9)};
	for (uint32_t i = 0; i < guard_slots(&e); i++)
		if (i != e.slot)
			table[i].word.word = UINT64_MAX;
	start();
	for (uint32_t i = 0; i < guard_slots(&e); i++)
		assert_true(i == e.slot || table[i].word.word == 0);
	expect_goes_on(0);
}

struct other_entry { /* of a later version */
	union lc_guard_word word;
	uint64_t more[15];
};

static void a_table_of_another_version(void **state)
{
	(void)state;
	struct other_entry *other = calloc(guard_slots(&e), sizeof(*other));
	assert_non_null(other);
	receive(LC_TAKEN, LC_MSG_ICRQ, 0);
	for (uint32_t i = 0; i < guard_slots(&e); i++) {
		other[i].word = table[i].word;
		memset(other[i].more, 0xff, sizeof(other[i].more));
	}
	die();
	other[e.slot].word.nr = (uint16_t)(other[e.slot].word.nr + 40000);
	lc_guard_clear(table, guard_slots(&e));
	lc_guard_merge(table, other, guard_slots(&e), sizeof(*other));
	assert_int_equal(word().word, other[e.slot].word.word);
	assert_int_equal(guard(LC_MSG_HELLO, 40001, 0), GUARD_WRONG_PEER);
	start();
	assert_int_equal(channel()->rx.nr, 40001);
	guard_hellos(40001, 1);
	expect_answer(0, 40002);
	/* Once more: the old one is behind, then ahead; then of another tenant. */
	lc_guard_merge(table, other, guard_slots(&e), sizeof(*other));
	assert_int_equal(word().nr, 40002);
	other[e.slot].word.nr = 40005;
	lc_guard_merge(table, other, guard_slots(&e), sizeof(*other));
	assert_int_equal(word().nr, 40005);
	assert_int_equal(guard(LC_MSG_HELLO, 40005, 0), GUARD_HELLO);
	other[e.slot].word.generation++;
	other[e.slot].word.nr = 50000;
	lc_guard_merge(table, other, guard_slots(&e), sizeof(*other));
	assert_int_equal(word().nr, 40006);
	end_run(&e, now);
	receive(LC_DUPLICATE, LC_MSG_HELLO, 40005);
	assert_int_equal(end_consume(&e), 0);
	expect_goes_on(40006);
	free(other);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_entry_says_who_is_answered),
	    T(its_identity_changes_and_no_number_is_lost),
	    T(the_guard_goes_on_while_it_changes),
	    T(a_death_while_it_changes_loses_nothing),
	    T(a_held_channel_is_not_answered_and_keeps_its_numbers),
	    T(held_while_nobody_looks),
	    T(not_known_mortal_dead_or_parting_it_is_not_answered),
	    T(a_farewell_ends_it),
	    T(a_closing_channel_is_answered),
	    T(no_table),
	    T(hellos_are_answered_while_nobody_is_there),
	    T(any_number_of_hellos),
	    T(a_message_in_the_inbox_that_was_not_published),
	    T(published_and_not_acknowledged),
	    T(a_hello_that_the_word_has_and_not_the_mirror),
	    T(hellos_around_one_that_was_not_acknowledged),
	    T(numbered_and_not_published),
	    T(published_and_not_sent),
	    T(adopted_and_not_counted),
	    T(the_guard_is_faster),
	    T(the_guard_is_faster_than_a_message_is_published),
	    T(we_are_faster),
	    T(it_wakes_with_packets_in_its_queue),
	    T(it_wakes_with_a_packet_written),
	    T(the_next_message_overtakes_the_hello),
	    T(what_is_held_of_a_hello_that_the_guard_took_is_forgotten),
	    T(the_tenant_leaves_while_the_guard_decides),
	    T(the_tenant_leaves_while_nobody_looks),
	    T(a_reset_begins_anew_whatever_the_guard_took),
	    T(a_reset_that_is_half_committed_is_not_answered),
	    T(a_table_of_another_mirror),
	    T(a_table_of_another_version),
	};
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
