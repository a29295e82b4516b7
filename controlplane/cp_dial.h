/* SPDX-License-Identifier: BSD-3-Clause */
/* Subscribers of a LAC without a tunnel of their own: dialled (DESIGN section 5; RFC 2868 for what RADIUS says).
 *
 * cp_dial.c          whose turn it is: the first time, after a back-off
 * cp_dial_radius.c   who is asked of RADIUS; what it answers
 * cp_dial_choice.c   the tunnels that there are to choose from; whether one is there already
 * cp_dial_tunnel.c   who waits for a tunnel; idle tunnels
 * cp_dial_lockout.c  tunnels that could not be set up
 *
 * Where a subscriber stands:
 *
 *   NONE (has a session) <---------------------------------------------+ the session is up
 *     | it ends                                                        |
 *     v            due              accepted, or nobody to ask         |
 *   LATER ----------------> TO_ASK ----> ASKED ----> UNDER_WAY: a struct cp_dial, which is
 *     ^                                    |           ready         its next choice is looked at
 *     |                                    |           waiting       for its tunnel to be established
 *     +------------------------------------+-----------calling       it has a session that is not up yet
 *       all choices locked out or full; rejected; the session failed
 *
 * All of it is private. The next process finds who has a session in the mirror, and dials the others; it knows no
 * lock-outs, and asks RADIUS again for those whose answer it has not had.
 */
#pragma once

#include "cp_engine_internal.h"

enum cp_dial_stage {
	CP_DIAL_NONE,
	CP_DIAL_LATER,  /* by a timer */
	CP_DIAL_TO_ASK, /* RADIUS is to be asked for him */
	CP_DIAL_ASKED,
	CP_DIAL_UNDER_WAY,
};

/* What is kept of an Access-Accept. Tunnels in the order in which they are tried. */
struct cp_answer {
	enum cfg_method method;
	uint32_t max_sessions;
	uint8_t class_length;
	uint8_t class[LC_CLASS];
	unsigned n_tunnels;
	struct cp_authorized_tunnel tunnels[];
};

struct cp_dial {
	uint32_t number; /* the subscriber */
	uint16_t at;     /* the choice that is tried */
	bool refused;    /* by the LNS, for want of facilities: on to the next choice */
	const struct cfg_domain_map *map;
	struct cp_answer *answer; /* NULL: RADIUS was not asked */
	struct cp_dial *next;     /* in its list */
};

struct cp_dial_list {
	struct cp_dial *first, *last;
};

/* Of a tunnel slot: as far as subscribers may share it. */
enum cp_dial_open {
	CP_DIAL_CLOSED, /* not there, not dialled, or ending */
	CP_DIAL_OPENING,
	CP_DIAL_OPEN,
};

struct cp_dial_place {
	struct cp_dial_list waiting;
	uint32_t n_waiting;
	uint8_t open; /* enum cp_dial_open */
	bool failed;  /* what ended its set-up is a reason to lock it out */
	bool idle;
};

/* Tunnels that could not be set up, by their key, until it is time to try them again. */
struct cp_lockouts {
	struct cp_chains by_key;
	struct lc_timers *expiry; /* by entry */
	uint32_t *unused, n_unused;
};

struct cp_dials {
	/* by subscriber number */
	uint32_t total; /* 0: nobody is dialled */
	uint8_t *stage, *tries;
	struct cp_dial **under_way;
	uint32_t *next_to_ask;
	struct lc_timers *later;

	uint32_t first_to_ask, last_to_ask; /* CP_NO_SUBSCRIBER: none */
	uint32_t n_asked;                   /* RADIUS has yet to answer */
	uint32_t n_answers;                 /* kept */
	uint64_t ask_at, go_on_at, walk_at; /* ms; not before; UINT64_MAX: the walk is over */
	uint32_t range, index;              /* the walk: all who are to be dialled at the start */
	struct cp_dial_list ready;          /* their choice is to be looked at, paced */
	struct cp_dial_list anew;           /* they begin again, after a back-off */

	/* by tunnel slot */
	struct cp_dial_place *places;
	struct cp_chains tunnels; /* by what makes them the same for sharing */
	struct lc_timers *idle;
	struct cp_lockouts lockouts;
};

/* One tunnel to choose. Strings belong to the configuration or to the answer. */
struct cp_choice {
	struct cfg_tunnel_policy policy;
	uint32_t remote, local;
	int port; /* -1: none leads there */
	uint8_t number, origin;
	const char *assignment, *server;
};

