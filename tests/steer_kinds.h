/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kind of frame that the XDP program tells apart, and whose it is while the data plane is at home. */
#pragma once

#include "steer_lab.h"

#define C(name) DP_XDP_##name

static void discovery(struct steer_frame *f, uint16_t vlan)
{
	frame_ethernet(f, steer_group, vlan, 0x8863);
	frame_put(f, (uint8_t[]){0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0}, 10);
}

static void discovery_to_us(struct steer_frame *f, uint16_t vlan)
{
	discovery(f, vlan);
	memcpy(f->bytes, steer_mac, 6);
}

static void session(struct steer_frame *f, uint16_t vlan)
{
	frame_ethernet(f, steer_mac, vlan, 0x8864);
	frame_put(f, (uint8_t[]){0x11, 0, 0, 7, 0, 4, 0xc0, 0x21, 9, 1}, 10);
}

static void session_group(struct steer_frame *f, uint16_t vlan)
{
	session(f, vlan);
	memcpy(f->bytes, steer_group, 6);
}

static void arp_request(struct steer_frame *f, uint16_t vlan)
{
	frame_arp(f, steer_group, vlan, 1, STEER_US);
}

static void arp_request_to_us(struct steer_frame *f, uint16_t vlan)
{
	frame_arp(f, steer_mac, vlan, 1, STEER_US);
}

static void arp_reply(struct steer_frame *f, uint16_t vlan)
{
	frame_arp(f, steer_mac, vlan, 2, STEER_US);
}

static void arp_other(struct steer_frame *f, uint16_t vlan)
{
	frame_arp(f, steer_group, vlan, 1, STEER_OTHER);
}

static void hello(struct steer_frame *f, uint16_t vlan)
{
	frame_control(f, vlan, LC_MSG_HELLO, 7, 3);
}

static void hello_options(struct steer_frame *f, uint16_t vlan)
{
	frame_control_options(f, vlan, LC_MSG_HELLO, 7, 3, 40);
}

static void data(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_PEER, STEER_US, 17, 0);
	frame_udp(f, 1701, 1701);
	frame_put(f, (uint8_t[]){0, 2, 0x12, 0x35, 0, 1, 0xff, 3, 0, 0x21, 0x45}, 11);
	frame_finish(f, 1);
}

static void other_udp(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_PEER, STEER_US, 17, 4);
	frame_udp(f, 1701, 1702);
	frame_put(f, NULL, 20);
	frame_finish(f, 1);
}

static void tcp(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_PEER, STEER_US, 6, 0);
	lc_put16(frame_put(f, NULL, 2), 1701);
	lc_put16(frame_put(f, NULL, 18), 1701); /* a port, but not UDP's */
	frame_finish(f, 0);
}

static void ping(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_PEER, STEER_US, 1, 0);
	frame_put(f, (uint8_t[]){8, 0, 0xf7, 0xff, 0, 0, 0, 0}, 8);
	frame_finish(f, 0);
}

static void ip4_group(struct steer_frame *f, uint16_t vlan)
{
	data(f, vlan);
	memcpy(f->bytes, steer_group, 6);
}

static void ip4_subscriber(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_OTHER, STEER_USER, 17, 0);
	frame_udp(f, 53, 1701);
	frame_finish(f, 1);
}

static void ip4_other(struct steer_frame *f, uint16_t vlan)
{
	frame_ip4(f, steer_mac, vlan, STEER_USER, STEER_OTHER, 17, 0);
	frame_udp(f, 1701, 1701);
	frame_finish(f, 1);
}

static void fragment(struct steer_frame *f, uint16_t vlan, uint16_t bits)
{
	data(f, vlan);
	lc_put16(f->bytes + f->network + 6, bits);
	frame_ip4_sum(f);
}

static void first_fragment(struct steer_frame *f, uint16_t vlan)
{
	fragment(f, vlan, 0x2000);
}

static void middle_fragment(struct steer_frame *f, uint16_t vlan)
{
	fragment(f, vlan, 0x2000 | 100);
}

static void last_fragment(struct steer_frame *f, uint16_t vlan)
{
	fragment(f, vlan, 200);
}

static void ip6_echo(struct steer_frame *f, uint16_t vlan)
{
	frame_ip6(f, steer_mac, vlan, steer_us6, 58, 8)[0] = 128;
}

static void ip6_echo_local(struct steer_frame *f, uint16_t vlan)
{
	frame_ip6(f, steer_mac, vlan, steer_local6, 58, 8)[0] = 128;
}

static void ip6_subscriber(struct steer_frame *f, uint16_t vlan)
{
	frame_ip6(f, steer_mac, vlan, steer_user6, 17, 8);
}

static void ip6_other(struct steer_frame *f, uint16_t vlan)
{
	frame_ip6(f, steer_mac, vlan, steer_peer6, 17, 8);
}

