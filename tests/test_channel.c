/* SPDX-License-Identifier: BSD-3-Clause */
/* The reliable control channel, rule by rule (RFC 2661 sections 5.5, 5.7, 5.8, appendices A and B).
 */
#include "channel_end.h"

enum {
	OURS = 0x0a000001,
	PEER = 0x0a000002,
	PEER_ID = 77,
	T0 = 1000, /* ms: when tests start */
	S = 1000,
};

static struct end e;

static int setup(void **state)
{
	(void)state;
	end_open(&e, OURS, PEER);
	end_create(&e, 0, PEER_ID);
	end_attach(&e, T0);
	end_run(&e, T0);
	end_marked(&e);
	e.notified = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	end_check(&e);
	end_close(&e);
	return 0;
}

static struct lc_channel *channel(void)
{
	return &e.mirror.channels[e.slot];
}

/* Sends n messages that the peer does not acknowledge. */
static void send_some(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(end_send(&e, LC_MSG_ICRQ, i));
}

/* ---- receiving (5.8) */

static void in_order_is_delivered_and_acknowledged_late(void **state)
{
	(void)state;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0), LC_TAKEN);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	assert_int_equal(end_consume(&e), 10);
	end_run(&e, T0 + LC_ACK_DELAY_MS - 1);
	end_expect_nothing(&e);
	assert_int_equal(lc_channels_next(e.channels), T0 + LC_ACK_DELAY_MS);
	end_run(&e, T0 + LC_ACK_DELAY_MS);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	end_expect_nothing(&e);
}

static void a_reply_carries_the_acknowledgement(void **state)
{
	(void)state;
	end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0);
	send_some(1);
	end_run(&e, T0 + 5);
	end_expect(&e, LC_MSG_ICRQ, 0, 1);
	end_run(&e, T0 + 500);
	end_expect_nothing(&e);
}

static void half_a_window_is_acknowledged_at_once(void **state)
{
	(void)state;
	end_receive(&e, LC_MSG_ICRQ, 0, 0, 0, T0);
	end_expect_nothing(&e);
	end_receive(&e, LC_MSG_ICRQ, 1, 0, 1, T0);
	end_expect(&e, LC_MSG_ZLB, 0, 2);
}

static void a_duplicate_is_acknowledged_and_not_delivered(void **state)
{
	(void)state;
	end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0);
	end_run(&e, T0 + 20);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0 + S), LC_DUPLICATE);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	assert_int_equal(end_consume(&e), 10);
	assert_int_equal(end_consume(&e), END_NOTHING);
	/* 32767 before the last is a duplicate still, 32768 before it is one to come (5.8). */
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, (uint16_t)(0 - 32767), 0, 10, T0 + 2 * S),
			 LC_DUPLICATE);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, (uint16_t)(0 - 32768), 0, 10, T0 + 2 * S),
			 LC_OUTSIDE);
}

static void a_burst_of_duplicates_draws_one_answer(void **state)
{
	(void)state;
	end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0);
	end_run(&e, T0 + 20);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0 + S), LC_DUPLICATE);
	end_run(&e, T0 + S + 20);
	end_run(&e, T0 + S + 60);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	end_expect(&e, LC_MSG_ZLB, 0, 1); /* for those that came after the first answer */
	end_expect_nothing(&e);
}

static void a_zlb_takes_no_number(void **state)
{
	(void)state;
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 0, 0, 0, T0), LC_TAKEN);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 3, 0, 0, T0), LC_TAKEN);
	assert_int_equal(channel()->rx.nr, 0);
	end_run(&e, T0 + 100);
	end_expect_nothing(&e); /* and is not acknowledged */
	end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0 + 100);
	end_run(&e, T0 + 200);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	send_some(1);
	end_run(&e, T0 + 200);
	end_expect(&e, LC_MSG_ICRQ, 0, 1); /* ours took none either */
}

static void early_messages_wait_for_their_turn(void **state)
{
	(void)state;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 2, 0, 12, T0), LC_HELD);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 11, T0), LC_HELD);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 11, T0), LC_HELD);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 4, 0, 14, T0), LC_OUTSIDE);
	assert_int_equal(end_consume(&e), END_NOTHING);
	end_run(&e, T0 + S);
	end_expect_nothing(&e); /* not acknowledged: not in the inbox */
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0 + S), LC_TAKEN);
	end_expect(&e, LC_MSG_ZLB, 0, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(end_consume(&e), 10 + i);
	assert_int_equal(end_consume(&e), END_NOTHING);
}

