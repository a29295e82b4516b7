/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of every kind, damaged, into every port. Every frame that goes in comes out, or waits, or is counted by the name
 * of its drop; what comes out is sound; no buffer is lost; no session carries more octets than came in, as it would where a
 * length wrapped (sanitizers do not see into packet buffers).
 *
 * A template is damaged in a few octets, cut or made longer; mostly its checksums are made right again, so that the damage
 * gets past them. All is a function of one seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <rte_graph.h>

#include "dp_counter.h"
#include "dp_frame.h"
#include "dp_rig.h"
#include "lc_l2tp.h"

enum {
	FRAMES = 50000, /* of each of the four rigs */
	BURST = 16,
	SESSIONS = 4,
};

static struct rig rig;
static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

static bool one_in(uint32_t n)
{
	return random_below(n) == 0;
}

static size_t ethernet(void)
{
	return rig.cfg->ports[0].vlan ? 18 : 14;
}

/* ---- templates ---- */

static const uint8_t *payload(size_t length)
{
	static uint8_t bytes[2048];
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)random_below(256);
	return bytes;
}

/* An IP packet of a subscriber. */
static void put_packet(struct rig_frame *packet, uint16_t id)
{
	uint8_t user6[16], echo[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};
	static const uint32_t to[] = {RIG_SERVER, RIG_SERVER, RIG_SERVER, RIG_CORE_US + 9,
				      0xe0000001};
	size_t length = one_in(8) ? 1000 + random_below(500) : random_below(64);
	memcpy(user6, rig_user6, 16);
	user6[7] = (uint8_t)id;
	if (one_in(3))
		rig_ip6(packet, user6, one_in(4) ? rig_core_us6 : rig_server6, 17, 64,
			payload(length), length);
	else if (one_in(4))
		rig_ip4(packet, RIG_USER + id - 1U, RIG_CORE_US, 1, 64, 0, echo, sizeof(echo));
	else
		rig_ip4(packet, one_in(8) ? RIG_SERVER : RIG_USER + id - 1U,
			to[random_below(RTE_DIM(to))], 17, one_in(8) ? 1 : 64,
			one_in(4) ? 0x4000 : 0, payload(length), length);
}

static void put_ppp(struct rig_frame *ppp, uint16_t id)
{
	uint8_t echo[] = {0xff, 3, 0xc0, 0x21, 9, 7, 0, 12, 1, 0x22, 3, 0x44, 'd', 'a', 't', 'a'};
	ppp->length = 0;
	if (one_in(6)) {
		echo[4 + random_below(8)] ^= (uint8_t)(one_in(2) ? random_below(256) : 0);
		rig_append(ppp, echo, sizeof(echo));
		return;
	}
	struct rig_frame packet = {.length = 0};
	put_packet(&packet, id);
	if (one_in(2))
		rig_append(ppp, "\xff\3", 2);
	if (one_in(2))
		rig_append(ppp, "", 1);
	rig_append(ppp, packet.bytes[0] >> 4 == 6 ? "\x57" : "\x21", 1);
	rig_append(ppp, packet.bytes, packet.length);
}

static void put_l2tp(struct rig_frame *frame)
{
	static const uint16_t bits[] = {LC_L2TP_LENGTH, LC_L2TP_SEQUENCE, LC_L2TP_OFFSET, 0x0100};
	struct rig_l2tp header = {LC_L2TP_VERSION, 1, (uint16_t)(1 + random_below(SESSIONS)), 0,
				  (uint16_t)random_below(20)};
	static uint16_t ns;
	struct rig_frame ppp;
	uint8_t message[RIG_FRAME];
	for (unsigned i = 0; i < RTE_DIM(bits); i++)
		header.bits = (uint16_t)(header.bits | (one_in(2) ? bits[i] : 0));
	header.ns = one_in(8) ? (uint16_t)random_below(65536) : ns++;
	put_ppp(&ppp, header.session);
	size_t length = rig_l2tp(message, &header, ppp.bytes, ppp.length);
	if (one_in(16)) {
		length = 12;
		lc_l2tp_write_control(message, 12, 1, 0, 5, 6);
	}
	rig_udp(&rig, frame, RIG_PEER_THEM, message, length);
}

