/* SPDX-License-Identifier: BSD-3-Clause */
/* A session goes up: who it is, and everything that the data plane reads before its door opens. */
#include "cp_account.h"

#include <errno.h>
#include <string.h>

enum {
	PPPOE_OVERHEAD = 8, /* RFC 2516 section 7: PPPoE header 6, PPP protocol 2 */
};

static uint16_t mtu_of(const struct cp_turn *turn, const struct lc_session *s)
{
	const struct cfg *cfg = turn->engine->cfg;

	if (s->role != LC_ROLE_LAC || s->access_port >= cfg->n_ports)
		return turn->tunnel->session_mtu;
	return (uint16_t)(cfg->ports[s->access_port].mtu - PPPOE_OVERHEAD);
}

void cp_session_open(struct cp_turn *turn, struct lc_session *s, bool sequencing)
{
	const struct lc_tunnel *t = turn->tunnel;

	s->peer_address = t->peer_address;
	s->local_address = t->local_address;
	s->peer_tunnel_id = t->peer_id;
	s->peer_udp_port = t->peer_udp_port;
	s->local_udp_port = t->local_udp_port;
	s->port = t->port;
	s->mtu = mtu_of(turn, s);
	s->reset_after = t->data_reset_packets;
	s->established = turn->now;
	s->deadline = 0;
	s->retry_ms = 0;
	turn->engine->counters.sessions_established++;
	cp_account_session_opened(turn, s);
	lc_txn_open_door(turn->engine->txn, s,
			 sequencing ? LC_SESSION_SEND_SEQUENCE | LC_SESSION_EXPECT_SEQUENCE : 0);
}

/* A subscriber has one session: the newer one counts, for the older is most often what a LAC forgot
 * when it was restarted. The older one stops forwarding in this transaction; its CDN has one of its
 * own, for its tunnel's outbox may be full. */
static int replace(struct cp_turn *turn, uint32_t slot)
{
	struct cp_engine *e = turn->engine;
	struct lc_session *old = cp_session_touch(e, slot);

	if (old == NULL)
		return -EAGAIN;
	lc_txn_close_door(e->txn, old);
	old->result_code = CP_CDN_ADMINISTRATIVE;
	old->error_code = 0;
	old->deadline = turn->now;
	cp_log(e, CP_LOG_NOTICE, "session %u of tunnel %u, %s: replaced by a newer one", old->id,
	       old->tunnel_id, old->name);
	return 0;
}

int cp_session_identify(struct cp_turn *turn, uint32_t slot, struct lc_session *s)
{
	struct cp_engine *e = turn->engine;
	const struct cp_octets *name = &turn->message->proxy_authen_name;
	uint32_t number = CP_NO_SUBSCRIBER, index, range;
	struct cfg_subscriber one;

	if (name->length != 0) {
		cp_printable(s->name, sizeof(s->name), *name);
		number =
		    cp_subscribers_find(&e->subscribers, (const char *)name->bytes, name->length);
	}
	if (number == CP_NO_SUBSCRIBER && s->calling[0] != 0) {
		number = cp_subscribers_find(&e->subscribers, s->calling, strlen(s->calling));
		if (name->length == 0 || number != CP_NO_SUBSCRIBER)
			memcpy(s->name, s->calling, sizeof(s->calling));
	}
	if (number == CP_NO_SUBSCRIBER)
		return 0;
	const struct cfg_subscribers *of =
	    cp_subscribers_expand(&e->subscribers, number, &one, &range, &index);
	if (of->tunnel >= 0 || of->port >= 0)
		return 0; /* one of our own LAC's */
	uint32_t old = e->subscribers.session[number];
	if (old != LC_NO_SLOT && old != slot && replace(turn, old) != 0)
		return -EAGAIN;
	s->subscribers = (uint16_t)range;
	s->subscriber = index;
	s->ipv4 = one.ipv4;
	s->ipv4_length = one.ipv4 != 0 ? 32 : 0;
	memcpy(s->ipv6, one.ipv6.address, sizeof(s->ipv6));
	s->ipv6_length = one.ipv6.length;
	return 0;
}
