/* SPDX-License-Identifier: BSD-3-Clause */
/* An LNS's PPP: from sessions to the core and back, LCP echo, what may not pass, what does not fit. */
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

static int open_small(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS, .mtu = 600});
	return 0;
}

static int open_small_vlan(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS, .mtu = 600, .vlan = 7});
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

/* A frame from the tunnel with this PPP header before this packet. */
static void up(struct rig_frame *frame, const char *head, size_t head_length,
	       const struct rig_frame *packet)
{
	uint8_t ppp[RIG_FRAME], message[RIG_FRAME];
	memcpy(ppp, head, head_length);
	memcpy(ppp + head_length, packet->bytes, packet->length);
	size_t length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0}, ppp,
				 head_length + packet->length);
	rig_udp(&rig, frame, RIG_PEER_THEM, message, length);
}

static void packet4(struct rig_frame *packet, uint32_t source, uint8_t ttl)
{
	packet->length = 0;
	rig_ip4(packet, source, RIG_SERVER, 17, ttl, 0, "\0\1\0\2\0\x0c\0\0data", 12);
}

static void packet6(struct rig_frame *packet, const uint8_t source[16], uint8_t hop_limit)
{
	packet->length = 0;
	rig_ip6(packet, source, rig_server6, 17, hop_limit, "\0\1\0\2\0\x0c\0\0data", 12);
}

/* With and without address and control field, protocol compressed or not (RFC 1661 sections 6.5, 6.6). */
static void rfc1661_6_5_6_6_compression_on_receive(void **state)
{
	static const struct {
		const char *head;
		size_t length;
		bool six;
	} heads[] = {{"\xff\3\0\x21", 4, false}, {"\xff\3\x21", 3, false},  {"\0\x21", 2, false},
		     {"\x21", 1, false},         {"\xff\3\0\x57", 4, true}, {"\xff\3\x57", 3, true},
		     {"\0\x57", 2, true},        {"\x57", 1, true}};
	rig_session(&rig, 1, 0);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct rig_frame packet, frame;
		uint8_t out[RIG_FRAME];
		if (heads[i].six)
			packet6(&packet, rig_user6, 64);
		else
			packet4(&packet, RIG_USER, 64);
		up(&frame, heads[i].head, heads[i].length, &packet);
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + packet.length);
		assert_memory_equal(out, rig_gateway_mac, 6);
		assert_int_equal(lc_get16(out + 12), heads[i].six ? 0x86dd : 0x0800);
		assert_int_equal(out[14 + (heads[i].six ? 7 : 8)], 63);
		assert_memory_equal(out + 14 + packet.length - 12,
				    packet.bytes + packet.length - 12, 12);
	}
}