static void put_arp(struct rig_frame *frame, unsigned port)
{
	uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, (uint8_t)(1 + random_below(2)), 2, 0, 0, 0, 9, 9};
	bool peer = port == RIG_PEER;
	lc_put32(arp + 14, peer ? RIG_PEER_THEM : RIG_GATEWAY);
	lc_put32(arp + 24, peer ? RIG_PEER_US : RIG_CORE_US);
	rig_ethernet(&rig, port, frame, rig_peer_mac, 0x0806);
	rig_append(frame, arp, sizeof(arp));
}

static void put_icmp6(struct rig_frame *frame)
{
	static const uint8_t types[] = {128, 135, 136};
	uint8_t body[40] = {types[random_below(3)], [24] = 1, 1, 2, 0, 0, 0, 2, 0x55};
	body[24] = (uint8_t)(1 + random_below(2));
	memcpy(body + 8, one_in(2) ? rig_core_us6 : rig_gateway6, 16);
	rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x86dd);
	rig_ip6(frame, rig_gateway6, rig_core_us6, 58, 255, body, 8 + 8 * random_below(5));
}

static void put_core(struct rig_frame *frame)
{
	uint8_t user6[16], echo[] = {8, 0, 0xf7, 0xff, 0, 0, 0, 0};
	uint16_t id = (uint16_t)(1 + random_below(SESSIONS));
	size_t length = one_in(6) ? 1300 + random_below(400) : random_below(100);
	memcpy(user6, rig_user6, 16);
	user6[7] = (uint8_t)id;
	if (one_in(4)) {
		put_icmp6(frame);
	} else if (one_in(3)) {
		rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x86dd);
		rig_ip6(frame, rig_server6, user6, 17, 64, payload(length), length);
	} else {
		bool us = one_in(6);
		rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x0800);
		rig_ip4(frame, RIG_SERVER, us ? RIG_CORE_US : RIG_USER + id - 1U, us ? 1 : 17, 64,
			one_in(2) ? 0x4000 : 0, us ? echo : payload(length),
			us ? sizeof(echo) : length);
	}
}

static void put_pppoe(struct rig_frame *frame)
{
	uint8_t header[6] = {0x11};
	uint16_t id = (uint16_t)(1 + random_below(SESSIONS));
	struct rig_frame packet = {.length = 0};
	put_packet(&packet, id);
	lc_put16(header + 2, id);
	lc_put16(header + 4, (uint16_t)(2 + packet.length));
	rig_ethernet(&rig, RIG_ACCESS, frame, rig_user_mac, one_in(16) ? 0x8863 : 0x8864);
	rig_append(frame, header, sizeof(header));
	rig_append(frame, packet.bytes[0] >> 4 == 6 ? "\0\x57" : "\0\x21", 2);
	rig_append(frame, packet.bytes, packet.length);
}

/* ---- damage ---- */

/* The checksums of an IPv4 header, and of ICMPv6. */
static void make_right(struct rig_frame *frame)
{
	size_t at = ethernet();
	uint8_t *ip = frame->bytes + at;
	if (frame->length < at + 20)
		return;
	size_t header = (ip[0] & 15) * 4U, octets = frame->length - at;
	if (ip[0] >> 4 == 4 && header >= 20 && header <= octets) {
		lc_put16(ip + 10, 0);
		lc_put16(ip + 10, (uint16_t)~rig_sum(ip, header));
	}
	if (ip[0] >> 4 == 6 && ip[6] == 58 && octets >= 48 && lc_get16(ip + 4) + 40U <= octets &&
	    lc_get16(ip + 4) >= 8) {
		lc_put16(ip + 42, 0);
		uint16_t sum = rte_ipv6_udptcp_cksum((void *)ip, ip + 40);
		memcpy(ip + 42, &sum, 2);
	}
}

static void damage(struct rig_frame *frame)
{
	for (unsigned n = random_below(4); n > 0; n--) {
		/* Mostly in the headers. */
		size_t end = one_in(4) ? frame->length : RTE_MIN(frame->length, (size_t)64);
		uint8_t *at = &frame->bytes[random_below((uint32_t)end)];
		if (one_in(2))
			*at ^= (uint8_t)(1U << random_below(8));
		else
			*at = one_in(2) ? (uint8_t)random_below(256) : one_in(2) ? 0 : 0xff;
	}
	if (one_in(6))
		frame->length = random_below((uint32_t)frame->length + 1);
	else if (one_in(6))
		rig_append(frame, payload(64), random_below(64));
	if (!one_in(4))
		make_right(frame);
}

