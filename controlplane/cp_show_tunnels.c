/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels and their control channels. */
#include "cp_show_internal.h"

#include "cp_engine.h"

#define COUNTER(field)                                                                             \
	{                                                                                          \
#field, offsetof(struct lc_channel, field)                                         \
	}

const struct cp_show_counter cp_show_channel_counters[] = {
    COUNTER(received),       COUNTER(sent),
    COUNTER(retransmitted),  COUNTER(duplicates),
    COUNTER(out_of_order),   COUNTER(out_of_window),
    COUNTER(zlb_received),   COUNTER(zlb_sent),
    COUNTER(hello_sent),     COUNTER(inbox_full),
    COUNTER(hello_received), COUNTER(malformed),
    COUNTER(silenced),       {NULL, 0},
};

static const char *mode_name(uint8_t mode)
{
	static const char *const names[] = {
	    [LC_MODE_FREE] = "free",         [LC_MODE_LISTENER] = "listener",
	    [LC_MODE_OPENING] = "opening",   [LC_MODE_ESTABLISHED] = "established",
	    [LC_MODE_CLOSING] = "closing",   [LC_MODE_HELD] = "held",
	    [LC_MODE_FAREWELL] = "farewell",
	};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "?";
}

/* While a reset has not come true yet, what the channel says of life, death and messages is history. */
static json_t *show_channel(const struct cp_show *show, const struct lc_tunnel *t,
			    const struct lc_channel *c)
{
	union lc_channel_tx tx = lc_channel_tx_read(c);
	union lc_channel_rx rx = lc_channel_rx_read(c);
	bool current = lc_channel_current(c, t->door);
	json_t *channel = json_object();

	cp_put_name(channel, "mode", mode_name(t->door.mode));
	cp_put_flag(channel, "dead", current && tx.dead);
	cp_put_flag(channel, "silent", !current || lc_tunnel_silent(show->mirror, t, t->door));
	cp_put_int(channel, "ns", current ? tx.next : t->reset_ns);
	cp_put_int(channel, "nr", current ? rx.nr : t->reset_nr);
	cp_put_int(channel, "acked", current ? tx.acked : t->reset_ns);
	cp_put_int(channel, "receive_window", t->receive_window);
	cp_put_int(channel, "peer_window", t->peer_window);
	cp_put_int(channel, "cwnd", current && c->cwnd ? c->cwnd : 1);
	cp_put_int(channel, "ssthresh", current && c->ssthresh ? c->ssthresh : t->peer_window);
	cp_put_int(
	    channel, "outbox",
	    (uint16_t)(t->door.outbox_tail - (current ? lc_outbox_head(tx) : t->outbox_base)));
	cp_put_int(channel, "inbox",
		   current ? (uint16_t)(lc_inbox_tail(rx) - t->door.inbox_head) : 0);
	cp_put_int(channel, "retries", current ? c->retries : 0);
	cp_put_int(channel, "hello_interval_ms", t->hello_ms);
	cp_put_int(channel, "since_received_ms", cp_show_since(show, c->last_received));
	cp_put_int(channel, "since_sent_ms", cp_show_since(show, c->last_sent));
	cp_put_counters(channel, cp_show_channel_counters, c);
	return channel;
}

/* ---- resynchronization (RFC 4951) ---- */

/* What an end said in its Failover Capability AVP (5.1); null: nothing. */
static json_t *show_offer(uint8_t bits, uint32_t recovery_ms)
{
	json_t *offer;

	if (!(bits & LC_FAILOVER_GIVEN))
		return json_null();
	offer = json_object();
	cp_put_flag(offer, "control", bits & LC_FAILOVER_CONTROL);
	cp_put_flag(offer, "data", bits & LC_FAILOVER_DATA);
	cp_put_int(offer, "recovery_time_ms", recovery_ms);
	return offer;
}

static json_t *show_resync(const struct cp_show *show, const struct lc_tunnel *t)
{
	json_t *resync = json_object();

	cp_put_name(resync, "state", cp_resync_name(t->resync));
	cp_put_int(resync, "queried", t->n_queried);
	cp_put_int(resync, "confirmed", t->n_confirmed);
	cp_put_int(resync, "cleared", t->n_cleared);
	cp_put(resync, "ended_ms_ago",
	       t->resynced ? json_integer((json_int_t)cp_show_since(show, t->resynced))
			   : json_null());
	return resync;
}

/* A wait that has just begun is one. */
static uint64_t waiting_ms(const struct cp_show *show, const struct lc_tunnel *t,
			   const struct lc_channel *c)
{
	uint64_t since = __atomic_load_n(&c->waiting_since, __ATOMIC_RELAXED);

	if (since == 0 || !lc_channel_current(c, t->door))
		return 0;
	return since < show->now ? show->now - since : 1;
}

static void put_failover(const struct cp_show *show, json_t *tunnel, const struct lc_tunnel *t,
			 const struct lc_channel *c)
{
	cp_put_name(tunnel, "method", cp_show_method(t->method));
	cp_put_name(tunnel, "method_scope",
		    t->method_scope <= CFG_SCOPE_RADIUS ? cfg_scope_name(t->method_scope) : "?");
	cp_put_name(tunnel, "method_in_effect", cp_show_method(cp_tunnel_method(t)));
	cp_put(tunnel, "offered", show_offer(t->failover, t->recovery_ms));
	cp_put(tunnel, "peer_offered", show_offer(t->peer_failover, t->peer_recovery_ms));
	cp_put_int(tunnel, "recovers", t->recovers);
	cp_put_int(tunnel, "waiting_ms", waiting_ms(show, t, c));
	cp_put(tunnel, "resync", show_resync(show, t));
}

/* ---- tunnels ---- */

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
	put_failover(show, tunnel, t, c);
	cp_put(tunnel, "peer_address", cp_show_ipv4(t->peer_address));
	cp_put_int(tunnel, "peer_udp_port", t->peer_udp_port);
	cp_put(tunnel, "local_address", cp_show_ipv4(t->local_address));
	cp_put_int(tunnel, "local_udp_port", t->local_udp_port);
	cp_put(tunnel, "port", cp_show_port(show, t->port));
	cp_show_put_origin(show, tunnel, t);
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

/* A copy is shown: from outside, it may change while it is looked at. only: this ID; 0: any. */
static void append(const struct cp_show *show, json_t *tunnels, uint32_t slot, uint16_t only)
{
	const struct lc_mirror *m = show->mirror;
	struct lc_tunnel tunnel = m->tunnels[slot];

	if (tunnel.door.id != 0 && (only == 0 || tunnel.door.id == only))
		json_array_append_new(tunnels, show_tunnel(show, &tunnel, &m->channels[slot]));
}

json_t *cp_show_tunnels(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->tunnel_mask + 1, slot;
	json_t *document = json_object(), *tunnels = json_array();

	cp_put(document, "tunnels", tunnels);
	if (page->tunnel != 0) {
		slot = lc_tunnel_slot(m, page->tunnel);
		if (lc_map_test(m->tunnel_map, slot))
			append(show, tunnels, slot, page->tunnel);
		return document;
	}
	slot = lc_map_next(m->tunnel_map, limit, page->from);
	for (; slot < limit && json_array_size(tunnels) < CP_SHOW_PAGE;
	     slot = lc_map_next(m->tunnel_map, limit, slot + 1))
		append(show, tunnels, slot, 0);
	if (slot < limit)
		cp_put_int(document, "next", slot);
	return document;
}
