/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kind of mistake in a configuration, each alone: exactly one complaint, at the right line
 * and path, saying what would be right. */
#include "cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A good file with something of everything; ' stands for ". */
static const char base[] =
    "{'chassis': {'name': 'both'},\n"
    " 'limits': {'sessions': 200, 'tunnels': 3},\n"
    " 'dataplane': {'worker_cores': [0, null]},\n"
    " 'slots': [{'slot': 3, 'module': 'ge', 'ports': [\n"
    "   {'name': 'access0', 'device': 'net_null0', 'facing': 'access'},\n"
    "   {'name': 'peer0', 'device': 'net_null1,size=64', 'facing': 'peer',\n"
    "    'address': '10.1.0.1/24', 'worker': 1}]},\n"
    "  {'slot': 4, 'module': 'ge', 'ports': [\n"
    "   {'name': 'core0', 'device': 'net_null2', 'facing': 'core', 'address': '10.2.0.1/24',\n"
    "    'gateway': '10.2.0.254', 'mtu': 1400,\n"
    "    'address6': '2001:db8::1/64', 'gateway6': 'fe80::1'}]}],\n"
    " 'l2tp': {'host_name': 'both', 'hello_interval': 30,\n"
    "  'destination_profiles': [{'name': 'isp', 'address': '10.1.0.0/24',\n"
    "    'remote_hosts': [\n"
    "      {'name': 'lac', 'password': 'x', 'hide_avps': true},\n"
    "      {'name': '*'}]},\n"
    "   {'name': 'lab', 'address': '10.9.0.0/16', 'remote_hosts': [{'name': '*'}]}],\n"
    "  'tunnels': [\n"
    "    {'name': 'one', 'remote': '10.1.0.2', 'port': 'peer0'},\n"
    "    {'name': 'two', 'remote': '10.1.0.3', 'port': 'peer0', 'max_sessions': 20}]},\n"
    " 'subscribers': [\n"
    "  {'name': 'a{}', 'count': 10, 'port': 'access0', 'tunnel': 'one',\n"
    "   'mac': '02:00:00:00:00:01', 'pppoe_session': 1},\n"
    "  {'name': 'b', 'port': 'access0', 'mac': '02:00:00:00:01:00', 'pppoe_session': 1000,"
    " 'tunnel': 'two'},\n"
    "  {'name': 'c{}', 'count': 4, 'ipv4': '10.64.0.1', 'ipv6': '2001:db8:64::/64'},\n"
    "  {'name': 'd', 'ipv4': '10.64.0.5', 'ipv6': '2001:db8:64:4::/64'}]}\n";

/* The base with the first `find` replaced; *line gets the line that it was on. The caller frees. */
static char *edit(const char *find, const char *with, int *line)
{
	const char *at = strstr(base, find);
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, with, at + strlen(find)) >
		    0);
	*line = 1;
	for (const char *c = base; c < at; c++)
		*line += *c == '\n';
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return text;
}

struct mistake {
	const char *find, *with; /* in the base */
	const char *path, *text; /* of the complaint; the text in part */
	int line;                /* 0: where the edit was made */
};
#define MISTAKE(f, w, p, t)                                                                        \
	{                                                                                          \
		.find = (f), .with = (w), .path = (p), .text = (t)                                 \
	}
#define MISTAKE_AT(l, f, w, p, t)                                                                  \
	{                                                                                          \
		.find = (f), .with = (w), .path = (p), .text = (t), .line = (l)                    \
	}

static void check_mistake(const struct mistake *mistake)
{
	struct cfg_errors errors;
	int line;
	char *text = edit(mistake->find, mistake->with, &line);
	struct cfg *cfg = cfg_parse(text, strlen(text), "test.json", &errors);

	free(text);
	if (cfg || errors.count != 1 || strcmp(errors.list[0].path, mistake->path) != 0 ||
	    !strstr(errors.list[0].text, mistake->text) ||
	    errors.list[0].line != (mistake->line ? mistake->line : line)) {
		cfg_errors_print(&errors, "test.json", stderr);
		fail_msg("with %s, expected one complaint: line %d, %s: %s", mistake->with,
			 mistake->line ? mistake->line : line, mistake->path, mistake->text);
	}
	cfg_errors_free(&errors);
}

