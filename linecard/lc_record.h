/* SPDX-License-Identifier: BSD-3-Clause */
/* The records of the mirror (lc_mirror.h says who writes which): tunnels, their control channels and
 * messages, sessions, neighbours, readers. Fixed-width fields, no pointers.
 *
 * Doors
 * The first 64-bit word of each record written by the control plane is its door: the commit writes
 * it last, with release; the other plane reads it first, with acquire. A field guarded by the door
 * does not change while the door lets somebody in, or changes by one aligned store that is right
 * before and after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LC_CACHE_LINE 64
#define LC_ALIGNED    __attribute__((aligned(LC_CACHE_LINE)))

enum lc_size {
	LC_RING = 64,          /* messages in a tunnel's inbox, and in its outbox; a power of two */
	LC_BUFFER_SIZE = 2048, /* a message buffer with its header */
	LC_NAME = 64,          /* bytes of a name with its NUL */
	LC_SECRET = 256,       /* bytes of a secret with its NUL */
	LC_MAX_WORKERS = 16,   /* data-plane workers */
	LC_MAX_PORTS = 32,     /* ports of a chassis */
	LC_MAX_NEIGHBOURS = 4096,
	LC_STARTS = 64,  /* starts of the control plane that are remembered */
	LC_LISTENER = 0, /* the tunnel slot whose inbox takes messages with tunnel ID 0 (SCCRQ) */
	LC_SPARE_TUNNELS = 64, /* slots beyond the configured limit, for recovery tunnels */
	LC_CLASS = 44,         /* bytes of RADIUS Class (RFC 2865 section 5.25) that are kept */
	LC_GROUP = 32,         /* bytes of a private group with its NUL */
};

#define LC_NO_SLOT        UINT32_MAX
#define LC_SESSION_SPREAD UINT32_C(0x9e3779b1) /* 2^32 by the golden ratio: lc_session_slot() */

/* ---- tunnels ---- */

/* What the control channel may do for a tunnel. */
enum lc_mode {
	LC_MODE_FREE,        /* slot not in use */
	LC_MODE_LISTENER,    /* slot LC_LISTENER only */
	LC_MODE_OPENING,     /* being set up: retransmits not_established times */
	LC_MODE_ESTABLISHED, /* retransmits established times; HELLOs */
	LC_MODE_CLOSING, /* delivers and acknowledges what is left; no HELLOs (RFC 2661 section 5.7)
			  */
	LC_MODE_HELD, /* silent: the peer's recovery tunnel is under way (RFC 4951 section 3.2.1) */
	LC_MODE_FAREWELL, /* dead: the last message of the outbox is sent once, to nobody's
			     acknowledgement */
};

/* What an endpoint says of itself in the Failover Capability AVP (RFC 4951 section 5.1). */
enum lc_failover_bits {
	LC_FAILOVER_CONTROL = 1 << 0, /* C */
	LC_FAILOVER_DATA = 1 << 1,    /* D */
	LC_FAILOVER_GIVEN = 1 << 7,   /* the AVP was there */
};

/* What accounting counts. in: from the subscriber. */
struct lc_totals {
	uint64_t in_packets, in_octets, out_packets, out_octets;
	uint64_t lost; /* data packets missing in sequence */
};

/* The door of a tunnel: one 64-bit store. */
union lc_tunnel_door {
	uint64_t word;
	struct {
		uint16_t id;          /* local tunnel ID; 0: free (or the listener) */
		uint16_t outbox_tail; /* number of the next message to be put into the outbox */
		uint16_t inbox_head;  /* number of the next message to be consumed */
		uint8_t mode;         /* enum lc_mode */
		uint8_t
		    generation; /* differs from that of the slot's previous tenant, and from that
					 before the channel was reset */
	};
};

enum lc_role {
	LC_ROLE_LAC,
	LC_ROLE_LNS,
};