static uint64_t octets_in;

static void put(unsigned port, const struct rig_frame *frame)
{
	octets_in += frame->length;
	rig_put(&rig, port, frame->bytes, frame->length);
}

/* A frame from the peer as two fragments, in either order; the second may be missing or be another packet's. How many. */
static unsigned put_pieces(const struct rig_frame *frame)
{
	struct rig_frame piece;
	const uint8_t *ip = frame->bytes + ethernet();
	size_t all = frame->length - ethernet() - 20,
	       first = 8 + 8 * random_below((uint32_t)all / 8);
	first = RTE_MIN(first, all);
	unsigned n = first == all || one_in(8) ? 1 : 2, order = random_below(2);
	uint16_t id = (uint16_t)random_below(65536);
	for (unsigned i = 0; i < n; i++) {
		bool head = i == order;
		rig_ethernet(&rig, RIG_PEER, &piece, rig_peer_mac, 0x0800);
		rig_ip4(&piece, RIG_PEER_THEM, RIG_PEER_US, 17, 64,
			(uint16_t)(head ? 0x2000 : first / 8), ip + 20 + (head ? 0 : first),
			head ? first : all - first);
		lc_put16(piece.bytes + ethernet() + 4, (uint16_t)(id + (one_in(16) ? i : 0)));
		make_right(&piece);
		put(RIG_PEER, &piece);
	}
	return n;
}

/* How many. */
static unsigned put_frame(void)
{
	bool lac = rig.cfg->ports[0].facing == CFG_FACING_ACCESS;
	unsigned port = random_below(2);
	struct rig_frame frame;
	if (one_in(12) && !(lac && port == RIG_ACCESS))
		put_arp(&frame, port);
	else if (port == RIG_PEER)
		put_l2tp(&frame);
	else if (lac)
		put_pppoe(&frame);
	else
		put_core(&frame);
	if (port == RIG_PEER && lc_get16(frame.bytes + ethernet() - 2) == 0x0800 && one_in(10))
		return put_pieces(&frame);
	if (!one_in(8))
		damage(&frame);
	if (one_in(50)) /* by the wrong port */
		port ^= 1;
	put(port, &frame);
	return 1;
}

/* ---- accounts ---- */

static struct ledger {
	const struct dp_counter *drops[LC_COUNTERS];
	unsigned n_drops;
	const struct dp_counter
	    *remakers[3]; /* they make several frames of one, or one of several */
} ledger;

static uint64_t value(const struct dp_counter *counter)
{
	return rig.mirror.counters[0][counter->id];
}

/* Drops are nodes with a counter of their name; other ends of a frame have only the counter. */
static void open_ledger(void)
{
	static const char *ends[] = {"punt_full", "hold_full", "tx_full", "reassembly_expired"};
	static const char *makers[] = {"fragmented", "session_split", "reassembled"};
	ledger.n_drops = 0;
	for (unsigned i = 0; i < LC_COUNTERS && rig.mirror.header->counter_name[i][0]; i++) {
		const char *name = rig.mirror.header->counter_name[i];
		bool end = rte_node_from_name(name) != RTE_NODE_ID_INVALID &&
			   strcmp(name, "ip4_too_big") != 0 && strcmp(name, "session_split") != 0;
		for (unsigned j = 0; j < RTE_DIM(ends); j++)
			end = end || strcmp(name, ends[j]) == 0;
		if (end)
			ledger.drops[ledger.n_drops++] = dp_counter_find(name);
	}
	assert_true(ledger.n_drops > 30);
	for (unsigned i = 0; i < RTE_DIM(makers); i++)
		assert_non_null(ledger.remakers[i] = dp_counter_find(makers[i]));
}

static uint64_t dropped(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < ledger.n_drops; i++)
		sum += value(ledger.drops[i]);
	return sum;
}

static uint64_t remade(void)
{
	return value(ledger.remakers[0]) + value(ledger.remakers[1]) + value(ledger.remakers[2]);
}

