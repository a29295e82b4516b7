/* SPDX-License-Identifier: BSD-3-Clause */
/* L2TP data on receive and on send (RFC 2661 sections 3.1, 5.3, 5.4, 8.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dp_rig.h"
#include "lc_l2tp.h"

static struct rig rig;

static int open_lns(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS});
	return 0;
}

static int open_lns_vlan(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS, .vlan = 100});
	return 0;
}

static int open_lac(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LAC});
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

/* What left by the core port is the packet with its TTL one less. */
static void expect_forwarded(uint16_t id)
{
	uint8_t out[RIG_FRAME], ppp[256];
	size_t length = rig_ppp(ppp, id) - 4, ethernet = rig.cfg->ports[0].vlan ? 18 : 14;
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet + length);
	assert_memory_equal(out, rig_gateway_mac, 6);
	assert_memory_equal(out + 6, &rig.dp.ports[RIG_CORE].mac, 6);
	if (ethernet == 18) {
		assert_int_equal(lc_get16(out + 12), 0x8100);
		assert_int_equal(lc_get16(out + 14), rig.cfg->ports[0].vlan);
	}
	assert_int_equal(lc_get16(out + ethernet - 2), 0x0800);
	assert_int_equal(out[ethernet + 8], 63);
	assert_int_equal(rig_sum(out + ethernet, 20), 0xffff);
	assert_memory_equal(out + ethernet + 12, ppp + 4 + 12, length - 12);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
}

/* Every form of the header: L, S, O and P in all combinations, with offsets of several sizes. */
static void rfc2661_3_1_every_header_form(void **state)
{
	uint32_t slot = rig_session(&rig, 1, 0);
	uint64_t packets = 0;
	uint16_t ns = 0;
	for (unsigned form = 0; form < 16; form++) {
		for (uint16_t offset = 0; offset <= 33; offset = (uint16_t)(offset + 11)) {
			struct rig_l2tp header = {
			    .bits = LC_L2TP_VERSION, .tunnel = 1, .session = 1, .offset = offset};
			struct rig_frame frame;
			header.bits |=
			    (form & 1 ? LC_L2TP_LENGTH : 0) | (form & 2 ? LC_L2TP_SEQUENCE : 0) |
			    (form & 4 ? LC_L2TP_OFFSET : 0) | (form & 8 ? LC_L2TP_PRIORITY : 0);
			if (form & 2)
				header.ns = ns++;
			rig_data(&rig, &frame, &header);
			rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
			expect_forwarded(1);
			packets++;
		}
	}
	assert_int_equal(rig.mirror.sessions_in[slot].packets, packets);
	assert_int_equal(rig.mirror.sessions_in[slot].lost, 0);
	assert_int_equal(rig.mirror.sessions_in[slot].late, 0);
}

/* Reserved bits must be ignored on receive (3.1). */
static void rfc2661_3_1_reserved_bits_are_ignored(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	rig_data(&rig, &frame,
		 &(struct rig_l2tp){.bits = 0x34f0 | LC_L2TP_VERSION, .tunnel = 1, .session = 1});
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	expect_forwarded(1);
}

/* Padding after Length is cut off. */
static void rfc2661_3_1_octets_past_length_are_padding(void **state)
{
	uint8_t ppp[256], message[512];
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	size_t length = rig_ppp(ppp, 1);
	length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_LENGTH, 1, 1, 0, 0},
			  ppp, length);
	memset(message + length, 0x55, 7);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length + 7);
	rig_append(&frame, "ethernet padding", 16);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	expect_forwarded(1);
}

/* Cut at every length, with IP's and UDP's lengths right for what is left: never forwarded but whole, never a crash. */
static void truncated_at_every_length(void **state)
{
	uint8_t ppp[256], message[512], out[RIG_FRAME];
	rig_session(&rig, 1, 0);
	for (unsigned form = 0; form < 8; form++) {
		struct rig_l2tp header = {
		    .bits = LC_L2TP_VERSION, .tunnel = 1, .session = 1, .offset = 5};
		header.bits |= (form & 1 ? LC_L2TP_LENGTH : 0) | (form & 2 ? LC_L2TP_SEQUENCE : 0) |
			       (form & 4 ? LC_L2TP_OFFSET : 0);
		size_t length = rig_l2tp(message, &header, ppp, rig_ppp(ppp, 1));
		for (size_t cut = 0; cut < length; cut++) {
			struct rig_frame frame;
			rig_udp(&rig, &frame, RIG_PEER_THEM, message, cut);
			rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
			assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
		}
	}
	assert_true(rig_counter(&rig, "l2tp_short") > 0);
	assert_true(rig_counter(&rig, "l2tp_length") > 0);
	assert_true(rig_counter(&rig, "l2tp_offset") > 0);
	assert_true(rig_counter(&rig, "ppp_short") > 0);
	assert_true(rig_counter(&rig, "ip4_bad") > 0);
}

