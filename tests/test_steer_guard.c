/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program's guard: what is acknowledged while the data plane is away, and what is not. */
#include "steer_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

#define C(name) DP_XDP_##name
#define HELLO   LC_MSG_HELLO

static struct steer_frame frame;

/* Whatever is due without a socket is due with one whose process does not stir, if it is an answer; the rest waits in
 * the socket. A data plane that stirs gets all. The tunnel is as before, afterwards. */
static void expect_here(const char *file, int line, enum dp_xdp_counter due)
{
	struct lc_guard_entry entry = lab.tunnels[LAB_SLOT];
	bool answer = due == C(guard_hello) || due == C(guard_duplicate);

	lab_plane(true, true);
	lab_assert_counter(lab_frame(&frame), C(steered_control), file, line);
	lab_plane(true, false);
	lab_assert_counter(lab_frame(&frame), answer ? due : C(steered_control), file, line);
	lab.tunnels[LAB_SLOT] = entry;
	lab_plane(false, true);
	lab_assert_counter(lab_frame(&frame), due, file, line);
	lab.tunnels[LAB_SLOT] = entry;
}
#define expect(due) expect_here(__FILE__, __LINE__, C(due))

/* Octets of the frame, for what a test wants to be wrong. */
static uint8_t *ip(void)
{
	return frame.bytes + frame.network;
}

static uint8_t *udp(void)
{
	return ip() + (ip()[0] & 15) * 4;
}

static void flip(uint8_t *word, unsigned bit)
{
	lc_put16(word, (uint16_t)(lc_get16(word) ^ 1u << bit));
}

static void run_raw(uint8_t *out, size_t room, uint32_t *length, uint32_t *action)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes,
		    .data_size_in = (uint32_t)frame.length, .data_out = out,
		    .data_size_out = (uint32_t)room, .repeat = 1);
	assert_int_equal(bpf_prog_test_run_opts(lab.program, &run), 0);
	*length = run.data_size_out;
	*action = run.retval;
}

/* Octets that tshark finds right, beside the model. */
static void the_acknowledgement_is_right_to_the_octet(void **state)
{
	(void)state;
	static const uint8_t zlb[] = {
	    2,    0,    0,    0,    0,    3,    2,    0,    0,    0,    0,    1,
	    0x81, 0x00, 0x60, 0x64, 0x08, 0x00, 0x45, 0x00, 0x00, 0x28, 0x00, 0x00,
	    0x40, 0x00, 0x40, 0x11, 0x26, 0xc1, 0x0a, 0x01, 0x00, 0x02, 0x0a, 0x01,
	    0x00, 0x01, 0x06, 0xa5, 0x06, 0xa5, 0x00, 0x14, 0x0f, 0x56, 0xc8, 0x02,
	    0x00, 0x0c, 0x07, 0x08, 0x00, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, /* padding */
	};
	uint8_t out[STEER_FRAME];
	uint32_t length, action;

	lab_port(DP_XDP_PEER, STEER_VLAN, false);
	lab_plane(false, true);
	frame_control(&frame, STEER_VLAN, HELLO, 7, 3);
	run_raw(out, sizeof(out), &length, &action);
	assert_int_equal(action, XDP_TX);
	assert_int_equal(length, sizeof(zlb));
	assert_memory_equal(out, zlb, sizeof(zlb));
	assert_int_equal(lab.tunnels[LAB_SLOT].word.nr, 8);
	assert_int_equal(lab.tunnels[LAB_SLOT].word.ns, 3);
	assert_int_equal(lab.tunnels[LAB_SLOT].word.id, STEER_LOCAL_ID);
	assert_int_equal(lab.tunnels[LAB_SLOT].word.generation, 9);
	assert_in_range(lab.tunnels[LAB_SLOT].heard, 1, lab_now());

	run_raw(out, sizeof(out), &length, &action); /* again: it was lost, or its answer */
	assert_int_equal(action, XDP_TX);
	assert_memory_equal(out, zlb, sizeof(zlb));
	assert_int_equal(lab.tunnels[LAB_SLOT].word.nr, 8);

	memset(lab.tunnels[LAB_SLOT].mac, 0, 6);
	run_raw(out, sizeof(out), &length, &action);
	assert_int_equal(action, XDP_TX);
	assert_memory_equal(out, steer_peer_mac, 6);
	assert_memory_equal(out + 6, zlb + 6, sizeof(zlb) - 6);
}

static void a_hello_is_taken_in_any_form(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 11 * 3; i++) {
		uint16_t vlan = i % 2 ? STEER_VLAN : 0;
		lab_port(DP_XDP_PEER, vlan, i / 2 % 2);
		frame_control_options(&frame, vlan, HELLO, 7, 3, i / 6 * 4);
		if (i % 3)
			frame_put(&frame, NULL, i % 3 * 9); /* padding */
		expect(guard_hello);
		lc_put16(udp() + 6, 0);
		expect(guard_hello);
		lc_put16(udp() + 14, 99); /* a session ID, which the channel ignores, too */
		expect(guard_hello);
	}
}