static void check_mistakes(const struct mistake *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_mistake(&list[i]);
}
#define CHECK(list) check_mistakes(list, sizeof(list) / sizeof((list)[0]))

static void the_base_is_good(void **state)
{
	struct cfg_errors errors;
	int line;
	char *text = edit("both", "both", &line);
	struct cfg *cfg = cfg_parse(text, strlen(text), "test.json", &errors);

	cfg_errors_print(&errors, "test.json", stderr);
	assert_non_null(cfg);
	assert_int_equal(errors.count, 0);
	cfg_free(cfg);
	cfg_errors_free(&errors);
	free(text);
}

/* A port has a device or an interface, and nobody else has that. */
static void interfaces(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE_AT(5, "'device': 'net_null0', ", "", "slots[0].ports[0]",
		       "or an \"interface\" to share with the kernel"),
	    MISTAKE("'device': 'net_null0'", "'device': null", "slots[0].ports[0].device",
		    "1..255 bytes), not null"),
	    MISTAKE("'device': 'net_null0'", "'device': 'net_null0', 'interface': 'eth0'",
		    "slots[0].ports[0].interface", "remove one of the two"),
	    MISTAKE("'device': 'net_null0'", "'interface': ''", "slots[0].ports[0].interface",
		    "1..15 bytes without /, : or space"),
	    MISTAKE("'device': 'net_null0'", "'interface': '0123456789abcdef'",
		    "slots[0].ports[0].interface", "not \"0123456789abcdef\""),
	    MISTAKE("'device': 'net_null0'", "'interface': 'eth0:1'", "slots[0].ports[0].interface",
		    "1..15 bytes"),
	    MISTAKE("'device': 'net_null0'", "'interface': 'a/b'", "slots[0].ports[0].interface",
		    "1..15 bytes"),
	    MISTAKE("'device': 'net_null0'", "'interface': 'a b'", "slots[0].ports[0].interface",
		    "1..15 bytes"),
	    MISTAKE("'device': 'net_null0'", "'interface': 'a\\n'", "slots[0].ports[0].interface",
		    "1..15 bytes"),
	    MISTAKE("'device': 'net_null0'", "'interface': '.'", "slots[0].ports[0].interface",
		    "not . or .."),
	    MISTAKE("'device': 'net_null0'", "'interface': '..'", "slots[0].ports[0].interface",
		    "not . or .."),
	    MISTAKE("'device': 'net_null0'", "'interface': 'eth0', 'mtu': 3001",
		    "slots[0].ports[0].mtu", "at most 3000 on an \"interface\", not 3001: AF_XDP"),
	    MISTAKE_AT(6,
		       "'device': 'net_null0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_null1,size=64'",
		       "'interface': 'eth0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'mtu': 9000, 'device': 'net_null1'",
		       "slots[0].ports[1].mtu",
		       "at most 3000 beside port \"access0\" on an interface, not 9000"),
	    MISTAKE_AT(6,
		       "'device': 'net_null0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_null1,size=64'",
		       "'device': 'net_null0', 'mtu': 9000, 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'interface': 'eth0'",
		       "slots[0].ports[1].interface",
		       "beside port \"access0\" with an MTU of 9000"),
	    /* Two ways in to one interface, whichever port comes first. */
	    MISTAKE_AT(6,
		       "'device': 'net_null0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_null1,size=64'",
		       "'interface': 'eth0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'interface': 'eth0'",
		       "slots[0].ports[1].interface",
		       "port \"access0\" has this interface already"),
	    MISTAKE_AT(6,
		       "'device': 'net_null0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_null1,size=64'",
		       "'interface': 'eth0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_af_packet1,blocksz=4096,iface=eth0'",
		       "slots[0].ports[1].device", "port \"access0\" has interface eth0 already"),
	    MISTAKE_AT(6,
		       "'device': 'net_null0', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'device': 'net_null1,size=64'",
		       "'device': 'net_af_xdp0,iface=eth0,start_queue=1', 'facing': 'access'},\n"
		       "   {'name': 'peer0', 'interface': 'eth0'",
		       "slots[0].ports[1].interface",
		       "\"access0\" has this interface already, by its \"device\""),
	};

	CHECK(list);
}

