/* SPDX-License-Identifier: BSD-3-Clause */
/* Where something runs out or has gone: room before a frame, segments, descriptors, a route, a session on the way. Each
 * ends in its own counter, and no buffer is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dp_rig.h"
#include "lc_l2tp.h"

static struct rig rig;

static int open_lns(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS, .mtu = 3000});
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

/* Downstream to the first session. */
static void down(struct rig_frame *frame, size_t length)
{
	static const uint8_t zeros[RIG_FRAME];
	rig_ethernet(&rig, RIG_CORE, frame, rig_gateway_mac, 0x0800);
	rig_ip4(frame, RIG_SERVER, RIG_USER, 17, 64, 0, zeros, length);
}

/* Upstream from it. */
static void up(struct rig_frame *frame, uint16_t fragment_field, size_t length)
{
	static const uint8_t zeros[RIG_FRAME];
	struct rig_frame packet = {.length = 0};
	uint8_t message[RIG_FRAME];
	rig_append(&packet, "\x21", 1);
	rig_ip4(&packet, RIG_USER, RIG_SERVER, 17, 64, fragment_field, zeros, length);
	size_t octets = rig_l2tp(message, &(struct rig_l2tp){LC_L2TP_VERSION, 1, 1, 0, 0},
				 packet.bytes, packet.length);
	rig_udp(&rig, frame, RIG_PEER_THEM, message, octets);
}

static struct rte_mbuf *buffer_of(const struct rig_frame *frame)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig.dp.pool);
	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)frame->length), frame->bytes, frame->length);
	return m;
}

static void expect(unsigned port, struct rte_mbuf *m, const char *drop)
{
	uint8_t out[RIG_FRAME];
	assert_int_equal(rte_ring_enqueue(rig.rx[port], m), 0);
	rig_run(&rig);
	assert_int_equal(rig_counter(&rig, drop), 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(rig_receive(&rig, i, out), -1);
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), 0);
}

static void frame_in_two_segments(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	down(&frame, 100);
	struct rte_mbuf *m = buffer_of(&frame);
	assert_int_equal(rte_pktmbuf_chain(m, buffer_of(&frame)), 0);
	expect(RIG_CORE, m, "rx_segmented");
}

/* A driver that leaves no room before the frame. */
static void no_headroom_from_the_core(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	down(&frame, 100);
	struct rte_mbuf *m = buffer_of(&frame);
	rte_pktmbuf_prepend(m, RTE_PKTMBUF_HEADROOM);
	memmove(rte_pktmbuf_mtod(m, void *), frame.bytes, frame.length);
	expect(RIG_CORE, m, "no_headroom");
}

static void no_headroom_from_access(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	rig_ethernet(&rig, RIG_ACCESS, &frame, rig_user_mac, 0x8864);
	rig_append(&frame, "\x11\0\0\1\0\3\0\x21!", 9);
	struct rte_mbuf *m = buffer_of(&frame);
	rte_pktmbuf_prepend(m, RTE_PKTMBUF_HEADROOM);
	memmove(rte_pktmbuf_mtod(m, void *), frame.bytes, frame.length);
	expect(RIG_ACCESS, m, "no_headroom");
}

/* No core port leads there. */
static void no_route(void **state)
{
	struct rig_frame frame;
	rig_session(&rig, 1, 0);
	rig.dp.ports[RIG_CORE].gateway = 0;
	up(&frame, 0, 100);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "core_no_route");
}

static void dont_fragment_on_the_way_up(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	rig_session(&rig, 1, 0);
	up(&frame, 0x4000, 1500 - 20);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + 1500);
	up(&frame, 0x4000, 1501 - 20);
	rig_expect_drop(&rig, RIG_PEER, frame.bytes, frame.length, "ip4_dont_fragment");
	up(&frame, 0, 1501 - 20);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + 20 + 1480);
	assert_int_equal(rig_receive(&rig, RIG_CORE, out), 14 + 20 + 1);
}

/* The port takes no more: what does not fit is freed and counted, what fits leaves. */
static void port_is_full(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	unsigned capacity = rte_ring_get_capacity(rig.tx[RIG_PEER]), left = 0;
	rig_session(&rig, 1, 0);
	down(&frame, 20);
	for (unsigned i = 0; i < capacity + 10; i++)
		rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	assert_int_equal(rig_counter(&rig, "tx_full"), 10);
	while (rig_receive(&rig, RIG_PEER, out) > 0)
		left++;
	assert_int_equal(left, capacity);
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), 0);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)
#define LAC(test) cmocka_unit_test_setup_teardown(test, open_lac, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(frame_in_two_segments),       LNS(no_headroom_from_the_core),
	    LAC(no_headroom_from_access),     LNS(no_route),
	    LNS(dont_fragment_on_the_way_up), LNS(port_is_full),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
