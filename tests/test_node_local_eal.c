/* SPDX-License-Identifier: BSD-3-Clause */
/* What is to the line card itself: Ethernet, ARP, ICMP, neighbour discovery; next hops that are not known yet; and the main
 * lcore's part of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dp_control.h"
#include "dp_nd.h"
#include "dp_rig.h"
#include "dp_solicit.h"
#include "lc_l2tp.h"

static struct rig rig;
static struct dp_main_lcore lcore;

static int open_lns(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS});
	return 0;
}

static int open_lns_vlan(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS, .vlan = 33});
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

static size_t ethernet(void)
{
	return rig.cfg->ports[0].vlan ? 18 : 14;
}

static void ethernet_drops(void **state)
{
	struct rig_frame frame;
	for (unsigned port = 0; port < 2; port++) {
		rig_ethernet(&rig, port, &frame, rig_peer_mac, 0x0806);
		for (size_t cut = 0; cut < ethernet(); cut++)
			rig_expect_drop(&rig, port, frame.bytes, cut, "eth_short");
		rig_ethernet(&rig, port, &frame, rig_peer_mac, 0x88cc);
		rig_expect_drop(&rig, port, frame.bytes, frame.length, "eth_type");
		frame.bytes[5]++;
		rig_expect_drop(&rig, port, frame.bytes, frame.length, "eth_not_ours");
		rig_ethernet(&rig, port, &frame, rig_peer_mac, 0x0800);
		memset(frame.bytes, 0xff, 6); /* IPv4 is never taken from a broadcast */
		rig_expect_drop(&rig, port, frame.bytes, frame.length, "eth_type");
		rig_ethernet(&rig, port, &frame, rig_peer_mac, 0x0800);
		if (ethernet() == 18)
			frame.bytes[15]++; /* another VLAN */
		else
			lc_put16(frame.bytes + 12, 0x8100);
		rig_append(&frame, "\0\1\0\0\0\0\0\0", 8);
		rig_expect_drop(&rig, port, frame.bytes, frame.length, "eth_vlan");
	}
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x86dd);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "eth_type");
}

static void arp(struct rig_frame *frame, uint16_t operation, uint32_t target)
{
	uint8_t body[28] = {0, 1, 8, 0, 6, 4};
	lc_put16(body + 6, operation);
	memcpy(body + 8, rig_gateway_mac, 6);
	body[13] = 0x77; /* the gateway has moved */
	lc_put32(body + 14, RIG_GATEWAY);
	lc_put32(body + 24, target);
	rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x0806);
	rig_append(frame, body, sizeof(body));
}

/* RFC 826: a request for our address is answered, and teaches; so does a reply. */
static void rfc826_arp(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	arp(&frame, 1, RIG_CORE_US);
	memset(frame.bytes, 0xff, 6);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet() + 28);
	const uint8_t *body = out + ethernet(), *us = (const uint8_t *)&rig.dp.ports[RIG_CORE].mac;
	assert_memory_equal(out, rig_gateway_mac, 6);
	assert_memory_equal(out + 6, us, 6);
	assert_int_equal(lc_get16(body + 6), 2);
	assert_memory_equal(body + 8, us, 6);
	assert_int_equal(lc_get32(body + 14), RIG_CORE_US);
	assert_memory_equal(body + 18, frame.bytes + ethernet() + 8, 6);
	assert_int_equal(lc_get32(body + 24), RIG_GATEWAY);
	uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, RIG_GATEWAY, NULL);
	assert_int_equal(dp_hop_use(&rig.dp.hops, hop).mac[5], 0x77);

	arp(&frame, 2, RIG_CORE_US);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "arp_learned");
	arp(&frame, 1, RIG_CORE_US + 1);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "arp_not_ours");
	arp(&frame, 3, RIG_CORE_US);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "arp_bad");
	for (size_t at = 0; at < 6; at++) {
		arp(&frame, 1, RIG_CORE_US);
		frame.bytes[ethernet() + at]++;
		rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "arp_bad");
	}
	arp(&frame, 1, RIG_CORE_US);
	for (size_t cut = ethernet(); cut < frame.length; cut++)
		rig_expect_drop(&rig, RIG_CORE, frame.bytes, cut, "arp_bad");
}