/* Interfaces whose names begin alike are not one. */
static void interfaces_are_told_apart(void **state)
{
	static const char *const pairs[][2] = {
	    {"'device': 'net_af_packet0,iface=eth10'", "'interface': 'eth1'"},
	    {"'interface': 'eth1'", "'device': 'net_af_packet0,iface=eth,iface=eth10'"},
	    {"'device': 'net_pcap0,tx_iface=eth1'", "'interface': 'eth1'"},
	    {"'interface': 'eth1'", "'interface': 'eth10'"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct cfg_errors errors;
		struct cfg *cfg;
		char *text, *with;
		int line;

		assert_true(asprintf(&with,
				     "%s, 'facing': 'access'},\n"
				     "{'name': 'access1', %s, 'facing': 'access'},",
				     pairs[i][0], pairs[i][1]) > 0);
		text = edit("'device': 'net_null0', 'facing': 'access'},", with, &line);
		cfg = cfg_parse(text, strlen(text), "test.json", &errors);
		cfg_errors_print(&errors, "test.json", stderr);
		assert_non_null(cfg);
		cfg_free(cfg);
		cfg_errors_free(&errors);
		free(text);
		free(with);
	}
}

static void keys_and_types(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE("'worker': 1", "'wroker': 1", "slots[0].ports[1].wroker", "\"worker\""),
	    MISTAKE("'hello_interval'", "'helo_interval'", "l2tp.helo_interval",
		    "\"hello_interval\""),
	    MISTAKE("'hide_avps'", "'hide_avp'",
		    "l2tp.destination_profiles[0].remote_hosts[0].hide_avp", "\"hide_avps\""),
	    MISTAKE("'limits'", "'limit'", "limit", "\"limits\""),
	    MISTAKE("'limits'", "'a\\nb'", "a?b", "unknown key"),
	    MISTAKE("'sessions': 200, ", "'sessions': 200, 'sessions': 200, ", "limits.sessions",
		    "given twice"),
	    MISTAKE("'name': 'b',", "'name': 'b', 'n\\u0061me': 'b',", "subscribers[1].name",
		    "given twice"),
	    MISTAKE("{'name': 'both'}", "[]", "chassis", "must be an object, not an array"),
	    MISTAKE("{'name': 'both'}", "{}", "chassis.name",
		    "is missing, and required: string (1..31 of a-z"),
	    MISTAKE_AT(4, "{'worker_cores': [0, null]}", "{\n'worker_cores': [0, 'x']}",
		       "dataplane.worker_cores", "1..16 cores"),
	    MISTAKE("[0, null]", "[0, null], 'main_core': 1024", "dataplane.main_core",
		    "0..1023), not 1024"),
	    MISTAKE("[0, null]", "[0, null], 'main_core': -1", "dataplane.main_core",
		    "integer or null"),
	    MISTAKE("[0, null]", "[0, null], 'hugepages': 1", "dataplane.hugepages",
		    "boolean (true or false), not 1"),
	    MISTAKE("[0, null]", "[0, null], 'memory_mb': 63", "dataplane.memory_mb",
		    "(64..65536), not 63"),
	    MISTAKE("[0, null]", "[0, null], 'mbufs': 4194304", "dataplane.mbufs",
		    "(1024..4194303), not 4194304"),
	    MISTAKE("[0, null]", "[0, null], 'idle_sleep_us': 1.5", "dataplane.idle_sleep_us",
		    "integer (0..100000), not 1.5"),
	    MISTAKE("'tunnels': 3", "'tunnels': 0", "limits.tunnels", "(1..65535), not 0"),
	    MISTAKE("'tunnels': 3", "'message_buffers': '64'", "limits.message_buffers",
		    "integer (64..1048576), not \"64\""),
	    MISTAKE("'both'", "'Both'", "chassis.name", "a-z, 0-9 and -"),
	    MISTAKE("'both'", "'both', 'runtime_directory': 'run'", "chassis.runtime_directory",
		    "absolute path"),
	    MISTAKE("'module': 'ge'", "'module': ''", "slots[0].module", "1..63 bytes"),
	    MISTAKE("'module': 'ge'", "'module': null", "slots[0].module", "not null"),
	    MISTAKE("'module': 'ge'", "'module': 'g\\te'", "slots[0].module", "string"),
	    MISTAKE("'lac', 'password': 'x'", "'lac', 'password': 5",
		    "l2tp.destination_profiles[0].remote_hosts[0].password",
		    "string (0..255 bytes)"),
	    MISTAKE("{'name': '*'}]},\n", "'*']},\n",
		    "l2tp.destination_profiles[0].remote_hosts[1]", "must be an object, not \"*\""),
	    MISTAKE("[{'name': '*'}]}]", "[]}]", "l2tp.destination_profiles[1].remote_hosts",
		    "1..65535 of them"),
	};

	CHECK(list);
}

