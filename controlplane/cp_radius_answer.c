/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes back for a request. */
#include "cp_radius_internal.h"

#include <string.h>

static void measure(struct cp_radius *radius, struct cp_radius_server *server,
		    const struct cp_radius_exchange *x)
{
	struct cp_radius_server_statistics *s = &server->statistics;
	uint64_t took = cp_radius_now(radius) - x->sent;

	if (x->tries != 1 || x->resumed)
		return; /* whose answer it is, nobody knows */
	if (s->round_trips++ == 0 || took < s->round_trip_min)
		s->round_trip_min = took;
	if (took > s->round_trip_max)
		s->round_trip_max = took;
	server->round_trips += took;
}

static void answer_access(struct cp_radius *radius, uint16_t number, enum cp_radius_code code,
			  struct cp_radius_accept *accept)
{
	const char *name = radius->exchanges[number].access.name;
	struct cp_authorization answer = {.outcome = CP_ACCESS_REJECTED};

	if (code == CP_RADIUS_ACCESS_ACCEPT)
		cp_radius_accept_finish(radius, accept, name, &answer);
	else
		cp_radius_log_some(radius, &radius->reject_gate, 10, CP_LOG_INFO,
				   "RADIUS: %s is rejected%s: \"%s\"", name,
				   code == CP_RADIUS_ACCESS_CHALLENGE
				       ? " (challenged, and nobody is there to answer)"
				       : "",
				   cp_radius_accept_message(accept));
	cp_radius_exchange_authorized(radius, number, &answer);
}

static void take_good(struct cp_radius *radius, struct cp_radius_server *server, uint16_t number,
		      enum cp_radius_code code, struct cp_radius_accept *accept)
{
	static const enum cp_radius_server_counter counters[] = {
	    [CP_RADIUS_ACCESS_ACCEPT] = CP_RADIUS_ACCEPTS,
	    [CP_RADIUS_ACCESS_REJECT] = CP_RADIUS_REJECTS,
	    [CP_RADIUS_ACCESS_CHALLENGE] = CP_RADIUS_CHALLENGES,
	    [CP_RADIUS_ACCOUNTING_RESPONSE] = CP_RADIUS_RESPONSES,
	};

	server->statistics.counters[counters[code]]++;
	measure(radius, server, &radius->exchanges[number]);
	cp_radius_server_answered(radius, server);
	if (cp_radius_kind(number) == CP_RADIUS_ACCOUNTING)
		cp_radius_exchange_accounted(radius, number, true);
	else
		answer_access(radius, number, code, accept);
}

void cp_radius_exchange_answer(struct cp_radius *radius, struct cp_radius_server *server,
			       const uint8_t *octets, size_t length)
{
	uint16_t number = length >= CP_RADIUS_HEADER ? server->by_identifier[octets[1]] : 0;
	struct cp_radius_accept *accept;

	if (length < CP_RADIUS_HEADER) {
		cp_radius_server_oddity(radius, server, CP_RADIUS_ODD_MALFORMED, "it is too short");
		return;
	}
	if (number == CP_RADIUS_NONE) {
		server->statistics.counters[CP_RADIUS_LATE]++;
		return;
	}
	accept = cp_radius_accept_new();
	if (accept == NULL)
		return; /* it is lost, and will be asked for again */
	switch (cp_radius_packet_read(&radius->exchanges[number].request, server->secret, octets,
				      length, cp_radius_accept_show, accept)) {
	case CP_RADIUS_GOOD:
		take_good(radius, server, number, octets[0], accept);
		break;
	case CP_RADIUS_MALFORMED:
		cp_radius_server_oddity(radius, server, CP_RADIUS_ODD_MALFORMED, NULL);
		break;
	case CP_RADIUS_UNSIGNED:
		cp_radius_server_oddity(radius, server, CP_RADIUS_ODD_UNSIGNED, NULL);
		break;
	case CP_RADIUS_FORGED:
		cp_radius_server_oddity(radius, server, CP_RADIUS_ODD_FORGED, NULL);
		break;
	}
	cp_radius_accept_free(accept);
}

void cp_radius_exchange_refused(struct cp_radius *radius, struct cp_radius_server *server,
				const uint8_t *octets, size_t length)
{
	enum { SHARE = 10 }; /* of the timeout is left */
	uint16_t number =
	    length >= CP_RADIUS_HEADER ? server->by_identifier[octets[1]] : CP_RADIUS_NONE;
	uint64_t soon = cp_radius_now(radius) + server->cfg.timeout_ms / SHARE;

	if (number == CP_RADIUS_NONE ||
	    memcmp(radius->exchanges[number].request.octets, octets, CP_RADIUS_HEADER) != 0)
		return;
	server->statistics.counters[CP_RADIUS_ICMP_ERRORS]++;
	if (radius->exchanges[number].deadline > soon)
		cp_radius_exchange_deadline(radius, number, soon);
}