/* A group address is nobody's link (RFC 1812 section 3.3.2), and strangers are not remembered. */
static void arp_does_not_learn_nonsense(void **state)
{
	uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, RIG_GATEWAY, NULL);
	dp_hop_learn(&rig.dp.hops, RIG_CORE, RIG_GATEWAY, NULL, (uint8_t[]){0xff, 0, 0, 0, 0, 1},
		     rig.now);
	assert_memory_equal(dp_hop_use(&rig.dp.hops, hop).mac, rig_gateway_mac, 6);
	dp_hop_learn(&rig.dp.hops, RIG_CORE, RIG_GATEWAY - 1, NULL, rig_peer_mac, rig.now);
	assert_int_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, RIG_GATEWAY - 1, NULL), DP_NO_HOP);
}

static void rfc792_echo(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME], icmp[13] = {8, 0, 0, 0, 1, 2, 3, 4, 'd', 'a', 't', 'a', '!'};
	static const uint32_t us[] = {[RIG_CORE] = RIG_CORE_US, [RIG_PEER] = RIG_PEER_US};
	lc_put16(icmp + 2, (uint16_t)~rig_sum(icmp, sizeof(icmp)));
	for (unsigned port = 0; port < 2; port++) {
		rig_ethernet(&rig, port, &frame, rig_gateway_mac, 0x0800);
		rig_ip4(&frame, RIG_SERVER, us[port], 1, 3, 0, icmp, sizeof(icmp));
		rig_append(&frame, "padding", 7);
		rig_send(&rig, port, frame.bytes, frame.length);
		assert_int_equal(rig_receive(&rig, port, out), ethernet() + 33);
		const uint8_t *ip = out + ethernet();
		assert_memory_equal(out, rig_gateway_mac, 6);
		assert_int_equal(rig_sum(ip, 20), 0xffff);
		assert_int_equal(rig_sum(ip + 20, 13), 0xffff);
		assert_int_equal(ip[8], 64);
		assert_int_equal(ip[20], 0);
		assert_int_equal(lc_get32(ip + 12), us[port]);
		assert_int_equal(lc_get32(ip + 16), RIG_SERVER);
		assert_memory_equal(ip + 24, icmp + 4, 9);
	}
	icmp[12]++;
	rig_ethernet(&rig, RIG_PEER, &frame, rig_gateway_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_PEER_US, 1, 3, 0, icmp, sizeof(icmp));
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "icmp_other");
	for (size_t length = 0; length < 8; length++) {
		rig_ethernet(&rig, RIG_PEER, &frame, rig_gateway_mac, 0x0800);
		rig_ip4(&frame, RIG_SERVER, RIG_PEER_US, 1, 3, 0, icmp, length);
		rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "icmp_other");
	}
}

static void ip4_to_us_drops(void **state)
{
	struct rig_frame frame;
	uint8_t udp[12] = {6, 0xa5, 0, 80, 0, 12};
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US + 1, 17, 64, 0, udp, sizeof(udp));
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_not_ours");
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US, 6, 64, 0, udp, sizeof(udp));
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_protocol");
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US, 17, 64, 0, udp, sizeof(udp));
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "udp_port");
	lc_put16(udp + 2, LC_L2TP_UDP_PORT); /* L2TP has nothing to do at the core */
	rig_ethernet(&rig, RIG_CORE, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_CORE_US, 17, 64, 0, udp, sizeof(udp));
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "udp_port");
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US, 17, 64, 0, udp, 7);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "udp_length");
}

