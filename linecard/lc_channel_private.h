/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside of the control channel, shared by lc_channel.c (slots), lc_channel_life.c (beginnings and ends),
 * lc_channel_inbox.c (buffers), lc_channel_receive.c, lc_channel_send.c and lc_guard.c. Private to linecard/. The essay is in lc_channel.c.
 */
#pragma once

#include "lc_channel.h"
#include "lc_timers.h"

struct lc_hold;

/* What is known privately of one slot. All zero: nothing, the slot is not in use. */
struct lc_channel_own {
	struct lc_hold *hold; /* early messages; NULL: none */
	uint64_t ack_due;     /* ms; 0: no acknowledgement is owed */
	uint64_t guarded;     /* word of the guard's entry that was looked at last */
	uint32_t first,
	    last;      /* chain of the inbox buffers in use, oldest first; if n_buffers > 0 */
	uint16_t head; /* message number in the first */
	uint16_t n_buffers;
	uint16_t resend; /* if resending: Ns of the next message to be sent again */
	uint8_t generation;
	bool known;
	bool silent;    /* at our last look */
	bool resending; /* what was outstanding at a retransmission is sent again as the window
			   allows */
};

struct lc_channels {
	struct lc_mirror *mirror;
	lc_transmit *transmit;
	lc_notify *notify;
	void *context;
	struct lc_timers *timers;   /* by slot */
	struct lc_channel_own *own; /* by slot */
	uint32_t *next;       /* by inbox buffer: the next one in its chain, or in the free list */
	uint32_t free_buffer; /* first of the free list, or LC_NO_SLOT */
	uint32_t n_slots, n_buffers;
	uint32_t cursor;              /* in the dirty set */
	struct lc_guard_entry *guard; /* by slot; NULL: none */
	uint64_t attached;            /* ms */
};

/* One slot in use at one moment: everything that the functions below need. */
struct lc_view {
	struct lc_channels *all;
	struct lc_channel_own *own;
	const struct lc_tunnel *tunnel;
	struct lc_channel *channel;
	union lc_tunnel_door door;
	uint32_t slot;
	bool
	    silent; /* neither sends nor takes anything now; if !own->known, nothing of it is touched */
	uint64_t now;
};

/* Where a channel begins (struct lc_tunnel), as one load. */
union lc_reset {
	uint64_t word;
	struct {
		uint16_t ns, nr, outbox_base;
		uint8_t mortal, generation;
	};
};
_Static_assert(offsetof(struct lc_tunnel, reset_word) % 8 == 0 &&
		   offsetof(struct lc_tunnel, reset_generation) -
			   offsetof(struct lc_tunnel, reset_word) ==
		       offsetof(union lc_reset, generation),
	       "a channel's beginning is one word");

static inline union lc_reset lc_reset_read(const struct lc_tunnel *t)
{
	return (union lc_reset){.word = __atomic_load_n(&t->reset_word, __ATOMIC_ACQUIRE)};
}

static inline void lc_channel_at(const char *step)
{
	if (lc_channel_step != NULL)
		lc_channel_step(step);
}

