/* SPDX-License-Identifier: BSD-3-Clause */
/* What a good configuration becomes: defaults, inheritance, ranges of subscribers, look-ups, the
 * reference. */
#include "cfg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FALLBACK "failover-protocol-fallback-to-silent-failover"

/* ' stands for ". */
static struct cfg *parse(const char *json)
{
	struct cfg_errors errors;
	char *text = strdup(json);
	struct cfg *cfg;

	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	cfg = cfg_parse(text, strlen(text), "test.json", &errors);
	cfg_errors_print(&errors, "test.json", stderr);
	assert_non_null(cfg);
	assert_int_equal(errors.count, 0);
	free(text);
	return cfg;
}

static void defaults(void **state)
{
	struct cfg *cfg = parse("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h'}}");
	const struct cfg_tunnel_policy *policy = &cfg->l2tp;

	assert_string_equal(cfg->path, "test.json");
	assert_string_equal(cfg->name, "x");
	assert_string_equal(cfg->runtime_directory, "/run/warmline");
	assert_int_equal(cfg->limits.tunnels, 1024);
	assert_int_equal(cfg->limits.sessions, 65536);
	assert_int_equal(cfg->limits.message_buffers, 4096);
	assert_int_equal(cfg->dataplane.main_core, -1);
	assert_int_equal(cfg->dataplane.n_workers, 1);
	assert_int_equal(cfg->dataplane.worker_cores[0], -1);
	assert_int_equal(cfg->dataplane.idle_sleep_us, 100);
	assert_int_equal(cfg->dataplane.memory_mb, 512);
	assert_true(cfg->dataplane.hugepages);
	assert_int_equal(cfg->dataplane.mbufs, 16384);
	assert_int_equal(cfg->n_slots + cfg->n_ports + cfg->n_profiles, 0);
	assert_int_equal(cfg->n_tunnels + cfg->n_subscribers, 0);
	assert_false(cfg->accept_unknown_hosts);
	assert_string_equal(policy->host_name, "h");
	assert_string_equal(policy->password, "");
	assert_int_equal(policy->method, CFG_METHOD_FALLBACK);
	assert_int_equal(policy->method_scope, CFG_SCOPE_GLOBAL);
	assert_int_equal(policy->hello_interval_s, 60);
	assert_int_equal(policy->receive_window, 16);
	assert_int_equal(policy->retransmission.established, 5);
	assert_int_equal(policy->retransmission.not_established, 5);
	assert_int_equal(policy->retransmission.interval_ms, 1000);
	assert_int_equal(policy->retransmission.max_interval_ms, 16000);
	assert_true(policy->failover.control);
	assert_true(policy->failover.data);
	assert_int_equal(policy->failover.recovery_time_ms, 900000);
	assert_true(policy->failover.farewell_capability);
	assert_int_equal(policy->failover.data_reset_packets, 5);
	assert_false(policy->hide_avps);
	assert_false(policy->data_sequencing);
	assert_int_equal(policy->max_sessions, 65535);
	cfg_free(cfg);
}