/* Who wants a LAC's tunnel. */
enum lc_tunnel_origin {
	LC_ORIGIN_CONFIGURED, /* it is one of l2tp.tunnels, and always kept open (or it is an LNS's) */
	LC_ORIGIN_DOMAIN_MAP, /* a subscriber: of a domain map */
	LC_ORIGIN_RADIUS,     /* a subscriber: of an Access-Accept */
};

/* A tunnel as the control plane knows it. */
struct lc_tunnel {
	union lc_tunnel_door door;

	/* read by the data plane */
	uint32_t peer_address;
	uint32_t local_address;
	uint16_t peer_udp_port;
	uint16_t local_udp_port;
	uint16_t peer_id;     /* the peer's tunnel ID; 0: not known yet */
	uint16_t port;        /* index of the peer-facing port */
	uint16_t peer_window; /* the peer's Receive Window Size (4.4.3); 4 until known */
	uint8_t retransmit_established;
	uint8_t retransmit_not_established;
	uint32_t retransmit_ms;
	uint32_t retransmit_max_ms;
	uint32_t hello_ms;        /* 0: never */
	uint32_t outbox[LC_RING]; /* buffer of message number n at n % LC_RING, for acked <= n <
				     outbox_tail */
	/* Where a channel begins (RFC 4951 section 3.2.2; 0 and 0 or 1 for a new tunnel). A commit
	 * stores it before the door, so the door does not guard it: one 64-bit store, and it says
	 * which generation of the door it is for. While that is not the door's, a reset is about
	 * to come true, and the channel is silent. */
	union {
		uint64_t reset_word;
		struct {
			uint16_t reset_ns; /* of message number outbox_base */
			uint16_t
			    reset_nr; /* expected first; it becomes message number inbox_head */
			uint16_t outbox_base; /* what is before it in the outbox is flushed */
			uint8_t mortal; /* 1: its channel dies with the control plane (failover
					   protocol, disable) */
			uint8_t reset_generation; /* of the door */
		};
	};
	uint32_t
	    life; /* of the control plane that opened or reset the channel: lc_control_begin() */
	uint32_t recovery_wait_ms; /* the peer's Recovery Time: how long after the last
				      retransmission the peer is waited for (RFC 4951 section 5.1) */

	/* the control plane's own */
	uint8_t role;         /* enum lc_role */
	uint8_t state;        /* enum cp_tunnel_state */
	uint8_t method;       /* enum cfg_method in effect */
	uint8_t method_scope; /* enum cfg_scope */
	uint8_t hide_avps;
	uint8_t data_sequencing;
	uint8_t has_tie_breaker;
	uint8_t challenged; /* we sent a challenge: it is in challenge[] */
	uint16_t receive_window;
	uint16_t max_sessions;
	uint32_t n_sessions;
	uint32_t call_serial;  /* of the last call that we made in it */
	uint32_t peer_framing; /* Framing Capabilities */
	uint32_t peer_bearer;  /* Bearer Capabilities */
	uint16_t peer_firmware;
	uint16_t result_code; /* why it closes (4.4.2); 0: it does not */
	uint16_t error_code;
	uint16_t next_session; /* where the search for a free session ID starts */
	uint64_t deadline;     /* of the present state, ms; 0: none */
	uint64_t created;      /* ms */
	uint8_t tie_breaker[8];
	uint8_t challenge[16];
	char profile[LC_NAME];   /* LAC: name of the configured tunnel; LNS: of the destination
				    profile */
	char peer_host[LC_NAME]; /* the peer's Host Name AVP, printable */
	char local_host[LC_NAME];
	char reason[LC_NAME]; /* why it closes, for people */
	char secret[LC_SECRET];
	uint32_t retry_ms;    /* LAC: the back-off before the last try; 0: there was none */
	uint16_t session_mtu; /* LNS */

