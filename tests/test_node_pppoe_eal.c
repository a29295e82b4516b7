/* SPDX-License-Identifier: BSD-3-Clause */
/* A LAC between PPPoE session frames (RFC 2516 section 4) and tunnels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dp_rig.h"
#include "lc_l2tp.h"

static struct rig rig;

static int open_lac(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LAC});
	return 0;
}

static int open_lac_vlan(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LAC, .vlan = 4094});
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

static void pppoe(struct rig_frame *frame, uint16_t session, const void *ppp, size_t length)
{
	uint8_t header[6] = {0x11, 0};
	lc_put16(header + 2, session);
	lc_put16(header + 4, (uint16_t)length);
	rig_ethernet(&rig, RIG_ACCESS, frame, rig_user_mac, 0x8864);
	rig_append(frame, header, 6);
	rig_append(frame, ppp, length);
}

static size_t ethernet(void)
{
	return rig.cfg->ports[0].vlan ? 18 : 14;
}

/* Each PPP frame goes up with an address and control field, unless the peer does without (RFC 1661 6.6). Ethernet's padding
 * does not go with it. */
static void up_into_the_tunnel(void **state)
{
	for (int acfc = 0; acfc < 2; acfc++) {
		struct rig_frame frame;
		uint8_t out[RIG_FRAME], expected[] = {0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4};
		size_t at = ethernet() + 28, skip = acfc ? 2 : 0;
		uint32_t slot = rig_session(&rig, 5, acfc ? LC_SESSION_ACFC : 0);
		pppoe(&frame, 5, expected + 2, sizeof(expected) - 2);
		rig_append(&frame, "ethernet padding", 16);
		rig_send(&rig, RIG_ACCESS, frame.bytes, frame.length);
		assert_int_equal(rig_receive(&rig, RIG_PEER, out),
				 at + 6 + sizeof(expected) - skip);
		assert_memory_equal(out, rig_peer_mac, 6);
		assert_memory_equal(out + at, ((uint8_t[]){0, 2, 0, 7, 0x03, 0xed}), 6);
		assert_memory_equal(out + at + 6, expected + skip, sizeof(expected) - skip);
		rig_session_close(&rig, slot);
	}
}

/* From the tunnel to the subscriber: without address and control field (RFC 2516 section 7), in the subscriber's session. */
static void down_to_the_subscriber(void **state)
{
	static const uint8_t ppp[] = {0xff, 3, 0, 0x21, 'p', 'a', 'c', 'k', 'e', 't'};
	rig_session(&rig, 5, 0);
	for (size_t skip = 0; skip <= 2; skip += 2) {
		struct rig_frame frame;
		uint8_t message[64], out[RIG_FRAME];
		size_t length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 5, 0, 0},
					 ppp + skip, sizeof(ppp) - skip);
		rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
		rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
		size_t at = ethernet();
		assert_int_equal(rig_receive(&rig, RIG_ACCESS, out), at + 6 + sizeof(ppp) - 2);
		assert_memory_equal(out, rig_user_mac, 6);
		assert_memory_equal(out + 6, &rig.dp.ports[RIG_ACCESS].mac, 6);
		assert_int_equal(lc_get16(out + at - 2), 0x8864);
		assert_memory_equal(out + at, ((uint8_t[]){0x11, 0, 0, 5, 0, sizeof(ppp) - 2}), 6);
		assert_memory_equal(out + at + 6, ppp + 2, sizeof(ppp) - 2);
	}
}

