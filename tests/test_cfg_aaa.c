/* SPDX-License-Identifier: BSD-3-Clause */
/* AAA domain maps and RADIUS servers: what a good file becomes, and every kind of mistake in one. */
#include "cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ' stands for ". */
static const char base[] =
    "{'chassis': {'name': 'lac'}, 'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
    "  {'name': 'a', 'device': 'net_null0', 'facing': 'access'},"
    "  {'name': 'p', 'device': 'net_null1', 'facing': 'peer', 'address': '10.1.0.1/24'},"
    "  {'name': 'q', 'device': 'net_null2', 'facing': 'peer', 'address': '10.1.0.130/28'},"
    "  {'name': 'g', 'device': 'net_null3', 'facing': 'peer', 'address': '10.3.0.1/24',"
    "   'mtu': 1400, 'gateway': '10.3.0.254'}]}],"
    "'l2tp': {'host_name': 'lac', 'password': 'global', 'lockout': 30, 'tunnel_idle': 0},"
    "'radius': {'nas_identifier': 'nas', 'nas_address': '192.0.2.9', 'dead_time': 5,"
    "  'interim_interval': 60, 'link_accounting': true,"
    "  'authentication_servers': [{'address': '127.0.0.1', 'secret': 's1'},"
    "    {'address': '127.0.0.1', 'port': 1645, 'secret': 's2', 'timeout_ms': 500}],"
    "  'accounting_servers': [{'address': '192.0.2.8', 'secret': 's3', 'retransmit': 0}]},"
    "'aaa': {'domain_maps': [  {'name': 'Isp.Example', 'authentication': 'radius', 'strip_domain': true, 'tunnels': ["
    "    {'tunnel': 3, 'remote': '10.1.0.2'},"
    "    {'tunnel': 2, 'preference': 10, 'remote': '10.1.0.131', 'identification': 'i',"
    "     'server_name': 'lns', 'failover_resync': 'disable', 'password': 'own'},"
    "    {'tunnel': 1, 'remote': '203.0.113.1', 'port': 'g', 'max_sessions': 9}]},"
    "  {'name': 'none', 'tunnels': [{'tunnel': 1, 'remote': '10.1.0.7'}]}]},"
    "'subscribers': ["
    "  {'name': 'u{}@isp.example', 'count': 2, 'port': 'a', 'mac': '02:00:00:00:00:01',"
    "   'pppoe_session': 1, 'password': 'pw'},"
    "  {'name': 'plain', 'port': 'a', 'mac': '02:00:00:00:00:09', 'pppoe_session': 9}]}";

/* The base with the first `find` replaced. */
static struct cfg *parse(const char *find, const char *with, struct cfg_errors *errors)
{
	const char *at = strstr(base, find);
	char *text;
	struct cfg *cfg;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, with, at + strlen(find)) >
		    0);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	cfg = cfg_parse(text, strlen(text), "test.json", errors);
	free(text);
	return cfg;
}

static struct cfg *parse_good(const char *find, const char *with)
{
	struct cfg_errors errors;
	struct cfg *cfg = parse(find, with, &errors);

	cfg_errors_print(&errors, "test.json", stderr);
	assert_non_null(cfg);
	return cfg;
}

