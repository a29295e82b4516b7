/* SPDX-License-Identifier: BSD-3-Clause */
/* L2TP as a whole: the global policy, and how many tunnels and sessions there are, by state and by method in effect.
 *
 * Pages walk over the tunnels, so that comparing each with the configuration stalls nobody, and then over the
 * sessions. A place is a tunnel's slot, or the number of tunnel slots and a session's. */
#include "cp_show_internal.h"

#include "cp_engine.h"

struct tally {
	uint32_t by_state[CP_N_TUNNEL_STATES];
	struct cp_show_use by_method[CFG_METHOD_FALLBACK + 1];
	uint32_t total, older, refused;
	uint32_t sessions, by_session_state[CP_N_SESSION_STATES];
};

static void count_tunnel(const struct cp_show *show, struct tally *tally, const struct lc_tunnel *t)
{
	unsigned method = cp_tunnel_method(t);

	if (t->door.id == 0 || t->recovers != 0)
		return;
	tally->total++;
	if (t->state < CP_N_TUNNEL_STATES)
		tally->by_state[t->state]++;
	if (method <= CFG_METHOD_FALLBACK)
		cp_show_use_add(&tally->by_method[method], t);
	tally->older += cp_show_older(show, t) != 0;
	tally->refused += t->method_refused;
}

/* Returns the next place. */
static uint64_t count_tunnels(const struct cp_show *show, struct tally *tally, uint32_t slot)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->tunnel_mask + 1;
	unsigned seen = 0;

	if (slot <= LC_LISTENER)
		slot = LC_LISTENER + 1;
	for (slot = lc_map_next(m->tunnel_map, limit, slot); slot < limit && seen < CP_SHOW_PAGE;
	     slot = lc_map_next(m->tunnel_map, limit, slot + 1), seen++) {
		struct lc_tunnel t = m->tunnels[slot];

		count_tunnel(show, tally, &t);
	}
	return slot < limit ? slot : limit;
}

/* Returns the next slot, or UINT32_MAX. */
static uint32_t count_sessions(const struct cp_show *show, struct tally *tally, uint32_t slot)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->session_mask + 1;
	unsigned seen = 0;

	for (slot = lc_map_next(m->session_map, limit, slot); slot < limit && seen < CP_SHOW_SCAN;
	     slot = lc_map_next(m->session_map, limit, slot + 1), seen++) {
		uint8_t state = m->sessions[slot].state;

		tally->sessions++;
		if (state < CP_N_SESSION_STATES)
			tally->by_session_state[state]++;
	}
	return slot < limit ? slot : UINT32_MAX;
}

static json_t *show_tunnels(const struct tally *tally)
{
	json_t *tunnels = json_object(), *states = json_object(), *methods = json_object();

	for (unsigned i = 0; i < CP_N_TUNNEL_STATES; i++)
		cp_put_int(states, cp_tunnel_state_name((enum cp_tunnel_state)i),
			   tally->by_state[i]);
	for (unsigned i = CFG_METHOD_DISABLE; i < CFG_METHOD_FALLBACK; i++) {
		json_t *use = json_object();

		cp_put_use(use, &tally->by_method[i]);
		cp_put(methods, cfg_method_name((enum cfg_method)i), use);
	}
	cp_put_int(tunnels, "total", tally->total);
	cp_put(tunnels, "by_state", states);
	cp_put(tunnels, "by_method", methods);
	cp_put_int(tunnels, "older", tally->older);
	cp_put_int(tunnels, "method_refused", tally->refused);
	return tunnels;
}

static json_t *show_sessions(const struct tally *tally)
{
	json_t *sessions = json_object(), *states = json_object();

	for (unsigned i = 0; i < CP_N_SESSION_STATES; i++)
		cp_put_int(states, cp_session_state_name((enum cp_session_state)i),
			   tally->by_session_state[i]);
	cp_put_int(sessions, "total", tally->sessions);
	cp_put(sessions, "by_state", states);
	return sessions;
}

static void put_configured(const struct cp_show *show, json_t *document)
{
	const struct cfg *cfg = show->cfg;

	cp_put(document, "policy", cp_show_policy(&cfg->l2tp, true));
	cp_put_flag(document, "accept_unknown_hosts", cfg->accept_unknown_hosts);
	cp_put_int(document, "lockout_s", cfg->lockout_s);
	cp_put_int(document, "tunnel_idle_s", cfg->tunnel_idle_s);
	cp_put_int(document, "max_tunnels", cfg->limits.tunnels);
	cp_put_int(document, "max_sessions", cfg->limits.sessions);
	cp_put_int(document, "destination_profiles", cfg->n_profiles);
	cp_put_int(document, "configured_tunnels", cfg->n_tunnels);
	cp_put_int(document, "domain_maps", cfg->n_domain_maps);
}

json_t *cp_show_l2tp(const struct cp_show *show, const struct cp_show_page *page)
{
	uint32_t tunnels = show->mirror->tunnel_mask + 1, session;
	uint64_t next = page->from;
	json_t *document = json_object();
	struct tally tally = {0};

	if (page->from == 0)
		put_configured(show, document);
	if (next < tunnels) {
		next = count_tunnels(show, &tally, page->from);
	} else {
		session = count_sessions(show, &tally, (uint32_t)(next - tunnels));
		next = session != UINT32_MAX ? (uint64_t)tunnels + session : UINT64_MAX;
	}
	cp_put(document, "tunnels", show_tunnels(&tally));
	cp_put(document, "sessions", show_sessions(&tally));
	if (next != UINT64_MAX)
		cp_put_int(document, "next", next);
	return document;
}
