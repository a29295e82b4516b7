/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of words for keys. Every key of the schema has a row (tests/test_cli_grammar.c); a key that stands
 * in several modes alike has one for all. */
#include "grammar.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M(mode) (1u << GRAMMAR_##mode)

enum {
	M_SERVER = M(AUTHENTICATION) | M(ACCOUNTING),
	/* Keys of the tunnel policy; globally they are in "l2tp", and their words begin with it. */
	M_POLICY = M(GLOBAL) | M(HOST) | M(TUNNEL) | M(DOMAIN_TUNNEL),
};

/* Modes, words, path; then what else there is. */
#define KEY(in, typed, key, ...)                                                                   \
	{                                                                                          \
		.modes = (in), .words = (typed), .path = (key), __VA_ARGS__                        \
	}
/* Modes, words, path; the mode that they open, the key by which its objects are named. */
#define MODE(in, typed, key, mode, name, ...)                                                      \
	{                                                                                          \
		.modes = (in), .words = (typed), .path = (key), .opens = (mode), .id = (name),     \
		__VA_ARGS__                                                                        \
	}

static const struct row {
	unsigned modes;
	const char *words;
	const char *path;
	enum grammar_mode opens;
	const char *id, *pair; /* pair: beside id, where one id may stand twice */
	bool in_line, remark;
	const char *help; /* NULL: the schema's */
} rows[] = {
    KEY(M(GLOBAL), "chassis", "chassis.name", .remark = true),
    KEY(M(GLOBAL), "runtime-directory", "chassis.runtime_directory"),
    KEY(M(GLOBAL), "limits tunnels", "limits.tunnels"),
    KEY(M(GLOBAL), "limits sessions", "limits.sessions"),
    KEY(M(GLOBAL), "limits message-buffers", "limits.message_buffers"),
    KEY(M(GLOBAL), "limits accounting-records", "limits.accounting_records"),
    KEY(M(GLOBAL), "dataplane main-core", "dataplane.main_core"),
    KEY(M(GLOBAL), "dataplane worker-cores", "dataplane.worker_cores"),
    KEY(M(GLOBAL), "dataplane idle-sleep", "dataplane.idle_sleep_us"),
    KEY(M(GLOBAL), "dataplane memory", "dataplane.memory_mb"),
    KEY(M(GLOBAL), "dataplane hugepages", "dataplane.hugepages"),
    KEY(M(GLOBAL), "dataplane mbufs", "dataplane.mbufs"),

    MODE(M(GLOBAL), "slot", "slots", GRAMMAR_SLOT, "slot", .help = "A line module and its ports"),
    KEY(M(SLOT), "module", "module", .in_line = true),
    MODE(M(SLOT), "port", "ports", GRAMMAR_PORT, "name", .help = "A port of the module"),
    KEY(M(PORT), "device", "device"),
    KEY(M(PORT), "interface", "interface"),
    KEY(M(PORT), "facing", "facing"),
    KEY(M(PORT), "ip address", "address"),
    KEY(M(PORT), "ip gateway", "gateway"),
    KEY(M(PORT), "ipv6 address", "address6"),
    KEY(M(PORT), "ipv6 gateway", "gateway6"),
    KEY(M(PORT), "vlan", "vlan"),
    KEY(M(PORT), "mtu", "mtu"),
    KEY(M(PORT), "worker", "worker"),
    KEY(M(PORT), "encapsulation", "encapsulation"),
    KEY(M(PORT), "rate", "rate_kbps",
	.help = "kb/s of the line, as LNSs are told (Connect Speed AVPs)"),

    KEY(M(GLOBAL), "l2tp accept-unknown-hosts", "l2tp.accept_unknown_hosts"),
    KEY(M(GLOBAL), "l2tp lockout", "l2tp.lockout"),
    KEY(M(GLOBAL), "l2tp tunnel-idle", "l2tp.tunnel_idle"),

    KEY(M(TUNNEL), "address", "remote"),
    KEY(M(TUNNEL), "port", "port"),
    KEY(M(DOMAIN_TUNNEL), "address", "remote"),
    KEY(M(DOMAIN_TUNNEL), "port", "port"),
    KEY(M(DOMAIN_TUNNEL), "preference", "preference"),
    KEY(M(DOMAIN_TUNNEL), "identification", "identification"),
    KEY(M(DOMAIN_TUNNEL), "server-name", "server_name"),

    KEY(M(GLOBAL), "host-name", "host_name"),
    KEY(M(HOST) | M(TUNNEL), "local host", "host_name"),
    KEY(M(DOMAIN_TUNNEL), "client-name", "host_name"),
    KEY(M(HOST), "tunnel password", "password"),
    KEY(M(GLOBAL) | M(TUNNEL) | M(DOMAIN_TUNNEL), "password", "password"),
    KEY(M_POLICY, "failover-resync", "failover_resync",
	.help = "How a tunnel recovers after a warm start"),
    KEY(M_POLICY, "hello-interval", "hello_interval"),
    KEY(M_POLICY, "receive-window", "receive_window"),
    KEY(M_POLICY, "retransmission established", "retransmission.established"),
    KEY(M_POLICY, "retransmission not-established", "retransmission.not_established"),
    KEY(M_POLICY, "retransmission interval", "retransmission.interval_ms",
	.help = "Milliseconds of the first interval; each further one is twice as long"),
    KEY(M_POLICY, "retransmission max-interval", "retransmission.max_interval_ms",
	.help = "Milliseconds of the longest interval"),
    /* Not "failover", so that "fail" is failover-resync. */
    KEY(M_POLICY, "recovery control-channel", "failover.control"),
    KEY(M_POLICY, "recovery data-channel", "failover.data"),
    KEY(M_POLICY, "recovery time", "failover.recovery_time_ms"),
    KEY(M_POLICY, "recovery farewell-capability", "failover.farewell_capability"),
    KEY(M_POLICY, "recovery data-reset-packets", "failover.data_reset_packets"),
    KEY(M_POLICY, "hide-avps", "hide_avps"),
    KEY(M_POLICY, "data-sequencing", "data_sequencing"),
    KEY(M_POLICY, "max-sessions", "max_sessions", .help = "Sessions in one tunnel"),
    KEY(M_POLICY, "session-mtu", "session_mtu"),

    MODE(M(GLOBAL), "l2tp destination profile", "l2tp.destination_profiles", GRAMMAR_PROFILE,
	 "name", .help = "LNS: who may open tunnels to us"),
    KEY(M(PROFILE), "ip address", "address", .in_line = true),
    MODE(M(PROFILE), "remote host", "remote_hosts", GRAMMAR_HOST, "name",
	 .help = "The peer's Host Name; *: any other"),
    MODE(M(GLOBAL), "l2tp tunnel", "l2tp.tunnels", GRAMMAR_TUNNEL, "name",
	 .help = "LAC: a tunnel that we keep open"),

    MODE(M(GLOBAL), "aaa domain-map", "aaa.domain_maps", GRAMMAR_DOMAIN_MAP, "name",
	 .help = "LAC: what applies to the subscribers of a domain"),
    KEY(M(DOMAIN_MAP), "authentication", "authentication"),
    KEY(M(DOMAIN_MAP), "strip-domain", "strip_domain"),
    MODE(M(DOMAIN_MAP), "tunnel", "tunnels", GRAMMAR_DOMAIN_TUNNEL, "tunnel",
	 .help = "A tunnel of the domain, by its number"),

    KEY(M(GLOBAL), "radius nas-identifier", "radius.nas_identifier"),
    KEY(M(GLOBAL), "radius nas-address", "radius.nas_address"),
    KEY(M(GLOBAL), "radius source-address", "radius.source_address"),
    KEY(M(GLOBAL), "radius dead-time", "radius.dead_time"),
    KEY(M(GLOBAL), "radius interim-interval", "radius.interim_interval"),
    KEY(M(GLOBAL), "radius session-accounting", "radius.session_accounting"),
    KEY(M(GLOBAL), "radius tunnel-accounting", "radius.tunnel_accounting"),
    KEY(M(GLOBAL), "radius link-accounting", "radius.link_accounting"),
    MODE(M(GLOBAL), "radius authentication server", "radius.authentication_servers",
	 GRAMMAR_AUTHENTICATION, "address", .pair = "port",
	 .help = "A server, asked in the order of entry"),
    MODE(M(GLOBAL), "radius accounting server", "radius.accounting_servers", GRAMMAR_ACCOUNTING,
	 "address", .pair = "port", .help = "A server, asked in the order of entry"),
    KEY(M_SERVER, "udp-port", "port", .in_line = true, .help = "The server's UDP port"),
    KEY(M_SERVER, "key", "secret"),
    KEY(M_SERVER, "timeout", "timeout_ms"),
    KEY(M_SERVER, "retransmit", "retransmit"),

    MODE(M(GLOBAL), "subscriber", "subscribers", GRAMMAR_SUBSCRIBER, "name",
	 .help = "A static subscriber, or a range of them ({} in the name)"),
    KEY(M(SUBSCRIBER), "count", "count"),
    KEY(M(SUBSCRIBER), "port", "port"),
    KEY(M(SUBSCRIBER), "mac", "mac"),
    KEY(M(SUBSCRIBER), "pppoe-session", "pppoe_session"),
    KEY(M(SUBSCRIBER), "tunnel", "tunnel"),
    KEY(M(SUBSCRIBER), "password", "password"),
    KEY(M(SUBSCRIBER), "ip address", "ipv4"),
    KEY(M(SUBSCRIBER), "ipv6 prefix", "ipv6"),
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct {
	const char *name, *path;
} modes[GRAMMAR_MODES] = {
    [GRAMMAR_GLOBAL] = {"config", ""},
    [GRAMMAR_PROFILE] = {"config-l2tp-dest-profile", "l2tp.destination_profiles"},
    [GRAMMAR_HOST] = {"config-l2tp-dest-profile-host", "l2tp.destination_profiles.remote_hosts"},
    [GRAMMAR_TUNNEL] = {"config-l2tp-tunnel", "l2tp.tunnels"},
    [GRAMMAR_DOMAIN_MAP] = {"config-domain-map", "aaa.domain_maps"},
    [GRAMMAR_DOMAIN_TUNNEL] = {"config-domain-map-tunnel", "aaa.domain_maps.tunnels"},
    [GRAMMAR_AUTHENTICATION] = {"config-radius", "radius.authentication_servers"},
    [GRAMMAR_ACCOUNTING] = {"config-radius", "radius.accounting_servers"},
    [GRAMMAR_SLOT] = {"config-slot", "slots"},
    [GRAMMAR_PORT] = {"config-slot-port", "slots.ports"},
    [GRAMMAR_SUBSCRIBER] = {"config-subscriber", "subscribers"},
};

const char *grammar_mode_name(enum grammar_mode mode)
{
	return modes[mode].name;
}

const char *grammar_mode_path(enum grammar_mode mode)
{
	return modes[mode].path;
}

__attribute__((format(printf, 1, 2))) static char *format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	return text;
}

