/* SPDX-License-Identifier: BSD-3-Clause */
/* What is free: IDs, slots, outbox buffers. All private memory, made again from the mirror at each
 * attach, so nothing here can be lost or leaked by a crash: a slot is free if its map says so, a
 * buffer if no outbox holds it.
 *
 * Reuse waits for the readers (invariant 6). A freed slot goes through limbo until every reader has
 * passed the epoch of its commit; a freed tunnel keeps its unacknowledged buffers until then. What
 * was freed before we attached has lost its epoch with our predecessor: so nothing is given out
 * until all readers have passed the epoch of our attach.
 *
 * IDs go round before they come again (RFC 4951 section 4, least recently used): tunnel IDs by a
 * cursor in the mirror, session IDs by a cursor in their tunnel. What the cursor counts is
 * scrambled with the mirror's key, so that nobody guesses the next one (RFC 2661 section 9.1).
 */
#include "lc_txn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED = 256 }; /* tunnels, for buffers, at a time */

static void map_set(uint64_t *map, uint32_t slot)
{
	map[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void map_clear(uint64_t *map, uint32_t slot)
{
	map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* ---- sessions of a tunnel ---- */

static void link_session(struct lc_txn *t, uint32_t slot)
{
	struct lc_pool *p = &t->pool;
	uint32_t tunnel = lc_tunnel_slot(t->m, t->m->sessions[slot].tunnel_id);
	uint32_t head = p->first[tunnel];

	p->next[slot] = head;
	p->previous[slot] = LC_NO_SLOT;
	if (head != LC_NO_SLOT)
		p->previous[head] = slot;
	p->first[tunnel] = slot;
	p->n_sessions++;
}

static void unlink_session(struct lc_txn *t, uint32_t slot)
{
	struct lc_pool *p = &t->pool;
	uint32_t tunnel = lc_tunnel_slot(t->m, t->m->sessions[slot].tunnel_id);

	if (p->previous[slot] != LC_NO_SLOT)
		p->next[p->previous[slot]] = p->next[slot];
	else
		p->first[tunnel] = p->next[slot];
	if (p->next[slot] != LC_NO_SLOT)
		p->previous[p->next[slot]] = p->previous[slot];
	p->n_sessions--;
}

uint32_t lc_txn_first_session(const struct lc_txn *t, uint32_t tunnel_slot)
{
	return tunnel_slot <= t->m->tunnel_mask ? t->pool.first[tunnel_slot] : LC_NO_SLOT;
}

uint32_t lc_txn_next_session(const struct lc_txn *t, uint32_t session_slot)
{
	return session_slot <= t->m->session_mask ? t->pool.next[session_slot] : LC_NO_SLOT;
}

uint32_t lc_txn_tunnels(const struct lc_txn *t)
{
	return t->pool.n_tunnels;
}

uint32_t lc_txn_sessions(const struct lc_txn *t)
{
	return t->pool.n_sessions;
}

/* ---- tunnels with buffers ---- */

static void owe(struct lc_txn *t, uint32_t slot)
{
	struct lc_pool *p = &t->pool;

	if (lc_map_test(p->owing_map, slot))
		return;
	map_set(p->owing_map, slot);
	p->owing[(p->owing_head + p->owing_count++) & t->m->tunnel_mask] = slot;
}

static uint32_t next_owing(struct lc_txn *t)
{
	struct lc_pool *p = &t->pool;
	uint32_t slot = p->owing[p->owing_head];

	p->owing_head = (p->owing_head + 1) & t->m->tunnel_mask;
	p->owing_count--;
	map_clear(p->owing_map, slot);
	return slot;
}

/* ---- attaching ---- */

/* A stack of all buffers that no outbox holds. lc_mirror_check() has seen that each is held once at
 * most. */
static int find_free_buffers(struct lc_txn *t)
{
	struct lc_mirror *m = t->m;
	uint32_t n = m->header->geometry.buffers;
	uint64_t *held = calloc((n + 63) / 64, sizeof(*held));

	if (held == NULL)
		return -ENOMEM;
	for (uint32_t slot = lc_map_next(m->tunnel_map, m->tunnel_mask + 1, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, m->tunnel_mask + 1, slot + 1)) {
		const struct lc_tunnel *tunnel = &m->tunnels[slot];
		uint16_t head = lc_outbox_head(lc_channel_tx_read(&m->channels[slot]));
		t->pool.returned[slot] = head;
		if (head != tunnel->door.outbox_tail)
			owe(t, slot);
		for (; head != tunnel->door.outbox_tail; head++)
			map_set(held, tunnel->outbox[head % LC_RING]);
		t->pool.n_tunnels++;
		if (tunnel->recovers != 0) {
			map_set(t->pool.recovery_map, slot);
			t->pool.n_recovery++;
		}
	}
	for (uint32_t i = n; i-- > 0;)
		if (!lc_map_test(held, i))
			t->pool.buffers[t->pool.n_buffers++] = i;
	free(held);
	return 0;
}

int lc_pool_attach(struct lc_txn *t)
{
	struct lc_pool *p = &t->pool;
	struct lc_mirror *m = t->m;
	uint32_t tunnels = m->tunnel_mask + 1, sessions = m->session_mask + 1;

	p->limbo_size = tunnels + sessions;
	p->buffers = malloc(m->header->geometry.buffers * sizeof(*p->buffers));
	p->returned = calloc(tunnels, sizeof(*p->returned));
	p->limbo_tunnels = calloc((tunnels + 63) / 64, sizeof(uint64_t));
	p->limbo_sessions = calloc((sessions + 63) / 64, sizeof(uint64_t));
	p->owing = malloc(tunnels * sizeof(*p->owing));
	p->owing_map = calloc((tunnels + 63) / 64, sizeof(uint64_t));
	p->recovery_map = calloc((tunnels + 63) / 64, sizeof(uint64_t));
	p->limbo = malloc(p->limbo_size * sizeof(*p->limbo));
	p->first = malloc(tunnels * sizeof(*p->first));
	p->next = malloc(sessions * sizeof(*p->next));
	p->previous = malloc(sessions * sizeof(*p->previous));
	if (p->buffers == NULL || p->returned == NULL || p->limbo_tunnels == NULL ||
	    p->limbo_sessions == NULL || p->recovery_map == NULL || p->limbo == NULL ||
	    p->owing == NULL || p->owing_map == NULL || p->first == NULL || p->next == NULL ||
	    p->previous == NULL)
		return -ENOMEM;
	memset(p->first, 0xff, tunnels * sizeof(*p->first));
	p->epoch = lc_epoch_begin(m);
	for (uint32_t slot = lc_map_next(m->session_map, sessions, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->session_map, sessions, slot + 1))
		link_session(t, slot);
	return find_free_buffers(t);
}

void lc_pool_detach(struct lc_txn *t)
{
	struct lc_pool *p = &t->pool;
	void *all[] = {p->buffers,      p->returned, p->limbo_tunnels, p->limbo_sessions,
		       p->limbo,        p->first,    p->next,          p->previous,
		       p->recovery_map, p->owing,    p->owing_map};
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
}

static bool is_ready(struct lc_txn *t)
{
	if (!t->pool.ready && lc_epoch_passed(t->m, t->pool.epoch)) {
		t->pool.ready = true;
		lc_ledger_ready(t);
	}
	return t->pool.ready;
}

/* ---- limbo ---- */

static void enter_limbo(struct lc_pool *p, struct lc_limbo l)
{
	p->limbo[(p->limbo_head + p->limbo_count++) % p->limbo_size] = l;
	map_set(l.tunnel ? p->limbo_tunnels : p->limbo_sessions, l.slot);
}

static void return_buffer(struct lc_txn *t, uint32_t buffer)
{
	struct lc_pool *p = &t->pool;
	if (buffer < t->m->header->geometry.buffers &&
	    p->n_buffers < t->m->header->geometry.buffers)
		p->buffers[p->n_buffers++] = buffer;
}

/* A freed tunnel's record still has its ring: what was not acknowledged in it comes back now. */
static void return_rest(struct lc_txn *t, const struct lc_limbo *l)
{
	for (uint16_t i = t->pool.returned[l->slot]; i != l->outbox_end; i++)
		return_buffer(t, t->m->tunnels[l->slot].outbox[i % LC_RING]);
}

static void leave_limbo(struct lc_txn *t)
{
	struct lc_pool *p = &t->pool;

	while (p->limbo_count > 0) {
		struct lc_limbo *l = &p->limbo[p->limbo_head];
		if (!lc_epoch_passed(t->m, l->epoch))
			return;
		if (l->tunnel)
			return_rest(t, l);
		else
			lc_ledger_settle(t, l->slot);
		map_clear(l->tunnel ? p->limbo_tunnels : p->limbo_sessions, l->slot);
		p->limbo_head = (p->limbo_head + 1) % p->limbo_size;
		p->limbo_count--;
	}
}

/* ---- IDs ---- */

/* A permutation of the 16-bit numbers: four rounds of a Feistel network over their halves. */
static uint16_t scramble(uint64_t key, uint16_t number)
{
	uint32_t left = number >> 8, right = number & 0xff;

	for (unsigned round = 0; key != 0 && round < 4; round++) {
		uint32_t k = (uint32_t)(key >> (16 * round)) & 0xffff;
		uint32_t mixed = (right + 1) * (k | 1) * UINT32_C(0x9e3779b1);
		uint32_t next = left ^ (mixed >> 24);
		left = right;
		right = next;
	}
	return (uint16_t)(left << 8 | right);
}

static bool tunnel_slot_free(const struct lc_txn *t, uint32_t slot)
{
	if (slot == LC_LISTENER || lc_map_test(t->m->tunnel_map, slot) ||
	    lc_map_test(t->pool.limbo_tunnels, slot))
		return false;
	for (unsigned i = 0; i < t->n_tunnels; i++)
		if (t->tunnels[i].slot == slot)
			return false;
	return true;
}

/* Recovery tunnels count apart, so that they take nobody's place up to the limit; every free slot may be theirs.
 * 0, -ENOSPC, -EAGAIN. */
static int room_for_tunnel(const struct lc_txn *t, bool spare)
{
	uint32_t all = t->pool.n_tunnels, recovery = t->pool.n_recovery;
	uint32_t limit = t->m->header->geometry.max_tunnels;
	uint32_t most = t->m->tunnel_mask; /* all but the listener's */
	for (unsigned i = 0; i < t->n_tunnels; i++) {
		all += t->tunnels[i].state == lc_txn_created;
		recovery += t->tunnels[i].state == lc_txn_created && t->tunnels[i].spare;
	}
	if (!spare && all - recovery >= limit)
		return -ENOSPC;
	if (all >= most)
		return spare ? -ENOSPC : -EAGAIN;
	return 0;
}

uint16_t lc_pool_find_tunnel(struct lc_txn *t, bool spare, int *error)
{
	struct lc_header *h = t->m->header;

	*error = is_ready(t) ? room_for_tunnel(t, spare) : -EAGAIN;
	if (*error != 0)
		return 0;
	*error = -EAGAIN;
	leave_limbo(t);
	uint16_t cursor = (uint16_t)h->next_tunnel_id;
	for (uint32_t i = 0; i < 65536; i++, cursor++) {
		uint16_t id = scramble(h->id_key, cursor);
		if (id == 0 || !tunnel_slot_free(t, lc_tunnel_slot(t->m, id)))
			continue;
		h->next_tunnel_id = (uint16_t)(cursor + 1);
		return id;
	}
	return 0;
}

static bool session_slot_free(const struct lc_txn *t, uint32_t slot)
{
	if (lc_map_test(t->m->session_map, slot) || lc_map_test(t->pool.limbo_sessions, slot))
		return false;
	return lc_txn_find_session(t, slot) == NULL;
}

uint16_t lc_pool_find_session(struct lc_txn *t, struct lc_tunnel *tunnel, uint32_t *slot,
			      int *error)
{
	uint32_t created = 0;

	*error = -EAGAIN;
	if (!is_ready(t))
		return 0;
	for (unsigned i = 0; i < t->n_sessions; i++)
		created += t->sessions[i].state == lc_txn_created;
	*error = -ENOSPC;
	if (t->pool.n_sessions + created >= t->m->header->geometry.max_sessions)
		return 0;
	leave_limbo(t);
	uint16_t cursor = tunnel->next_session;
	for (uint32_t i = 0; i < 65536; i++, cursor++) {
		uint16_t id = scramble(t->m->header->id_key, cursor);
		*slot = lc_session_slot(t->m, tunnel->door.id, id);
		if (id == 0 || !session_slot_free(t, *slot))
			continue;
		tunnel->next_session = (uint16_t)(cursor + 1);
		return id;
	}
	if (t->pool.limbo_count > 0)
		*error = -EAGAIN;
	return 0;
}

/* ---- buffers ---- */

void lc_pool_return_acknowledged(struct lc_txn *t, uint32_t slot)
{
	const struct lc_tunnel *tunnel = &t->m->tunnels[slot];
	uint16_t *returned = &t->pool.returned[slot];
	uint16_t head = lc_outbox_head(lc_channel_tx_read(&t->m->channels[slot]));

	if (!lc_map_test(t->m->tunnel_map, slot) ||
	    (uint16_t)(tunnel->door.outbox_tail - head) > LC_RING)
		return;
	for (; *returned != head; ++*returned)
		return_buffer(t, tunnel->outbox[*returned % LC_RING]);
}

/* Short of buffers: asks tunnels that have some, those first who have had theirs for longest. So many at most, that being
 * short does not cost more and more; who asks next goes on behind them. */
static void return_some(struct lc_txn *t, uint32_t enough)
{
	struct lc_pool *p = &t->pool;
	uint32_t n = p->owing_count < ASKED ? p->owing_count : ASKED;

	while (n-- > 0 && p->n_buffers < enough) {
		uint32_t slot = next_owing(t);
		lc_pool_return_acknowledged(t, slot);
		if (lc_map_test(t->m->tunnel_map, slot) &&
		    p->returned[slot] != t->m->tunnels[slot].door.outbox_tail)
			owe(t, slot);
	}
}

uint32_t lc_pool_buffers(struct lc_txn *t)
{
	if (!is_ready(t))
		return 0;
	if (t->pool.n_buffers < LC_TXN_MESSAGES) {
		leave_limbo(t);
		return_some(t, LC_TXN_MESSAGES);
	}
	return t->pool.n_buffers;
}

uint32_t lc_pool_take_buffer(struct lc_txn *t)
{
	return t->pool.buffers[--t->pool.n_buffers];
}

void lc_txn_reclaim(struct lc_txn *t)
{
	if (!is_ready(t))
		return;
	leave_limbo(t);
	return_some(t, t->m->header->geometry.buffers / 4);
}

/* ---- the end of a transaction ---- */

void lc_pool_aborted(struct lc_txn *t)
{
	for (unsigned i = 0; i < t->n_messages; i++)
		return_buffer(t, t->messages[i]);
}

static void count_recovery(struct lc_pool *p, const struct lc_txn_tunnel_copy *c)
{
	bool before = lc_map_test(p->recovery_map, c->slot);
	bool after = c->state != lc_txn_freed && c->copy.recovers != 0;

	if (before == after)
		return;
	p->recovery_map[c->slot / 64] ^= UINT64_C(1) << (c->slot % 64);
	p->n_recovery += after ? 1 : -1u;
}

void lc_pool_committed(struct lc_txn *t)
{
	struct lc_pool *p = &t->pool;
	uint64_t epoch = 0;

	for (unsigned i = 0; i < t->n_sessions; i++) {
		const struct lc_txn_session_copy *c = &t->sessions[i];
		if (c->state == lc_txn_created)
			link_session(t, c->slot);
		if (c->state != lc_txn_freed)
			continue;
		unlink_session(t, c->slot);
		epoch = epoch != 0 ? epoch : lc_epoch_begin(t->m);
		enter_limbo(p, (struct lc_limbo){.epoch = epoch, .slot = c->slot});
	}
	for (unsigned i = 0; i < t->n_tunnels; i++) {
		const struct lc_txn_tunnel_copy *c = &t->tunnels[i];
		count_recovery(p, c);
		if (t->n_messages > 0 && c->slot != LC_LISTENER)
			owe(t, c->slot);
		p->n_tunnels += c->state == lc_txn_created;
		if (c->state != lc_txn_freed)
			continue;
		p->n_tunnels--;
		epoch = epoch != 0 ? epoch : lc_epoch_begin(t->m);
		enter_limbo(p, (struct lc_limbo){.epoch = epoch,
						 .slot = c->slot,
						 .tunnel = true,
						 .outbox_end = c->outbox_end});
	}
}
