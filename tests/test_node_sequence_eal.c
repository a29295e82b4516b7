/* SPDX-License-Identifier: BSD-3-Clause */
/* The data channel reset (RFC 4951 section 3.2.3; how Nr is found: RFC 3931 appendix C), by packets through the
 * graph. What the numbers alone decide is in test_dp_sequence.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dp_ppp.h"
#include "dp_rig.h"
#include "lc_l2tp.h"

enum { SEQUENCED = LC_SESSION_SEND_SEQUENCE | LC_SESSION_EXPECT_SEQUENCE };

static struct rig rig;
static uint32_t slot;

static struct lc_session *session(void)
{
	return &rig.mirror.sessions[slot];
}

static struct lc_session_in *in(void)
{
	return &rig.mirror.sessions_in[slot];
}

static int open_lns(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LNS});
	slot = rig_session(&rig, 1, SEQUENCED);
	return 0;
}

static int open_lac(void **state)
{
	rig_open(&rig, &(struct rig_options){.role = LC_ROLE_LAC});
	slot = rig_session(&rig, 1, 0);
	return 0;
}

static int close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

/* ---- receiving ---- */

/* A packet of the peer with this Ns. Whether it came out at the other side. */
static bool take(uint16_t ns)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	uint64_t late = rig_counter(&rig, "l2tp_late");
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_SEQUENCE, 1, 1, ns, 0});
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	bool taken = rig_receive(&rig, RIG_CORE, out) > 0;
	assert_int_equal(rig_counter(&rig, "l2tp_late"), late + !taken);
	return taken;
}

static void take_some(uint16_t from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_true(take((uint16_t)(from + i)));
}

static void drop_some(uint16_t from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_false(take((uint16_t)(from + i)));
}

/* The peer was the recovery endpoint and begins at zero: n - 1 packets are lost, and no more. */
static void rfc4951_3_2_3_nr_follows_the_peer(void **state)
{
	take_some(9000, 10);
	drop_some(0, 4);
	take_some(4, 100);
	assert_int_equal(in()->nr, 104);
	assert_int_equal(in()->resets, 1);
	assert_int_equal(in()->late, 4);
	assert_int_equal(in()->lost, 0);
	assert_int_equal(in()->packets, 110);
}

/* n is the record's (section 3.2.3: configurable). */
static void rfc4951_3_2_3_n_of_the_record(void **state)
{
	static const uint8_t ns[] = {1, 2, 17, 255};
	for (size_t i = 0; i < sizeof(ns); i++) {
		session()->reset_after = ns[i];
		in()->nr_valid = 0;
		take_some(20000, 1);
		drop_some(0, ns[i] - 1U);
		take_some((uint16_t)(ns[i] - 1), 3);
	}
	session()->reset_after = 0;
	in()->nr_valid = 0;
	take_some(20000, 1);
	drop_some(0, 600);
	take_some(20001, 1);
}

static void rfc4951_3_2_3_over_the_wrap(void **state)
{
	take_some(20000, 5);
	drop_some(65533, 4); /* 65533, 65534, 65535, 0 */
	take_some(1, 5);
	in()->nr_valid = 0;
	take_some(65534, 10); /* ... 7: what is late is before it */
	drop_some(65530, 4);
	take_some(65534, 10);
	assert_int_equal(in()->resets, 2);
	assert_int_equal(in()->lost, 0);
}

/* Old packets that are still on their way, doubled ones, and a second stream keep nothing from coming, and
 * bring nothing about. */
static void rfc4951_3_2_3_mixtures(void **state)
{
	take_some(9000, 10);
	drop_some(0, 2);
	take_some(9010, 1); /* it has overtaken nobody: the run begins again */
	drop_some(2, 4);
	take_some(6, 1);
	in()->nr_valid = 0;
	take_some(9000, 10);
	for (uint16_t ns = 0; ns < 50; ns++) {
		drop_some(ns, 1);
		drop_some((uint16_t)(5000 + ns), 1);
	}
	drop_some(50, 1); /* twice: counts once */
	drop_some(50, 1);
	drop_some(51, 3);
	take_some(54, 10);
	drop_some(60, 1); /* late, as ever */
	take_some(64, 1);
	assert_int_equal(in()->resets, 2);
	assert_int_equal(in()->lost, 0);
}