static void slots_and_ports(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE("'slot': 4", "'slot': 3", "slots[1].slot", "slots[0] is slot 3 already"),
	    MISTAKE("'slot': 4", "'slot': 32", "slots[1].slot", "0..31"),
	    MISTAKE("'name': 'core0'", "'name': 'peer0'", "slots[1].ports[0].name",
		    "another port's name"),
	    MISTAKE("'net_null2'", "'net_null1'", "slots[1].ports[0].device",
		    "\"peer0\" has this device"),
	    MISTAKE("'facing': 'core'", "'facing': 'cor'", "slots[1].ports[0].facing",
		    "access, peer or core), not \"cor\""),
	    MISTAKE("'facing': 'access'", "'facing': 'access', 'address': '10.0.0.1/8'",
		    "slots[0].ports[0].address", "an access port has no address"),
	    MISTAKE("'10.1.0.1/24'", "'10.1.0.1/24', 'address6': '2001:db8:1::1/64'",
		    "slots[0].ports[1].address6", "only IPv4"),
	    MISTAKE_AT(6, "'address': '10.1.0.1/24', ", "", "slots[0].ports[1].address",
		       "a peer port needs one"),
	    MISTAKE("'10.1.0.1/24'", "'10.1.0.1'", "slots[0].ports[1].address",
		    "IPv4 address/length"),
	    MISTAKE("'10.1.0.1/24'", "'10.1.0.0/24'", "slots[0].ports[1].address",
		    "a host of its prefix"),
	    MISTAKE("'10.1.0.1/24'", "'10.1.0.1/33'", "slots[0].ports[1].address",
		    "not \"10.1.0.1/33\""),
	    MISTAKE("'10.1.0.1/24'", "'224.0.0.1/24'", "slots[0].ports[1].address", "unicast"),
	    MISTAKE("'10.2.0.1/24',\n    'gateway': '10.2.0.254',", "'10.1.0.1/16',\n",
		    "slots[1].ports[0].address", "\"peer0\" has this address"),
	    MISTAKE("'10.2.0.254'", "'10.3.0.254'", "slots[1].ports[0].gateway", "10.2.0.1/24"),
	    MISTAKE("'10.2.0.254'", "'10.2.0.1'", "slots[1].ports[0].gateway", "another host"),
	    MISTAKE("'10.2.0.254'", "'ten'", "slots[1].ports[0].gateway", "IPv4 address"),
	    MISTAKE("'fe80::1'", "'2001:db8:1::1'", "slots[1].ports[0].gateway6", "2001:db8::1/64"),
	    MISTAKE("'fe80::1'", "'2001:db8::1'", "slots[1].ports[0].gateway6", "own address"),
	    MISTAKE("'address6': '2001:db8::1/64', ", "", "slots[1].ports[0].gateway6",
		    "needs \"address6\""),
	    MISTAKE("'2001:db8::1/64'", "'2001:db8::1/0'", "slots[1].ports[0].address6",
		    "IPv6 address/length"),
	    MISTAKE("1400", "1279", "slots[1].ports[0].mtu", "RFC 8200"),
	    MISTAKE("1400", "575", "slots[1].ports[0].mtu", "576..9000"),
	    MISTAKE("1400", "1400, 'vlan': 4095", "slots[1].ports[0].vlan", "0..4094"),
	    MISTAKE("'worker': 1", "'worker': 2", "slots[0].ports[1].worker",
		    "dataplane.worker_cores has 2 (0..1)"),
	};

	CHECK(list);
}

