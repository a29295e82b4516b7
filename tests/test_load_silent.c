/* SPDX-License-Identifier: BSD-3-Clause */
/* Silent failover where the module under a peer-facing port does not support it: every scope, method, module and way to
 * the port. The expected texts are written out, but for the module's name. */
#include "load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const modules[] = {"e3-atm", "ct1", "oc3-atm", "oc12-atm",
				      "fe",     "ge",  "ge-2",    "10ge"};
enum { N_WITHOUT = 2 }; /* the first of them */

static const char *const methods[] = {"null", "'disable'", "'failover-protocol'",
				      "'silent-failover'",
				      "'failover-protocol-fallback-to-silent-failover'"};
enum { SILENT = 3 };

/* Parts of a configuration. Port odd (10.3.0.1/24) is in slot 3, on the module; port good (10.1.0.1/24) in slot 1, on
 * ge. */
struct parts {
	const char *module;
	const char *facing; /* of port odd */
	bool odd_gateway, good_gateway;
	const char *l2tp; /* further members */
	const char *aaa;  /* domain maps */
};

enum { TEXT = 4096 };

static void write_text(char text[TEXT], const struct parts *parts)
{
	bool access = strcmp(parts->facing, "access") == 0;
	int length = snprintf(
	    text, TEXT,
	    "{'chassis': {'name': 'x'}, 'slots': [{'slot': 1, 'module': 'ge', 'ports': [{'name': "
	    "'good', 'device': 'net_null0', 'facing': 'peer', 'address': '10.1.0.1/24'%s}]}, "
	    "{'slot': 3, 'module': '%s', 'ports': [{'name': 'odd', 'device': 'net_null1', "
	    "'facing': '%s'%s%s}]}], 'l2tp': {'host_name': 'x'%s}, 'aaa': {'domain_maps': [%s]}, "
	    "'radius': {'authentication_servers': [{'address': '127.0.0.1', 'secret': 's'}]}}",
	    parts->good_gateway ? ", 'gateway': '10.1.0.254'" : "", parts->module, parts->facing,
	    access ? "" : ", 'address': '10.3.0.1/24'",
	    parts->odd_gateway ? ", 'gateway': '10.3.0.254'" : "", parts->l2tp, parts->aaa);

	assert_in_range(length, 1, TEXT - 1);
	for (char *at = text; (at = strchr(at, '\''));)
		*at = '"';
}

static void check(const struct parts *parts, const char *path, const char *complaint)
{
	struct cfg_errors errors, none;
	char text[TEXT], expected[1024];
	struct cfg *cfg;

	write_text(text, parts);
	cfg = cfg_parse(text, strlen(text), "test.json", &none);
	if (!cfg)
		fail_msg("%s: %s\n%s", none.list[0].path, none.list[0].text, text);
	errors = (struct cfg_errors){0};
	load_check_modules(cfg, &errors);
	if (errors.count != (path != NULL))
		fail_msg("%zu complaints: %s\n%s", errors.count,
			 errors.count ? errors.list[0].text : "", text);
	if (path) {
		snprintf(expected, sizeof(expected),
			 "%s port \"odd\" in slot 3, whose module %s has no silent failover when "
			 "it faces a peer: use \"failover-protocol\", "
			 "\"failover-protocol-fallback-to-silent-failover\" (which does not fall "
			 "back there) or \"disable\", or another module",
			 complaint, parts->module);
		assert_string_equal(errors.list[0].path, path);
		assert_string_equal(errors.list[0].text, expected);
	}
	cfg_errors_free(&errors);
	cfg_free(cfg);
}

/* ---- every scope x method x module ---- */