	/* resynchronization (RFC 4951) */
	uint8_t failover;          /* what we offered: enum lc_failover_bits */
	uint8_t peer_failover;     /* what the peer offered */
	uint32_t recovery_ms;      /* our Recovery Time */
	uint32_t peer_recovery_ms; /* the peer's */
	uint16_t recovers;     /* of a recovery tunnel: local ID of the old tunnel; else 0 (the data
					plane reads it: who waits for its SCCCN's acknowledgement is told) */
	uint16_t suggested_ns; /* of a recovery tunnel of the peer: what we sent in the */
	uint16_t suggested_nr; /* Suggested Control Sequence AVP (5.3) */
	uint8_t resync;        /* enum cp_resync */
	uint8_t farewell_capability; /* the last StopCCN carries a Failover Capability AVP */
	uint8_t data_reset_packets;  /* n of section 3.2.3, for its sessions */
	uint8_t has_tie_seen;        /* what became of the SCCRQ with tie_seen; 0: there was none */
	uint8_t unsynced;            /* what is owed to the sessions since the last reset */
	uint8_t recovered_here;      /* 1: we were the recovery endpoint of the last reset */
	uint8_t tie_seen[8];         /* of the peer's last SCCRQ to recover this tunnel */
	uint32_t n_queried;          /* the last resynchronization: sessions asked for, ... */
	uint32_t n_confirmed;        /* ... of which the peer knows */
	uint32_t n_cleared;          /* ... and those cleared, here, for want of a counterpart */
	uint64_t resynced;           /* ms: its end; 0: never */

	/* where it came from, and what is told of it to RADIUS */
	uint8_t origin; /* enum lc_tunnel_origin */
	uint8_t
	    domain_tunnel; /* of a domain map or an Access-Accept: its number (tag); profile is the map's name */
	uint8_t no_silent; /* 1: the module of its port has no silent failover when peer-facing */
	uint8_t
	    method_refused; /* 1: RADIUS asked for silent failover, which no_silent forbids: it has none */
	uint8_t accounted; /* 1: its Tunnel-Start is in the ledger, or was: a Tunnel-Stop is due */
	uint8_t cause;     /* Acct-Terminate-Cause of it and of its sessions, as soon as it ends */
	uint8_t reserved3[2];
	uint64_t accounting_id;    /* unique over the life of the mirror; 0: none yet */
	uint64_t established;      /* ms; 0: not yet */
	char assignment[LC_NAME];  /* Tunnel-Assignment-ID, identification; "": none */
	char server_host[LC_NAME]; /* the Host Name that the peer must have; "": any */
	struct lc_totals ended;    /* of its sessions that have ended, while it is accounted */
} LC_ALIGNED;

/* ---- the control channel on the wire ---- */

/* Sending, one 64-bit store. Message n of the outbox has Ns = n + shift; a HELLO, which is in no
 * outbox, is sent only when nothing is outstanding, takes Ns = acked and adds one to shift for what
 * comes after it. */
union lc_channel_tx {
	uint64_t word;
	struct {
		uint16_t acked; /* lowest Ns that the peer has not acknowledged */
		uint16_t next;  /* Ns of the next new message */
		uint16_t shift; /* HELLOs sent so far */
		uint8_t hello;  /* 1: Ns == acked is a HELLO that waits for its acknowledgement */
		uint8_t dead;   /* 1: retransmissions ran out (5.8); 2: and the farewell is sent.
				   Final, but for a reset */
	};
};

/* Receiving, one 64-bit store. The inbox holds the messages [inbox_head, nr - shift). */
union lc_channel_rx {
	uint64_t word;
	struct {
		uint16_t nr;    /* Ns expected next; all before it is in the inbox or consumed */
		uint16_t shift; /* numbers that did not go into the inbox: HELLOs, and the SCCRQ
				   that opened the tunnel */
		uint16_t
		    told; /* Nr of the last packet sent: nr - told messages await their acknowledgement */
		uint16_t reserved;
	};
};

