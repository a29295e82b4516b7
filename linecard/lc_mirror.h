/* SPDX-License-Identifier: BSD-3-Clause */
/* The mirror: shared memory that outlives the processes. Its records are in lc_record.h.
 *
 * A file on hugetlbfs (or /dev/shm), mapped by the data plane, the control plane and read-only by
 * shows. It holds all that is needed to go on after a SIGKILL of any of them between any two
 * instructions.
 *
 * Who writes what
 * - struct lc_tunnel, struct lc_session, the in-use bitmaps: the control plane, only by
 *   lc_txn_commit() (lc_txn.h).
 * - struct lc_channel, inbox buffers: the data plane's main lcore.
 * - struct lc_session_in, struct lc_session_out: the worker that has the session's direction, but
 *   for next_hop (the main lcore). The control plane clears them before it hands out a free slot, as
 *   it does a free slot's channel.
 * - the ledger, the history, starts: the control plane.
 * - outbox buffers: the control plane, before the commit that makes them reachable.
 * Everybody may read everything; what is read is bounds-checked before it is used.
 *
 * Byte order: host, but for bytes copied from the wire (messages, MACs, IPv6). Time:
 * CLOCK_MONOTONIC milliseconds, which goes on across restarts of processes (and the mirror does not
 * outlive the kernel).
 */
#pragma once

#include "lc_record.h"

/* Two-level set of slots: a hint that something is to be done there. Idempotent; both planes rescan
 * all slots in use when they start, so that a lost hint costs nothing. */
struct lc_dirty {
	uint64_t *top;  /* one bit a word of bits */
	uint64_t *bits; /* one bit a slot */
	uint32_t n_bits;
};

/* ---- the file ---- */

#define LC_MAGIC          UINT64_C(0x57415230314c494e)
#define LC_LAYOUT_VERSION 3

struct lc_geometry {
	uint32_t tunnel_slots;  /* a power of two, 2..65536; slot = local ID modulo this */
	uint32_t session_slots; /* a power of two, 2..2^20 */
	uint32_t max_tunnels;
	uint32_t max_sessions;
	uint32_t buffers;      /* in each of the two pools */
	uint32_t journal_size; /* bytes */
	uint32_t accounts;     /* in the ledger */
	uint32_t history;      /* lines */
};

enum lc_region {
	LC_REGION_TUNNELS,
	LC_REGION_CHANNELS,
	LC_REGION_SESSIONS,
	LC_REGION_SESSIONS_IN,
	LC_REGION_SESSIONS_OUT,
	LC_REGION_TUNNEL_MAP,  /* bitmap: tunnel slots in use */
	LC_REGION_SESSION_MAP, /* bitmap: session slots in use */
	LC_REGION_INBOX,       /* struct lc_buffer[buffers] */
	LC_REGION_OUTBOX,
	LC_REGION_NEIGHBOURS,
	LC_REGION_TO_CONTROL,    /* dirty tunnels: work for the control plane */
	LC_REGION_TO_DATAPLANE,  /* dirty tunnels: work for the data plane */
	LC_REGION_TO_ROUTES,     /* dirty sessions: routes and next hops for the data plane */
	LC_REGION_PORT_COUNTERS, /* uint64_t[LC_MAX_WORKERS + 1][LC_COUNTERS]: named drops and
				    totals, by reader */
	LC_REGION_PORTS,         /* struct lc_port_state[LC_MAX_PORTS] */
	LC_REGION_JOURNAL,
	LC_REGION_LEDGER,  /* struct lc_account[accounts] */
	LC_REGION_HISTORY, /* struct lc_history[history] */
	LC_REGION_STARTS,  /* struct lc_start[LC_STARTS] */
	LC_N_REGIONS,
};

enum {
	LC_COUNTERS = 256, /* named counters of the data plane */
	LC_COUNTER_NAME = 40,
};

/* What the data plane says of a port. Writer: main lcore. */
struct lc_port_state {
	uint8_t mac[6];
	uint8_t up;
	uint8_t reserved;
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets, rx_missed, tx_errors;
	uint64_t spare;
} LC_ALIGNED;

/* What is known of a process. Writer: that process. */
struct lc_process {
	uint64_t pid;        /* 0: never started */
	uint64_t starts;     /* since the cold start */
	uint64_t started;    /* ms */
	uint64_t ready;      /* ms: when it had taken over; 0: not yet */
	uint64_t first_work; /* ms: first message consumed, or first packet forwarded, after this
				start; 0: none yet */
} LC_ALIGNED;

