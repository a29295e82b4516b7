/* SPDX-License-Identifier: BSD-3-Clause */
/* One end of a control channel for tests: a mirror of its own with one tunnel, the channel on it,
 * and a control plane that only sends and consumes numbered messages, by the real transactions. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lc_channel.h"
#include "lc_l2tp.h"
#include "lc_txn.h"

enum {
	END_BUFFERS = 192,
	END_TUNNELS = 9,
	END_QUEUE = 1024,
	END_MESSAGE_SIZE = 12 + 8 + 10, /* header, Message Type, a private AVP with the payload */
	END_NOTHING = -1,
};

#define END_EMPTY UINT32_MAX /* payload of a HELLO */

struct end_packet {
	uint16_t length;
	uint8_t bytes[64];
};

struct end {
	struct lc_mirror mirror;
	struct lc_txn *txn;
	struct lc_channels *channels;
	uint32_t slot;
	uint16_t id;
	struct lc_arrival from_peer; /* how the peer's packets arrive here */
	unsigned notified;
	unsigned n_sent; /* packets in sent[], oldest first; the test takes them */
	struct end_packet sent[END_QUEUE];
};

static inline void end_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct end *e = context;
	(void)slot;
	assert_true(e->n_sent < END_QUEUE && length <= sizeof(e->sent[0].bytes));
	e->sent[e->n_sent].length = (uint16_t)length;
	memcpy(e->sent[e->n_sent++].bytes, bytes, length);
}

static inline void end_notify(void *context)
{
	((struct end *)context)->notified++;
}

static inline void end_check(struct end *e)
{
	char why[160];
	if (!lc_mirror_check(&e->mirror, why, sizeof(why)))
		fail_msg("%s", why);
}

static inline void end_attach_control(struct end *e)
{
	char why[160];
	if (lc_txn_attach(&e->txn, &e->mirror, why, sizeof(why)) != 0)
		fail_msg("%s", why);
}

static inline void end_attach(struct end *e, uint64_t now)
{
	assert_int_equal(
	    lc_channels_attach(&e->channels, &e->mirror, end_transmit, end_notify, e, now), 0);
}

