/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the RADIUS client share.
 * cp_radius.c: life and interface; cp_radius_server.c: which server, and what is known of it; cp_radius_exchange.c: a
 * request from its first try to its end; cp_radius_answer.c: what comes back for it; cp_radius_socket.c: datagrams;
 * cp_radius_request.c, cp_radius_accept.c, cp_radius_authorization.c: what is in the packets; cp_radius_report.c: logs
 * and names. */
#pragma once

#include "cp_radius.h"
#include "cp_radius_packet.h"
#include "lc_timers.h"

enum cp_radius_kind {
	CP_RADIUS_AUTHENTICATION,
	CP_RADIUS_ACCOUNTING,
	CP_RADIUS_N_KINDS,
};

enum {
	CP_RADIUS_EXCHANGES = 256, /* of each kind */
	CP_RADIUS_NONE = UINT16_MAX,
};

/* Lets some lines a minute through, and counts the others. */
struct cp_radius_gate {
	uint64_t began; /* ms + 1: of the minute; 0: none yet */
	unsigned lines, held_back;
};

/* What a server does that is worth a line. */
enum cp_radius_oddity {
	CP_RADIUS_ODD_FORGED,
	CP_RADIUS_ODD_UNSIGNED,
	CP_RADIUS_ODD_MALFORMED,
	CP_RADIUS_ODD_SENDING,
	CP_RADIUS_N_ODDITIES,
};

struct cp_radius_server {
	struct cfg_radius_server cfg; /* its secret is ours: below */
	char secret[CFG_SECRET_MAX + 1];
	enum cp_radius_kind kind;
	uint16_t by_identifier[256]; /* exchange; CP_RADIUS_NONE */
	uint8_t next_identifier;
	bool silent;          /* was found dead, and has not answered since */
	uint64_t heard;       /* ms + 1: of its last good answer; 0: never */
	uint64_t dead_until;  /* ms */
	uint64_t round_trips; /* their sum */
	struct cp_radius_server_statistics statistics;
	struct cp_radius_gate gates[CP_RADIUS_N_ODDITIES];
};

/* An Access-Request's contents: it may have to be made again, for another server. */
struct cp_radius_access {
	char name[CFG_NAME_MAX + 1];
	char password[CP_RADIUS_PASSWORD + 1];
	uint16_t access_port, pppoe_session;
	uint8_t mac[6];
};

/* One request on its way. */
struct cp_radius_exchange {
	bool used;
	bool waits; /* for an answer of server under identifier; otherwise it is over, unanswered */
	bool resumed; /* at the present server: a predecessor has sent it */
	uint8_t server;
	uint8_t identifier;
	uint16_t tried;    /* servers, by bit, with the present one */
	unsigned tries;    /* at the present server, by us */
	uint32_t name;     /* ticket or entry */
	uint64_t began;    /* ms + 1: at the present server */
	uint64_t sent;     /* ms: last */
	uint64_t deadline; /* ms; 0: none */
	union {
		struct cp_radius_access access;
		struct lc_account account;
	};
	struct cp_radius_request request;
};

struct cp_radius {
	struct event_base *base;
	struct event *readable, *timer;
	struct cp_radius_world world;
	const struct cfg *cfg;
	int fd;
	bool own_fd;
	uint64_t created;            /* ms */
	struct lc_timers *deadlines; /* of exchanges */
	struct cp_radius_server servers[CP_RADIUS_N_KINDS][CFG_MAX_RADIUS_SERVERS];
	unsigned n_servers[CP_RADIUS_N_KINDS];
	/* number: kind * CP_RADIUS_EXCHANGES + i */
	struct cp_radius_exchange exchanges[CP_RADIUS_N_KINDS * CP_RADIUS_EXCHANGES];
	struct cp_radius_gate gates[CP_RADIUS_N_COUNTERS];
	struct cp_radius_gate reject_gate;
	struct cp_radius_statistics statistics;
};

static inline uint64_t cp_radius_now(const struct cp_radius *radius)
{
	return radius->world.now(radius->world.context);
}

static inline enum cp_radius_kind cp_radius_kind(uint16_t number)
{
	return number < CP_RADIUS_EXCHANGES ? CP_RADIUS_AUTHENTICATION : CP_RADIUS_ACCOUNTING;
}

/* ---- cp_radius_report.c ---- */

