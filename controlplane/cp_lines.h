/* SPDX-License-Identifier: BSD-3-Clause */
/* A server of JSON lines on a UNIX socket: one object a line in, one object a line out, in the
 * order of the requests.
 *
 *   {"command": "ping"}           ->  {"ok": true}
 *   {"command": "make coffee"}    ->  {"ok": false, "error": "unknown command \"make coffee\";
 * known: ping"}
 *
 * A line has at most CP_LINES_REQUEST_MAX bytes, unless cp_lines_limit() says otherwise. Several clients at once; none can stall the loop
 * or another: a client that does not read what it asked for is not read from either. Used by
 * warmline-control and by warmline-chassis.
 *
 * Thread: that of the event base.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct event_base;

enum cp_lines_limit {
	CP_LINES_REQUEST_MAX = 16384, /* bytes of a request */
	CP_LINES_CLIENTS = 64,        /* connections; one more is told so and closed */
};

struct cp_lines;

/* A request. The handler answers now or later, once, with cp_lines_reply() or cp_lines_refuse();
 * until then the client's next request waits. client names the connection, also after it is gone.
 */
struct cp_lines_command {
	const char *name;
	void (*handle)(void *context, uint64_t client, const json_t *request);
};

/* Listens on path (mode 0600; a socket that nobody listens on is replaced). commands: ends with
 * name NULL; kept by reference. NULL with errno: EADDRINUSE where somebody listens already,
 * ENAMETOOLONG, ... */
struct cp_lines *cp_lines_new(struct event_base *base, const char *path,
			      const struct cp_lines_command *commands, void *context);
void cp_lines_limit(struct cp_lines *lines, size_t request_max); /* bytes of a request */
void cp_lines_free(struct cp_lines *lines); /* closes all connections, removes the socket */

/* Answers with a document (an object; the reference is taken over), to which "ok": true is added
 * unless it says "ok" itself. A client that has gone gets nothing. NULL (no memory) is answered as an error. */
void cp_lines_reply(struct cp_lines *lines, uint64_t client, json_t *document);

/* Answers {"ok": false, "error": one line}. */
__attribute__((format(printf, 3, 4))) void cp_lines_refuse(struct cp_lines *lines, uint64_t client,
							   const char *format, ...);
