/* SPDX-License-Identifier: BSD-3-Clause */
/* The peer of one tunnel of a manage_lab.h, and the line card between the two: it answers queries
 * (RFC 4951 section 3.3), as slowly as the loop turns. */
#pragma once

#include "manage_lab.h"

#include "cp_message.h"
#include "lc_channel.h"

enum {
	PEER_QUEUE = 64,
};

static struct {
	struct lc_channels *channels;
	uint32_t slot, cursor;
	uint16_t ns, nr;
	uint16_t unknown; /* its ID of a session that it does not know */
	bool mute;        /* acknowledges, and answers nothing */
	bool stops;       /* answers a query with a StopCCN */
	unsigned queries; /* FSQs that came */
	unsigned n_packets;
	struct {
		size_t length;
		uint8_t bytes[LC_MESSAGE_MAX];
	} packets[PEER_QUEUE];
} peer;

static inline void peer_take(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	if (slot != peer.slot || peer.n_packets == PEER_QUEUE)
		return;
	memcpy(peer.packets[peer.n_packets].bytes, bytes, length);
	peer.packets[peer.n_packets++].length = length;
}

static inline void peer_transmit(const uint8_t *bytes, size_t length)
{
	const struct lc_tunnel *t = &fix.mirror.tunnels[peer.slot];
	const struct lc_arrival from = {.peer_address = t->peer_address,
					.local_address = t->local_address,
					.peer_udp_port = t->peer_udp_port};

	lc_channels_receive(peer.channels, &from, bytes, length, now_ms(NULL));
}

static inline void peer_send(struct cp_builder *builder)
{
	int length = cp_builder_finish(builder);

	assert_true(length > 0);
	lc_put16(builder->bytes + 8, peer.ns++);
	lc_put16(builder->bytes + 10, peer.nr);
	peer_transmit(builder->bytes, (size_t)length);
}

static inline void peer_start(struct cp_builder *builder, uint8_t *bytes, enum lc_message_type type)
{
	cp_builder_start(builder, bytes, LC_MESSAGE_MAX, type,
			 fix.mirror.tunnels[peer.slot].door.id, 0);
}

static inline void peer_answer(const struct cp_states *asked)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder builder;

	if (peer.stops) {
		peer_start(&builder, bytes, LC_MSG_STOPCCN);
		cp_builder_u16(&builder, CP_AVP_ASSIGNED_TUNNEL_ID,
			       fix.mirror.tunnels[peer.slot].peer_id);
		cp_builder_result(&builder, CP_STOPCCN_SHUTDOWN, 0, NULL);
		peer_send(&builder);
		return;
	}
	peer_start(&builder, bytes, LC_MSG_FSR);
	for (unsigned i = 0; i < asked->n; i++) {
		uint16_t id = asked->list[i].remote_session_id;
		const struct cp_state state = {.session_id = id == peer.unknown ? 0 : id,
					       .remote_session_id = asked->list[i].session_id};

		cp_builder_state(&builder, &state);
	}
	peer_send(&builder);
}

static inline void peer_hear(const uint8_t *bytes, size_t length)
{
	static struct cp_message message;
	uint8_t zlb[LC_L2TP_CONTROL_SIZE];
	int type = lc_l2tp_message_type(bytes, length);

	if (type == LC_MSG_ZLB || lc_get16(bytes + 8) != peer.nr)
		return;
	peer.nr++;
	lc_l2tp_write_control(zlb, sizeof(zlb), fix.mirror.tunnels[peer.slot].door.id, 0, peer.ns,
			      peer.nr);
	peer_transmit(zlb, sizeof(zlb));
	if (type != LC_MSG_FSQ)
		return;
	peer.queries++;
	assert_int_equal(cp_message_decode(&message, bytes, length, NULL), CP_ACCEPT);
	if (!peer.mute)
		peer_answer(&message.states);
}

/* The line card's turn, the peer's, the control plane's. */
static inline void peer_turn(void)
{
	unsigned n = peer.n_packets;
	uint32_t slot;

	for (unsigned i = 0; i < n; i++)
		peer_hear(peer.packets[i].bytes, peer.packets[i].length);
	memmove(peer.packets, peer.packets + n, (peer.n_packets - n) * sizeof(peer.packets[0]));
	peer.n_packets -= n;
	lc_channels_run(peer.channels, now_ms(NULL), 64);
	while ((slot = lc_dirty_take(&fix.mirror.to_control, &peer.cursor)) != LC_NO_SLOT)
		cp_engine_run_tunnel(fix.engine, slot, 64, now_ms(NULL));
	cp_engine_run(fix.engine, 64, now_ms(NULL));
}

/* The slot of the lab's first tunnel. */
static inline uint32_t first_tunnel(void)
{
	return lc_map_next(fix.mirror.tunnel_map, fix.mirror.tunnel_mask + 1, 1);
}

/* Both ends of the first tunnel have offered all that there is. */
static inline void offer(void)
{
	struct lc_tunnel *t = &fix.mirror.tunnels[first_tunnel()];

	t->failover = t->peer_failover = LC_FAILOVER_GIVEN | LC_FAILOVER_CONTROL | LC_FAILOVER_DATA;
	t->recovery_ms = 900000;
	t->peer_recovery_ms = 60000;
}

/* A peer for the first tunnel, from now on, while the loop turns. */
static inline void peer_open(void)
{
	struct lc_tunnel *t;

	memset(&peer, 0, sizeof(peer));
	peer.slot = first_tunnel();
	peer.ns = 1; /* its SCCRQ was number 0 */
	t = &fix.mirror.tunnels[peer.slot];
	t->retransmit_ms = 1000;
	t->retransmit_max_ms = 8000;
	t->retransmit_established = 5;
	offer();
	assert_int_equal(
	    lc_channels_attach(&peer.channels, &fix.mirror, peer_take, NULL, NULL, now_ms(NULL)),
	    0);
	fix.idle = peer_turn;
}

static inline int peer_lab_teardown(void **state)
{
	fix.idle = NULL;
	lc_channels_detach(peer.channels);
	peer.channels = NULL;
	return lab_teardown(state);
}