static void truncations_are_not_taken(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		uint16_t vlan = i & 1 ? STEER_VLAN : 0;
		frame_control_options(&frame, vlan, i & 4 ? 0 : HELLO, i & 8 ? 7 : 6, 3,
				      i & 2 ? 40 : 0);
		lab_port(DP_XDP_PEER, vlan, false);
		for (unsigned plane = 0; plane < 3; plane++) {
			lab_plane(plane > 0, plane > 1);
			lab_truncate(&frame);
		}
	}
	frame_control(&frame, 0, HELLO, 7, 3);
	lab_port(DP_XDP_PEER, 0, false);
	while (--frame.length > 14 + 20 + 8 + 12)
		expect(guard_malformed);
}

static void ns_decides(void **state)
{
	(void)state;
	static const uint16_t at[] = {0, 1, 7, 32767, 32768, 65534, 65535};
	static const int by[] = {-32768, -32767, -300, -2, -1, 0, 1, 2, 300, 32767};
	lab_port(DP_XDP_PEER, 0, false);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (size_t j = 0; j < sizeof(by) / sizeof(by[0]); j++) {
			uint16_t ns = (uint16_t)(at[i] + by[j]);
			lab_word(at[i], 3);
			frame_control(&frame, 0, HELLO, ns, 3);
			if (by[j] < 0)
				expect(guard_duplicate);
			else if (by[j] == 0)
				expect(guard_hello);
			else
				expect(guard_early);
			frame_control(&frame, 0, 0, ns, 3);
			expect(guard_zlb);
		}
	}
}

static void nr_acknowledges_nothing_never_sent(void **state)
{
	(void)state;
	static const uint16_t at[] = {0, 1, 3, 32767, 32768, 65535};
	static const int by[] = {-32768, -300, -1, 0, 1, 300, 32767};
	lab_port(DP_XDP_PEER, 0, false);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (size_t j = 0; j < sizeof(by) / sizeof(by[0]); j++) {
			lab_word(7, at[i]);
			frame_control(&frame, 0, HELLO, 7, (uint16_t)(at[i] + by[j]));
			if (by[j] > 0)
				expect(guard_malformed);
			else
				expect(guard_hello);
		}
	}
}

static void a_run_of_hellos_goes_across_the_wrap(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	lab_plane(false, false);
	lab_word(65500, 65535);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t before = lab.tunnels[LAB_SLOT].heard;
		frame_control(&frame, 0, HELLO, (uint16_t)(65500 + i), 65535);
		assert_counter(lab_frame(&frame), C(guard_hello));
		assert_counter(lab_frame(&frame), C(guard_duplicate));
		assert_true(lab.tunnels[LAB_SLOT].heard > before);
	}
	assert_int_equal(lab.tunnels[LAB_SLOT].word.nr, (uint16_t)(65500 + 100));
}

/* Duplicates need not be right: an answer repeats what the peer has been told. */
static void messages_for_the_control_plane_wait(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	for (uint16_t type = 1; type < 30; type++) {
		if (type == HELLO)
			continue;
		frame_control(&frame, 0, type, 7, 3);
		expect(guard_message);
		frame_control(&frame, 0, type, 8, 3);
		expect(guard_early);
		frame_control(&frame, 0, type, 6, 3);
		expect(guard_duplicate);
		lc_put16(udp() + 6, 0x1234);
		expect(guard_duplicate);
		udp()[8 + 12] ^= 0x40; /* hidden */
		expect(guard_duplicate);
	}
}

static void each_bit_of_the_header_counts(void **state)
{
	(void)state;
	const uint16_t ignored = 0x34f0, malformed = 0x4b0f;
	lab_port(DP_XDP_PEER, 0, false);
	for (unsigned bit = 0; bit < 15; bit++) {
		frame_control(&frame, 0, HELLO, 7, 3);
		flip(udp() + 8, bit);
		lc_put16(udp() + 6, 0);
		assert_int_equal((ignored | malformed) >> bit & 1, 1);
		if (ignored >> bit & 1)
			expect(guard_hello);
		else
			expect(guard_malformed);
	}
	frame_control(&frame, 0, HELLO, 7, 3);
	flip(udp() + 8, 15); /* data */
	lab_plane(true, false);
	assert_counter(lab_frame(&frame), C(steered_data));
	lab_plane(false, false);
	assert_counter(lab_frame(&frame), C(dropped_away));
}

