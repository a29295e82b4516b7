/* SPDX-License-Identifier: BSD-3-Clause */
/* The hand-over between a channel and the guard, at every step. A peer by the book plays one script of messages and
 * HELLOs, again and again; each time something happens at another one of the steps between two stores:
 *   the process dies, the guard is alone for a while, which may last any number of HELLOs, and another goes on;
 *   the guard gets the peer's packets, as if the process had been stopped there, and the process goes on.
 * The model is the peer's: what is acknowledged was sent; messages are consumed once and in order; each of ours
 * has one number. */
#include "guard_stand_in.h"

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	T0 = 1000,
	START = 65530, /* Ns of the peer's first */
	OUR_START = 65533,
	ENDLESS = 400, /* turns */
};

static const char script[] = "mhhmmhmmmhhhm"; /* m: a message, h: a HELLO */

static struct end e;
static struct lc_guard_entry *table;
static uint64_t now;
static jmp_buf crash;
static bool alive, meeting;
static unsigned steps, happens_at;
static bool dies;
static uint32_t ours; /* messages that our control plane has sent */

static struct {
	unsigned at;          /* in the script */
	uint16_t acked, next; /* Ns */
	uint16_t nr;          /* expected of us */
	uint32_t sent;        /* messages, the payload of the next */
	uint32_t consumed;    /* by our control plane */
	uint32_t heard;       /* messages of ours */
	uint32_t what[65536]; /* by Ns */
} peer;

static void peer_hear(const struct end_packet *p)
{
	struct lc_l2tp_header h;
	assert_int_equal(lc_l2tp_parse(p->bytes, p->length, &h), 0);
	assert_int_equal(h.tunnel_id, PEER_ID);
	assert_false(lc_seq_before(peer.next, h.nr)); /* it acknowledges what was sent */
	if (lc_seq_before(peer.acked, h.nr))
		peer.acked = h.nr;
	if (p->length == LC_L2TP_CONTROL_SIZE || h.ns != peer.nr)
		return;
	uint32_t payload = end_payload(p->bytes, p->length);
	assert_true(payload == END_EMPTY || payload == peer.heard);
	peer.heard += payload != END_EMPTY;
	peer.nr++;
}

static void to_guard(const struct end_packet *p)
{
	struct end_packet answer;
	(void)guard_take(table, e.mirror.tunnel_mask, &e.from_peer, p->bytes, p->length, now,
			 &answer);
	if (answer.length != 0)
		peer_hear(&answer);
}

static void collect(void)
{
	for (unsigned i = 0; i < e.n_sent; i++)
		peer_hear(&e.sent[i]);
	e.n_sent = 0;
}

static void to_us(const struct end_packet *p)
{
	if (!alive || meeting) {
		to_guard(p);
		return;
	}
	lc_channels_receive(e.channels, &e.from_peer, p->bytes, p->length, now);
	collect();
}

static void peer_send(int type, uint16_t ns)
{
	struct end_packet p;
	p.length = (uint16_t)end_write(p.bytes, e.id, type, ns, peer.nr, peer.what[ns]);
	to_us(&p);
}

static void peer_begin(bool hello)
{
	peer.what[peer.next++] = hello ? END_EMPTY : peer.sent++;
}

/* Two messages at most at a time, or a HELLO. */
static void peer_go_on(void)
{
	for (unsigned i = 0; i < 2 && peer.acked == (uint16_t)(peer.next - i) && script[peer.at];
	     i++)
		if (i == 0 || (script[peer.at - 1] == 'm' && script[peer.at] == 'm'))
			peer_begin(script[peer.at++] == 'h');
}

/* Sends all that is outstanding, again or for the first time; acknowledges what it has got. */
static void peer_turn(void)
{
	peer_go_on();
	for (uint16_t ns = peer.acked, end = peer.next; ns != end; ns++)
		if (!lc_seq_before(ns, peer.acked))
			peer_send(peer.what[ns] == END_EMPTY ? LC_MSG_HELLO : LC_MSG_ICRQ, ns);
	peer_send(LC_MSG_ZLB, peer.next);
}

