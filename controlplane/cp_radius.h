/* SPDX-License-Identifier: BSD-3-Clause */
/* The RADIUS client (RFC 2865 to 2868): authorizes a LAC's subscribers and tells the ledger's entries, over libevent.
 * Nothing in it waits: each call sends or arms a timer, and what comes of it is told by world, later.
 *
 * Servers are tried in their order: a request is sent, repeated octet by octet (retransmit times, timeout_ms apart), and
 * then it is the next one's turn, with an identifier and an authenticator of its own. A server that has answered nothing
 * since the request was first sent to it is then dead for dead_time_s: who is dead is asked last. Any good answer of it
 * ends that. An ICMP error that quotes a request of ours leaves the present try a tenth of the timeout: a hint, no more.
 *
 * One UDP socket, unconnected, for all servers, which outlives the process: what a server says while nobody is there
 * waits in it. An answer belongs to the request with its source address, source port, kind (by its code) and identifier,
 * 256 for each server and kind, handed out in turn; and only if it is signed as the answer to that request.
 *
 * A restart repeats no accounting record that a server has: the identifier under which a record leaves is in the ledger
 * before (world.progress), and its octets are a function of the ledger's entry, the configuration and that identifier:
 * Event-Timestamp says when it happened, never Acct-Delay-Time how long ago. So the next control plane recognizes the
 * answer in the socket, and otherwise repeats the same octets: to the server, or to its database, the same record.
 *
 * An answer that cannot be right (wrong secret, no Message-Authenticator, no packet) is counted, said once a minute for
 * each server, and otherwise as if it had not come.
 *
 * Thread: one, that of the event base. Time: ms, that of world.now; addresses in host byte order.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cfg.h"
#include "cp_authorization.h"
#include "cp_engine.h"
#include "lc_record.h"

struct event_base;
struct cp_radius;

/* What the world hands in. None of these calls may free the client. */
struct cp_radius_world {
	void *context;
	void (*random)(void *context, void *bytes, size_t length);
	void (*log)(void *context, enum cp_log_level level, const char *format, va_list arguments);
	uint64_t (*now)(void *context);
	uint64_t (*realtime_ms)(void *context); /* at ms 0: that of the mirror's header */
	/* The answer to cp_radius_authorize(); for the call. */
	void (*authorized)(void *context, uint32_t ticket, const struct cp_authorization *answer);
	/* A record is about to be sent so: to be stored in the entry's progress before this returns. From within
	 * cp_radius_account() too. */
	void (*progress)(void *context, uint32_t entry, union lc_account_sent sent);
	void (*accounted)(void *context, uint32_t entry);   /* a server has it */
	void (*unaccounted)(void *context, uint32_t entry); /* no server answered */
};

/* Starts, for cfg (kept by reference until the next cp_radius_reconfigure()). fd: the socket, the caller's; -1: one of
 * its own. It is made non-blocking, and bound to radius.source_address if it is not bound yet; one that is bound to
 * another address stays so, which is said. NULL: no memory, no socket, no dictionaries, said in the log. */
struct cp_radius *cp_radius_new(struct event_base *base, const struct cfg *cfg, int fd,
				const struct cp_radius_world *world);
void cp_radius_free(struct cp_radius *radius); /* says nothing to the world; NULL: nothing */

/* Forgets all authorizations that wait: whose tickets they were is not there any more. The world is not told. */
void cp_radius_forget(struct cp_radius *radius);

/* From here on cfg is the configuration. What waits for a server that is still there (same address, port and secret)
 * goes on, at the same try, and the server keeps what is known of it. Authorizations that wait for another begin anew
 * with the first server of the new ones; accounting records of such a server are handed back (unaccounted, from the
 * event loop). radius.source_address is that of the socket: another one is said, and taken with the next socket. */
void cp_radius_reconfigure(struct cp_radius *radius, const struct cfg *cfg);

/* 0: the answer comes by world.authorized, from the event loop; -EAGAIN: too many (256) wait; -EINVAL: name or password
 * are longer than CFG_NAME_MAX or 128 octets. */
int cp_radius_authorize(struct cp_radius *radius, uint32_t ticket,
			const struct cp_access_request *request);

