/* SPDX-License-Identifier: BSD-3-Clause */
/* The documents that management shows, made from the configuration and the mirror alone:
 * warmline-control answers with them, and warmline makes them itself while warmline-control is
 * away.
 *
 * A request and what it gives (names of members say their units; addresses, names and states are
 * strings):
 *
 *   {"command": "show tunnels", "from": SLOT}
 *       {"chassis", "tunnels": [...], "next": SLOT}
 *   {"command": "show sessions", "from": SLOT, "tunnel": LOCAL TUNNEL ID}
 *       {"chassis", "sessions": [...], "next": SLOT}
 *   {"command": "show counters"}
 *       {"chassis", "readers", "counters", "ports", "channels", "messages", "events", "processes"}
 *   {"command": "show chassis"}
 *       {"chassis", "configuration", "slots", "mirror", "processes"}
 *
 * "from" and "tunnel" may be left out. Tunnels and sessions come in pages of at most CP_SHOW_PAGE,
 * looking at no more than CP_SHOW_SCAN records, so that a million sessions stall nobody; "next" is
 * there while there is more to ask for. What comes and goes between two pages may be missed;
 * nothing is shown twice.
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
};

/* The document for a request, the caller's; NULL with one line in why: no such command, a bad
 * parameter, no memory. */
json_t *cp_show_document(const struct cp_show *show, const json_t *request, char *why, size_t size);

/* Slots in use; the listener is none. */
uint32_t cp_show_count_tunnels(const struct lc_mirror *mirror);
uint32_t cp_show_count_sessions(const struct lc_mirror *mirror);