/* A tunnel's control channel: the data plane's main lcore writes. */
struct lc_channel {
	union lc_channel_tx tx;
	union lc_channel_rx rx;
	uint64_t retransmit_at; /* ms; 0: nothing outstanding */
	uint64_t last_received; /* ms: anything valid from the peer on this channel or its sessions'
				   control */
	uint64_t last_sent;     /* ms */
	uint32_t retries;       /* of the message at tx.acked */
	uint16_t cwnd;          /* appendix A; 0 means 1 */
	uint16_t ssthresh;      /* 0 means the peer's window */
	uint16_t cwnd_count;    /* acknowledgements since cwnd grew (congestion avoidance) */
	uint16_t next_hop;      /* index of the neighbour towards the peer; UINT16_MAX: none */
	uint8_t generation;     /* of the door for which tx and rx are; written last when they begin
				   anew, by who opens the tunnel or by the data plane */
	uint8_t reserved[3];
	uint64_t
	    waiting_since; /* ms: retransmissions ran out, and the peer has time to recover; 0: no
				 */
	/* counters, messages */
	uint64_t received, sent, retransmitted, duplicates, out_of_order, out_of_window;
	uint64_t zlb_received, zlb_sent, hello_received, hello_sent, inbox_full, malformed;
	uint32_t inbox[LC_RING]; /* buffer of message number n at n % LC_RING */
	uint64_t silenced;       /* messages that came while it was silent: discarded */
	uint8_t pad[72];
} LC_ALIGNED;

/* A control message in an inbox or an outbox. */
struct lc_buffer {
	uint32_t length;        /* of bytes[] */
	uint32_t peer_address;  /* inbox: where it came from */
	uint32_t local_address; /* inbox: the address of ours that it was sent to */
	uint16_t peer_udp_port;
	uint16_t port;                      /* inbox: index of the port that it came in by */
	uint64_t when;                      /* ms: received; outbox: committed */
	uint8_t bytes[LC_BUFFER_SIZE - 24]; /* from the first octet of the L2TP header; outbox: Ns,
					       Nr are filled when sent */
};

#define LC_MESSAGE_MAX (sizeof(((struct lc_buffer *)0)->bytes))

/* ---- sessions ---- */

enum lc_session_flags {
	LC_SESSION_SEND_SEQUENCE = 1 << 0, /* put Ns/Nr into data we send (5.4) */
	LC_SESSION_EXPECT_SEQUENCE = 1 << 1,
	LC_SESSION_LENGTH = 1 << 2, /* set the L bit in data we send */
	LC_SESSION_PFC =
	    1 << 3, /* the peer's PPP accepts a compressed protocol field (RFC 1661 6.5) */
	LC_SESSION_ACFC = 1 << 4, /* ... compressed address and control (6.6) */
};

/* The door of a session. Forwarding starts when it is written and stops when it is zero. */
union lc_session_door {
	uint64_t word;
	struct {
		uint16_t tunnel_id;  /* local; 0: slot free or not forwarding */
		uint16_t session_id; /* local */
		uint8_t role;        /* enum lc_role */
		uint8_t flags;       /* enum lc_session_flags */
		uint16_t generation;
	};
};

/* Which Start is in the ledger, or was: so which Stop is due. */
enum lc_accounted {
	LC_ACCOUNTED_SESSION = 1 << 0, /* Start */
	LC_ACCOUNTED_LINK = 1 << 1,    /* Tunnel-Link-Start */
};

/* A session. Line 0 is all that a worker reads; the rest is the control plane's (addresses are read
 * by the main lcore, for its routes). */
struct lc_session {
	union lc_session_door door;
	uint32_t peer_address;
	uint32_t local_address;
	uint16_t peer_tunnel_id;
	uint16_t peer_session_id;
	uint16_t peer_udp_port;
	uint16_t local_udp_port;
	uint16_t port;          /* peer-facing */
	uint16_t access_port;   /* LAC: index; UINT16_MAX: none */
	uint16_t pppoe_session; /* LAC */
	uint8_t mac[6];         /* LAC: the subscriber's */
	uint16_t mtu;           /* of PPP's payload: the largest IP packet */
	uint32_t ipv4;          /* LNS: the subscriber's; 0: none */
	uint32_t magic;         /* our LCP magic number; 0: none */
	uint8_t ipv4_length;    /* of the route: 32 for an address */
	uint8_t ipv6_length;    /* 0: none */
	uint8_t data_resets; /* changes when our Ns begins at zero again (RFC 4951 section 3.2.3) */
	uint8_t reset_after; /* n: so many packets out of order but in sequence set Nr; 0: never */
	uint8_t pad[4];