/* Cut at every length while the headers still promise the rest. */
static void frame_cut_at_every_length(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	rig_session(&rig, 1, 0);
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_LENGTH, 1, 1, 0, 0});
	for (size_t cut = 0; cut < frame.length; cut++) {
		rig_send(&rig, RIG_PEER, frame.bytes, cut);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
	}
	assert_int_equal(rig_counter(&rig, "eth_short"), 14);
	assert_int_equal(rig_counter(&rig, "eth_short") + rig_counter(&rig, "ip4_bad"),
			 frame.length);
}

static void each_drop_reason(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);

	rig_data(&rig, &frame, &(struct rig_l2tp){3, 1, 1, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_version");
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 2, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_no_session");
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 2, 1, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_no_session");
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 0, 0, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_no_session");

	uint8_t message[64] = {0, LC_L2TP_VERSION, 0, 1, 0, 1, 0xff, 3, 0, 0x21};
	rig_udp(&rig, &frame, RIG_PEER_THEM + 1, message, 10);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_wrong_peer");

	/* A Length that is shorter than the header. */
	static const uint8_t short_length[] = {0x40, 2, 0, 7, 0, 1, 0, 1, 0xff, 3, 0, 0x21};
	rig_udp(&rig, &frame, RIG_PEER_THEM, short_length, sizeof(short_length));
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_length");

	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	lc_put16(frame.bytes + 14 + 20 + 4, 7); /* UDP length */
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "udp_length");
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	lc_put16(frame.bytes + 14 + 20 + 6,
		 0x1234); /* a wrong checksum; none at all is allowed (8.1) */
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "udp_checksum");
}

/* IP options do not fit the fused node: ip4_input takes them. */
static void ip_options_are_taken(void **state)
{
	struct rig_frame frame, with = {.length = 0};
	rig_session(&rig, 1, 0);
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	rig_append(&with, frame.bytes, 34);
	rig_append(&with, "\1\1\1\0", 4);
	rig_append(&with, frame.bytes + 34, frame.length - 34);
	uint8_t *ip = with.bytes + 14;
	ip[0] = 0x46;
	lc_put16(ip + 2, (uint16_t)(with.length - 14));
	lc_put16(ip + 10, 0);
	lc_put16(ip + 10, (uint16_t)~rig_sum(ip, 24));
	rig_send(&rig, RIG_PEER, with.bytes, with.length);
	expect_forwarded(1);
}

static void send_ns(uint16_t ns)
{
	struct rig_frame frame;
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_SEQUENCE, 1, 1, ns, 0});
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
}

/* In order, lost, late, repeated, over the wrap of Ns. */
static void rfc2661_5_4_sequencing(void **state)
{
	uint32_t slot = rig_session(&rig, 1, LC_SESSION_EXPECT_SEQUENCE);
	const struct lc_session_in *in = &rig.mirror.sessions_in[slot];
	uint8_t out[RIG_FRAME];
	static const struct {
		uint16_t ns;
		bool taken;
		uint64_t lost, late;
	} steps[] = {
	    {65530, true, 0, 0}, /* the first says where it begins */
	    {65531, true, 0, 0}, {65534, true, 2, 0}, {65532, false, 2, 1}, {65534, false, 2, 2},
	    {65535, true, 2, 2}, {0, true, 2, 2},     {65535, false, 2, 3}, {10, true, 11, 3},
	    {9, false, 11, 4},   {11, true, 11, 4},
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		send_ns(steps[i].ns);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out) > 0, steps[i].taken);
		assert_int_equal(in->lost, steps[i].lost);
		assert_int_equal(in->late, steps[i].late);
	}
	assert_int_equal(rig_counter(&rig, "l2tp_late"), 4);
	assert_int_equal(in->packets, 7);
}

/* However many packets passed while nobody was here, and be that half of the numbers or more: the first says
 * where it goes on. */