/* What the sessions say that they have carried. */
static uint64_t carried(void)
{
	uint64_t sum = 0;
	for (uint16_t id = 1; id <= SESSIONS; id++) {
		uint32_t slot = lc_session_slot(&rig.mirror, 1, id);
		sum += rig.mirror.sessions_in[slot].octets + rig.mirror.sessions_out[slot].octets;
	}
	return sum;
}

static void check_sent(unsigned port, const uint8_t *frame, size_t length)
{
	const uint8_t *ip = frame + ethernet();
	assert_true(length >= ethernet());
	assert_memory_equal(frame + 6, &rig.dp.ports[port].mac, 6);
	if (lc_get16(ip - 2) != 0x0800)
		return;
	assert_true(length >= ethernet() + 20);
	assert_int_equal(rig_sum(ip, (ip[0] & 15) * 4U), 0xffff);
	assert_true(lc_get16(ip + 2) + ethernet() <= length);
	if (ip[9] == 17)
		assert_true(lc_get16(ip + 2) <= rig.dp.ports[port].mtu);
}

/* Takes all that was sent, handed over or held. How many. */
static unsigned take_all(void)
{
	uint8_t out[RIG_FRAME];
	unsigned n = 0;
	void *m;
	for (unsigned port = 0; port < 2; port++)
		for (int length; (length = rig_receive(&rig, port, out)) >= 0; n++)
			check_sent(port, out, (size_t)length);
	while (rte_ring_dequeue(rig.dp.control, &m) == 0 ||
	       rte_ring_dequeue(rig.dp.hold, &m) == 0) {
		rte_pktmbuf_free(m);
		n++;
	}
	return n;
}

static void every_frame_is_accounted_for(void **state)
{
	unsigned exact = 0, bursts = 0, sent = 0;
	open_ledger();
	for (uint16_t id = 1; id <= SESSIONS; id++) {
		uint32_t slot = rig_session(&rig, id, (uint8_t)random_below(32));
		rig.mirror.sessions[slot].mtu = id == 1 ? 1500 : 600;
	}
	for (unsigned n = 0; n < FRAMES; bursts++) {
		unsigned burst = 0;
		uint64_t drops = dropped(), made = remade(), were_carried = carried(),
			 were_in = octets_in;
		unsigned waited = rte_mempool_in_use_count(rig.dp.pool);
		for (unsigned i = random_below(BURST) + 1; i > 0; i--)
			burst += put_frame();
		rig.now += one_in(100) ? 3000 : random_below(3);
		rig_run(&rig);
		unsigned taken = take_all();
		uint64_t ended = taken + dropped() - drops + rte_mempool_in_use_count(rig.dp.pool);
		if (remade() == made && ended != waited + burst)
			fail_msg("after frame %u: %u came in, %u waited, %llu are accounted for", n,
				 burst, waited, (unsigned long long)ended);
		/* An echo is carried twice. No length is more than there was, nor less than nothing. */
		if (remade() == made && carried() - were_carried > 2 * (octets_in - were_in))
			fail_msg("after frame %u: sessions carried more than came in", n);
		exact += remade() == made;
		sent += taken;
		n += burst;
	}
	assert_true(exact > bursts / 4);
	assert_true(sent > FRAMES / 8);
	assert_true(value(ledger.remakers[2]) > FRAMES / 1000);
}

/* ---- rigs ---- */

static int open_rig(void **state)
{
	seed = UINT64_C(0x9e3779b97f4a7c15);
	rig_open(&rig, *state);
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

#define FUZZ(name, ...)                                                                            \
	{                                                                                          \
		name, every_frame_is_accounted_for, open_rig, close_rig, &(struct rig_options)     \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FUZZ("every_frame_is_accounted_for: LNS", .role = LC_ROLE_LNS),
	    FUZZ("every_frame_is_accounted_for: LNS, VLAN, small MTU", .role = LC_ROLE_LNS,
		 .vlan = 33, .mtu = 600),
	    FUZZ("every_frame_is_accounted_for: LAC", .role = LC_ROLE_LAC),
	    FUZZ("every_frame_is_accounted_for: LAC, VLAN, small MTU", .role = LC_ROLE_LAC,
		 .vlan = 33, .mtu = 600),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
