/* SPDX-License-Identifier: BSD-3-Clause */
/* How many tunnels are being opened to one peer at a time.
 *
 * An SCCRQ has no window: what a peer has no room for is lost, and sent again a second later. So only as many are
 * outstanding towards one peer as it can be expected to hold; thousands of tunnels open as fast as it answers. Who is
 * told to wait gets a place in a line that moves on by itself, so that nobody needs to be kept in a list, and asks again
 * then. A peer that answers none of them is asked for more after a second all the same.
 *
 * Peers are told apart by a hash of their address: two that meet in it share what one may have. */
#include "cp_engine_internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	WINDOW = 32,        /* SCCRQs without an answer, towards one peer */
	LINE = 16,          /* of those who wait, asking again in one ms */
	PATIENCE_MS = 1000, /* with a peer that answers none */
	PEERS = 1024,       /* a power of two */
};

struct cp_pace {
	struct {
		uint64_t since; /* ms: when one was begun or answered last */
		uint64_t line;  /* ms: of the last one who was told to wait */
		uint32_t asking;
		uint32_t here; /* in the line at that ms */
	} peers[PEERS];
};

int cp_pace_start(struct cp_engine *e)
{
	e->pace = calloc(1, sizeof(*e->pace));
	return e->pace != NULL ? 0 : -ENOMEM;
}

void cp_pace_stop(struct cp_engine *e)
{
	free(e->pace);
}

static uint32_t place_of(uint32_t address)
{
	return address * LC_SESSION_SPREAD >> 22 & (PEERS - 1);
}

bool cp_pace_may_ask(struct cp_engine *e, uint32_t peer_address, uint64_t now, uint64_t *again)
{
	uint32_t p = place_of(peer_address);
	uint64_t *line = &e->pace->peers[p].line, *since = &e->pace->peers[p].since;

	if (e->pace->peers[p].asking >= WINDOW && now >= *since + PATIENCE_MS) {
		e->pace->peers[p].asking = 0;
		*since = now;
	}
	if (e->pace->peers[p].asking < WINDOW)
		return true;
	if (*line <= now || ++e->pace->peers[p].here >= LINE) {
		*line = (*line > now ? *line : now) + 1;
		e->pace->peers[p].here = 0;
	}
	*again = *line;
	return false;
}

void cp_pace_index(struct cp_engine *e, struct cp_tunnel_place *place, const struct lc_tunnel *t,
		   uint64_t now)
{
	bool asks = t != NULL && t->state == CP_TUNNEL_WAIT_CTL_REPLY && t->recovers == 0;

	if (asks == (place->asks != 0))
		return;
	uint32_t p = asks ? place_of(t->peer_address) : place->asks - 1u;
	place->asks = asks ? (uint16_t)(p + 1) : 0;
	e->pace->peers[p].since = now;
	if (asks)
		e->pace->peers[p].asking++;
	else
		e->pace->peers[p].asking -= e->pace->peers[p].asking > 0;
}