/* ICMPv6 with its checksum. */
static void icmp6(struct rig_frame *frame, const uint8_t source[16], const uint8_t destination[16],
		  uint8_t hops, const uint8_t *body, size_t length)
{
	rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x86dd);
	size_t at = frame->length;
	rig_ip6(frame, source, destination, 58, hops, body, length);
	dp_nd_finish((void *)(frame->bytes + at), (void *)(frame->bytes + at + 40));
}

/* Neighbour solicitations for our addresses are answered and teach, advertisements teach (RFC 4861 section 7.2). */
static void rfc4861_7_2_neighbour_discovery(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME], group[16] = {0xff, 2, [11] = 1, 0xff, 0, 0, 1};
	uint8_t solicit[32] = {135, [24] = 1, 1, 2, 0, 0, 0, 2, 0x55};
	memcpy(solicit + 8, rig_core_us6, 16);
	for (unsigned option = 0; option < 2; option++) {
		icmp6(&frame, rig_gateway6, group, 255, solicit, option ? 32 : 24);
		memcpy(frame.bytes, "\x33\x33\xff\0\0\1", 6);
		rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet() + DP_ND_PACKET);
		struct rte_ipv6_hdr *ip = (void *)(out + ethernet());
		const uint8_t *nd = (const uint8_t *)(ip + 1);
		assert_memory_equal(out, rig_gateway_mac, 6);
		assert_memory_equal(ip->src_addr, rig_core_us6, 16);
		assert_memory_equal(ip->dst_addr, rig_gateway6, 16);
		assert_int_equal(ip->hop_limits, 255);
		assert_int_equal(rte_ipv6_udptcp_cksum_verify(ip, nd), 0);
		assert_int_equal(nd[0], 136);
		assert_int_equal(nd[4], 0xe0);
		assert_memory_equal(nd + 8, rig_core_us6, 16);
		assert_memory_equal(nd + 24, "\2\1", 2);
		assert_memory_equal(nd + 26, &rig.dp.ports[RIG_CORE].mac, 6);
		uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, 0, rig_gateway6);
		assert_int_equal(dp_hop_use(&rig.dp.hops, hop).mac[5],
				 option ? 0x55 : rig_gateway_mac[5]);
	}
	uint8_t advertise[32] = {136, [4] = 0x60, [24] = 2, 1, 2, 0, 0, 0, 2, 0x66};
	memcpy(advertise + 8, rig_gateway6, 16);
	icmp6(&frame, rig_gateway6, rig_core_us6, 255, advertise, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_learned");
	uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, 0, rig_gateway6);
	assert_int_equal(dp_hop_use(&rig.dp.hops, hop).mac[5], 0x66);

	icmp6(&frame, rig_gateway6, group, 254, solicit, 32); /* from beyond the link */
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_bad");
	icmp6(&frame, (const uint8_t[16]){0}, group, 255, solicit, 24);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_bad");
	for (size_t length = 8; length < 24; length++) {
		icmp6(&frame, rig_gateway6, group, 255, solicit, length);
		rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_bad");
	}
	solicit[23] ^= 1; /* for somebody else */
	icmp6(&frame, rig_gateway6, group, 255, solicit, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip6_not_ours");
	frame.bytes[frame.length - 1]++;
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "icmp6_checksum");
}

