/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers of the inboxes, and early messages. Who holds which buffer is private: a chain for each
 * slot and the free list, made again from the inboxes at attach. A chain outlives its channel,
 * which the slot's next tenant finds zeroed.
 */
#include "lc_channel_private.h"

#include <stdlib.h>
#include <string.h>

/* Values of next[] that are no buffer. */
#define LOOSE (UINT32_MAX - 1) /* during attach: found in no inbox so far */
#define END   (UINT32_MAX - 2) /* last of a chain; that of the free list is LC_NO_SLOT */

void lc_inbox_start(struct lc_channels *all)
{
	all->free_buffer = LC_NO_SLOT;
	for (uint32_t i = 0; i < all->n_buffers; i++)
		all->next[i] = LOOSE;
}

static void chain_append(struct lc_channels *all, struct lc_channel_own *own, uint32_t buffer)
{
	if (own->n_buffers++ == 0)
		own->first = buffer;
	else
		all->next[own->last] = buffer;
	own->last = buffer;
	all->next[buffer] = END;
}

static void chain_free_first(struct lc_channels *all, struct lc_channel_own *own)
{
	uint32_t buffer = own->first;
	own->first = all->next[buffer];
	own->n_buffers--;
	own->head++;
	all->next[buffer] = all->free_buffer;
	all->free_buffer = buffer;
}

bool lc_inbox_learn(struct lc_view *v)
{
	uint16_t tail = lc_inbox_tail(v->channel->rx);
	if ((uint16_t)(tail - v->door.inbox_head) > LC_RING)
		return false;
	for (uint16_t i = v->door.inbox_head; i != tail; i++) {
		uint32_t buffer =
		    __atomic_load_n(&v->channel->inbox[i % LC_RING], __ATOMIC_RELAXED);
		if (buffer >= v->all->n_buffers || v->all->next[buffer] != LOOSE)
			return false;
		chain_append(v->all, v->own, buffer);
	}
	return true;
}

void lc_inbox_gather(struct lc_channels *all)
{
	for (uint32_t i = all->n_buffers; i-- > 0;) {
		if (all->next[i] != LOOSE)
			continue;
		all->next[i] = all->free_buffer;
		all->free_buffer = i;
	}
}

void lc_inbox_release(struct lc_view *v)
{
	while (v->own->n_buffers > 0 && v->own->head != v->door.inbox_head)
		chain_free_first(v->all, v->own);
}

void lc_inbox_forget(struct lc_channels *all, struct lc_channel_own *own)
{
	while (own->n_buffers > 0)
		chain_free_first(all, own);
}

const struct lc_buffer *lc_inbox_message(const struct lc_view *v, uint16_t i)
{
	uint32_t buffer = __atomic_load_n(&v->channel->inbox[i % LC_RING], __ATOMIC_RELAXED);
	if (buffer >= v->all->n_buffers || v->all->mirror->inbox[buffer].length > LC_MESSAGE_MAX)
		return NULL;
	return &v->all->mirror->inbox[buffer];
}

bool lc_inbox_put(struct lc_view *v, const struct lc_arrival *arrival, const uint8_t *bytes,
		  size_t length)
{
	struct lc_channels *all = v->all;
	union lc_channel_rx rx = v->channel->rx;
	uint16_t number = lc_inbox_tail(rx);

	lc_inbox_release(v);
	if ((uint16_t)(number - v->door.inbox_head) >= LC_RING || all->free_buffer == LC_NO_SLOT)
		return false;
	uint32_t buffer = all->free_buffer;
	all->free_buffer = all->next[buffer];
	struct lc_buffer *b = &all->mirror->inbox[buffer];
	b->length = (uint32_t)length;
	b->peer_address = arrival->peer_address;
	b->local_address = arrival->local_address;
	b->peer_udp_port = arrival->peer_udp_port;
	b->port = arrival->port;
	b->when = v->now;
	memcpy(b->bytes, bytes, length);
	lc_channel_at("buffer");
	__atomic_store_n(&v->channel->inbox[number % LC_RING], buffer, __ATOMIC_RELEASE);
	lc_channel_at("slot");
	rx.nr++;
	lc_put_rx(v->channel, rx);
	lc_channel_at("taken");
	if (v->own->n_buffers == 0)
		v->own->head = number;
	chain_append(all, v->own, buffer);
	lc_view_tell(v);
	return true;
}

/* ---- early messages, by Ns modulo LC_RING: the window is no wider */

struct lc_hold {
	unsigned n;
	struct lc_held *at[LC_RING];
};

bool lc_hold_put(struct lc_channel_own *own, uint16_t ns, const struct lc_arrival *arrival,
		 const uint8_t *bytes, size_t length)
{
	lc_hold_drop(own, ns);
	struct lc_held *held = malloc(sizeof(*held) + length);
	if (held != NULL && own->hold == NULL)
		own->hold = calloc(1, sizeof(*own->hold));
	if (held == NULL || own->hold == NULL) {
		free(held);
		return false;
	}
	*held = (struct lc_held){.arrival = *arrival, .ns = ns, .length = (uint16_t)length};
	memcpy(held->bytes, bytes, length);
	own->hold->at[ns % LC_RING] = held;
	own->hold->n++;
	return true;
}

const struct lc_held *lc_hold_find(const struct lc_channel_own *own, uint16_t ns)
{
	const struct lc_held *held = own->hold != NULL ? own->hold->at[ns % LC_RING] : NULL;
	return held != NULL && held->ns == ns ? held : NULL;
}

void lc_hold_drop(struct lc_channel_own *own, uint16_t ns)
{
	if (own->hold == NULL || own->hold->at[ns % LC_RING] == NULL)
		return;
	free(own->hold->at[ns % LC_RING]);
	own->hold->at[ns % LC_RING] = NULL;
	if (--own->hold->n == 0)
		lc_hold_forget(own);
}

void lc_hold_forget(struct lc_channel_own *own)
{
	for (uint16_t i = 0; own->hold != NULL && i < LC_RING; i++)
		free(own->hold->at[i]);
	free(own->hold);
	own->hold = NULL;
}
