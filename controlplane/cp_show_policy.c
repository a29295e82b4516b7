/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy, key by key, as the configuration names them. */
#include "cp_show_internal.h"

enum kind {
	TEXT,
	SECRET,
	METHOD,
	NUMBER,
	FLAG,
};

#define AT(field) offsetof(struct cfg_tunnel_policy, field)

static const struct {
	const char *key;
	enum kind kind;
	size_t offset;
} keys[] = {
    {"host_name", TEXT, AT(host_name)},
    {"password", SECRET, AT(password)},
    {"failover_resync", METHOD, AT(method)},
    {"failover.recovery_time_ms", NUMBER, AT(failover.recovery_time_ms)},
    {"failover.control", FLAG, AT(failover.control)},
    {"failover.data", FLAG, AT(failover.data)},
    {"failover.farewell_capability", FLAG, AT(failover.farewell_capability)},
    {"failover.data_reset_packets", NUMBER, AT(failover.data_reset_packets)},
    {"retransmission.established", NUMBER, AT(retransmission.established)},
    {"retransmission.not_established", NUMBER, AT(retransmission.not_established)},
    {"retransmission.interval_ms", NUMBER, AT(retransmission.interval_ms)},
    {"retransmission.max_interval_ms", NUMBER, AT(retransmission.max_interval_ms)},
    {"hello_interval", NUMBER, AT(hello_interval_s)},
    {"receive_window", NUMBER, AT(receive_window)},
    {"hide_avps", FLAG, AT(hide_avps)},
    {"data_sequencing", FLAG, AT(data_sequencing)},
    {"max_sessions", NUMBER, AT(max_sessions)},
    {"session_mtu", NUMBER, AT(session_mtu)},
};

static json_t *show_value(enum kind kind, const void *field)
{
	switch (kind) {
	case TEXT:
		return json_string(*(char *const *)field);
	case SECRET:
		return json_string(**(char *const *)field ? "set" : "none");
	case METHOD:
		return json_string(cp_show_method(*(const enum cfg_method *)field));
	case NUMBER:
		return json_integer((json_int_t) * (const unsigned *)field);
	case FLAG:
		return json_boolean(*(const bool *)field);
	}
	return json_null();
}

json_t *cp_show_policy(const struct cfg_tunnel_policy *policy, bool global)
{
	static const char *const from[2][2] = {{"global", "own"}, {"default", "configured"}};
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		bool own = policy->own & cfg_policy_bit(keys[i].key);
		json_t *one = json_object();

		cp_put(one, "value",
		       show_value(keys[i].kind, (const char *)policy + keys[i].offset));
		cp_put_name(one, "from", from[global][own]);
		cp_put(object, keys[i].key, one);
	}
	return object;
}
