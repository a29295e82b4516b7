/* SPDX-License-Identifier: BSD-3-Clause */
/* What makes one configuration another: pairs, and the lines that are said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cfg.h"

static const char base[] =
    "{'chassis': {'name': 'lns'},"
    "'limits': {'tunnels': 100},"
    "'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
    "{'name': 'p', 'device': 'net_null0', 'facing': 'peer', 'address': '10.1.0.1/24'},"
    "{'name': 'q', 'device': 'net_null1', 'facing': 'peer', 'address': '10.2.0.1/24'}]},"
    "{'slot': 1, 'module': 'service'}],"
    "'l2tp': {'host_name': 'lns', 'failover_resync': 'silent-failover',"
    "'destination_profiles': [{'name': 'isp', 'address': '10.1.0.0/24', 'remote_hosts': ["
    "{'name': 'lac', 'failover_resync': 'failover-protocol', 'password': 'hunter2'},"
    "{'name': '*'}]}]},"
    "'aaa': {'domain_maps': [{'name': 'isp.example', 'tunnels': ["
    "{'tunnel': 1, 'remote': '10.1.0.9'}]}]},"
    "'radius': {'authentication_servers': ["
    "{'address': '10.9.0.1', 'secret': 'hunter3'}, {'address': '10.9.0.2', 'secret': 'hunter4'}]}}";

static json_t *parse(const char *quoted)
{
	char *text = strdup(quoted);
	json_error_t error;
	json_t *json;

	for (char *at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
	json = json_loads(text, 0, &error);
	if (!json)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return json;
}

/* The base with one piece of text in the place of another. */
static json_t *edit(const char *piece, const char *with)
{
	const char *at = strstr(base, piece);
	char *text;
	json_t *json;

	if (!at)
		fail_msg("not in the base: %s", piece);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, with, at + strlen(piece)) >
		    0);
	json = parse(text);
	free(text);
	return json;
}

static char *lines_of(const struct cfg_changes *changes)
{
	static const char *const kinds[] = {"live", "restart", "never"};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < changes->count; i++) {
		const struct cfg_change *c = &changes->list[i];

		fprintf(out, "%s %s\n", kinds[c->kind], c->text);
		assert_memory_equal(c->text, c->path, strlen(c->path));
	}
	fclose(out);
	return text;
}

static void expect(json_t *from, json_t *to, const char *lines)
{
	struct cfg_changes changes = cfg_diff(from, to);
	char *text = lines_of(&changes);

	assert_string_equal(text, lines);
	assert_null(strstr(text, "hunter"));
	free(text);
	cfg_changes_free(&changes);
	json_decref(from);
	json_decref(to);
}

