/* SPDX-License-Identifier: BSD-3-Clause */
#include "lc_layout.h"
#include "lc_txn.h"

#define JOURNAL_SIZE (512u * 1024)
#define MOST_TUNNELS 65536u /* slots: an ID has 16 bits */

/* The largest commit: each record that a transaction may touch, with a map's word for each, and the
 * entry's offset and length before each of these. */
#define ENTRY_SIZE 16
_Static_assert(LC_TXN_TUNNELS *(sizeof(struct lc_tunnel) + 8 + 2 * ENTRY_SIZE) +
		       LC_TXN_SESSIONS * (sizeof(struct lc_session) + 8 + 2 * ENTRY_SIZE) +
		       LC_TXN_ACCOUNTS * (sizeof(struct lc_account) + ENTRY_SIZE) <=
		   JOURNAL_SIZE,
	       "the journal holds the largest transaction");
#define HUGE_PAGE (2u * 1024 * 1024)

static uint32_t power_of_two_above(uint32_t n)
{
	uint32_t p = 2;
	while (p < n)
		p *= 2;
	return p;
}

/* Slot 0 is the listener's. */
static uint32_t tunnel_slots(uint32_t tunnels)
{
	uint32_t slots = power_of_two_above(tunnels + 1 + LC_SPARE_TUNNELS);
	return slots < MOST_TUNNELS ? slots : MOST_TUNNELS;
}

/* Two starts with all tunnels, and room for those of a small chassis. */
static uint32_t history_lines(uint32_t slots)
{
	return 2 * slots > 1024 ? 2 * slots : 1024;
}

struct lc_geometry lc_geometry_for(uint32_t tunnels, uint32_t sessions, uint32_t message_buffers,
				   uint32_t accounts)
{
	if (tunnels > 65535)
		tunnels = 65535;
	if (sessions > 1u << 20)
		sessions = 1u << 20;
	return (struct lc_geometry){
	    .tunnel_slots = tunnel_slots(tunnels),
	    .session_slots = power_of_two_above(sessions),
	    .max_tunnels = tunnels,
	    .max_sessions = sessions,
	    .buffers = message_buffers,
	    .journal_size = JOURNAL_SIZE,
	    .accounts = accounts,
	    .history = history_lines(tunnel_slots(tunnels)),
	};
}

bool lc_geometry_valid(const struct lc_geometry *g)
{
	return g->max_tunnels >= 1 && g->max_tunnels < MOST_TUNNELS &&
	       g->tunnel_slots == tunnel_slots(g->max_tunnels) && g->session_slots >= 2 &&
	       g->session_slots <= 1u << 20 && (g->session_slots & (g->session_slots - 1)) == 0 &&
	       g->max_sessions >= 1 && g->max_sessions <= g->session_slots &&
	       g->buffers >= LC_RING && g->buffers <= 1u << 20 && g->journal_size == JOURNAL_SIZE &&
	       g->accounts >= 1 && g->accounts <= 1u << 20 &&
	       g->history == history_lines(g->tunnel_slots);
}

/* A dirty set or map of n bits, with room for its summary. */
static uint64_t map_bytes(uint32_t n)
{
	return ((uint64_t)n + 63) / 64 * 8;
}

static uint64_t dirty_bytes(uint32_t n)
{
	return map_bytes(n) + map_bytes((n + 63) / 64);
}

uint64_t lc_layout_regions(const struct lc_geometry *g, uint64_t region[LC_N_REGIONS])
{
	const uint64_t bytes[LC_N_REGIONS] = {
	    [LC_REGION_TUNNELS] = (uint64_t)g->tunnel_slots * sizeof(struct lc_tunnel),
	    [LC_REGION_CHANNELS] = (uint64_t)g->tunnel_slots * sizeof(struct lc_channel),
	    [LC_REGION_SESSIONS] = (uint64_t)g->session_slots * sizeof(struct lc_session),
	    [LC_REGION_SESSIONS_IN] = (uint64_t)g->session_slots * sizeof(struct lc_session_in),
	    [LC_REGION_SESSIONS_OUT] = (uint64_t)g->session_slots * sizeof(struct lc_session_out),
	    [LC_REGION_TUNNEL_MAP] = map_bytes(g->tunnel_slots),
	    [LC_REGION_SESSION_MAP] = map_bytes(g->session_slots),
	    [LC_REGION_INBOX] = (uint64_t)g->buffers * sizeof(struct lc_buffer),
	    [LC_REGION_OUTBOX] = (uint64_t)g->buffers * sizeof(struct lc_buffer),
	    [LC_REGION_NEIGHBOURS] = LC_MAX_NEIGHBOURS * sizeof(struct lc_neighbour),
	    [LC_REGION_TO_CONTROL] = dirty_bytes(g->tunnel_slots),
	    [LC_REGION_TO_DATAPLANE] = dirty_bytes(g->tunnel_slots),
	    [LC_REGION_TO_ROUTES] = dirty_bytes(g->session_slots),
	    [LC_REGION_PORT_COUNTERS] = (LC_MAX_WORKERS + 1) * LC_COUNTERS * sizeof(uint64_t),
	    [LC_REGION_PORTS] = LC_MAX_PORTS * sizeof(struct lc_port_state),
	    [LC_REGION_JOURNAL] = g->journal_size,
	    [LC_REGION_LEDGER] = (uint64_t)g->accounts * sizeof(struct lc_account),
	    [LC_REGION_HISTORY] = (uint64_t)g->history * sizeof(struct lc_history),
	    [LC_REGION_STARTS] = LC_STARTS * sizeof(struct lc_start),
	};
	uint64_t at = sizeof(struct lc_header);

	for (unsigned i = 0; i < LC_N_REGIONS; i++) {
		at = (at + 4095) & ~UINT64_C(4095);
		region[i] = at;
		at += bytes[i];
	}
	return (at + HUGE_PAGE - 1) & ~(uint64_t)(HUGE_PAGE - 1);
}

