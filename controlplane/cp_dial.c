/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose turn it is to be dialled. A million subscribers may want a session at once: one step is one subscriber; those of
 * the configuration by a walk, those who have been put off by a timer. */
#include "cp_dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WALK = 1024,      /* subscribers with a session passed over in one step */
	LOCKOUTS = 65536, /* beyond it, the one that ends first ends early */
};

/* ---- lists ---- */

void cp_dial_push(struct cp_dial_list *list, struct cp_dial *dial)
{
	dial->next = NULL;
	if (list->first == NULL)
		list->first = dial;
	else
		list->last->next = dial;
	list->last = dial;
}

struct cp_dial *cp_dial_pop(struct cp_dial_list *list)
{
	struct cp_dial *dial = list->first;

	if (dial != NULL)
		list->first = dial->next;
	return dial;
}

void cp_dial_splice(struct cp_dial_list *to, struct cp_dial_list *from)
{
	if (from->first == NULL)
		return;
	if (to->first == NULL)
		to->first = from->first;
	else
		to->last->next = from->first;
	to->last = from->last;
	*from = (struct cp_dial_list){0};
}

/* ---- one subscriber ---- */

bool cp_dial_is_dialled(const struct cfg_subscribers *range)
{
	return range->port >= 0 && range->tunnel < 0;
}

char *cp_dial_label(char text[CP_DIAL_LABEL], const struct cp_engine *e, uint32_t number,
		    const struct cfg_domain_map *map)
{
	struct cfg_subscriber one;
	uint32_t range, index;

	cp_subscribers_expand(&e->subscribers, number, &one, &range, &index);
	snprintf(text, CP_DIAL_LABEL, "subscriber %s, domain map \"%s\"", one.name,
		 map != NULL ? map->name : "");
	return text;
}

struct cp_dial *cp_dial_begin(struct cp_engine *e, uint32_t number,
			      const struct cfg_domain_map *map)
{
	struct cp_dial *dial = calloc(1, sizeof(*dial));

	if (dial == NULL)
		return NULL;
	dial->number = number;
	dial->map = map;
	e->dials->under_way[number] = dial;
	e->dials->stage[number] = CP_DIAL_UNDER_WAY;
	e->counters.dials++;
	return dial;
}

void cp_dial_end(struct cp_engine *e, struct cp_dial *dial)
{
	if (dial == NULL)
		return;
	e->dials->under_way[dial->number] = NULL;
	e->dials->stage[dial->number] = CP_DIAL_NONE;
	e->dials->n_answers -= dial->answer != NULL;
	free(dial->answer);
	free(dial);
}

uint32_t cp_dial_back_off(struct cp_engine *e, uint32_t number, uint64_t now)
{
	struct cp_dials *d = e->dials;
	uint32_t retry_ms = cp_retry_after(0);

	for (unsigned i = 0; i < d->tries[number]; i++)
		retry_ms = cp_retry_after(retry_ms);
	if (retry_ms < CP_RETRY_MAX_MS)
		d->tries[number]++;
	d->stage[number] = CP_DIAL_LATER;
	lc_timers_set(d->later, number, now + retry_ms);
	return retry_ms;
}

void cp_dial_note(struct cp_engine *e, uint32_t number, const struct lc_session *s)
{
	struct cp_dials *d = e->dials;

	if (number >= d->total || s->state != CP_SESSION_ESTABLISHED)
		return;
	cp_dial_end(e, d->under_way[number]);
	d->tries[number] = 0;
}

bool cp_dial_is_one(const struct cp_engine *e, uint32_t number)
{
	struct cfg_subscriber one;
	uint32_t range, index;

	return number < e->dials->total && cp_dial_is_dialled(cp_subscribers_expand(
					       &e->subscribers, number, &one, &range, &index));
}

bool cp_dial_again(struct cp_engine *e, uint32_t number, uint64_t now)
{
	struct cp_dials *d = e->dials;
	char label[CP_DIAL_LABEL];

	if (!cp_dial_is_one(e, number))
		return false;
	struct cp_dial *dial = d->under_way[number];
	if (dial != NULL && dial->refused) {
		dial->refused = false;
		dial->at++;
		cp_log(e, CP_LOG_INFO, "%s: the LNS has no facilities: on to the next tunnel",
		       cp_dial_label(label, e, number, dial->map));
		cp_dial_push(&d->ready, dial);
		return true;
	}
	cp_dial_end(e, dial);
	cp_dial_back_off(e, number, now);
	return true;
}

/* ---- whose turn it is ---- */

static void dial_now(struct cp_engine *e, uint32_t number, uint64_t now)
{
	struct cp_dials *d = e->dials;
	struct cfg_subscriber one;
	uint32_t range, index;

	d->stage[number] = CP_DIAL_NONE;
	if (e->subscribers.session[number] != LC_NO_SLOT)
		return;
	cp_subscribers_expand(&e->subscribers, number, &one, &range, &index);
	const struct cfg_domain_map *map = cfg_find_domain_map(e->cfg, one.name);
	if (map == NULL) /* the configuration was checked: it has one */
		return;
	if (map->authentication == CFG_AUTHENTICATION_RADIUS) {
		cp_dial_to_ask(d, number);
		return;
	}
	struct cp_dial *begun = cp_dial_begin(e, number, map);
	if (begun != NULL)
		cp_dial_choose(e, begun, now);
	else
		cp_dial_back_off(e, number, now);
}

