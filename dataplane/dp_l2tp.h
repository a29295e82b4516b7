/* SPDX-License-Identifier: BSD-3-Clause */
/* L2TP data on receive (RFC 2661 sections 3.1 and 5.4), for the two nodes that meet it: l2tp_input,
 * which takes the plain frame, and ip4_input, which takes what is left (IP options, reassembled
 * packets). */
#pragma once

#include "dp_frame.h"
#include "dp_node.h"
#include "dp_sequence.h"
#include "lc_l2tp.h"

enum dp_l2tp_edge {
	DP_L2TP_PPP,     /* LNS */
	DP_L2TP_PPPOE,   /* LAC */
	DP_L2TP_CONTROL, /* the frame is untouched */
	DP_L2TP_SHORT,
	DP_L2TP_VERSION,
	DP_L2TP_LENGTH,
	DP_L2TP_OFFSET,
	DP_L2TP_NO_SESSION,
	DP_L2TP_WRONG_PEER,
	DP_L2TP_NO_SEQUENCE,
	DP_L2TP_LATE,
	DP_UDP_LENGTH,
	DP_UDP_CHECKSUM,
	DP_L2TP_EDGES, /* the first that a node may use for its own */
};

#define DP_L2TP_NEXT_NODES                                                                         \
	[DP_L2TP_PPP] = "ppp_input", [DP_L2TP_PPPOE] = "pppoe_output", [DP_L2TP_CONTROL] = "punt", \
	[DP_L2TP_SHORT] = "l2tp_short", [DP_L2TP_VERSION] = "l2tp_version",                        \
	[DP_L2TP_LENGTH] = "l2tp_length", [DP_L2TP_OFFSET] = "l2tp_offset",                        \
	[DP_L2TP_NO_SESSION] = "l2tp_no_session", [DP_L2TP_WRONG_PEER] = "l2tp_wrong_peer",        \
	[DP_L2TP_NO_SEQUENCE] = "l2tp_no_sequence", [DP_L2TP_LATE] = "l2tp_late",                  \
	[DP_UDP_LENGTH] = "udp_length", [DP_UDP_CHECKSUM] = "udp_checksum"

/* Sequence numbers, where they are used. A LAC does as its LNS does, unless they were asked for for
 * good (5.4). */
static __rte_always_inline rte_edge_t dp_l2tp_sequence(struct dp_worker *worker, uint32_t slot,
						       union lc_session_door door, bool sequenced,
						       uint16_t ns)
{
	struct lc_session_in *in = &worker->dp->mirror.sessions_in[slot];
	rte_edge_t edge = door.role == LC_ROLE_LNS ? DP_L2TP_PPP : DP_L2TP_PPPOE;
	if (sequenced && !dp_sequence_take(in, ns, dp_session(worker->dp, slot)))
		return DP_L2TP_LATE;
	if (unlikely(door.flags & LC_SESSION_EXPECT_SEQUENCE) && !sequenced) {
		in->dropped++;
		return DP_L2TP_NO_SEQUENCE;
	}
	if (door.role == LC_ROLE_LAC && unlikely(in->peer_sequences != sequenced)) {
		in->peer_sequences = sequenced;
		__atomic_store_n(&worker->dp->mirror.sessions_out[slot].follow_sequence,
				 (uint32_t)sequenced, __ATOMIC_RELAXED);
	}
	return edge;
}

/* hint->at is an L2TP data header: finds the slot where its session would be, if there is one, and the IDs as a door has
 * them, and asks for what is read of the session soon. */
static __rte_always_inline void dp_l2tp_look(const struct dp_worker *worker, struct dp_hint *hint)
{
	const struct lc_mirror *mirror = &worker->dp->mirror;
	uint64_t word = rte_be_to_cpu_64(dp_load64(hint->at));
	uint32_t ids = (uint32_t)(word >> ((word >> 58 & 16) ^ 16)); /* bit 62: Length is there */
	uint32_t slot = lc_session_slot(mirror, (uint16_t)(ids >> 16), (uint16_t)ids);
	rte_prefetch0(&mirror->sessions[slot]);
	rte_prefetch0(&mirror->sessions_in[slot]);
	hint->slot = slot;
	hint->key = ids << 16 | ids >> 16;
}