static void l2tp(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE("'host_name': 'both', ", "", "l2tp.host_name", "is missing, and required"),
	    MISTAKE("'hello_interval': 30", "'hello_interval': 3601", "l2tp.hello_interval",
		    "0..3600"),
	    MISTAKE("'hello_interval': 30", "'receive_window': 0", "l2tp.receive_window", "1..64"),
	    MISTAKE("'hello_interval': 30", "'failover_resync': 'silent'", "l2tp.failover_resync",
		    "disable, failover-protocol, silent-failover or "
		    "failover-protocol-fallback-to-silent-failover), not \"silent\""),
	    MISTAKE("'hello_interval': 30", "'failover_resync': null", "l2tp.failover_resync",
		    "no outer scope"),
	    MISTAKE("'hello_interval': 30", "'retransmission': {'established': 21}",
		    "l2tp.retransmission.established", "1..20"),
	    MISTAKE("'hello_interval': 30", "'retransmission': {'max_interval_ms': 7999}",
		    "l2tp.retransmission.max_interval_ms", "8000..60000"),
	    MISTAKE("'hello_interval': 30",
		    "'retransmission': {'max_interval_ms': 8000, 'interval_ms': 8001}",
		    "l2tp.retransmission.interval_ms", "it must be 8000 at most"),
	    MISTAKE("'hello_interval': 30", "'hide_avps': true", "l2tp.hide_avps",
		    "need a password"),
	    MISTAKE("'password': 'x'", "'password': ''",
		    "l2tp.destination_profiles[0].remote_hosts[0].hide_avps", "need a password"),
	    MISTAKE("'lab'", "'isp'", "l2tp.destination_profiles[1].name",
		    "another profile's name"),
	    MISTAKE("'10.9.0.0/16'", "'10.1.0.0/24'", "l2tp.destination_profiles[1].address",
		    "\"isp\" has this prefix"),
	    MISTAKE("'10.9.0.0/16'", "'10.9.0.1/16'", "l2tp.destination_profiles[1].address",
		    "host bits zero"),
	    MISTAKE_AT(16, "'lac'", "'*'", "l2tp.destination_profiles[0].remote_hosts[1].name",
		       "remote_hosts[0]"),
	    MISTAKE("'max_sessions': 20}",
		    "'max_sessions': 20}, {'name': 'one', 'remote': '10.1.0.4', 'port': 'peer0'}",
		    "l2tp.tunnels[2].name", "another tunnel's name"),
	    MISTAKE("'10.1.0.3'", "'10.1.1.3'", "l2tp.tunnels[1].remote", "no gateway"),
	    MISTAKE("'10.1.0.3'", "'10.1.0.1'", "l2tp.tunnels[1].remote", "our own address"),
	    MISTAKE("'10.1.0.3', 'port': 'peer0'", "'10.1.0.3', 'port': 'peer1'",
		    "l2tp.tunnels[1].port",
		    "there is no port \"peer1\": it must be one that faces peer (\"peer0\")"),
	    MISTAKE("'10.1.0.3', 'port': 'peer0'", "'10.1.0.3', 'port': 'core0'",
		    "l2tp.tunnels[1].port", "faces core"),
	    MISTAKE_AT(18, "'tunnels': 3", "'tunnels': 1", "l2tp.tunnels", "limits.tunnels is 1"),
	};

	CHECK(list);
}