/* Tells a record (copied) of the ledger. 0: world.accounted or world.unaccounted follow, from the event loop; -EAGAIN:
 * too many (256) wait, or its identifier is taken; -ENOENT: there are no accounting servers. One that is about to be
 * handed back is not handed back any more. If progress says that it was sent, it is taken up where the predecessor left
 * it: hand those in first, before the event loop runs. */
int cp_radius_account(struct cp_radius *radius, uint32_t entry, const struct lc_account *account);

/* ---- counters, of this process's life ---- */

enum cp_radius_server_counter {
	CP_RADIUS_REQUESTS,
	CP_RADIUS_RETRANSMISSIONS,
	CP_RADIUS_ACCEPTS,
	CP_RADIUS_REJECTS,
	CP_RADIUS_CHALLENGES,
	CP_RADIUS_RESPONSES,
	CP_RADIUS_TIMEOUTS,
	CP_RADIUS_BAD_AUTHENTICATORS,
	CP_RADIUS_NO_MESSAGE_AUTHENTICATOR,
	CP_RADIUS_MALFORMED_ANSWERS,
	CP_RADIUS_LATE,
	CP_RADIUS_DEATHS,
	CP_RADIUS_ICMP_ERRORS,
	CP_RADIUS_SEND_FAILURES,
	CP_RADIUS_N_SERVER_COUNTERS,
};

enum cp_radius_counter {
	CP_RADIUS_UNANSWERED,
	CP_RADIUS_UNKNOWN_SOURCE,
	CP_RADIUS_INVALID_RESYNCH_METHOD,
	CP_RADIUS_INVALID_MAXIMUM_SESSIONS,
	CP_RADIUS_OVERLONG_CLASS,
	CP_RADIUS_TUNNEL_TYPE_UNUSABLE, /* from here to TOO_MANY: why a tunnel cannot be used */
	CP_RADIUS_TUNNEL_MEDIUM_UNUSABLE,
	CP_RADIUS_TUNNEL_NO_SERVER,
	CP_RADIUS_TUNNEL_NO_LITERAL,
	CP_RADIUS_TUNNEL_NO_UNICAST,
	CP_RADIUS_TUNNEL_OVERLONG,
	CP_RADIUS_TUNNEL_MALFORMED,
	CP_RADIUS_TUNNEL_CONTRADICTORY,
	CP_RADIUS_TUNNEL_TOO_MANY,
	CP_RADIUS_N_COUNTERS,
};

enum { CP_RADIUS_STATUS_TYPES = 15 }; /* Acct-Status-Type 1..14 (RFC 2866, 2867) */

/* Names for shows: of a member of a JSON object. */
extern const char *const cp_radius_server_counter_names[CP_RADIUS_N_SERVER_COUNTERS];
extern const char *const cp_radius_counter_names[CP_RADIUS_N_COUNTERS];
const char *cp_radius_status_type_name(unsigned type); /* "start"; NULL: there is none */

struct cp_radius_server_statistics {
	uint32_t address;
	uint16_t port;
	bool dead;
	uint64_t dead_until; /* when its turn comes again; 0: it is not dead */
	unsigned pending;    /* requests that wait for an answer */
	uint64_t counters[CP_RADIUS_N_SERVER_COUNTERS];
	/* ms from request to answer, of requests sent once: without them all 0 */
	uint64_t round_trips, round_trip_min, round_trip_mean, round_trip_max;
};

struct cp_radius_statistics {
	struct cp_radius_server_statistics authentication[CFG_MAX_RADIUS_SERVERS];
	struct cp_radius_server_statistics accounting[CFG_MAX_RADIUS_SERVERS];
	unsigned n_authentication, n_accounting;
	uint64_t counters[CP_RADIUS_N_COUNTERS];
	/* Accounting records by Acct-Status-Type; sent: records, not packets. */
	uint64_t records_sent[CP_RADIUS_STATUS_TYPES], records_acknowledged[CP_RADIUS_STATUS_TYPES];
};

/* As of now; valid until the next call. */
const struct cp_radius_statistics *cp_radius_statistics(struct cp_radius *radius);
