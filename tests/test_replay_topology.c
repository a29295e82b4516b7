/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions from two configurations; which packets have a way; frames at both ends; neighbours. */
#include "topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"
#include "neighbour.h"

#define EXAMPLE(name) CFG_EXAMPLES "/" name

static struct topology *load(uint32_t limit)
{
	struct topology *topology =
	    topology_load(EXAMPLE("lac.json"), EXAMPLE("lns.json"), NULL, NULL, limit);

	assert_non_null(topology);
	return topology;
}

static void sessions_are_joined_by_name(void **state)
{
	static const uint8_t last4[] = {10, 64, 0, 64};
	static const uint8_t last6[] = {0x20, 1, 0x0d, 0xb8, 0, 0x64, 0, 63, [15] = 1};
	struct topology *topology = load(0);
	const struct session *last = &topology->sessions[63];

	assert_int_equal(topology->n_sessions, 64);
	assert_string_equal(last->name, "user64@isp.example");
	assert_int_equal(last->mac[5], 64);
	assert_int_equal(last->pppoe, 64);
	assert_memory_equal(last->ipv4, last4, 4);
	assert_memory_equal(last->ipv6, last6, 16);
	assert_int_equal(topology->max_packet,
			 1500 - 44); /* the tunnel's Ethernet is the narrowest */
	for (uint32_t i = 0; i < 64; i++) {
		const struct session *session = &topology->sessions[i];

		assert_int_equal(topology_by_address(topology, 4, session->ipv4), i);
		assert_int_equal(topology_by_address(topology, 6, session->ipv6), i);
		assert_int_equal(topology_by_pppoe(topology, session->pppoe), i);
	}
	assert_int_equal(topology_by_address(topology, 4, (const uint8_t *)"\x0a\x40\0\x41"), -1);
	assert_int_equal(topology_by_pppoe(topology, 65), -1);
	topology_free(topology);
	topology = load(5);
	assert_int_equal(topology->n_sessions, 5);
	topology_free(topology);
}

static void what_cannot_be_used_is_refused(void **state)
{
	assert_null(topology_load("/nonexistent", EXAMPLE("lns.json"), NULL, NULL, 0));
	assert_null(topology_load(EXAMPLE("lns.json"), EXAMPLE("lac.json"), NULL, NULL, 0));
	assert_null(topology_load(EXAMPLE("lac.json"), EXAMPLE("lns.json"), "access9", NULL, 0));
}

/* Round robin; the next round goes on with the next sessions, so that in time all of them carry
 * traffic. */
static void conversations_go_around(void **state)
{
	struct topology *topology = load(10);

	assert_int_equal(topology_assign(topology, 4, 0, 7, 0), 0);
	assert_int_equal(topology_assign(topology, 4, 6, 7, 0), 6);
	assert_int_equal(topology_assign(topology, 4, 0, 7, 1), 7);
	assert_int_equal(topology_assign(topology, 6, 6, 7, 1), 3);
	topology_free(topology);
}

static enum skip admits(struct topology *topology, int family, const char *server, uint16_t length)
{
	struct flow flow = {.family = (uint8_t)family, .client = 1};
	struct packet packet = {.family = (uint8_t)family, .length = length};

	memcpy(flow.address[0], server, family == 4 ? 4 : 16);
	return topology_admits(&packet, &flow, topology);
}

static void which_packets_have_a_way(void **state)
{
	struct topology *topology = load(10);

	assert_int_equal(admits(topology, 4, "\xc6\x33\x64\1", 1456), SKIP_NO);
	assert_int_equal(admits(topology, 4, "\xc6\x33\x64\1", 1457), SKIP_TOO_BIG);
	assert_int_equal(admits(topology, 4, "\x0a\1\0\x09", 100),
			 SKIP_OWN_NETWORK); /* peer side */
	assert_int_equal(admits(topology, 4, "\x0a\2\0\xfe", 100), SKIP_OWN_NETWORK); /* gateway */
	assert_int_equal(admits(topology, 4, "\x0a\x40\0\x28", 100),
			 SKIP_OWN_NETWORK);                                    /* subscriber */
	assert_int_equal(admits(topology, 4, "\x0a\x40\0\x41", 100), SKIP_NO); /* one too many */
	assert_int_equal(admits(topology, 6, "\x20\1\x0d\xb8\0\2\0\0\0\0\0\0\0\0\0\7", 100),
			 SKIP_OWN_NETWORK);
	assert_int_equal(admits(topology, 6, "\x20\1\x0d\xb8\0\5\0\0\0\0\0\0\0\0\0\7", 100),
			 SKIP_NO);
	topology->n_with6 = 0;
	assert_int_equal(admits(topology, 6, "\x20\1\x0d\xb8\0\5\0\0\0\0\0\0\0\0\0\7", 100),
			 SKIP_NO_SESSION);
	topology_free(topology);
}

static const uint8_t lac[6] = {2, 0, 0, 0, 0, 0xaa}, user[6] = {2, 0, 0, 0, 0, 1};