static void test_pairs(void **state)
{
	static const struct {
		const char *piece, *with, *lines;
	} pairs[] = {
	    {"'tunnels': 100", "'tunnels': 100", ""},
	    {"'failover_resync': 'silent-failover'", "'failover_resync': 'disable'",
	     "live l2tp.failover_resync: \"silent-failover\" -> \"disable\"\n"},
	    {"'failover_resync': 'failover-protocol',", "",
	     "live l2tp.destination_profiles[isp].remote_hosts[lac].failover_resync: "
	     "\"failover-protocol\" -> not configured\n"},
	    /* null is "not configured", and the method of a scope is no default of another */
	    {"{'name': '*'}", "{'name': '*', 'failover_resync': null}", ""},
	    {"{'name': '*'}", "{'name': '*', 'hello_interval': 60}",
	     "live l2tp.destination_profiles[isp].remote_hosts[*].hello_interval: not configured -> 60\n"},
	    {"{'name': '*'}", "{'name': '*', 'retransmission': {'established': 7}}",
	     "live l2tp.destination_profiles[isp].remote_hosts[*].retransmission.established: "
	     "not configured -> 7\n"},
	    /* defaults, at the top and in objects that are not there */
	    {"'host_name': 'lns'", "'host_name': 'lns', 'hello_interval': 60", ""},
	    {"'host_name': 'lns'", "'host_name': 'lns', 'retransmission': {'established': 5}", ""},
	    {"'host_name': 'lns'", "'host_name': 'lns', 'retransmission': {'established': 6}",
	     "live l2tp.retransmission.established: 5 -> 6\n"},
	    {"'limits'", "'dataplane': {'main_core': null, 'worker_cores': [null]}, 'limits'", ""},
	    {"'limits'", "'subscribers': [], 'limits'", ""},
	    /* secrets */
	    {"'hunter2'", "'hunter5'",
	     "live l2tp.destination_profiles[isp].remote_hosts[lac].password: (changed)\n"},
	    {", 'password': 'hunter2'", "",
	     "live l2tp.destination_profiles[isp].remote_hosts[lac].password: (changed)\n"},
	    {"'hunter3'", "'hunter5'",
	     "live radius.authentication_servers[10.9.0.1:1812].secret: (changed)\n"},
	    /* elements */
	    {"{'name': 'lac',", "{'name': 'new'}, {'name': 'lac',",
	     "live l2tp.destination_profiles[isp].remote_hosts[new]: added\n"},
	    {"{'tunnel': 1, 'remote': '10.1.0.9'}", "{'tunnel': 2, 'remote': '10.1.0.9'}",
	     "live aaa.domain_maps[isp.example].tunnels[1]: removed\n"
	     "live aaa.domain_maps[isp.example].tunnels[2]: added\n"},
	    {"{'tunnel': 1, 'remote': '10.1.0.9'}",
	     "{'tunnel': 1, 'remote': '10.1.0.8', 'preference': 2000}",
	     "live aaa.domain_maps[isp.example].tunnels[1].remote: \"10.1.0.9\" -> \"10.1.0.8\"\n"},
	    {"{'address': '10.9.0.1', 'secret': 'hunter3'}, {'address': '10.9.0.2', 'secret': 'hunter4'}",
	     "{'address': '10.9.0.2', 'secret': 'hunter4'}, {'address': '10.9.0.1', 'secret': 'hunter3'}",
	     "live radius.authentication_servers: in another order\n"},
	    {"'address': '10.9.0.1', 'secret'", "'address': '10.9.0.1', 'port': 1812, 'secret'",
	     ""},
	    /* what is not live */
	    {"'name': 'lns'}", "'name': 'lac'}", "never chassis.name: \"lns\" -> \"lac\"\n"},
	    {"'name': 'lns'}", "'name': 'lns', 'runtime_directory': '/run/warmline'}", ""},
	    {"'name': 'lns'}", "'name': 'lns', 'runtime_directory': '/tmp'}",
	     "never chassis.runtime_directory: \"/run/warmline\" -> \"/tmp\"\n"},
	    {"'tunnels': 100", "'tunnels': 200", "restart limits.tunnels: 100 -> 200\n"},
	    {"'radius': {", "'radius': {'source_address': '10.9.0.9', ",
	     "restart radius.source_address: none -> \"10.9.0.9\"\n"},
	    {"'tunnels': 100", "", "restart limits.tunnels: 100 -> 1024\n"},
	    {"'10.2.0.1/24'", "'10.2.0.2/24'",
	     "restart slots[0].ports[q].address: \"10.2.0.1/24\" -> \"10.2.0.2/24\"\n"},
	    {"'device': 'net_null1'", "'interface': 'eth1'",
	     "restart slots[0].ports[q].device: \"net_null1\" -> none\n"
	     "restart slots[0].ports[q].interface: none -> \"eth1\"\n"},
	    {"'limits'", "'dataplane': {'mbufs': 2048}, 'limits'",
	     "restart dataplane.mbufs: 16384 -> 2048\n"},
	    {",{'slot': 1, 'module': 'service'}", "", "restart slots[1]: removed\n"},
	    {"'module': 'ge'", "'module': 'e3-atm'",
	     "live slots[0].module: \"ge\" -> \"e3-atm\"\n"},
	    {"'10.2.0.1/24'", "'10.2.0.1/24', 'rate_kbps': 34368",
	     "live slots[0].ports[q].rate_kbps: none -> 34368\n"},
	    {"'10.2.0.1/24'", "'10.2.0.1/24', 'encapsulation': 'x'",
	     "live slots[0].ports[q].encapsulation: none -> \"x\"\n"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		expect(parse(base), edit(pairs[i].piece, pairs[i].with), pairs[i].lines);
	expect(parse(base), edit("},{'name': '*'}", "}"),
	       "live l2tp.destination_profiles[isp].remote_hosts[*]: removed\n");
	expect(edit("},{'name': '*'}", "}"), parse(base),
	       "live l2tp.destination_profiles[isp].remote_hosts[*]: added\n");
}

/* The places of ports are in the mirror: their order is not a matter of taste. */
static void test_order_of_ports(void **state)
{
	json_t *to = parse(base);
	json_t *ports = json_object_get(json_array_get(json_object_get(to, "slots"), 0), "ports");
	json_t *first = json_incref(json_array_get(ports, 0));

	json_array_remove(ports, 0);
	json_array_append_new(ports, first);
	expect(parse(base), to, "restart slots[0].ports: in another order\n");
}

/* Sections that come and go, and many at once: each kind has its lines, whatever the others have. */
static void test_sections(void **state)
{
	expect(
	    parse("{'l2tp': {'host_name': 'a'}}"),
	    parse("{'l2tp': {'host_name': 'b'}, 'radius': {'dead_time': 5, 'interim_interval': 0},"
		  "'subscribers': [{'name': 'u', 'ipv4': '10.0.0.1'}],"
		  "'chassis': {'name': 'n'}, 'limits': {'sessions': 7}}"),
	    "never chassis.name: none -> \"n\"\n"
	    "restart limits.sessions: 65536 -> 7\n"
	    "live l2tp.host_name: \"a\" -> \"b\"\n"
	    "live radius.dead_time: 60 -> 5\n"
	    "live subscribers[u]: added\n");
}

static void test_bounded(void **state)
{
	json_t *from = json_object(), *to = json_object(), *list = json_array();
	struct cfg_changes changes;

	for (int i = 0; i < 1000; i++)
		json_array_append_new(list, json_pack("{s:o}", "name", json_sprintf("u%d", i)));
	json_object_set_new(to, "subscribers", list);
	json_object_set_new(to, "limits", json_pack("{s:i}", "tunnels", 5));
	changes = cfg_diff(from, to);
	assert_int_equal(changes.count, CFG_CHANGES_KEPT + 1);
	assert_int_equal(changes.total[CFG_CHANGE_LIVE], 1000);
	assert_int_equal(changes.total[CFG_CHANGE_RESTART], 1);
	assert_int_equal(changes.total[CFG_CHANGE_NEVER], 0);
	cfg_changes_free(&changes);
	json_decref(from);
	json_decref(to);
	/* A long value is one line all the same. */
	expect(
	    parse("{'l2tp': {'host_name': 'a'}}"),
	    parse("{'l2tp': {'host_name': "
		  "'0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456789'}}"),
	    "live l2tp.host_name: \"a\" -> "
	    "\"0123456789012345678901234567890123456789012345678901234567890123456789012345...\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_order_of_ports),
	    cmocka_unit_test(test_sections),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