	uint16_t
	    id; /* local session ID while the slot is in use, also when not forwarding; 0: free */
	uint16_t tunnel_id; /* local tunnel ID; with id the slot's tenant */
	uint8_t state;      /* enum cp_session_state */
	uint8_t role;
	uint8_t stale; /* 1: the peer pairs it with another: to be queried (RFC 4951 section 3.3) */
	uint8_t reserved;
	uint16_t result_code;
	uint16_t error_code;
	uint16_t subscribers; /* index of the configured range; UINT16_MAX: none */
	uint32_t subscriber;  /* index in the range */
	uint32_t call_serial; /* Call Serial Number (4.4.4) */
	uint32_t bearer_type, framing_type;
	uint32_t connect_speed, receive_speed; /* Tx and Rx Connect Speed, bit/s */
	uint32_t send_accm, receive_accm;      /* SLI: ACCM */
	uint64_t deadline;                     /* of the present state, ms; 0: none */
	uint64_t established;                  /* ms; 0: not yet */
	uint64_t accounting_id;                /* unique over the life of the mirror */
	uint32_t
	    wen[6]; /* WEN: CRC, framing, hardware, buffer, time-out, alignment errors (4.4.6) */
	uint8_t ipv6[16];
	char name[LC_NAME]; /* the subscriber */
	char calling[32];   /* Calling Number, printable */
	char called[32];    /* Called Number, printable */
	uint32_t retry_ms;  /* LAC: the back-off before the next try; 0: the last one succeeded */
	uint8_t accounted;  /* enum lc_accounted: what is in the ledger, or was: what is due */
	uint8_t class_length;
	uint8_t class[LC_CLASS]; /* of its Access-Accept */
	char group
	    [LC_GROUP]; /* Private Group ID (RFC 2661 section 4.4.4), Tunnel-Private-Group-ID */
	uint32_t
	    interim_s; /* when the last Interim-Update was due, s after established; 0: none was */
} LC_ALIGNED;

/* Data of a session that came in from the tunnel. Writer: the worker of that direction. */
struct lc_session_in {
	uint64_t packets, octets;
	uint64_t late, lost, dropped; /* sequencing (5.4): late or repeated; missing */
	uint16_t nr;                  /* next Ns expected */
	uint16_t nr_valid; /* 1: a sequenced packet was seen; 2: by a data plane before this one */
	uint32_t peer_sequences; /* LAC: 1: the LNS numbers its data now */
	uint16_t
	    run_next; /* late packets in sequence (RFC 4951 section 3.2.3): Ns that would go on */
	uint16_t run; /* how many there were; 0: none */
	uint32_t resets; /* times that they have set nr */
	uint64_t spare[1];
} LC_ALIGNED;

/* Data of a session that goes out into the tunnel. Writer: the worker of that direction; next_hop:
 * the main lcore. */
struct lc_session_out {
	uint64_t packets, octets;
	uint64_t dropped, fragmented;
	uint16_t ns;       /* Ns of the next data packet */
	uint16_t next_hop; /* index of the neighbour towards the peer; 0, UINT16_MAX: none */
	uint32_t
	    follow_sequence; /* LAC: 1: number data as the LNS does (5.4). Writer: the worker of the other direction */
	uint8_t data_resets; /* of the session when ns last began at zero. Writer of both then: the
				main lcore */
	uint8_t reserved[7];
	uint64_t spare[2];
} LC_ALIGNED;

/* ---- neighbours, readers, events ---- */