static void a_full_inbox_is_not_acknowledged_and_recovers(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < LC_RING; i++)
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, i, 0, i, T0), LC_TAKEN);
	e.n_sent = 0;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING + 1, 0, LC_RING + 1, T0 + 100),
			 LC_HELD);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING, 0, LC_RING, T0 + 100), LC_FULL);
	end_run(&e, T0 + 200);
	end_expect_nothing(&e);
	/* A HELLO needs no room, but has its turn. */
	assert_int_equal(end_consume(&e), 0);
	assert_int_equal(end_consume(&e), 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING, 0, LC_RING, T0 + S), LC_TAKEN);
	assert_int_equal(channel()->rx.nr, LC_RING + 2);
	assert_int_equal(end_receive(&e, LC_MSG_HELLO, LC_RING + 2, 0, 0, T0 + S), LC_TAKEN);
	for (int i = 2; i < LC_RING + 2; i++)
		assert_int_equal(end_consume(&e), i);
}

/* A control plane that is slower than its peer sends is no reason to have messages sent again. */
static void what_a_full_inbox_refuses_comes_in_by_itself(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < LC_RING; i++)
		end_receive(&e, LC_MSG_ICRQ, i, 0, i, T0);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING, 0, LC_RING, T0), LC_FULL);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING + 1, 0, LC_RING + 1, T0), LC_HELD);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, LC_RING, 0, LC_RING, T0), LC_FULL);
	assert_int_equal(channel()->rx.nr, LC_RING);
	assert_int_equal(channel()->inbox_full, 2);
	for (int i = 0; i < LC_RING + 2; i++) {
		assert_int_equal(end_consume(&e), i);
		end_run(&e, T0);
	}
	assert_int_equal(channel()->rx.nr, LC_RING + 2);
	assert_int_equal(channel()->inbox_full, 2);
	assert_int_equal(end_consume(&e), END_NOTHING);
}

static void a_held_message_is_delivered_when_room_comes(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < LC_RING - 1; i++)
		end_receive(&e, LC_MSG_ICRQ, i, 0, i, T0);
	end_receive(&e, LC_MSG_ICRQ, LC_RING, 0, LC_RING, T0);
	end_receive(&e, LC_MSG_ICRQ, LC_RING - 1, 0, LC_RING - 1, T0);
	assert_int_equal(channel()->rx.nr, LC_RING);
	assert_int_equal(end_consume(&e), 0);
	e.n_sent = 0;
	end_run(&e, T0 + S); /* the commit has marked the tunnel for us */
	assert_int_equal(channel()->rx.nr, LC_RING + 1);
	end_run(&e, T0 + 2 * S);
	end_expect(&e, LC_MSG_ZLB, 0, LC_RING + 1);
}

static void an_nr_beyond_what_was_sent_is_malformed(void **state)
{
	(void)state;
	send_some(1);
	end_run(&e, T0);
	e.n_sent = 0;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 2, 10, T0), LC_MALFORMED);
	assert_int_equal(end_receive(&e, LC_MSG_ZLB, 0, 32767, 10, T0), LC_MALFORMED);
	assert_int_equal(end_consume(&e), END_NOTHING);
	assert_int_equal(channel()->tx.acked, 0);
	assert_int_equal(channel()->malformed, 2);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 1, 10, T0), LC_TAKEN);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 11, T0),
			 LC_TAKEN); /* an old Nr is late, not wrong */
	assert_int_equal(channel()->tx.acked, 1);
}

static void messages_of_others_are_refused(void **state)
{
	(void)state;
	struct lc_arrival peer = e.from_peer;

	e.from_peer.peer_address++;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0), LC_WRONG_PEER);
	e.from_peer = peer;
	e.from_peer.peer_udp_port++;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0), LC_WRONG_PEER);
	/* Until its tunnel ID is known, the peer may choose its port (8.1). */
	end_tunnel(&e)->peer_id = 0;
	end_commit(&e);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 10, T0), LC_TAKEN);
	e.id++;
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 10, T0), LC_NO_TUNNEL);
	e.id = (uint16_t)(e.mirror.tunnel_mask + 1); /* its slot is the listener's */
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 10, T0), LC_NO_TUNNEL);
}