static void ports(void **state)
{
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x', 'runtime_directory': '/tmp'}, 'l2tp': {'host_name': 'h'},"
	    "'dataplane': {'main_core': 3, 'worker_cores': [1, null, 2], 'hugepages': false},"
	    "'slots': [{'slot': 31, 'module': 'e3', 'ports': ["
	    "  {'name': 'a', 'device': '0000:01:00.0', 'facing': 'access',"
	    "   'vlan': 7, 'mtu': 2999}]},"
	    " {'slot': 1, 'module': 'ge', 'ports': ["
	    "  {'name': 'i', 'interface': 'wl-access.4094x', 'facing': 'access', 'mtu': 3000}]},"
	    " {'slot': 0, 'module': 'ge', 'ports': ["
	    "  {'name': 'p', 'device': 'net_null0', 'facing': 'peer',"
	    "   'address': '192.0.2.1/31', 'worker': 2},"
	    "  {'name': 'c', 'device': 'net_null1', 'facing': 'core', 'address': '10.0.0.1/8',"
	    "   'gateway': '10.255.0.1', 'address6': '2001:db8::1/64',"
	    "   'gateway6': '2001:db8::2'}]}]}");
	const struct cfg_port *access = &cfg->ports[0], *interface = &cfg->ports[1],
			      *peer = &cfg->ports[2], *core = &cfg->ports[3];

	assert_int_equal(cfg->dataplane.main_core, 3);
	assert_int_equal(cfg->dataplane.n_workers, 3);
	assert_int_equal(cfg->dataplane.worker_cores[1], -1);
	assert_int_equal(cfg->dataplane.worker_cores[2], 2);
	assert_false(cfg->dataplane.hugepages);
	assert_int_equal(cfg->n_slots, 3);
	assert_string_equal(cfg->slots[0].module, "e3");
	assert_int_equal(cfg->n_ports, 4);
	assert_int_equal(access->slot, 31);
	assert_string_equal(access->device, "0000:01:00.0");
	assert_string_equal(access->interface, "");
	assert_string_equal(interface->device, "");
	assert_string_equal(interface->interface, "wl-access.4094x");
	assert_int_equal(interface->mtu, 3000);
	assert_int_equal(access->facing, CFG_FACING_ACCESS);
	assert_int_equal(access->ipv4.address, 0);
	assert_int_equal(access->vlan, 7);
	assert_int_equal(access->mtu, 2999);
	assert_int_equal(peer->slot, 0);
	assert_int_equal(peer->facing, CFG_FACING_PEER);
	assert_int_equal(peer->ipv4.address, 0xc0000201);
	assert_int_equal(peer->ipv4.length, 31);
	assert_int_equal(peer->gateway4, 0);
	assert_int_equal(peer->mtu, 1500);
	assert_int_equal(peer->worker, 2);
	assert_int_equal(core->facing, CFG_FACING_CORE);
	assert_int_equal(core->gateway4, 0x0aff0001);
	assert_int_equal(core->ipv6.length, 64);
	assert_int_equal(core->ipv6.address[0], 0x20);
	assert_int_equal(core->gateway6[15], 2);
	cfg_free(cfg);
}

/* "Not configured" in an inner scope means that the outer value applies. */
static void inheritance(void **state)
{
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x'}, 'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
	    "  {'name': 'p', 'device': 'net_null0', 'facing': 'peer',"
	    "   'address': '192.0.2.1/24'}]}],"
	    "'l2tp': {'host_name': 'ours', 'password': 'global',"
	    " 'failover_resync': 'silent-failover',"
	    " 'receive_window': 8, 'retransmission': {'established': 7, 'interval_ms': 500},"
	    " 'destination_profiles': [{'name': 'a', 'address': '0.0.0.0/0', 'remote_hosts': ["
	    "   {'name': 'same'}, {'name': 'null', 'failover_resync': null},"
	    "   {'name': 'own', 'failover_resync': 'disable', 'host_name': 'theirs',"
	    "    'password': '',"
	    "    'retransmission': {'established': 9}, 'hello_interval': 0,"
	    "    'data_sequencing': true}]}],"
	    " 'tunnels': [{'name': 't', 'remote': '192.0.2.2', 'port': 'p',"
	    "   'failover_resync': '" FALLBACK "', 'hide_avps': true, 'max_sessions': 3}]}}");
	const struct cfg_tunnel_policy *same = &cfg->profiles[0].hosts[0].policy;
	const struct cfg_tunnel_policy *null = &cfg->profiles[0].hosts[1].policy;
	const struct cfg_tunnel_policy *own = &cfg->profiles[0].hosts[2].policy;
	const struct cfg_tunnel_policy *tunnel = &cfg->tunnels[0].policy;

	assert_string_equal(same->host_name, "ours");
	assert_string_equal(same->password, "global");
	assert_int_equal(same->method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(same->method_scope, CFG_SCOPE_GLOBAL);
	assert_int_equal(same->receive_window, 8);
	assert_int_equal(same->retransmission.established, 7);
	assert_int_equal(null->method, CFG_METHOD_SILENT_FAILOVER);
	assert_int_equal(null->method_scope, CFG_SCOPE_GLOBAL);
	assert_string_equal(own->host_name, "theirs");
	assert_string_equal(own->password, "");
	assert_int_equal(own->method, CFG_METHOD_DISABLE);
	assert_int_equal(own->method_scope, CFG_SCOPE_PROFILE);
	assert_int_equal(own->hello_interval_s, 0);
	assert_int_equal(own->receive_window, 8);
	assert_int_equal(own->retransmission.established, 9);
	assert_int_equal(own->retransmission.interval_ms, 500);
	assert_true(own->data_sequencing);
	assert_int_equal(tunnel->method, CFG_METHOD_FALLBACK);
	assert_int_equal(tunnel->method_scope, CFG_SCOPE_TUNNEL);
	assert_true(tunnel->hide_avps);
	assert_int_equal(tunnel->max_sessions, 3);
	assert_int_equal(cfg->tunnels[0].remote, 0xc0000202);
	assert_int_equal(cfg->tunnels[0].port, 0);
	assert_false(cfg->l2tp.hide_avps);
	cfg_free(cfg);
}

