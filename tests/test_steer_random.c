/* SPDX-License-Identifier: BSD-3-Clause */
/* The XDP program on frames of which something is wrong, on ports and tunnels of any kind: all is as the model says.
 * WARMLINE_SEED repeats a run. */
#include "steer_lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 60000 };

static uint64_t seed, started_with;
static uint64_t seen[DP_XDP_N_COUNTERS];

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13; /* xorshift */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

/* Numbers near the edges of 16 bits. */
static uint16_t any_number(void)
{
	static const uint16_t edges[] = {0, 1, 32767, 32768, 65534, 65535};
	return any(4) ? (uint16_t)any(65536) : edges[any(6)];
}

static uint16_t near(uint16_t number)
{
	return any(8) ? (uint16_t)(number + any(5) - 2) : any_number();
}

static void any_port(void)
{
	static const enum dp_xdp_facing facings[] = {DP_XDP_ACCESS, DP_XDP_CORE, DP_XDP_PEER,
						     DP_XDP_PEER, DP_XDP_PEER};
	struct lc_guard_entry *e = &lab.tunnels[LAB_SLOT];

	lab_port(facings[any(5)], any(2) ? STEER_VLAN : 0, !any(3));
	lab.port->shared6 = !any(3);
	lab.port->has_ipv6 = any(8) != 0;
	lab_word(any_number(), any_number());
	if (!any(4))
		memset(e->mac, 0, 6);
	if (!any(8))
		e->peer_address = htonl(STEER_OTHER);
	if (!any(8))
		lab_word(0, 0), e->word.id = 0;
	if (!any(16))
		lab.port->magic++;
	bool socket = !any(3);
	lab_plane(socket, socket && any(2));
}

/* A control message that may be in its turn. */
static void any_control(struct steer_frame *f, uint16_t vlan)
{
	union lc_guard_word word = lab.tunnels[LAB_SLOT].word;
	uint16_t type = any(3) ? LC_MSG_HELLO : (uint16_t)any(23);

	frame_control_options(f, vlan, type, near(word.nr), near(word.ns),
			      any(4) ? 0 : any(11) * 4);
	if (any(4))
		return;
	uint16_t more = (uint16_t)(type != 0 ? any(any(4) ? 20 : 300) : 0);
	uint8_t *l2tp = f->bytes + f->network + (f->bytes[f->network] & 15) * 4 + 8;
	memset(frame_put(f, NULL, more), 0x5a, more);
	lc_put16(l2tp + 2, (uint16_t)(lc_get16(l2tp + 2) + more));
	frame_finish(f, 1);
}

static void any_ip4(struct steer_frame *f, uint16_t vlan)
{
	static const uint32_t to[] = {STEER_US, STEER_US, STEER_USER, STEER_OTHER};
	static const uint8_t protocols[] = {17, 17, 17, 1, 6};
	static const uint16_t udp_ports[] = {1701, 1701, 1702};

	frame_ip4(f, steer_mac, vlan, STEER_PEER, to[any(4)], protocols[any(5)], any(4) * 4);
	frame_udp(f, 1701, udp_ports[any(3)]);
	frame_put(f, (uint8_t[]){(uint8_t)(any(2) ? 0x40 : 0xc8), 2}, 2);
	frame_put(f, NULL, any(30));
	if (!any(3))
		lc_put16(f->bytes + f->network + 6, any(2) ? 0x2000 : (uint16_t)any(65536));
	frame_finish(f, 1);
}

static void any_ip6(struct steer_frame *f, uint16_t vlan)
{
	const uint8_t *const to[] = {steer_us6, steer_local6, steer_user6, steer_peer6};
	static const uint8_t group[] = {0x33, 0x33, 0xff, 0, 0, 1};

	if (any(2))
		frame_nd(f, any(2) ? steer_mac : group, vlan, to[any(4)], (uint8_t)(134 + any(4)),
			 to[any(4)]);
	else
		frame_ip6(f, steer_mac, vlan, to[any(4)], (uint8_t)(any(2) ? 58 : 17), any(40));
}

static void any_frame(struct steer_frame *f, uint16_t vlan)
{
	static const uint16_t types[] = {0x8863, 0x8864, 0x88cc, 0x0800, 0x86dd, 0x8100};

	switch (any(8)) {
	case 0:
		frame_arp(f, any(2) ? steer_group : steer_mac, vlan, (uint16_t)(1 + any(2)),
			  any(4) ? STEER_US : STEER_OTHER);
		return;
	case 1:
		any_ip6(f, vlan);
		return;
	case 2:
		any_ip4(f, vlan);
		return;
	case 3:
		frame_ethernet(f, any(2) ? steer_group : steer_mac, vlan, types[any(6)]);
		frame_put(f, NULL, any(80));
		return;
	default:
		any_control(f, vlan);
	}
}

/* An octet, often one of a header, or the length; at times the checksums are made right again. */
static void spoil(struct steer_frame *f)
{
	uint32_t reach = (uint32_t)(any(2) && f->length > 70 ? 70 : f->length);

	switch (any(6)) {
	case 0:
		f->length = 14 + any((uint32_t)f->length - 13);
		break;
	case 1:
		frame_put(f, NULL, any(60));
		break;
	case 2:
		f->bytes[any(reach)] = (uint8_t)any(256);
		break;
	default:
		f->bytes[any(reach)] ^= (uint8_t)(1u << any(8));
	}
	size_t network = f->network, header = (f->bytes[network] & 15u) * 4u;
	if (any(2) && lc_get16(f->bytes + network - 2) == 0x0800 &&
	    f->length >= network + header + 8) {
		frame_ip4_sum(f);
		if (any(2))
			lc_put16(f->bytes + network + header + 6, 0);
	}
}

static void any_frame_is_decided_as_the_model_has_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct steer_frame f;
		union lc_guard_word before;

		if (i % 8 == 0)
			any_port();
		uint16_t vlan = ntohs(lab.port->vlan);
		any_frame(&f, any(16) ? vlan : STEER_VLAN - vlan);
		for (uint32_t n = any(4); n > 0; n--)
			spoil(&f);
		before = lab.tunnels[LAB_SLOT].word;
		enum dp_xdp_counter what = lab_frame(&f);
		seen[what]++;
		before.nr = (uint16_t)(before.nr + (what == DP_XDP_guard_hello));
		assert_int_equal(before.word, lab.tunnels[LAB_SLOT].word.word);
	}
}

/* Else the frames are not as random as they should be. */
static void each_counter_was_seen(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DP_XDP_N_COUNTERS; i++)
		if (i != DP_XDP_guard_race) /* which takes two: test_steer_race */
			assert_true(seen[i] >= 10);
}

static int say_seed(void **state)
{
	print_error("WARMLINE_SEED=%llu\n", (unsigned long long)started_with);
	return lab_stop(state);
}

int main(void)
{
	lab_probe();
	const char *given = getenv("WARMLINE_SEED");
	seed = given != NULL ? strtoull(given, NULL, 10) : lab_now() ^ (uint64_t)getpid() << 40;
	seed = started_with = seed != 0 ? seed : 1;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_frame_is_decided_as_the_model_has_it),
	    cmocka_unit_test(each_counter_was_seen),
	};
	return cmocka_run_group_tests(tests, lab_start, say_seed);
}
