/* SPDX-License-Identifier: BSD-3-Clause */
/* The examples, and the reference that must name every key. */
#include "cfg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static char *reference(void)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	cfg_print_reference(out);
	fclose(out);
	return text;
}

static void check_documented(const char *table, const char *path)
{
	char row[256];

	snprintf(row, sizeof(row), "\n| `%s` | ", path);
	if (!strstr(table, row))
		fail_msg("%s is not in the reference", path);
}

/* Every key that the file uses has its row. */
static void check_all_documented(const char *table, const char *path, json_t *value)
{
	const char *key;
	json_t *member;
	char inner[200];

	json_object_foreach(value, key, member)
	{
		json_t *first = json_array_get(member, 0);

		snprintf(inner, sizeof(inner), "%s%s%s%s", path, *path ? "." : "", key,
			 json_is_object(first) ? "[]" : "");
		check_documented(table, inner);
		for (size_t i = 0; i < json_array_size(member); i++)
			check_all_documented(table, inner, json_array_get(member, i));
		check_all_documented(table, inner, member);
	}
}

static void the_examples_load_and_are_documented(void **state)
{
	static const char *const examples[] = {CFG_EXAMPLES "/lac.json", CFG_EXAMPLES "/lns.json"};
	char *table = reference();

	for (size_t i = 0; i < 2; i++) {
		struct cfg_errors errors;
		struct cfg *cfg = cfg_load(examples[i], &errors);
		json_t *json = json_load_file(examples[i], 0, NULL);

		cfg_errors_print(&errors, examples[i], stderr);
		assert_non_null(cfg);
		assert_int_equal(cfg->subscribers[0].count, 64);
		check_all_documented(table, "", json);
		json_decref(json);
		cfg_free(cfg);
		cfg_errors_free(&errors);
	}
	free(table);
}

static void the_reference_has_every_key(void **state)
{
	static const char *const keys[] = {"chassis.runtime_directory",
					   "limits.message_buffers",
					   "limits.accounting_records",
					   "dataplane.idle_sleep_us",
					   "dataplane.mbufs",
					   "slots[].ports[].interface",
					   "slots[].ports[].vlan",
					   "slots[].ports[].mtu",
					   "slots[].ports[].worker",
					   "slots[].ports[].encapsulation",
					   "slots[].ports[].rate_kbps",
					   "l2tp.lockout",
					   "l2tp.tunnel_idle",
					   "aaa.domain_maps[].authentication",
					   "aaa.domain_maps[].tunnels[].preference",
					   "radius.dead_time",
					   "radius.authentication_servers[].secret",
					   "radius.accounting_servers[].port",
					   "subscribers[].password",
					   "l2tp.accept_unknown_hosts",
					   "l2tp.retransmission.established",
					   "l2tp.retransmission.not_established",
					   "l2tp.retransmission.interval_ms",
					   "l2tp.retransmission.max_interval_ms",
					   "l2tp.failover.control",
					   "l2tp.failover.data",
					   "l2tp.failover.recovery_time_ms",
					   "l2tp.failover.farewell_capability",
					   "l2tp.failover.data_reset_packets"};
	static const char *const policy[] = {"host_name",      "password",       "failover_resync",
					     "hello_interval", "receive_window", "retransmission",
					     "failover",       "hide_avps",      "data_sequencing",
					     "max_sessions",   "session_mtu"};
	static const char *const scopes[] = {"l2tp", "l2tp.destination_profiles[].remote_hosts[]",
					     "l2tp.tunnels[]", "aaa.domain_maps[].tunnels[]"};
	char *table = reference(), path[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		check_documented(table, keys[i]);
	for (size_t i = 0; i < sizeof(policy) / sizeof(policy[0]); i++)
		for (size_t j = 0; j < sizeof(scopes) / sizeof(scopes[0]); j++) {
			snprintf(path, sizeof(path), "%s.%s", scopes[j], policy[i]);
			check_documented(table, path);
		}
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_examples_load_and_are_documented),
	    cmocka_unit_test(the_reference_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
