/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engine asks of RADIUS for a LAC's subscriber, and what it gets. Plain values: the engine knows no packets,
 * the RADIUS client no tunnels.
 *
 * Addresses are in host byte order. Strings end in a NUL and are printable.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "lc_record.h"

enum { CP_MAX_AUTHORIZED = 31 }; /* tunnels: as many as there are tags (RFC 2868 section 3.1) */

/* An Access-Request in the making (RFC 2865). Strings belong to the caller, for the call. */
struct cp_access_request {
	const char *name;     /* User-Name */
	const char *password; /* User-Password; "": an empty one */
	uint16_t access_port; /* index of the port; UINT16_MAX: none */
	uint16_t pppoe_session;
	uint8_t mac[6];
};

/* One tunnel of an Access-Accept: the attributes with one tag (RFC 2868). Only what can be used comes so far: L2TP,
 * over IPv4, with an address. */
struct cp_authorized_tunnel {
	uint8_t tag;
	bool has_password;
	uint32_t preference; /* 3.8: the lower, the sooner */
	uint32_t server;     /* Tunnel-Server-Endpoint */
	uint32_t client;     /* Tunnel-Client-Endpoint; 0: none */
	char password[CFG_SECRET_MAX + 1];
	char assignment[LC_NAME];  /* Tunnel-Assignment-ID; "": none */
	char client_auth[LC_NAME]; /* Tunnel-Client-Auth-ID: our Host Name; "": none */
	char server_auth[LC_NAME]; /* Tunnel-Server-Auth-ID: the peer's Host Name; "": any */
	char group[LC_GROUP];      /* Tunnel-Private-Group-ID; "": none */
};

enum cp_access_outcome {
	CP_ACCESS_ACCEPTED,
	CP_ACCESS_REJECTED, /* Access-Reject, or an Access-Challenge: nobody is there to answer it */
	CP_ACCESS_UNUSABLE,   /* accepted, with tunnels of which none can be used */
	CP_ACCESS_UNANSWERED, /* by any server */
};

struct cp_authorization {
	enum cp_access_outcome outcome;
	enum cfg_method
	    method; /* L2TP-Resynch-Method; CFG_METHOD_NOT_CONFIGURED: none, or one that there is not */
	uint32_t max_sessions;                                  /* 0: not said */
	unsigned n_tunnels;                                     /* 0: those of the domain map */
	struct cp_authorized_tunnel tunnels[CP_MAX_AUTHORIZED]; /* in the order of the attributes */
	uint8_t class_length; /* one that is longer is not kept, and said */
	uint8_t class[LC_CLASS];
};