static void nonsense_is_malformed(void **state)
{
	(void)state;
	uint8_t good[END_MESSAGE_SIZE], bad[LC_MESSAGE_MAX + 1] = {0};
	size_t n = end_write(good, e.id, LC_MSG_ICRQ, 0, 0, 0);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(lc_channels_receive(e.channels, &e.from_peer, good, i, T0),
				 LC_MALFORMED);
	memcpy(bad, good, n);
	bad[14] = 1; /* another vendor's AVP first */
	assert_int_equal(lc_channels_receive(e.channels, &e.from_peer, bad, n, T0), LC_MALFORMED);
	memcpy(bad, good, n);
	lc_put16(bad, 0x4002); /* data */
	assert_int_equal(lc_channels_receive(e.channels, &e.from_peer, bad, n, T0), LC_MALFORMED);
	memcpy(bad, good, n);
	lc_put16(bad + 2, sizeof(bad)); /* longer than a buffer */
	assert_int_equal(lc_channels_receive(e.channels, &e.from_peer, bad, sizeof(bad), T0),
			 LC_MALFORMED);
	assert_int_equal(channel()->rx.nr, 0);
}

/* ---- sending (5.8, appendix A) */

static void retransmissions_back_off(void **state)
{
	(void)state;
	static const uint64_t waits[] = {1, 2, 4, 8, 16, 16};
	uint64_t at = T0;

	end_tunnel(&e)->retransmit_established = 6;
	end_commit(&e);
	send_some(1);
	end_run(&e, T0);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	for (unsigned i = 0; i < 6; i++) {
		at += waits[i] * S;
		assert_int_equal(lc_channels_next(e.channels), at);
		end_run(&e, at - 1);
		end_expect_nothing(&e);
		/* Nr is that of now. */
		end_receive(&e, LC_MSG_ICRQ, (uint16_t)i, 0, 0, at - 1);
		end_run(&e, at);
		end_expect(&e, LC_MSG_ICRQ, 0, (uint16_t)(i + 1));
		end_expect_nothing(&e);
	}
	end_marked(&e);
	e.notified = 0;
	end_run(&e, at + 16 * S - 1);
	assert_false(channel()->tx.dead);
	end_run(&e, at + 16 * S);
	assert_true(channel()->tx.dead);
	assert_true(end_marked(&e));
	assert_int_equal(e.notified, 1);
	end_expect_nothing(&e);
}

static void the_dead_are_silent(void **state)
{
	(void)state;
	end_tunnel(&e)->door.mode = LC_MODE_OPENING; /* 3 times */
	end_commit(&e);
	send_some(1);
	uint64_t at = T0;
	for (; !channel()->tx.dead; at += S)
		end_run(&e, at);
	assert_int_equal(at - S, T0 + (1 + 2 + 4 + 8) * S);
	assert_int_equal(e.n_sent, 4);
	e.n_sent = 0;
	send_some(1);
	end_run(&e, at);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 0, 0, 0, at), LC_NO_TUNNEL);
	lc_channels_detach(e.channels);
	end_attach(&e, at);
	end_run(&e, at + 100 * S);
	end_expect_nothing(&e);
	assert_int_equal(lc_channels_next(e.channels), UINT64_MAX);
}

static void the_peers_window_is_kept(void **state)
{
	(void)state;
	send_some(30);
	end_run(&e, T0);
	assert_int_equal(e.n_sent, 1); /* cwnd starts at 1 */
	for (uint16_t nr = 1; nr <= 30; nr++) {
		end_receive(&e, LC_MSG_ZLB, 0, nr, 0, T0 + nr);
		uint16_t outstanding = (uint16_t)(channel()->tx.next - nr);
		assert_true(outstanding <= 4);
		assert_int_equal(outstanding, nr > 26 ? 30 - nr : nr < 3 ? nr + 1 : 4);
	}
	assert_int_equal(e.n_sent, 30);
	for (uint16_t ns = 0; ns < 30; ns++)
		end_expect(&e, LC_MSG_ICRQ, ns, 0);
	assert_int_equal(lc_channels_next(e.channels), T0 + 30 + 60 * S); /* HELLO */
}