static void each_drop_reason(void **state)
{
	struct rig_frame frame;
	uint8_t message[RIG_FRAME], ppp[2000] = {0, 0x21};
	uint32_t slot = rig_session(&rig, 5, 0);

	pppoe(&frame, 6, ppp, 4);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_no_session");
	pppoe(&frame, 0, ppp, 4);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_no_session");
	pppoe(&frame, 5, ppp, 4);
	frame.bytes[11]++;
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_wrong_mac");
	pppoe(&frame, 5, ppp, 4);
	frame.bytes[14] = 0x21; /* version */
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_bad");
	pppoe(&frame, 5, ppp, 4);
	frame.bytes[15] = 0xa7; /* code: PADT has no place here */
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_bad");
	pppoe(&frame, 5, ppp, 0);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_bad");
	pppoe(&frame, 5, ppp, 8);
	for (size_t cut = 14; cut < frame.length; cut++)
		rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, cut, "pppoe_bad");
	for (size_t cut = 0; cut < 14; cut++)
		rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, cut, "eth_short");
	rig_ethernet(&rig, RIG_ACCESS, &frame, rig_user_mac, 0x8863);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_discovery");
	rig_ethernet(&rig, RIG_ACCESS, &frame, rig_user_mac, 0x0800);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "eth_type");

	/* Larger than the access port's Ethernet payload: 1500 less the PPPoE header (RFC 2516 section 7). */
	size_t length =
	    rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 5, 0, 0}, ppp, 1495);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "pppoe_too_big");
	length = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 5, 0, 0}, "\xff\3", 2);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ppp_short");
	rig.mirror.sessions[slot].access_port = 9;
	rig_udp(&rig, &frame, RIG_PEER_THEM, "\0\2\0\1\0\5\xff\3\0\x21", 10);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "session_no_port");
	pppoe(&frame, 5, ppp, 4);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_no_session");
}

/* A tag with VLAN ID 0 says no more than a priority (IEEE 802.1Q): such frames are taken like untagged ones. */
static void a_priority_is_no_vlan(void **state)
{
	struct rig_frame frame, tagged = {.length = 0};
	uint8_t out[RIG_FRAME], plain[RIG_FRAME], message[64];
	rig_session(&rig, 5, 0);
	pppoe(&frame, 5, "\0\x21packet", 8);
	for (unsigned tags = 0; tags < 3; tags++) {
		tagged.length = 0;
		rig_append(&tagged, frame.bytes, 12);
		for (unsigned i = 0; i < tags; i++)
			rig_append(&tagged, "\x81\0\xe0\0", 4);
		rig_append(&tagged, frame.bytes + 12, frame.length - 12);
		rig_send(&rig, RIG_ACCESS, tagged.bytes, tagged.length);
		int length = rig_receive(&rig, RIG_PEER, out);
		assert_int_equal(length, 14 + 28 + 6 + 2 + 8);
		assert_memory_equal(out + length - 8, "\0\x21packet", 8);
	}
	tagged.bytes[15] = 1; /* a VLAN */
	rig_expect_drop(&rig, RIG_ACCESS, tagged.bytes, tagged.length, "eth_vlan");
	rig_expect_drop(&rig, RIG_ACCESS, tagged.bytes, 17, "eth_vlan"); /* too short for a tag */

	size_t length =
	    rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 5, 0, 0}, "\0\x21packet", 8);
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	int due = rig_receive(&rig, RIG_ACCESS, plain);
	tagged.length = 0;
	rig_append(&tagged, frame.bytes, 12);
	rig_append(&tagged, "\x81\0\x20\0", 4);
	rig_append(&tagged, frame.bytes + 12, frame.length - 12);
	rig_send(&rig, RIG_PEER, tagged.bytes, tagged.length);
	assert_int_equal(rig_receive(&rig, RIG_ACCESS, out), due);
	assert_true(due > 0);
	assert_memory_equal(out, plain, (size_t)due);
}

/* The PPPoE session goes on in another slot: closing the old one afterwards takes nothing away. */
static void pppoe_session_moves(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	uint32_t old = rig_session(&rig, 5, 0), new = rig_session(&rig, 6, 0);
	rig.mirror.sessions[new].pppoe_session = 5;
	lc_dirty_set(&rig.mirror.to_routes, new);
	dp_links_run(&rig.links, 16);
	rig_session_close(&rig, old);
	pppoe(&frame, 5, "\0\x21", 2);
	rig_send(&rig, RIG_ACCESS, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_PEER, out) > 0);
	assert_int_equal(rig.mirror.sessions_out[new].packets, 1);
	pppoe(&frame, 6, "\0\x21", 2);
	rig_expect_drop(&rig, RIG_ACCESS, frame.bytes, frame.length, "pppoe_no_session");
}

#define LAC(test) cmocka_unit_test_setup_teardown(test, open_lac, close_rig)
#define VLAN(test)                                                                                 \
	{                                                                                          \
#test " in a VLAN", test, open_lac_vlan, close_rig, NULL                           \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LAC(up_into_the_tunnel),      VLAN(up_into_the_tunnel), LAC(down_to_the_subscriber),
	    VLAN(down_to_the_subscriber), LAC(each_drop_reason),    LAC(pppoe_session_moves),
	    LAC(a_priority_is_no_vlan),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