/* Of the base, from a global key to the keys of the first remote host. */
#define TO_PROFILES                   ",\n  'destination_profiles': [{'name': 'isp', 'address': '10.1.0.0/24',\n"
#define TO_HOSTS                      "    'remote_hosts': [\n      {'name': 'lac', "
#define GLOBAL_TO_HOST                "'hello_interval': 30" TO_PROFILES TO_HOSTS
#define GLOBAL_AND_HOST(global, host) global TO_PROFILES TO_HOSTS host ", "

/* RFC 4951 section 5.1: C and D never both clear; and what follows for the method. */
static void failover(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE("'hello_interval': 30", "'failover': {'control': false, 'data': false}",
		    "l2tp.failover.data", "RFC 4951 section 5.1"),
	    MISTAKE("{'name': '*'}", "{'name': '*', 'failover': {'control': false, 'data': false}}",
		    "l2tp.destination_profiles[0].remote_hosts[1].failover.data",
		    "set one to true"),
	    /* One half global, one in a remote host: a complaint where the second half is. */
	    MISTAKE_AT(
		15, GLOBAL_TO_HOST,
		GLOBAL_AND_HOST("'failover': {'data': false}", "'failover': {'control': false}"),
		"l2tp.destination_profiles[0].remote_hosts[0].failover.control",
		"must not both be false"),
	    MISTAKE_AT(15, GLOBAL_TO_HOST,
		       GLOBAL_AND_HOST("'failover_resync': 'failover-protocol'",
				       "'failover': {'control': false}"),
		       "l2tp.destination_profiles[0].remote_hosts[0].failover.control",
		       "as the method is failover-protocol"),
	    MISTAKE_AT(15, GLOBAL_TO_HOST,
		       GLOBAL_AND_HOST("'failover': {'control': false}",
				       "'failover_resync': 'failover-protocol'"),
		       "l2tp.destination_profiles[0].remote_hosts[0].failover_resync",
		       "set that to true"),
	    /* Inherited: one complaint, where it was made. */
	    MISTAKE_AT(12, GLOBAL_TO_HOST,
		       GLOBAL_AND_HOST("'failover': {'control': false, 'data': false}",
				       "'failover': {'data_reset_packets': 3}"),
		       "l2tp.failover.data", "must not both be false"),
	    MISTAKE("'hello_interval': 30",
		    "'failover_resync': 'failover-protocol', 'failover': {'control': false}",
		    "l2tp.failover_resync", "use \"silent-failover\""),
	    MISTAKE("'hello_interval': 30", "'failover': {'control': 1}", "l2tp.failover.control",
		    "boolean (true or false), not 1"),
	    MISTAKE("'hello_interval': 30", "'failover': {'recovery_time_ms': 4294967296}",
		    "l2tp.failover.recovery_time_ms", "(0..4294967295), not 4294967296"),
	    MISTAKE("'hello_interval': 30", "'failover': {'recovery_time_ms': -1}",
		    "l2tp.failover.recovery_time_ms", "not -1"),
	    MISTAKE("'hello_interval': 30", "'failover': {'data_reset_packets': 0}",
		    "l2tp.failover.data_reset_packets", "(1..255), not 0"),
	    MISTAKE("'hello_interval': 30", "'failover': {'data_reset_packets': 256}",
		    "l2tp.failover.data_reset_packets", "not 256"),
	    MISTAKE("'hello_interval': 30", "'failover': {'recovery_time': 5}",
		    "l2tp.failover.recovery_time", "\"recovery_time_ms\""),
	    MISTAKE("'hello_interval': 30", "'failover': 'failover-protocol'", "l2tp.failover",
		    "must be an object"),
	};

	CHECK(list);
}