/* A data plane that takes over believes the first packet. */
static void a_restart_between(void **state)
{
	take_some(9000, 10);
	drop_some(0, 3);
	rig_take_over(&rig);
	take_some(3, 10);
	assert_int_equal(in()->resets, 0);
	rig_take_over(&rig);
	take_some(13, 10);
	assert_int_equal(in()->late, 3);
	assert_int_equal(in()->lost, 0);
}

/* Fragments meet the same rules (ip4_input), as do packets with IP options. */
static void with_ip_options(void **state)
{
	for (uint16_t ns = 0; ns < 8; ns++) {
		struct rig_frame frame, with = {.length = 0};
		uint8_t out[RIG_FRAME];
		if (ns == 0)
			take_some(9000, 1);
		rig_data(&rig, &frame,
			 &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_SEQUENCE, 1, 1, ns, 0});
		rig_append(&with, frame.bytes, 34);
		rig_append(&with, "\1\1\1\0", 4);
		rig_append(&with, frame.bytes + 34, frame.length - 34);
		uint8_t *ip = with.bytes + 14;
		ip[0] = 0x46;
		lc_put16(ip + 2, (uint16_t)(with.length - 14));
		lc_put16(ip + 10, 0);
		lc_put16(ip + 10, (uint16_t)~rig_sum(ip, 24));
		rig_send(&rig, RIG_PEER, with.bytes, with.length);
		assert_int_equal(rig_receive(&rig, RIG_CORE, out) > 0, ns >= 4);
	}
}

/* ---- sending ---- */

/* The Ns of what leaves by the peer port; -1: it has none. */
static int sent_ns(void)
{
	struct lc_l2tp_header header;
	uint8_t out[RIG_FRAME];
	int length = rig_receive(&rig, RIG_PEER, out);
	assert_true(length > 42);
	assert_int_equal(lc_l2tp_parse(out + 42, (size_t)length - 42, &header), 0);
	return header.bits & LC_L2TP_SEQUENCE ? header.ns : -1;
}

/* A packet from the core. */
static int send_down(void)
{
	struct rig_frame frame;
	rig_ethernet(&rig, RIG_CORE, &frame, rig_gateway_mac, 0x0800);
	rig_ip4(&frame, RIG_SERVER, RIG_USER, 17, 64, 0, "\0\1\0\2\0\x0c\0\0data", 12);
	rig_send(&rig, RIG_CORE, frame.bytes, frame.length);
	return sent_ns();
}

/* A packet of the subscriber. */
static int send_up(void)
{
	static const uint8_t up[] = {0x11, 0, 0, 1, 0, 4, 0xc0, 0x21, 9, 1};
	struct rig_frame frame;
	rig_ethernet(&rig, RIG_ACCESS, &frame, rig_user_mac, 0x8864);
	rig_append(&frame, up, sizeof(up));
	rig_send(&rig, RIG_ACCESS, frame.bytes, frame.length);
	return sent_ns();
}

/* An answer that is made here, at the port of the peer: to an LCP echo request. */
static int answer(void)
{
	static const uint8_t echo[] = {0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4};
	uint8_t message[64];
	struct rig_frame frame;
	struct rig_l2tp header = {LC_L2TP_VERSION | LC_L2TP_SEQUENCE, 1, 1, in()->nr, 0};
	size_t length = rig_l2tp(message, &header, echo, sizeof(echo));
	rig_udp(&rig, &frame, RIG_PEER_THEM, message, length);
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	return sent_ns();
}

