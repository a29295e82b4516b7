/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters: of the data plane by name and reader, of ports, of control channels, of the engine. */
#include "cp_show_internal.h"

#include <string.h>

#include "cp_engine.h"
#include "lc_l2tp.h"

/* Workers in use, then the main lcore: where a reader stands in the mirror and what people call it.
 */
static unsigned reader_index(const struct cp_show *show, unsigned i)
{
	return i < show->cfg->dataplane.n_workers ? i : LC_MAX_WORKERS;
}

static unsigned n_readers(const struct cp_show *show)
{
	return show->cfg->dataplane.n_workers + 1;
}

static json_t *show_readers(const struct cp_show *show)
{
	json_t *readers = json_array();

	for (unsigned i = 0; i + 1 < n_readers(show); i++)
		json_array_append_new(readers, json_sprintf("worker %u", i));
	json_array_append_new(readers, json_string("main"));
	return readers;
}

static json_t *show_named(const struct cp_show *show)
{
	const struct lc_mirror *m = show->mirror;
	json_t *counters = json_array();

	for (unsigned c = 0; c < LC_COUNTERS; c++) {
		const char *name = m->header->counter_name[c];
		json_t *counter, *by_reader;
		uint64_t total = 0;

		if (!name[0])
			continue;
		counter = json_object();
		by_reader = json_array();
		for (unsigned i = 0; i < n_readers(show); i++) {
			uint64_t count = cp_show_load(&m->counters[reader_index(show, i)][c]);

			json_array_append_new(by_reader, json_integer((json_int_t)count));
			total += count;
		}
		cp_put(counter, "name", cp_show_text(name, LC_COUNTER_NAME));
		cp_put_int(counter, "total", total);
		cp_put(counter, "by_reader", by_reader);
		json_array_append_new(counters, counter);
	}
	return counters;
}

static json_t *show_ports(const struct cp_show *show)
{
#define PORT(field)                                                                                \
	{                                                                                          \
#field, offsetof(struct lc_port_state, field)                                      \
	}
	static const struct cp_show_counter table[] = {
	    PORT(rx_packets), PORT(rx_octets), PORT(tx_packets), PORT(tx_octets),
	    PORT(rx_missed),  PORT(tx_errors), {NULL, 0},
	};
	json_t *ports = json_array();

	for (unsigned i = 0; i < show->cfg->n_ports; i++) {
		json_t *port = json_object();

		cp_put(port, "name", cp_show_port(show, i));
		cp_put_counters(port, table, &show->mirror->ports[i]);
		json_array_append_new(ports, port);
	}
	return ports;
}

/* The sums over the tunnels that there are now. */
static json_t *show_channels(const struct cp_show *show)
{
	const struct lc_mirror *m = show->mirror;
	const struct cp_show_counter *c;
	struct lc_channel sum = {0};
	json_t *channels = json_object();
	uint32_t slot, limit = m->tunnel_mask + 1;

	for (slot = lc_map_next(m->tunnel_map, limit, 0); slot < limit;
	     slot = lc_map_next(m->tunnel_map, limit, slot + 1))
		for (c = cp_show_channel_counters; c->key; c++)
			*(uint64_t *)((char *)&sum + c->offset) += cp_show_load(
			    (const uint64_t *)((const char *)&m->channels[slot] + c->offset));
	cp_put_counters(channels, cp_show_channel_counters, &sum);
	return channels;
}

static json_t *show_messages(const struct cp_counters *counters)
{
	json_t *messages = json_array();

	for (int type = 0; type < (int)(sizeof(counters->sent) / sizeof(counters->sent[0]));
	     type++) {
		const char *name = lc_l2tp_message_name(type);
		json_t *message;

		if (!counters->received[type] && !counters->sent[type])
			continue;
		message = json_object();
		cp_put(message, "name", name ? json_string(name) : json_sprintf("type %d", type));
		cp_put_int(message, "received", counters->received[type]);
		cp_put_int(message, "sent", counters->sent[type]);
		json_array_append_new(messages, message);
	}
	return messages;
}

static json_t *show_events(const struct cp_counters *counters)
{
#define EVENT(field)                                                                               \
	{                                                                                          \
#field, offsetof(struct cp_counters, field)                                        \
	}
	static const struct cp_show_counter table[] = {
	    EVENT(tunnels_opened),
	    EVENT(tunnels_established),
	    EVENT(tunnels_closed),
	    EVENT(sessions_opened),
	    EVENT(sessions_established),
	    EVENT(sessions_closed),
	    EVENT(authentication_failures),
	    EVENT(malformed),
	    EVENT(unknown_mandatory),
	    EVENT(unexpected),
	    EVENT(set_aside),
	    EVENT(refused),
	    EVENT(recoveries_started),
	    EVENT(recoveries_accepted),
	    EVENT(tunnels_recovered),
	    EVENT(recoveries_failed),
	    EVENT(sessions_queried),
	    EVENT(sessions_confirmed),
	    EVENT(sessions_cleared),
	    EVENT(dials),
	    EVENT(dials_shared),
	    EVENT(dials_unserved),
	    EVENT(lockouts),
	    EVENT(tunnels_idle),
	    EVENT(methods_refused),
	    EVENT(authorizations_asked),
	    EVENT(authorizations_accepted),
	    EVENT(authorizations_rejected),
	    EVENT(authorizations_unusable),
	    EVENT(authorizations_unanswered),
	    EVENT(accounting_lost),
	    EVENT(accounting_skipped),
	    {NULL, 0},
	};
	json_t *events = json_object();

	cp_put_counters(events, table, counters);
	return events;
}

json_t *cp_show_counters(const struct cp_show *show, const struct cp_show_page *page)
{
	json_t *document = json_object();

	cp_put(document, "readers", show_readers(show));
	cp_put(document, "counters", show_named(show));
	cp_put(document, "ports", show_ports(show));
	cp_put(document, "channels", show_channels(show));
	if (show->counters) {
		cp_put(document, "messages", show_messages(show->counters));
		cp_put(document, "events", show_events(show->counters));
	}
	cp_put(document, "processes", cp_show_processes(show));
	return document;
}
