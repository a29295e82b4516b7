/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program: whose a frame is. Each kind, on each kind of port, in a VLAN or none, whole and cut short. */
#include "steer_kinds.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>

/* Each port that a frame may meet. */
static const struct {
	enum dp_xdp_facing facing;
	bool shared;
	size_t expected; /* where struct kind has what is due */
} ports[] = {
    {DP_XDP_ACCESS, false, offsetof(struct kind, access)},
    {DP_XDP_PEER, false, offsetof(struct kind, peer)},
    {DP_XDP_CORE, false, offsetof(struct kind, core)},
    {DP_XDP_PEER, true, offsetof(struct kind, shared_peer)},
    {DP_XDP_CORE, true, offsetof(struct kind, shared_core)},
};

enum { N_PORTS = sizeof(ports) / sizeof(ports[0]) };

static enum dp_xdp_counter expected(const struct kind *kind, size_t port)
{
	enum dp_xdp_counter counter;
	memcpy(&counter, (const char *)kind + ports[port].expected, sizeof(counter));
	return counter;
}

static void each_frame_goes_to_its_owner(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS * N_PORTS * 2; i++) {
		const struct kind *kind = &kinds[i / 2 / N_PORTS];
		size_t port = i / 2 % N_PORTS;
		uint16_t vlan = i % 2 ? STEER_VLAN : 0;
		struct steer_frame f;
		kind->build(&f, vlan);
		lab_port(ports[port].facing, vlan, ports[port].shared);
		assert_counter(lab_frame(&f), expected(kind, port));
	}
}

static void what_is_not_ours_alone_is_the_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS * N_PORTS; i++) {
		struct steer_frame f;
		lab_port(ports[i % N_PORTS].facing, 0, ports[i % N_PORTS].shared);
		kinds[i / N_PORTS].build(&f, STEER_VLAN); /* a VLAN, and we have none */
		assert_counter(lab_frame(&f), C(passed));
		lab_port(ports[i % N_PORTS].facing, STEER_VLAN, ports[i % N_PORTS].shared);
		f.bytes[15]++; /* another VLAN */
		assert_counter(lab_frame(&f), C(passed));
		kinds[i / N_PORTS].build(&f, 0);
		assert_counter(lab_frame(&f), C(passed));
		lab_port(ports[i % N_PORTS].facing, 0, ports[i % N_PORTS].shared);
		for (size_t octet = 0; octet < 6; octet++) { /* another's MAC */
			memcpy(f.bytes, steer_mac, 6);
			f.bytes[octet] ^= 0x80;
			assert_counter(lab_frame(&f), C(passed));
		}
		lab.port->magic = 0;
		kinds[i / N_PORTS].build(&f, 0);
		assert_counter(lab_frame(&f), C(passed));
	}
}

/* What would have gone to a socket goes nowhere; the guard's part has a test of its own. */
static void nothing_of_ours_leaks_while_nobody_is_home(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS * N_PORTS; i++) {
		const struct kind *kind = &kinds[i / N_PORTS];
		enum dp_xdp_counter due = expected(kind, i % N_PORTS);
		struct steer_frame f;
		kind->build(&f, 0);
		lab_port(ports[i % N_PORTS].facing, 0, ports[i % N_PORTS].shared);
		lab_plane(false, true);
		if (due >= C(steered_control) && due < C(dropped_away))
			due = due == C(steered_control)          ? C(guard_hello)
			      : kind->build == arp_request       ? C(guard_arp)
			      : kind->build == arp_request_to_us ? C(guard_arp)
								 : C(dropped_away);
		assert_counter(lab_frame(&f), due);
	}
}

static void a_frame_cut_anywhere_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS * N_PORTS * 4; i++) {
		size_t port = i / 4 % N_PORTS;
		uint16_t vlan = i % 2 ? STEER_VLAN : 0;
		struct steer_frame f;
		kinds[i / 4 / N_PORTS].build(&f, vlan);
		lab_port(ports[port].facing, vlan, ports[port].shared);
		lab_plane(i & 2, i & 2);
		lab_truncate(&f);
	}
}

static void later_fragments_follow_their_first(void **state)
{
	(void)state;
	struct steer_frame first, middle, last;
	first_fragment(&first, 0);
	middle_fragment(&middle, 0);
	last_fragment(&last, 0);
	lab_port(DP_XDP_PEER, 0, true);

	assert_counter(lab_frame(&last), C(passed)); /* out of order */
	assert_counter(lab_frame(&first), C(steered_fragment));
	assert_counter(lab_frame(&last), C(steered_fragment));
	assert_counter(lab_frame(&middle), C(steered_fragment));
	lab_plane(false, false);
	assert_counter(lab_frame(&middle), C(dropped_away));
	lab_plane(true, true);

	const size_t fields[] = {5, 9, 15}; /* ID, protocol, source */
	for (size_t i = 0; i < 3; i++) {
		struct steer_frame other = last;
		other.bytes[14 + fields[i]]++;
		frame_ip4_sum(&other);
		assert_counter(lab_frame(&other), C(passed));
	}

	struct dp_xdp_fragment key;
	uint64_t old = lab_now() - DP_XDP_FRAGMENT_NS;
	assert_true(lab_fragment_key(last.bytes + 14, 20, &key));
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(lab.steer->maps.fragments), &key, &old, 0),
			 0);
	assert_counter(lab_frame(&last), C(passed));
}