/* The next one of those whom the configuration wants dialled. */
static void walk(struct cp_engine *e, uint64_t now)
{
	struct cp_dials *d = e->dials;

	for (unsigned i = 0; i < WALK; i++) {
		while (d->range < e->cfg->n_subscribers &&
		       (!cp_dial_is_dialled(&e->cfg->subscribers[d->range]) ||
			d->index >= e->cfg->subscribers[d->range].count)) {
			d->range++;
			d->index = 0;
		}
		if (d->range >= e->cfg->n_subscribers) {
			d->walk_at = UINT64_MAX;
			return;
		}
		uint32_t number = e->subscribers.first[d->range] + d->index++;
		if (d->stage[number] == CP_DIAL_NONE &&
		    e->subscribers.session[number] == LC_NO_SLOT) {
			dial_now(e, number, now);
			return;
		}
	}
}

bool cp_dial_run(struct cp_engine *e, uint64_t now)
{
	struct cp_dials *d = e->dials;
	struct cp_dial *next;
	uint32_t number;

	if ((number = lc_timers_take(d->idle, now)) != UINT32_MAX) {
		cp_dial_close_idle(e, number, now);
	} else if ((next = cp_dial_pop(&d->anew)) != NULL) {
		number = next->number;
		cp_dial_end(e, next);
		cp_dial_back_off(e, number, now);
	} else if (now >= d->go_on_at && (next = cp_dial_pop(&d->ready)) != NULL) {
		cp_dial_choose(e, next, now);
	} else if (now >= d->ask_at && cp_dial_may_ask(d)) {
		cp_dial_ask(e, now);
	} else if (d->total == 0) {
		return false;
	} else if ((number = lc_timers_take(d->later, now)) != UINT32_MAX) {
		dial_now(e, number, now);
	} else if (now >= d->walk_at) {
		walk(e, now);
	} else {
		return false;
	}
	return true;
}

uint64_t cp_dial_next(const struct cp_engine *e)
{
	const struct cp_dials *d = e->dials;
	uint64_t next = lc_timers_next(d->idle), later;

	if (d->anew.first != NULL)
		return 0;
	if (d->ready.first != NULL && d->go_on_at < next)
		next = d->go_on_at;
	if (cp_dial_may_ask(d) && d->ask_at < next)
		next = d->ask_at;
	if (d->total == 0)
		return next;
	later = lc_timers_next(d->later);
	next = later < next ? later : next;
	return d->walk_at < next ? d->walk_at : next;
}

/* ---- life ---- */

static int allocate_subscribers(struct cp_engine *e)
{
	struct cp_dials *d = e->dials;
	uint32_t n = 0;

	for (unsigned i = 0; i < e->cfg->n_subscribers; i++)
		n += cp_dial_is_dialled(&e->cfg->subscribers[i]);
	if (n == 0)
		return 0;
	d->total = e->subscribers.total;
	d->stage = calloc(d->total, sizeof(*d->stage));
	d->tries = calloc(d->total, sizeof(*d->tries));
	d->under_way = calloc(d->total, sizeof(struct cp_dial *));
	d->next_to_ask = calloc(d->total, sizeof(*d->next_to_ask));
	d->later = lc_timers_new(d->total);
	return d->stage != NULL && d->tries != NULL && d->under_way != NULL &&
		       d->next_to_ask != NULL && d->later != NULL
		   ? 0
		   : -ENOMEM;
}

int cp_dial_start(struct cp_engine *e)
{
	uint32_t tunnels = e->mirror->tunnel_mask + 1;
	struct cp_dials *d = e->dials = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->first_to_ask = CP_NO_SUBSCRIBER;
	d->places = calloc(tunnels, sizeof(*d->places));
	d->idle = lc_timers_new(tunnels);
	if (d->places == NULL || d->idle == NULL || cp_chains_start(&d->tunnels, tunnels) != 0 ||
	    cp_lockouts_start(&d->lockouts, tunnels < 1024 ? 1024 : LOCKOUTS) != 0)
		return -ENOMEM;
	return allocate_subscribers(e);
}

void cp_dial_stop(struct cp_engine *e)
{
	struct cp_dials *d = e->dials;

	if (d == NULL)
		return;
	for (uint32_t i = 0; d->under_way != NULL && i < d->total; i++)
		cp_dial_end(e, d->under_way[i]);
	free(d->stage);
	free(d->tries);
	free(d->under_way);
	free(d->next_to_ask);
	lc_timers_free(d->later);
	free(d->places);
	lc_timers_free(d->idle);
	cp_chains_stop(&d->tunnels);
	cp_lockouts_stop(&d->lockouts);
	free(d);
	e->dials = NULL;
}
