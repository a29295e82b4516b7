/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard: somebody in the kernel who acknowledges HELLOs while the control channels' process is away.
 *
 * A table of entries by tunnel slot, in memory that both see (a BPF map). The control channel (lc_channel.c) publishes in
 * it what it has told each peer; the guard (dataplane/xdp/guard.bpf.h) takes in-sequence HELLOs (RFC 2661 section 6.5),
 * and repeats acknowledgements for duplicates (5.8). This header is read by both, so it has fixed-width
 * types and nothing else; the channel's side is in lc_guard.c, where the essay on the hand-over is.
 *
 * A version of the table for ever: entries begin with their word, and the word's meaning never changes. So whoever
 * finds a table of another version can still learn what the guard has told the peers.
 */
#pragma once

#include <stdint.h>

/* One 64-bit word, changed by compare-and-swap from both sides. The guard reads it, then the rest of the entry, and then
 * swaps what it has read for the same with nr + 1: if that succeeds, the rest was of this word. */
union lc_guard_word {
	uint64_t word;
	struct {
		uint16_t nr; /* Ns that we expect of the peer next; all before is acknowledged */
		uint16_t ns; /* Ns of our next message: what our ZLBs carry */
		uint16_t id; /* local tunnel ID; 0: nobody is to be answered */
		uint8_t generation; /* of the tunnel's door */
		uint8_t
		    tail; /* lowest octet of the inbox's tail when the channel published nr: the guard keeps it */
	};
};

/* Writer: the channel, while word is 0; but for word and heard, which the guard writes too. Addresses and UDP ports in
 * network byte order, IDs in host order. */
struct lc_guard_entry {
	union lc_guard_word word;
	uint64_t
	    heard; /* ns, CLOCK_MONOTONIC: last HELLO that the guard took or repeated; 0: none */
	uint32_t peer_address;
	uint32_t local_address;
	uint16_t peer_udp_port;
	uint16_t local_udp_port;
	uint16_t peer_id; /* the peer's tunnel ID */
	uint8_t mac
	    [6]; /* of the next hop; zero: not known, the answer goes back to where it came from */
	uint8_t reserved[24];
};

_Static_assert(sizeof(struct lc_guard_entry) == 64, "an entry is a cache line");