static void subscribers(void **state)
{
	static const struct mistake list[] = {
	    MISTAKE("'name': 'a{}'", "'name': 'a'", "subscribers[0].name", "must have \"{}\" once"),
	    MISTAKE("'name': 'a{}'", "'name': 'a{}{}'", "subscribers[0].name", "only once"),
	    MISTAKE("'name': 'a{}', 'count': 10",
		    "'name': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{}', "
		    "'count': 100",
		    "subscribers[0].name", "64 bytes"),
	    MISTAKE("'name': 'b'", "'name': 'a7'", "subscribers[1].name",
		    "\"a7\" is also in subscribers[0]"),
	    MISTAKE("'pppoe_session': 1000", "'pppoe_session': 10", "subscribers[1].pppoe_session",
		    "overlaps subscribers[0]"),
	    MISTAKE("'pppoe_session': 1}", "'pppoe_session': 65527}",
		    "subscribers[0].pppoe_session", "beyond 65535"),
	    MISTAKE("'pppoe_session': 1}", "'pppoe_session': 0}", "subscribers[0].pppoe_session",
		    "1..65535"),
	    MISTAKE("'02:00:00:00:00:01'", "'03:00:00:00:00:01'", "subscribers[0].mac", "unicast"),
	    MISTAKE("'02:00:00:00:00:01'", "'02:00:00:00:0001'", "subscribers[0].mac",
		    "Ethernet address"),
	    MISTAKE("'02:00:00:00:00:01'", "'02:ff:ff:ff:ff:ff'", "subscribers[0].mac",
		    "first byte"),
	    MISTAKE("'mac': '02:00:00:00:01:00', ", "", "subscribers[1].mac", "is missing"),
	    MISTAKE("'port': 'access0', 'mac'", "'port': 'peer0', 'mac'", "subscribers[1].port",
		    "faces peer"),
	    MISTAKE("'tunnel': 'two'", "'tunnel': 'three'", "subscribers[1].tunnel",
		    "no tunnel \"three\""),
	    MISTAKE("'tunnel': 'two'", "'tunnel': 'two', 'ipv4': '10.0.0.1'", "subscribers[1].ipv4",
		    "belongs to an LNS"),
	    MISTAKE("{'name': 'd', 'ipv4': '10.64.0.5', 'ipv6': '2001:db8:64:4::/64'}",
		    "{'name': 'd'}", "subscribers[3]", "(LNS), or a \"port\" (LAC)"),
	    MISTAKE("'name': 'd',", "'name': 'd', 'tunnel': 'one',", "subscribers[3].tunnel",
		    "with a \"port\""),
	    MISTAKE("'10.64.0.5'", "'10.64.0.4'", "subscribers[3].ipv4",
		    "overlaps subscribers[2] (\"c{}\")"),
	    MISTAKE("'10.64.0.5'", "'10.2.0.1'", "subscribers[3].ipv4",
		    "address of port \"core0\""),
	    MISTAKE("'10.64.0.1'", "'223.255.255.253'", "subscribers[2].ipv4", "go beyond"),
	    MISTAKE("'2001:db8:64:4::/64'", "'2001:db8:64::/62'", "subscribers[3].ipv6",
		    "overlaps subscribers[2]"),
	    MISTAKE("'2001:db8:64:4::/64'", "'2001:db8:64:4::1/64'", "subscribers[3].ipv6",
		    "host bits zero"),
	    MISTAKE("'2001:db8:64::/64'", "'fe00::/8'", "subscribers[2].ipv6", "go beyond"),
	    MISTAKE_AT(21, "'sessions': 200", "'sessions': 15", "subscribers",
		       "there are 16 in all, but limits.sessions is 15"),
	    MISTAKE("'max_sessions': 20", "'max_sessions': 0", "l2tp.tunnels[1].max_sessions",
		    "1..65535"),
	    MISTAKE_AT(21, "'remote': '10.1.0.2',", "'remote': '10.1.0.2', 'max_sessions': 9,",
		       "subscribers", "whose max_sessions is 9"),
	};

	CHECK(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_base_is_good),
	    cmocka_unit_test(keys_and_types),
	    cmocka_unit_test(slots_and_ports),
	    cmocka_unit_test(interfaces),
	    cmocka_unit_test(interfaces_are_told_apart),
	    cmocka_unit_test(l2tp),
	    cmocka_unit_test(failover),
	    cmocka_unit_test(subscribers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
