/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline show tunnel ID: all that is known of one tunnel, in lines. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "source.h"
#include "table.h"

/* A line with its title; the text after it. */
__attribute__((format(printf, 2, 3))) static void line(const char *title, const char *format, ...)
{
	va_list arguments;

	printf("  %-16s", title);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* The Failover Capability AVP of one end (RFC 4951 section 5.1). */
static void print_offer(const char *title, const json_t *offer)
{
	bool control = get_flag(offer, "control"), data = get_flag(offer, "data");

	if (!json_is_object(offer))
		line(title, "nothing");
	else
		line(title, "%s%s%s; recovery time %s", control ? "control channel" : "",
		     control && data ? " and " : "", data ? "data channel" : "",
		     text_duration(get_count(offer, "recovery_time_ms")));
}

/* What the present configuration would give another value. */
static void print_older(const json_t *older)
{
	char text[512] = "";
	const json_t *name;
	size_t i;

	json_array_foreach(older, i, name)
	{
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, "%s%s", i ? ", " : "",
			 json_string_value(name));
	}
	if (text[0])
		line("older choice", "%s", text);
}

static void print_origin(const json_t *t)
{
	const char *origin = get_text(t, "origin"), *assignment = get_text(t, "assignment"),
		   *server = get_text(t, "server_host");
	const char *module = get_text(t, "module");

	if (strcmp(origin, "domain-map") == 0 || strcmp(origin, "radius") == 0)
		line("origin", "%s, tunnel %lld of domain map %s%s%s%s%s", origin,
		     get_int(t, "domain_tunnel"), get_text(t, "name"),
		     assignment[0] ? ", assignment " : "", assignment,
		     server[0] ? ", server host " : "", server);
	else
		line("origin", "%s", origin);
	if (module[0])
		line("module", "%s in slot %lld", module, get_int(t, "slot"));
	if (get_int(t, "accounting_id"))
		line("accounting", "%016llx", get_int(t, "accounting_id"));
}

static void print_method(const json_t *t)
{
	line("method", "%s in effect", get_text(t, "method_in_effect"));
	line("", "%s configured (%s)", get_text(t, "method"), get_text(t, "method_scope"));
	if (get_flag(t, "method_refused"))
		line("", "silent-failover is refused: module %s in slot %lld does not support it",
		     get_text(t, "module"), get_int(t, "slot"));
	print_older(json_object_get(t, "older"));
	print_offer("we offered", json_object_get(t, "offered"));
	print_offer("peer offered", json_object_get(t, "peer_offered"));
}

static void print_resync(const json_t *t)
{
	const json_t *resync = json_object_get(t, "resync"),
		     *ended = json_object_get(resync, "ended_ms_ago");
	const char *state = get_text(resync, "state");
	bool now = strcmp(state, "none") != 0;

	if (get_int(t, "recovers"))
		line("recovers", "tunnel %lld", get_int(t, "recovers"));
	if (now)
		line("resync", "%s: %lld sessions queried, %lld confirmed, %lld cleared", state,
		     get_int(resync, "queried"), get_int(resync, "confirmed"),
		     get_int(resync, "cleared"));
	else if (json_is_integer(ended))
		line("resync", "done %s ago: %lld sessions queried, %lld confirmed, %lld cleared",
		     text_duration(get_count(resync, "ended_ms_ago")), get_int(resync, "queried"),
		     get_int(resync, "confirmed"), get_int(resync, "cleared"));
	else
		line("resync", "never yet");
	if (now && json_is_integer(ended))
		line("", "the one before ended %s ago",
		     text_duration(get_count(resync, "ended_ms_ago")));
	if (get_int(t, "waiting_ms"))
		line("",
		     "the peer has not answered, and is waited for, for %s so far (recovery time "
		     "%s)",
		     text_duration(get_count(t, "waiting_ms")),
		     text_duration(
			 get_count(json_object_get(t, "peer_offered"), "recovery_time_ms")));
}