/* Who asks for somebody else, tells a group that we asked, or does not mean to override, does not move a neighbour. */
static void rfc4861_7_nobody_moves_a_neighbour(void **state)
{
	struct rig_frame frame;
	const uint8_t group[16] = {0xff, 2, [15] = 1};
	uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, 0, rig_gateway6);
	uint8_t solicit[32] = {135, [24] = 1, 1, 2, 0, 0, 0, 2, 0x55};
	memcpy(solicit + 8, rig_server6, 16);
	icmp6(&frame, rig_gateway6, group, 255, solicit, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip6_not_ours");
	assert_memory_equal(dp_hop_use(&rig.dp.hops, hop).mac, rig_gateway_mac, 6);

	uint8_t advertise[32] = {136, [4] = 0x60, [24] = 2, 1, 2, 0, 0, 0, 2, 0x66};
	memcpy(advertise + 8, rig_gateway6, 16);
	icmp6(&frame, rig_gateway6, group, 255, advertise, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_bad");
	assert_memory_equal(dp_hop_use(&rig.dp.hops, hop).mac, rig_gateway_mac, 6);

	advertise[4] = 0x40;
	icmp6(&frame, rig_gateway6, rig_core_us6, 255, advertise, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_learned");
	assert_memory_equal(dp_hop_use(&rig.dp.hops, hop).mac, rig_gateway_mac, 6);

	advertise[4] = 0x20; /* a gateway that has moved says so to all */
	icmp6(&frame, rig_gateway6, group, 255, advertise, 32);
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "nd_learned");
	assert_memory_equal(dp_hop_use(&rig.dp.hops, hop).mac, advertise + 26, 6);
}

static void rfc4443_echo(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME], body[11] = {128, [8] = 'a', 'b', 'c'};
	icmp6(&frame, rig_server6, rig_core_us6, 5, body, sizeof(body));
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet() + 51);
	struct rte_ipv6_hdr *ip = (void *)(out + ethernet());
	assert_memory_equal(ip->src_addr, rig_core_us6, 16);
	assert_memory_equal(ip->dst_addr, rig_server6, 16);
	assert_int_equal(rte_ipv6_udptcp_cksum_verify(ip, ip + 1), 0);
	assert_int_equal(*(uint8_t *)(ip + 1), 129);
	body[0] = 1;
	icmp6(&frame, rig_server6, rig_core_us6, 5, body, sizeof(body));
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "icmp6_other");
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x86dd);
	rig_ip6(&frame, rig_server6, rig_core_us6, 6, 64, body, sizeof(body));
	rig_expect_drop(&rig, RIG_CORE, frame.bytes, frame.length, "ip6_protocol");
}

/* ---- next hops that are not known yet ---- */

static void turn(uint64_t milliseconds)
{
	rig.now += milliseconds;
	dp_main_lcore_turn(&lcore, rig.now);
	while (dp_worker_turn(&rig.dp.workers[0]) != 0)
		;
}

/* A subscriber's packet to a host on the core's link: held, the host asked for once a second, sent when it answers. */
static void unresolved_hop_is_asked_for(void **state)
{
	struct rig_frame frame, packet = {.length = 0};
	uint8_t out[RIG_FRAME], message[256],
	    reply[28] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 9, 9};
	uint32_t host = RIG_CORE_US + 50;
	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
	rig_session(&rig, 1, 0);
	turn(200);
	rig_append(&packet, "\x21", 1);
	rig_ip4(&packet, RIG_USER, host, 17, 64, 0, "data", 4);
	size_t length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0},
				 packet.bytes, packet.length);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);

	unsigned asked = 0;
	for (unsigned i = 0; i < 25; i++) {
		turn(100);
		while (rig_receive(&rig, RIG_CORE, out) >= 0) {
			const uint8_t *body = out + ethernet();
			assert_int_equal(lc_get16(body - 2), 0x0806);
			assert_int_equal(lc_get32(body + 24), host);
			assert_int_equal(lc_get32(body + 14), RIG_CORE_US);
			asked++;
		}
	}
	assert_int_equal(asked, 3);
	lc_put32(reply + 14, host);
	lc_put32(reply + 24, RIG_CORE_US);
	rig_ethernet(&rig, RIG_CORE, &frame, reply + 8, 0x0806);
	rig_append(&frame, reply, sizeof(reply));
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	turn(1);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), ethernet() + 24);
	assert_memory_equal(out, reply + 8, 6);
	assert_memory_equal(out + ethernet() + 20, "data", 4);

	/* Nobody sends to it any more: forgotten after five minutes; the gateways never. */
	assert_int_not_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, host, NULL), DP_NO_HOP);
	for (unsigned i = 0; i < 310; i++) {
		turn(1000);
		while (rig_receive(&rig, RIG_CORE, out) >= 0 ||
		       rig_receive(&rig, RIG_PEER, out) >= 0)
			;
	}
	assert_int_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, host, NULL), DP_NO_HOP);
	assert_int_not_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, RIG_GATEWAY, NULL), DP_NO_HOP);
	dp_main_lcore_close(&lcore);
}

