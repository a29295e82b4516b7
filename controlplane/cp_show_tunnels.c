/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels and their control channels. */
#include "cp_show_internal.h"

#include "cp_engine.h"

#define COUNTER(field)                                                                             \
	{                                                                                          \
#field, offsetof(struct lc_channel, field)                                         \
	}

const struct cp_show_counter cp_show_channel_counters[] = {
    COUNTER(received),
    COUNTER(sent),
    COUNTER(retransmitted),
    COUNTER(duplicates),
    COUNTER(out_of_order),
    COUNTER(out_of_window),
    COUNTER(zlb_received),
    COUNTER(zlb_sent),
    COUNTER(hello_sent),
    COUNTER(inbox_full),
    COUNTER(hello_received),
    COUNTER(malformed),
    {NULL, 0},
};

static const char *mode_name(uint8_t mode)
{
	static const char *const names[] = {
	    [LC_MODE_FREE] = "free",       [LC_MODE_LISTENER] = "listener",
	    [LC_MODE_OPENING] = "opening", [LC_MODE_ESTABLISHED] = "established",
	    [LC_MODE_CLOSING] = "closing",
	};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "?";
}

static json_t *show_channel(const struct cp_show *show, const struct lc_tunnel *t,
			    const struct lc_channel *c)
{
	union lc_channel_tx tx = lc_channel_tx_read(c);
	union lc_channel_rx rx = lc_channel_rx_read(c);
	json_t *channel = json_object();

	cp_put_name(channel, "mode", mode_name(t->door.mode));
	cp_put_flag(channel, "dead", tx.dead);
	cp_put_int(channel, "ns", tx.next);
	cp_put_int(channel, "nr", rx.nr);
	cp_put_int(channel, "acked", tx.acked);
	cp_put_int(channel, "receive_window", t->receive_window);
	cp_put_int(channel, "peer_window", t->peer_window);
	cp_put_int(channel, "cwnd", c->cwnd ? c->cwnd : 1);
	cp_put_int(channel, "ssthresh", c->ssthresh ? c->ssthresh : t->peer_window);
	cp_put_int(channel, "outbox", (uint16_t)(t->door.outbox_tail - lc_outbox_head(tx)));
	cp_put_int(channel, "inbox", (uint16_t)(lc_inbox_tail(rx) - t->door.inbox_head));
	cp_put_int(channel, "retries", c->retries);
	cp_put_int(channel, "hello_interval_ms", t->hello_ms);
	cp_put_int(channel, "since_received_ms", cp_show_since(show, c->last_received));
	cp_put_int(channel, "since_sent_ms", cp_show_since(show, c->last_sent));
	cp_put_counters(channel, cp_show_channel_counters, c);
	return channel;
}

/* Why it closes; NULL: it does not. */
static json_t *show_closing(const struct lc_tunnel *t)
{
	json_t *closing;

	if (!t->result_code)
		return NULL;
	closing = json_object();
	cp_put_int(closing, "result", t->result_code);
	cp_put_int(closing, "error", t->error_code);
	cp_put(closing, "reason", cp_show_text(t->reason, sizeof(t->reason)));
	return closing;
}

static json_t *show_tunnel(const struct cp_show *show, const struct lc_tunnel *t,
			   const struct lc_channel *c)
{
	json_t *tunnel = json_object(), *closing = show_closing(t);

	cp_put_int(tunnel, "id", t->door.id);
	cp_put_int(tunnel, "peer_id", t->peer_id);
	cp_put(tunnel, "name", cp_show_text(t->profile, sizeof(t->profile)));
	cp_put_name(tunnel, "state",
		    t->state < CP_N_TUNNEL_STATES ? cp_tunnel_state_name(t->state) : "?");
	cp_put_name(tunnel, "role", t->role == LC_ROLE_LAC ? "lac" : "lns");
	cp_put_name(tunnel, "method",
		    t->method <= CFG_METHOD_FALLBACK ? cfg_method_name(t->method) : "?");
	cp_put_name(tunnel, "method_scope",
		    t->method_scope <= CFG_SCOPE_TUNNEL ? cfg_scope_name(t->method_scope) : "?");
	cp_put(tunnel, "peer_address", cp_show_ipv4(t->peer_address));
	cp_put_int(tunnel, "peer_udp_port", t->peer_udp_port);
	cp_put(tunnel, "local_address", cp_show_ipv4(t->local_address));
	cp_put_int(tunnel, "local_udp_port", t->local_udp_port);
	cp_put(tunnel, "port", cp_show_port(show, t->port));
	cp_put(tunnel, "peer_host", cp_show_text(t->peer_host, sizeof(t->peer_host)));
	cp_put(tunnel, "local_host", cp_show_text(t->local_host, sizeof(t->local_host)));
	cp_put_int(tunnel, "sessions", t->n_sessions);
	cp_put_int(tunnel, "max_sessions", t->max_sessions);
	cp_put_int(tunnel, "uptime_ms", cp_show_since(show, t->created));
	if (closing)
		cp_put(tunnel, "closing", closing);
	cp_put(tunnel, "control", show_channel(show, t, c));
	return tunnel;
}

json_t *cp_show_tunnels(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->tunnel_mask + 1;
	json_t *document = json_object(), *tunnels = json_array();
	uint32_t slot = lc_map_next(m->tunnel_map, limit, page->from);

	for (; slot < limit && json_array_size(tunnels) < CP_SHOW_PAGE;
	     slot = lc_map_next(m->tunnel_map, limit, slot + 1)) {
		/* A copy: from outside, it may change while it is looked at. */
		struct lc_tunnel tunnel = m->tunnels[slot];

		if (tunnel.door.id != 0)
			json_array_append_new(tunnels,
					      show_tunnel(show, &tunnel, &m->channels[slot]));
	}
	cp_put(document, "tunnels", tunnels);
	if (slot < limit)
		cp_put_int(document, "next", slot);
	return document;
}