/* The size of an L2TP data header of any kind; *octets, of the message, becomes what its Length says. 0: *edge tells what is
 * wrong. */
static inline uint32_t dp_l2tp_size(const uint8_t *header, uint32_t bits, uint32_t *octets,
				    rte_edge_t *edge)
{
	uint32_t length = (bits & LC_L2TP_LENGTH) / (LC_L2TP_LENGTH / 2);
	uint32_t sequence = (bits & LC_L2TP_SEQUENCE) / (LC_L2TP_SEQUENCE / 4);
	uint32_t offset = (bits & LC_L2TP_OFFSET) / (LC_L2TP_OFFSET / 2);
	uint32_t size = 6 + length + sequence + offset;
	*edge = DP_L2TP_SHORT;
	if (unlikely(*octets < size))
		return 0;
	if (length != 0) {
		uint32_t said = lc_get16(header + 2);
		*edge = DP_L2TP_LENGTH;
		if (unlikely(said < size || said > *octets))
			return 0;
		*octets = said;
	}
	if (unlikely(offset != 0)) {
		*edge = DP_L2TP_OFFSET;
		size += lc_get16(header + size - 2);
		if (size > *octets)
			return 0;
	}
	return size;
}

/* hint: of an L2TP message, to the end of UDP's payload; source: of the IP header. Where the edge is DP_L2TP_PPP or
 * DP_L2TP_PPPOE, *v is its PPP frame. */
static __rte_always_inline rte_edge_t dp_l2tp_receive(struct dp_worker *worker,
						      const struct dp_hint *hint, uint32_t source,
						      struct dp_view *v)
{
	const uint8_t *header = hint->at;
	uint32_t octets = hint->octets, slot = hint->slot;
	if (unlikely(octets < 6))
		return DP_L2TP_SHORT;

	uint32_t bits = lc_get16(header);
	if (unlikely((bits & (LC_L2TP_TYPE | LC_L2TP_VERSION_MASK)) != LC_L2TP_VERSION))
		return (bits & LC_L2TP_VERSION_MASK) != LC_L2TP_VERSION ? DP_L2TP_VERSION
									: DP_L2TP_CONTROL;
	uint32_t size = 6;
	if (bits != LC_L2TP_VERSION) {
		rte_edge_t wrong;
		size = dp_l2tp_size(header, bits, &octets, &wrong);
		if (unlikely(size == 0))
			return wrong;
	}

	const struct lc_session *session = dp_session(worker->dp, slot);
	union lc_session_door door = lc_session_door_read(session);
	if (unlikely((uint32_t)door.word != hint->key || door.tunnel_id == 0))
		return DP_L2TP_NO_SESSION;
	if (unlikely(session->peer_address != source))
		return DP_L2TP_WRONG_PEER;
	bool sequenced = (bits & LC_L2TP_SEQUENCE) != 0;
	uint32_t ns_at = (bits & LC_L2TP_LENGTH) != 0 ? 8 : 6;
	rte_edge_t edge = dp_l2tp_sequence(worker, slot, door, sequenced,
					   sequenced ? lc_get16(header + ns_at) : 0);
	if (unlikely(edge > DP_L2TP_PPPOE))
		return edge;

	*v = (struct dp_view){hint->at + size, octets - size};
#ifndef DP_WITHOUT_WIRE_STORES /* tools/bench measures what they cost */
	struct lc_session_in *in = &worker->dp->mirror.sessions_in[slot];
	in->packets++;
	in->octets += v->octets;
#endif
	return edge;
}

/* Over what UDP says is its own (RFC 768), which IP's length may exceed. */
static inline __rte_cold bool dp_udp_is_right(const struct rte_ipv4_hdr *ip,
					      const struct rte_udp_hdr *udp, uint32_t length)
{
	uint32_t sum = (uint32_t)rte_raw_cksum(&ip->src_addr, 8) + RTE_BE16(IPPROTO_UDP) +
		       udp->dgram_len + rte_raw_cksum(udp, length);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16)) == 0xffff;
}
