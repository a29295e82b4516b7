/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ends joined by a network that loses, repeats and reorders, and the model that they are held
 * to: what one control plane sends, the other consumes once and in order; a number goes with one
 * message for ever; what is acknowledged on the wire is in the inbox; never more than the peer's
 * window is outstanding. */
#pragma once

#include "channel_end.h"

enum {
	NET_QUEUE = 4096,
	NET_OURS = 0x0a000001, /* side 0; side 1 is one more */
};

struct net_packet {
	uint64_t at; /* ms: when it arrives */
	unsigned to;
	struct end_packet packet;
};

struct net_side {
	struct end end;
	uint32_t n_out, next_out; /* payloads to send, the next one */
	uint32_t next_in;         /* payload expected next */
	uint16_t first_new;       /* Ns never seen on the wire yet, and all after it */
	uint32_t payload[65536];  /* by Ns: what went with it; valid if seen */
	bool seen[65536];
};

struct net {
	uint64_t random;
	uint64_t now;
	unsigned loss, repeat; /* of 100 packets */
	uint32_t delay;        /* ms, at most */
	struct net_side side[2];
	unsigned n_flying;
	struct net_packet flying[NET_QUEUE];
};

/* 0..n-1 */
static inline uint32_t net_random(struct net *net, uint32_t n)
{
	net->random ^= net->random << 13;
	net->random ^= net->random >> 7;
	net->random ^= net->random << 17;
	return (uint32_t)(net->random >> 32) % n;
}

static inline struct lc_channel *net_channel(struct net_side *s)
{
	return &s->end.mirror.channels[s->end.slot];
}

static inline void net_tunnel(struct net *net, unsigned k, uint16_t window, uint16_t peer_window,
			      uint32_t retransmit_ms)
{
	struct lc_tunnel *t = end_tunnel(&net->side[k].end);
	t->receive_window = window;
	t->peer_window = peer_window;
	t->retransmit_established = 255;
	t->retransmit_ms = retransmit_ms;
	t->retransmit_max_ms = 8 * retransmit_ms;
	t->hello_ms = 20 + net_random(net, net_random(net, 2) ? 5000 : 100);
	t->peer_id = net->side[!k].end.id;
	end_commit(&net->side[k].end);
}

/* Two established tunnels with windows and numbers of all kinds: often about to wrap. */
static inline void net_open(struct net *net, uint64_t seed, uint32_t n_out, uint32_t retransmit_ms)
{
	*net = (struct net){.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .now = 1000};
	net_random(net, 2);
	net->loss = net_random(net, 31);
	net->repeat = net_random(net, 21);
	net->delay = 1 + net_random(net, net_random(net, 2) ? 500 : 20);
	uint16_t start[2], out[2], window[2];
	for (unsigned k = 0; k < 2; k++) {
		end_open(&net->side[k].end, NET_OURS + k, NET_OURS + !k);
		end_create(&net->side[k].end, 0, 1);
		net->side[k].n_out = n_out;
		start[k] = (uint16_t)(net_random(net, 3) ? 65536 - net_random(net, n_out)
							 : net_random(net, 65536));
		out[k] = (uint16_t)(net_random(net, 3) ? 65536 - net_random(net, n_out)
						       : net_random(net, 65536));
		window[k] = (uint16_t)(1 + net_random(net, net_random(net, 2) ? LC_RING : 4));
		net->side[k].first_new = start[k];
	}
	for (unsigned k = 0; k < 2; k++) {
		end_start_at(&net->side[k].end, start[k], start[!k], out[k], out[!k]);
		net_tunnel(net, k, window[k], window[!k], retransmit_ms);
	}
}

static inline void net_close(struct net *net)
{
	for (unsigned k = 0; k < 2; k++)
		end_close(&net->side[k].end);
}

/* Puts a packet under way: lost, once, or more than once. */
static inline void net_carry(struct net *net, unsigned to, const struct end_packet *p)
{
	if (net_random(net, 100) < net->loss)
		return;
	do {
		assert_true(net->n_flying < NET_QUEUE);
		net->flying[net->n_flying++] = (struct net_packet){
		    .at = net->now + net_random(net, net->delay), .to = to, .packet = *p};
	} while (net_random(net, 100) < net->repeat);
}

/* What the model says of a packet that has left side s. */
static inline void net_check_packet(struct net_side *s, const struct end_packet *p)
{
	struct lc_l2tp_header h;
	struct lc_channel *c = net_channel(s);
	assert_int_equal(lc_l2tp_parse(p->bytes, p->length, &h), 0);
	assert_false(lc_seq_before(lc_channel_rx_read(c).nr, h.nr));
	if (p->length == LC_L2TP_CONTROL_SIZE)
		return;
	uint32_t payload = end_payload(p->bytes, p->length);
	while (!lc_seq_before(h.ns, s->first_new))
		s->seen[s->first_new++] = false;
	if (s->seen[h.ns])
		assert_int_equal(s->payload[h.ns], payload);
	s->seen[h.ns] = true;
	s->payload[h.ns] = payload;
}

/* Takes what side k has sent. */
static inline void net_collect(struct net *net, unsigned k)
{
	struct net_side *s = &net->side[k];
	union lc_channel_tx tx = lc_channel_tx_read(net_channel(s));
	assert_false(tx.dead);
	assert_true((uint16_t)(tx.next - tx.acked) <=
		    s->end.mirror.tunnels[s->end.slot].peer_window);
	for (unsigned i = 0; i < s->end.n_sent; i++) {
		net_check_packet(s, &s->end.sent[i]);
		net_carry(net, !k, &s->end.sent[i]);
	}
	s->end.n_sent = 0;
}

/* Takes a packet that has arrived out of the network. false: none has. */
static inline bool net_arrived(struct net *net, struct net_packet *p)
{
	for (unsigned i = 0; i < net->n_flying; i++) {
		if (net->flying[i].at > net->now)
			continue;
		*p = net->flying[i];
		net->flying[i] = net->flying[--net->n_flying];
		return true;
	}
	return false;
}

static inline uint64_t net_next_arrival(const struct net *net)
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < net->n_flying; i++)
		if (net->flying[i].at < next)
			next = net->flying[i].at;
	return next;
}

/* A turn of side k's control plane: consumes a few, sends a few. */
static inline void net_control(struct net *net, unsigned k)
{
	struct net_side *s = &net->side[k];
	int64_t payload;
	for (uint32_t n = net_random(net, 8);
	     n > 0 && (payload = end_consume(&s->end)) != END_NOTHING; n--)
		assert_int_equal(payload, s->next_in++);
	for (uint32_t n = net_random(net, 8);
	     n > 0 && s->next_out < s->n_out && lc_txn_outbox_room(s->end.txn, s->end.slot) > 0;
	     n--)
		s->next_out += end_send(&s->end, LC_MSG_ICRQ, s->next_out);
}

/* All was sent, acknowledged and consumed. */
static inline bool net_done(struct net *net)
{
	for (unsigned k = 0; k < 2; k++) {
		struct net_side *s = &net->side[k];
		union lc_tunnel_door door =
		    lc_tunnel_door_read(&s->end.mirror.tunnels[s->end.slot]);
		if (s->next_out != s->n_out || s->next_in != net->side[!k].n_out ||
		    lc_outbox_head(lc_channel_tx_read(net_channel(s))) != door.outbox_tail)
			return false;
	}
	return true;
}