static void the_congestion_window_grows_and_falls(void **state)
{
	(void)state;
	end_tunnel(&e)->peer_window = 16;
	end_commit(&e);
	send_some(32);
	end_run(&e, T0);
	for (uint16_t nr = 1; nr < 12; nr++) { /* slow start: one for each acknowledgement */
		end_receive(&e, LC_MSG_ZLB, 0, nr, 0, T0);
		assert_int_equal(channel()->cwnd, nr + 1);
	}
	assert_int_equal(channel()->tx.next - channel()->tx.acked, 12);
	e.n_sent = 0;
	end_run(&e, T0 + S);
	assert_int_equal(e.n_sent, 1);
	end_expect(&e, LC_MSG_ICRQ, 11, 0);
	assert_int_equal(channel()->cwnd, 1);
	assert_int_equal(channel()->ssthresh, 6);
	/* What was outstanding goes again as the window opens, before anything new. */
	end_receive(&e, LC_MSG_ZLB, 0, 12, 0, T0 + S);
	assert_int_equal(e.n_sent, 2);
	end_expect(&e, LC_MSG_ICRQ, 12, 0);
	end_expect(&e, LC_MSG_ICRQ, 13, 0);
	/* Up to ssthresh one for each acknowledgement, then one for each window (congestion
	 * avoidance). */
	uint16_t nr = 13;
	for (uint16_t cwnd = 3; cwnd <= 6; cwnd++, nr++) {
		end_receive(&e, LC_MSG_ZLB, 0, nr, 0, T0 + S);
		assert_int_equal(channel()->cwnd, cwnd);
	}
	for (unsigned i = 1; i <= 6; i++, nr++) {
		end_receive(&e, LC_MSG_ZLB, 0, nr, 0, T0 + S);
		assert_int_equal(channel()->cwnd, i < 6 ? 6 : 7);
	}
}

static void an_acknowledgement_frees_a_crowded_outbox_and_tells(void **state)
{
	(void)state;
	send_some(LC_RING);
	assert_false(end_send(&e, LC_MSG_ICRQ, 0));
	end_run(&e, T0);
	end_receive(&e, LC_MSG_ZLB, 0, 1, 0, T0);
	assert_true(end_marked(&e));
	assert_true(end_send(&e, LC_MSG_ICRQ, 0));
	end_marked(&e);
	for (uint16_t nr = 2; nr <= LC_RING + 1; nr++) {
		end_receive(&e, LC_MSG_ZLB, 0, nr, 0, T0);
		assert_int_equal(end_marked(&e), nr <= LC_RING / 2 + 1);
	}
}

static void a_closing_tunnel_says_when_all_is_acknowledged(void **state)
{
	(void)state;
	send_some(2);
	end_tunnel(&e)->door.mode = LC_MODE_CLOSING;
	end_commit(&e);
	end_run(&e, T0);
	end_receive(&e, LC_MSG_ZLB, 0, 1, 0, T0);
	assert_false(end_marked(&e));
	end_receive(&e, LC_MSG_ZLB, 0, 2, 0, T0);
	assert_true(end_marked(&e));
	e.n_sent = 0;
	end_run(&e, T0 + 1000 * S);
	end_expect_nothing(&e); /* no HELLO (5.7) */
	assert_int_equal(end_receive(&e, LC_MSG_STOPCCN, 0, 2, 9, T0 + 1000 * S), LC_TAKEN);
	end_run(&e, T0 + 1001 * S);
	end_expect(&e, LC_MSG_ZLB, 2, 1);
}

/* ---- HELLO (5.5) */

