/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in our requests. */
#include "cp_radius_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	SERVICE_FRAMED = 2, /* Service-Type (RFC 2865 section 5.6) */
	FRAMED_PPP = 1,     /* Framed-Protocol (5.7) */
	PORT_PPPOEOE = 32,  /* NAS-Port-Type (RFC 4603) */
	TUNNEL_L2TP = 3,    /* Tunnel-Type (RFC 2868 section 3.1) */
	MEDIUM_IPV4 = 1,    /* Tunnel-Medium-Type (3.2) */
	STATUS_START = 1,   /* Acct-Status-Type (RFC 2866 section 5.1; RFC 2867 section 3) */
	STATUS_STOP = 2,
	STATUS_INTERIM = 3,
	STATUS_TUNNEL_STOP = 10,
	STATUS_LINK_STOP = 13,
};

/* ---- both kinds ---- */

static void add_nas(struct cp_radius_draft *draft, const struct cfg *cfg)
{
	const struct cfg_radius *r = &cfg->radius;

	cp_radius_draft_text(draft, CP_RADIUS_NAS_IDENTIFIER,
			     r->nas_identifier[0] != 0 ? r->nas_identifier : cfg->name);
	cp_radius_draft_address(draft, CP_RADIUS_NAS_IP_ADDRESS, r->nas_address);
}