struct lc_header {
	uint64_t magic;
	uint32_t layout_version;
	uint32_t header_size;
	uint64_t layout_hash; /* of the structures above */
	uint64_t size;        /* of the file */
	struct lc_geometry geometry;
	uint64_t geometry_hash;            /* of geometry and region[] */
	uint64_t region[LC_N_REGIONS];     /* offsets */
	uint64_t created;                  /* ms */
	uint64_t ready;                    /* LC_MAGIC, written last */
	uint64_t accounting_id LC_ALIGNED; /* last given out; control plane */
	uint64_t account_number; /* last given out to an entry of the ledger; control plane */
	uint64_t
	    realtime_ms; /* CLOCK_REALTIME at ms 0, as of the cold start: control plane, once */
	uint64_t history_number;   /* of the newest line; control plane */
	uint64_t next_tunnel_id;   /* where the search for a free tunnel ID starts; control plane */
	uint64_t id_key;           /* scrambles IDs; control plane, once; 0: they are in order */
	uint64_t epoch LC_ALIGNED; /* control plane */
	union lc_attempt attempt;
	uint64_t journal_committed LC_ALIGNED; /* bytes of the journal that are to be applied; 0:
						  none. THE commit point. */
	struct lc_process control;
	struct lc_process dataplane;
	uint64_t control_lost LC_ALIGNED; /* control.starts of the control plane whose end was seen;
					     data plane */
	struct lc_reader reader[LC_MAX_WORKERS + 1];
	uint16_t control_waiting
	    LC_ALIGNED; /* 1: the control plane sleeps and wants its bell rung */
	char counter_name[LC_COUNTERS]
			 [LC_COUNTER_NAME]; /* "" past the last; data plane, at its start */
};

/* One process's view of the file. Private memory. */
struct lc_mirror {
	struct lc_header *header;
	size_t size;
	int fd;
	struct lc_tunnel *tunnels;
	struct lc_channel *channels;
	struct lc_session *sessions;
	struct lc_session_in *sessions_in;
	struct lc_session_out *sessions_out;
	uint64_t *tunnel_map;
	uint64_t *session_map;
	struct lc_buffer *inbox;
	struct lc_buffer *outbox;
	struct lc_neighbour *neighbours;
	struct lc_dirty to_control;
	struct lc_dirty to_dataplane;
	struct lc_dirty to_routes;
	uint64_t (*counters)[LC_COUNTERS];
	struct lc_port_state *ports;
	uint8_t *journal;
	struct lc_account *ledger;
	struct lc_history *history;
	struct lc_start *starts;
	uint32_t tunnel_mask;
	uint32_t session_mask;
	uint32_t session_shift; /* 32 - log2 of the session slots */
};

/* The geometry for configured limits (all at least 1): tunnel slots for the listener, the tunnels and
 * LC_SPARE_TUNNELS more; fewer of those where 65536 slots have no room for them. */
struct lc_geometry lc_geometry_for(uint32_t tunnels, uint32_t sessions, uint32_t message_buffers,
				   uint32_t accounts);

/* Maps path, made anew (cold) if it is not there. Attaches only to what it understands wholly:
 * magic, version, layout, geometry, offsets, ready flag; otherwise it returns -ESTALE with one line
 * in why[size] and nothing is changed: the caller decides to remove the file and to start cold.
 * *cold says which it was. Two creators at once: one waits for the other. 0, -ESTALE, or -errno
 * with why filled. */
int lc_mirror_open(struct lc_mirror *mirror, const char *path, const struct lc_geometry *geometry,
		   bool *cold, char *why, size_t size);

/* Maps what is there, for reading only, with the geometry that it has. 0, -ESTALE, -ENOENT, -errno.
 */
int lc_mirror_open_readonly(struct lc_mirror *mirror, const char *path, char *why, size_t size);

void lc_mirror_close(struct lc_mirror *mirror);

/* Where the mirror of a chassis lies: "<hugetlbfs>/warmline-NAME" where a hugetlbfs is mounted with
 * free or reserved pages for size bytes, else /dev/shm/warmline-NAME. An existing file wins. *huge
 * says which. 0 or -errno. */
int lc_mirror_path(const char *chassis, uint64_t bytes, char *path, size_t size, bool *huge);

/* Bytes that a mirror of this geometry takes. */
uint64_t lc_mirror_size(const struct lc_geometry *geometry);

/* Every rule that must hold between any two commits: counts, maps, rings, doors, strings, each
 * buffer in one place only. Reads all slots in use; the data plane may go on meanwhile. true, or
 * false with one line in why. */
bool lc_mirror_check(const struct lc_mirror *mirror, char *why, size_t size);

/* Slots that are not in use have closed doors. Reads all of them. */
bool lc_mirror_check_free(const struct lc_mirror *mirror, char *why, size_t size);

/* What accounting counts of a session's data so far (lc_ledger.c). role: enum lc_role. */
void lc_session_totals(const struct lc_mirror *m, uint32_t session_slot, uint8_t role,
		       struct lc_totals *totals);

