/* SPDX-License-Identifier: BSD-3-Clause */
/* The checks of every step. The rules are the README's.
 *
 * On the wire: what is acknowledged is in the inbox, all of it (rule 1); a number goes with one message as long as
 * the channel lives, and no number is left out (2, 4); a silent channel says nothing (RFC 4951 section 3.2.1), and a
 * recovery tunnel nothing but SCCRQ, SCCRP, SCCCN, StopCCN, HELLO and ZLB; no call before the sessions that
 * were not established are gone (section 3.2.2).
 * In the inbox: what is consumed is what the peer has sent in this life of the channel, each message once and in
 * order, and nothing from before a reset after it (rule 4; section 3.2.2).
 * In the mirror, after a commit: a door is open only if its session is established; no session begins
 * between the loss of the control channel and the end of step I (section 3.3); an established session ends
 * only where sim_promise.c allows it. */
#include "sim_world.h"

#include <stdlib.h>
#include <string.h>

#include "cp_recover.h"

enum { LOOK_EVERY = 32 }; /* turns of a control plane: all of lc_mirror_check() */

/* ---- streams ---- */

static uint32_t hash_message(const uint8_t *bytes, size_t length)
{
	uint64_t hash = lc_get32(bytes + 4) * UINT64_C(0x9ddfea08eb382d69) + length;

	for (size_t i = LC_L2TP_CONTROL_SIZE; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

static int stream_new(struct sim *sim, unsigned party, const struct lc_tunnel *t)
{
	if (sim->n_streams == sim->streams_room) {
		unsigned room = sim->streams_room == 0 ? 64 : 2 * sim->streams_room;
		struct sim_stream *all = realloc(sim->streams, room * sizeof(*all));
		if (all == NULL)
			sim_fail(sim, "no memory");
		memset(all + sim->streams_room, 0, (room - sim->streams_room) * sizeof(*all));
		sim->streams = all;
		sim->streams_room = room;
	}
	struct sim_stream *s = &sim->streams[sim->n_streams];
	s->party = party;
	s->tunnel_id = t->door.id;
	s->generation = t->door.generation;
	s->start = t->reset_ns;
	s->n = 0;
	return (int)sim->n_streams++;
}

static void stream_add(struct sim *sim, struct sim_stream *s, uint32_t hash, int type)
{
	if (s->n == s->room) {
		unsigned room = s->room == 0 ? 64 : 2 * s->room;
		struct sim_sent *sent = realloc(s->sent, room * sizeof(*sent));
		if (sent == NULL)
			sim_fail(sim, "no memory");
		s->sent = sent;
		s->room = room;
	}
	s->sent[s->n++] = (struct sim_sent){.hash = hash, .type = (uint8_t)type};
}

/* What the peer of a tunnel has sent in the present life of its channel: the newest that begins where this end
 * expects it to. NULL: nothing. */
static const struct sim_stream *stream_of_peer(const struct sim_party *p, const struct lc_tunnel *t,
					       const struct sim_tunnel *known)
{
	const struct sim *sim = p->sim;
	unsigned peer = sim_party_at(sim, t->peer_address);

	for (unsigned i = sim->n_streams; t->peer_id != 0 && i-- > 0;) {
		const struct sim_stream *s = &sim->streams[i];
		if (s->party == peer && s->tunnel_id == t->peer_id && s->start == known->start)
			return s;
	}
	return NULL;
}

/* ---- the wire ---- */

static const char *name_of(int type)
{
	const char *name = lc_l2tp_message_name(type);
	return name != NULL ? name : "a message of unknown type";
}

static void check_allowed(struct sim_party *p, const struct lc_tunnel *t, int type)
{
	struct sim *sim = p->sim;
	union lc_tunnel_door door = lc_tunnel_door_read(t);

	if (t->mortal && t->life != p->life)
		sim_fail(sim,
			 "%s sends %s on tunnel %u, whose channel died with life %u: this is %u",
			 p->name, name_of(type), door.id, t->life, p->life);
	if (lc_tunnel_silent(&p->mirror, t, door))
		sim_fail(sim, "%s sends %s on tunnel %u, which is silent", p->name, name_of(type),
			 door.id);
	if (t->recovers != 0 && type != LC_MSG_SCCRQ && type != LC_MSG_SCCRP &&
	    type != LC_MSG_SCCCN && type != LC_MSG_STOPCCN && type != LC_MSG_HELLO &&
	    type != LC_MSG_ZLB)
		sim_fail(sim, "%s sends %s on recovery tunnel %u", p->name, name_of(type), door.id);
	if (type == LC_MSG_ICRQ && !cp_recover_is_open(t))
		sim_fail(sim, "%s sends ICRQ on tunnel %u, whose resynchronization is %s", p->name,
			 door.id, cp_resync_name(t->resync));
}

static void check_number(struct sim_party *p, uint32_t slot, uint16_t ns, int type,
			 const uint8_t *bytes, size_t length)
{
	struct sim *sim = p->sim;
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	struct sim_tunnel *known = &p->tunnels[slot];

	if (known->id != t->door.id || known->generation != t->door.generation)
		sim_fail(sim, "%s sends on tunnel %u, which no commit has made", p->name,
			 t->door.id);
	if (known->stream < 0)
		known->stream = stream_new(sim, p->number, t);
	struct sim_stream *s = &sim->streams[known->stream];
	uint16_t place = (uint16_t)(ns - s->start);
	uint32_t hash = hash_message(bytes, length);
	if (t->door.mode == LC_MODE_FAREWELL && place != s->n)
		return; /* what was never sent before it will not be */
	if (place > s->n && p->data_deaths == 0)
		sim_fail(sim, "%s sends Ns %u on tunnel %u, and has not sent %u yet", p->name, ns,
			 t->door.id, (uint16_t)(s->start + s->n));
	while (place > s->n) /* counted by a data plane that died before it sent it */
		stream_add(sim, s, 0, SIM_UNSENT);
	if (place == s->n)
		stream_add(sim, s, hash, type);
	else if (s->sent[place].type == SIM_UNSENT)
		s->sent[place] = (struct sim_sent){.hash = hash, .type = (uint8_t)type};
	else if (s->sent[place].hash != hash)
		sim_fail(sim, "%s sends Ns %u on tunnel %u again, as %s, and it is another message",
			 p->name, ns, t->door.id, name_of(type));
}

/* Everything before nr is in the inbox, or was consumed, but for HELLOs. */
static void check_acknowledged(struct sim_party *p, uint32_t slot, uint16_t nr)
{
	struct sim *sim = p->sim;
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	const struct lc_channel *c = &p->mirror.channels[slot];
	struct sim_tunnel *known = &p->tunnels[slot];

	if (known->verified == nr)
		return;
	const struct sim_stream *s = stream_of_peer(p, t, known);
	if (t->peer_id == 0)
		return;
	for (; known->verified != nr; known->verified++) {
		uint16_t place = (uint16_t)(known->verified - known->start);
		if (s == NULL || place >= s->n)
			sim_fail(sim,
				 "%s acknowledges Ns %u on tunnel %u, which its peer never sent",
				 p->name, known->verified, t->door.id);
		if (s->sent[place].type != LC_MSG_HELLO)
			known->n_verified++;
	}
	uint16_t waiting = (uint16_t)(lc_inbox_tail(c->rx) - t->door.inbox_head);
	if ((uint16_t)(known->consumed + waiting) != known->n_verified)
		sim_fail(
		    sim,
		    "%s acknowledges up to Ns %u on tunnel %u: %u messages, and has consumed %u and %u "
		    "are in the inbox",
		    p->name, nr, t->door.id, known->n_verified, known->consumed, waiting);
}

void sim_watch_sent(struct sim_party *p, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct sim *sim = p->sim;
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	const struct lc_channel *c = &p->mirror.channels[slot];
	struct lc_l2tp_header h;

	if (lc_l2tp_parse(bytes, length, &h) != 0 || h.total != length)
		sim_fail(sim, "%s sends what has no header", p->name);
	int type = lc_l2tp_message_type(bytes, length);
	check_allowed(p, t, type);
	if (!lc_channel_current(c, lc_tunnel_door_read(t)))
		sim_fail(sim, "%s sends on tunnel %u, whose channel it has not reset", p->name,
			 t->door.id);
	if (h.nr != c->rx.nr)
		sim_fail(sim, "%s acknowledges up to Ns %u on tunnel %u, and has taken up to %u",
			 p->name, h.nr, t->door.id, c->rx.nr);
	if (type != LC_MSG_ZLB)
		check_number(p, slot, h.ns, type, bytes, length);
	if (t->door.mode != LC_MODE_FAREWELL)
		check_acknowledged(p, slot, h.nr);
}

/* ---- what is consumed ---- */

static void check_consumed(struct sim_party *p, uint32_t slot, uint16_t number)
{
	struct sim *sim = p->sim;
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	struct sim_tunnel *known = &p->tunnels[slot];
	const struct lc_buffer *b =
	    &p->mirror.inbox[p->mirror.channels[slot].inbox[number % LC_RING]];
	uint16_t ns = lc_get16(b->bytes + 8);
	const struct sim_stream *s = stream_of_peer(p, t, known);

	known->consumed++;
	if (sim->trace)
		sim_say(sim, p->number, "    consumes %s, Ns %u of tunnel %u",
			name_of(lc_l2tp_message_type(b->bytes, b->length)), ns, t->door.id);
	if (t->peer_id == 0)
		return; /* it was refused before we knew whose it is */
	uint16_t place = (uint16_t)(ns - known->start);
	if (s == NULL || place >= s->n || s->sent[place].hash != hash_message(b->bytes, b->length))
		sim_fail(
		    sim,
		    "%s consumes %s with Ns %u on tunnel %u, which its peer did not send in this "
		    "life of the channel",
		    p->name, name_of(lc_l2tp_message_type(b->bytes, b->length)), ns, t->door.id);
	uint16_t from = known->has_last ? (uint16_t)(known->last_ns + 1 - known->start) : 0;
	if (known->has_last && !lc_seq_before(known->last_ns, ns))
		sim_fail(sim, "%s consumes Ns %u on tunnel %u after %u", p->name, ns, t->door.id,
			 known->last_ns);
	for (; from != place; from++)
		if (s->sent[from].type != LC_MSG_HELLO && s->sent[from].type != LC_MSG_SCCRQ)
			sim_fail(sim, "%s consumes Ns %u on tunnel %u, and never %s with %u",
				 p->name, ns, t->door.id, name_of(s->sent[from].type),
				 (uint16_t)(known->start + from));
	known->has_last = true;
	known->last_ns = ns;
}

/* ---- tunnels ---- */

/* The channel was reset: what was not established is to go before anything else (step I). */
static void doom_sessions(struct sim_party *p, uint16_t tunnel_id)
{
	for (uint32_t slot = 0; slot <= p->mirror.session_mask; slot++) {
		const struct lc_session *s = &p->mirror.sessions[slot];
		struct sim_session *known = &p->sessions[slot];
		if (known->id != 0 && known->id == s->id && known->tunnel_id == s->tunnel_id &&
		    s->tunnel_id == tunnel_id && s->state > CP_SESSION_WAIT_TUNNEL &&
		    s->state < CP_SESSION_ESTABLISHED)
			known->doomed = true;
	}
}

static void tunnel_begins(struct sim_party *p, uint32_t slot, union lc_tunnel_door door)
{
	const struct lc_tunnel *t = &p->mirror.tunnels[slot];
	struct sim_tunnel *known = &p->tunnels[slot];
	bool reset = known->id == door.id;

	*known = (struct sim_tunnel){.id = door.id,
				     .generation = door.generation,
				     .head = door.inbox_head,
				     .start = reset ? t->reset_nr : 0,
				     .stream = -1};
	if (reset)
		doom_sessions(p, door.id);
	known->verified = reset ? t->reset_nr : lc_channel_rx_read(&p->mirror.channels[slot]).nr;
	p->sim->resets += reset;
}

static void look_at_tunnel(struct sim_party *p, uint32_t slot)
{
	union lc_tunnel_door door = lc_tunnel_door_read(&p->mirror.tunnels[slot]);
	struct sim_tunnel *known = &p->tunnels[slot];

	if (door.id == 0) {
		known->id = 0;
		return;
	}
	if (known->id != door.id || known->generation != door.generation)
		tunnel_begins(p, slot, door);
	if ((uint16_t)(door.inbox_head - known->head) > LC_RING)
		sim_fail(p->sim, "%s, tunnel %u: the inbox's head goes from %u to %u", p->name,
			 door.id, known->head, door.inbox_head);
	while (known->head != door.inbox_head)
		check_consumed(p, slot, known->head++);
}

/* ---- sessions ---- */

/* No session may begin: the channel is lost, or reset and step I is not done. What had come before the peer's
 * recovery tunnel is still read while ours is held for it. */
static bool is_shut(const struct sim_party *p, const struct lc_tunnel *t)
{
	if (t->resync == CP_RESYNC_HELD)
		return t->mortal && t->life != p->life;
	return !cp_recover_is_open(t);
}

/* Shut before this turn and after it: so it was in between. */
static void session_begins(struct sim_party *p, uint32_t slot, const struct lc_session *s)
{
	uint32_t tunnel = lc_tunnel_slot(&p->mirror, s->tunnel_id);
	const struct lc_tunnel *t = &p->mirror.tunnels[tunnel];
	const struct sim_tunnel *known = &p->tunnels[tunnel];

	p->sessions[slot] = (struct sim_session){.id = s->id, .tunnel_id = s->tunnel_id};
	if (s->state > CP_SESSION_WAIT_TUNNEL && known->id == s->tunnel_id && known->shut &&
	    is_shut(p, t))
		sim_fail(p->sim,
			 "%s: session %u of tunnel %u begins, and its resynchronization is %s",
			 p->name, s->id, s->tunnel_id, cp_resync_name(t->resync));
}

static void look_at_session(struct sim_party *p, uint32_t slot)
{
	const struct lc_session *s = &p->mirror.sessions[slot];
	struct sim_session *known = &p->sessions[slot];
	bool used = lc_map_test(p->mirror.session_map, slot);
	uint64_t accounting = used && s->state == CP_SESSION_ESTABLISHED ? s->accounting_id : 0;

	if (known->accounting_id != 0 && known->accounting_id != accounting) {
		sim_promise_ended(p, slot);
		known->accounting_id = 0;
	}
	if (!used) {
		known->id = 0;
		return;
	}
	if (known->id != s->id || known->tunnel_id != s->tunnel_id)
		session_begins(p, slot, s);
	uint32_t tunnel = lc_tunnel_slot(&p->mirror, s->tunnel_id);
	const struct lc_tunnel *t = &p->mirror.tunnels[tunnel];
	if (known->doomed && t->state == CP_TUNNEL_ESTABLISHED && cp_recover_is_open(t))
		sim_fail(p->sim, "%s: session %u of tunnel %u, %s, outlives step I", p->name, s->id,
			 s->tunnel_id, cp_session_state_name(s->state));
	if (lc_session_door_read(s).word != 0 && s->state != CP_SESSION_ESTABLISHED)
		sim_fail(p->sim, "%s: the door of session %u is open, and its state is %s", p->name,
			 s->id, cp_session_state_name(s->state));
	if (accounting == 0 || known->accounting_id == accounting)
		return;
	known->accounting_id = accounting;
	sim_promise_established(p, slot);
}

static void look_at_sessions(struct sim_party *p)
{
	for (uint32_t slot = 0; slot <= p->mirror.session_mask; slot++)
		if (p->sessions[slot].id != 0 || lc_map_test(p->mirror.session_map, slot))
			look_at_session(p, slot);
	for (uint32_t slot = 1; slot < SIM_TUNNELS; slot++)
		if (p->tunnels[slot].id != 0)
			p->tunnels[slot].shut = is_shut(p, &p->mirror.tunnels[slot]);
}

void sim_watch_control(struct sim_party *p)
{
	for (uint32_t slot = 1; slot < SIM_TUNNELS; slot++)
		if (p->tunnels[slot].id != 0 || lc_map_test(p->mirror.tunnel_map, slot))
			look_at_tunnel(p, slot);
	if (p->mirror.header->journal_committed != 0)
		return; /* it died on the way: the next one brings it to its end */
	look_at_sessions(p);
	if (++p->looks % LOOK_EVERY == 0)
		sim_watch_mirror(p, p->looks % (8 * LOOK_EVERY) == 0);
}

/* ---- now and then ---- */

/* In the past only as far as nobody was here to see it, and not for ever ahead. */
static bool is_sane(const struct sim_party *p, uint64_t deadline)
{
	enum { AHEAD_MS = 3600000 };

	return deadline == 0 || (deadline >= SIM_START && deadline <= p->sim->now + AHEAD_MS);
}

static void check_deadlines(struct sim_party *p)
{
	for (uint32_t i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, 0); i != LC_NO_SLOT;
	     i = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, i + 1))
		if (!is_sane(p, p->mirror.tunnels[i].deadline))
			sim_fail(p->sim, "%s: the deadline of tunnel %u makes no sense", p->name,
				 p->mirror.tunnels[i].door.id);
	for (uint32_t i = lc_map_next(p->mirror.session_map, SIM_SESSIONS, 0); i != LC_NO_SLOT;
	     i = lc_map_next(p->mirror.session_map, SIM_SESSIONS, i + 1))
		if (!is_sane(p, p->mirror.sessions[i].deadline))
			sim_fail(p->sim, "%s: the deadline of session %u makes no sense", p->name,
				 p->mirror.sessions[i].id);
}

