/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cp_recover.h"
#include "frame.h"
#include "lc_l2tp.h"
#include "lc_txn.h"

enum {
	BATCH = 64,       /* sessions in one transaction */
	HELLO_MS = 60000, /* the default interval */
};

struct end {
	struct side *side;
	struct lc_txn *txn;
	enum lc_role role;
	const struct cfg_tunnel_policy *policy;
	const char *profile;
	uint64_t now;
};

struct filled {
	struct end lac, lns;
	unsigned n_tunnels, n_sessions; /* so far */
	unsigned range, member;         /* the LNS's next subscriber */
};

static struct lc_tunnel *new_tunnel(struct end *end, const struct end *peer, uint32_t *slot)
{
	int error;
	struct lc_tunnel *t = lc_txn_create_tunnel(end->txn, 0, slot, &error);

	if (t == NULL)
		return NULL;
	t->door.mode = LC_MODE_ESTABLISHED;
	t->state = CP_TUNNEL_ESTABLISHED;
	t->role = (uint8_t)end->role;
	t->port = end->side->port;
	t->local_address = end->side->address;
	t->peer_address = peer->side->address;
	t->peer_udp_port = t->local_udp_port = LC_L2TP_UDP_PORT;
	cp_policy_apply(end->side->cfg, t, end->policy, end->profile);
	t->created = t->established = end->now;
	t->peer_framing = t->peer_bearer = 3;
	t->peer_window = (uint16_t)peer->policy->receive_window;
	t->peer_failover = LC_FAILOVER_GIVEN | LC_FAILOVER_CONTROL | LC_FAILOVER_DATA;
	t->peer_recovery_ms = peer->policy->failover.recovery_time_ms;
	snprintf(t->peer_host, sizeof(t->peer_host), "%s", peer->policy->host_name);
	t->accounting_id = lc_txn_accounting_id(end->txn);
	return t;
}

/* What cp_failover_settle() does when the last message of the set-up has come. */
static void settle(struct end *end, struct lc_tunnel *t)
{
	if (cp_tunnel_method(t) != CFG_METHOD_FAILOVER_PROTOCOL)
		return;
	t->mortal = 1;
	t->life = lc_control_life(&end->side->mirror) + 1; /* the one that is about to begin */
	t->recovery_wait_ms = t->peer_recovery_ms;
}

static int add_tunnel(struct filled *f, uint32_t slots[2])
{
	struct lc_tunnel *lac = new_tunnel(&f->lac, &f->lns, &slots[0]);
	struct lc_tunnel *lns = new_tunnel(&f->lns, &f->lac, &slots[1]);

	if (lac == NULL || lns == NULL)
		return -ENOSPC;
	/* Tunnels that were set up one after the other do not all want their HELLO at once. */
	uint64_t ago = f->n_tunnels++ % HELLO_MS;
	f->lac.side->mirror.channels[slots[0]].last_received = f->lac.now - ago;
	f->lns.side->mirror.channels[slots[1]].last_received = f->lns.now - ago;
	lac->peer_id = lns->door.id;
	lns->peer_id = lac->door.id;
	settle(&f->lac, lac);
	settle(&f->lns, lns);
	int error = lc_txn_commit(f->lac.txn);
	return error != 0 ? error : lc_txn_commit(f->lns.txn);
}

static struct lc_session *new_session(struct end *end, uint32_t tunnel)
{
	uint32_t slot;
	int error;
	struct lc_session *s = lc_txn_create_session(end->txn, tunnel, &slot, &error);

	if (s == NULL)
		return NULL;
	const struct lc_tunnel *t = lc_txn_peek_tunnel(end->txn, tunnel);
	s->state = CP_SESSION_ESTABLISHED;
	s->role = (uint8_t)end->role;
	s->peer_address = t->peer_address;
	s->local_address = t->local_address;
	s->peer_tunnel_id = t->peer_id;
	s->peer_udp_port = s->local_udp_port = LC_L2TP_UDP_PORT;
	s->port = t->port;
	s->mtu = (uint16_t)end->policy->session_mtu;
	s->established = end->now;
	s->accounting_id = lc_txn_accounting_id(end->txn);
	return s;
}

