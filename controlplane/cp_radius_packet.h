/* SPDX-License-Identifier: BSD-3-Clause */
/* RADIUS packets (RFC 2865 section 3): requests made, answers judged and taken apart, on buffers; no socket, no clock.
 *
 * The work is done by FreeRADIUS's own client library (libfreeradius-radius, LGPL), which cp_radius_packet.c hides: it
 * signs and verifies, encrypts, knows tags and the vendors' dictionaries, and is synchronous on buffers, so that waiting, repeating and choosing a server are ours. radcli 1.2.11, the other
 * library in Debian, puts no Message-Authenticator into a request without EAP-Message and accepts an Access-Accept
 * without one (Blast-RADIUS); its exchange blocks in poll(), and takes its identifier from random(), so that a request
 * could not be repeated by who comes after a restart.
 *
 * Thread: one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CP_RADIUS_HEADER = 20,
	CP_RADIUS_AUTHENTICATOR = 16,
	CP_RADIUS_PACKET = 4096,  /* octets of a packet, at most (RFC 2865 section 3) */
	CP_RADIUS_REQUEST = 1024, /* octets of a request of ours: all its attributes are bounded */
	CP_RADIUS_SECRET = 255,   /* octets of a shared secret, at most */
	CP_RADIUS_PASSWORD = 128, /* octets of a User-Password (5.2) */
	CP_RADIUS_ERX = 4874,     /* vendor: the modelled router's */
};

enum cp_radius_code {
	CP_RADIUS_ACCESS_REQUEST = 1,
	CP_RADIUS_ACCESS_ACCEPT = 2,
	CP_RADIUS_ACCESS_REJECT = 3,
	CP_RADIUS_ACCOUNTING_REQUEST = 4,
	CP_RADIUS_ACCOUNTING_RESPONSE = 5,
	CP_RADIUS_ACCESS_CHALLENGE = 11,
};

/* Attribute types: RFC 2865 to 2869; of vendor CP_RADIUS_ERX. */
enum cp_radius_type {
	CP_RADIUS_USER_NAME = 1,
	CP_RADIUS_USER_PASSWORD = 2,
	CP_RADIUS_NAS_IP_ADDRESS = 4,
	CP_RADIUS_SERVICE_TYPE = 6,
	CP_RADIUS_FRAMED_PROTOCOL = 7,
	CP_RADIUS_FRAMED_IP_ADDRESS = 8,
	CP_RADIUS_REPLY_MESSAGE = 18,
	CP_RADIUS_CLASS = 25,
	CP_RADIUS_CALLING_STATION_ID = 31,
	CP_RADIUS_NAS_IDENTIFIER = 32,
	CP_RADIUS_ACCT_STATUS_TYPE = 40,
	CP_RADIUS_ACCT_INPUT_OCTETS = 42,
	CP_RADIUS_ACCT_OUTPUT_OCTETS = 43,
	CP_RADIUS_ACCT_SESSION_ID = 44,
	CP_RADIUS_ACCT_SESSION_TIME = 46,
	CP_RADIUS_ACCT_INPUT_PACKETS = 47,
	CP_RADIUS_ACCT_OUTPUT_PACKETS = 48,
	CP_RADIUS_ACCT_TERMINATE_CAUSE = 49,
	CP_RADIUS_ACCT_INPUT_GIGAWORDS = 52,
	CP_RADIUS_ACCT_OUTPUT_GIGAWORDS = 53,
	CP_RADIUS_EVENT_TIMESTAMP = 55,
	CP_RADIUS_NAS_PORT_TYPE = 61,
	CP_RADIUS_TUNNEL_TYPE = 64,
	CP_RADIUS_TUNNEL_MEDIUM_TYPE = 65,
	CP_RADIUS_TUNNEL_CLIENT_ENDPOINT = 66,
	CP_RADIUS_TUNNEL_SERVER_ENDPOINT = 67,
	CP_RADIUS_ACCT_TUNNEL_CONNECTION = 68,
	CP_RADIUS_TUNNEL_PASSWORD = 69,
	CP_RADIUS_MESSAGE_AUTHENTICATOR = 80,
	CP_RADIUS_TUNNEL_PRIVATE_GROUP_ID = 81,
	CP_RADIUS_TUNNEL_ASSIGNMENT_ID = 82,
	CP_RADIUS_TUNNEL_PREFERENCE = 83,
	CP_RADIUS_ACCT_TUNNEL_PACKETS_LOST = 86,
	CP_RADIUS_NAS_PORT_ID = 87,
	CP_RADIUS_TUNNEL_CLIENT_AUTH_ID = 90,
	CP_RADIUS_TUNNEL_SERVER_AUTH_ID = 91,
	CP_RADIUS_ERX_TUNNEL_MAXIMUM_SESSIONS = 33,
	CP_RADIUS_ERX_L2TP_RESYNCH_METHOD = 90,
};