/* It does not answer: given up after three seconds, and counted. */
static void unresolved_hop_is_given_up(void **state)
{
	struct rig_frame frame, packet = {.length = 0};
	uint8_t out[RIG_FRAME], message[256];
	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
	rig_session(&rig, 1, 0);
	rig_append(&packet, "\x21", 1);
	rig_ip4(&packet, RIG_USER, RIG_CORE_US + 50, 17, 64, 0, "data", 4);
	size_t length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0},
				 packet.bytes, packet.length);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	for (unsigned i = 0; i < DP_HELD + 10; i++) {
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
		turn(0);
	}
	assert_int_equal(rig_counter(&rig, "hop_no_room"), 10);
	for (unsigned i = 0; i < 50; i++)
		turn(100);
	assert_int_equal(rig_counter(&rig, "hop_unresolved"), DP_HELD);
	while (rig_receive(&rig, RIG_CORE, out) >= 0 || rig_receive(&rig, RIG_PEER, out) >= 0)
		;
	assert_int_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, RIG_CORE_US + 50, NULL), DP_NO_HOP);
	dp_main_lcore_close(&lcore);
}

static void send_up(uint32_t to)
{
	struct rig_frame frame, packet = {.length = 0};
	uint8_t message[256];
	rig_append(&packet, "\x21", 1);
	rig_ip4(&packet, RIG_USER, to, 17, 64, 0, "data", 4);
	size_t length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0},
				 packet.bytes, packet.length);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	turn(0);
}

/* Peers that only ask, from however many addresses, leave no neighbours behind. */
static void hop_of_no_tunnel_is_forgotten(void **state)
{
	uint32_t asks = RIG_PEER_THEM + 7, stays = RIG_PEER_THEM + 8;

	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
	assert_int_not_equal(dp_link_hop(&rig.dp, &rig.dp.ports[RIG_PEER], asks, false), DP_NO_HOP);
	assert_int_not_equal(dp_link_hop(&rig.dp, &rig.dp.ports[RIG_PEER], stays, true), DP_NO_HOP);
	for (unsigned i = 0; i < 60; i++)
		turn(100);
	assert_int_equal(dp_hop_find(&rig.dp.hops, RIG_PEER, asks, NULL), DP_NO_HOP);
	assert_int_not_equal(dp_hop_find(&rig.dp.hops, RIG_PEER, stays, NULL), DP_NO_HOP);
	dp_main_lcore_close(&lcore);
}

/* A frame waits when its hop is forgotten and another host gets the hop's number: it does not go to that host. */
static void held_frame_outlives_its_hop(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 9, 9};
	uint32_t silent = RIG_CORE_US + 50, other = RIG_CORE_US + 60;
	uint8_t out[RIG_FRAME];
	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
	rig_session(&rig, 1, 0);
	send_up(silent);
	uint16_t hop = dp_hop_find(&rig.dp.hops, RIG_CORE, silent, NULL);
	for (unsigned i = 0; i < 29; i++)
		turn(100);
	send_up(silent);
	while (dp_hop_find(&rig.dp.hops, RIG_CORE, silent, NULL) != DP_NO_HOP)
		turn(100);
	turn(100);
	send_up(other);
	assert_int_equal(dp_hop_find(&rig.dp.hops, RIG_CORE, other, NULL), hop);
	while (rig_receive(&rig, RIG_CORE, out) >= 0)
		;
	dp_hop_learn(&rig.dp.hops, RIG_CORE, other, NULL, mac, rig.now);
	turn(0);
	assert_true(rig_receive(&rig, RIG_CORE, out) > 0);
	assert_memory_equal(out, mac, 6);
	assert_int_equal(lc_get32(out + ethernet() + 16), other);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), -1);
	for (unsigned i = 0; i < 40; i++)
		turn(100);
	assert_int_equal(rig_counter(&rig, "hop_unresolved"), 2);
	dp_main_lcore_close(&lcore);
}

