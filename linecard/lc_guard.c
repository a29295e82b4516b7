/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard, from the channel's side: the hand-over, both ways.
 *
 * Two may acknowledge for a channel: this process, and the guard in the kernel, which does so while nobody takes what
 * comes. No lock and no heartbeat keeps them apart. They may act at the same time, because receiving is a join: the same
 * Ns of the same peer is the same message, and the guard takes only HELLOs, of which nothing is kept. So what counts is
 * who has come further, and each learns it from the other by one word, which both change by compare-and-swap.
 *
 * The word says how far the peer may have been told (nr), and for which inbox: tail is the lowest octet of the inbox's tail
 * when the channel published it. That tells the two ways apart in which nr and rx.nr may differ:
 *   tail is the inbox's     Only HELLOs lie between them, and those the guard took: word.nr - rx.nr, modulo 65536. This
 *                           is exact after any number of them, as all that is kept of them is modulo 65536 too.
 *   tail is not             Messages were put into the inbox and not published. The guard cannot have passed the first of
 *                           them, which is no HELLO: the mirror is ahead, by the word's own account.
 * For this, a HELLO that this process takes goes through the word first (lc_guard_hello), as the guard takes it.
 *
 * The process may die between any two stores. (In quotes: the names that lc_channel_step is called with.)
 *   in the inbox, not published ("taken")     Not acknowledged either. The guard expects the same Ns, sees no HELLO, drops
 *                           it: the peer sends it again, and learns after the restart that it was taken.
 *   a HELLO: "promised"     The word has it, rx not. Not acknowledged. The guard answers the peer's repetition as a
 *                           duplicate; the next process adopts it.
 *   "adopted"               rx has what the guard took; the counters may lack it. The peer was told by the guard.
 *   "published"             And not acknowledged: the peer sends it again, the guard answers: a lost ZLB.
 *   acknowledged            The guard repeats it for a duplicate.
 *   "numbered"              And not published: the guard's ZLBs carry the Ns that the next message has, which is what a
 *                           ZLB's Ns is. The number was not sent, so no honest Nr covers it.
 *   "published", not sent   The guard's ZLBs carry the Ns after it: to the peer, a message that was lost.
 *   "withdrawn", "named"    The entry is empty: nobody answers until the next process publishes it, as if there were no
 *                           guard. It takes a death within these few stores, when identity or next hop had changed.
 * A word becomes 0 only when rx has all that it said (never an exchange first: what is only in a register dies with us).
 *
 * Both alive:
 *   the guard moves the word between our load and our swap     The swap fails; we adopt, and try again.
 *   we move it between its load and its swap     Its swap fails, and it drops the HELLO: to the peer, a packet lost.
 *   a HELLO that both see (the peer sent it again)     Who swaps first has taken it. To the other it is a duplicate; the
 *                           peer gets one acknowledgement or two of the same number.
 *   stopped, with packets in its queue     Awake, it adopts at its first look at the channel, and what the guard took is
 *                           a duplicate: one ZLB. Stopped before it sends, its packet is late: its Nr is older than the
 *                           guard's, which says nothing new to the peer.
 *   the peer's next message overtakes our adopting     It cannot: each look adopts before the packet is read. If the guard
 *                           moves on within that look, the message is early, is held, and is next at the look after it.
 *   the slot's tenant changes     The word is 0 before the entry's fields change, so the guard's swap fails. If they change
 *                           and the very same word is back while it decides, it has believed fields of the tenant's own
 *                           from before and after one commit: a ZLB to where the peer was a moment ago.
 *   a commit's fields are seen half     They are published so until the mark of that commit is looked at. The guard answers
 *                           nobody else by it: no mixture is a peer that sends.
 *
 * Absent:
 *   reset (RFC 4951 section 3.2.2)     Both ends begin anew, so what the guard said for the generation before counts no
 *                           more, and is not adopted. A channel is held or mortal before it is reset, and those have no
 *                           entry: so the guard cannot answer new numbers by old ones.
 *   a cold mirror           The table says of which mirror it is (dp_xdp_layout.h); another's is cleared (lc_guard_clear()).
 *                           The peers' HELLOs are for tunnels that are gone: dropped.
 *   two takes of one table  The first leaves word and rx equal, so the second finds nothing: also if we died between them.
 *   a table of another version     Its words are merged without identities: adopted, and answered once published.
 *   silent, dead, mortal    No entry. The guard must not say that a channel lives which its own life has ended: the entry
 *                           goes before the channel is dead. A death in between: the next process finds it overdue, and kills it.
 *   what the control plane commits meanwhile     It closes a tunnel, or makes its channel mortal, while nobody sends its
 *                           messages: the guard goes on, as the peer has been told nothing either. The next look withdraws it.
 */