/* The next subscriber of the LNS; none where all have their session. */
static void identify(struct filled *f, struct lc_session *lac, struct lc_session *lns)
{
	const struct cfg *cfg = f->lns.side->cfg;
	struct cfg_subscriber one;

	while (f->range < cfg->n_subscribers && f->member >= cfg->subscribers[f->range].count) {
		f->range++;
		f->member = 0;
	}
	if (f->range >= cfg->n_subscribers)
		return;
	cfg_subscriber_expand(&cfg->subscribers[f->range], f->member, &one);
	snprintf(lac->name, sizeof(lac->name), "%s", one.name);
	snprintf(lns->name, sizeof(lns->name), "%s", one.name);
	lns->subscribers = (uint16_t)f->range;
	lns->subscriber = f->member++;
	lns->ipv4 = one.ipv4;
	lns->ipv4_length = one.ipv4 != 0 ? 32 : 0;
}

static int add_session(struct filled *f, const uint32_t slots[2])
{
	struct lc_session *lac = new_session(&f->lac, slots[0]);
	struct lc_session *lns = new_session(&f->lns, slots[1]);

	if (lac == NULL || lns == NULL)
		return -ENOSPC;
	lac->peer_session_id = lns->id;
	lns->peer_session_id = lac->id;
	lac->call_serial = lns->call_serial = ++f->n_sessions;
	identify(f, lac, lns);
	lc_txn_open_door(f->lac.txn, lac, 0);
	lc_txn_open_door(f->lns.txn, lns, 0);
	return 0;
}

static int add_sessions(struct filled *f, const uint32_t slots[2], unsigned n)
{
	int error = 0;

	while (n > 0 && error == 0) {
		unsigned batch = n < BATCH ? n : BATCH;
		n -= batch;
		while (batch-- > 0 && error == 0)
			error = add_session(f, slots);
		if (error == 0)
			error = lc_txn_commit(f->lac.txn);
		if (error == 0)
			error = lc_txn_commit(f->lns.txn);
	}
	return error;
}

/* Gateways, as dp_hop finds them after a restart. */
static void add_gateways(struct side *side)
{
	unsigned number = 1;

	for (unsigned i = 0; i < side->cfg->n_ports; i++) {
		union lc_neighbour_link link = {.state = LC_NEIGHBOUR_REACHABLE};
		if (side->cfg->ports[i].gateway4 == 0)
			continue;
		memcpy(link.mac, frame_neighbour_mac, 6);
		side->mirror.neighbours[number++] =
		    (struct lc_neighbour){.link = link,
					  .ipv4 = side->cfg->ports[i].gateway4,
					  .port = (uint16_t)i,
					  .confirmed = side->mirror.header->created};
	}
}

static int end_open(struct end *end)
{
	char why[256] = "";
	int error = lc_txn_attach(&end->txn, &end->side->mirror, why, sizeof(why));

	if (error != 0)
		fprintf(stderr, "%s: %s\n", end->side->cfg->name, why);
	return error;
}

int pair_fill(struct side *lac, struct side *lns, unsigned tunnels, unsigned sessions)
{
	const struct cfg_profile *profile = NULL;
	const struct cfg_remote_host *host =
	    cfg_find_remote_host(lns->cfg, lac->address, lac->cfg->l2tp.host_name,
				 strlen(lac->cfg->l2tp.host_name), &profile);
	uint64_t now = lac->mirror.header->created;
	struct filled f = {
	    .lac = {.side = lac,
		    .role = LC_ROLE_LAC,
		    .policy = &lac->cfg->l2tp,
		    .profile = "",
		    .now = now},
	    .lns = {.side = lns,
		    .role = LC_ROLE_LNS,
		    .policy = host != NULL ? &host->policy : &lns->cfg->l2tp,
		    .profile = profile != NULL ? profile->name : "",
		    .now = now},
	};
	int error = end_open(&f.lac);

	if (error == 0)
		error = end_open(&f.lns);
	for (unsigned i = 0; i < tunnels && error == 0; i++) {
		uint32_t slots[2];
		unsigned share = (unsigned)((uint64_t)sessions * (i + 1) / tunnels -
					    (uint64_t)sessions * i / tunnels);
		error = add_tunnel(&f, slots);
		if (error == 0)
			error = add_sessions(&f, slots, share);
	}
	add_gateways(lac);
	add_gateways(lns);
	lc_txn_detach(f.lac.txn);
	lc_txn_detach(f.lns.txn);
	if (error != 0)
		fprintf(stderr, "cannot fill the mirrors: %s\n", strerror(-error));
	return error;
}
