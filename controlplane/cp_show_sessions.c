/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, page by page. */
#include "cp_show_internal.h"

#include <string.h>

#include "cp_engine.h"

#define IN(field)                                                                                  \
	{                                                                                          \
#field, offsetof(struct lc_session_in, field)                                      \
	}
#define OUT(field)                                                                                 \
	{                                                                                          \
#field, offsetof(struct lc_session_out, field)                                     \
	}

static const struct cp_show_counter in_counters[] = {
    IN(packets), IN(octets), IN(late), IN(lost), IN(dropped), {NULL, 0},
};

static const struct cp_show_counter out_counters[] = {
    OUT(packets), OUT(octets), OUT(dropped), OUT(fragmented), {NULL, 0},
};

static json_t *show_direction(const struct cp_show_counter *table, const void *record)
{
	json_t *direction = json_object();

	cp_put_counters(direction, table, record);
	return direction;
}

static void put_access(const struct cp_show *show, json_t *session, const struct lc_session *s)
{
	static const uint8_t none[6];
	json_t *pppoe;

	if (s->ipv4 && s->ipv4_length == 32)
		cp_put(session, "ipv4", cp_show_ipv4(s->ipv4));
	else if (s->ipv4)
		cp_put(session, "ipv4", cp_show_prefix(&s->ipv4, NULL, s->ipv4_length));
	if (s->ipv6_length)
		cp_put(session, "ipv6", cp_show_prefix(NULL, s->ipv6, s->ipv6_length));
	if (memcmp(s->mac, none, sizeof(none)) == 0 && s->pppoe_session == 0)
		return;
	pppoe = json_object();
	cp_put_int(pppoe, "session", s->pppoe_session);
	cp_put(pppoe, "mac", cp_show_mac(s->mac));
	cp_put(pppoe, "port", cp_show_port(show, s->access_port));
	cp_put(session, "pppoe", pppoe);
}

/* What follows the last "@"; "": nothing. */
static json_t *show_domain(const char *name, size_t size)
{
	const char *at = memrchr(name, '@', strnlen(name, size));

	return at ? cp_show_text(at + 1, size - (size_t)(at + 1 - name)) : json_string("");
}

static json_t *show_session(const struct cp_show *show, uint32_t slot)
{
	const struct lc_mirror *m = show->mirror;
	const struct lc_session copy = m->sessions[slot], *s = &copy;
	uint8_t flags = s->door.flags;
	json_t *session = json_object();

	cp_put_int(session, "id", s->id);
	cp_put_int(session, "tunnel", s->tunnel_id);
	cp_put_int(session, "peer_id", s->peer_session_id);
	cp_put_int(session, "peer_tunnel", s->peer_tunnel_id);
	cp_put(session, "name", cp_show_text(s->name, sizeof(s->name)));
	cp_put_name(session, "state",
		    s->state < CP_N_SESSION_STATES ? cp_session_state_name(s->state) : "?");
	cp_put_name(session, "role", s->role == LC_ROLE_LAC ? "lac" : "lns");
	cp_put_flag(session, "forwarding", s->door.tunnel_id != 0);
	cp_put_flag(session, "stale", s->stale);
	cp_put(session, "peer_address", cp_show_ipv4(s->peer_address));
	put_access(show, session, s);
	cp_put_int(session, "call_serial", s->call_serial);
	cp_put(session, "calling", cp_show_text(s->calling, sizeof(s->calling)));
	cp_put(session, "called", cp_show_text(s->called, sizeof(s->called)));
	cp_put_int(session, "connect_speed", s->connect_speed);
	cp_put_int(session, "mtu", s->mtu);
	cp_put_flag(session, "sends_sequence", flags & LC_SESSION_SEND_SEQUENCE);
	cp_put_flag(session, "expects_sequence", flags & LC_SESSION_EXPECT_SEQUENCE);
	cp_put_int(session, "accounting_id", s->accounting_id);
	cp_put_flag(session, "accounted", s->accounted);
	cp_put_flag(session, "class", s->class_length != 0);
	cp_put(session, "group", cp_show_text(s->group, sizeof(s->group)));
	cp_put(session, "domain", show_domain(s->name, sizeof(s->name)));
	cp_put_int(session, "uptime_ms", cp_show_since(show, s->established));
	cp_put(session, "in", show_direction(in_counters, &m->sessions_in[slot]));
	cp_put(session, "out", show_direction(out_counters, &m->sessions_out[slot]));
	return session;
}

json_t *cp_show_sessions(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct lc_mirror *m = show->mirror;
	uint32_t limit = m->session_mask + 1;
	json_t *document = json_object(), *sessions = json_array();
	uint32_t slot = lc_map_next(m->session_map, limit, page->from);

	for (unsigned scanned = 0;
	     slot < limit && scanned < CP_SHOW_SCAN && json_array_size(sessions) < CP_SHOW_PAGE;
	     scanned++) {
		if (page->tunnel == 0 || m->sessions[slot].tunnel_id == page->tunnel)
			json_array_append_new(sessions, show_session(show, slot));
		slot = lc_map_next(m->session_map, limit, slot + 1);
	}
	cp_put(document, "sessions", sessions);
	if (slot < limit)
		cp_put_int(document, "next", slot);
	return document;
}
