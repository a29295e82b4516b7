/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes out (RFC 2661 section 5.8, appendix A): the window, retransmission, HELLO,
 * acknowledgement. */
#include "lc_channel_private.h"

#include <errno.h>
#include <string.h>

#include "lc_l2tp.h"

enum {
	DEFAULT_INTERVAL_MS = 1000, /* where the record has none (5.8) */
	AVP_HEADER_SIZE = 6,
	AVP_MANDATORY = 0x8000,
	AVP_HIDDEN = 0x4000,
	AVP_LENGTH_MASK = 0x03ff,
	AVP_ASSIGNED_TUNNEL_ID = 9, /* 4.4.3 */
	HELLO_SIZE = LC_L2TP_CONTROL_SIZE + AVP_HEADER_SIZE + 2,
};

static uint16_t or_one(uint16_t value)
{
	return value != 0 ? value : 1;
}

/* Messages of the outbox that have no number yet. */
static uint16_t unsent(const struct lc_view *v)
{
	union lc_channel_tx tx = v->channel->tx;
	return (uint16_t)(v->door.outbox_tail - (uint16_t)(tx.next - tx.shift));
}

bool lc_send_sane(const struct lc_view *v)
{
	union lc_channel_tx tx = v->channel->tx;
	return tx.hello <= 1 && (uint16_t)(tx.next - tx.acked) <= LC_RING + tx.hello &&
	       (uint16_t)(v->door.outbox_tail - lc_outbox_head(tx)) <= LC_RING &&
	       unsent(v) <= LC_RING;
}

uint64_t lc_send_interval(const struct lc_view *v, uint32_t retries)
{
	uint64_t first =
	    v->tunnel->retransmit_ms != 0 ? v->tunnel->retransmit_ms : DEFAULT_INTERVAL_MS;
	uint64_t longest =
	    v->tunnel->retransmit_max_ms > first ? v->tunnel->retransmit_max_ms : first;
	uint64_t interval = retries < 31 ? first << retries : longest;
	return interval < longest ? interval : longest;
}

/* The peer's tunnel ID. An SCCRP that waits for the control plane has it already: so it is
 * acknowledged, and its sender does not give up, however long the control plane is away. 0: not
 * known. */
static uint16_t peer_id(const struct lc_view *v)
{
	uint16_t id = __atomic_load_n(&v->tunnel->peer_id, __ATOMIC_RELAXED);
	if (id != 0 || lc_inbox_tail(v->channel->rx) == v->door.inbox_head)
		return id;
	const struct lc_buffer *b = lc_inbox_message(v, v->door.inbox_head);
	if (b == NULL || lc_l2tp_message_type(b->bytes, b->length) != LC_MSG_SCCRP)
		return 0;
	for (size_t at = LC_L2TP_CONTROL_SIZE; at + AVP_HEADER_SIZE + 2 <= b->length;) {
		const uint8_t *avp = &b->bytes[at];
		uint16_t head = lc_get16(avp), size = head & AVP_LENGTH_MASK;
		if (lc_get32(avp + 2) == AVP_ASSIGNED_TUNNEL_ID && size == AVP_HEADER_SIZE + 2 &&
		    !(head & AVP_HIDDEN))
			return lc_get16(avp + AVP_HEADER_SIZE);
		if (size < AVP_HEADER_SIZE)
			break;
		at += size;
	}
	return 0;
}

/* Hands a whole packet to the world, with our acknowledgement (rx.nr). */
static void transmit(struct lc_view *v, uint8_t *bytes, size_t length)
{
	struct lc_channel *c = v->channel;

	(void)lc_guard_publish(v);
	union lc_channel_rx rx = c->rx;
	lc_put16(bytes + 10, rx.nr);
	v->all->transmit(v->all->context, v->slot, bytes, length);
	lc_channel_at("sent");
	c->last_sent = v->now;
	v->own->ack_due = 0;
	if (rx.told == rx.nr)
		return;
	rx.told = rx.nr;
	lc_put_rx(c, rx);
	lc_channel_at("told");
}

static void send_hello(struct lc_view *v, uint16_t ns)
{
	uint8_t bytes[HELLO_SIZE], *avp = &bytes[LC_L2TP_CONTROL_SIZE];

	lc_l2tp_write_control(bytes, HELLO_SIZE, peer_id(v), 0, ns, 0);
	lc_put16(avp, AVP_MANDATORY | (AVP_HEADER_SIZE + 2));
	lc_put32(avp + 2, 0);
	lc_put16(avp + AVP_HEADER_SIZE, LC_MSG_HELLO);
	transmit(v, bytes, sizeof(bytes));
}

bool lc_send_message(struct lc_view *v, uint16_t number, uint16_t ns)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	uint32_t buffer = __atomic_load_n(&v->tunnel->outbox[number % LC_RING], __ATOMIC_RELAXED);

	if (buffer >= v->all->n_buffers)
		return false;
	const struct lc_buffer *b = &v->all->mirror->outbox[buffer];
	uint32_t length = __atomic_load_n(&b->length, __ATOMIC_RELAXED);
	if (length < LC_L2TP_CONTROL_SIZE || length > LC_MESSAGE_MAX)
		return false;
	memcpy(bytes, b->bytes, length);
	lc_put16(bytes + 8, ns);
	transmit(v, bytes, length);
	return true;
}

bool lc_send_number(struct lc_view *v, uint16_t ns)
{
	union lc_channel_tx tx = v->channel->tx;

	if (!tx.hello || ns != tx.acked)
		return lc_send_message(v, (uint16_t)(ns - tx.shift), ns);
	send_hello(v, ns);
	return true;
}