static void a_hello_breaks_a_long_silence(void **state)
{
	(void)state;
	end_receive(&e, LC_MSG_ZLB, 0, 0, 0, T0 + 10 * S);
	end_run(&e, T0 + 70 * S - 1);
	end_expect_nothing(&e);
	lc_channels_heard(e.channels, e.slot, T0 + 20 * S); /* data */
	end_run(&e, T0 + 80 * S - 1);
	end_expect_nothing(&e);
	assert_int_equal(lc_channels_next(e.channels), T0 + 80 * S);
	end_run(&e, T0 + 80 * S);
	end_expect(&e, LC_MSG_HELLO, 0, 0);
	assert_int_equal(channel()->hello_sent, 1);
	send_some(1); /* the message after it has the next number */
	end_run(&e, T0 + 80 * S);
	end_expect_nothing(&e);
	end_run(&e, T0 + 81 * S);
	end_expect(&e, LC_MSG_HELLO, 0, 0);
	end_receive(&e, LC_MSG_ZLB, 0, 1, 0, T0 + 81 * S);
	end_expect(&e, LC_MSG_ICRQ, 1, 0);
	end_receive(&e, LC_MSG_ZLB, 0, 2, 0, T0 + 81 * S);
	assert_int_equal(lc_outbox_head(channel()->tx), 1);
}

static void no_hello_while_a_message_is_outstanding(void **state)
{
	(void)state;
	end_tunnel(&e)->hello_ms = 1500;
	end_commit(&e);
	send_some(1);
	for (uint64_t at = T0; !channel()->tx.dead; at += 100)
		end_run(&e, at);
	assert_int_equal(e.n_sent, 6);
	for (unsigned i = 0; i < 6; i++)
		end_expect(&e, LC_MSG_ICRQ, 0, 0);
}

static void no_hello_before_the_tunnel_is_established(void **state)
{
	(void)state;
	end_tunnel(&e)->door.mode = LC_MODE_OPENING;
	end_commit(&e);
	end_run(&e, T0 + 1000 * S);
	end_expect_nothing(&e);
}

static void an_unanswered_hello_ends_the_channel(void **state)
{
	(void)state;
	uint64_t at = T0;
	for (; !channel()->tx.dead; at += S)
		end_run(&e, at);
	assert_int_equal(at - S, T0 + (60 + 1 + 2 + 4 + 8 + 16 + 16) * S);
	assert_int_equal(e.n_sent, 6);
}

static void a_hello_is_answered_and_not_delivered(void **state)
{
	(void)state;
	assert_int_equal(end_receive(&e, LC_MSG_HELLO, 0, 0, 0, T0), LC_TAKEN);
	assert_int_equal(end_consume(&e), END_NOTHING);
	end_run(&e, T0 + 20);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 1, 0, 11, T0 + 30), LC_TAKEN);
	assert_int_equal(end_consume(&e), 11);
}

/* ---- the listener */

static enum lc_verdict listen(int type, uint16_t ns, uint32_t payload)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	size_t length = end_write(bytes, 0, type, ns, 0, payload);
	return lc_channels_receive(e.channels, &e.from_peer, bytes, length, T0);
}

static void the_listener_takes_each_sccrq_once(void **state)
{
	(void)state;
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 1), LC_TAKEN);
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 1), LC_DUPLICATE);
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 2), LC_TAKEN);
	e.from_peer.peer_udp_port++;
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 1), LC_TAKEN);
	e.from_peer.peer_udp_port--;
	assert_int_equal(listen(LC_MSG_ZLB, 0, 0), LC_MALFORMED);
	assert_int_equal(listen(LC_MSG_HELLO, 0, 0), LC_MALFORMED);
	assert_int_equal(listen(LC_MSG_STOPCCN, 1, 3), LC_TAKEN);
	assert_int_equal(end_consume_from(&e, LC_LISTENER), 1);
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 2), LC_DUPLICATE);
	assert_int_equal(end_consume_from(&e, LC_LISTENER), 2);
	lc_channels_detach(e.channels); /* what is left survives */
	end_attach(&e, T0);
	e.from_peer.peer_udp_port++;
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 1), LC_DUPLICATE);
	assert_int_equal(end_consume_from(&e, LC_LISTENER), 1);
	assert_int_equal(end_consume_from(&e, LC_LISTENER), 3);
	assert_int_equal(end_consume_from(&e, LC_LISTENER), END_NOTHING);
	end_run(&e, T0 + S);
	end_expect_nothing(&e); /* the SCCRP answers */
	for (uint32_t i = 0; i < LC_RING; i++)
		assert_int_equal(listen(LC_MSG_SCCRQ, 0, 100 + i), LC_TAKEN);
	assert_int_equal(listen(LC_MSG_SCCRQ, 0, 200), LC_FULL);
}

