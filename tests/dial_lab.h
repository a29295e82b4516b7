/* SPDX-License-Identifier: BSD-3-Clause */
/* A LAC whose subscribers are dialled by their domains, opposite an LNS that has every address; and RADIUS, whose
 * answers a test gives. */
#pragma once

#include "engine_lab.h"

enum { DIAL_ASKED = 65536 };

struct dial_request {
	uint32_t ticket;
	char name[64], password[64];
	uint16_t access_port, pppoe_session;
	uint8_t mac[6];
};

static struct {
	struct dial_request list[DIAL_ASKED];
	unsigned n, answered;
	unsigned window; /* as many at a time; 0: any number */
} radius;

static inline int dial_ask(void *context, uint32_t ticket, const struct cp_access_request *request)
{
	(void)context;
	if (radius.window != 0 && radius.n - radius.answered >= radius.window)
		return -EAGAIN;
	assert_true(radius.n < DIAL_ASKED);
	struct dial_request *r = &radius.list[radius.n++];
	*r = (struct dial_request){.ticket = ticket,
				   .access_port = request->access_port,
				   .pppoe_session = request->pppoe_session};
	snprintf(r->name, sizeof(r->name), "%s", request->name);
	snprintf(r->password, sizeof(r->password), "%s", request->password);
	memcpy(r->mac, request->mac, sizeof(r->mac));
	return 0;
}

/* The next one that has not been answered. */
static inline void dial_answer(struct lab *lab, const struct cp_authorization *answer)
{
	assert_true(radius.answered < radius.n);
	cp_engine_authorized(lab->end[LAC].engine, radius.list[radius.answered++].ticket, answer,
			     lab->now);
}

static inline void dial_reject(struct lab *lab)
{
	dial_answer(lab, &(struct cp_authorization){.outcome = CP_ACCESS_REJECTED});
}

/* l2tp: more members of "l2tp", each with a comma after it; maps, subscribers: lists. */
static inline char *dial_lac_json(const char *l2tp, const char *maps, const char *subscribers)
{
	char *json = NULL;
	assert_true(
	    asprintf(
		&json,
		"{\"chassis\":{\"name\":\"lac\"},\"limits\":{\"tunnels\":30,\"sessions\":12000},"
		"\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
		"{\"name\":\"a\",\"device\":\"x\",\"facing\":\"access\"},"
		"{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.1/24\"}]}],"
		"\"l2tp\":{%s\"host_name\":\"lac\"},\"aaa\":{\"domain_maps\":[%s]},"
		"\"radius\":{\"authentication_servers\":[{\"address\":\"127.0.0.1\",\"secret\":\"s\"}]},"
		"\"subscribers\":[%s]}",
		l2tp, maps, subscribers) > 0);
	return json;
}

/* count subscribers user1@DOMAIN, user2@DOMAIN and so on. */
static inline const char *dial_users(const char *domain, unsigned count)
{
	static char text[2][256];
	static unsigned turn;
	char *out = text[turn++ % 2];
	snprintf(
	    out, sizeof(text[0]),
	    "{\"name\":\"user{}@%s\",\"count\":%u,\"port\":\"a\",\"mac\":\"02:00:00:00:00:01\","
	    "\"pppoe_session\":1,\"password\":\"pass\"}",
	    domain, count);
	return out;
}

/* Replaces a part of a text that is there. */
static __attribute__((noinline, unused)) char *dial_replace(char *text, const char *old,
							    const char *with)
{
	size_t size = strlen(text) + strlen(with) + 1;
	char *json = malloc(size);
	const char *at = strstr(text, old);
	assert_true(json != NULL && at != NULL);
	snprintf(json, size, "%.*s%s%s", (int)(at - text), text, with, at + strlen(old));
	free(text);
	return json;
}

/* host: more members of the LNS's remote host, each with a comma after it. */
static inline struct lab *dial_lab(const char *l2tp, const char *maps, const char *subscribers,
				   const char *host)
{
	char *lac = dial_lac_json(l2tp, maps, subscribers);
	char *lns = dial_replace(lab_lns_json(LAB_SILENT, host, 0), "\"sessions\":4000",
				 "\"sessions\":12000");

	memset(&radius, 0, sizeof(radius));
	lab_authorize = dial_ask;
	struct lab *lab = lab_new(lac, lns);
	lab_authorize = NULL;
	lab->everywhere = true;
	free(lac);
	free(lns);
	return lab;
}

/* As lab_run(), but a channel's death is seen within 100 ms, as its line card tells of it. */
static inline void dial_run(struct lab *lab, uint64_t ms)
{
	for (; ms > 100; ms -= 100)
		lab_run(lab, 100);
	lab_run(lab, ms);
}

/* A new control plane of the LAC, which has RADIUS too. */
static inline void dial_restart(struct lab *lab)
{
	lab_authorize = dial_ask;
	lab_restart(&lab->end[LAC]);
	lab_authorize = NULL;
}

/* The LAC's tunnel to an address in a state; NULL: none. */
static inline const struct lc_tunnel *dial_tunnel(struct lab *lab, uint32_t address,
						  enum cp_tunnel_state state)
{
	const struct lc_tunnel *t;
	for (unsigned i = 0; (t = lab_tunnel(&lab->end[LAC], i)) != NULL; i++)
		if (t->peer_address == address && t->state == state && t->recovers == 0)
			return t;
	return NULL;
}

static inline const struct lc_tunnel *dial_up(struct lab *lab, uint32_t address)
{
	return dial_tunnel(lab, address, CP_TUNNEL_ESTABLISHED);
}

static inline const struct cp_counters *dial_counters(struct lab *lab)
{
	return cp_engine_counters(lab->end[LAC].engine);
}
