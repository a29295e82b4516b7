/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes in (RFC 2661 section 5.8): from whom, what it acknowledges, in which order. */
#include "lc_channel_private.h"

#include <errno.h>
#include <string.h>

#include "lc_l2tp.h"

/* Delivers the message at rx.nr. A HELLO is for us alone, or for the guard. */
static bool receive_next(struct lc_view *v, const struct lc_arrival *arrival, const uint8_t *bytes,
			 size_t length)
{
	struct lc_channel *c = v->channel;
	uint16_t ns = c->rx.nr;

	if (lc_l2tp_message_type(bytes, length) == LC_MSG_HELLO) {
		if (!lc_guard_hello(v))
			return true;
		union lc_channel_rx rx = c->rx;
		rx.nr++;
		rx.shift++;
		lc_put_rx(c, rx);
		lc_channel_at("hello taken");
		c->hello_received++;
	} else if (!lc_inbox_put(v, arrival, bytes, length)) {
		return false;
	}
	c->received++;
	lc_hold_drop(v->own, ns);
	return true;
}

void lc_receive_held(struct lc_view *v)
{
	struct lc_channel *c = v->channel;
	const struct lc_held *held;

	while ((held = lc_hold_find(v->own, c->rx.nr)) != NULL &&
	       receive_next(v, &held->arrival, held->bytes, held->length))
		;
}

/* A duplicate is answered, as our acknowledgement may be lost; but one that follows our last packet
 * closely has most likely crossed it, and a burst of them needs one answer. */
static enum lc_verdict receive_duplicate(struct lc_view *v)
{
	uint64_t soonest = v->channel->last_sent + LC_ACK_DELAY_MS;

	v->channel->duplicates++;
	if (v->channel->last_sent == 0 || soonest < v->now)
		soonest = v->now;
	if (v->own->ack_due == 0 || v->own->ack_due > soonest)
		v->own->ack_due = soonest;
	return LC_DUPLICATE;
}

static enum lc_verdict receive_message(struct lc_view *v, const struct lc_arrival *arrival,
				       const struct lc_l2tp_header *header, const uint8_t *bytes)
{
	struct lc_channel *c = v->channel;
	uint16_t ahead = (uint16_t)(header->ns - c->rx.nr);

	if (lc_seq_before(header->ns, c->rx.nr))
		return receive_duplicate(v);
	if (ahead >= lc_view_window(v)) {
		c->out_of_window++;
		return LC_OUTSIDE;
	}
	if (ahead == 0 && receive_next(v, arrival, bytes, header->total))
		return LC_TAKEN;
	c->out_of_order += ahead != 0;
	c->inbox_full += ahead == 0;
	/* One that the inbox has no room for waits like an early one: it comes in with the next one that is consumed,
	 * and the peer need not send it again. */
	bool held = lc_hold_find(v->own, header->ns) != NULL ||
		    lc_hold_put(v->own, header->ns, arrival, bytes, header->total);
	return ahead == 0 ? LC_FULL : held ? LC_HELD : LC_OUTSIDE;
}

static bool is_peer(const struct lc_view *v, const struct lc_arrival *arrival)
{
	return arrival->peer_address == v->tunnel->peer_address &&
	       (v->tunnel->peer_id == 0 || arrival->peer_udp_port == v->tunnel->peer_udp_port);
}

static enum lc_verdict receive_tunnel(struct lc_view *v, const struct lc_arrival *arrival,
				      const struct lc_l2tp_header *header, const uint8_t *bytes)
{
	struct lc_channel *c = v->channel;
	int type = lc_l2tp_message_type(bytes, header->total);

	if (v->door.id != header->tunnel_id || (c->tx.dead && !v->silent))
		return LC_NO_TUNNEL;
	if (!is_peer(v, arrival))
		return LC_WRONG_PEER;
	if (v->silent) {
		c->silenced++;
		return LC_SILENT;
	}
	if (type < 0 || lc_send_acknowledged(v, header->nr) != 0) {
		c->malformed++;
		return LC_MALFORMED;
	}
	c->last_received = v->now;
	enum lc_verdict verdict = LC_TAKEN;
	if (type == LC_MSG_ZLB)
		c->zlb_received++;
	else
		verdict = receive_message(v, arrival, header, bytes);
	lc_view_turn(v);
	return verdict;
}

/* The same octets from the same peer, not consumed yet: sent again because nobody has answered. */
static bool is_waiting(const struct lc_view *v, const struct lc_arrival *arrival,
		       const uint8_t *bytes, size_t length)
{
	uint16_t tail = lc_inbox_tail(v->channel->rx);

	for (uint16_t i = v->door.inbox_head; i != tail; i++) {
		const struct lc_buffer *b = lc_inbox_message(v, i);
		if (b != NULL && b->peer_address == arrival->peer_address &&
		    b->peer_udp_port == arrival->peer_udp_port && b->length == length &&
		    memcmp(b->bytes, bytes, length) == 0)
			return true;
	}
	return false;
}

/* What comes without a tunnel ID: an SCCRQ, or the StopCCN of a peer that gives up before it knows
 * our ID (4.4.3). Neither is acknowledged here: the SCCRP of its tunnel does that. */
static enum lc_verdict receive_listener(struct lc_view *v, const struct lc_arrival *arrival,
					const struct lc_l2tp_header *header, const uint8_t *bytes)
{
	struct lc_channel *c = v->channel;

	int type = lc_l2tp_message_type(bytes, header->total);

	if (type != LC_MSG_SCCRQ && type != LC_MSG_STOPCCN) {
		c->malformed++;
		return LC_MALFORMED;
	}
	if (is_waiting(v, arrival, bytes, header->total)) {
		c->duplicates++;
		return LC_DUPLICATE;
	}
	if (!lc_inbox_put(v, arrival, bytes, header->total)) {
		c->inbox_full++;
		return LC_FULL;
	}
	c->received++;
	c->last_received = v->now;
	return LC_TAKEN;
}

enum lc_verdict lc_channels_receive(struct lc_channels *all, const struct lc_arrival *arrival,
				    const uint8_t *bytes, size_t length, uint64_t now)
{
	struct lc_l2tp_header header;
	struct lc_view v;

	if (lc_l2tp_parse(bytes, length, &header) != 0 || !(header.bits & LC_L2TP_TYPE) ||
	    header.total > LC_MESSAGE_MAX) {
		all->mirror->channels[LC_LISTENER].malformed++;
		return LC_MALFORMED;
	}
	uint32_t slot =
	    header.tunnel_id == 0 ? LC_LISTENER : lc_tunnel_slot(all->mirror, header.tunnel_id);
	if (header.tunnel_id != 0 && slot == LC_LISTENER)
		return LC_NO_TUNNEL;
	if (!lc_view_open(&v, all, slot, now))
		return LC_NO_TUNNEL;
	return slot == LC_LISTENER ? receive_listener(&v, arrival, &header, bytes)
				   : receive_tunnel(&v, arrival, &header, bytes);
}