static void rfc2661_5_4_goes_on_after_an_absence(void **state)
{
	uint32_t slot = rig_session(&rig, 1, LC_SESSION_EXPECT_SEQUENCE);
	const struct lc_session_in *in = &rig.mirror.sessions_in[slot];
	uint8_t out[RIG_FRAME];
	static const uint16_t missed[] = {0, 5, 32767, 32768, 65535};
	uint16_t ns = 65000;
	send_ns(ns);
	assert_true(rig_receive(&rig, RIG_CORE, out) > 0);
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++) {
		rig_take_over(&rig);
		ns = (uint16_t)(ns + 1 + missed[i]);
		send_ns(ns);
		assert_true(rig_receive(&rig, RIG_CORE, out) > 0);
		send_ns(ns); /* again */
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
	}
	assert_int_equal(in->late, 5);
	assert_int_equal(in->lost, 5 + 32767); /* as far as the numbers tell */
}

/* Sequencing Required: data without Ns is discarded (4.4.6). */
static void rfc2661_5_4_required_and_missing(void **state)
{
	struct rig_frame frame;
	uint32_t slot = rig_session(&rig, 1, LC_SESSION_EXPECT_SEQUENCE);
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_no_sequence");
	assert_int_equal(rig.mirror.sessions_in[slot].dropped, 1);
}

/* ---- sending ---- */

/* A packet to the subscriber, in at the core; the frame that leaves by the peer port, checked up to L2TP. */
static size_t send_down(uint8_t out[RIG_FRAME])
{
	struct rig_frame frame;
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_USER, 17, 64, 0, "\0\1\0\2\0\x0c\0\0data", 12);
	rig_append(&frame, "padding", 7);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	int length = rig_receive(&rig, RIG_PEER, out);
	assert_true(length > 14 + 28 + 6);
	assert_memory_equal(out, rig_peer_mac, 6);
	assert_int_equal(lc_get16(out + 12), 0x0800);
	const uint8_t *ip = out + 14, *udp = ip + 20;
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(lc_get16(ip + 2), length - 14);
	assert_int_equal(lc_get16(ip + 6), 0); /* DF is clear */
	assert_int_equal(rig_sum(ip, 20), 0xffff);
	assert_int_equal(lc_get32(ip + 12), RIG_PEER_US);
	assert_int_equal(lc_get32(ip + 16), RIG_PEER_THEM);
	assert_int_equal(lc_get16(udp), LC_L2TP_UDP_PORT);
	assert_int_equal(lc_get16(udp + 2), LC_L2TP_UDP_PORT);
	assert_int_equal(lc_get16(udp + 4), length - 34);
	assert_int_equal(lc_get16(udp + 6), 0); /* 8.1 */
	memmove(out, udp + 8, (size_t)length - 42);
	return (size_t)length - 42;
}

/* Each flag of a session shows in what it sends, and in nothing else. */
static void rfc2661_3_1_what_is_sent(void **state)
{
	for (uint8_t flags = 0; flags < 32; flags++) {
		uint8_t out[RIG_FRAME], expected[64];
		size_t n = 0;
		uint32_t slot = rig_session(&rig, 1, flags);
		for (uint16_t ns = 0; ns < 3; ns++) {
			struct lc_l2tp_header header;
			size_t length = send_down(out);
			assert_int_equal(lc_l2tp_parse(out, length, &header), 0);
			assert_int_equal(header.tunnel_id, 7);
			assert_int_equal(header.session_id, 1001);
			assert_int_equal(
			    header.bits & ~LC_L2TP_VERSION_MASK,
			    (flags & LC_SESSION_LENGTH ? LC_L2TP_LENGTH : 0) |
				(flags & LC_SESSION_SEND_SEQUENCE ? LC_L2TP_SEQUENCE : 0));
			if (flags & LC_SESSION_SEND_SEQUENCE)
				assert_int_equal(header.ns, ns);
			assert_int_equal(header.total, length);
			n = 0;
			if (!(flags & LC_SESSION_ACFC)) {
				expected[n++] = 0xff;
				expected[n++] = 0x03;
			}
			if (!(flags & LC_SESSION_PFC))
				expected[n++] = 0;
			expected[n++] = 0x21;
			assert_memory_equal(out + header.size, expected, n);
			assert_int_equal(length - header.size, n + 32);
			assert_int_equal(out[header.size + n + 8], 63);
			assert_int_equal(rig_sum(out + header.size + n, 20), 0xffff);
		}
		assert_int_equal(rig.mirror.sessions_out[slot].packets, 3);
		assert_int_equal(rig.mirror.sessions_out[slot].octets, 3 * (n + 32));
		rig_session_close(&rig, slot);
	}
}