/* Appendix A, for one acknowledgement of something new. */
static void window_grow(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	uint16_t limit = or_one(v->tunnel->peer_window);
	uint16_t cwnd = or_one(c->cwnd);

	if (cwnd < (c->ssthresh != 0 ? c->ssthresh : limit)) {
		cwnd++;
	} else if (++c->cwnd_count >= cwnd) {
		c->cwnd_count = 0;
		cwnd++;
	}
	c->cwnd = cwnd < limit ? cwnd : limit;
}

int lc_send_acknowledged(struct lc_view *v, uint16_t nr)
{
	struct lc_channel *c = v->channel;
	union lc_channel_tx tx = c->tx;
	uint16_t outstanding = (uint16_t)(tx.next - tx.acked), news = (uint16_t)(nr - tx.acked);

	if (news > outstanding)
		return lc_seq_before(nr, tx.acked) ? 0 : -EBADMSG;
	if (news == 0)
		return 0;
	bool awaited = c->waiting_since != 0;
	if (awaited) {
		lc_put64(&c->waiting_since, 0);
		lc_channel_at("reached");
	}
	bool crowded = (uint16_t)(v->door.outbox_tail - lc_outbox_head(tx)) > LC_RING / 2;
	window_grow(v);
	__atomic_store_n(&c->retries, 0, __ATOMIC_RELEASE);
	lc_channel_at("reset");
	lc_put64(&c->retransmit_at, news < outstanding ? v->now + lc_send_interval(v, 0) : 0);
	lc_channel_at("restarted");
	tx.acked = nr;
	tx.hello = 0;
	lc_put_tx(c, tx);
	lc_channel_at("acknowledged");

	if (v->own->resending && lc_seq_before(v->own->resend, nr))
		v->own->resend = nr;
	v->own->resending = v->own->resending && v->own->resend != tx.next;
	bool drained = lc_outbox_head(tx) == v->door.outbox_tail;
	bool asks = v->door.mode == LC_MODE_CLOSING ||
		    __atomic_load_n(&v->tunnel->recovers, __ATOMIC_RELAXED) != 0;
	if (crowded || awaited || (drained && asks))
		lc_view_tell(v);
	return 0;
}

/* A HELLO, when the peer was silent for long, and nothing else asks it for a sign of life (5.5). */
static bool hello_wanted(const struct lc_view *v)
{
	union lc_channel_tx tx = v->channel->tx;
	return v->door.mode == LC_MODE_ESTABLISHED && v->tunnel->hello_ms != 0 &&
	       tx.acked == tx.next && unsent(v) == 0;
}

/* Takes the next number: counted first, then sent. */
static void send_next(struct lc_view *v, bool hello)
{
	struct lc_channel *c = v->channel;
	union lc_channel_tx tx = c->tx;
	uint16_t ns = tx.next++;

	if (tx.acked == ns) {
		lc_put64(&c->retransmit_at, v->now + lc_send_interval(v, 0));
		lc_channel_at("timed");
	}
	if (hello) {
		tx.hello = 1;
		tx.shift++;
	}
	lc_put_tx(c, tx);
	lc_channel_at("numbered");
	if (!lc_send_number(v, ns)) {
		lc_view_kill(v);
		return;
	}
	c->sent++;
	c->hello_sent += hello;
}

void lc_send_new(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	uint16_t peer = or_one(v->tunnel->peer_window), cwnd = or_one(c->cwnd);
	uint16_t window = cwnd < peer ? cwnd : peer;

	while (v->own->resending && (uint16_t)(v->own->resend - c->tx.acked) < window) {
		if (!lc_send_number(v, v->own->resend)) {
			lc_view_kill(v);
			return;
		}
		c->retransmitted++;
		v->own->resending = ++v->own->resend != c->tx.next;
	}
	while (!v->own->resending && !c->tx.dead && unsent(v) > 0 &&
	       (uint16_t)(c->tx.next - c->tx.acked) < window)
		send_next(v, false);
	if (hello_wanted(v) && v->now >= c->last_received + v->tunnel->hello_ms)
		send_next(v, true);
}

/* Sets ack_due for what was taken and not acknowledged. */
static void owe(struct lc_view *v)
{
	union lc_channel_rx rx = v->channel->rx;
	uint16_t owed = (uint16_t)(rx.nr - rx.told);

	if (2 * owed >= lc_view_window(v) && owed != 0)
		v->own->ack_due = v->now;
	else if (owed != 0 && v->own->ack_due == 0)
		v->own->ack_due = v->now + LC_ACK_DELAY_MS;
}

void lc_send_zlb(struct lc_view *v)
{
	owe(v);
	if (v->own->ack_due == 0 || v->own->ack_due > v->now)
		return;
	uint8_t bytes[LC_L2TP_CONTROL_SIZE];
	uint16_t id = peer_id(v);
	v->own->ack_due = 0;
	if (id == 0)
		return;
	lc_l2tp_write_control(bytes, sizeof(bytes), id, 0, v->channel->tx.next, 0);
	transmit(v, bytes, sizeof(bytes));
	v->channel->zlb_sent++;
}

uint64_t lc_send_deadline(const struct lc_view *v)
{
	const struct lc_channel *c = v->channel;
	uint64_t at = v->own->ack_due;

	if (c->tx.dead)
		return 0;
	if (c->retransmit_at != 0 && (at == 0 || c->retransmit_at < at))
		at = c->retransmit_at;
	if (!hello_wanted(v))
		return at;
	uint64_t hello = c->last_received + v->tunnel->hello_ms;
	return at == 0 || hello < at ? hello : at;
}
