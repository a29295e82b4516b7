/* SPDX-License-Identifier: BSD-3-Clause */
/* RADIUS is asked for a subscriber, and answers (RFC 2865, 2868). What it is asked at a time is bounded, and so is what is
 * kept of its answers; those whose turn to be asked has not come are a list of numbers. */
#include "cp_dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ASKED = 256,     /* Access-Requests without an answer */
	ANSWERS = 16384, /* kept, for subscribers without a session yet */
};

/* ---- asking ---- */

void cp_dial_to_ask(struct cp_dials *d, uint32_t number)
{
	d->stage[number] = CP_DIAL_TO_ASK;
	d->next_to_ask[number] = CP_NO_SUBSCRIBER;
	if (d->first_to_ask == CP_NO_SUBSCRIBER)
		d->first_to_ask = number;
	else
		d->next_to_ask[d->last_to_ask] = number;
	d->last_to_ask = number;
}

bool cp_dial_may_ask(const struct cp_dials *d)
{
	return d->first_to_ask != CP_NO_SUBSCRIBER && d->n_asked < ASKED &&
	       d->n_answers + d->n_asked < ANSWERS;
}

/* 0, -EAGAIN, or another reason why there will be no answer. */
static int ask(struct cp_engine *e, uint32_t number)
{
	struct cfg_subscriber one;
	uint32_t range, index;
	const struct cfg_subscribers *of =
	    cp_subscribers_expand(&e->subscribers, number, &one, &range, &index);
	const struct cfg_domain_map *map = cfg_find_domain_map(e->cfg, one.name);
	struct cp_access_request request = {.name = one.name,
					    .password = of->password != NULL ? of->password : "",
					    .access_port = (uint16_t)of->port,
					    .pppoe_session = one.pppoe_session};
	char *at = strrchr(one.name, '@');

	if (e->world.authorize == NULL)
		return -ENOSYS;
	if (map->strip_domain && at != NULL)
		*at = 0;
	memcpy(request.mac, one.mac, sizeof(request.mac));
	return e->world.authorize(e->world.context, number, &request);
}

void cp_dial_ask(struct cp_engine *e, uint64_t now)
{
	struct cp_dials *d = e->dials;
	uint32_t number = d->first_to_ask;
	int error = ask(e, number);

	if (error == -EAGAIN) {
		d->ask_at = now + CP_BLOCKED_MS;
		return;
	}
	d->first_to_ask = d->next_to_ask[number];
	d->stage[number] = CP_DIAL_ASKED;
	d->n_asked++;
	e->counters.authorizations_asked += error != -ENOSYS;
	if (error != 0)
		cp_engine_authorized(
		    e, number, &(struct cp_authorization){.outcome = CP_ACCESS_UNANSWERED}, now);
}

/* ---- the answer ---- */

static int compare_tunnels(const void *a, const void *b)
{
	const struct cp_authorized_tunnel *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

/* NULL: no memory. */
static struct cp_answer *keep(const struct cp_authorization *from)
{
	unsigned n = from->n_tunnels < CP_MAX_AUTHORIZED ? from->n_tunnels : CP_MAX_AUTHORIZED;
	struct cp_answer *answer = calloc(1, sizeof(*answer) + n * sizeof(answer->tunnels[0]));

	if (answer == NULL)
		return NULL;
	answer->method = from->method;
	answer->max_sessions = from->max_sessions;
	answer->class_length = from->class_length <= LC_CLASS ? from->class_length : 0;
	memcpy(answer->class, from->class, answer->class_length);
	answer->n_tunnels = n;
	memcpy(answer->tunnels, from->tunnels, n * sizeof(answer->tunnels[0]));
	qsort(answer->tunnels, n, sizeof(answer->tunnels[0]), compare_tunnels);
	return answer;
}

static int accept_answer(struct cp_engine *e, uint32_t number, const struct cfg_domain_map *map,
			 const struct cp_authorization *from)
{
	struct cp_answer *answer = keep(from);
	struct cp_dial *dial = answer != NULL ? cp_dial_begin(e, number, map) : NULL;

	if (dial == NULL) {
		free(answer);
		return -ENOMEM;
	}
	dial->answer = answer;
	e->dials->n_answers++;
	cp_dial_push(&e->dials->ready, dial);
	return 0;
}

void cp_engine_authorized(struct cp_engine *e, uint32_t ticket,
			  const struct cp_authorization *answer, uint64_t now)
{
	static const char *const why[] = {
	    [CP_ACCESS_ACCEPTED] = "accepted, but no memory is left to go on",
	    [CP_ACCESS_REJECTED] = "rejected by RADIUS",
	    [CP_ACCESS_UNUSABLE] = "accepted by RADIUS, with tunnels of which none can be used",
	    [CP_ACCESS_UNANSWERED] = "no RADIUS server has answered",
	};
	uint64_t *const counters[] = {
	    [CP_ACCESS_ACCEPTED] = &e->counters.authorizations_accepted,
	    [CP_ACCESS_REJECTED] = &e->counters.authorizations_rejected,
	    [CP_ACCESS_UNUSABLE] = &e->counters.authorizations_unusable,
	    [CP_ACCESS_UNANSWERED] = &e->counters.authorizations_unanswered,
	};
	struct cp_dials *d = e->dials;
	struct cfg_subscriber one;
	uint32_t range, index;
	char label[CP_DIAL_LABEL];

	if (ticket >= d->total || d->stage[ticket] != CP_DIAL_ASKED)
		return;
	d->n_asked--;
	d->stage[ticket] = CP_DIAL_NONE;
	cp_subscribers_expand(&e->subscribers, ticket, &one, &range, &index);
	const struct cfg_domain_map *map = cfg_find_domain_map(e->cfg, one.name);
	++*counters[answer->outcome];
	if (answer->outcome == CP_ACCESS_ACCEPTED && accept_answer(e, ticket, map, answer) == 0)
		return;
	uint32_t ms = cp_dial_back_off(e, ticket, now);
	cp_log(e, CP_LOG_NOTICE, "%s: %s: tried again in %u s",
	       cp_dial_label(label, e, ticket, map), why[answer->outcome], ms / 1000);
}
