/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of the control connection (RFC 2661 sections 6.1 to 6.4), and what all messages have
 * in common. */
#include "cp_recover.h"

#include "cp_auth.h"

enum { FIRMWARE_REVISION = 0x0001 };

void cp_send_start(struct cp_turn *turn, struct cp_builder *b, uint8_t *bytes,
		   enum lc_message_type type, uint16_t session_id)
{
	cp_builder_start(b, bytes, LC_MESSAGE_MAX, type, turn->tunnel->peer_id, session_id);
}

void cp_send_hide(struct cp_turn *turn, struct cp_builder *b)
{
	struct cp_engine *e = turn->engine;
	uint8_t random[CP_HIDE_RANDOM_SIZE];

	if (!turn->tunnel->hide_avps || turn->tunnel->secret[0] == 0)
		return;
	e->world.random(e->world.context, random, sizeof(random));
	cp_builder_hide(b, turn->tunnel->secret, random);
}

int cp_send(struct cp_turn *turn, struct cp_builder *b)
{
	struct cp_engine *e = turn->engine;
	int length = cp_builder_finish(b);

	if (length < 0)
		return length;
	int error = lc_txn_send(e->txn, turn->slot, b->bytes, (size_t)length);
	if (error == 0)
		e->types[e->n_types++] = (uint8_t)b->type;
	return error;
}

/* What SCCRQ and SCCRP tell of us. The Host Name comes before the first hidden AVP: it tells the
 * peer which secret to use. We place no outgoing calls, so no bearer is offered (4.4.3). */
static void put_ourselves(struct cp_turn *turn, struct cp_builder *b)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;

	cp_builder_u16(b, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
	cp_builder_string(b, CP_AVP_HOST_NAME, t->local_host);
	cp_send_hide(turn, b);
	cp_builder_u32(b, CP_AVP_FRAMING_CAPABILITIES, CP_FRAMING_SYNC | CP_FRAMING_ASYNC);
	cp_builder_u32(b, CP_AVP_BEARER_CAPABILITIES, 0);
	cp_builder_u16(b, CP_AVP_FIRMWARE_REVISION, FIRMWARE_REVISION);
	cp_builder_string(b, CP_AVP_VENDOR_NAME, "Warmline");
	cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, t->door.id);
	cp_builder_u16(b, CP_AVP_RECEIVE_WINDOW_SIZE, t->receive_window);
	cp_failover_offer(t, b);
	t->challenged = t->secret[0] != 0;
	if (t->challenged) {
		e->world.random(e->world.context, t->challenge, sizeof(t->challenge));
		cp_builder_octets(b, CP_AVP_CHALLENGE, t->challenge, sizeof(t->challenge));
	}
}

/* The answer to the challenge in the message at hand, if there is one (5.1.1). */
static int put_response(struct cp_turn *turn, struct cp_builder *b)
{
	const struct cp_message *m = turn->message;
	uint8_t response[CP_RESPONSE_SIZE];

	if (!cp_message_has(m, CP_AVP_CHALLENGE))
		return 0;
	int error = cp_auth_respond(response, (uint8_t)b->type, turn->tunnel->secret,
				    m->challenge.bytes, m->challenge.length);
	if (error == 0)
		cp_builder_octets(b, CP_AVP_CHALLENGE_RESPONSE, response, sizeof(response));
	return error;
}

/* Which tunnel an SCCRQ is to recover (RFC 4951 section 5.2). */
static void put_recovery(struct cp_turn *turn, struct cp_builder *b)
{
	uint32_t old = cp_recover_old(turn->engine, turn->tunnel);

	if (old == LC_NO_SLOT)
		return;
	const struct cp_recovery recovery = {
	    .tunnel_id = turn->tunnel->recovers,
	    .remote_tunnel_id = lc_txn_peek_tunnel(turn->engine->txn, old)->peer_id};
	cp_builder_recovery(b, &recovery);
}

int cp_send_sccrq(struct cp_turn *turn, bool single)
{
	struct cp_engine *e = turn->engine;
	struct lc_tunnel *t = turn->tunnel;
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_SCCRQ, 0);
	put_ourselves(turn, &b);
	t->has_tie_breaker = single;
	if (single) {
		e->world.random(e->world.context, t->tie_breaker, sizeof(t->tie_breaker));
		cp_builder_u64(&b, CP_AVP_TIE_BREAKER,
			       (uint64_t)lc_get32(t->tie_breaker) << 32 |
				   lc_get32(t->tie_breaker + 4));
	}
	put_recovery(turn, &b);
	return cp_send(turn, &b);
}

int cp_send_sccrp(struct cp_turn *turn)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_SCCRP, 0);
	put_ourselves(turn, &b);
	if (turn->tunnel->recovers != 0)
		cp_builder_sequence(&b, &(struct cp_sequence){.ns = turn->tunnel->suggested_ns,
							      .nr = turn->tunnel->suggested_nr});
	int error = put_response(turn, &b);
	return error != 0 ? error : cp_send(turn, &b);
}

int cp_send_scccn(struct cp_turn *turn)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_SCCCN, 0);
	cp_send_hide(turn, &b);
	int error = put_response(turn, &b);
	return error != 0 ? error : cp_send(turn, &b);
}

int cp_send_stopccn(struct cp_turn *turn, bool farewell)
{
	const struct cp_end *end = &turn->end;
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_STOPCCN, 0);
	cp_builder_u16(&b, CP_AVP_ASSIGNED_TUNNEL_ID, turn->tunnel->door.id);
	cp_builder_result(&b, end->result, end->error, end->text[0] != 0 ? end->text : NULL);
	if (farewell)
		cp_failover_decline(turn->tunnel, &b);
	return cp_send(turn, &b);
}