static void assert_failover(const struct cfg_tunnel_policy *policy, enum cfg_method method,
			    struct cfg_failover expected)
{
	assert_int_equal(policy->method, method);
	assert_int_equal(policy->failover.control, expected.control);
	assert_int_equal(policy->failover.data, expected.data);
	assert_int_equal(policy->failover.recovery_time_ms, expected.recovery_time_ms);
	assert_int_equal(policy->failover.farewell_capability, expected.farewell_capability);
	assert_int_equal(policy->failover.data_reset_packets, expected.data_reset_packets);
}

/* RFC 4951 section 6: C, D and Recovery Time are configured; here by scope, key by key. */
static void the_failover_protocol(void **state)
{
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x'}, 'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
	    "  {'name': 'p', 'device': 'net_null0', 'facing': 'peer',"
	    "   'address': '192.0.2.1/24'}]}],"
	    "'l2tp': {'host_name': 'ours', 'failover_resync': 'failover-protocol',"
	    " 'failover': {'data': false, 'recovery_time_ms': 4294967295,"
	    "   'data_reset_packets': 255},"
	    " 'destination_profiles': [{'name': 'a', 'address': '0.0.0.0/0', 'remote_hosts': ["
	    "   {'name': 'same'}, {'name': 'none', 'failover': {}},"
	    "   {'name': 'data', 'failover_resync': 'silent-failover',"
	    "    'failover': {'control': false, 'data': true}}]}],"
	    " 'tunnels': [{'name': 't', 'remote': '192.0.2.2', 'port': 'p',"
	    "   'failover': {'recovery_time_ms': 0, 'farewell_capability': false,"
	    "    'data_reset_packets': 1}}]}}");
	const struct cfg_remote_host *hosts = cfg->profiles[0].hosts;
	const struct cfg_failover global = {true, false, UINT32_MAX, true, 255};

	assert_failover(&cfg->l2tp, CFG_METHOD_FAILOVER_PROTOCOL, global);
	assert_failover(&hosts[0].policy, CFG_METHOD_FAILOVER_PROTOCOL, global);
	assert_failover(&hosts[1].policy, CFG_METHOD_FAILOVER_PROTOCOL, global);
	assert_failover(&hosts[2].policy, CFG_METHOD_SILENT_FAILOVER,
			(struct cfg_failover){false, true, UINT32_MAX, true, 255});
	assert_failover(&cfg->tunnels[0].policy, CFG_METHOD_FAILOVER_PROTOCOL,
			(struct cfg_failover){true, false, 0, false, 1});
	cfg_free(cfg);
}

static const char ranges[] =
    "{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h', 'tunnels': ["
    "  {'name': 's', 'remote': '192.0.2.3', 'port': 'p'},"
    "  {'name': 't', 'remote': '192.0.2.2', 'port': 'p'}]},"
    "'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
    "  {'name': 'p', 'device': 'net_null0', 'facing': 'peer', 'address': '192.0.2.1/24'},"
    "  {'name': 'a', 'device': 'net_null1', 'facing': 'access'}]}],"
    "'subscribers': ["
    " {'name': 'u{}@isp', 'count': 300, 'port': 'a', 'mac': '02:00:00:00:fe:ff',"
    "  'pppoe_session': 65236,"
    "  'tunnel': 't'},"
    " {'name': 'v{}', 'count': 300, 'ipv4': '10.0.0.255', 'ipv6': '2001:db8:0:ff00::/56'},"
    " {'name': 'w', 'ipv6': 'fe00::ffff/128'}]}";