/* No two established sessions of a tunnel have the same one for their peer. */
static void check_pairs(struct sim_party *p)
{
	for (uint32_t i = 0; i < SIM_SESSIONS; i++)
		for (uint32_t j = 0; j < i && p->sessions[i].accounting_id != 0; j++)
			if (p->sessions[j].accounting_id != 0 &&
			    p->sessions[i].tunnel_id == p->sessions[j].tunnel_id &&
			    p->mirror.sessions[i].peer_session_id ==
				p->mirror.sessions[j].peer_session_id)
				sim_fail(p->sim,
					 "%s: sessions %u and %u of tunnel %u have one peer, %u",
					 p->name, p->sessions[i].id, p->sessions[j].id,
					 p->sessions[i].tunnel_id,
					 p->mirror.sessions[i].peer_session_id);
}

void sim_watch_mirror(struct sim_party *p, bool wholly)
{
	char why[200] = "";

	if (p->mirror.header->journal_committed != 0)
		return;
	if (!lc_mirror_check(&p->mirror, why, sizeof(why)) ||
	    (wholly && !lc_mirror_check_free(&p->mirror, why, sizeof(why))))
		sim_fail(p->sim, "%s: %s", p->name, why);
	check_deadlines(p);
	check_pairs(p);
}

void sim_watch_started(struct sim_party *p)
{
	struct sim *sim = p->sim;

	for (uint32_t slot = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(p->mirror.tunnel_map, SIM_TUNNELS, slot + 1)) {
		const struct lc_tunnel *t = &p->mirror.tunnels[slot];
		if (t->state == CP_TUNNEL_IDLE)
			continue;
		if (t->method == CFG_METHOD_DISABLE)
			sim_fail(sim,
				 "%s: tunnel %u outlives a warm start, and its method is disable",
				 p->name, t->door.id);
		if (t->recovers != 0)
			sim_fail(sim, "%s: recovery tunnel %u outlives a warm start", p->name,
				 t->door.id);
		if (t->mortal && (t->state != CP_TUNNEL_ESTABLISHED || t->resync != CP_RESYNC_LOST))
			sim_fail(
			    sim,
			    "%s: the channel of tunnel %u is lost, and it is %s, resynchronization %s",
			    p->name, t->door.id, cp_tunnel_state_name(t->state),
			    cp_resync_name(t->resync));
	}
	sim_watch_mirror(p, true);
}

void sim_watch_forget(struct sim_party *p)
{
	memset(p->tunnels, 0, sizeof(p->tunnels));
	memset(p->sessions, 0, sizeof(p->sessions));
}