static void domain_maps(void **state)
{
	struct cfg *cfg = parse_good("", "");
	const struct cfg_domain_map *map = &cfg->domain_maps[0];
	const struct cfg_domain_tunnel *t = map->tunnels;

	assert_int_equal(cfg->n_domain_maps, 2);
	assert_int_equal(cfg->lockout_s, 30);
	assert_int_equal(cfg->tunnel_idle_s, 0);
	assert_int_equal(map->authentication, CFG_AUTHENTICATION_RADIUS);
	assert_true(map->strip_domain);
	assert_int_equal(map->n_tunnels, 3);
	/* By preference, then by number. */
	assert_int_equal(t[0].number, 2);
	assert_int_equal(t[0].preference, 10);
	assert_string_equal(t[0].identification, "i");
	assert_string_equal(t[0].server_name, "lns");
	assert_string_equal(t[0].policy.password, "own");
	assert_int_equal(t[0].policy.method, CFG_METHOD_DISABLE);
	assert_int_equal(t[0].policy.method_scope, CFG_SCOPE_DOMAIN_MAP);
	assert_int_equal(t[1].number, 1);
	assert_int_equal(t[1].preference, 2000);
	assert_int_equal(t[1].port, 3);
	assert_int_equal(t[1].policy.max_sessions, 9);
	assert_int_equal(t[2].number, 3);
	assert_int_equal(t[2].port, -1);
	assert_string_equal(t[2].identification, "");
	assert_string_equal(t[2].policy.password, "global");
	assert_int_equal(t[2].policy.method, CFG_METHOD_FALLBACK);
	assert_int_equal(t[2].policy.method_scope, CFG_SCOPE_GLOBAL);
	assert_int_equal(cfg->domain_maps[1].authentication, CFG_AUTHENTICATION_NONE);
	assert_int_equal(cfg->subscribers[0].tunnel, -1);
	assert_string_equal(cfg->subscribers[0].password, "pw");
	assert_string_equal(cfg->subscribers[1].password, "");
	cfg_free(cfg);
}

static void a_domain_map_is_found(void **state)
{
	struct cfg *cfg = parse_good("", "");
	struct cfg *with = parse_good("{'name': 'none'", "{'name': 'default'");

	assert_string_equal(cfg_find_domain_map(cfg, "u1@isp.example")->name, "Isp.Example");
	assert_string_equal(cfg_find_domain_map(cfg, "a@b@ISP.EXAMPLE")->name, "Isp.Example");
	assert_string_equal(cfg_find_domain_map(cfg, "plain")->name, "none");
	assert_null(cfg_find_domain_map(cfg, "u@isp.example.org"));
	assert_null(cfg_find_domain_map(cfg, "u@"));
	assert_string_equal(cfg_find_domain_map(with, "plain")->name, "default");
	assert_string_equal(cfg_find_domain_map(with, "u@elsewhere")->name, "default");
	cfg_free(cfg);
	cfg_free(with);
}

static void a_peer_port_is_found(void **state)
{
	struct cfg *cfg = parse_good("", "");

	assert_int_equal(cfg_find_peer_port(cfg, 0x0a010002), 1);
	assert_int_equal(cfg_find_peer_port(cfg, 0x0a010083), 2); /* the longer prefix */
	assert_int_equal(cfg_find_peer_port(cfg, 0x0a030007), 3);
	assert_int_equal(cfg_find_peer_port(cfg, 0xc0000201), 3); /* by the gateway */
	cfg->n_ports = 3;
	assert_int_equal(cfg_find_peer_port(cfg, 0xc0000201), -1);
	cfg->n_ports = 4;
	cfg_free(cfg);
}

static void radius(void **state)
{
	struct cfg *cfg = parse_good("", "");
	const struct cfg_radius *r = &cfg->radius;
	struct cfg *none = parse_good("'interim_interval': 60", "'interim_interval': 0");

	assert_string_equal(r->nas_identifier, "nas");
	assert_int_equal(r->nas_address, 0xc0000209);
	assert_int_equal(r->source_address, 0);
	assert_int_equal(r->dead_time_s, 5);
	assert_int_equal(r->interim_interval_s, 60);
	assert_true(r->session_accounting && r->tunnel_accounting && r->link_accounting);
	assert_int_equal(r->n_authentication, 2);
	assert_int_equal(r->authentication[0].address, 0x7f000001);
	assert_int_equal(r->authentication[0].port, 1812);
	assert_int_equal(r->authentication[0].timeout_ms, 3000);
	assert_int_equal(r->authentication[0].retransmit, 3);
	assert_int_equal(r->authentication[1].port, 1645);
	assert_string_equal(r->authentication[1].secret, "s2");
	assert_int_equal(r->authentication[1].timeout_ms, 500);
	assert_int_equal(r->n_accounting, 1);
	assert_int_equal(r->accounting[0].port, 1813);
	assert_int_equal(r->accounting[0].retransmit, 0);
	assert_int_equal(none->radius.interim_interval_s, 0);
	cfg_free(cfg);
	cfg_free(none);
}