/* RFC 2516 section 4: ethertype 0x8864, version and type 0x11, code 0, session, length of PPP. */
static void pppoe_frames(void **state)
{
	uint8_t frame[64];
	struct frame_view view;
	struct frame_ppp ppp;

	assert_int_equal(frame_put_pppoe(frame, lac, user, 0, 0x0102, 4, 300), 22);
	assert_memory_equal(frame + 12, "\x88\x64\x11\x00\x01\x02\x01\x2e\x00\x21", 10);
	assert_int_equal(frame_put_pppoe(frame, lac, user, 100, 7, 6, 20), 26);
	assert_memory_equal(frame + 12, "\x81\x00\x00\x64\x88\x64\x11\x00\x00\x07\x00\x16\x00\x57",
			    14);
	for (size_t n = 0; n < 46; n++)
		assert_false(frame_parse(frame, n, 0, &view) && frame_parse_ppp(&view, &ppp));
	assert_true(frame_parse(frame, 64, 0, &view)); /* padded */
	assert_true(frame_parse_ppp(&view, &ppp));
	assert_int_equal(view.vlan, 100);
	assert_int_equal(ppp.session, 7);
	assert_int_equal(ppp.protocol, 0x57);
	assert_int_equal(ppp.length, 20);
	assert_ptr_equal(ppp.payload, frame + 26);
	frame[19] = 0xa7; /* PADT is no session frame */
	assert_true(frame_parse(frame, 64, 0, &view));
	assert_false(frame_parse_ppp(&view, &ppp));
}

static struct neighbour gateway(uint16_t vlan)
{
	struct neighbour neighbour = {
	    .mac = {2, 0, 0, 0, 0, 0xcc},
	    .vlan = vlan,
	    .gateway4 = 0x0a0200fe,
	    .lns4 = 0x0a020001,
	    .gateway6 = {0xfe, 0x80, [15] = 1},
	    .lns6 = {0x20, 1, 0x0d, 0xb8, 0, 2, [13] = 0x12, 0x34, 0x56},
	};

	return neighbour;
}

static size_t handle(struct neighbour *neighbour, const uint8_t *frame, size_t length, uint8_t *out)
{
	struct frame_view view;

	return frame_parse(frame, length, 0, &view) ? neighbour_handle(neighbour, &view, out) : 0;
}

/* RFC 826: asked as the gateway, the LNS answers, and asks in its turn. */
static void arp(void **state)
{
	struct neighbour us = gateway(7);
	uint8_t ask[NEIGHBOUR_FRAME], answer[NEIGHBOUR_FRAME], out[NEIGHBOUR_FRAME];
	/* the LNS as a neighbour of the same kind, whose roles are exchanged */
	struct neighbour lns = {
	    .mac = {2, 9, 9, 9, 9, 9}, .vlan = 7, .gateway4 = us.lns4, .lns4 = us.gateway4};
	size_t n = neighbour_ask4(&us, ask);

	assert_int_equal(n, 46);
	assert_memory_equal(ask, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(ask + 14 + 4 + 14, "\x0a\2\0\xfe", 4);
	n = handle(&lns, ask, n, answer);
	assert_int_equal(n, 46);
	assert_true(lns.resolved);
	assert_memory_equal(lns.lns_mac, us.mac, 6);
	assert_int_equal(handle(&us, answer, n, out), 0);
	assert_true(us.resolved);
	assert_memory_equal(us.lns_mac, lns.mac, 6);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(handle(&us, ask, i, out), 0);
	us.vlan = 8;
	assert_int_equal(handle(&us, ask, n, out), 0);
}

/* RFC 4861 sections 7.2.2 and 7.2.4. */
static void neighbour_discovery(void **state)
{
	struct neighbour us = gateway(0), lns = gateway(0);
	uint8_t ask[NEIGHBOUR_FRAME], answer[NEIGHBOUR_FRAME], out[NEIGHBOUR_FRAME];
	size_t n = neighbour_ask6(&us, ask);

	memcpy(lns.gateway6, us.lns6, 16);
	memcpy(lns.lns6, us.gateway6, 16);
	lns.mac[1] = 9;
	assert_int_equal(n, 14 + 40 + 32);
	assert_memory_equal(ask, "\x33\x33\xff\x12\x34\x56", 6);
	assert_memory_equal(ask + 14 + 24, "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\x12\x34\x56", 16);
	for (size_t i = 0; i < 14 + 40 + 24; i++)
		assert_int_equal(handle(&lns, ask, i, out), 0);
	n = handle(&lns, ask, n, answer);
	assert_int_equal(n, 14 + 40 + 32);
	assert_int_equal(answer[54], 136);
	assert_int_equal(handle(&us, answer, n, out), 0);
	assert_true(us.resolved);
	assert_memory_equal(us.lns_mac, lns.mac, 6);
	ask[14 + 7] = 64; /* section 7.1.1: not from the link */
	assert_int_equal(handle(&lns, ask, n, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sessions_are_joined_by_name),
	    cmocka_unit_test(what_cannot_be_used_is_refused),
	    cmocka_unit_test(conversations_go_around),
	    cmocka_unit_test(which_packets_have_a_way),
	    cmocka_unit_test(pppoe_frames),
	    cmocka_unit_test(arp),
	    cmocka_unit_test(neighbour_discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