/* A mirror without a name, with nothing in it. */
static inline void end_open(struct end *e, uint32_t address, uint32_t peer_address)
{
	char path[64], why[160];
	bool cold;
	struct lc_geometry g = lc_geometry_for(END_TUNNELS, 2, END_BUFFERS, 64);

	memset(e, 0, sizeof(*e));
	snprintf(path, sizeof(path), "/dev/shm/warmline-test-channel-%d-%u", getpid(), address);
	if (lc_mirror_open(&e->mirror, path, &g, &cold, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	unlink(path);
	assert_true(cold);
	e->from_peer = (struct lc_arrival){.peer_address = peer_address,
					   .local_address = address,
					   .peer_udp_port = LC_L2TP_UDP_PORT};
	end_attach_control(e);
}

static inline void end_close(struct end *e)
{
	lc_channels_detach(e->channels);
	lc_txn_detach(e->txn);
	lc_mirror_close(&e->mirror);
}

/* The working copy of the tunnel; end_commit() makes it true. */
static inline struct lc_tunnel *end_tunnel(struct end *e)
{
	struct lc_tunnel *t = lc_txn_tunnel(e->txn, e->slot);
	assert_non_null(t);
	return t;
}

static inline void end_commit(struct end *e)
{
	assert_int_equal(lc_txn_commit(e->txn), 0);
}

/* An established tunnel: windows of 4, retransmission 1 s to 16 s, 5 times, HELLO after 60 s. */
static inline void end_create(struct end *e, uint16_t initial_nr, uint16_t peer_id)
{
	int error;
	struct lc_tunnel *t = lc_txn_create_tunnel(e->txn, initial_nr, &e->slot, &error);
	assert_non_null(t);
	e->id = t->door.id;
	t->door.mode = LC_MODE_ESTABLISHED;
	t->peer_address = e->from_peer.peer_address;
	t->local_address = e->from_peer.local_address;
	t->peer_udp_port = LC_L2TP_UDP_PORT;
	t->peer_id = peer_id;
	t->peer_window = 4;
	t->receive_window = 4;
	t->retransmit_established = 5;
	t->retransmit_not_established = 3;
	t->retransmit_ms = 1000;
	t->retransmit_max_ms = 16000;
	t->hello_ms = 60000;
	end_commit(e);
}

/* As if the channel had been in use for long: Ns and Nr of the next messages, numbers of the next
 * messages. */
static inline void end_start_at(struct end *e, uint16_t ns, uint16_t nr, uint16_t out, uint16_t in)
{
	struct lc_channel *c = &e->mirror.channels[e->slot];
	struct lc_tunnel *t = &e->mirror.tunnels[e->slot];

	lc_txn_detach(e->txn);
	c->tx = (union lc_channel_tx){.acked = ns, .next = ns, .shift = (uint16_t)(ns - out)};
	c->rx = (union lc_channel_rx){.nr = nr, .shift = (uint16_t)(nr - in), .told = nr};
	t->door.outbox_tail = out;
	t->door.inbox_head = in;
	end_attach_control(e);
}

/* A control message of END_MESSAGE_SIZE octets, or a ZLB. */
static inline size_t end_write(uint8_t *bytes, uint16_t tunnel_id, int type, uint16_t ns,
			       uint16_t nr, uint32_t payload)
{
	size_t length = type == LC_MSG_ZLB ? LC_L2TP_CONTROL_SIZE : END_MESSAGE_SIZE;
	lc_l2tp_write_control(bytes, (uint16_t)length, tunnel_id, 0, ns, nr);
	if (type == LC_MSG_ZLB)
		return length;
	lc_put16(bytes + 12, 0x8008);
	lc_put32(bytes + 14, 0);
	lc_put16(bytes + 18, (uint16_t)type);
	lc_put16(bytes + 20, 10);
	lc_put16(bytes + 22, 4874);
	lc_put16(bytes + 24, 1);
	lc_put32(bytes + 26, payload);
	return length;
}

static inline uint32_t end_payload(const uint8_t *bytes, size_t length)
{
	return length == END_MESSAGE_SIZE ? lc_get32(bytes + 26) : END_EMPTY;
}

static inline bool end_send(struct end *e, int type, uint32_t payload)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	size_t length = end_write(bytes, end_tunnel(e)->peer_id, type, 0, 0, payload);
	if (lc_txn_send(e->txn, e->slot, bytes, length) != 0) {
		lc_txn_abort(e->txn);
		return false;
	}
	end_commit(e);
	return true;
}

/* The payload of the next message in the inbox, consumed; END_NOTHING. */
static inline int64_t end_consume_from(struct end *e, uint32_t slot)
{
	const struct lc_buffer *b = lc_txn_receive(e->txn, slot);
	if (b == NULL)
		return END_NOTHING;
	uint32_t payload = end_payload(b->bytes, b->length);
	lc_txn_consume(e->txn, slot);
	end_commit(e);
	return payload;
}

static inline int64_t end_consume(struct end *e)
{
	return end_consume_from(e, e->slot);
}

static inline enum lc_verdict end_receive(struct end *e, int type, uint16_t ns, uint16_t nr,
					  uint32_t payload, uint64_t now)
{
	uint8_t bytes[END_MESSAGE_SIZE];
	size_t length = end_write(bytes, e->id, type, ns, nr, payload);
	return lc_channels_receive(e->channels, &e->from_peer, bytes, length, now);
}

/* Fails unless the oldest packet sent is this one; takes it. */
static inline void end_expect(struct end *e, int type, uint16_t ns, uint16_t nr)
{
	struct lc_l2tp_header h;
	struct end_packet *p = &e->sent[0];
	assert_true(e->n_sent > 0);
	assert_int_equal(lc_l2tp_parse(p->bytes, p->length, &h), 0);
	assert_int_equal(lc_l2tp_message_type(p->bytes, p->length), type);
	assert_int_equal(h.ns, ns);
	assert_int_equal(h.nr, nr);
	assert_int_equal(h.total, p->length);
	e->n_sent--;
	memmove(p, p + 1, e->n_sent * sizeof(*p));
}

static inline void end_expect_nothing(struct end *e)
{
	assert_int_equal(e->n_sent, 0);
}

static inline void end_run(struct end *e, uint64_t now)
{
	while (lc_channels_run(e->channels, now, 16))
		;
}

/* ---- what is left in the pools; these use up tunnels and buffers, so they come last */

/* Outbox buffers that can be had: all tunnels' but those of messages that wait. */
static inline unsigned end_count_outbox(struct end *e)
{
	unsigned n = 0;
	int error;
	for (uint32_t slot, i = 0; i * LC_RING < END_BUFFERS; i++) {
		assert_non_null(lc_txn_create_tunnel(e->txn, 0, &slot, &error));
		end_commit(e);
		while (lc_txn_send(e->txn, slot, "a header: 12", LC_L2TP_CONTROL_SIZE) == 0) {
			end_commit(e);
			n++;
		}
		lc_txn_abort(e->txn);
	}
	return n;
}

/* Inbox buffers that messages find. */
static inline unsigned end_count_inbox(struct end *e, uint64_t now)
{
	uint32_t slot = e->slot;
	uint16_t id = e->id;
	unsigned n = 0;
	for (unsigned i = 0; i * LC_RING <= END_BUFFERS; i++) {
		end_create(e, 0, 1);
		for (uint16_t ns = 0; end_receive(e, LC_MSG_ICRQ, ns, 0, 0, now) == LC_TAKEN; ns++)
			n++;
		e->n_sent = 0;
	}
	e->slot = slot;
	e->id = id;
	return n;
}

/* A mark for the control plane on this slot, taken. */
static inline bool end_marked(struct end *e)
{
	bool marked = false;
	uint32_t cursor = 0;
	for (uint32_t s; (s = lc_dirty_take(&e->mirror.to_control, &cursor)) != LC_NO_SLOT;)
		marked = marked || s == e->slot;
	return marked;
}