static void lengths_fit(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	for (uint16_t n = 0; n < 100; n++) {
		frame_control(&frame, 0, HELLO, 7, 3); /* L2TP: 20, UDP: 28, IP: 48 */
		frame_put(&frame, NULL, 20);
		lc_put16(udp() + 6, 0);
		lc_put16(udp() + 10, n);
		if (n == 12)
			expect(guard_zlb);
		else if (n == 20)
			expect(guard_hello);
		else
			expect(guard_malformed);
		lc_put16(udp() + 10, 20);
		lc_put16(udp() + 4, n);
		if (n == 28)
			expect(guard_hello);
		else
			expect(guard_malformed);
		lc_put16(udp() + 4, 28);
		lc_put16(ip() + 2, n);
		frame_ip4_sum(&frame);
		if (n >= 48 && n <= 68)
			expect(guard_hello);
		else
			expect(guard_malformed);
	}
	/* UDP within IP, L2TP within UDP, and octets after each. */
	frame_control(&frame, 0, HELLO, 7, 3);
	frame_put(&frame, NULL, 20);
	frame_finish(&frame, 1);
	expect(guard_hello);
	lc_put16(udp() + 4, 65535);
	expect(guard_malformed);
}

static void checksums_are_right(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	for (size_t options = 0; options <= 40; options += 40) {
		for (unsigned bit = 0; bit < (20 + 28 + options) * 8; bit++) {
			frame_control_options(&frame, 0, HELLO, 7, 3, options);
			frame.bytes[frame.network + bit / 8] ^= (uint8_t)(1u << bit % 8);
			lab_plane(false, true);
			struct lc_guard_entry entry = lab.tunnels[LAB_SLOT];
			/* Of one wrong bit nothing comes but a duplicate, where Ns says so. */
			enum dp_xdp_counter what = lab_frame(&frame);
			assert_true(what != C(guard_hello) || lc_get16(udp() + 6) == 0);
			lab.tunnels[LAB_SLOT] = entry;
		}
	}
	frame_control(&frame, 0, HELLO, 7, 3);
	lc_put16(ip() + 10, (uint16_t)(lc_get16(ip() + 10) + 1));
	expect(guard_malformed);
	frame_control(&frame, 0, HELLO, 7, 3);
	lc_put16(udp() + 6, (uint16_t)(lc_get16(udp() + 6) + 1));
	expect(guard_malformed);
}

/* A sum of 0 means none: it is sent as 0xffff (RFC 768). */
static void a_sum_of_zero_is_sent_as_ones(void **state)
{
	(void)state;
	uint8_t out[STEER_FRAME];
	uint32_t length, action;

	lab_port(DP_XDP_PEER, 0, false);
	lab_plane(false, true);
	frame_control(&frame, 0, HELLO, 7, 3);
	run_raw(out, sizeof(out), &length, &action);
	assert_int_equal(action, XDP_TX);
	/* As much more in ns as takes the sum to all ones. */
	lab_word(7, (uint16_t)(3 + lc_get16(out + 40)));
	run_raw(out, sizeof(out), &length, &action);
	assert_int_equal(lc_get16(out + 40), 0xffff);
	lab_word(7, lab.tunnels[LAB_SLOT].word.ns);
	expect(guard_hello);

	/* Likewise in Nr of what comes in. */
	lab_word(7, 3);
	frame_control(&frame, 0, HELLO, 7, 0);
	uint16_t nr = lc_get16(udp() + 6);
	lab_word(7, nr);
	frame_control(&frame, 0, HELLO, 7, nr);
	assert_int_equal(lc_get16(udp() + 6), 0xffff);
	expect(guard_hello);
}

static void the_first_avp_is_message_type(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	for (unsigned bit = 0; bit < 64; bit++) {
		frame_control(&frame, 0, HELLO, 7, 3);
		flip(udp() + 20 + bit / 16 * 2, bit % 16);
		frame_finish(&frame, 1);
		if (bit == 15) /* Mandatory: whether it is set or not */
			expect(guard_hello);
		else if (bit < 48)
			expect(guard_malformed);
		else
			expect(guard_message); /* another type */
	}
	frame_control(&frame, 0, HELLO, 7, 3);
	lc_put16(udp() + 26, 0); /* reserved, and no ZLB */
	frame_finish(&frame, 1);
	expect(guard_malformed);
}

static void more_avps_may_follow(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	for (uint16_t more = 1; more < 1400; more = (uint16_t)(more + (more < 240 ? 1 : 97))) {
		frame_control(&frame, 0, HELLO, 7, 3);
		memset(frame_put(&frame, NULL, more), 0xa5, more);
		lc_put16(udp() + 10, (uint16_t)(20 + more));
		frame_finish(&frame, 1);
		if (28 + more <= 128) /* what is added up */
			expect(guard_hello);
		else
			expect(guard_malformed);
		frame.bytes[frame.length - 1]++;
		expect(guard_malformed);
		lc_put16(udp() + 6, 0);
		expect(guard_hello);
	}
}