static void each_drop_on_the_way_up(void **state)
{
	struct rig_frame packet, frame;
	rig_session(&rig, 1, 0);

	packet4(&packet, RIG_USER + 1, 64);
	up(&frame, "\x21", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_source");
	packet6(&packet, rig_server6, 64);
	up(&frame, "\x57", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_source");
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		packet4(&packet, RIG_USER, ttl);
		up(&frame, "\x21", 1, &packet);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_ttl");
		packet6(&packet, rig_user6, ttl);
		up(&frame, "\x57", 1, &packet);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_hop_limit");
	}
	packet4(&packet, RIG_USER, 64);
	packet.bytes[10] ^= 1; /* checksum */
	up(&frame, "\x21", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_bad");
	packet6(&packet, rig_user6, 64);
	packet.bytes[0] = 0x50;
	up(&frame, "\x57", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_bad");
	packet6(&packet, rig_user6, 64);
	packet.bytes[5]++; /* payload longer than there is */
	up(&frame, "\x57", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_bad");
	packet.length = 4;
	up(&frame, "\xff\3\x80\x21", 4, &packet); /* IPCP: the control plane's, in time */
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_protocol");
	packet.length = 0;
	up(&frame, "\xff\3", 2, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_short");
	up(&frame, "\xff\3\xc0", 3, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_short");
	up(&frame, "", 0, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_short");
}

/* What must not leave its link (RFC 1812 section 5.3.7, RFC 4291 section 2.5) or has no single receiver: a gateway would
 * take it for itself, or answer it. */
static void each_destination_that_is_not_routed(void **state)
{
	static const uint32_t to4[] = {0,          0x00ffffff, 0x7f000001, 0xa9fe0001,
				       0xe0000001, 0xefffffff, 0xf0000000, 0xffffffff};
	static const uint8_t to6[][16] = {{0},
					  {[15] = 1},
					  {0xfe, 0x80, [15] = 1},
					  {0xfe, 0xbf, [15] = 1},
					  {0xff, 0x02, [15] = 1},
					  {0xff, 0x0e, [15] = 1}};
	struct rig_frame packet, frame;
	rig_session(&rig, 1, 0);
	for (unsigned i = 0; i < RTE_DIM(to4); i++) {
		packet.length = 0;
		rig_ip4(&packet, RIG_USER, to4[i], 17, 64, 0, "data", 4);
		up(&frame, "\x21", 1, &packet);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_scope");
	}
	for (unsigned i = 0; i < RTE_DIM(to6); i++) {
		packet.length = 0;
		rig_ip6(&packet, rig_user6, to6[i], 17, 64, "data", 4);
		up(&frame, "\x57", 1, &packet);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_scope");
	}
	static const uint32_t routed[] = {0x01000000, 0x7e000001, 0x80000000, 0xa9fd0001,
					  0xdfffffff};
	uint8_t out[RIG_FRAME];
	for (unsigned i = 0; i < RTE_DIM(routed); i++) {
		packet.length = 0;
		rig_ip4(&packet, RIG_USER, routed[i], 17, 64, 0, "data", 4);
		up(&frame, "\x21", 1, &packet);
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + 24);
	}
}

/* A subscriber with an address of one family has none of the other, and may not use somebody else's. */
static void an_address_of_one_family_is_all(void **state)
{
	struct rig_frame packet, frame;
	uint32_t slot = rig_session(&rig, 1, 0);
	rig.mirror.sessions[slot].ipv6_length = 0;
	packet6(&packet, rig_server6, 64);
	up(&frame, "\x57", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip6_source");
	rig.mirror.sessions[slot].ipv6_length = 64;
	rig.mirror.sessions[slot].ipv4 = 0;
	packet4(&packet, RIG_USER + 77, 64);
	up(&frame, "\x21", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_source");
}

/* Without an address of its own a subscriber may use any (a route behind it). */
static void no_address_no_source_check(void **state)
{
	struct rig_frame packet, frame;
	uint8_t out[RIG_FRAME];
	uint32_t slot = rig_session(&rig, 1, 0);
	rig.mirror.sessions[slot].ipv4 = 0;
	rig.mirror.sessions[slot].ipv6_length = 0;
	packet4(&packet, RIG_USER + 77, 64);
	up(&frame, "\x21", 1, &packet);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_CORE, out) > 0);
}

/* Echo-Request: the reply has our magic number and the same data (5.8), never compressed (6.5, 6.6). */
static void rfc1661_5_8_lcp_echo(void **state)
{
	struct rig_frame packet = {.length = 0}, frame;
	uint8_t out[RIG_FRAME];
	static const uint8_t request[] = {9,   42,  0,   12,  1,   2,   3,  4,
					  'd', 'a', 't', 'a', 'p', 'a', 'd'};
	static const uint8_t reply[] = {0xff, 3,    0xc0, 0x21, 10,  42,  0,   12,
					0x11, 0x22, 0x33, 0x44, 'd', 'a', 't', 'a'};
	rig_session(&rig, 1, LC_SESSION_PFC | LC_SESSION_ACFC);
	rig_append(&packet, request, sizeof(request));
	up(&frame, "\xc0\x21", 2, &packet);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_PEER, out), 14 + 28 + 6 + sizeof(reply));
	assert_memory_equal(out + 14 + 28 + 6, reply, sizeof(reply));
	assert_int_equal(rig_counter(&rig, "lcp_echo_answered"), 1);

	for (packet.length = 1; packet.length < 8; packet.length++) {
		up(&frame, "\xc0\x21", 2, &packet);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "lcp_bad");
	}
	packet.length = 11; /* shorter than its own length */
	up(&frame, "\xc0\x21", 2, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "lcp_bad");
	packet.length = 12;
	memcpy(packet.bytes + 4, "\x11\x22\x33\x44",
	       4); /* our own magic number: the line is looped */
	up(&frame, "\xc0\x21", 2, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "lcp_looped");
	packet.bytes[0] = 10;
	up(&frame, "\xc0\x21", 2, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_protocol");
}

/* A subscriber pings our address on the core port. */
static void session_icmp_echo(void **state)
{
	struct rig_frame packet = {.length = 0}, frame;
	uint8_t out[RIG_FRAME], icmp[12] = {8, 0, 0, 0, 1, 2, 3, 4, 'd', 'a', 't', 'a'};
	rig_session(&rig, 1, 0);
	lc_put16(icmp + 2, (uint16_t)~rig_sum(icmp, sizeof(icmp)));
	rig_ip4(&packet, RIG_USER, RIG_CORE_US, 1, 1, 0, icmp, sizeof(icmp));
	up(&frame, "\x21", 1, &packet);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_PEER, out), 48 + 4 + 32);
	const uint8_t *ip = out + 52;
	assert_int_equal(rig_sum(ip, 20), 0xffff);
	assert_int_equal(rig_sum(ip + 20, 12), 0xffff);
	assert_int_equal(ip[20], 0);
	assert_int_equal(lc_get32(ip + 12), RIG_CORE_US);
	assert_int_equal(lc_get32(ip + 16), RIG_USER);
	packet.length = 0;
	rig_ip4(&packet, RIG_USER, RIG_CORE_US, 17, 64, 0, icmp, sizeof(icmp));
	up(&frame, "\x21", 1, &packet);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "icmp_other");
}

/* ---- down ---- */

static void down4(struct rig_frame *frame, uint32_t to, uint8_t ttl, uint16_t fragment,
		  size_t payload)
{
	static uint8_t bytes[RIG_FRAME];
	for (size_t i = 0; i < payload; i++)
		bytes[i] = (uint8_t)(i * 7);
	rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x0800);
	rig_ip4(frame, RIG_SERVER, to, 17, ttl, fragment, bytes, payload);
}