static void fragments_of_others_stay_with_the_kernel(void **state)
{
	(void)state;
	struct steer_frame first, last;
	first_fragment(&first, 0);
	last_fragment(&last, 0);
	lab_port(DP_XDP_PEER, 0, true);
	lc_put16(first.bytes + 14 + 22, 1702);
	assert_counter(lab_frame(&first), C(passed));
	assert_counter(lab_frame(&last), C(passed));
}

static void odd_ip_headers_are_the_kernels_where_it_has_the_address(void **state)
{
	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		bool good = octet >> 4 == 4 && (octet & 15) >= 5;
		struct steer_frame f;
		hello_options(&f, 0);
		f.bytes[14] = (uint8_t)octet;
		/* The UDP header, at any length of the header. */
		memset(f.bytes + 34, 0, 40);
		size_t header = (octet & 15u) * 4u;
		if (good)
			lc_put32(f.bytes + 14 + header, 1701 << 16 | 1701);
		lab_port(DP_XDP_PEER, 0, true);
		if (good && header < 60)
			assert_counter(lab_frame(&f), C(steered_data));
		else
			assert_counter(lab_frame(&f), good ? C(steered_control) : C(passed));
		lab_port(DP_XDP_PEER, 0, false);
		if (!good)
			assert_counter(lab_frame(&f), C(steered_address));
		lab_plane(false, false);
		lab_frame(&f); /* as the model has it */
	}
}

/* Where the UDP header would be if the header were as short as it says, is a port of ours. */
static void a_header_too_short_is_no_header(void **state)
{
	(void)state;
	struct steer_frame f;
	hello(&f, 0);
	f.bytes[14] = 0x43;
	lc_put16(f.bytes + 14 + 14, 1701);
	lab_port(DP_XDP_PEER, 0, true);
	assert_counter(lab_frame(&f), C(passed));
	lab_port(DP_XDP_PEER, 0, false);
	assert_counter(lab_frame(&f), C(steered_address));
}

static void odd_arp_is_the_kernels(void **state)
{
	(void)state;
	struct steer_frame f;
	lab_port(DP_XDP_PEER, 0, false);
	for (size_t at = 0; at < 6; at++) {
		uint8_t *arp = frame_arp(&f, steer_group, 0, 1, STEER_US);
		arp[at]++;
		assert_counter(lab_frame(&f), C(passed));
	}
	lab_plane(false, false);
	for (unsigned operation = 0; operation < 600; operation++) {
		frame_arp(&f, steer_group, 0, (uint16_t)operation, STEER_US);
		assert_counter(lab_frame(&f), operation == 1 ? C(guard_arp) : C(dropped_away));
	}
	lab.port->address = 0;
	frame_arp(&f, steer_group, 0, 1, 0);
	assert_counter(lab_frame(&f), C(passed));
	hello(&f, 0);
	memset(f.bytes + 14 + 16, 0, 4);
	assert_counter(lab_frame(&f), C(passed));
}

/* The answer by hand, beside the model. */
static void arp_is_answered_while_nobody_is_home(void **state)
{
	(void)state;
	uint8_t out[STEER_FRAME];
	for (unsigned i = 0; i < 2; i++) {
		uint16_t vlan = i ? STEER_VLAN : 0;
		struct steer_frame f, answer;
		frame_arp(&f, steer_group, vlan, 1, STEER_US);
		uint8_t *arp = frame_arp(&answer, steer_peer_mac, vlan, 2, STEER_PEER);
		memcpy(answer.bytes + 6, steer_mac, 6);
		memcpy(arp + 8, steer_mac, 6);
		lc_put32(arp + 14, STEER_US);
		memcpy(arp + 18, steer_peer_mac, 6);
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f.bytes,
			    .data_size_in = (uint32_t)f.length, .data_out = out,
			    .data_size_out = sizeof(out), .repeat = 1);
		lab_port(DP_XDP_CORE, vlan, false);
		lab_plane(false, true);
		assert_int_equal(bpf_prog_test_run_opts(lab.program, &run), 0);
		assert_int_equal(run.retval, XDP_TX);
		assert_int_equal(run.data_size_out, answer.length);
		assert_memory_equal(out, answer.bytes, answer.length);

		lab_plane(true, false); /* a heart that stands still */
		assert_counter(lab_frame(&f), C(guard_arp));
		lab_port(DP_XDP_CORE, vlan, true);
		lab_plane(false, false);
		assert_counter(lab_frame(&f), C(passed_neighbour));
	}
}

