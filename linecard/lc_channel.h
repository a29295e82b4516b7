/* SPDX-License-Identifier: BSD-3-Clause */
/* The reliable control channel (RFC 2661 section 5.8 and appendix A), of all tunnels of a mirror.
 *
 * A pure library: it reads and writes the mirror, is told the time, and hands packets to a function. The data-plane
 * process runs it on its main lcore; tests and the plain-UDP peer run it on theirs. Its state is in struct lc_channel;
 * what is private here (out-of-order messages held back, timers, free inbox buffers) may die with the process: nothing
 * in it has been acknowledged, and lc_channels_attach() builds it again from the mirror.
 *
 * Rules (README): a message is acknowledged only once it is in the inbox, which is the one store of rx.word;
 * it leaves only once it is in the outbox. HELLOs are made, answered and consumed here and never reach an inbox.
 * Delayed acknowledgement: LC_ACK_DELAY_MS, or at once when half of our window is unacknowledged or a duplicate comes
 * (but duplicates draw at most one answer each LC_ACK_DELAY_MS).
 *
 * Silent channels (lc_mirror.h: mortal ones that have outlived their control plane, and held ones) send and
 * take nothing, and no time passes for them; a reset or the end of the hold, which is a commit, wakes them.
 *
 * A peer that has a Recovery Time (RFC 4951 section 5.1) is not given up when the retransmissions run out:
 * the channel waits for that time, retransmitting at its longest interval; an acknowledgement ends the wait.
 * It is counted from waiting_since, in the mirror, so it goes on across restarts. The control plane is told of
 * its beginning and its end.
 *
 * Thread: one. Time: ms, never going back.
 */
#pragma once

#include "lc_guard.h"
#include "lc_mirror.h"

enum {
	LC_ACK_DELAY_MS = 20, /* a reply that comes within this carries the acknowledgement */
};

struct lc_channels;

/* A packet to send: bytes from the first octet of the L2TP header, for the tunnel's peer (addresses are in its record).
 * It must not call back. */
typedef void lc_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length);

/* The control plane has work in its inbox or an event (ring its bell). May be NULL. */
typedef void lc_notify(void *context);

/* Takes over all channels of the mirror at time now; marks every tunnel in use for the control plane and for itself.
 * 0 or -ENOMEM. */
int lc_channels_attach(struct lc_channels **channels, struct lc_mirror *mirror,
		       lc_transmit *transmit, lc_notify *notify, void *context, uint64_t now);
void lc_channels_detach(struct lc_channels *channels);

/* The guard's table (lc_guard.h), with an entry for each tunnel slot. Once, after lc_channels_attach() and before anything
 * else: what the guard took is taken over, by id and generation; who is to be answered is published from now on;
 * all other entries are cleared. A table of another mirror must have been cleared before. It outlives
 * lc_channels_detach(), so that it is the guard's then. NULL: no guard. */
void lc_channels_guard(struct lc_channels *channels, struct lc_guard_entry *table);

/* Nobody is answered by this table. For one that belongs to another mirror. */
void lc_guard_clear(struct lc_guard_entry *table, uint32_t n);

/* Takes over the words of a table of another version: n entries of from_entry_size octets (a multiple of 8), of which
 * only the word, at offset 0, is understood.
 *   into an empty entry        As it is, with no identity: addresses, ports and peer_id are zero, which no peer has, so the
 *                              guard does not answer by it. lc_channels_guard() (or the next look at that tunnel)
 *                              adopts it, as exactly as if the table were its own, and gives it an identity.
 *   the same id and generation Forward only, by less than 32768. So it may be done again, once nobody
 *                              changes from any more, for what was taken there meanwhile.
 *   another tenant             Nothing.
 * The first time before lc_channels_guard(), if the absence may have been long. */
void lc_guard_merge(struct lc_guard_entry *to, const void *from, uint32_t n,
		    size_t from_entry_size);

/* Where a control packet came from. Host order. */
struct lc_arrival {
	uint32_t peer_address;
	uint32_t local_address;
	uint16_t peer_udp_port;
	uint16_t port;
};

enum lc_verdict {
	LC_TAKEN,     /* in order, in the inbox (or a HELLO, or a ZLB) */
	LC_HELD,      /* early: held back until what is missing comes */
	LC_DUPLICATE, /* seen before: acknowledged again */
	LC_OUTSIDE,   /* beyond our receive window: dropped */
	LC_FULL,      /* no room in the inbox: not acknowledged; of a tunnel, held until there is */
	LC_NO_TUNNEL, /* no such tunnel */
	LC_WRONG_PEER, /* not from the tunnel's peer */
	LC_SILENT,     /* the channel is silent (lc_tunnel_silent()): dropped */
	LC_MALFORMED, /* header or first AVP make no sense, or Nr acknowledges what was never sent */
};

/* A control packet (T bit set) has come in. Tunnel ID 0 goes to the listener. A message for a tunnel whose peer_id is
 * not known yet may come from any UDP port of the peer's address. */
enum lc_verdict lc_channels_receive(struct lc_channels *channels, const struct lc_arrival *arrival,
				    const uint8_t *bytes, size_t length, uint64_t now);

/* Does what is due: new messages in outboxes (dirty set), acknowledgements, retransmissions, HELLOs, buffers that the
 * control plane has consumed, tunnels that came and went. At most budget tunnels; true if it stopped for that. */
bool lc_channels_run(struct lc_channels *channels, uint64_t now, unsigned budget);

/* When lc_channels_run() next has something to do by the clock, ms; UINT64_MAX: nothing. */
uint64_t lc_channels_next(const struct lc_channels *channels);

/* Traffic of any kind came from the tunnel's peer (data too): the HELLO timer starts anew (5.5). */
void lc_channels_heard(struct lc_channels *channels, uint32_t slot, uint64_t now);

/* Crash points, for tests: called with the name of each step between two stores. NULL: none. */
extern void (*lc_channel_step)(const char *step);

/* A compare modulo 65536 (5.8): a comes before b. */
static inline bool lc_seq_before(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b) < 0;
}