static void mistakes(void **state)
{
	static const struct {
		const char *find, *with, *path, *text;
	} list[] = {
	    {"[  {'name': 'Isp.Example'", "[{'name': 'NONE'}, {'name': 'Isp.Example'",
	     "aaa.domain_maps[2].name", "another map's"},
	    {"'authentication': 'radius'", "'authentication': 'maybe'",
	     "aaa.domain_maps[0].authentication", "none or radius"},
	    {"'tunnel': 3", "'tunnel': 2", "aaa.domain_maps[0].tunnels[1].tunnel", "2 is another"},
	    {"'tunnel': 3", "'tunnel': 32", "aaa.domain_maps[0].tunnels[0].tunnel", "1..31"},
	    {"'preference': 10", "'preference': 2001", "aaa.domain_maps[0].tunnels[1].preference",
	     "0..2000"},
	    {"'port': 'g'", "'port': 'a'", "aaa.domain_maps[0].tunnels[2].port", "faces access"},
	    {"'port': 'g'", "'port': 'p'", "aaa.domain_maps[0].tunnels[2].remote",
	     "not on the link of port \"p\""},
	    {"'remote': '10.1.0.7'", "'remote': '10.1.0.1'", "aaa.domain_maps[1].tunnels[0].remote",
	     "our own address"},
	    {"{'tunnel': 1, 'remote': '10.1.0.7'}", "{'tunnel': 1}",
	     "aaa.domain_maps[1].tunnels[0].remote", "is missing"},
	    {"'failover_resync': 'disable'", "'failover_resync': 'none'",
	     "aaa.domain_maps[0].tunnels[1].failover_resync", "silent-failover"},
	    {"'port': 1645", "'port': 1812", "radius.authentication_servers[1].address",
	     "authentication_servers[0] already"},
	    {"'secret': 's1'", "'secret': ''", "radius.authentication_servers[0].secret", "1..255"},
	    {"'address': '127.0.0.1', 'secret'", "'address': '0.0.0.0', 'secret'",
	     "radius.authentication_servers[0].address", "unicast or loopback"},
	    {"'interim_interval': 60", "'interim_interval': 59", "radius.interim_interval",
	     "60 at least"},
	    {"'nas_address': '192.0.2.9'", "'nas_address': '127.0.0.1'", "radius.nas_address",
	     "unicast"},
	    {"'name': 'u{}@isp.example'", "'name': 'u{}@isp'", "subscribers[0].tunnel",
	     "no domain map is for \"u{}@isp\""},
	    {"'lockout': 30", "'lockout': 0", "l2tp.lockout", "1..86400"},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct cfg_errors errors;
		struct cfg *cfg = parse(list[i].find, list[i].with, &errors);

		if (cfg || errors.count != 1 || strcmp(errors.list[0].path, list[i].path) != 0 ||
		    !strstr(errors.list[0].text, list[i].text)) {
			cfg_errors_print(&errors, "test.json", stderr);
			fail_msg("with %s, expected one complaint: %s: %s", list[i].with,
				 list[i].path, list[i].text);
		}
		cfg_errors_free(&errors);
	}
}

static void somebody_must_be_asked(void **state)
{
	struct cfg_errors errors;

	assert_null(parse("'authentication_servers': [{'address': '127.0.0.1', 'secret': 's1'},"
			  "    {'address': '127.0.0.1', 'port': 1645, 'secret': 's2', "
			  "'timeout_ms': 500}],",
			  "", &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].path, "aaa.domain_maps[0].authentication");
	assert_non_null(strstr(errors.list[0].text, "there is no server to ask"));
	cfg_errors_free(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(domain_maps),
	    cmocka_unit_test(a_domain_map_is_found),
	    cmocka_unit_test(a_peer_port_is_found),
	    cmocka_unit_test(radius),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(somebody_must_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