void cp_radius_log(const struct cp_radius *radius, enum cp_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, lines of them a minute at most. */
void cp_radius_log_some(const struct cp_radius *radius, struct cp_radius_gate *gate, unsigned lines,
			enum cp_log_level level, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* "authentication server 192.0.2.1:1812"; from a few static buffers. */
const char *cp_radius_server_name(const struct cp_radius_server *server);
/* "192.0.2.1:1812"; port 0: without it. */
const char *cp_radius_address_name(uint32_t address, uint16_t port);

/* Text for a log: what is not printable ASCII becomes '?'. Returns out. */
char *cp_radius_printable(char *out, size_t size, const uint8_t *octets, size_t length);

/* ---- cp_radius_server.c ---- */

/* Takes the servers of a configuration; those that were there before keep what is known of them. map: what became of each
 * old one, CP_RADIUS_NONE: gone. */
void cp_radius_servers_set(struct cp_radius *radius, const struct cfg *cfg,
			   uint16_t map[CP_RADIUS_N_KINDS][CFG_MAX_RADIUS_SERVERS]);
/* The next one to try, but for those in tried (bits); CP_RADIUS_NONE: none is left. */
uint16_t cp_radius_server_next(const struct cp_radius *radius, enum cp_radius_kind kind,
			       uint16_t tried);
/* The one that sends from there; NULL: none. */
struct cp_radius_server *cp_radius_server_find(struct cp_radius *radius, enum cp_radius_kind kind,
					       uint32_t address, uint16_t port);
void cp_radius_server_answered(struct cp_radius *radius, struct cp_radius_server *server);
/* A request that was first sent at began (ms + 1) has run out of tries. */
void cp_radius_server_gave_up(struct cp_radius *radius, struct cp_radius_server *server,
			      uint64_t began);
void cp_radius_server_oddity(struct cp_radius *radius, struct cp_radius_server *server,
			     enum cp_radius_oddity oddity, const char *detail);

/* ---- cp_radius_socket.c ---- */

int cp_radius_socket_open(struct cp_radius *radius, int fd); /* 0 or -errno; logs */
void cp_radius_socket_check(const struct cp_radius *radius); /* says an address that is not bound */
void cp_radius_socket_send(struct cp_radius *radius, struct cp_radius_server *server,
			   const struct cp_radius_request *request);
/* Reads at most budget datagrams, and the socket's errors. */
void cp_radius_socket_drain(struct cp_radius *radius, unsigned budget);

/* ---- cp_radius_exchange.c ---- */

/* A free one of a kind; CP_RADIUS_NONE: none. */
uint16_t cp_radius_exchange_new(struct cp_radius *radius, enum cp_radius_kind kind);
/* Begins with the first server. */
void cp_radius_exchange_begin(struct cp_radius *radius, uint16_t number);
/* Goes on where a predecessor left it. 0; -EAGAIN: the identifier is taken; -ENOENT: that server is not there. */
int cp_radius_exchange_resume(struct cp_radius *radius, uint16_t number,
			      union lc_account_sent sent);
void cp_radius_exchange_drop(struct cp_radius *radius, uint16_t number);
/* After a change of servers. */
void cp_radius_exchange_move(struct cp_radius *radius, uint16_t number, uint16_t server);
void cp_radius_exchange_deadline(struct cp_radius *radius, uint16_t number, uint64_t at);
/* Those whose deadline has passed. */
void cp_radius_exchange_run(struct cp_radius *radius);
/* Ends: they tell the world. */
void cp_radius_exchange_authorized(struct cp_radius *radius, uint16_t number,
				   const struct cp_authorization *answer);
void cp_radius_exchange_accounted(struct cp_radius *radius, uint16_t number, bool acknowledged);

/* ---- cp_radius_answer.c ---- */

/* A datagram of the server. */
void cp_radius_exchange_answer(struct cp_radius *radius, struct cp_radius_server *server,
			       const uint8_t *octets, size_t length);
/* An ICMP error about a packet to the server, whose first octets are quoted. */
void cp_radius_exchange_refused(struct cp_radius *radius, struct cp_radius_server *server,
				const uint8_t *octets, size_t length);
/* ---- cp_radius_request.c ---- */

/* 0 or -errno of cp_radius_draft_finish(). */
int cp_radius_encode_access(const struct cfg *cfg, const struct cp_radius_access *access,
			    uint8_t identifier, const uint8_t authenticator[], const char *secret,
			    struct cp_radius_request *request);
int cp_radius_encode_account(const struct cfg *cfg, uint64_t realtime_ms,
			     const struct lc_account *account, uint8_t identifier,
			     const char *secret, struct cp_radius_request *request);

/* ---- cp_radius_accept.c, cp_radius_authorization.c ---- */

/* Gathers an answer's attributes. */
struct cp_radius_accept;
struct cp_radius_accept *cp_radius_accept_new(void); /* NULL: no memory */
void cp_radius_accept_free(struct cp_radius_accept *accept);
void cp_radius_accept_show(void *accept, const struct cp_radius_attribute *attribute);
/* What an Access-Accept for name comes to; what is wrong in it is counted and said. */
void cp_radius_accept_finish(struct cp_radius *radius, struct cp_radius_accept *accept,
			     const char *name, struct cp_authorization *answer);
/* Its Reply-Messages, printable. */
const char *cp_radius_accept_message(const struct cp_radius_accept *accept);