static void print_channel(const json_t *c)
{
	uint64_t hello = get_count(c, "hello_interval_ms");

	line("control channel", "%s%s%s", get_text(c, "mode"), get_flag(c, "dead") ? ", dead" : "",
	     get_flag(c, "silent") ? ", silent: nothing is sent or taken" : "");
	line("", "Ns %lld, Nr %lld, acknowledged up to %lld", get_int(c, "ns"), get_int(c, "nr"),
	     get_int(c, "acked"));
	line("", "window %lld of the peer's %lld (ssthresh %lld), ours %lld", get_int(c, "cwnd"),
	     get_int(c, "peer_window"), get_int(c, "ssthresh"), get_int(c, "receive_window"));
	line("", "waiting: %lld to be acknowledged, %lld to be consumed", get_int(c, "outbox"),
	     get_int(c, "inbox"));
	line("", "heard %s ago, sent %s ago, HELLO %s%s",
	     text_duration(get_count(c, "since_received_ms")),
	     text_duration(get_count(c, "since_sent_ms")), hello ? "after " : "never",
	     hello ? text_duration(hello) : "");
	line("messages",
	     "%lld received, %lld sent, %lld retransmitted (the present one %lld times)",
	     get_int(c, "received"), get_int(c, "sent"), get_int(c, "retransmitted"),
	     get_int(c, "retries"));
	line("", "%lld ZLB received, %lld sent; %lld HELLO received, %lld sent",
	     get_int(c, "zlb_received"), get_int(c, "zlb_sent"), get_int(c, "hello_received"),
	     get_int(c, "hello_sent"));
	line("", "%lld duplicate, %lld out of order, %lld out of window, %lld malformed",
	     get_int(c, "duplicates"), get_int(c, "out_of_order"), get_int(c, "out_of_window"),
	     get_int(c, "malformed"));
	line("", "%lld while the inbox was full, %lld while it was silent",
	     get_int(c, "inbox_full"), get_int(c, "silenced"));
}

static void print_tunnel(const json_t *t)
{
	const json_t *closing = json_object_get(t, "closing");
	const char *name = get_text(t, "name");

	printf("tunnel %lld%s%s%s: %s, %s, up for %s\n", get_int(t, "id"), name[0] ? " (" : "",
	       name, name[0] ? ")" : "", get_text(t, "state"), get_text(t, "role"),
	       text_duration(get_count(t, "uptime_ms")));
	if (closing)
		line("closes", "result %lld, error %lld: %s", get_int(closing, "result"),
		     get_int(closing, "error"), get_text(closing, "reason"));
	line("peer", "tunnel %lld of %s at %s:%lld", get_int(t, "peer_id"),
	     get_text(t, "peer_host"), get_text(t, "peer_address"), get_int(t, "peer_udp_port"));
	line("local", "%s at %s:%lld, port %s", get_text(t, "local_host"),
	     get_text(t, "local_address"), get_int(t, "local_udp_port"), get_text(t, "port"));
	print_origin(t);
	line("sessions", "%lld, at most %lld", get_int(t, "sessions"), get_int(t, "max_sessions"));
	print_method(t);
	print_resync(t);
	print_channel(json_object_get(t, "control"));
}

int show_one_tunnel(struct source *source, int id, bool another)
{
	json_t *document = source_ask_tunnel(source, id);
	const json_t *tunnel = json_array_get(json_object_get(document, "tunnels"), 0);
	bool good = document;

	/* One that has gone meanwhile is none of the list. */
	if (tunnel && another)
		putchar('\n');
	if (tunnel)
		print_tunnel(tunnel);
	json_decref(document);
	return good ? CLI_OK : CLI_FAILED;
}

int cli_show_tunnel(struct cli *cli)
{
	struct source *source;
	json_t *document = NULL;
	const json_t *tunnel;
	int result = CLI_FAILED;

	cli->tunnel = cli_read_id(cli->argv[0], "tunnel");
	if (!cli->tunnel)
		return CLI_USAGE;
	source = source_open(cli);
	if (source)
		document = source_ask_tunnel(source, cli->tunnel);
	tunnel = json_array_get(json_object_get(document, "tunnels"), 0);
	if (document && !tunnel) {
		cli_complain("no such tunnel: %d; warmline show tunnels has the IDs", cli->tunnel);
	} else if (document) {
		if (cli->json)
			cli_print_json(document);
		else
			print_tunnel(tunnel);
		result = CLI_OK;
	}
	json_decref(document);
	source_close(source);
	return result;
}