static void each_drop_on_the_way_down(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	down4(&frame, RIG_USER + 9, 64, 0, 20);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "core_no_subscriber");
	down4(&frame, RIG_USER, 1, 0, 20);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip4_ttl");
	down4(&frame, RIG_USER, 64, 0, 20);
	frame.bytes[14 + 1] ^= 4; /* checksum wrong */
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip4_bad");
	for (size_t cut = 14; cut < 54; cut++) {
		down4(&frame, RIG_USER, 64, 0, 20);
		rig_expect_drop(&rig, RIG_CORE, frame.bytes, cut, "ip4_bad");
	}
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x86dd);
	rig_ip6(&frame, rig_server6, rig_user6, 17, 1, "data", 4);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip6_hop_limit");
	for (size_t cut = 14; cut < frame.length; cut++)
		rig_expect_drop(&rig, RIG_CORE, frame.bytes, cut, "ip6_bad");
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x86dd);
	rig_ip6(&frame, rig_user6, rig_server6, 17, 64, "data", 4);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "core_no_subscriber");
}

static void ip6_goes_down(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	static const uint8_t ppp[] = {0xff, 3, 0, 0x57, 0x60};
	rig_session(&rig, 1, 0);
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x86dd);
	rig_ip6(&frame, rig_server6, rig_user6, 17, 64, "data", 4);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_PEER, out), 48 + 4 + 44);
	assert_memory_equal(out + 48, ppp, sizeof(ppp));
	assert_int_equal(out[52 + 7], 63);
}

/* Larger than the session's MTU, DF set: the source is told the MTU (RFC 1191 section 4). */
static void rfc1191_4_too_big(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	uint32_t slot = rig_session(&rig, 1, 0);
	rig.mirror.sessions[slot].mtu = 1000;
	down4(&frame, RIG_USER, 64, 0x4000, 981);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_PEER, out), -1);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + 20 + 8 + 28);
	assert_memory_equal(out, rig_gateway_mac, 6);
	assert_int_equal(rig_sum(out + 14, 20), 0xffff);
	assert_int_equal(rig_sum(out + 34, 36), 0xffff);
	assert_int_equal(lc_get32(out + 14 + 12), RIG_CORE_US);
	assert_int_equal(lc_get32(out + 14 + 16), RIG_SERVER);
	assert_int_equal(lc_get16(out + 34), 0x0304);
	assert_int_equal(lc_get16(out + 34 + 6), 1000);
	assert_memory_equal(out + 42, frame.bytes + 14, 28);
	/* Within the same millisecond nobody else is told. */
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip4_too_big_drop");
	assert_int_equal(rig_counter(&rig, "ip4_too_big"), 2);
	down4(&frame, RIG_USER, 64, 0x4000, 980); /* just fits */
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_PEER, out), 48 + 4 + 1000);

	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x86dd);
	rig_ip6(&frame, rig_server6, rig_user6, 17, 64, out, 961);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip6_too_big");
}