enum lc_neighbour_state {
	LC_NEIGHBOUR_FREE,
	LC_NEIGHBOUR_INCOMPLETE, /* wanted, not resolved yet */
	LC_NEIGHBOUR_REACHABLE,
};

/* MAC and state in one store, so that any worker may refresh it. */
union lc_neighbour_link {
	uint64_t word;
	struct {
		uint8_t mac[6];
		uint8_t state; /* enum lc_neighbour_state */
		uint8_t reserved;
	};
};

/* A next hop. Writer: the data plane (main lcore allocates; any worker stores link). */
struct lc_neighbour {
	union lc_neighbour_link link;
	uint8_t ipv6[16]; /* all zero: ipv4 */
	uint32_t ipv4;
	uint16_t port;
	uint16_t reserved;
	uint64_t confirmed; /* ms: last heard of */
	uint64_t asked;     /* ms: last request sent */
	uint64_t spare[2];
} LC_ALIGNED;

/* ---- accounting, history ---- */

/* How far an accounting record has come: one store. */
union lc_account_sent {
	uint64_t word;
	struct {
		uint8_t sent;   /* 1: server and identifier are those of the packet that was sent */
		uint8_t server; /* index of the accounting server */
		uint8_t identifier; /* of the packet (RFC 2866 section 3) */
		uint8_t reserved;
		uint32_t address; /* of the server: the index is of one configuration */
	};
};

/* Acct-Status-Type (RFC 2866 section 5.1, RFC 2867 section 3). */
enum lc_account_type {
	LC_ACCOUNT_START = 1,
	LC_ACCOUNT_STOP = 2,
	LC_ACCOUNT_INTERIM = 3,
	LC_ACCOUNT_TUNNEL_START = 9,
	LC_ACCOUNT_TUNNEL_STOP = 10,
	LC_ACCOUNT_TUNNEL_REJECT = 11,
	LC_ACCOUNT_LINK_START = 12,
	LC_ACCOUNT_LINK_STOP = 13,
	LC_ACCOUNT_LINK_REJECT = 14,
	LC_N_ACCOUNT_TYPES,
};

/* The ledger: what RADIUS is to be told (RFC 2866, 2867) and no server has acknowledged. An entry comes with the
 * transaction that makes it true; number becomes 0 when a server has acknowledged it. Once progress says that it was
 * sent, it does not change any more but for progress; before, the totals of a Stop may still grow (lc_ledger.c). All
 * that the packet says is here, so that who sends it again sends the same octets. Writer: the control plane. */
struct lc_account {
	uint64_t number; /* in the order of the commits, from 1; 0: the entry is free */
	union lc_account_sent progress;
	uint64_t accounting_id;        /* of the session; of the tunnel, for a Tunnel-* record */
	uint64_t tunnel_accounting_id; /* of the tunnel */
	uint64_t when;                 /* ms */
	uint64_t began;                /* ms: of the session or tunnel; 0: it was not established */
	union {
		struct lc_totals totals;
		struct {
			uint64_t in_packets, in_octets, out_packets, out_octets;
			uint64_t lost; /* RFC 2867, Acct-Tunnel-Packets-Lost */
		};
	};
	uint32_t slot; /* of the session; LC_NO_SLOT: of a tunnel, or of a call that got none */
	uint32_t peer_address, local_address;
	uint32_t ipv4;        /* LNS: the subscriber's; 0: none */
	uint32_t call_serial; /* Acct-Tunnel-Connection */
	uint16_t tunnel_id, session_id;
	uint16_t access_port, pppoe_session; /* LAC */
	uint8_t mac[6];                      /* LAC */
	uint8_t status_type;                 /* Acct-Status-Type */
	uint8_t cause;                       /* Acct-Terminate-Cause; 0: none */
	uint8_t role;                        /* enum lc_role */
	uint8_t class_length;
	uint8_t class[LC_CLASS];
	char name[LC_NAME]; /* the subscriber; "": of a tunnel */
	char assignment[LC_NAME];
	char local_host[LC_NAME], peer_host[LC_NAME];
	char group[LC_GROUP];
} LC_ALIGNED;