/* ---- lookups ---- */

static inline uint32_t lc_tunnel_slot(const struct lc_mirror *m, uint16_t tunnel_id)
{
	return tunnel_id & m->tunnel_mask;
}

/* A tunnel's sessions follow its place in the table, which the golden ratio spreads: few tunnels or many, each has its
 * own stretch before it runs into another's (multiplicative hashing). We choose the session ID, so that its slot is
 * free. */
static inline uint32_t lc_session_slot(const struct lc_mirror *m, uint16_t tunnel_id,
				       uint16_t session_id)
{
	return (((tunnel_id & m->tunnel_mask) * LC_SESSION_SPREAD >> m->session_shift) +
		session_id) &
	       m->session_mask;
}

/* Data path: the slot of a session that forwards, or LC_NO_SLOT. */
static inline uint32_t lc_session_find(const struct lc_mirror *m, uint16_t tunnel_id,
				       uint16_t session_id)
{
	uint32_t slot = lc_session_slot(m, tunnel_id, session_id);
	union lc_session_door d = lc_session_door_read(&m->sessions[slot]);
	return d.tunnel_id == tunnel_id && d.session_id == session_id && tunnel_id != 0
		   ? slot
		   : LC_NO_SLOT;
}

static inline bool lc_map_test(const uint64_t *map, uint32_t slot)
{
	return (__atomic_load_n(&map[slot / 64], __ATOMIC_ACQUIRE) >> (slot % 64)) & 1;
}

/* Next slot in use at or after slot, or LC_NO_SLOT. limit: number of slots. */
uint32_t lc_map_next(const uint64_t *map, uint32_t limit, uint32_t slot);

/* ---- the control plane's life ----
 *
 * A tunnel that recovers by the failover protocol, or not at all, has a mortal channel: it belongs to one
 * life of the control plane (control.starts). It is silent, in both directions, as soon as that life is
 * over: because the data plane has seen it end, or because another one has begun, which is one store for
 * all of them. It comes back by a reset (lc_txn_reset_channel()), which gives it the present life. */

/* A control plane takes over: its pid and the beginning of its life, in this order. Before anything else is
 * committed. Returns the life's number, from 1. */
uint32_t lc_control_begin(struct lc_mirror *m, uint64_t pid, uint64_t now);

/* Data plane: the life with this number is over. */
void lc_control_lost(struct lc_mirror *m, uint64_t starts);

static inline uint32_t lc_control_life(const struct lc_mirror *m)
{
	return (uint32_t)__atomic_load_n(&m->header->control.starts, __ATOMIC_ACQUIRE);
}

/* The channel neither sends nor takes anything. */
static inline bool lc_tunnel_silent(const struct lc_mirror *m, const struct lc_tunnel *t,
				    union lc_tunnel_door door)
{
	if (door.mode == LC_MODE_HELD)
		return true;
	if (!__atomic_load_n(&t->mortal, __ATOMIC_RELAXED))
		return false;
	uint32_t life = __atomic_load_n(&t->life, __ATOMIC_ACQUIRE);
	return life != lc_control_life(m) ||
	       life == (uint32_t)__atomic_load_n(&m->header->control_lost, __ATOMIC_ACQUIRE);
}

/* tx and rx are those of the door's generation. Until the data plane has made them so, nothing is in the
 * inbox, and nothing that they say of death or acknowledgement counts. */
static inline bool lc_channel_current(const struct lc_channel *c, union lc_tunnel_door door)
{
	return __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE) == door.generation;
}

/* ---- dirty sets ---- */

/* Any thread of any process. */
void lc_dirty_set(struct lc_dirty *dirty, uint32_t slot);

/* Takes one out, at or after *cursor and then from the start; LC_NO_SLOT when there is none. One
 * consumer. */
uint32_t lc_dirty_take(struct lc_dirty *dirty, uint32_t *cursor);

/* ---- epochs (invariant 6) ---- */

/* Reader: holds nothing now. Called once each turn of its loop, also while idle. */
static inline void lc_reader_quiesce(struct lc_mirror *m, unsigned reader)
{
	uint64_t epoch = __atomic_load_n(&m->header->epoch, __ATOMIC_ACQUIRE);
	__atomic_store_n(&m->header->reader[reader].seen, epoch, __ATOMIC_RELEASE);
}

void lc_reader_online(struct lc_mirror *m, unsigned reader);
void lc_reader_offline(struct lc_mirror *m, unsigned reader);

/* Control plane: what was unlinked before this call may be reused once lc_epoch_passed() says so of
 * its result. */
uint64_t lc_epoch_begin(struct lc_mirror *m);
bool lc_epoch_passed(const struct lc_mirror *m, uint64_t epoch);