/* Collects pieces whose IPv4 header is at octets into the frames into whole. Their number. */
static unsigned collect(unsigned port, size_t at, uint16_t mtu, struct rig_frame *whole)
{
	uint8_t out[RIG_FRAME];
	int length;
	unsigned n = 0;
	whole->length = 0;
	while ((length = rig_receive(&rig, port, out)) >= 0) {
		const uint8_t *ip = out + at;
		uint16_t field = lc_get16(ip + 6), total = lc_get16(ip + 2);
		assert_int_equal(rig_sum(ip, 20), 0xffff);
		assert_int_equal((size_t)length, at + total);
		assert_true(total <= mtu);
		size_t offset = (field & 0x1fff) * 8U;
		memcpy(whole->bytes + offset, ip + 20, total - 20U);
		if ((field & 0x2000) == 0)
			whole->length = offset + total - 20U;
		n++;
	}
	return n;
}

/* Larger than the session's MTU, DF clear: split before the tunnel (RFC 791). */
static void rfc791_inner_fragmentation(void **state)
{
	struct rig_frame frame, whole;
	uint32_t slot = rig_session(&rig, 1, 0);
	for (uint16_t mtu = 600; mtu <= 607; mtu++) {
		rig.mirror.sessions[slot].mtu = mtu;
		down4(&frame, RIG_USER, 64, 0, 1400);
		rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
		assert_int_equal(collect(RIG_PEER, 52, mtu, &whole), 3);
		assert_int_equal(whole.length, 1400);
		assert_memory_equal(whole.bytes, frame.bytes + 34, 1400);
	}
	assert_int_equal(rig_counter(&rig, "session_split"), 8);
}

/* The tunnel's packet is larger than the peer port's MTU: its outer IPv4 is fragmented. And back: reassembled. */
static void rfc791_outer_fragmentation_and_reassembly(void **state)
{
	struct rig_frame frame, whole, packet;
	uint8_t out[RIG_FRAME];
	size_t ethernet = rig.cfg->ports[0].vlan ? 18 : 14;
	uint32_t slot = rig_session(&rig, 1, 0);
	down4(&frame, RIG_USER, 64, 0x4000, 1200);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(collect(RIG_PEER, ethernet, 600, &whole), 3);
	assert_int_equal(whole.length, 8 + 6 + 4 + 1220);
	assert_memory_equal(whole.bytes + 18 + 20, frame.bytes + ethernet + 20, 1200);
	assert_int_equal(rig_counter(&rig, "fragmented"), 1);
	assert_int_equal(rig.mirror.sessions_out[slot].fragmented, 1);

	/* From the peer, in pieces, in the wrong order. */
	packet.length = 0;
	rig_ip4(&packet, RIG_USER, RIG_SERVER, 17, 64, 0, frame.bytes, 1200);
	up(&whole, "\xff\3\0\x21", 4, &packet);
	const uint8_t *udp = whole.bytes + ethernet + 20;
	size_t length = whole.length - ethernet - 20;
	for (int piece = 2; piece >= 0; piece--) {
		size_t at = (size_t)piece * 480, size = piece == 2 ? length - at : 480;
		rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
		rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US, 17, 64,
			(uint16_t)(at / 8 | (piece == 2 ? 0 : 0x2000)), udp + at, size);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	}
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet + 1220);
	assert_memory_equal(out + ethernet + 20, packet.bytes + 20, 1200);
	assert_int_equal(rig_counter(&rig, "reassembled"), 1);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(rfc1661_6_5_6_6_compression_on_receive),
	    LNS(each_drop_on_the_way_up),
	    LNS(each_destination_that_is_not_routed),
	    LNS(an_address_of_one_family_is_all),
	    LNS(no_address_no_source_check),
	    LNS(rfc1661_5_8_lcp_echo),
	    LNS(session_icmp_echo),
	    LNS(each_drop_on_the_way_down),
	    LNS(ip6_goes_down),
	    LNS(rfc1191_4_too_big),
	    LNS(rfc791_inner_fragmentation),
	    cmocka_unit_test_setup_teardown(rfc791_outer_fragmentation_and_reassembly, open_small,
					    close_rig),
	    {"rfc791_outer_fragmentation_and_reassembly in a VLAN",
	     rfc791_outer_fragmentation_and_reassembly, open_small_vlan, close_rig, NULL},
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
