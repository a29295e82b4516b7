/* SPDX-License-Identifier: BSD-3-Clause */
/* The RADIUS client between its world and servers on loopback in the same process, whose packets are built and judged
 * here by hand, from RFC 2865 to 2869 and OpenSSL's MD5: nothing of the library under test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "cp_radius.h"

struct event_base;

enum {
	LAB_AUTHENTICATION = 0, /* servers 0..2 */
	LAB_ACCOUNTING = 3,     /* servers 3..5 */
	LAB_SERVERS = 6,
	LAB_TIMEOUT = 60, /* ms */
	LAB_TRIES = 3,
	LAB_SOON = 1000, /* ms that a packet which will come is waited for */
	LAB_TICKETS = 2048,
};

#define LAB_SECRET "a-secret-of-two"

/* A datagram. */
struct lab_packet {
	size_t length;
	uint8_t octets[4096];
	uint32_t from; /* of the client */
	uint16_t from_port;
};

/* An answer in the making. */
struct lab_reply {
	uint8_t code;
	const char *secret;
	bool no_message_authenticator, wrong_message_authenticator, wrong_authenticator;
	size_t length;
	uint8_t attributes[4096];
};

struct lab {
	struct event_base *base;
	struct cfg cfg;
	struct cfg_port port;
	struct cfg_radius_server servers[LAB_SERVERS];
	int sockets[LAB_SERVERS];
	int fd; /* the client's; -1: one of its own */
	struct cp_radius *radius;
	/* what the world was told */
	unsigned answers;               /* authorized */
	uint8_t answered[LAB_TICKETS];  /* by ticket: times */
	struct cp_authorization answer; /* the last */
	unsigned accounted, unaccounted, progressed;
	uint32_t entry; /* the last */
	union lc_account_sent sent;
	bool sent_too_soon; /* something was on the wire before its progress */
	char log[1 << 16];
};

void lab_open(struct lab *lab, unsigned n_authentication, unsigned n_accounting);
void lab_start(struct lab *lab); /* a control plane */
void lab_start_fails(struct lab *lab);
void lab_stop(struct lab *lab);
void lab_close(struct lab *lab);

void lab_poll(struct lab *lab); /* what is there to do now */
void lab_run(struct lab *lab, unsigned ms);
/* The next datagram for a server, which comes within ms. */
bool lab_receive(struct lab *lab, unsigned server, struct lab_packet *packet, unsigned ms);
unsigned lab_waiting(struct lab *lab, unsigned server); /* takes all that is there, and counts it */
void lab_until_answer(struct lab *lab); /* an answer to an authorization, or it fails */
void lab_until_told(struct lab *lab);   /* likewise: accounted or unaccounted */
unsigned lab_said(const struct lab *lab, const char *text); /* times that the log says it */
uint64_t lab_counter(struct lab *lab, unsigned server, enum cp_radius_server_counter counter);
uint64_t lab_total(struct lab *lab, enum cp_radius_counter counter);

/* Asks for "alice@example" with ticket; the request must be taken. */
void lab_ask(struct lab *lab, uint32_t ticket);

/* ---- packets ---- */

/* An attribute of a packet: its value, or NULL. length: of the value. */
const uint8_t *lab_attribute(const struct lab_packet *packet, uint8_t type, size_t *length);
bool lab_has_text(const struct lab_packet *packet, uint8_t type, const char *text);
bool lab_has_integer(const struct lab_packet *packet, uint8_t type, uint32_t value);
/* Is its Message-Authenticator right (RFC 2869 section 5.14)? Is an Accounting-Request's authenticator (RFC 2866
 * section 3)? */
bool lab_is_signed(const struct lab_packet *packet, const char *secret);
bool lab_is_account(const struct lab_packet *packet, const char *secret);

void lab_md5(const void *a, size_t la, const void *b, size_t lb, uint8_t out[16]);

struct lab_reply lab_accept(void);
void lab_put(struct lab_reply *reply, uint8_t type, const void *octets, size_t length);
void lab_put_integer(struct lab_reply *reply, uint8_t type, uint8_t tag, uint32_t value);
void lab_put_text(struct lab_reply *reply, uint8_t type, uint8_t tag, const char *text);
void lab_put_vendor(struct lab_reply *reply, uint32_t vendor, uint8_t type, const void *octets,
		    size_t length);
void lab_put_method(struct lab_reply *reply, uint32_t value);
void lab_put_password(struct lab_reply *reply, const struct lab_packet *request, uint8_t tag,
		      uint16_t salt, const char *password);
/* Type, medium, server endpoint, of a tunnel that can be used. */
void lab_put_tunnel(struct lab_reply *reply, uint8_t tag, const char *server);

/* The octets of an answer. */
void lab_build(const struct lab_packet *request, const struct lab_reply *reply,
	       struct lab_packet *answer);
void lab_send(struct lab *lab, unsigned server, const struct lab_packet *request,
	      const struct lab_packet *answer);
/* Both. */
void lab_reply(struct lab *lab, unsigned server, const struct lab_packet *request,
	       const struct lab_reply *reply);
