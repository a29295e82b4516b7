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

/* The L2TP header is at octets into the packet, which ends where UDP's payload does; source: of the
 * IP header. Where the edge is DP_L2TP_PPP or DP_L2TP_PPPOE, the packet has become its PPP frame
 * and knows its session. */
static __rte_always_inline rte_edge_t dp_l2tp_receive(struct dp_worker *worker, struct rte_mbuf *m,
						      uint32_t at, uint32_t source)
{
	const uint8_t *header = rte_pktmbuf_mtod_offset(m, const uint8_t *, at);
	uint32_t octets = m->data_len - at;
	if (unlikely(octets < 6))
		return DP_L2TP_SHORT;

	uint32_t bits = lc_get16(header);
	if (unlikely((bits & (LC_L2TP_TYPE | LC_L2TP_VERSION_MASK)) != LC_L2TP_VERSION))
		return (bits & LC_L2TP_VERSION_MASK) != LC_L2TP_VERSION ? DP_L2TP_VERSION
									: DP_L2TP_CONTROL;
	uint32_t length = (bits & LC_L2TP_LENGTH) / (LC_L2TP_LENGTH / 2);
	uint32_t sequence = (bits & LC_L2TP_SEQUENCE) / (LC_L2TP_SEQUENCE / 4);
	uint32_t offset = (bits & LC_L2TP_OFFSET) / (LC_L2TP_OFFSET / 2);
	uint32_t size = 6 + length + sequence + offset;
	if (unlikely(octets < size))
		return DP_L2TP_SHORT;
	if (length != 0) {
		uint32_t said = lc_get16(header + 2);
		if (unlikely(said < size || said > octets))
			return DP_L2TP_LENGTH;
		octets = said;
	}
	const uint8_t *ids = header + 2 + length;
	if (unlikely(offset != 0)) {
		size += lc_get16(ids + 4 + sequence);
		if (size > octets)
			return DP_L2TP_OFFSET;
	}

	uint32_t slot = lc_session_find(&worker->dp->mirror, lc_get16(ids), lc_get16(ids + 2));
	if (unlikely(slot == LC_NO_SLOT))
		return DP_L2TP_NO_SESSION;
	const struct lc_session *session = dp_session(worker->dp, slot);
	if (unlikely(session->peer_address != source))
		return DP_L2TP_WRONG_PEER;
	rte_edge_t edge = dp_l2tp_sequence(worker, slot, lc_session_door_read(session),
					   sequence != 0, sequence != 0 ? lc_get16(ids + 4) : 0);
	if (unlikely(edge > DP_L2TP_PPPOE))
		return edge;

	dp_trim(m, at + octets);
	dp_strip(m, at + size);
	m->hash.usr = slot;
	struct lc_session_in *in = &worker->dp->mirror.sessions_in[slot];
	in->packets++;
	in->octets += m->data_len;
	return edge;
}

/* Over what UDP says is its own (RFC 768), which IP's length may exceed. */
static inline bool dp_udp_is_right(const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp,
				   uint32_t length)
{
	uint32_t sum = (uint32_t)rte_raw_cksum(&ip->src_addr, 8) + RTE_BE16(IPPROTO_UDP) +
		       udp->dgram_len + rte_raw_cksum(udp, length);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

/* UDP within a sane IPv4 packet of total octets; at: of the UDP header in the frame. Trims the
 * frame to what UDP says. */
static __rte_always_inline rte_edge_t dp_l2tp_udp(struct dp_worker *worker, struct rte_mbuf *m,
						  const struct rte_ipv4_hdr *ip, uint32_t at)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	uint32_t length = rte_be_to_cpu_16(udp->dgram_len);
	if (unlikely(length < sizeof(*udp) || at + length > m->data_len))
		return DP_UDP_LENGTH;
	if (unlikely(udp->dgram_cksum != 0) && !dp_udp_is_right(ip, udp, length))
		return DP_UDP_CHECKSUM;
	dp_trim(m, at + length);
	return dp_l2tp_receive(worker, m, at + (uint32_t)sizeof(*udp),
			       rte_be_to_cpu_32(ip->src_addr));
}