/* Stores that a crash must find in the order of the program. */
static inline void lc_put64(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline void lc_put_tx(struct lc_channel *c, union lc_channel_tx tx)
{
	lc_put64(&c->tx.word, tx.word);
}

static inline void lc_put_rx(struct lc_channel *c, union lc_channel_rx rx)
{
	lc_put64(&c->rx.word, rx.word);
}

/* How far ahead of rx.nr we take messages. */
static inline uint16_t lc_view_window(const struct lc_view *v)
{
	uint16_t window = __atomic_load_n(&v->tunnel->receive_window, __ATOMIC_RELAXED);
	return window == 0 ? 1 : window < LC_RING ? window : LC_RING;
}

/* ---- lc_channel.c */

/* Looks at a slot: forgets a tenant that is gone, learns one that has come. false: not in use. */
bool lc_view_open(struct lc_view *view, struct lc_channels *channels, uint32_t slot, uint64_t now);

/* Does all that is due in a tunnel, and sets its timer. */
void lc_view_turn(struct lc_view *view);

/* ---- lc_channel_life.c */

/* A slot has a new tenant, its channel was reset, or this process is new. */
void lc_view_learn(struct lc_view *view);

/* The channel was silent and is no longer. */
void lc_view_wake(struct lc_view *view);

/* The control plane has something to look at in this slot. */
void lc_view_tell(struct lc_view *view);

/* The channel is at its end (5.8), or what the mirror says of it makes no sense. */
void lc_view_kill(struct lc_view *view);

/* ---- lc_guard.c */

/* At every look at a slot in use: adopts what the guard took. Nothing is left there to be answered for a silent channel. */
void lc_guard_look(struct lc_view *view);
/* After each change of the channel, and before a packet tells the peer: the guard may say the same. It may have gone
 * on meanwhile, so rx.word changes. true: the channel has an entry. */
bool lc_guard_publish(struct lc_view *view);
/* Nobody is answered by its entry from now on; what the guard took is taken over first. */
void lc_guard_withdraw(struct lc_view *view);
/* A HELLO is to be taken at rx.nr: the word has it first. false: the guard took it, and it is adopted. */
bool lc_guard_hello(struct lc_view *view);
/* The slot's tenant is gone, and what the guard took for it. */
void lc_guard_forget(struct lc_channels *channels, uint32_t slot);

/* ---- lc_channel_inbox.c */

/* Nobody's buffers: before all have been learnt. */
void lc_inbox_start(struct lc_channels *channels);
/* Takes over the buffers of an inbox that has been filled by a process before this one. false: it
 * makes no sense. */
bool lc_inbox_learn(struct lc_view *view);
/* Frees the buffers that the control plane is done with. */
void lc_inbox_release(struct lc_view *view);
/* Frees all buffers of a slot. */
void lc_inbox_forget(struct lc_channels *channels, struct lc_channel_own *own);
/* Makes what no inbox holds the free list. Once, after all have been learnt. */
void lc_inbox_gather(struct lc_channels *channels);
/* Delivers: THE store of rx.word. false: no room. */
bool lc_inbox_put(struct lc_view *view, const struct lc_arrival *arrival, const uint8_t *bytes,
		  size_t length);
/* Message number i of the inbox, inbox_head <= i < tail. NULL: its buffer makes no sense. */
const struct lc_buffer *lc_inbox_message(const struct lc_view *view, uint16_t i);

/* An early message, in private memory. */
struct lc_held {
	struct lc_arrival arrival;
	uint16_t ns;
	uint16_t length;
	uint8_t bytes[];
};

/* Holds a copy of an early message, less than LC_RING numbers ahead. false: no memory. */
bool lc_hold_put(struct lc_channel_own *own, uint16_t ns, const struct lc_arrival *arrival,
		 const uint8_t *bytes, size_t length);
const struct lc_held *lc_hold_find(const struct lc_channel_own *own,
				   uint16_t ns); /* NULL: not held */
void lc_hold_drop(struct lc_channel_own *own, uint16_t ns);
void lc_hold_forget(struct lc_channel_own *own);

/* ---- lc_channel_receive.c */

/* Delivers what is held and has become next, as far as there is room. */
void lc_receive_held(struct lc_view *view);

/* ---- lc_channel_send.c */

/* The wait before the message at tx.acked is sent again, after so many retries (5.8), ms. */
uint64_t lc_send_interval(const struct lc_view *view, uint32_t retries);
/* Sends what has number ns: a HELLO or a message of the outbox. false: its buffer makes no sense. */
bool lc_send_number(struct lc_view *view, uint16_t ns);
/* Sends a message of the outbox under whatever number. false: likewise. */
bool lc_send_message(struct lc_view *view, uint16_t number, uint16_t ns);

/* true: the outbox, tx.word and the door fit together. */
bool lc_send_sane(const struct lc_view *view);
/* The peer expects nr next. 0, or -EBADMSG: it acknowledges what was never sent. */
int lc_send_acknowledged(struct lc_view *view, uint16_t nr);
/* Sends what the window allows; a HELLO where it is due. */
void lc_send_new(struct lc_view *view);
/* Acknowledges if that is due. */
void lc_send_zlb(struct lc_view *view);
/* When the next of these is due; 0: never. */
uint64_t lc_send_deadline(const struct lc_view *view);

/* ---- lc_channel_resend.c */

/* Takes over from a process before this one, or goes on after a silence. The answer to the last retransmission may have
 * come while nobody was here to take it: the peer is asked once more before it is given up. */
void lc_send_resume(struct lc_view *view);
/* Retransmits if that is due, or gives up, or waits for the peer's recovery (RFC 4951 section 5.1). */
void lc_send_overdue(struct lc_view *view);
/* The last message of the outbox, once, of a channel that is dead. */
void lc_send_farewell(struct lc_view *view);