static void without_an_ipv6_address_all_but_subscribers_is_the_kernels(void **state)
{
	(void)state;
	lab_port(DP_XDP_CORE, 0, false);
	lab.port->has_ipv6 = 0;
	for (size_t i = 0; i < N_KINDS; i++) {
		struct steer_frame f;
		kinds[i].build(&f, 0);
		if (lc_get16(f.bytes + 12) == 0x86dd)
			assert_counter(lab_frame(&f), kinds[i].build == ip6_subscriber
							  ? C(steered_subscriber)
							  : C(passed));
	}
}

/* A tag with VLAN ID 0 says no more than a priority (IEEE 802.1Q). */
static void a_priority_is_no_vlan(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS * N_PORTS; i++) {
		struct steer_frame f;
		kinds[i / N_PORTS].build(&f, STEER_VLAN);
		lc_put16(f.bytes + 14, 0xe000);
		lab_port(ports[i % N_PORTS].facing, 0, ports[i % N_PORTS].shared);
		assert_counter(lab_frame(&f), expected(&kinds[i / N_PORTS], i % N_PORTS));
		lab_port(ports[i % N_PORTS].facing, STEER_VLAN, ports[i % N_PORTS].shared);
		assert_counter(lab_frame(&f), C(passed));
	}
}

/* The kernel may make its link-local address of something else than the MAC address. */
static void a_link_local_address_of_our_own_is_answered_for(void **state)
{
	(void)state;
	struct steer_frame f;
	lab_port(DP_XDP_CORE, 0, true);
	lab.port->shared_link = 0;
	solicitation_group_local(&f, 0);
	assert_counter(lab_frame(&f), C(steered_neighbour));
	advertisement_local(&f, 0);
	assert_counter(lab_frame(&f), C(steered_neighbour));
	solicitation_group(&f, 0);
	assert_counter(lab_frame(&f), C(passed));
}

/* The kernel has one of the addresses. */
static void ipv4_and_ipv6_are_shared_apart(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		for (size_t i = 0; i < N_KINDS; i++) {
			struct steer_frame f;
			kinds[i].build(&f, 0);
			lab_port(DP_XDP_CORE, 0, false);
			lab.port->shared4 = !six;
			lab.port->shared6 = (uint8_t)six;
			bool is_six = lc_get16(f.bytes + 12) == 0x86dd;
			assert_counter(lab_frame(&f),
				       is_six == six ? kinds[i].shared_core : kinds[i].core);
		}
	}
}

static void a_full_ring_of_copies_keeps_nothing_from_the_kernel(void **state)
{
	(void)state;
	struct steer_frame f;
	arp_request(&f, 0);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f.bytes, .data_size_in = (uint32_t)f.length,
		    .repeat = 2 * DP_XDP_COPIES / sizeof(struct dp_xdp_copy));
	lab_port(DP_XDP_PEER, 0, true);
	assert_int_equal(bpf_prog_test_run_opts(lab.program, &run), 0);
	assert_int_equal(run.retval, XDP_PASS);
	lab_drain();
	assert_counter(lab_frame(&f), C(passed_neighbour));
}

int main(void)
{
	lab_probe();
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_frame_goes_to_its_owner),
	    cmocka_unit_test(what_is_not_ours_alone_is_the_kernels),
	    cmocka_unit_test(nothing_of_ours_leaks_while_nobody_is_home),
	    cmocka_unit_test(a_frame_cut_anywhere_is_safe),
	    cmocka_unit_test(later_fragments_follow_their_first),
	    cmocka_unit_test(fragments_of_others_stay_with_the_kernel),
	    cmocka_unit_test(odd_ip_headers_are_the_kernels_where_it_has_the_address),
	    cmocka_unit_test(a_header_too_short_is_no_header),
	    cmocka_unit_test(odd_arp_is_the_kernels),
	    cmocka_unit_test(arp_is_answered_while_nobody_is_home),
	    cmocka_unit_test(without_an_ipv6_address_all_but_subscribers_is_the_kernels),
	    cmocka_unit_test(a_priority_is_no_vlan),
	    cmocka_unit_test(a_link_local_address_of_our_own_is_answered_for),
	    cmocka_unit_test(ipv4_and_ipv6_are_shared_apart),
	    cmocka_unit_test(a_full_ring_of_copies_keeps_nothing_from_the_kernel),
	};
	return cmocka_run_group_tests(tests, lab_start, lab_stop);
}