static void subscribers_are_expanded(void **state)
{
	struct cfg *cfg = parse(ranges);
	struct cfg_subscriber one;

	assert_int_equal(cfg->n_subscribers, 3);
	assert_int_equal(cfg->subscribers[0].port, 1);
	assert_int_equal(cfg->subscribers[0].tunnel, 1);
	cfg_subscriber_expand(&cfg->subscribers[0], 0, &one);
	assert_string_equal(one.name, "u1@isp");
	assert_memory_equal(one.mac, "\x02\x00\x00\x00\xfe\xff", 6);
	assert_int_equal(one.pppoe_session, 65236);
	assert_int_equal(one.ipv4, 0);
	assert_int_equal(one.ipv6.length, 0);
	cfg_subscriber_expand(&cfg->subscribers[0], 299, &one);
	assert_string_equal(one.name, "u300@isp");
	assert_memory_equal(one.mac, "\x02\x00\x00\x01\x00\x2a", 6);
	assert_int_equal(one.pppoe_session, 65535);

	assert_int_equal(cfg->subscribers[1].port, -1);
	assert_int_equal(cfg->subscribers[1].tunnel, -1);
	cfg_subscriber_expand(&cfg->subscribers[1], 1, &one);
	assert_string_equal(one.name, "v2");
	assert_int_equal(one.pppoe_session, 0);
	assert_int_equal(one.ipv4, 0x0a000100);
	assert_int_equal(one.ipv6.length, 56);
	assert_memory_equal(one.ipv6.address, "\x20\x01\x0d\xb8\x00\x01\x00\x00\0\0\0\0\0\0\0\0",
			    16);

	cfg_subscriber_expand(&cfg->subscribers[2], 0, &one);
	assert_string_equal(one.name, "w");
	assert_int_equal(one.ipv4, 0);
	assert_int_equal(one.ipv6.length, 128);
	assert_int_equal(one.ipv6.address[15], 0xff);
	cfg_free(cfg);
}

/* By every name that there is, and by some that only look like one. */
static void subscribers_are_found_by_name(void **state)
{
	static const char *const none[] = {"user0", "user01", "user1001", "user", "7",
					   "a1-b8", "a1x-b7", "x2y2",     "bob1", "",
					   "n1m41", "n1m04",  "user{}",   "a-b7", "user1 "};
	struct cfg *cfg = parse("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h'},"
				"'subscribers': ["
				"{'name': 'user{}', 'count': 1000, 'ipv4': '10.64.0.1'},"
				"{'name': 'a{}-b7', 'count': 20, 'ipv4': '10.65.0.1'},"
				"{'name': 'a1-b{}x', 'count': 20, 'ipv4': '10.66.0.1'},"
				"{'name': 'x2y{}', 'count': 1, 'ipv4': '10.67.0.1'},"
				"{'name': 'n1m{}0', 'count': 3, 'ipv4': '10.68.0.1'},"
				"{'name': 'bob', 'ipv4': '10.69.0.1'},"
				"{'name': 'eve9', 'ipv4': '10.70.0.1'}]}");
	struct cfg_names *names = cfg_names_new(cfg);
	struct cfg_subscriber one;
	unsigned range, index;

	(void)state;
	assert_non_null(names);
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		for (unsigned k = 0; k < cfg->subscribers[i].count; k++) {
			cfg_subscriber_expand(&cfg->subscribers[i], k, &one);
			assert_true(
			    cfg_names_find(names, one.name, strlen(one.name), &range, &index));
			assert_int_equal(range, i);
			assert_int_equal(index, k);
		}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(cfg_names_find(names, none[i], strlen(none[i]), &range, &index));
	cfg_names_free(names);
	cfg_names_free(NULL);
	cfg_free(cfg);
}

/* An LNS's range is not bound by the number of PPPoE sessions, and a million names cost nothing to compare. */
static void a_million_subscribers(void **state)
{
	struct cfg *cfg =
	    parse("{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h'},"
		  "'limits': {'sessions': 1000000},"
		  "'subscribers': [{'name': 'u{}', 'count': 1000000, 'ipv4': '10.64.0.1'}]}");

	(void)state;
	assert_int_equal(cfg->subscribers[0].count, 1000000);
	cfg_free(cfg);
}

static void check_host(const struct cfg *cfg, uint32_t address, const char *host,
		       const char *profile, const char *entry)
{
	const struct cfg_profile *in;
	/* The name comes from a packet: no NUL after it. */
	char *bytes = malloc(strlen(host) + 1);
	const struct cfg_remote_host *found;

	memset(bytes, '#', strlen(host) + 1);
	memcpy(bytes, host, strlen(host));
	found = cfg_find_remote_host(cfg, address, bytes, strlen(host), &in);
	free(bytes);
	assert_int_equal(!found, !entry);
	assert_int_equal(!in, !profile);
	if (!entry)
		return;
	assert_string_equal(found->name, entry);
	assert_string_equal(in->name, profile);
}