/* ---- tenants, and what makes no sense */

static void a_slots_next_tenant_finds_nothing_of_the_last(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 600; i++) { /* the pool would run out, and generations wrap */
		for (uint16_t ns = 0; ns < 3; ns++)
			assert_int_equal(end_receive(&e, LC_MSG_ICRQ, ns, 0, ns, T0), LC_TAKEN);
		assert_int_equal(end_receive(&e, LC_MSG_ICRQ, 5, 0, 9, T0), LC_HELD);
		lc_txn_free_tunnel(e.txn, e.slot);
		end_commit(&e);
		if (i % 2 == 0)
			end_run(&e, T0); /* or the mark comes after the next tenant */
		e.n_sent = 0;
		end_create(&e, 0, PEER_ID);
		end_run(&e, T0 + S);
		end_expect_nothing(&e);
		assert_int_equal(end_consume(&e), END_NOTHING);
	}
}

static void what_makes_no_sense_in_the_mirror_ends_the_channel(void **state)
{
	(void)state;
	struct lc_channel good = *channel(), *c = channel();
	const struct lc_tunnel was = e.mirror.tunnels[e.slot];
	struct lc_tunnel *t = &e.mirror.tunnels[e.slot];

	for (unsigned i = 0; i < 5; i++) {
		lc_channels_detach(e.channels);
		*c = good;
		*t = was;
		if (i == 0)
			c->rx.nr += LC_RING + 1;
		if (i == 1) {
			c->rx.nr++;
			c->inbox[0] = END_BUFFERS;
		}
		if (i == 2)
			c->tx.next += 2;
		if (i == 3) {
			t->door.outbox_tail++;
			t->outbox[0] = END_BUFFERS;
		}
		if (i == 4) {
			c->rx.nr += 2; /* one buffer for two messages */
			c->inbox[0] = c->inbox[1] = 5;
		}
		end_attach(&e, T0);
		end_marked(&e);
		e.notified = 0;
		end_run(&e, T0);
		assert_true(c->tx.dead);
		assert_int_equal(e.notified, i == 3); /* the others: at attach */
		assert_int_equal(e.n_sent, 0);
	}
	*c = good;
	*t = was;
}

static void an_sccrp_that_waits_is_acknowledged(void **state)
{
	(void)state;
	uint8_t sccrp[END_MESSAGE_SIZE];
	const uint16_t size = 28;
	end_tunnel(&e)->peer_id = 0;
	end_tunnel(&e)->door.mode = LC_MODE_OPENING;
	end_commit(&e);
	end_write(sccrp, e.id, LC_MSG_SCCRP, 0, 0, 0);
	lc_put16(sccrp + 2, size);
	lc_put16(sccrp + 20, 0x8008);
	lc_put32(sccrp + 22, 9); /* Assigned Tunnel ID (4.4.3) */
	lc_put16(sccrp + 26, 4711);
	assert_int_equal(lc_channels_receive(e.channels, &e.from_peer, sccrp, size, T0), LC_TAKEN);
	end_run(&e, T0 + 20);
	assert_int_equal(lc_get16(e.sent[0].bytes + 4), 4711);
	end_expect(&e, LC_MSG_ZLB, 0, 1);
	end_expect_nothing(&e);
}

/* ---- crashes: each step is named in lc_channel.c */

static const char *deadly; /* the step to die at, once */
static jmp_buf death;

static void die_at_step(const char *name)
{
	if (deadly == NULL || strcmp(name, deadly) != 0)
		return;
	deadly = NULL;
	longjmp(death, 1);
}

static void revive(uint64_t now)
{
	lc_channels_detach(e.channels);
	end_attach(&e, now);
}

static void run_mortal(uint64_t now)
{
	if (setjmp(death) != 0)
		revive(now);
	end_run(&e, now);
}

static void run_to_death(uint64_t now)
{
	if (setjmp(death) == 0)
		end_run(&e, now);
}

static void acknowledge_mortal(uint16_t nr, uint64_t now)
{
	if (setjmp(death) != 0)
		revive(now);
	end_receive(&e, LC_MSG_ZLB, 0, nr, 0, now);
}