/* The schema's help up to its first stop, without the marks of the reference. */
static char *shorten(const char *help)
{
	char *text = format("%s", help), *to = text;
	size_t length = strlen(text);

	for (const char *stop = text; (stop = strpbrk(stop, ".;")); stop++)
		if (stop > text + 20 && (!stop[1] || stop[1] == ' ')) {
			length = (size_t)(stop - text);
			break;
		}
	text[length] = '\0';
	for (const char *from = text; *from; from++)
		if (*from != '`')
			*to++ = *from;
	*to = '\0';
	return text;
}

static struct grammar_entry make_entry(enum grammar_mode mode, const struct row *row)
{
	const char *outer = modes[mode].path;
	/* A row of several modes whose path does not begin at the root is one of the policy. */
	bool policy = mode == GRAMMAR_GLOBAL && !cfg_key_find(row->path);
	struct grammar_entry entry = {
	    .words = policy ? format("l2tp %s", row->words) : row->words,
	    .path = policy ? format("l2tp.%s", row->path) : row->path,
	    .opens = row->opens,
	    .id = row->id,
	    .pair = row->pair,
	    .in_line = row->in_line,
	    .remark = row->remark,
	};
	char *path = format("%s%s%s", outer, *outer ? "." : "", entry.path);

	entry.key = cfg_key_find(path);
	if (!entry.key)
		abort();
	cfg_key_view(entry.key, &entry.view);
	entry.help = row->help ? row->help : shorten(entry.view.help);
	free(path);
	return entry;
}

