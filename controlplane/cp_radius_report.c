/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_radius_internal.h"

#include <stdio.h>

const char *const cp_radius_server_counter_names[CP_RADIUS_N_SERVER_COUNTERS] = {
    [CP_RADIUS_REQUESTS] = "requests",
    [CP_RADIUS_RETRANSMISSIONS] = "retransmissions",
    [CP_RADIUS_ACCEPTS] = "accepts",
    [CP_RADIUS_REJECTS] = "rejects",
    [CP_RADIUS_CHALLENGES] = "challenges",
    [CP_RADIUS_RESPONSES] = "accounting_responses",
    [CP_RADIUS_TIMEOUTS] = "timeouts",
    [CP_RADIUS_BAD_AUTHENTICATORS] = "bad_authenticators",
    [CP_RADIUS_NO_MESSAGE_AUTHENTICATOR] = "no_message_authenticator",
    [CP_RADIUS_MALFORMED_ANSWERS] = "malformed",
    [CP_RADIUS_LATE] = "late_or_unasked",
    [CP_RADIUS_DEATHS] = "deaths",
    [CP_RADIUS_ICMP_ERRORS] = "icmp_errors",
    [CP_RADIUS_SEND_FAILURES] = "send_failures",
};

const char *const cp_radius_counter_names[CP_RADIUS_N_COUNTERS] = {
    [CP_RADIUS_UNANSWERED] = "unanswered_by_all",
    [CP_RADIUS_UNKNOWN_SOURCE] = "unknown_source",
    [CP_RADIUS_INVALID_RESYNCH_METHOD] = "invalid_resynch_method",
    [CP_RADIUS_INVALID_MAXIMUM_SESSIONS] = "invalid_maximum_sessions",
    [CP_RADIUS_OVERLONG_CLASS] = "overlong_class",
    [CP_RADIUS_TUNNEL_TYPE_UNUSABLE] = "tunnel_type",
    [CP_RADIUS_TUNNEL_MEDIUM_UNUSABLE] = "tunnel_medium",
    [CP_RADIUS_TUNNEL_NO_SERVER] = "tunnel_without_server",
    [CP_RADIUS_TUNNEL_NO_LITERAL] = "tunnel_endpoint_no_ipv4_address",
    [CP_RADIUS_TUNNEL_NO_UNICAST] = "tunnel_endpoint_no_unicast",
    [CP_RADIUS_TUNNEL_OVERLONG] = "tunnel_overlong",
    [CP_RADIUS_TUNNEL_MALFORMED] = "tunnel_malformed",
    [CP_RADIUS_TUNNEL_CONTRADICTORY] = "tunnel_contradictory",
    [CP_RADIUS_TUNNEL_TOO_MANY] = "tunnel_too_many",
};

const char *cp_radius_status_type_name(unsigned type)
{
	static const char *const names[CP_RADIUS_STATUS_TYPES] = {
	    [1] = "start",
	    [2] = "stop",
	    [3] = "interim_update",
	    [9] = "tunnel_start",
	    [10] = "tunnel_stop",
	    [11] = "tunnel_reject",
	    [12] = "tunnel_link_start",
	    [13] = "tunnel_link_stop",
	    [14] = "tunnel_link_reject",
	};
	return type < CP_RADIUS_STATUS_TYPES ? names[type] : NULL;
}

void cp_radius_log(const struct cp_radius *radius, enum cp_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	radius->world.log(radius->world.context, level, format, arguments);
	va_end(arguments);
}

void cp_radius_log_some(const struct cp_radius *radius, struct cp_radius_gate *gate, unsigned lines,
			enum cp_log_level level, const char *format, ...)
{
	enum { MINUTE = 60000 };
	uint64_t now = cp_radius_now(radius);
	unsigned held_back = 0;
	char text[384];
	va_list arguments;

	if (gate->began == 0 || now + 1 - gate->began >= MINUTE) {
		held_back = gate->held_back;
		*gate = (struct cp_radius_gate){.began = now + 1};
	}
	if (gate->lines >= lines) {
		gate->held_back++;
		return;
	}
	gate->lines++;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (held_back != 0)
		cp_radius_log(radius, level, "%s (%u more like it were not said)", text, held_back);
	else
		cp_radius_log(radius, level, "%s", text);
}

const char *cp_radius_address_name(uint32_t address, uint16_t port)
{
	static char texts[4][24];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	snprintf(text, sizeof(texts[0]), port != 0 ? "%u.%u.%u.%u:%u" : "%u.%u.%u.%u",
		 address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255, port);
	return text;
}

const char *cp_radius_server_name(const struct cp_radius_server *server)
{
	static char texts[4][64];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	snprintf(text, sizeof(texts[0]), "RADIUS %s server %s",
		 server->kind == CP_RADIUS_AUTHENTICATION ? "authentication" : "accounting",
		 cp_radius_address_name(server->cfg.address, server->cfg.port));
	return text;
}

char *cp_radius_printable(char *out, size_t size, const uint8_t *octets, size_t length)
{
	size_t n = 0;

	for (; n < length && n + 1 < size; n++)
		out[n] = octets[n] >= 0x20 && octets[n] < 0x7f ? (char)octets[n] : '?';
	out[n] = 0;
	return out;
}