static unsigned count_sent(uint16_t ns)
{
	unsigned n = 0;
	for (unsigned i = 0; i < e.n_sent; i++)
		n += lc_get16(e.sent[i].bytes + 8) == ns;
	return n;
}

/* Nobody is given up before all retransmissions went out, whatever step the process dies at. */
static void a_crash_takes_no_retransmission_away(void **state)
{
	static const char *const steps[] = {"timed", "sent",      "resent",      "spaced",
					    "reset", "restarted", "acknowledged"};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t at = T0;
		setup(state);
		end_tunnel(&e)->peer_window = 1;
		end_commit(&e);
		send_some(2);
		lc_channel_step = die_at_step;
		deadly = steps[i];
		for (; channel()->retries < 5; at += S)
			run_mortal(at);
		assert_true(count_sent(0) >= 6);
		assert_int_equal(count_sent(1), 0);
		acknowledge_mortal(1, at);
		assert_null(deadly);
		for (; !channel()->tx.dead; at += S)
			run_mortal(at);
		assert_true(count_sent(1) >= 6);
		lc_channel_step = NULL;
		teardown(state);
	}
}

/* The last retransmission's answer came while nobody was here to take it, or may have: the peer is asked once more,
 * and given up when that is not answered. */
static void an_absence_is_no_silence_of_the_peer(void **state)
{
	uint64_t at = T0;
	(void)state;
	send_some(1);
	for (; channel()->retries < 5; at += S)
		end_run(&e, at);
	at = channel()->retransmit_at + 20 * S;
	e.n_sent = 0;
	revive(at);
	end_run(&e, at);
	assert_false(channel()->tx.dead);
	end_expect(&e, LC_MSG_ICRQ, 0, 0);
	end_run(&e, at + 16 * S - 1);
	assert_false(channel()->tx.dead);
	end_run(&e, at + 16 * S);
	assert_true(channel()->tx.dead);
}

/* Whatever step the sending of a HELLO dies at, its number is its own: the message that comes
 * meanwhile has another. */
static void a_crash_gives_no_number_twice(void **state)
{
	static const char *const steps[] = {"timed", "numbered", "sent"};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t at = T0 + 60 * S;
		unsigned hellos = 0, messages = 0;
		setup(state);
		lc_channel_step = die_at_step;
		deadly = steps[i];
		run_to_death(at);
		assert_null(deadly);
		lc_channel_step = NULL;
		send_some(1);
		revive(at);
		for (unsigned k = 0; k < 10; k++, at += S) {
			end_run(&e, at);
			end_receive(&e, LC_MSG_ZLB, 0, channel()->tx.next, 0, at);
		}
		for (unsigned k = 0; k < e.n_sent; k++) {
			const struct end_packet *p = &e.sent[k];
			bool hello = lc_l2tp_message_type(p->bytes, p->length) == LC_MSG_HELLO;
			*(hello ? &hellos : &messages) |= 1u << lc_get16(p->bytes + 8);
		}
		assert_true(messages != 0);
		assert_int_equal(hellos & messages, 0);
		teardown(state);
	}
}

/* ---- appendix B, as it stands; the far end is a second mirror */

static struct end far;

static void far_open(uint16_t initial_nr)
{
	end_open(&far, PEER, OURS);
	end_create(&far, initial_nr, e.id);
	end_attach(&far, T0);
	end_run(&far, T0);
}

static void carry(struct end *from, struct end *to, uint64_t now)
{
	struct end_packet p = from->sent[0];
	lc_put16(p.bytes + 4, to->id);
	assert_int_equal(lc_channels_receive(to->channels, &to->from_peer, p.bytes, p.length, now),
			 LC_TAKEN);
}

/* B.1: lock-step tunnel establishment. */
static void appendix_b1(void **state)
{
	(void)state;
	far_open(1); /* its control plane has consumed the SCCRQ */
	end_send(&e, LC_MSG_SCCRQ, 0);
	end_run(&e, T0);
	end_expect(&e, LC_MSG_SCCRQ, 0, 0);

	end_send(&far, LC_MSG_SCCRP, 0);
	end_run(&far, T0);
	carry(&far, &e, T0);
	end_expect(&far, LC_MSG_SCCRP, 0, 1);

	end_send(&e, LC_MSG_SCCCN, 0);
	end_run(&e, T0);
	carry(&e, &far, T0);
	end_expect(&e, LC_MSG_SCCCN, 1, 1);

	end_run(&far, T0 + 20);
	carry(&far, &e, T0 + 20);
	end_expect(&far, LC_MSG_ZLB, 1, 2);
	end_run(&e, T0 + 30 * S);
	end_run(&far, T0 + 30 * S);
	end_expect_nothing(&e);
	end_expect_nothing(&far);
	end_close(&far);
}

