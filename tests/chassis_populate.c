/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels and sessions for shows, made by the one commit point like real ones. */
#include "chassis_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "cp_engine.h"
#include "lc_txn.h"

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "chassis_populate: %s\n", what);
	abort();
}

static uint32_t make_tunnel(struct lc_txn *txn, unsigned number, uint64_t now)
{
	uint32_t slot;
	int error;
	struct lc_tunnel *t = lc_txn_create_tunnel(txn, 1, &slot, &error);

	must(t, "no tunnel");
	t->door.mode = LC_MODE_ESTABLISHED;
	t->state = CP_TUNNEL_ESTABLISHED;
	t->role = LC_ROLE_LNS;
	t->method = CFG_METHOD_FALLBACK;
	t->method_scope = CFG_SCOPE_PROFILE;
	t->peer_id = (uint16_t)(100 + number);
	t->peer_address = 0x0a010001 + number;
	t->local_address = 0x0a0100fe;
	t->peer_udp_port = 1701;
	t->local_udp_port = 1701;
	t->peer_window = 8;
	t->receive_window = 8;
	t->created = now;
	snprintf(t->profile, sizeof(t->profile), "profile-%u", number);
	snprintf(t->peer_host, sizeof(t->peer_host), "lac-%u", number);
	must(lc_txn_commit(txn) == 0, "commit of a tunnel");
	return slot;
}

static void make_session(struct lc_txn *txn, uint32_t tunnel, unsigned number, uint64_t now)
{
	uint32_t slot;
	int error;
	struct lc_session *s = lc_txn_create_session(txn, tunnel, &slot, &error);

	must(s, "no session");
	s->state = CP_SESSION_ESTABLISHED;
	s->role = LC_ROLE_LNS;
	s->peer_session_id = (uint16_t)(1000 + number);
	s->ipv4 = 0x64400000 + number;
	s->ipv4_length = 32;
	s->mtu = 1460;
	s->established = now;
	snprintf(s->name, sizeof(s->name), "user%u@isp.example", number);
	lc_txn_open_door(txn, s, LC_SESSION_SEND_SEQUENCE);
	must(lc_txn_commit(txn) == 0, "commit of a session");
}

void rig_populate(struct lc_mirror *mirror, uint64_t now)
{
	uint32_t tunnels[RIG_TUNNELS];
	char why[256] = "";
	struct lc_txn *txn;

	must(lc_txn_attach(&txn, mirror, why, sizeof(why)) == 0, why);
	for (unsigned i = 0; i < RIG_TUNNELS; i++)
		tunnels[i] = make_tunnel(txn, i, now);
	for (unsigned i = 0; i < RIG_SESSIONS; i++)
		make_session(txn, tunnels[i % RIG_TUNNELS], i, now);
	lc_txn_detach(txn);
}

void rig_recover(struct lc_mirror *mirror, uint64_t now)
{
	uint32_t slot = lc_map_next(mirror->tunnel_map, mirror->tunnel_mask + 1, 1), own;
	char why[256] = "";
	struct lc_txn *txn;
	struct lc_tunnel *old, *t;
	int error;

	must(lc_txn_attach(&txn, mirror, why, sizeof(why)) == 0, why);
	old = lc_txn_tunnel(txn, slot);
	must(old, "no tunnel to recover");
	old->resync = CP_RESYNC_RECOVERING;
	t = lc_txn_create_spare_tunnel(txn, 0, &own, &error);
	must(t, "no recovery tunnel");
	t->state = CP_TUNNEL_WAIT_CTL_REPLY;
	t->recovers = old->door.id;
	t->mortal = 1;
	t->method = old->method;
	t->method_scope = old->method_scope;
	t->peer_address = old->peer_address;
	t->created = now;
	must(lc_txn_commit(txn) == 0, "commit of a recovery tunnel");
	lc_txn_detach(txn);
}