/* %s is the method. */
static const struct {
	const char *l2tp, *aaa;
	bool odd_gateway;
	const char *path, *complaint;
} scopes[] = {
    {", 'tunnels': [{'name': 'a', 'remote': '10.1.0.2', 'port': 'good'}, {'name': 'b', 'remote': "
     "'10.3.0.2', 'port': 'odd', 'failover_resync': %s}]",
     "", false, "l2tp.tunnels[1].failover_resync",
     "tunnel \"b\" has silent-failover, but leaves by"},
    {", 'destination_profiles': [{'name': 'good', 'address': '10.1.0.0/24', 'remote_hosts': "
     "[{'name': '*', 'failover_resync': 'silent-failover'}]}, {'name': 'odd', 'address': "
     "'10.3.0.0/24', 'remote_hosts': [{'name': 'one', 'failover_resync': 'disable'}, {'name': "
     "'lac', 'failover_resync': %s}]}]",
     "", false, "l2tp.destination_profiles[1].remote_hosts[1].failover_resync",
     "remote host \"lac\" of destination profile \"odd\" has silent-failover, but can come in by"},
    /* sorted by preference: the place in the file counts */
    {"",
     "{'name': 'isp.example', 'tunnels': [{'tunnel': 5, 'remote': '10.1.0.2'}, {'tunnel': 2, "
     "'preference': 1, 'remote': '10.3.0.2', 'failover_resync': %s}]}",
     false, "aaa.domain_maps[0].tunnels[1].failover_resync",
     "tunnel 2 of domain map \"isp.example\" has silent-failover, but leaves by"},
    {"",
     "{'name': 'isp.example', 'tunnels': [{'tunnel': 2, 'remote': '192.0.2.1', 'port': 'odd', "
     "'failover_resync': %s}]}",
     true, "aaa.domain_maps[0].tunnels[0].failover_resync",
     "tunnel 2 of domain map \"isp.example\" has silent-failover, but leaves by"},
};

static void every_inner_scope(void **state)
{
	for (size_t s = 0; s < COUNT(scopes); s++)
		for (size_t m = 0; m < COUNT(methods); m++)
			for (size_t k = 0; k < COUNT(modules); k++) {
				bool refused = m == SILENT && k < N_WITHOUT;
				char l2tp[1024], aaa[1024];
				struct parts parts = {.module = modules[k],
						      .facing = "peer",
						      .odd_gateway = scopes[s].odd_gateway,
						      .l2tp = l2tp,
						      .aaa = aaa};

				snprintf(l2tp, sizeof(l2tp), scopes[s].l2tp, methods[m]);
				snprintf(aaa, sizeof(aaa), scopes[s].aaa, methods[m]);
				check(&parts, refused ? scopes[s].path : NULL, scopes[s].complaint);
			}
}

/* ---- the global value: where a tunnel can take it ---- */

static const struct {
	const char *l2tp, *aaa;
	const char *complaint; /* NULL: nobody takes it by that port */
} takers[] = {
    {"", "", NULL},
    {", 'tunnels': [{'name': 'b', 'remote': '10.3.0.2', 'port': 'odd'}]", "",
     "tunnel \"b\", which names no method of its own, leaves by"},
    {", 'tunnels': [{'name': 'b', 'remote': '10.3.0.2', 'port': 'odd', 'failover_resync': null}]",
     "", "tunnel \"b\", which names no method of its own, leaves by"},
    {", 'tunnels': [{'name': 'b', 'remote': '10.3.0.2', 'port': 'odd', 'failover_resync': "
     "'disable'}, {'name': 'a', 'remote': '10.1.0.2', 'port': 'good'}]",
     "", NULL},
    {", 'destination_profiles': [{'name': 'p', 'address': '10.3.0.0/24', 'remote_hosts': "
     "[{'name': 'one', 'failover_resync': 'disable'}, {'name': 'lac'}]}]",
     "",
     "remote host \"lac\" of destination profile \"p\", which names no method of its own, can "
     "come in by"},
    {", 'destination_profiles': [{'name': 'p', 'address': '10.1.0.0/24', 'remote_hosts': "
     "[{'name': 'lac'}]}]",
     "", NULL},
    {", 'accept_unknown_hosts': true", "",
     "hosts that no destination profile names (accept_unknown_hosts) can come in by"},
    {"", "{'name': 'isp', 'tunnels': [{'tunnel': 1, 'remote': '10.3.0.2'}]}",
     "tunnel 1 of domain map \"isp\", which names no method of its own, leaves by"},
    {"",
     "{'name': 'isp', 'tunnels': [{'tunnel': 1, 'remote': '10.3.0.2', 'failover_resync': "
     "'failover-protocol'}]}",
     NULL},
    {"", "{'name': 'isp', 'authentication': 'radius'}",
     "tunnels that RADIUS selects for domain map \"isp\" can leave by"},
    /* two who take it: one mistake, one complaint */
    {", 'accept_unknown_hosts': true, 'tunnels': [{'name': 'b', 'remote': '10.3.0.2', 'port': "
     "'odd'}]",
     "{'name': 'isp', 'authentication': 'radius'}",
     "tunnel \"b\", which names no method of its own, leaves by"},
};