/* ---- for the engine ---- */

int cp_dial_start(struct cp_engine *engine); /* 0 or -ENOMEM */
void cp_dial_stop(struct cp_engine *engine);
/* One step. false: there is nothing to do now. */
bool cp_dial_run(struct cp_engine *engine, uint64_t now);
uint64_t cp_dial_next(const struct cp_engine *engine); /* ms; UINT64_MAX: nothing */

/* After each commit. A tunnel that it touched; a subscriber's session that it touched; a subscriber who has lost his
 * session, and is to be dialled again (false: he is not dialled at all). */
void cp_dial_index(struct cp_engine *engine, uint32_t slot, const struct lc_tunnel *tunnel,
		   uint64_t now);
void cp_dial_note(struct cp_engine *engine, uint32_t number, const struct lc_session *session);
bool cp_dial_again(struct cp_engine *engine, uint32_t number, uint64_t now);

/* The turn's tunnel has left a state by an event; the session of one who is dialled ends. */
void cp_dial_ended(const struct cp_turn *turn, enum cp_tunnel_state before,
		   enum cp_tunnel_event event);
void cp_dial_refused(const struct cp_turn *turn, uint32_t session_slot);
bool cp_dial_is_one(const struct cp_engine *engine, uint32_t number); /* who is dialled */

/* Calls for those who wait for an established tunnel. */
void cp_dial_call(struct cp_engine *engine, uint32_t slot, uint64_t now);
/* What his Access-Accept said of a subscriber's session. */
void cp_dial_describe(const struct cp_engine *engine, uint32_t number, struct lc_session *session);

/* ---- among cp_dial*.c ---- */

#define CP_DIAL_HASH UINT64_C(0xcbf29ce484222325) /* of nothing */

/* FNV-1a of what sum is of and more. */
static inline uint64_t cp_dial_hash(uint64_t sum, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return sum;
}

bool cp_dial_is_dialled(const struct cfg_subscribers *range);

/* Begins for a subscriber who may choose. NULL: no memory. */
struct cp_dial *cp_dial_begin(struct cp_engine *engine, uint32_t number,
			      const struct cfg_domain_map *map);
/* Ends it, with the answer. NULL: nothing. */
void cp_dial_end(struct cp_engine *engine, struct cp_dial *dial);
/* Tried again after a back-off. Returns it, ms. */
uint32_t cp_dial_back_off(struct cp_engine *engine, uint32_t number, uint64_t now);

/* His turn to be asked will come; somebody's has; asks for him, or will soon. */
void cp_dial_to_ask(struct cp_dials *dials, uint32_t number);
bool cp_dial_may_ask(const struct cp_dials *dials);
void cp_dial_ask(struct cp_engine *engine, uint64_t now);

void cp_dial_push(struct cp_dial_list *list, struct cp_dial *dial);
struct cp_dial *cp_dial_pop(struct cp_dial_list *list);                  /* NULL: empty */
void cp_dial_splice(struct cp_dial_list *to, struct cp_dial_list *from); /* from is empty then */

/* Looks at the choices from dial->at on: he waits for one, or is put off. */
void cp_dial_choose(struct cp_engine *engine, struct cp_dial *dial, uint64_t now);
/* The sharing key of a record. */
uint64_t cp_dial_key(const struct lc_tunnel *tunnel);

void cp_dial_wait(struct cp_engine *engine, uint32_t slot, struct cp_dial *dial, uint64_t now);
void cp_dial_close_idle(struct cp_engine *engine, uint32_t slot, uint64_t now);

int cp_lockouts_start(struct cp_lockouts *lockouts, uint32_t n); /* 0 or -ENOMEM */
void cp_lockouts_stop(struct cp_lockouts *lockouts);
void cp_lockouts_set(struct cp_lockouts *lockouts, uint64_t key, uint64_t until);
bool cp_lockouts_has(struct cp_lockouts *lockouts, uint64_t key, uint64_t now);

/* "subscriber NAME, domain map "MAP"", for the log. Returns it. */
enum { CP_DIAL_LABEL = 160 };
char *cp_dial_label(char text[CP_DIAL_LABEL], const struct cp_engine *engine, uint32_t number,
		    const struct cfg_domain_map *map);