static void solicitation_group(struct steer_frame *f, uint16_t vlan)
{
	static const uint8_t mac[6] = {0x33, 0x33, 0xff, 0, 0, 1};
	static const uint8_t to[16] = {0xff, 2, [11] = 1, 0xff, 0, 0, 1};
	frame_nd(f, mac, vlan, to, 135, steer_us6);
}

static void solicitation_group_local(struct steer_frame *f, uint16_t vlan)
{
	static const uint8_t mac[6] = {0x33, 0x33, 0xff, 0, 0, 1};
	static const uint8_t to[16] = {0xff, 2, [11] = 1, 0xff, 0, 0, 1};
	frame_nd(f, mac, vlan, to, 135, steer_local6);
}

static void solicitation(struct steer_frame *f, uint16_t vlan)
{
	frame_nd(f, steer_mac, vlan, steer_us6, 135, steer_us6);
}

static void advertisement(struct steer_frame *f, uint16_t vlan)
{
	frame_nd(f, steer_mac, vlan, steer_us6, 136, steer_peer6);
}

static void advertisement_local(struct steer_frame *f, uint16_t vlan)
{
	frame_nd(f, steer_mac, vlan, steer_local6, 136, steer_peer6);
}

static void advertisement_group(struct steer_frame *f, uint16_t vlan)
{
	static const uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 1}, to[16] = {0xff, 2, [15] = 1};
	frame_nd(f, mac, vlan, to, 136, steer_peer6);
}

static void other_type(struct steer_frame *f, uint16_t vlan)
{
	frame_ethernet(f, steer_mac, vlan, 0x88cc);
	frame_put(f, NULL, 46);
}

/* On an access port; a peer port, a core port; those where the kernel has the addresses, too. Nothing is shared on access
 * ports, which have no addresses. */
static const struct kind {
	const char *name;
	void (*build)(struct steer_frame *f, uint16_t vlan);
	enum dp_xdp_counter access, peer, core, shared_peer, shared_core;
} kinds[] = {
#define KIND(build, access, peer, core, shared_peer, shared_core)                                  \
	{                                                                                          \
#build, build, C(access), C(peer), C(core), C(shared_peer), C(shared_core)         \
	}
    KIND(discovery, steered_discovery, passed, passed, passed, passed),
    KIND(discovery_to_us, steered_discovery, passed, passed, passed, passed),
    KIND(session, steered_session, passed, passed, passed, passed),
    KIND(session_group, passed, passed, passed, passed, passed),
    KIND(arp_request, passed, steered_neighbour, steered_neighbour, passed_neighbour,
	 passed_neighbour),
    KIND(arp_request_to_us, passed, steered_neighbour, steered_neighbour, passed_neighbour,
	 passed_neighbour),
    KIND(arp_reply, passed, steered_neighbour, steered_neighbour, passed_neighbour,
	 passed_neighbour),
    KIND(arp_other, passed, passed, passed, passed, passed),
    KIND(hello, passed, steered_control, steered_address, steered_control, passed),
    KIND(hello_options, passed, steered_control, steered_address, steered_control, passed),
    KIND(data, passed, steered_data, steered_address, steered_data, passed),
    KIND(other_udp, passed, steered_address, steered_address, passed, passed),
    KIND(tcp, passed, steered_address, steered_address, passed, passed),
    KIND(ping, passed, steered_address, steered_address, passed, passed),
    KIND(ip4_group, passed, passed, passed, passed, passed),
    KIND(ip4_subscriber, passed, passed, steered_subscriber, passed, steered_subscriber),
    KIND(ip4_other, passed, passed, passed, passed, passed),
    KIND(first_fragment, passed, steered_fragment, steered_fragment, steered_fragment, passed),
    KIND(middle_fragment, passed, steered_fragment, steered_fragment, passed, passed),
    KIND(last_fragment, passed, steered_fragment, steered_fragment, passed, passed),
    KIND(ip6_echo, passed, passed, steered_address, passed, passed),
    KIND(ip6_echo_local, passed, passed, passed, passed, passed),
    KIND(ip6_subscriber, passed, passed, steered_subscriber, passed, steered_subscriber),
    KIND(ip6_other, passed, passed, passed, passed, passed),
    KIND(solicitation_group, passed, passed, steered_neighbour, passed, passed),
    KIND(solicitation_group_local, passed, passed, passed, passed, passed),
    KIND(solicitation, passed, passed, steered_neighbour, passed, passed),
    KIND(advertisement, passed, passed, steered_neighbour, passed, passed_neighbour),
    KIND(advertisement_local, passed, passed, passed_neighbour, passed, passed_neighbour),
    KIND(advertisement_group, passed, passed, passed_neighbour, passed, passed_neighbour),
    KIND(other_type, passed, passed, passed, passed, passed),
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };
