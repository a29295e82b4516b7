/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulator's world: parties (LACs and LNSs) with a mirror, a control plane (lc_txn and engine) and a data
 * plane (lc_channels) each, under virtual time and a seeded network. All that happens comes from the seed;
 * the same seed gives the same run, byte for byte.
 *
 * sim_plan.c     what the seed says: the parties, their configurations, the network, when there is trouble
 * sim_net.c      the network: loss, delay, reordering, repetition, partitions
 * sim_party.c    lives and deaths of both planes
 * sim_faults.c   crashes, partitions, cold starts; the operator
 * sim_watch.c    the checks of every step: what goes onto the wire, what is consumed, what a commit leaves
 * sim_promise.c  who may lose what, and when: the specification, and its bookkeeping
 * sim_rest.c     the checks of the end
 * sim_run.c      time
 * sim_trace.c    words for people
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp_engine.h"
#include "lc_channel.h"
#include "lc_l2tp.h"
#include "lc_txn.h"

enum {
	SIM_PARTIES = 3,
	SIM_LINKS = 6,       /* configured tunnels */
	SIM_START = 1000000, /* ms */
	SIM_FLYING = 8192,   /* packets under way */
	SIM_SESSIONS = 64,   /* slots in a mirror */
	SIM_TUNNELS = 128,   /* likewise */
	SIM_FAULTS = 64,
	SIM_LOST = 8192,   /* keys of what was lost; a power of two */
	SIM_SPINS = 20000, /* turns at one moment, before it is taken for a loop without an end */
};

/* ---- what the seed says ---- */

enum sim_role {
	SIM_LAC = 1,
	SIM_LNS = 2,
};

/* The policy of one party towards another. */
struct sim_policy {
	enum cfg_method method;
	bool scoped; /* the method is the tunnel's or the remote host's; else global */
	bool hide, sequencing;
	unsigned window, hello_s, max_sessions;
	struct cfg_retransmission retransmission;
	struct cfg_failover failover;
};

/* A configured tunnel. */
struct sim_link {
	unsigned lac, lns;
	unsigned subscribers;
};

enum sim_mood {
	SIM_CALM, /* no crash, no partition */
	SIM_FAIR, /* trouble that the promises cover */
	SIM_WILD, /* anything: cold starts, long partitions and outages */
};

enum sim_fault_kind {
	SIM_KILL_CONTROL,
	SIM_KILL_DATA,
	SIM_KILL_BOTH,
	SIM_PARTITION,
	SIM_COLD_START,
};

struct sim_fault {
	uint64_t at;
	enum sim_fault_kind kind;
	unsigned party, other; /* other: of a partition */
	bool one_way;          /* partition: only what party sends is lost */
	unsigned steps;        /* kills: dies at this step after at; 0: at once */
	unsigned times;        /* kills: so often on end */
	unsigned outage;       /* ms; of a partition: its length */
	int notice; /* ms until the data plane sees the death; -1: not before the next life */
};

struct sim_plan {
	unsigned n_parties, n_links, n_faults;
	unsigned role[SIM_PARTIES]; /* enum sim_role */
	struct sim_link links[SIM_LINKS];
	struct sim_policy policy[SIM_PARTIES][SIM_PARTIES];
	enum cfg_method global[SIM_PARTIES];
	char password[SIM_PARTIES][SIM_PARTIES][16]; /* of a pair, both ways the same; "": none */
	unsigned buffers;
	bool scrambled; /* IDs */
	enum sim_mood mood;
	unsigned loss, repeat; /* of 100 packets */
	unsigned loss_cap; /* copies of one message, or acknowledgements in a row, that are lost */
	unsigned delay_min, delay; /* ms; the longest */
	unsigned stall, stall_ms;  /* of 100 turns: a plane pauses after it, this long at most */
	uint64_t trouble_end;      /* ms after the start: from here on the network is whole */
	unsigned
	    operator_every; /* ms between two of the operator's deeds, about; 0: there is none */
	struct sim_fault faults[SIM_FAULTS];
};

/* ---- the network ---- */

struct sim_packet {
	uint64_t at;    /* ms: when it arrives */
	uint64_t order; /* of packets that arrive at once */
	unsigned from, to;
	uint16_t length;
	uint8_t bytes[LC_MESSAGE_MAX];
};

struct sim_net {
	unsigned n;
	uint32_t heap[SIM_FLYING]; /* packets under way, by at and order */
	uint32_t unused[SIM_FLYING];
	unsigned n_unused;
	struct sim_packet *packets;             /* SIM_FLYING of them */
	uint64_t cut[SIM_PARTIES][SIM_PARTIES]; /* ms: what is sent before this is lost */
	struct {
		uint64_t key;
		unsigned n;
	} lost[SIM_LOST];
	unsigned acks_lost[SIM_PARTIES][SIM_TUNNELS]; /* in a row, by sender and its slot */
};

/* ---- what was sent and consumed ---- */

enum { SIM_UNSENT = 0xff }; /* a number that was taken and not used yet */

struct sim_sent {
	uint32_t hash; /* of all but Ns and Nr */
	uint8_t type;  /* or SIM_UNSENT */
};

/* What a channel has sent in one life: from the opening of the tunnel, or a reset, to the next. */
struct sim_stream {
	unsigned party;
	uint16_t tunnel_id;
	uint16_t start; /* Ns of sent[0] */
	uint8_t generation;
	unsigned n, room;
	struct sim_sent *sent;
};

/* What is known of a tunnel slot. */
struct sim_tunnel {
	uint16_t id; /* 0: free */
	uint8_t generation;
	bool shut;           /* no session may begin */
	bool has_last;       /* something was consumed in this life */
	uint16_t last_ns;    /* of it */
	uint16_t head;       /* door.inbox_head when last looked at */
	uint16_t start;      /* Ns of the peer's that this life begins with */
	uint16_t consumed;   /* messages, in this life */
	uint16_t verified;   /* Ns up to which the acknowledgements were looked at ... */
	uint16_t n_verified; /* ... and the messages, but HELLOs, before it */
	int stream;          /* its own; -1: it has not sent anything in this life */
};

struct sim_session {
	uint64_t accounting_id; /* 0: not established */
	uint16_t id, tunnel_id;
	bool doomed;        /* not established when its tunnel was reset */
	bool promised;      /* it must be kept, here and at its peer */
	unsigned peer;      /* the party */
	uint32_t peer_slot; /* if promised: its counterpart there */
	uint64_t peer_accounting_id;
};

/* ---- parties ---- */

struct sim;

struct sim_party {
	struct sim *sim;
	unsigned number;
	char name[8];
	struct cfg *cfg;
	struct lc_mirror mirror;
	uint64_t random; /* what its engine draws from */
	struct lc_txn *txn;
	struct cp_engine *engine;
	struct lc_channels *channels;
	uint32_t cursor;
	uint32_t life;
	bool control_up, data_up;
	uint64_t control_at, data_at;     /* ms: when what is down comes back */
	uint64_t control_busy, data_busy; /* ms: until when it pauses */
	uint64_t lost_at; /* ms: when the data plane sees the control plane's death; 0: no */
	uint32_t lost_life;
	unsigned control_steps, data_steps;         /* to live; 0: no end in sight */
	struct sim_fault control_fault, data_fault; /* what is to happen then */
	bool cold;                                  /* the next start is a cold one */
	unsigned looks, data_deaths;
	struct sim_tunnel tunnels[SIM_TUNNELS];
	struct sim_session sessions[SIM_SESSIONS];
};

/* Two parties as sim_promise.c sees them. */
struct sim_pair {
	bool sick; /* they cannot reach each other's tunnels */
	unsigned
	    alone; /* all the while one control plane was down and nothing else; SIM_PARTIES: no */
	bool excused;             /* anything may be lost */
	uint64_t sick_since;      /* ms: the beginning of the span */
	uint64_t sick_until;      /* ms: the end of the last sickness */
	uint64_t patience, cycle; /* ms: sim_promise_patience(), sim_promise_cycle() */
};

struct sim {
	uint64_t seed, now, random;
	struct sim_plan plan;
	struct sim_net net;
	struct sim_party party[SIM_PARTIES];
	struct sim_pair pair[SIM_PARTIES][SIM_PARTIES]; /* [a][b] with a < b */
	struct sim_stream *streams;
	unsigned n_streams, streams_room;
	unsigned next_fault;
	uint64_t next_deed; /* ms; of the operator */
	uint64_t cut_end;   /* ms: of the last partition that has begun */
	uint64_t hash;      /* of all that has happened */
	uint64_t events;
	bool whole;  /* the trouble is over */
	bool rested; /* everything was at rest: HELLOs may be under way since */
	bool trace;
	char failure[512];
	jmp_buf failed;
	/* what it took, for the summary */
	uint64_t crashes, resets, promised, colds;
};

/* ---- chance ---- */

