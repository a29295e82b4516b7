/* SPDX-License-Identifier: BSD-3-Clause */
/* Management of warmline-control: JSON lines (cp_lines.h) on <runtime
 * directory>/<chassis>/control.sock.
 *
 *   {"command": "ping"}                                    {"ok": true, "pid"}
 *   {"command": "show tunnels"}, and the other shows: see cp_show.h
 *   {"command": "clear tunnel", "tunnel": ID}              {"ok": true}; a StopCCN is on its way
 * (result code 1)
 *   {"command": "clear session", "tunnel": ID, "session": ID}
 *                                                          {"ok": true}; a CDN is on its way
 * (result code 3)
 *   {"command": "resync", "tunnel": ID}                    {"ok": true}; the peer is being asked for the state of all
 * established sessions (RFC 4951 section 3.3, FSQ). What comes of it: "resync" of show tunnels
 *   {"command": "resync", "tunnel": ID, "session": ID}     the same for one session
 *
 *   {"command": "reload"}                                  {"ok": true}; the configuration file has been read again, and what
 * is established goes on. Only the supervisor asks for this, once it has checked and written the file (chassis.h)
 *
 * IDs are the local ones. Thread: that of the event base. Nothing blocks; what an answer costs is
 * bounded (cp_show.h).
 */
#pragma once

#include <jansson.h>

#include "cfg.h"
#include "cp_engine.h"
#include "lc_mirror.h"

#define CP_MANAGE_SOCKET "control.sock" /* leaf, for cfg_runtime_path() */

struct event_base;
struct cp_manage;

/* All kept by reference for the life of the server. */
struct cp_manage_context {
	const struct cfg *cfg;
	const struct lc_mirror *mirror;
	const char *mirror_path;
	bool huge; /* the mirror is on a hugetlbfs */
	struct cp_engine *engine;
	uint64_t (*now)(void *context); /* ms, CLOCK_MONOTONIC */
	void (*changed)(void *context); /* an operator's request has moved the engine: look at its
					   timers again. May be NULL */
	/* See cp_show.h; each may be NULL. */
	json_t *(*radius)(void *context);
	int (*locked_out)(void *context, const struct cfg_domain_map *map,
			  const struct cfg_domain_tunnel *tunnel);
	/* The configuration is to be read again. 0, after cp_manage_replace(); or -errno with one line in why, and
	 * everything as before. NULL: it cannot be */
	int (*reload)(void *context, char *why, size_t size);
	void *context;
};

/* NULL with errno: EADDRINUSE where another process serves that socket, ENAMETOOLONG, EACCES, ...
 */
struct cp_manage *cp_manage_new(struct event_base *base, const char *socket_path,
				const struct cp_manage_context *context);
void cp_manage_replace(struct cp_manage *manage, const struct cfg *cfg, struct cp_engine *engine);
void cp_manage_free(struct cp_manage *manage); /* closes all connections and removes the socket */
