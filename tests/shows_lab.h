/* SPDX-License-Identifier: BSD-3-Clause */
/* A manage_lab.h with destination profiles, domain maps and RADIUS servers, for the shows of them. */
#pragma once

#include "manage_lab.h"

static const char shows_configuration[] =
    "{'chassis': {'name': '%s', 'runtime_directory': '%s'},"
    " 'limits': {'tunnels': 16, 'sessions': 1024, 'message_buffers': 64},"
    " 'slots': ["
    "  {'slot': 0, 'module': 'ge', 'ports': [{'name': 'peer0', 'device': 'net_null0', 'facing': "
    "'peer', 'address': '10.1.0.254/24', 'gateway': '10.1.0.253'}]},"
    "  {'slot': 3, 'module': 'ct1', 'ports': [{'name': 'peer1', 'device': 'net_null1', 'facing': "
    "'peer', 'address': '10.3.0.254/24'}, {'name': 'access0', 'interface': 'eth3.7', 'facing': "
    "'access', 'encapsulation': 'frame-relay', 'rate_kbps': 768}]}],"
    " 'l2tp': {'host_name': 'lns', 'hello_interval': 30, 'lockout': 120, 'tunnel_idle': 0,"
    "  'destination_profiles': ["
    "   {'name': 'profile-0', 'address': '10.1.0.1/32', 'remote_hosts': ["
    "    {'name': 'lac-0', 'password': 'hush', 'failover_resync': 'silent-failover',"
    "     'retransmission': {'established': 7}}, {'name': '*'}]},"
    "   {'name': 'profile-1', 'address': '10.1.0.2/32', 'remote_hosts': [{'name': '*'}]}]},"
    " 'aaa': {'domain_maps': ["
    "  {'name': 'Isp.example', 'authentication': 'radius', 'strip_domain': true, 'tunnels': ["
    "   {'tunnel': 5, 'remote': '10.1.0.9', 'identification': 'blue', 'server_name': 'lns-9'},"
    "   {'tunnel': 2, 'preference': 1, 'remote': '192.0.2.1', 'failover_resync': 'disable'},"
    "   {'tunnel': 3, 'preference': 1, 'remote': '10.3.0.2', 'port': 'peer1'}]},"
    "  {'name': 'default'}]},"
    " 'radius': {'authentication_servers': [{'address': '127.0.0.1', 'secret': 'hush'}],"
    "  'accounting_servers': [{'address': '127.0.0.2', 'secret': 'hush', 'port': 1999}]}}";

/* Tunnel n of the rig, from 0. */
static inline struct lc_tunnel *shows_tunnel(unsigned n)
{
	uint32_t slot = lc_map_next(fix.mirror.tunnel_map, fix.mirror.tunnel_mask + 1, 1);

	while (n-- > 0)
		slot = lc_map_next(fix.mirror.tunnel_map, fix.mirror.tunnel_mask + 1, slot + 1);
	return &fix.mirror.tunnels[slot];
}

/* Tunnel n becomes a LAC's, of a domain map. */
static inline void shows_dial(unsigned n, enum lc_tunnel_origin origin, uint8_t number)
{
	struct lc_tunnel *t = shows_tunnel(n);

	t->role = LC_ROLE_LAC;
	t->origin = (uint8_t)origin;
	t->domain_tunnel = number;
	t->method_scope = origin == LC_ORIGIN_RADIUS ? CFG_SCOPE_RADIUS : CFG_SCOPE_DOMAIN_MAP;
	snprintf(t->profile, sizeof(t->profile), "isp.example");
	snprintf(t->assignment, sizeof(t->assignment), "blue");
	snprintf(t->server_host, sizeof(t->server_host), "lns-9");
}

/* A line of the history as a control plane would have written it. */
static inline void shows_line(uint32_t life, uint16_t tunnel, enum lc_outcome outcome,
			      uint64_t when, const char *reason)
{
	uint64_t number = ++fix.mirror.header->history_number;
	struct lc_history *line = &fix.mirror.history[number % fix.mirror.header->geometry.history];

	*line = (struct lc_history){.number = number,
				    .when = when,
				    .life = life,
				    .took_ms = 1234,
				    .peer_address = 0x0a010001,
				    .tunnel_id = tunnel,
				    .method = outcome == LC_OUTCOME_SILENT
						  ? CFG_METHOD_SILENT_FAILOVER
						  : CFG_METHOD_FAILOVER_PROTOCOL,
				    .outcome = (uint8_t)outcome,
				    .sessions_before = 200,
				    .sessions_after = 199,
				    .n_queried = 200,
				    .n_confirmed = 199,
				    .n_cleared = 1,
				    .role = LC_ROLE_LNS};
	snprintf(line->peer_host, sizeof(line->peer_host), "lac-0");
	snprintf(line->reason, sizeof(line->reason), "%s", reason);
}

static inline void shows_start(uint32_t life, uint32_t tunnels, uint64_t began)
{
	fix.mirror.starts[life % LC_STARTS] = (struct lc_start){
	    .life = life, .tunnels = tunnels, .sessions = 600, .began = began, .ready = began + 85};
	fix.mirror.header->control.starts = life;
	fix.mirror.header->control.pid = (uint64_t)getpid();
}

/* Three starts: cold, one that found two tunnels, one that found none. */
static inline void shows_history(void)
{
	uint64_t now = now_ms(NULL);

	shows_start(1, 0, now - 60000);
	shows_start(2, 2, now - 30000);
	shows_line(2, 7, LC_OUTCOME_SILENT, now - 30000, "");
	shows_line(2, 8, LC_OUTCOME_FAILED, now - 28766, "the peer does not answer");
	shows_start(3, 0, now - 12000);
}

static inline json_t *shows_radius(void *context)
{
	return json_pack("{s:[{s:s, s:s, s:i, s:s, s:{s:i, s:i}, s:{s:i, s:i, s:i}}], s:{s:i}}",
			 "servers", "kind", "authentication", "address", "127.0.0.1", "port", 1812,
			 "state", "dead", "counters", "requests", 12, "timeouts", 0,
			 "round_trip_us", "min", 300, "mean", 1500, "max", 20400, "counters",
			 "unanswered", 3);
}

static inline int shows_locked_out(void *context, const struct cfg_domain_map *map,
				   const struct cfg_domain_tunnel *tunnel)
{
	return tunnel->number == 2;
}