/* A LAC numbers its data as its LNS does, and goes on where it was (5.4). */
static void rfc2661_5_4_lac_follows_lns(void **state)
{
	static const uint8_t up[] = {0x11, 0, 0, 1, 0, 4, 0xc0, 0x21, 9, 1};
	struct lc_l2tp_header header;
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	uint16_t ns = 0;
	rig_session(&rig, 1, 0);
	static const bool sequenced[] = {false, true, true, false, false, true};
	for (size_t i = 0; i < sizeof(sequenced); i++) {
		struct rig_l2tp down = {LC_L2TP_VERSION, 1, 1, (uint16_t)i, 0};
		down.bits |= sequenced[i] ? LC_L2TP_SEQUENCE : 0;
		rig_data(&rig, &frame, &down);
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
		assert_true(rig_receive(&rig, RIG_ACCESS, out) > 0);

		rig_ethernet(&rig, RIG_ACCESS, &frame, rig_user_mac, 0x8864);
		rig_append(&frame, up, sizeof(up));
		rig_send(&rig, RIG_ACCESS, frame.bytes, frame.length);
		int length = rig_receive(&rig, RIG_PEER, out);
		assert_true(length > 0);
		assert_int_equal(lc_l2tp_parse(out + 42, (size_t)length - 42, &header), 0);
		assert_int_equal((header.bits & LC_L2TP_SEQUENCE) != 0, sequenced[i]);
		if (sequenced[i])
			assert_int_equal(header.ns, ns++);
	}
}

/* UDP may end before IP does (RFC 768: its checksum is of its own length). */
static void rfc768_octets_past_udp_are_padding(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	uint8_t *ip = frame.bytes + 14, *udp = ip + 20, pseudo[12] = {[9] = 17};
	size_t length = frame.length - 34;
	memcpy(pseudo, ip + 12, 8);
	lc_put16(pseudo + 10, (uint16_t)length);
	uint32_t sum = (uint32_t)rig_sum(pseudo, 12) + rig_sum(udp, length);
	lc_put16(udp + 6, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
	rig_append(&frame, "\1\2\3\4", 4);
	lc_put16(ip + 2, (uint16_t)(24 + length));
	lc_put16(ip + 10, 0);
	lc_put16(ip + 10, (uint16_t)~rig_sum(ip, 20));
	uint8_t out[RIG_FRAME];
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_CORE, out) > 0);
	udp[8 + 7] ^= 1;
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "udp_checksum");
}

/* A closed session forwards nothing, either way; control messages go to the main lcore untouched. */
static void closed_door_and_control(void **state)
{
	struct rig_frame frame;
	uint32_t slot = rig_session(&rig, 1, 0);
	rig_session_close(&rig, slot);
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0});
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "l2tp_no_session");
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_USER, 17, 64, 0, "data", 4);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "core_no_subscriber");

	uint8_t message[12];
	lc_l2tp_write_control(message, sizeof(message), 1, 0, 5, 6);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, sizeof(message));
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	void *obj = NULL;
	assert_int_equal(rte_ring_dequeue(rig.dp.control, &obj), 0);
	struct rte_mbuf *m = obj;
	assert_int_equal(m->pkt_len, frame.length);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), frame.bytes, frame.length);
	rte_pktmbuf_free(m);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)
#define VLAN(test)                                                                                 \
	{                                                                                          \
#test " in a VLAN", test, open_lns_vlan, close_rig, NULL                           \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(rfc2661_3_1_every_header_form),
	    VLAN(rfc2661_3_1_every_header_form),
	    LNS(rfc2661_3_1_reserved_bits_are_ignored),
	    LNS(rfc2661_3_1_octets_past_length_are_padding),
	    LNS(truncated_at_every_length),
	    VLAN(truncated_at_every_length),
	    LNS(frame_cut_at_every_length),
	    LNS(each_drop_reason),
	    LNS(ip_options_are_taken),
	    LNS(rfc2661_5_4_sequencing),
	    LNS(rfc2661_5_4_goes_on_after_an_absence),
	    LNS(rfc2661_5_4_required_and_missing),
	    LNS(rfc2661_3_1_what_is_sent),
	    cmocka_unit_test_setup_teardown(rfc2661_5_4_lac_follows_lns, open_lac, close_rig),
	    LNS(rfc768_octets_past_udp_are_padding),
	    LNS(closed_door_and_control),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