static void the_global_scope(void **state)
{
	for (size_t s = 0; s < COUNT(takers); s++)
		for (size_t m = 1; m < COUNT(methods); m++)
			for (size_t k = 0; k < COUNT(modules); k++) {
				bool refused = takers[s].complaint && m == SILENT && k < N_WITHOUT;
				char l2tp[1024], complaint[512];
				struct parts parts = {.module = modules[k],
						      .facing = "peer",
						      .l2tp = l2tp,
						      .aaa = takers[s].aaa};

				snprintf(l2tp, sizeof(l2tp), ", 'failover_resync': %s%s",
					 methods[m], takers[s].l2tp);
				snprintf(complaint, sizeof(complaint),
					 "the global method is silent-failover, but %s",
					 takers[s].complaint ? takers[s].complaint : "");
				check(&parts, refused ? "l2tp.failover_resync" : NULL, complaint);
			}
}

/* ---- whose peers can come in by the port ---- */

static void reachability(void **state)
{
	static const struct {
		const char *address;
		bool odd_gateway;
		const char *others; /* further profiles, of other methods */
		bool refused;
	} cases[] = {
	    {"10.3.0.0/24", false, "", true},  /* the link */
	    {"10.3.0.9/32", false, "", true},  /* one host on it */
	    {"10.0.0.0/8", false, "", true},   /* more than it */
	    {"0.0.0.0/0", false, "", true},    /* all */
	    {"10.1.0.0/24", false, "", false}, /* the other link */
	    {"10.1.0.0/24", true, "", false},
	    {"10.1.0.9/32", true, "", false},
	    {"192.0.2.0/24", false, "", false}, /* no link, no gateway */
	    {"192.0.2.0/24", true, "", true},   /* by the gateway */
	    {"10.0.0.0/15", true, "", true},    /* more than the other link */
	    /* a longer prefix takes the whole link */
	    {"10.0.0.0/8", false,
	     ", {'name': 'q', 'address': '10.3.0.0/24', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'disable'}]}",
	     false},
	    {"0.0.0.0/0", false,
	     ", {'name': 'q', 'address': '10.2.0.0/15', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'disable'}]}",
	     false},
	    {"0.0.0.0/0", true,
	     ", {'name': 'q', 'address': '10.2.0.0/15', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'disable'}]}",
	     true},
	    {"10.0.0.0/8", false,
	     ", {'name': 'q', 'address': '10.3.0.0/25', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'disable'}]}",
	     true},
	    {"10.3.0.0/24", false,
	     ", {'name': 'q', 'address': '0.0.0.0/0', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'disable'}]}",
	     true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char l2tp[1024];
		struct parts parts = {.module = "e3-atm",
				      .facing = "peer",
				      .odd_gateway = cases[i].odd_gateway,
				      .l2tp = l2tp,
				      .aaa = ""};

		snprintf(
		    l2tp, sizeof(l2tp),
		    ", 'destination_profiles': [{'name': 'p', 'address': '%s', 'remote_hosts': "
		    "[{'name': 'lac', 'failover_resync': 'silent-failover'}]}%s]",
		    cases[i].address, cases[i].others);
		check(&parts,
		      cases[i].refused
			  ? "l2tp.destination_profiles[0].remote_hosts[0].failover_resync"
			  : NULL,
		      "remote host \"lac\" of destination profile \"p\" has silent-failover, but "
		      "can come in by");
	}
}

/* A domain map's tunnel without a port leaves by the one towards it: its link, else the first gateway. */
static void the_port_towards_a_remote(void **state)
{
	static const struct {
		const char *remote;
		bool odd_gateway, good_gateway, refused;
	} cases[] = {
	    {"10.3.0.2", false, false, true}, {"10.3.0.2", true, true, true},
	    {"10.1.0.2", true, true, false},  {"192.0.2.1", true, false, true},
	    {"192.0.2.1", true, true, false}, {"192.0.2.1", false, true, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char aaa[512];
		struct parts parts = {.module = "ct1",
				      .facing = "peer",
				      .odd_gateway = cases[i].odd_gateway,
				      .good_gateway = cases[i].good_gateway,
				      .l2tp = "",
				      .aaa = aaa};

		snprintf(aaa, sizeof(aaa),
			 "{'name': 'isp', 'tunnels': [{'tunnel': 3, 'remote': '%s', "
			 "'failover_resync': 'silent-failover'}]}",
			 cases[i].remote);
		check(&parts,
		      cases[i].refused ? "aaa.domain_maps[0].tunnels[0].failover_resync" : NULL,
		      "tunnel 3 of domain map \"isp\" has silent-failover, but leaves by");
	}
}

/* Facing subscribers or the network the same modules are as good as any. */
static void other_facings(void **state)
{
	static const char *const facings[] = {"access", "core"};

	for (size_t f = 0; f < COUNT(facings); f++)
		for (size_t k = 0; k < COUNT(modules); k++) {
			struct parts parts = {
			    .module = modules[k],
			    .facing = facings[f],
			    .l2tp =
				", 'failover_resync': 'silent-failover', 'accept_unknown_hosts': "
				"true, 'tunnels': [{'name': 'a', 'remote': '10.1.0.2', 'port': "
				"'good', 'failover_resync': 'silent-failover'}], "
				"'destination_profiles': [{'name': 'p', 'address': '0.0.0.0/0', "
				"'remote_hosts': [{'name': '*', 'failover_resync': "
				"'silent-failover'}]}]",
			    .aaa =
				"{'name': 'isp', 'authentication': 'radius', 'tunnels': [{'tunnel': "
				"1, 'remote': '10.1.0.2', 'failover_resync': 'silent-failover'}]}",
			};

			check(&parts, NULL, NULL);
		}
}

/* What could not be read is complained about once, where it is. */
static void one_mistake_one_complaint(void **state)
{
	static const struct {
		const char *l2tp, *aaa, *path;
	} cases[] = {
	    {", 'tunnels': [{'name': 'b', 'remote': '10.3.0.2', 'port': 'eve', 'failover_resync': "
	     "'silent-failover'}]",
	     "", "l2tp.tunnels[0].port"},
	    {"",
	     "{'name': 'isp', 'tunnels': [{'tunnel': 1, 'remote': '10.3.0.2', 'port': 'eve', "
	     "'failover_resync': 'silent-failover'}]}",
	     "aaa.domain_maps[0].tunnels[0].port"},
	    {", 'destination_profiles': [{'name': 'p', 'address': '10.3.0.7/24', 'remote_hosts': "
	     "[{'name': '*', 'failover_resync': 'silent-failover'}]}]",
	     "", "l2tp.destination_profiles[0].address"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct parts parts = {.module = "e3-atm",
					    .facing = "peer",
					    .odd_gateway = true,
					    .l2tp = cases[i].l2tp,
					    .aaa = cases[i].aaa};
		char text[TEXT], path[] = "/tmp/warmline-load-XXXXXX";
		struct cfg_errors errors;
		int fd = mkstemp(path);

		write_text(text, &parts);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
		assert_null(cfg_load_with(path, load_check_modules, &errors));
		unlink(path);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.list[0].path, cases[i].path);
		assert_int_equal(errors.list[0].line, 1);
		cfg_errors_free(&errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_inner_scope), cmocka_unit_test(the_global_scope),
	    cmocka_unit_test(reachability),      cmocka_unit_test(the_port_towards_a_remote),
	    cmocka_unit_test(other_facings),     cmocka_unit_test(one_mistake_one_complaint),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
