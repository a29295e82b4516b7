/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly under attack: fragments cost their sender nothing, and each holds one of our buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dp_rig.h"
#include "lc_l2tp.h"

enum {
	MF = 0x2000,
	PIECE = 16, /* octets that a fragment carries */
	WHOLE_FLOW =
	    7, /* fragments of one packet that are kept, but for the last; one more, and all are given up */
};

static struct rig rig;

static int open_lns(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS});
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

/* A fragment of the packet of this number; field: as in the header. */
static void put_fragment(uint16_t packet, uint16_t field, size_t length)
{
	static const uint8_t zeros[2048];
	struct rig_frame frame;
	rig_ethernet(&rig, RIG_PEER, &frame, rig_peer_mac, 0x0800);
	rig_ip4(&frame, RIG_PEER_THEM, RIG_PEER_US, 17, 64, field, zeros, length);
	lc_put16(frame.bytes + 18, packet);
	lc_put16(frame.bytes + 24, 0);
	lc_put16(frame.bytes + 24, (uint16_t)~rig_sum(frame.bytes + 14, 20));
	rig_put(&rig, RIG_PEER, frame.bytes, frame.length);
}

static void put_flow(uint16_t packet)
{
	for (unsigned i = 0; i < WHOLE_FLOW; i++)
		put_fragment(packet, (uint16_t)(MF | (i * PIECE / 8)), PIECE);
}

/* One burst in which every fragment makes a whole packet be given up: more buffers than the table's list of such has
 * room for at once. What lies behind that list stays as it is. */
static void a_burst_gives_up_many_packets(void **state)
{
	static const struct dp_worker untouched;
	for (uint16_t i = 0; i < DP_BURST; i++)
		put_flow(i);
	rig_run(&rig);
	assert_int_equal(rig_counter(&rig, "reassembly_expired"), 0);
	for (uint16_t i = 0; i < DP_BURST; i++)
		put_fragment(i, MF | (WHOLE_FLOW * PIECE / 8), PIECE);
	rig_run(&rig);
	assert_int_equal(rig_counter(&rig, "reassembly_expired"), DP_BURST * (WHOLE_FLOW + 1));
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), 0);
	assert_memory_equal(&rig.dp.workers[1], &untouched, sizeof(untouched));
}

/* However many packets stay incomplete, half of the buffers are left for all other traffic. */
static void fragments_hold_half_of_the_buffers_at_most(void **state)
{
	for (uint16_t i = 0; i < 1024; i++) {
		if (rte_mempool_avail_count(rig.dp.pool) <= WHOLE_FLOW)
			fail_msg("%u incomplete packets took all buffers", i);
		put_flow(i);
		rig_run(&rig);
	}
	assert_true(rte_mempool_in_use_count(rig.dp.pool) <= rig.cfg->dataplane.mbufs / 2);
	assert_true(rte_mempool_in_use_count(rig.dp.pool) >= rig.cfg->dataplane.mbufs / 4);
}

/* No further fragment, nor any frame, has to come: where all buffers are held none can. */
static void fragments_expire_by_themselves(void **state)
{
	put_flow(1);
	rig_run(&rig);
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), WHOLE_FLOW);
	rig.now += 5000;
	rig_run(&rig);
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), 0);
	assert_int_equal(rig_counter(&rig, "reassembly_expired"), WHOLE_FLOW);
}

/* Larger than a buffer: the largest frame of a port fits, with what a tunnel adds. */
static void too_big_for_a_buffer(void **state)
{
	put_fragment(1, MF, 1400);
	put_fragment(1, 1400 / 8, 1400);
	rig_run(&rig);
	assert_int_equal(rig_counter(&rig, "reassembly_too_big"), 1);
	assert_int_equal(rte_mempool_in_use_count(rig.dp.pool), 0);
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(a_burst_gives_up_many_packets),
	    LNS(fragments_hold_half_of_the_buffers_at_most),
	    LNS(fragments_expire_by_themselves),
	    LNS(too_big_for_a_buffer),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