#include "lc_channel_private.h"

#include <arpa/inet.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

static union lc_guard_word word_read(const struct lc_guard_entry *e)
{
	return (union lc_guard_word){.word = __atomic_load_n(&e->word.word, __ATOMIC_ACQUIRE)};
}

/* false: *was is now what it is. */
static bool word_swap(struct lc_guard_entry *e, union lc_guard_word *was, union lc_guard_word word)
{
	lc_channel_at("swap");
	return __atomic_compare_exchange_n(&e->word.word, &was->word, word.word, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The peer was heard by the guard. */
static void hear(struct lc_view *v, const struct lc_guard_entry *e)
{
	uint64_t when = __atomic_load_n(&e->heard, __ATOMIC_RELAXED) / NS_PER_MS;
	if (when > v->now)
		when = v->now;
	if (when > v->channel->last_received)
		v->channel->last_received = when;
}

/* The numbers [ns, ns + n) were HELLOs: what is held of them is not waited for. */
static void drop_held(struct lc_channel_own *own, uint16_t ns, uint16_t n)
{
	for (uint16_t i = 0; i < n && i < LC_RING; i++)
		lc_hold_drop(own, (uint16_t)(ns + i));
}

/* Makes what the guard took true in the mirror. */
static void adopt(struct lc_view *v, union lc_guard_word word)
{
	struct lc_channel *c = v->channel;
	union lc_channel_rx rx = c->rx;

	if (word.id != v->door.id || word.id == 0 || word.generation != v->door.generation ||
	    !lc_channel_current(c, v->door))
		return;
	hear(v, &v->all->guard[v->slot]);
	uint16_t taken = (uint16_t)(word.nr - rx.nr), from = rx.nr;
	if (taken == 0 || word.tail != (uint8_t)lc_inbox_tail(rx))
		return;
	rx.nr = word.nr;
	rx.shift = (uint16_t)(rx.shift + taken);
	rx.told = word.nr;
	lc_put_rx(c, rx);
	lc_channel_at("adopted");
	c->hello_received += taken;
	c->received += taken;
	drop_held(v->own, from, taken);
}

void lc_guard_withdraw(struct lc_view *v)
{
	if (v->all->guard == NULL || v->slot == LC_LISTENER)
		return;
	struct lc_guard_entry *e = &v->all->guard[v->slot];
	union lc_guard_word word = word_read(e), none = {.word = 0};

	v->own->guarded = 0;
	if (word.word == 0)
		return;
	do
		adopt(v, word);
	while (word.word != 0 && !word_swap(e, &word, none));
	lc_channel_at("withdrawn");
}

static bool is_answered(const struct lc_view *v)
{
	return v->own->known && !v->silent && !v->channel->tx.dead &&
	       v->door.mode >= LC_MODE_OPENING && v->door.mode <= LC_MODE_CLOSING &&
	       !lc_reset_read(v->tunnel).mortal &&
	       __atomic_load_n(&v->tunnel->peer_id, __ATOMIC_RELAXED) != 0;
}

/* Of the next hop to the peer; zero: not known. */
static void read_mac(const struct lc_view *v, uint8_t mac[6])
{
	uint16_t hop = v->channel->next_hop;
	if (hop == 0 || hop >= LC_MAX_NEIGHBOURS)
		return;
	union lc_neighbour_link link = {
	    .word = __atomic_load_n(&v->all->mirror->neighbours[hop].link.word, __ATOMIC_ACQUIRE)};
	if (link.state == LC_NEIGHBOUR_REACHABLE)
		memcpy(mac, link.mac, sizeof(link.mac));
}

/* Who is answered. */
static struct lc_guard_entry identity(const struct lc_view *v)
{
	const struct lc_tunnel *t = v->tunnel;
	struct lc_guard_entry e = {
	    .peer_address = htonl(t->peer_address),
	    .local_address = htonl(t->local_address),
	    .peer_udp_port = htons(t->peer_udp_port),
	    .local_udp_port = htons(t->local_udp_port),
	    .peer_id = __atomic_load_n(&t->peer_id, __ATOMIC_RELAXED),
	};
	read_mac(v, e.mac);
	return e;
}

/* The entry has this channel's identity; its word is this channel's or 0. */
static void claim(struct lc_view *v)
{
	struct lc_guard_entry *e = &v->all->guard[v->slot], wanted = identity(v);
	union lc_guard_word word = word_read(e);
	const size_t at = offsetof(struct lc_guard_entry, peer_address);

	if (word.id == v->door.id && word.generation == v->door.generation &&
	    memcmp((const char *)e + at, (const char *)&wanted + at, sizeof(wanted) - at) == 0)
		return;
	lc_guard_withdraw(v);
	memcpy((char *)e + at, (const char *)&wanted + at, sizeof(wanted) - at);
	__atomic_store_n(&e->heard, 0, __ATOMIC_RELAXED);
	lc_channel_at("named");
}

bool lc_guard_publish(struct lc_view *v)
{
	if (v->all->guard == NULL || v->slot == LC_LISTENER)
		return false;
	if (!is_answered(v)) {
		lc_guard_withdraw(v);
		return false;
	}
	claim(v);
	struct lc_guard_entry *e = &v->all->guard[v->slot];
	union lc_guard_word word = word_read(e), told;
	do {
		adopt(v, word);
		union lc_channel_rx rx = v->channel->rx;
		told = (union lc_guard_word){.nr = rx.nr,
					     .ns = v->channel->tx.next,
					     .id = v->door.id,
					     .generation = v->door.generation,
					     .tail = (uint8_t)lc_inbox_tail(rx)};
	} while (word.word != told.word && !word_swap(e, &word, told));
	v->own->guarded = told.word;
	lc_channel_at("published");
	return true;
}

bool lc_guard_hello(struct lc_view *v)
{
	uint16_t ns = v->channel->rx.nr;

	while (lc_guard_publish(v)) {
		if (v->channel->rx.nr != ns)
			return false;
		union lc_guard_word word = {.word = v->own->guarded}, taken = word;
		taken.nr++;
		if (!word_swap(&v->all->guard[v->slot], &word, taken))
			continue;
		v->own->guarded = taken.word;
		lc_channel_at("promised");
		return true;
	}
	return v->channel->rx.nr == ns;
}

void lc_guard_look(struct lc_view *v)
{
	if (v->all->guard == NULL || v->slot == LC_LISTENER)
		return;
	union lc_guard_word word = word_read(&v->all->guard[v->slot]);
	if (word.word != v->own->guarded) {
		adopt(v, word);
		v->own->guarded = word.word;
	}
	if (v->silent)
		lc_guard_withdraw(v);
}

void lc_guard_forget(struct lc_channels *all, uint32_t slot)
{
	if (all->guard == NULL)
		return;
	lc_guard_clear(&all->guard[slot], 1);
	all->own[slot].guarded = 0;
}

void lc_channels_guard(struct lc_channels *all, struct lc_guard_entry *table)
{
	all->guard = table;
	for (uint32_t slot = 0; table != NULL && slot < all->n_slots; slot++) {
		struct lc_view v;
		if (slot != LC_LISTENER && lc_map_test(all->mirror->tunnel_map, slot) &&
		    lc_view_open(&v, all, slot, all->attached))
			(void)lc_guard_publish(&v);
		else
			lc_guard_forget(all, slot);
	}
}

void lc_guard_clear(struct lc_guard_entry *table, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (word_read(&table[i]).word != 0) /* few are: the pages of the rest stay clean */
			__atomic_store_n(&table[i].word.word, 0, __ATOMIC_SEQ_CST);
}

/* The further of two for the same tunnel. */
static union lc_guard_word word_join(union lc_guard_word a, union lc_guard_word b)
{
	if (lc_seq_before(a.nr, b.nr)) {
		a.nr = b.nr;
		a.tail = b.tail;
	}
	if (lc_seq_before(a.ns, b.ns))
		a.ns = b.ns;
	return a;
}

void lc_guard_merge(struct lc_guard_entry *to, const void *from, uint32_t n, size_t from_entry_size)
{
	for (uint32_t i = 0; i < n; i++) {
		const void *at = (const char *)from + i * from_entry_size;
		union lc_guard_word theirs = word_read(at), ours = word_read(&to[i]), joined;
		if (theirs.id == 0)
			continue;
		if (ours.id == 0) {
			const size_t after = offsetof(struct lc_guard_entry, heard);
			memset((char *)&to[i] + after, 0, sizeof(to[i]) - after);
			(void)word_swap(&to[i], &ours, theirs);
		}
		while (ours.id == theirs.id && ours.generation == theirs.generation &&
		       (joined = word_join(ours, theirs)).word != ours.word &&
		       !word_swap(&to[i], &ours, joined))
			;
	}
}