/* B.2: lost packet with retransmission. The ICRP is lost. */
static void appendix_b2(void **state)
{
	(void)state;
	far_open(0);
	end_start_at(&e, 2, 1, 2, 1);
	end_start_at(&far, 1, 2, 1, 2);
	end_send(&e, LC_MSG_ICRQ, 0);
	end_run(&e, T0);
	carry(&e, &far, T0);
	end_expect(&e, LC_MSG_ICRQ, 2, 1);

	end_send(&far, LC_MSG_ICRP, 0);
	end_run(&far, T0 + 10);
	end_expect(&far, LC_MSG_ICRP, 1, 3); /* lost */

	end_run(&e, T0 + S); /* the LAC's timer started first, so fires first */
	struct end_packet again = e.sent[0];
	lc_put16(again.bytes + 4, far.id);
	assert_int_equal(
	    lc_channels_receive(far.channels, &far.from_peer, again.bytes, again.length, T0 + S),
	    LC_DUPLICATE);
	end_expect(&e, LC_MSG_ICRQ, 2, 1);
	carry(&far, &e, T0 + S);
	end_expect(&far, LC_MSG_ZLB, 2, 3);

	end_run(&far, T0 + S + 10); /* the LNS's retransmit timer */
	carry(&far, &e, T0 + S + 10);
	end_expect(&far, LC_MSG_ICRP, 1, 3);

	end_send(&e, LC_MSG_ICCN, 0);
	end_run(&e, T0 + S + 15);
	carry(&e, &far, T0 + S + 15);
	end_expect(&e, LC_MSG_ICCN, 3, 2);
	end_run(&far, T0 + S + 35);
	carry(&far, &e, T0 + S + 35);
	end_expect(&far, LC_MSG_ZLB, 2, 4);
	end_expect_nothing(&e);
	end_close(&far);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(in_order_is_delivered_and_acknowledged_late),
	    T(a_reply_carries_the_acknowledgement),
	    T(half_a_window_is_acknowledged_at_once),
	    T(a_duplicate_is_acknowledged_and_not_delivered),
	    T(a_burst_of_duplicates_draws_one_answer),
	    T(a_zlb_takes_no_number),
	    T(early_messages_wait_for_their_turn),
	    T(a_full_inbox_is_not_acknowledged_and_recovers),
	    T(what_a_full_inbox_refuses_comes_in_by_itself),
	    T(a_held_message_is_delivered_when_room_comes),
	    T(an_nr_beyond_what_was_sent_is_malformed),
	    T(messages_of_others_are_refused),
	    T(nonsense_is_malformed),
	    T(retransmissions_back_off),
	    T(the_dead_are_silent),
	    T(the_peers_window_is_kept),
	    T(the_congestion_window_grows_and_falls),
	    T(an_acknowledgement_frees_a_crowded_outbox_and_tells),
	    T(a_closing_tunnel_says_when_all_is_acknowledged),
	    T(a_hello_breaks_a_long_silence),
	    T(no_hello_while_a_message_is_outstanding),
	    T(no_hello_before_the_tunnel_is_established),
	    T(an_unanswered_hello_ends_the_channel),
	    T(a_hello_is_answered_and_not_delivered),
	    T(the_listener_takes_each_sccrq_once),
	    T(a_slots_next_tenant_finds_nothing_of_the_last),
	    T(what_makes_no_sense_in_the_mirror_ends_the_channel),
	    T(an_sccrp_that_waits_is_acknowledged),
	    cmocka_unit_test(a_crash_takes_no_retransmission_away),
	    T(an_absence_is_no_silence_of_the_peer),
	    cmocka_unit_test(a_crash_gives_no_number_twice),
	    T(appendix_b1),
	    T(appendix_b2),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