static void at_step(const char *name)
{
	(void)name;
	if (!alive || meeting || ++steps != happens_at)
		return;
	if (dies)
		longjmp(crash, 1);
	/* What it has written before it was stopped has left. */
	meeting = true;
	peer_turn();
	peer_turn();
	meeting = false;
}

static void consume_all(void)
{
	int64_t payload;
	while ((payload = end_consume(&e)) != END_NOTHING)
		assert_int_equal(payload, peer.consumed++);
}

static bool is_done(void)
{
	return script[peer.at] == 0 && peer.acked == peer.next && peer.consumed == peer.sent &&
	       peer.heard == 2 && e.mirror.channels[e.slot].tx.acked == peer.nr;
}

static void come(void)
{
	end_attach(&e, now);
	alive = true;
	lc_channels_guard(e.channels, table);
	end_run(&e, now);
	collect();
}

static void outage(uint32_t hellos)
{
	alive = false;
	lc_channels_detach(e.channels);
	e.channels = NULL;
	collect(); /* has left before */
	end_check(&e);
	peer_turn();
	peer_turn();
	for (uint32_t i = 0; i < hellos && peer.acked == peer.next; i++) {
		peer_begin(true);
		peer_send(LC_MSG_HELLO, (uint16_t)(peer.next - 1));
	}
	if (hellos > 0 && peer.acked == peer.next)
		consume_all();
}

static void begin(void)
{
	now = T0;
	steps = ours = 0;
	alive = meeting = false;
	memset(&peer, 0, sizeof(peer));
	peer.acked = peer.next = START;
	peer.nr = OUR_START;
	end_open(&e, OURS, PEER);
	end_create(&e, 0, PEER_ID);
	end_start_at(&e, OUR_START, START, 0, 0);
	end_tunnel(&e)->hello_ms = 250;
	end_commit(&e);
	table = guard_table(&e);
}

static void turn(unsigned i, uint32_t hellos)
{
	if (setjmp(crash) != 0)
		outage(hellos);
	now += i % 3 == 0 ? 1000 : 10;
	if (!alive)
		come();
	if (i >= 2 && ours == i - 2 && ours < 2)
		assert_true(end_send(&e, LC_MSG_ICRQ, ours++));
	end_run(&e, now);
	collect();
	peer_turn();
	if (i % 4 == 3)
		consume_all();
	if (i == 6) { /* its identity changes */
		end_tunnel(&e)->local_udp_port = 1702;
		end_commit(&e);
	}
	now += LC_ACK_DELAY_MS;
	end_run(&e, now);
	collect();
}

/* false: there are fewer steps. */
static bool play(unsigned at, bool dying, uint32_t hellos)
{
	begin();
	happens_at = at;
	dies = dying;
	for (volatile unsigned i = 0; i < 12 || !is_done(); i++) {
		if (i == ENDLESS)
			fail_msg("step %u: %u of ours and %u of the peer's arrived; acked %u of %u",
				 at, peer.heard, peer.consumed, peer.acked, peer.next);
		turn(i, hellos);
	}
	assert_int_equal(e.mirror.channels[e.slot].rx.nr, peer.next);
	assert_int_equal(e.mirror.channels[e.slot].malformed, 0);
	assert_int_equal(guard_read(&table[e.slot]).nr, peer.next);
	end_check(&e);
	end_close(&e);
	free(table);
	return steps >= at;
}

static unsigned explore(bool dying, uint32_t hellos)
{
	unsigned at = 1;
	lc_channel_step = at_step;
	while (play(at, dying, hellos))
		at++;
	lc_channel_step = NULL;
	return at - 1;
}

static void it_dies_at_each_step(void **state)
{
	(void)state;
	const uint32_t hellos[] = {0, 1, 5, 32768, 65534, 65535, 65536, 65537};
	for (unsigned i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++)
		print_message("%u HELLOs: %u steps\n", hellos[i], explore(true, hellos[i]));
}

static void the_guard_acts_at_each_step(void **state)
{
	(void)state;
	unsigned n = explore(false, 0);
	print_message("%u steps\n", n);
	assert_true(n > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_dies_at_each_step),
	    cmocka_unit_test(the_guard_acts_at_each_step),
	};
	return cmocka_run_group_tests_name("guard_explore", tests, NULL, NULL);
}