static void reset_data(void)
{
	session()->data_resets++;
	rig_session_changed(&rig, slot);
}

static void rfc4951_3_2_3_ns_begins_at_zero(void **state)
{
	for (unsigned resets = 0; resets < 300; resets++) { /* the count wraps */
		for (int ns = 0; ns < 8; ns += 2) {
			assert_int_equal(send_down(), ns);
			assert_int_equal(answer(), ns + 1);
		}
		rig_session_changed(&rig, slot); /* by another commit */
		assert_int_equal(send_down(), 8);
		reset_data();
	}
}

/* The remote endpoint goes on as it was. */
static void rfc4951_3_2_3_the_remote_endpoint_goes_on(void **state)
{
	take_some(9000, 10);
	for (int ns = 0; ns < 10; ns++)
		assert_int_equal(send_down(), ns);
	drop_some(0, 4);
	take_some(4, 10);
	assert_int_equal(send_down(), 10);
}

/* Nobody was here when it was asked for, or he died before he did it. */
static void a_reset_while_no_data_plane_is_here(void **state)
{
	for (int ns = 0; ns < 10; ns++)
		assert_int_equal(send_down(), ns);
	session()->data_resets++;
	lc_dirty_set(&rig.mirror.to_routes, slot);
	rig_take_over(&rig);
	assert_int_equal(send_down(), 0);
	rig_take_over(&rig);
	assert_int_equal(send_down(), 1); /* once */
}

/* An LNS or LAC that does not number its data has nothing to reset, and gets no numbers by it. */
static void rfc4951_3_2_3_only_sessions_with_sequence_numbers(void **state)
{
	assert_int_equal(send_up(), -1);
	reset_data();
	assert_int_equal(send_up(), -1);
}

/* A LAC that numbers its data because its LNS does (RFC 2661 section 5.4). */
static void rfc4951_3_2_3_a_lac_that_follows(void **state)
{
	struct rig_frame frame;
	uint8_t out[RIG_FRAME];
	rig_data(&rig, &frame, &(struct rig_l2tp){LC_L2TP_VERSION | LC_L2TP_SEQUENCE, 1, 1, 7, 0});
	rig_send(&rig, RIG_PEER, frame.bytes, frame.length);
	assert_true(rig_receive(&rig, RIG_ACCESS, out) > 0);
	for (int ns = 0; ns < 10; ns++)
		assert_int_equal(send_up(), ns);
	reset_data();
	for (int ns = 0; ns < 10; ns++)
		assert_int_equal(send_up(), ns);
}

/* A slot's next tenant does not inherit a reset. */
static void a_new_session_in_the_slot(void **state)
{
	reset_data();
	assert_int_equal(send_down(), 0);
	rig_session_close(&rig, slot);
	assert_int_equal(rig_session(&rig, 1, SEQUENCED), slot);
	for (int ns = 0; ns < 10; ns++) {
		assert_int_equal(send_down(), ns);
		rig_session_changed(&rig, slot);
	}
}

#define LNS(test) cmocka_unit_test_setup_teardown(test, open_lns, close_rig)
#define LAC(test) cmocka_unit_test_setup_teardown(test, open_lac, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LNS(rfc4951_3_2_3_nr_follows_the_peer),
	    LNS(rfc4951_3_2_3_n_of_the_record),
	    LNS(rfc4951_3_2_3_over_the_wrap),
	    LNS(rfc4951_3_2_3_mixtures),
	    LNS(a_restart_between),
	    LNS(with_ip_options),
	    LNS(rfc4951_3_2_3_ns_begins_at_zero),
	    LNS(rfc4951_3_2_3_the_remote_endpoint_goes_on),
	    LNS(a_reset_while_no_data_plane_is_here),
	    LAC(rfc4951_3_2_3_only_sessions_with_sequence_numbers),
	    LAC(rfc4951_3_2_3_a_lac_that_follows),
	    LNS(a_new_session_in_the_slot),
	};
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