/* The subscriber's line: "access0:17", and his MAC address as RFC 3580 section 3.21 writes it. */
static void add_line(struct cp_radius_draft *draft, const struct cfg *cfg, uint16_t port,
		     uint16_t pppoe_session, const uint8_t mac[6])
{
	char text[CFG_NAME_MAX + 8];

	if (port >= cfg->n_ports)
		return;
	cp_radius_draft_integer(draft, CP_RADIUS_NAS_PORT_TYPE, PORT_PPPOEOE);
	snprintf(text, sizeof(text), "%s:%u", cfg->ports[port].name, pppoe_session);
	cp_radius_draft_text(draft, CP_RADIUS_NAS_PORT_ID, text);
	snprintf(text, sizeof(text), "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	cp_radius_draft_text(draft, CP_RADIUS_CALLING_STATION_ID, text);
}

/* ---- Access-Request ---- */

/* Message-Authenticator comes first: a prefix that an attacker chooses cannot come before it (Blast-RADIUS). */
int cp_radius_encode_access(const struct cfg *cfg, const struct cp_radius_access *a,
			    uint8_t identifier, const uint8_t authenticator[], const char *secret,
			    struct cp_radius_request *request)
{
	static const uint8_t unsigned_yet[CP_RADIUS_AUTHENTICATOR];
	struct cp_radius_draft *draft = cp_radius_draft_new(CP_RADIUS_ACCESS_REQUEST);

	cp_radius_draft_octets(draft, CP_RADIUS_MESSAGE_AUTHENTICATOR, unsigned_yet,
			       sizeof(unsigned_yet));
	cp_radius_draft_text(draft, CP_RADIUS_USER_NAME, a->name);
	cp_radius_draft_password(draft, a->password);
	cp_radius_draft_integer(draft, CP_RADIUS_SERVICE_TYPE, SERVICE_FRAMED);
	cp_radius_draft_integer(draft, CP_RADIUS_FRAMED_PROTOCOL, FRAMED_PPP);
	add_nas(draft, cfg);
	add_line(draft, cfg, a->access_port, a->pppoe_session, a->mac);
	return cp_radius_draft_finish(draft, identifier, authenticator, secret, request);
}

/* ---- Accounting-Request ---- */

/* What does not fit is the greatest that does. */
static uint32_t fit(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Low half and Gigawords (RFC 2869 sections 5.1, 5.2). */
static void add_octets(struct cp_radius_draft *draft, enum cp_radius_type low,
		       enum cp_radius_type gigawords, uint64_t octets)
{
	cp_radius_draft_integer(draft, low, (uint32_t)octets);
	cp_radius_draft_integer(draft, gigawords, (uint32_t)(octets >> 32));
}

/* Of those types that end something, or tell how it goes. Input: from the subscriber (RFC 2866 section 5.3). */
static void add_counts(struct cp_radius_draft *draft, const struct lc_account *a)
{
	bool ends = a->status_type == STATUS_STOP || a->status_type == STATUS_TUNNEL_STOP ||
		    a->status_type == STATUS_LINK_STOP;

	if (!ends && a->status_type != STATUS_INTERIM)
		return;
	if (a->began != 0 && a->when >= a->began)
		cp_radius_draft_integer(draft, CP_RADIUS_ACCT_SESSION_TIME,
					fit((a->when - a->began) / 1000));
	add_octets(draft, CP_RADIUS_ACCT_INPUT_OCTETS, CP_RADIUS_ACCT_INPUT_GIGAWORDS,
		   a->in_octets);
	add_octets(draft, CP_RADIUS_ACCT_OUTPUT_OCTETS, CP_RADIUS_ACCT_OUTPUT_GIGAWORDS,
		   a->out_octets);
	cp_radius_draft_integer(draft, CP_RADIUS_ACCT_INPUT_PACKETS, fit(a->in_packets));
	cp_radius_draft_integer(draft, CP_RADIUS_ACCT_OUTPUT_PACKETS, fit(a->out_packets));
	if (ends) /* RFC 2867 section 4.2 */
		cp_radius_draft_integer(draft, CP_RADIUS_ACCT_TUNNEL_PACKETS_LOST, fit(a->lost));
}

static void add_endpoint(struct cp_radius_draft *draft, enum cp_radius_type type, uint32_t address)
{
	if (address != 0)
		cp_radius_draft_text(draft, type, cp_radius_address_name(address, 0));
}

/* A string of a record, NUL or not. */
static void add_name(struct cp_radius_draft *draft, enum cp_radius_type type, const char *name,
		     size_t size)
{
	cp_radius_draft_octets(draft, type, name, strnlen(name, size));
}

/* RFC 2868, of one tunnel: the tag is not used. The client is the LAC. */
static void add_tunnel(struct cp_radius_draft *draft, const struct lc_account *a)
{
	bool lac = a->role == LC_ROLE_LAC;
	char connection[16];

	cp_radius_draft_integer(draft, CP_RADIUS_TUNNEL_TYPE, TUNNEL_L2TP);
	cp_radius_draft_integer(draft, CP_RADIUS_TUNNEL_MEDIUM_TYPE, MEDIUM_IPV4);
	add_endpoint(draft, CP_RADIUS_TUNNEL_CLIENT_ENDPOINT,
		     lac ? a->local_address : a->peer_address);
	add_endpoint(draft, CP_RADIUS_TUNNEL_SERVER_ENDPOINT,
		     lac ? a->peer_address : a->local_address);
	add_name(draft, CP_RADIUS_TUNNEL_CLIENT_AUTH_ID, lac ? a->local_host : a->peer_host,
		 LC_NAME);
	add_name(draft, CP_RADIUS_TUNNEL_SERVER_AUTH_ID, lac ? a->peer_host : a->local_host,
		 LC_NAME);
	add_name(draft, CP_RADIUS_TUNNEL_ASSIGNMENT_ID, a->assignment, LC_NAME);
	add_name(draft, CP_RADIUS_TUNNEL_PRIVATE_GROUP_ID, a->group, LC_GROUP);
	/* What both ends know of a call; of a tunnel, its ID here (RFC 2867 section 4.1: as we like). */
	snprintf(connection, sizeof(connection), "%" PRIu32,
		 a->slot != LC_NO_SLOT ? a->call_serial : a->tunnel_id);
	cp_radius_draft_text(draft, CP_RADIUS_ACCT_TUNNEL_CONNECTION, connection);
}

int cp_radius_encode_account(const struct cfg *cfg, uint64_t realtime_ms,
			     const struct lc_account *a, uint8_t identifier, const char *secret,
			     struct cp_radius_request *request)
{
	struct cp_radius_draft *draft = cp_radius_draft_new(CP_RADIUS_ACCOUNTING_REQUEST);
	char id[40];

	cp_radius_draft_integer(draft, CP_RADIUS_ACCT_STATUS_TYPE, a->status_type);
	/* accounting_id is unique until the next cold start, which has another realtime_ms. */
	snprintf(id, sizeof(id), "%011" PRIX64 "-%08" PRIX64, realtime_ms, a->accounting_id);
	cp_radius_draft_text(draft, CP_RADIUS_ACCT_SESSION_ID, id);
	cp_radius_draft_integer(draft, CP_RADIUS_EVENT_TIMESTAMP,
				(uint32_t)((realtime_ms + a->when) / 1000));
	add_nas(draft, cfg);
	if (a->slot != LC_NO_SLOT) {
		add_name(draft, CP_RADIUS_USER_NAME, a->name, LC_NAME);
		cp_radius_draft_integer(draft, CP_RADIUS_SERVICE_TYPE, SERVICE_FRAMED);
		cp_radius_draft_integer(draft, CP_RADIUS_FRAMED_PROTOCOL, FRAMED_PPP);
		if (a->role == LC_ROLE_LAC)
			add_line(draft, cfg, a->access_port, a->pppoe_session, a->mac);
		cp_radius_draft_address(draft, CP_RADIUS_FRAMED_IP_ADDRESS, a->ipv4);
		cp_radius_draft_octets(draft, CP_RADIUS_CLASS, a->class,
				       a->class_length <= LC_CLASS ? a->class_length : LC_CLASS);
	}
	add_tunnel(draft, a);
	add_counts(draft, a);
	if (a->cause != 0)
		cp_radius_draft_integer(draft, CP_RADIUS_ACCT_TERMINATE_CAUSE, a->cause);
	return cp_radius_draft_finish(draft, identifier, NULL, secret, request);
}