const struct grammar_entry *grammar_entries(enum grammar_mode mode, unsigned *n)
{
	/* Made once, and kept. */
	static struct grammar_entry entries[GRAMMAR_MODES][N_ROWS];
	static unsigned count[GRAMMAR_MODES];
	static bool made;

	for (size_t i = 0; !made && i < N_ROWS; i++)
		for (unsigned m = GRAMMAR_GLOBAL; m < GRAMMAR_MODES; m++)
			if (rows[i].modes & 1u << m)
				entries[m][count[m]++] = make_entry((enum grammar_mode)m, &rows[i]);
	made = true;
	*n = count[mode];
	return entries[mode];
}

const struct grammar_entry *grammar_find_key(const char *path, enum grammar_mode *mode)
{
	const struct cfg_key *key = cfg_key_find(path);

	for (unsigned m = GRAMMAR_GLOBAL; key && m < GRAMMAR_MODES; m++) {
		size_t length = strlen(modes[m].path);
		unsigned n;
		const struct grammar_entry *entries = grammar_entries((enum grammar_mode)m, &n);

		if (length && (strncmp(path, modes[m].path, length) != 0 || path[length] != '.'))
			continue;
		for (unsigned i = 0; i < n; i++)
			if (entries[i].key == key &&
			    strcmp(entries[i].path, path + length + (length > 0)) == 0) {
				*mode = (enum grammar_mode)m;
				return &entries[i];
			}
	}
	return NULL;
}
