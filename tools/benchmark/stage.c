/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frame.h"
#include "lc_l2tp.h"
#include "lc_txn.h"

enum {
	PPP_MTU = 1460,  /* what fits into a peer port's 1500 */
	PEER_IDS = 4096, /* added to our IDs: what the peer calls the same tunnel and session */
};

struct stage {
	const struct roles *roles;
	struct lc_mirror mirror;
	struct lc_txn *txn;
	uint32_t *tunnels; /* slots, by index in the configuration */
	unsigned n_tunnels;
	uint32_t *sessions; /* slots */
	unsigned n_sessions;
	bool sequence;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

static uint32_t peer_address(const struct cfg *cfg, unsigned tunnel)
{
	if (cfg->n_tunnels > 0)
		return cfg->tunnels[tunnel].remote;
	uint32_t first = cfg->profiles[tunnel % cfg->n_profiles].peers.address;
	return first + tunnel / cfg->n_profiles;
}

/* As dp_hop finds it after a restart. */
static void add_neighbour(struct stage *stage, unsigned number, const struct cfg_port *port,
			  uint32_t address)
{
	struct lc_neighbour *n = &stage->mirror.neighbours[number];
	union lc_neighbour_link link = {.state = LC_NEIGHBOUR_REACHABLE};
	memcpy(link.mac, frame_neighbour_mac, 6);
	*n = (struct lc_neighbour){.link = link,
				   .ipv4 = address,
				   .port = roles_index(stage->roles, port),
				   .confirmed = now_ms()};
}

static void add_neighbours(struct stage *stage)
{
	const struct roles *roles = stage->roles;
	unsigned number = 1;
	const struct cfg_prefix4 *link = &roles->peer->ipv4;
	uint32_t mask = ~(uint32_t)((UINT64_C(1) << (32 - link->length)) - 1);
	for (unsigned i = 0; i < stage->n_tunnels; i++) {
		uint32_t address = peer_address(roles->cfg, i);
		if (((address ^ link->address) & mask) == 0)
			add_neighbour(stage, number++, roles->peer, address);
	}
	for (unsigned i = 0; i < roles->cfg->n_ports; i++)
		if (roles->cfg->ports[i].gateway4 != 0)
			add_neighbour(stage, number++, &roles->cfg->ports[i],
				      roles->cfg->ports[i].gateway4);
}

static int add_tunnel(struct stage *stage, unsigned index)
{
	const struct roles *roles = stage->roles;
	int error = 0;
	struct lc_tunnel *t = lc_txn_create_tunnel(stage->txn, 0, &stage->tunnels[index], &error);
	if (t == NULL)
		return error;
	t->door.mode = LC_MODE_ESTABLISHED;
	t->role = (uint8_t)roles->role;
	t->peer_address = peer_address(roles->cfg, index);
	t->local_address = roles->peer->ipv4.address;
	t->peer_udp_port = t->local_udp_port = LC_L2TP_UDP_PORT;
	t->peer_id = (uint16_t)(t->door.id + PEER_IDS);
	t->port = roles_index(roles, roles->peer);
	t->peer_window = 4;
	t->retransmit_established = t->retransmit_not_established = 5;
	t->retransmit_ms = 1000;
	t->retransmit_max_ms = 16000;
	return lc_txn_commit(stage->txn);
}

static int add_session(struct stage *stage, const struct cfg_subscribers *range, unsigned member)
{
	const struct roles *roles = stage->roles;
	unsigned tunnel = roles->role == LC_ROLE_LAC ? (unsigned)range->tunnel
						     : stage->n_sessions % stage->n_tunnels;
	struct cfg_subscriber subscriber;
	int error = 0;
	uint32_t *slot = &stage->sessions[stage->n_sessions++];
	struct lc_session *s =
	    lc_txn_create_session(stage->txn, stage->tunnels[tunnel], slot, &error);
	if (s == NULL)
		return error;
	const struct lc_tunnel *t = lc_txn_peek_tunnel(stage->txn, stage->tunnels[tunnel]);
	cfg_subscriber_expand(range, member, &subscriber);
	s->role = (uint8_t)roles->role;
	s->peer_address = t->peer_address;
	s->local_address = t->local_address;
	s->peer_tunnel_id = t->peer_id;
	s->peer_session_id = (uint16_t)(s->id + PEER_IDS);
	s->peer_udp_port = s->local_udp_port = LC_L2TP_UDP_PORT;
	s->port = t->port;
	s->access_port = range->port >= 0 ? (uint16_t)range->port : UINT16_MAX;
	s->pppoe_session = subscriber.pppoe_session;
	memcpy(s->mac, subscriber.mac, 6);
	s->mtu = PPP_MTU;
	s->ipv4 = subscriber.ipv4;
	s->ipv4_length = subscriber.ipv4 != 0 ? 32 : 0;
	memcpy(s->name, subscriber.name, sizeof(s->name));
	lc_txn_open_door(stage->txn, s, stage->sequence ? LC_SESSION_SEND_SEQUENCE : 0);
	return lc_txn_commit(stage->txn);
}

static int fill_mirror(struct stage *stage)
{
	const struct cfg *cfg = stage->roles->cfg;
	unsigned sessions = 0;
	int error = 0;
	for (unsigned i = 0; i < cfg->n_subscribers; i++)
		sessions += cfg->subscribers[i].count;
	stage->n_tunnels = cfg->n_tunnels > 0 ? cfg->n_tunnels : cfg->limits.tunnels;
	if (sessions == 0 || (cfg->n_tunnels == 0 && cfg->n_profiles == 0)) {
		fprintf(stderr, "%s: wants subscribers, and tunnels or destination profiles\n",
			cfg->path);
		return -EINVAL;
	}
	stage->tunnels = calloc(stage->n_tunnels, sizeof(*stage->tunnels));
	stage->sessions = calloc(sessions, sizeof(*stage->sessions));
	if (!stage->tunnels || !stage->sessions)
		return complain("tunnels and sessions", -ENOMEM);
	for (unsigned i = 0; i < stage->n_tunnels && error == 0; i++)
		error = add_tunnel(stage, i);
	for (unsigned i = 0; i < cfg->n_subscribers && error == 0; i++)
		for (unsigned member = 0; member < cfg->subscribers[i].count && error == 0;
		     member++)
			error = add_session(stage, &cfg->subscribers[i], member);
	add_neighbours(stage);
	return error ? complain("cannot fill the mirror", error) : 0;
}

/* The same order in every run: only the code under test may make a difference between two. */
static void shuffle(uint32_t *list, unsigned n)
{
	uint64_t x = UINT64_C(0x2545f4914f6cdd1d);
	for (unsigned i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		unsigned j = (unsigned)(x % (i + 1));
		uint32_t swap = list[i];
		list[i] = list[j];
		list[j] = swap;
	}
}

/* The classic format: a header of 24 octets, then each frame behind one of 16. */
static int write_capture(struct stage *stage, unsigned octets, unsigned frames, const char *path,
			 unsigned *written)
{
	const uint32_t file_header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0,
					 0,          FRAME_MAX,   1 /* Ethernet */};
	uint8_t frame[FRAME_MAX];
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return complain(path, -errno);
	fwrite(file_header, sizeof(file_header), 1, file);
	for (unsigned i = 0; i < frames || i % stage->n_sessions != 0 || i == 0; i++) {
		if (i % stage->n_sessions == 0)
			shuffle(stage->sessions, stage->n_sessions);
		const struct lc_session *session =
		    &stage->mirror.sessions[stage->sessions[i % stage->n_sessions]];
		uint32_t length = *written = frame_write(stage->roles, session, octets, frame);
		const uint32_t header[4] = {0, i, length, length};
		fwrite(header, sizeof(header), 1, file);
		fwrite(frame, length, 1, file);
	}
	int failed = ferror(file);
	if (fclose(file) != 0 || failed)
		return complain(path, errno ? -errno : -EIO);
	return 0;
}

int stage_set(const struct roles *roles, unsigned octets, unsigned frames, bool sequence,
	      const char *capture, unsigned *written)
{
	struct stage stage = {.roles = roles, .sequence = sequence};
	char why[256] = "";
	int error = roles_make_mirror(roles, &stage.mirror);
	if (error)
		return error;
	error = lc_txn_attach(&stage.txn, &stage.mirror, why, sizeof(why));
	if (error)
		fprintf(stderr, "the new mirror: %s\n", why);
	else
		error = fill_mirror(&stage);
	if (error == 0)
		error = write_capture(&stage, octets, frames, capture, written);
	if (stage.txn)
		lc_txn_detach(stage.txn);
	lc_mirror_close(&stage.mirror);
	free(stage.tunnels);
	free(stage.sessions);
	return error;
}