/* What a tunnel went through at a start of the control plane. */
enum lc_outcome {
	LC_OUTCOME_RECOVERING,  /* the failover protocol is at work */
	LC_OUTCOME_SILENT,      /* went on from the mirror */
	LC_OUTCOME_RECOVERED,   /* by the failover protocol */
	LC_OUTCOME_FAILED,      /* the failover protocol did not recover it: gone */
	LC_OUTCOME_CLEARED,     /* it has no method: gone */
	LC_OUTCOME_INTERRUPTED, /* the next start came before the end of this one */
};

/* One line of that history: a ring, the newest overwrites the oldest. Writer: the control plane, outside of
 * transactions: one that dies in between leaves one line less, or one that its successor closes. */
struct lc_history {
	uint64_t number;  /* from 1; written last; 0: never used */
	uint64_t when;    /* ms: of the outcome, or of the start while there is none */
	uint32_t life;    /* of the control plane */
	uint32_t took_ms; /* from its start to the outcome */
	uint32_t peer_address;
	uint16_t tunnel_id;
	uint8_t method;  /* enum cfg_method, in effect */
	uint8_t outcome; /* enum lc_outcome */
	uint32_t sessions_before, sessions_after;
	uint32_t n_queried, n_confirmed, n_cleared;
	uint8_t role; /* enum lc_role */
	uint8_t reserved[3];
	char peer_host[LC_NAME];
	char reason[LC_NAME]; /* of a failure */
} LC_ALIGNED;

/* A start of the control plane: a ring of LC_STARTS, the place is life % LC_STARTS. Writer: the control plane. */
struct lc_start {
	uint32_t life;
	uint32_t tunnels, sessions; /* found */
	uint32_t reserved;
	uint64_t began, ready; /* ms */
} LC_ALIGNED;

/* Somebody who reads records outside lc_txn: each worker, and the main lcore (index
 * LC_MAX_WORKERS). */
struct lc_reader {
	uint64_t seen;   /* the epoch that it saw when it last held nothing */
	uint64_t online; /* 0: reads nothing */
	uint64_t beat;   /* ms: last turn of its loop, at idle too */
} LC_ALIGNED;

/* The message that the control plane is at, so that one which brings it down three times is set
 * aside (invariant 8). One store; zero when it is at none. */
union lc_attempt {
	uint64_t word;
	struct {
		uint16_t slot_id; /* the tunnel's local ID; 0: the listener */
		uint16_t number;  /* message number in the inbox */
		uint8_t generation;
		uint8_t count; /* times that handling it began */
		uint16_t busy; /* 1 */
	};
};

/* ---- reading doors ---- */

static inline union lc_tunnel_door lc_tunnel_door_read(const struct lc_tunnel *t)
{
	return (union lc_tunnel_door){.word = __atomic_load_n(&t->door.word, __ATOMIC_ACQUIRE)};
}

static inline union lc_session_door lc_session_door_read(const struct lc_session *s)
{
	return (union lc_session_door){.word = __atomic_load_n(&s->door.word, __ATOMIC_ACQUIRE)};
}

static inline union lc_channel_tx lc_channel_tx_read(const struct lc_channel *c)
{
	return (union lc_channel_tx){.word = __atomic_load_n(&c->tx.word, __ATOMIC_ACQUIRE)};
}

static inline union lc_channel_rx lc_channel_rx_read(const struct lc_channel *c)
{
	return (union lc_channel_rx){.word = __atomic_load_n(&c->rx.word, __ATOMIC_ACQUIRE)};
}

/* Number after the last message in the inbox. */
static inline uint16_t lc_inbox_tail(union lc_channel_rx rx)
{
	return (uint16_t)(rx.nr - rx.shift);
}

/* Number of the first outbox message that the peer has not acknowledged. */
static inline uint16_t lc_outbox_head(union lc_channel_tx tx)
{
	return (uint16_t)(tx.acked - tx.shift + tx.hello);
}