/* A control message leaves with both checksums right, in pieces where it must. */
static void control_messages_leave(void **state)
{
	uint8_t message[1900] = {0xc8, 2}, out[RIG_FRAME];
	assert_int_equal(dp_main_lcore_open(&lcore, &rig.dp), 0);
	rig.mirror.tunnels[1] = (struct lc_tunnel){.peer_address = RIG_PEER_THEM,
						   .local_address = RIG_PEER_US,
						   .peer_udp_port = 5555,
						   .local_udp_port = LC_L2TP_UDP_PORT,
						   .port = RIG_PEER};
	for (size_t length = 12; length < 120; length += 13) {
		dp_control_transmit(&lcore, 1, message, length);
		while (dp_worker_turn(&rig.dp.workers[0]) != 0)
			;
		assert_int_equal(rig_receive(&rig, RIG_PEER, out), ethernet() + 28 + length);
		const struct rte_ipv4_hdr *ip = (void *)(out + ethernet());
		assert_memory_equal(out, rig_peer_mac, 6);
		assert_int_equal(rig_sum(ip, 20), 0xffff);
		assert_int_not_equal(lc_get16((const uint8_t *)ip + 26),
				     0); /* RFC 2661 section 8.1 */
		assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip, ip + 1), 0);
		assert_int_equal(lc_get16((const uint8_t *)ip + 22), 5555);
		assert_memory_equal(ip + 1, "\x06\xa5", 2);
	}
	dp_control_transmit(&lcore, 1, message, sizeof(message));
	while (dp_worker_turn(&rig.dp.workers[0]) != 0)
		;
	unsigned pieces = 0;
	for (int length; (length = rig_receive(&rig, RIG_PEER, out)) >= 0; pieces++)
		assert_true((size_t)length <= ethernet() + 1500);
	assert_int_equal(pieces, 2);
	rig.mirror.tunnels[1].port = 31;
	dp_control_transmit(&lcore, 1, message, 12);
	assert_int_equal(rig_counter(&rig, "control_no_port"), 1);
	dp_main_lcore_close(&lcore);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)
#define VLAN(test)                                                                                 \
	{                                                                                          \
#test " in a VLAN", test, open_lns_vlan, close_rig, NULL                           \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(ethernet_drops),
	    VLAN(ethernet_drops),
	    LNS(rfc826_arp),
	    VLAN(rfc826_arp),
	    LNS(arp_does_not_learn_nonsense),
	    LNS(rfc792_echo),
	    VLAN(rfc792_echo),
	    LNS(ip4_to_us_drops),
	    LNS(rfc4861_7_2_neighbour_discovery),
	    VLAN(rfc4861_7_2_neighbour_discovery),
	    LNS(rfc4861_7_nobody_moves_a_neighbour),
	    LNS(rfc4443_echo),
	    VLAN(rfc4443_echo),
	    LNS(unresolved_hop_is_asked_for),
	    VLAN(unresolved_hop_is_asked_for),
	    LNS(unresolved_hop_is_given_up),
	    LNS(held_frame_outlives_its_hop),
	    LNS(hop_of_no_tunnel_is_forgotten),
	    LNS(control_messages_leave),
	    VLAN(control_messages_leave),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