static void a_remote_host_is_found(void **state)
{
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h', 'destination_profiles': ["
	    " {'name': 'ten', 'address': '10.0.0.0/8', 'remote_hosts': ["
	    "   {'name': '*'}, {'name': 'lac'}]},"
	    " {'name': 'one', 'address': '10.1.0.9/32', 'remote_hosts': [{'name': 'lac'}]},"
	    " {'name': 'half', 'address': '128.0.0.0/1', 'remote_hosts': [{'name': 'far'}]}]}}");

	check_host(cfg, 0x0a020304, "lac", "ten", "lac");
	check_host(cfg, 0x0a020304, "lac2", "ten", "*");
	check_host(cfg, 0x0a020304, "la", "ten", "*");
	check_host(cfg, 0x0a020304, "", "ten", "*");
	check_host(cfg, 0x0a010009, "lac", "one", "lac");
	check_host(cfg, 0x0a010009, "other", NULL, NULL); /* the longest prefix decides */
	check_host(cfg, 0xffffffff, "far", "half", "far");
	check_host(cfg, 0x7fffffff, "far", NULL, NULL);
	assert_non_null(cfg_find_remote_host(cfg, 0x0a010009, "lac", 3, NULL));
	cfg_free(cfg);
}

/* Which keys a scope gives itself, objects' included; a null method is not given. */
static void own_keys(void **state)
{
	static const char *const names[] = {"host_name",
					    "password",
					    "failover_resync",
					    "hello_interval",
					    "receive_window",
					    "retransmission.established",
					    "retransmission.not_established",
					    "retransmission.interval_ms",
					    "retransmission.max_interval_ms",
					    "failover.control",
					    "failover.data",
					    "failover.recovery_time_ms",
					    "failover.farewell_capability",
					    "failover.data_reset_packets",
					    "hide_avps",
					    "data_sequencing",
					    "max_sessions",
					    "session_mtu"};
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x'}, 'l2tp': {'host_name': 'h', 'hello_interval': 9, "
	    "'destination_profiles': [{'name': 'p', 'address': '10.0.0.0/8', 'remote_hosts': ["
	    " {'name': 'a', 'failover_resync': null, 'failover': {'control': true}},"
	    " {'name': 'b', 'failover_resync': 'disable', 'retransmission': {'established': 5}}]}]}}");
	const struct cfg_remote_host *hosts = cfg->profiles[0].hosts;
	uint32_t seen = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t bit = cfg_policy_bit(names[i]);

		assert_int_equal(__builtin_popcount(bit), 1);
		assert_int_equal(seen & bit, 0);
		seen |= bit;
	}
	assert_int_equal(cfg_policy_bit("established"), 0);
	assert_int_equal(cfg_policy_bit("retransmission"), 0);
	assert_int_equal(cfg_policy_bit("retransmission.control"), 0);
	assert_int_equal(cfg->l2tp.own,
			 cfg_policy_bit("host_name") | cfg_policy_bit("hello_interval"));
	assert_int_equal(hosts[0].policy.own, cfg_policy_bit("failover.control"));
	assert_int_equal(hosts[1].policy.own, cfg_policy_bit("failover_resync") |
						  cfg_policy_bit("retransmission.established"));
	cfg_free(cfg);
}

static void names_and_paths(void **state)
{
	struct cfg *cfg = parse(
	    "{'chassis': {'name': 'x', 'runtime_directory': '/r'}, 'l2tp': {'host_name': 'h'}}");
	char path[10];

	assert_int_equal(cfg_runtime_path(cfg, "abcd", path, sizeof(path)), 0);
	assert_string_equal(path, "/r/x/abcd");
	assert_int_equal(cfg_runtime_path(cfg, "abcde", path, sizeof(path)), -ENAMETOOLONG);
	assert_string_equal(cfg_method_name(CFG_METHOD_NOT_CONFIGURED), "not-configured");
	assert_string_equal(cfg_method_name(CFG_METHOD_FALLBACK), FALLBACK);
	assert_string_equal(cfg_scope_name(CFG_SCOPE_PROFILE), "profile");
	assert_string_equal(cfg_facing_name(CFG_FACING_CORE), "core");
	cfg_free(cfg);
	cfg_free(NULL);
	cfg_errors_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(ports),
	    cmocka_unit_test(inheritance),
	    cmocka_unit_test(the_failover_protocol),
	    cmocka_unit_test(subscribers_are_expanded),
	    cmocka_unit_test(subscribers_are_found_by_name),
	    cmocka_unit_test(a_million_subscribers),
	    cmocka_unit_test(a_remote_host_is_found),
	    cmocka_unit_test(own_keys),
	    cmocka_unit_test(names_and_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
