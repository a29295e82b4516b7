/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold in a mirror whenever no commit is under way. Nothing read here is believed before
 * it is compared. */
#include "lc_mirror.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct lc_mirror *m;
	char *why;
	size_t size;
	uint64_t *inbox_held, *outbox_held; /* maps of buffers */
	uint32_t *sessions;                 /* by tunnel slot: sessions counted */
};

static bool broken(const struct check *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool broken(const struct check *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (c->why != NULL && c->size > 0)
		vsnprintf(c->why, c->size, format, arguments);
	va_end(arguments);
	return false;
}

static bool is_string(const char *s, size_t size)
{
	return memchr(s, 0, size) != NULL;
}

/* The messages [from, to) of one ring: each buffer exists, has a length that it can have, and is
 * nowhere else. */
static bool check_ring(const struct check *c, uint32_t slot, const char *name, const uint32_t *ring,
		       uint16_t from, uint16_t to, const struct lc_buffer *pool, uint64_t *held)
{
	if ((uint16_t)(to - from) > LC_RING)
		return broken(c,
			      "tunnel slot %u: its %s holds messages %u to %u, more than its ring",
			      slot, name, from, to);
	for (uint16_t i = from; i != to; i++) {
		uint32_t buffer = ring[i % LC_RING];
		if (buffer >= c->m->header->geometry.buffers)
			return broken(
			    c,
			    "tunnel slot %u: %s message %u lies in buffer %u, which does not exist",
			    slot, name, i, buffer);
		if (lc_map_test(held, buffer))
			return broken(
			    c,
			    "tunnel slot %u: %s message %u lies in buffer %u, which holds another",
			    slot, name, i, buffer);
		held[buffer / 64] |= UINT64_C(1) << (buffer % 64);
		if (pool[buffer].length > LC_MESSAGE_MAX)
			return broken(c, "tunnel slot %u: %s message %u is %u bytes long", slot,
				      name, i, pool[buffer].length);
	}
	return true;
}

/* Before the data plane has seen a reset (RFC 4951 section 3.2.2), nothing is in the inbox, whatever rx says. What tx
 * says of the outbox holds all the time: its messages keep their numbers. */
static bool check_channel(const struct check *c, uint32_t slot, union lc_tunnel_door door)
{
	const struct lc_channel *channel = &c->m->channels[slot];
	bool current = lc_channel_current(channel, door);
	union lc_channel_tx tx = lc_channel_tx_read(channel);
	union lc_channel_rx rx = lc_channel_rx_read(channel);

	if (current && !check_ring(c, slot, "inbox", channel->inbox, door.inbox_head,
				   lc_inbox_tail(rx), c->m->inbox, c->inbox_held))
		return false;
	if (slot == LC_LISTENER)
		return true;
	if ((uint16_t)(tx.next - tx.acked) > LC_RING + 1 || tx.hello > 1 || tx.dead > 2 ||
	    (uint16_t)(door.outbox_tail + tx.shift - tx.next) > LC_RING)
		return broken(
		    c,
		    "tunnel slot %u: sent up to Ns %u, acknowledged up to %u, outbox up to %u: impossible",
		    slot, tx.next, tx.acked, door.outbox_tail);
	uint16_t base = c->m->tunnels[slot].outbox_base, head = lc_outbox_head(tx);
	if (!current && (uint16_t)(base - head) > (uint16_t)(door.outbox_tail - head))
		return broken(c, "tunnel slot %u: reset at message %u, outside of its outbox", slot,
			      base);
	return check_ring(c, slot, "outbox", c->m->tunnels[slot].outbox, head, door.outbox_tail,
			  c->m->outbox, c->outbox_held);
}

static bool check_tunnel(const struct check *c, uint32_t slot)
{
	const struct lc_tunnel *t = &c->m->tunnels[slot];
	union lc_tunnel_door door = lc_tunnel_door_read(t);

	if (slot == LC_LISTENER || door.id == 0 || lc_tunnel_slot(c->m, door.id) != slot)
		return broken(c, "tunnel slot %u: holds tunnel ID %u, which belongs elsewhere",
			      slot, door.id);
	if (door.mode < LC_MODE_OPENING || door.mode > LC_MODE_FAREWELL || t->role > LC_ROLE_LNS)
		return broken(c, "tunnel %u: mode %u, role %u: no such", door.id, door.mode,
			      t->role);
	if (t->mortal > 1 || t->reset_generation != door.generation)
		return broken(c, "tunnel %u: of generation %u, its channel begins in %u", door.id,
			      door.generation, t->reset_generation);
	if (!is_string(t->profile, sizeof(t->profile)) ||
	    !is_string(t->peer_host, sizeof(t->peer_host)) ||
	    !is_string(t->local_host, sizeof(t->local_host)) ||
	    !is_string(t->reason, sizeof(t->reason)) || !is_string(t->secret, sizeof(t->secret)) ||
	    !is_string(t->assignment, sizeof(t->assignment)) ||
	    !is_string(t->server_host, sizeof(t->server_host)))
		return broken(c, "tunnel %u: a name without an end", door.id);
	return check_channel(c, slot, door);
}

static bool check_session(const struct check *c, uint32_t slot)
{
	const struct lc_session *s = &c->m->sessions[slot];
	union lc_session_door door = lc_session_door_read(s);

	if (s->id == 0 || s->tunnel_id == 0 || lc_session_slot(c->m, s->tunnel_id, s->id) != slot)
		return broken(
		    c, "session slot %u: holds session %u of tunnel %u, which belongs elsewhere",
		    slot, s->id, s->tunnel_id);
	uint32_t tunnel = lc_tunnel_slot(c->m, s->tunnel_id);
	if (!lc_map_test(c->m->tunnel_map, tunnel) ||
	    lc_tunnel_door_read(&c->m->tunnels[tunnel]).id != s->tunnel_id)
		return broken(c, "session %u: its tunnel %u is not there", s->id, s->tunnel_id);
	if (door.word != 0 &&
	    (door.tunnel_id != s->tunnel_id || door.session_id != s->id || door.role != s->role))
		return broken(c, "session %u of tunnel %u: its door names session %u of tunnel %u",
			      s->id, s->tunnel_id, door.session_id, door.tunnel_id);
	if (!is_string(s->name, sizeof(s->name)) || !is_string(s->calling, sizeof(s->calling)) ||
	    !is_string(s->called, sizeof(s->called)) || !is_string(s->group, sizeof(s->group)) ||
	    s->class_length > LC_CLASS)
		return broken(c, "session %u of tunnel %u: a name without an end", s->id,
			      s->tunnel_id);
	c->sessions[tunnel]++;
	return true;
}

/* ---- the ledger ---- */

static bool check_account(const struct check *c, uint32_t entry)
{
	static const uint16_t types = 1 << LC_ACCOUNT_START | 1 << LC_ACCOUNT_STOP |
				      1 << LC_ACCOUNT_INTERIM | 1 << LC_ACCOUNT_TUNNEL_START |
				      1 << LC_ACCOUNT_TUNNEL_STOP | 1 << LC_ACCOUNT_TUNNEL_REJECT |
				      1 << LC_ACCOUNT_LINK_START | 1 << LC_ACCOUNT_LINK_STOP |
				      1 << LC_ACCOUNT_LINK_REJECT;
	const struct lc_account *a = &c->m->ledger[entry];

	if (a->number > c->m->header->account_number)
		return broken(c, "ledger entry %u: number %llu, and %llu was the last given out",
			      entry, (unsigned long long)a->number,
			      (unsigned long long)c->m->header->account_number);
	if (a->status_type >= LC_N_ACCOUNT_TYPES || (types >> a->status_type & 1) == 0 ||
	    a->role > LC_ROLE_LNS || a->progress.sent > 1)
		return broken(c, "ledger entry %u: type %u, role %u, sent %u: no such", entry,
			      a->status_type, a->role, a->progress.sent);
	if (a->slot != LC_NO_SLOT && a->slot > c->m->session_mask)
		return broken(c, "ledger entry %u: session slot %u does not exist", entry, a->slot);
	if (a->class_length > LC_CLASS || !is_string(a->name, sizeof(a->name)) ||
	    !is_string(a->assignment, sizeof(a->assignment)) ||
	    !is_string(a->local_host, sizeof(a->local_host)) ||
	    !is_string(a->peer_host, sizeof(a->peer_host)) ||
	    !is_string(a->group, sizeof(a->group)))
		return broken(c, "ledger entry %u: a name without an end", entry);
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Where no number was ever given out, no entry can have one: a chassis without accounting pays nothing. */
static bool check_ledger(const struct check *c)
{
	const struct lc_mirror *m = c->m;
	uint32_t n = 0, size = m->header->geometry.accounts;
	uint64_t *numbers;
	bool good = true;

	if (m->header->account_number == 0)
		return true;
	numbers = malloc(size * sizeof(*numbers));
	if (numbers == NULL)
		return broken(c, "no memory to check it");
	for (uint32_t i = 0; good && i < size; i++) {
		if (m->ledger[i].number == 0)
			continue;
		numbers[n++] = m->ledger[i].number;
		good = check_account(c, i);
	}
	if (good)
		qsort(numbers, n, sizeof(*numbers), compare_numbers);
	for (uint32_t i = 1; good && i < n; i++)
		good =
		    numbers[i] != numbers[i - 1] || broken(c, "two ledger entries have number %llu",
							   (unsigned long long)numbers[i]);
	free(numbers);
	return good;
}

static bool check_all(struct check *c)
{
	const struct lc_mirror *m = c->m;
	uint32_t tunnels = m->tunnel_mask + 1, sessions = m->session_mask + 1;

	if (lc_map_test(m->tunnel_map, LC_LISTENER) ||
	    lc_tunnel_door_read(&m->tunnels[LC_LISTENER]).mode != LC_MODE_LISTENER)
		return broken(c, "the listener is not in its slot");
	if (!check_channel(c, LC_LISTENER, lc_tunnel_door_read(&m->tunnels[LC_LISTENER])) ||
	    !check_ledger(c))
		return false;
	for (uint32_t i = lc_map_next(m->tunnel_map, tunnels, 0); i != LC_NO_SLOT;
	     i = lc_map_next(m->tunnel_map, tunnels, i + 1))
		if (!check_tunnel(c, i))
			return false;
	for (uint32_t i = lc_map_next(m->session_map, sessions, 0); i != LC_NO_SLOT;
	     i = lc_map_next(m->session_map, sessions, i + 1))
		if (!check_session(c, i))
			return false;
	for (uint32_t i = lc_map_next(m->tunnel_map, tunnels, 0); i != LC_NO_SLOT;
	     i = lc_map_next(m->tunnel_map, tunnels, i + 1))
		if (m->tunnels[i].n_sessions != c->sessions[i])
			return broken(c, "tunnel %u: counts %u sessions and has %u",
				      m->tunnels[i].door.id, m->tunnels[i].n_sessions,
				      c->sessions[i]);
	return true;
}

bool lc_mirror_check(const struct lc_mirror *m, char *why, size_t size)
{
	size_t words = ((size_t)m->header->geometry.buffers + 63) / 64;
	struct check c = {
	    .m = m,
	    .why = why,
	    .size = size,
	    .inbox_held = calloc(words, sizeof(uint64_t)),
	    .outbox_held = calloc(words, sizeof(uint64_t)),
	    .sessions = calloc((size_t)m->tunnel_mask + 1, sizeof(uint32_t)),
	};
	bool good = c.inbox_held != NULL && c.outbox_held != NULL && c.sessions != NULL;

	good = good ? check_all(&c) : broken(&c, "no memory to check it");
	free(c.inbox_held);
	free(c.outbox_held);
	free(c.sessions);
	return good;
}

bool lc_mirror_check_free(const struct lc_mirror *m, char *why, size_t size)
{
	const struct check c = {.m = m, .why = why, .size = size};

	for (uint32_t i = 1; i <= m->tunnel_mask; i++) {
		union lc_tunnel_door door = lc_tunnel_door_read(&m->tunnels[i]);
		if (!lc_map_test(m->tunnel_map, i) && (door.id != 0 || door.mode != LC_MODE_FREE))
			return broken(&c, "tunnel slot %u is free and its door is open", i);
	}
	for (uint32_t i = 0; i <= m->session_mask; i++)
		if (!lc_map_test(m->session_map, i) &&
		    (lc_session_door_read(&m->sessions[i]).word != 0 || m->sessions[i].id != 0))
			return broken(&c, "session slot %u is free and its door is open", i);
	return true;
}
