/* SPDX-License-Identifier: BSD-3-Clause */
/* What an Access-Accept comes to: a tunnel with something wrong in it is left out whole, an attribute outside of tunnels
 * alone, and each is counted and said. */
#include "cp_radius_accept.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* ---- tunnels ---- */

/* 0, or what is wrong with it. */
static enum cp_radius_counter read_endpoint(const char *text, uint32_t *address)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return CP_RADIUS_TUNNEL_NO_LITERAL;
	*address = ntohl(in.s_addr);
	if (*address >> 24 == 0 || *address >> 24 == 127 || *address >> 28 >= 14)
		return CP_RADIUS_TUNNEL_NO_UNICAST;
	return 0;
}

/* 0: it can be used. No Tunnel-Medium-Type: the endpoints say that it is IPv4. */
static enum cp_radius_counter check_set(struct set *set)
{
	if (set->wrong != 0)
		return set->wrong;
	if (!set->type.there || set->type.value != TUNNEL_L2TP)
		return CP_RADIUS_TUNNEL_TYPE_UNUSABLE;
	if (set->medium.there && set->medium.value != MEDIUM_IPV4)
		return CP_RADIUS_TUNNEL_MEDIUM_UNUSABLE;
	if (set->server[0] == 0)
		return CP_RADIUS_TUNNEL_NO_SERVER;
	enum cp_radius_counter why = read_endpoint(set->server, &set->tunnel.server);
	if (why == 0 && set->client[0] != 0)
		why = read_endpoint(set->client, &set->tunnel.client);
	if (set->preference.there)
		set->tunnel.preference = set->preference.value;
	return why;
}

static const char *complaint(enum cp_radius_counter why)
{
	static const char *const texts[CP_RADIUS_N_COUNTERS] = {
	    [CP_RADIUS_TUNNEL_TYPE_UNUSABLE] = "Tunnel-Type must be L2TP (3)",
	    [CP_RADIUS_TUNNEL_MEDIUM_UNUSABLE] = "Tunnel-Medium-Type must be IPv4 (1)",
	    [CP_RADIUS_TUNNEL_NO_SERVER] = "it has no Tunnel-Server-Endpoint",
	    [CP_RADIUS_TUNNEL_NO_LITERAL] =
		"an endpoint must be an IPv4 address in dotted decimals: names are not resolved",
	    [CP_RADIUS_TUNNEL_NO_UNICAST] = "an endpoint is no unicast address",
	    [CP_RADIUS_TUNNEL_OVERLONG] =
		"a name is longer than 63 octets (a Tunnel-Private-Group-ID: 31)",
	    [CP_RADIUS_TUNNEL_MALFORMED] =
		"an attribute is malformed: its length, a character that is not printable ASCII, or "
		"a Tunnel-Password that cannot be decrypted",
	    [CP_RADIUS_TUNNEL_CONTRADICTORY] = "an attribute comes twice, with two values",
	    [CP_RADIUS_TUNNEL_TOO_MANY] = "there are more than 31",
	};
	return texts[why];
}

static void finish_tunnels(struct cp_radius *radius, struct cp_radius_accept *accept,
			   const char *name, struct cp_authorization *answer)
{
	enum { LINES = 4 };

	for (unsigned i = 0; i < accept->n_sets; i++) {
		struct set *set = &accept->sets[accept->order[i]];
		enum cp_radius_counter why = check_set(set);

		if (why == 0 && answer->n_tunnels == CP_MAX_AUTHORIZED)
			why = CP_RADIUS_TUNNEL_TOO_MANY;
		if (why == 0) {
			answer->tunnels[answer->n_tunnels++] = set->tunnel;
			continue;
		}
		radius->statistics.counters[why]++;
		cp_radius_log_some(radius, &radius->gates[why], LINES, CP_LOG_WARNING,
				   "RADIUS: %s: the tunnel with tag %u is not used: %s", name,
				   set->tunnel.tag, complaint(why));
	}
	if (accept->n_sets != 0 && answer->n_tunnels == 0)
		answer->outcome = CP_ACCESS_UNUSABLE;
}

/* ---- the rest ---- */

static void say_invalid(struct cp_radius *radius, enum cp_radius_counter counter, const char *name,
			const char *attribute, const struct number *n, const char *right)
{
	enum { LINES = 4 };
	char value[48];

	if (n->broken)
		snprintf(value, sizeof(value), "is malformed (%zu octets)", n->length);
	else if (n->contradictory)
		snprintf(value, sizeof(value), "comes twice, with two values");
	else
		snprintf(value, sizeof(value), "is %u", n->value);
	radius->statistics.counters[counter]++;
	cp_radius_log_some(radius, &radius->gates[counter], LINES, CP_LOG_WARNING,
			   "RADIUS: %s: %s %s: ignored, as if it were not there; it must be %s",
			   name, attribute, value, right);
}

static void finish_method(struct cp_radius *radius, const struct cp_radius_accept *accept,
			  const char *name, struct cp_authorization *answer)
{
	static const enum cfg_method methods[] = {
	    CFG_METHOD_DISABLE,
	    CFG_METHOD_FAILOVER_PROTOCOL,
	    CFG_METHOD_SILENT_FAILOVER,
	    CFG_METHOD_FALLBACK,
	};
	const struct number *n = &accept->method;

	if (!n->there)
		return;
	if (!n->broken && !n->contradictory && n->value < sizeof(methods) / sizeof(methods[0]))
		answer->method = methods[n->value];
	else
		say_invalid(
		    radius, CP_RADIUS_INVALID_RESYNCH_METHOD, name,
		    "ERX-L2TP-Resynch-Method (26-90)", n,
		    "0 (disable), 1 (failover protocol), 2 (silent failover) or 3 (failover "
		    "protocol with silent failover as backup)");
}

void cp_radius_accept_finish(struct cp_radius *radius, struct cp_radius_accept *accept,
			     const char *name, struct cp_authorization *answer)
{
	const struct number *max = &accept->max_sessions;

	*answer = (struct cp_authorization){.outcome = CP_ACCESS_ACCEPTED};
	finish_method(radius, accept, name, answer);
	if (max->there && (max->broken || max->contradictory))
		say_invalid(radius, CP_RADIUS_INVALID_MAXIMUM_SESSIONS, name,
			    "ERX-Tunnel-Maximum-Sessions (26-33)", max, "one integer");
	else if (max->there)
		answer->max_sessions = max->value;
	if (accept->class_lost) {
		radius->statistics.counters[CP_RADIUS_OVERLONG_CLASS]++;
		cp_radius_log_some(radius, &radius->gates[CP_RADIUS_OVERLONG_CLASS], 1,
				   CP_LOG_WARNING,
				   "RADIUS: %s: a Class is not kept: there is room for one of %d "
				   "octets",
				   name, LC_CLASS);
	}
	memcpy(answer->class, accept->class, accept->class_length);
	answer->class_length = accept->class_length;
	finish_tunnels(radius, accept, name, answer);
}