uint64_t lc_mirror_size(const struct lc_geometry *geometry)
{
	uint64_t region[LC_N_REGIONS];
	return lc_layout_regions(geometry, region);
}

/* FNV-1a, 64 bits: a fingerprint against mistakes, not against malice (the file is root's). */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#define FNV_START UINT64_C(0xcbf29ce484222325)

#define AT(type, field) offsetof(struct type, field)

uint64_t lc_layout_hash(void)
{
	static const size_t layout[] = {
	    LC_LAYOUT_VERSION,
	    LC_RING,
	    LC_SESSION_SPREAD,
	    LC_MAX_WORKERS,
	    sizeof(struct lc_tunnel),
	    AT(lc_tunnel, peer_address),
	    AT(lc_tunnel, peer_id),
	    AT(lc_tunnel, retransmit_ms),
	    AT(lc_tunnel, outbox),
	    AT(lc_tunnel, reset_ns),
	    AT(lc_tunnel, mortal),
	    AT(lc_tunnel, reset_generation),
	    AT(lc_tunnel, life),
	    AT(lc_tunnel, recovery_wait_ms),
	    AT(lc_tunnel, role),
	    AT(lc_tunnel, n_sessions),
	    AT(lc_tunnel, deadline),
	    AT(lc_tunnel, challenge),
	    AT(lc_tunnel, profile),
	    AT(lc_tunnel, secret),
	    AT(lc_tunnel, failover),
	    AT(lc_tunnel, recovers),
	    AT(lc_tunnel, resync),
	    AT(lc_tunnel, tie_seen),
	    AT(lc_tunnel, resynced),
	    AT(lc_tunnel, origin),
	    AT(lc_tunnel, accounting_id),
	    AT(lc_tunnel, assignment),
	    AT(lc_tunnel, server_host),
	    AT(lc_tunnel, ended),
	    sizeof(struct lc_channel),
	    AT(lc_channel, retransmit_at),
	    AT(lc_channel, cwnd),
	    AT(lc_channel, next_hop),
	    AT(lc_channel, generation),
	    AT(lc_channel, waiting_since),
	    AT(lc_channel, received),
	    AT(lc_channel, inbox),
	    AT(lc_channel, silenced),
	    sizeof(struct lc_buffer),
	    AT(lc_buffer, when),
	    AT(lc_buffer, bytes),
	    sizeof(struct lc_session),
	    AT(lc_session, port),
	    AT(lc_session, mac),
	    AT(lc_session, ipv4),
	    AT(lc_session, data_resets),
	    AT(lc_session, reset_after),
	    AT(lc_session, id),
	    AT(lc_session, stale),
	    AT(lc_session, subscriber),
	    AT(lc_session, deadline),
	    AT(lc_session, accounting_id),
	    AT(lc_session, ipv6),
	    AT(lc_session, name),
	    AT(lc_session, accounted),
	    AT(lc_session, group),
	    AT(lc_session, interim_s),
	    sizeof(struct lc_session_in),
	    AT(lc_session_in, nr),
	    sizeof(struct lc_session_out),
	    AT(lc_session_out, ns),
	    sizeof(struct lc_neighbour),
	    AT(lc_neighbour, ipv4),
	    AT(lc_neighbour, confirmed),
	    sizeof(struct lc_port_state),
	    sizeof(struct lc_account),
	    AT(lc_account, progress),
	    AT(lc_account, in_packets),
	    AT(lc_account, status_type),
	    AT(lc_account, name),
	    sizeof(struct lc_history),
	    AT(lc_history, tunnel_id),
	    AT(lc_history, peer_host),
	    sizeof(struct lc_start),
	    sizeof(struct lc_process),
	    sizeof(struct lc_header),
	    AT(lc_header, ready),
	    AT(lc_header, id_key),
	    AT(lc_header, epoch),
	    AT(lc_header, journal_committed),
	    AT(lc_header, control),
	    AT(lc_header, control_lost),
	    AT(lc_header, reader),
	    AT(lc_header, counter_name),
	};
	return hash_bytes(FNV_START, layout, sizeof(layout));
}

uint64_t lc_geometry_hash(const struct lc_geometry *geometry, const uint64_t region[LC_N_REGIONS])
{
	return hash_bytes(hash_bytes(FNV_START, geometry, sizeof(*geometry)), region,
			  LC_N_REGIONS * sizeof(region[0]));
}
