/* SPDX-License-Identifier: BSD-3-Clause */
/* One message consumed is one transaction (invariant 3).
 *
 * Before a message is looked at, the attempt is written down in the mirror (one store). A message
 * whose handling has begun CP_ATTEMPTS times and never came to its end has brought the process down
 * as often: it is set aside unread, and its tunnel is closed (invariant 8). The messages that come
 * to their end before it is its turn again leave its count as it was. */
#include "cp_recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_attempt_at(union lc_attempt attempt, union lc_tunnel_door door)
{
	return attempt.busy != 0 && attempt.slot_id == door.id &&
	       attempt.number == door.inbox_head && attempt.generation == door.generation;
}

/* Writes the attempt down. false: it has had its chances. */
static bool attempt_begin(struct cp_engine *e, union lc_tunnel_door door, union lc_attempt *before)
{
	union lc_attempt *place = &e->mirror->header->attempt;

	before->word = __atomic_load_n(&place->word, __ATOMIC_ACQUIRE);
	bool again = is_attempt_at(*before, door);
	if (again && before->count >= CP_ATTEMPTS)
		return false;
	union lc_attempt now = {.slot_id = door.id,
				.number = door.inbox_head,
				.generation = door.generation,
				.count = (uint8_t)(again ? before->count + 1 : 1),
				.busy = 1};
	__atomic_store_n(&place->word, now.word, __ATOMIC_RELEASE);
	return true;
}

static void attempt_end(struct cp_engine *e, union lc_attempt to)
{
	__atomic_store_n(&e->mirror->header->attempt.word, to.word, __ATOMIC_RELEASE);
}

static const char *message_name(const struct cp_message *message)
{
	const char *name = lc_l2tp_message_name(message->type);
	return name != NULL ? name : "a message of unknown type";
}

void cp_inbox_log(const struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;
	const struct cp_message *m = turn->message;
	char from[16];

	cp_address(from, turn->buffer->peer_address);
	if (turn->verdict == CP_IGNORE) {
		cp_log(e, CP_LOG_NOTICE, "message type %u from %s for tunnel %u: unknown, ignored",
		       m->type, from, turn->tunnel->door.id);
	} else if (turn->verdict != CP_ACCEPT) {
		bool unknown = m->fault.error == CP_ERROR_UNKNOWN_MANDATORY;
		e->counters.malformed += !unknown;
		e->counters.unknown_mandatory += unknown;
		cp_log(e, CP_LOG_WARNING, "%s from %s for tunnel %u: %s", message_name(m), from,
		       turn->tunnel->door.id, m->fault.text);
	} else if (m->n_ignored > 0) {
		cp_log(e, CP_LOG_DEBUG, "%s from %s for tunnel %u: %u AVPs left out, first: %s",
		       message_name(m), from, turn->tunnel->door.id, m->n_ignored, m->note.text);
	}
}

static int handle(struct cp_turn *turn)
{
	struct cp_engine *e = turn->engine;

	turn->message = &e->message;
	if (turn->slot == LC_LISTENER)
		return cp_listener_handle(turn);
	turn->verdict = cp_message_decode(&e->message, turn->buffer->bytes, turn->buffer->length,
					  turn->tunnel->secret);
	cp_inbox_log(turn);
	if (turn->verdict == CP_IGNORE || turn->verdict == CP_DISCARD)
		return 0;
	return cp_tunnel_event(turn, cp_tunnel_classify(turn));
}

/* A message that cannot be handled: the tunnel goes, the rest go on. */
static int give_up(struct cp_turn *turn, const char *why)
{
	struct cp_engine *e = turn->engine;
	char label[CP_LABEL];

	turn->message = NULL;
	if (turn->slot == LC_LISTENER) {
		cp_log(e, CP_LOG_ERROR, "a message for tunnel 0 is set aside: %s", why);
		return 0;
	}
	cp_log(e, CP_LOG_ERROR, "%s: a message is set aside: %s",
	       cp_tunnel_label(label, turn->tunnel), why);
	cp_end_set(&turn->end, CP_STOPCCN_ERROR, CP_ERROR_VENDOR, "%s", why);
	return cp_tunnel_event(turn, CP_TUNNEL_INVALID);
}

static int handle_or_give_up(struct cp_turn *turn, bool may_try)
{
	struct cp_engine *e = turn->engine;
	char why[96] = "its handling ended the process three times";

	if (may_try) {
		int error = handle(turn);
		if (error == 0 || error == -ENOBUFS || error == -EAGAIN)
			return error;
		snprintf(why, sizeof(why), "its handling failed: %s", strerror(-error));
		cp_abort(e);
		turn->tunnel = cp_tunnel_touch(e, turn->slot);
	}
	int error = give_up(turn, why);
	if (error == 0) {
		e->world.set_aside(e->world.context, turn->tunnel->door.id, turn->buffer);
		e->counters.set_aside++;
	}
	return error;
}

/* What is in the inbox of a lost channel is lost with it; after a reset, step I comes first (RFC 4951 section
 * 3.2.2). A held channel's inbox is read: what has been acknowledged is not to be lost by the reset. */
static bool is_readable(const struct cp_engine *e, const struct lc_tunnel *t)
{
	if (t == NULL || t->state != CP_TUNNEL_ESTABLISHED)
		return t != NULL;
	return cp_recover_is_open(t) ||
	       (t->resync == CP_RESYNC_HELD && t->life == lc_control_life(e->mirror));
}

/* An SCCCN of a recovery tunnel resets the old one, which flushes what is left in its inbox. */
static void read_old_one(struct cp_engine *e, const struct lc_tunnel *t, uint64_t now)
{
	uint32_t slot = cp_recover_old(e, t);

	if (t->state != CP_TUNNEL_WAIT_CTL_CONN || slot == LC_NO_SLOT)
		return;
	while (cp_inbox_next(e, slot, now) == 1)
		;
}

int cp_inbox_next(struct cp_engine *e, uint32_t slot, uint64_t now)
{
	const struct lc_tunnel *t = lc_txn_peek_tunnel(e->txn, slot);
	const struct lc_buffer *buffer =
	    slot == LC_LISTENER || is_readable(e, t) ? lc_txn_receive(e->txn, slot) : NULL;

	if (buffer == NULL)
		return 0;
	if (t->recovers != 0)
		read_old_one(e, t, now);
	struct cp_turn turn = {.engine = e,
			       .now = now,
			       .slot = slot,
			       .buffer = buffer,
			       .tunnel = cp_tunnel_touch(e, slot)};
	union lc_attempt before;
	const union lc_tunnel_door door = turn.tunnel->door;
	int type = lc_l2tp_message_type(buffer->bytes, buffer->length);
	bool may_try = attempt_begin(e, door, &before);
	int error = handle_or_give_up(&turn, may_try);

	if (error == 0) {
		lc_txn_consume(e->txn, slot);
		error = cp_commit(e, now);
	}
	if (error != 0) {
		cp_abort(e);
		attempt_end(e, before);
		lc_timers_set(e->soon, slot, now + CP_BLOCKED_MS);
		return error;
	}
	attempt_end(e, is_attempt_at(before, door) ? (union lc_attempt){0} : before);
	e->counters.received[type >= 0 && type < 32 ? type : 0]++;
	return 1;
}
