/* SPDX-License-Identifier: BSD-3-Clause */
/* The documents that management shows, made from the configuration and the mirror alone:
 * warmline-control answers with them, and warmline makes them itself while warmline-control is
 * away.
 *
 * A request and what it gives (names of members say their units; addresses, names and states are
 * strings):
 *
 *   {"command": "show tunnels", "from": SLOT, "tunnel": LOCAL TUNNEL ID}
 *       {"chassis", "tunnels": [...], "next": SLOT}
 *   {"command": "show sessions", "from": SLOT, "tunnel": LOCAL TUNNEL ID}
 *       {"chassis", "sessions": [...], "next": SLOT}
 *   {"command": "show counters"}
 *       {"chassis", "readers", "counters", "ports", "channels", "messages", "events", "processes"}
 *   {"command": "show chassis"}
 *       {"chassis", "configuration", "slots", "mirror", "processes"}
 *   {"command": "show line-modules"}
 *       {"chassis", "line_modules": [...]}
 *   {"command": "show l2tp", "from": PLACE}
 *       {"chassis", "policy", ..., "tunnels", "sessions", "next": PLACE}: the first page has all that is configured; what is
 *       counted in "tunnels" and "sessions" adds up over the pages
 *   {"command": "show l2tp destination profile", "name": NAME, "from": INDEX}
 *       {"chassis", "profiles": [...], "next": INDEX}
 *   {"command": "show aaa domain-map", "name": NAME, "from": INDEX}
 *       {"chassis", "domain_maps": [...], "next": INDEX}
 *   {"command": "show l2tp failover", "from": LINE}
 *       {"chassis", "life", "control_pid", "starts": [...], "lines": [...], "next": LINE}: the newest line first; "starts",
 *       the newest first, is on the first page only
 *   {"command": "show radius statistics"}
 *       {"chassis", "servers": [...], "counters", "ledger": {"used", "limit"}}
 *
 * "from", "tunnel" and "name" may be left out; a "name" that is not there gives an empty list. Tunnels and sessions come in pages of at most CP_SHOW_PAGE,
 * looking at no more than CP_SHOW_SCAN records, so that a million sessions stall nobody; "next" is
 * there while there is more to ask for. What comes and goes between two pages may be missed;
 * nothing is shown twice.
 *
 * Of a tunnel's resynchronization (RFC 4951):
 *   "method", "method_scope"   as configured when it was set up, and where
 *   "method_in_effect"         cp_tunnel_method(): what it will recover by
 *   "offered", "peer_offered"  in the Failover Capability AVP (section 5.1): null where there was none, else
 *                              {"control": C, "data": D, "recovery_time_ms"}
 *   "recovers"                 of a recovery tunnel: ID of the old one; else 0
 *   "waiting_ms"               so long the peer has been waited for, its Recovery Time long at most, since
 *                              the retransmissions ran out; 0: it is not
 *   "resync"                   {"state": "none" | "lost" | "recovering" | "held" | "clearing" | "querying"
 *                              (enum cp_resync), "queried", "confirmed", "cleared": sessions, of what is
 *                              under way or was last; "ended_ms_ago": null: never}
 *   "control": "silent"        nothing is sent or taken
 * Where a tunnel comes from: "origin": "peer" (an LNS's), "configured", "domain-map" or "radius"; "older": the keys of the
 * configuration that would give it another value now.
 *
 * A policy ("policy") has for each key {"value", "from"}: "own", "global" in an inner scope; "configured", "default" in
 * the global one. Passwords are only "set" or "none".
 *
 * And of a session's resynchronization: "stale": the peer pairs it with another one, it will be queried (appendix C).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cfg.h"
#include "lc_mirror.h"

struct cp_counters;

enum cp_show_limit {
	CP_SHOW_PAGE = 256,
	CP_SHOW_SCAN = 16384,
};

struct cp_show {
	const struct cfg *cfg;
	const struct lc_mirror *mirror;
	const char *mirror_path;
	bool huge; /* the mirror is on a hugetlbfs */
	const struct cp_counters
	    *counters; /* NULL: shown from outside warmline-control, without "messages", "events" */
	uint64_t now;  /* ms, CLOCK_MONOTONIC */
	/* What only a live control plane knows; each may be NULL. */
	void *context;
	/* The RADIUS client's "servers" (each with "kind", "address", "port", "state", "counters", "round_trip_us") and
	 * "counters", the caller's. */
	json_t *(*radius)(void *context);
	/* A tunnel of a domain map is skipped, as it could not be set up: 1; 0: it is not. */
	int (*locked_out)(void *context, const struct cfg_domain_map *map,
			  const struct cfg_domain_tunnel *tunnel);
};

/* The document for a request, the caller's; NULL with one line in why: no such command, a bad
 * parameter, no memory. */
json_t *cp_show_document(const struct cp_show *show, const json_t *request, char *why, size_t size);

/* What show line-modules gives, but for the chassis: needs none. The caller's. */
json_t *cp_show_line_module_table(void);

/* Tunnels in use. Neither the listener nor recovery tunnels count: those come and go, and take nothing of
 * the configured limit. */
struct cp_show_tally {
	uint32_t tunnels;
	uint32_t lost;      /* of them: wait for their turn to be recovered */
	uint32_t resyncing; /* of them, with those lost: not resynchronized, or being so */
};

struct cp_show_tally cp_show_tally(const struct lc_mirror *mirror);

/* Slots in use. */
uint32_t cp_show_count_sessions(const struct lc_mirror *mirror);