/* Reads the dictionaries, once in a process. 0; -ENOENT with a line in why: they are not there, or the library is not
 * that of its headers. */
int cp_radius_packet_open(char *why, size_t size);

/* ---- requests ---- */

/* A request as it is on the wire. */
struct cp_radius_request {
	uint16_t length;
	uint8_t octets[CP_RADIUS_REQUEST];
};

/* A request in the making; NULL where there is no memory, which all below take and answer at the end. */
struct cp_radius_draft;

struct cp_radius_draft *cp_radius_draft_new(enum cp_radius_code code);
void cp_radius_draft_integer(struct cp_radius_draft *draft, enum cp_radius_type type,
			     uint32_t value);
/* In host byte order; 0: nothing is added. */
void cp_radius_draft_address(struct cp_radius_draft *draft, enum cp_radius_type type,
			     uint32_t address);
/* length 0: nothing is added. */
void cp_radius_draft_octets(struct cp_radius_draft *draft, enum cp_radius_type type,
			    const void *octets, size_t length);
/* "": nothing is added. */
void cp_radius_draft_text(struct cp_radius_draft *draft, enum cp_radius_type type,
			  const char *text);

/* User-Password (RFC 2865 section 5.2). */
void cp_radius_draft_password(struct cp_radius_draft *draft, const char *password);

/* Encodes, signs and frees the draft. authenticator: of an Access-Request, random (RFC 2865 section 3); an
 * Accounting-Request makes its own (RFC 2866 section 3), so that its octets are a function of what is in it. 0;
 * -ENOMEM; -EMSGSIZE. */
int cp_radius_draft_finish(struct cp_radius_draft *draft, uint8_t identifier,
			   const uint8_t authenticator[CP_RADIUS_AUTHENTICATOR], const char *secret,
			   struct cp_radius_request *request);

/* ---- answers ---- */

/* One attribute of an answer. */
struct cp_radius_attribute {
	uint32_t vendor; /* 0: RFC */
	uint32_t type;
	uint8_t tag; /* 0..31 (RFC 2868) */
	bool broken; /* its length or its contents are not those of its type: octets are raw */
	uint32_t integer;
	const uint8_t
	    *octets; /* of a text, or what was not understood; a Tunnel-Password in clear */
	size_t length;
};

enum cp_radius_verdict {
	CP_RADIUS_GOOD,
	CP_RADIUS_MALFORMED, /* no packet, or no answer to this kind of request */
	CP_RADIUS_UNSIGNED,  /* an answer to an Access-Request without Message-Authenticator */
	CP_RADIUS_FORGED, /* Response Authenticator or Message-Authenticator are wrong: so may the secret be */
};

/* Judges a packet as the answer to a request and, if it is good, shows each attribute, in their order (a
 * vendor's empty ones first). The octets
 * shown are those of the call. */
enum cp_radius_verdict
cp_radius_packet_read(const struct cp_radius_request *request, const char *secret,
		      const uint8_t *octets, size_t length,
		      void (*show)(void *context, const struct cp_radius_attribute *attribute),
		      void *context);