static void only_the_peer_is_answered(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	struct lc_guard_entry *e = &lab.tunnels[LAB_SLOT], good = *e;
	for (uint16_t ns = 6; ns < 9; ns++) {
		frame_control(&frame, 0, HELLO, ns, 3);
		e->peer_address ^= htonl(1);
		expect(guard_wrong_peer);
		*e = good;
		e->local_address ^= htonl(0x80000000);
		expect(guard_wrong_peer);
		*e = good;
		e->peer_udp_port ^= htons(1);
		expect(guard_wrong_peer);
		*e = good;
		e->local_udp_port ^= htons(0x8000);
		expect(guard_wrong_peer);
		*e = good;
	}
	e->peer_udp_port = htons(40000);
	frame_control(&frame, 0, HELLO, 7, 3);
	lc_put16(udp(), 40000);
	frame_finish(&frame, 1);
	expect(guard_hello);
}

static void only_tunnels_that_are_there_are_answered(void **state)
{
	(void)state;
	static const uint16_t ids[] = {0,
				       1,
				       STEER_LOCAL_ID + LAB_TUNNELS,
				       STEER_LOCAL_ID + 1,
				       0xffff,
				       STEER_LOCAL_ID ^ 0x8000};
	lab_port(DP_XDP_PEER, 0, false);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		frame_control(&frame, 0, HELLO, 7, 3);
		lc_put16(udp() + 12, ids[i]);
		frame_finish(&frame, 1);
		expect(guard_no_tunnel);
	}
	/* What the entry of slot 0 says, is not asked for by ID 0. */
	lab.tunnels[0] = lab.tunnels[LAB_SLOT];
	lab.tunnels[0].word.id = 0;
	frame_control(&frame, 0, HELLO, 7, 3);
	lc_put16(udp() + 12, 0);
	frame_finish(&frame, 1);
	expect(guard_no_tunnel);

	frame_control(&frame, 0, HELLO, 7, 3);
	lab.chassis->mirror = 0; /* gone, and its tunnels with it */
	expect(guard_no_tunnel);
	lab.chassis->mirror = 1;
	lab.chassis->tunnel_mask = 0xffff; /* beyond the table */
	expect(guard_no_tunnel);
	lab.chassis->tunnel_mask = LAB_TUNNELS - 1;
	lab.tunnels[LAB_SLOT].word.word = 0; /* being rewritten */
	expect(guard_no_tunnel);
}

static void the_heart_decides_who_answers(void **state)
{
	(void)state;
	lab_port(DP_XDP_PEER, 0, false);
	frame_control(&frame, 0, HELLO, 6, 3);
	lab_plane(true, true);
	lab.port->beat = lab_now() + 1000000000; /* clocks that we do not trust */
	assert_counter(lab_frame(&frame), C(steered_control));
	lab.port->beat = 0;
	lab.port->stale = UINT64_MAX;
	assert_counter(lab_frame(&frame), C(steered_control));
	lab.fresh = false; /* for the model */
	lab.port->stale = 0;
	assert_counter(lab_frame(&frame), C(guard_duplicate));
	lab.port->beat = lab_now() - 2000000000;
	lab.port->stale = 2000000000;
	assert_counter(lab_frame(&frame), C(guard_duplicate));
	lab.fresh = true;
	lab.port->stale = 2000000000 + UINT64_C(3600000000000);
	assert_counter(lab_frame(&frame), C(steered_control));
}

int main(void)
{
	lab_probe();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_acknowledgement_is_right_to_the_octet),
	    cmocka_unit_test(a_hello_is_taken_in_any_form),
	    cmocka_unit_test(truncations_are_not_taken),
	    cmocka_unit_test(ns_decides),
	    cmocka_unit_test(nr_acknowledges_nothing_never_sent),
	    cmocka_unit_test(a_run_of_hellos_goes_across_the_wrap),
	    cmocka_unit_test(messages_for_the_control_plane_wait),
	    cmocka_unit_test(each_bit_of_the_header_counts),
	    cmocka_unit_test(lengths_fit),
	    cmocka_unit_test(checksums_are_right),
	    cmocka_unit_test(a_sum_of_zero_is_sent_as_ones),
	    cmocka_unit_test(the_first_avp_is_message_type),
	    cmocka_unit_test(more_avps_may_follow),
	    cmocka_unit_test(only_the_peer_is_answered),
	    cmocka_unit_test(only_tunnels_that_are_there_are_answered),
	    cmocka_unit_test(the_heart_decides_who_answers),
	};
	return cmocka_run_group_tests(tests, lab_start, lab_stop);
}