static inline uint64_t sim_draw64(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0..n-1 */
static inline unsigned sim_random(struct sim *sim, unsigned n)
{
	return (unsigned)((sim_draw64(&sim->random) >> 32) * n >> 32);
}

static inline bool sim_chance(struct sim *sim, unsigned percent)
{
	return sim_random(sim, 100) < percent;
}

static inline unsigned sim_between(struct sim *sim, unsigned from, unsigned to)
{
	return from + sim_random(sim, to - from + 1);
}

static inline struct sim_pair *sim_pair_of(struct sim *sim, unsigned a, unsigned b)
{
	return a < b ? &sim->pair[a][b] : &sim->pair[b][a];
}

static inline uint32_t sim_address(unsigned party)
{
	return 0x0a010001 + party;
}

/* The party at an address; SIM_PARTIES: none. */
static inline unsigned sim_party_at(const struct sim *sim, uint32_t address)
{
	unsigned party = address - sim_address(0);
	return party < sim->plan.n_parties ? party : SIM_PARTIES;
}

/* ---- sim_plan.c ---- */

void sim_plan_draw(struct sim *sim);
struct cfg *sim_plan_configure(struct sim *sim, unsigned party);

/* ---- sim_net.c ---- */

void sim_net_start(struct sim *sim);
void sim_net_send(struct sim *sim, unsigned from, uint32_t slot, unsigned to, const uint8_t *bytes,
		  size_t length);
/* The next packet that has arrived; NULL. Valid until the next call. */
const struct sim_packet *sim_net_take(struct sim *sim);
uint64_t sim_net_next(const struct sim *sim);

/* ---- sim_party.c ---- */

void sim_party_open(struct sim *sim, unsigned number);
void sim_party_close(struct sim_party *p);
/* Starts what is down and due, tells the data plane of deaths. */
bool sim_party_live(struct sim_party *p);
/* Something that there is to do now. false: there is nothing. */
bool sim_party_control(struct sim_party *p);
bool sim_party_data(struct sim_party *p);
void sim_party_receive(struct sim_party *p, const struct sim_packet *packet);
uint64_t sim_party_next(const struct sim_party *p);
void sim_party_kill_control(struct sim_party *p, const char *where);
void sim_party_kill_data(struct sim_party *p, const char *where);
/* One call into the engine that may die in it. deed(p, argument); its result, or -EINTR. */
int sim_party_enter(struct sim_party *p, int (*deed)(struct sim_party *p, const void *argument),
		    const void *argument);
/* Unmaps what is kept from seed to seed. */
void sim_party_forget(void);

/* ---- sim_faults.c ---- */

void sim_faults_run(struct sim *sim);
uint64_t sim_faults_next(const struct sim *sim);

/* ---- sim_watch.c ---- */

void sim_watch_sent(struct sim_party *p, uint32_t slot, const uint8_t *bytes, size_t length);
/* After a turn of the control plane, or its death: whatever it has committed. */
void sim_watch_control(struct sim_party *p);
/* A control plane has begun: what must be gone is. */
void sim_watch_started(struct sim_party *p);
/* All that lc_mirror_check() says. */
void sim_watch_mirror(struct sim_party *p, bool wholly);
void sim_watch_forget(struct sim_party *p);

/* ---- sim_promise.c ---- */

/* The method in effect at party p for its tunnels with q. DISABLE also stands for a failover protocol that
 * the other end has not negotiated: both lose everything. */
enum cfg_method sim_promise_method(const struct sim *sim, unsigned p, unsigned q);
/* How long the ends of a pair may be out of reach of each other, ms. */
uint64_t sim_promise_patience(const struct sim *sim, unsigned a, unsigned b);
/* A retransmission cycle from end to end, ms: of the longer of both. */
uint64_t sim_promise_cycle(const struct sim *sim, unsigned a, unsigned b);
void sim_promise_start(struct sim *sim);
void sim_promise_look(struct sim *sim); /* who can reach whom has changed, or time has passed */
/* Promises what is established by now, and was not when it could have been. */
void sim_promise_renew(struct sim *sim);
void sim_promise_established(struct sim_party *p, uint32_t slot);
void sim_promise_ended(struct sim_party *p, uint32_t slot);
void sim_promise_release(struct sim_party *p, uint32_t slot); /* it may be lost */
void sim_promise_release_pair(struct sim *sim, unsigned a, unsigned b);
void sim_promise_release_tunnel(struct sim_party *p, uint16_t tunnel_id);
void sim_promise_control_died(struct sim_party *p);
void sim_promise_cold(struct sim_party *p);

/* ---- sim_rest.c ---- */

/* Everything agrees, and nothing is under way. false: why, in one line. */
bool sim_rest_is(struct sim *sim, char *why, size_t size);
/* Nothing is leaked. Fails if it is. Stops both planes. */
void sim_rest_account(struct sim *sim);
/* How long after the trouble it may take. ms */
uint64_t sim_rest_patience(const struct sim *sim);

/* ---- sim_run.c ---- */

/* One seed, from the start to the end. true: it passed; else sim->failure says why. */
bool sim_run(struct sim *sim, uint64_t seed, bool trace);
void sim_free(struct sim *sim);

/* The run has failed. Does not return. */
__attribute__((noreturn, format(printf, 2, 3))) void sim_fail(struct sim *sim, const char *format,
							      ...);

/* ---- sim_trace.c ---- */

/* Something has happened: goes into the hash. */
void sim_note(struct sim *sim, char what, unsigned who, const void *bytes, size_t length);
/* A line of the trace; only call it if sim->trace. who: SIM_PARTIES: nobody. */
__attribute__((format(printf, 3, 4))) void sim_say(struct sim *sim, unsigned who,
						   const char *format, ...);
/* A packet in words. */
void sim_say_packet(struct sim *sim, unsigned who, const char *what, unsigned from, unsigned to,
		    const uint8_t *bytes, size_t length);
void sim_say_plan(struct sim *sim);
