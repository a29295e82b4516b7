/* SPDX-License-Identifier: BSD-3-Clause */
/* What should become of a frame: the contract of the XDP program (dp_xdp_layout.h, lc_guard.h), octet by octet. It shares no
 * code with the program. */
#include "steer_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

/* A frame as far as it was read. */
struct view {
	const uint8_t *at; /* behind Ethernet's header */
	size_t octets;
	bool group;
	struct steer_verdict *v;
};

static bool is_route4(uint32_t address)
{
	return address >> 22 == STEER_USER >> 22;
}

static bool is_route6(const uint8_t *address)
{
	return memcmp(address, steer_user6, 6) == 0;
}

static bool is_alive(void)
{
	return lab.socket && lab.fresh;
}

static enum dp_xdp_counter model_arp(struct view *f)
{
	static const uint8_t ethernet_ip4[] = {0, 1, 8, 0, 6, 4};
	const struct dp_xdp_port *port = lab.port;

	if (f->octets < 28)
		return DP_XDP_passed_short;
	if (memcmp(f->at, ethernet_ip4, 6) != 0 || port->address == 0 ||
	    memcmp(f->at + 24, &port->address, 4) != 0)
		return DP_XDP_passed;
	if (port->shared4)
		return DP_XDP_passed_neighbour;
	if (is_alive() || lc_get16(f->at + 6) != 1)
		return DP_XDP_steered_neighbour;
	uint8_t *frame = f->v->frame, *arp = frame + (f->v->length - f->octets);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, port->mac, 6);
	lc_put16(arp + 6, 2);
	memcpy(arp + 18, arp + 8, 10);
	memcpy(arp + 8, port->mac, 6);
	memcpy(arp + 14, &port->address, 4);
	return DP_XDP_guard_arp;
}

/* One of our addresses that the kernel has not. */
static bool is_own6(const uint8_t *address)
{
	const struct dp_xdp_port *port = lab.port;
	return port->has_ipv6 &&
	       ((!port->shared6 && memcmp(address, port->ipv6, 16) == 0) ||
		(!port->shared_link && memcmp(address, port->link_local, 16) == 0));
}

static enum dp_xdp_counter model_ip6(const struct view *f)
{
	const struct dp_xdp_port *port = lab.port;

	if (f->octets < 40)
		return DP_XDP_passed_short;
	bool icmp = f->at[6] == 58, readable = f->octets > 40;
	bool solicits = icmp && readable && f->at[40] == 135;
	bool advertises = icmp && readable && f->at[40] == 136;
	if (f->group) {
		if (!port->has_ipv6)
			return DP_XDP_passed;
		if (advertises)
			return DP_XDP_passed_neighbour;
		if (!solicits)
			return icmp && !readable ? DP_XDP_passed_short : DP_XDP_passed;
		if (f->octets < 64)
			return DP_XDP_passed_short;
		return is_own6(f->at + 48) ? DP_XDP_steered_neighbour : DP_XDP_passed;
	}
	if (is_own6(f->at + 24))
		return solicits || advertises ? DP_XDP_steered_neighbour : DP_XDP_steered_address;
	if (port->has_ipv6 && (memcmp(f->at + 24, port->ipv6, 16) == 0 ||
			       memcmp(f->at + 24, port->link_local, 16) == 0)) {
		if (advertises)
			return DP_XDP_passed_neighbour;
		return icmp && !readable ? DP_XDP_passed_short : DP_XDP_passed;
	}
	return is_route6(f->at + 24) ? DP_XDP_steered_subscriber : DP_XDP_passed;
}

/* A ZLB in place of the frame. */
static void model_zlb(struct view *f, const struct lc_guard_entry *e, uint16_t ns, uint16_t nr)
{
	static const uint8_t none[6];
	struct steer_frame zlb = {.length = f->v->length - f->octets};
	memcpy(zlb.bytes, f->v->frame, zlb.length); /* with its tag */
	memcpy(zlb.bytes, memcmp(e->mac, none, 6) != 0 ? e->mac : f->v->frame + 6, 6);
	memcpy(zlb.bytes + 6, lab.port->mac, 6);
	zlb.network = zlb.length;
	uint8_t *p = frame_put(&zlb, NULL, 40);
	p[0] = 0x45;
	p[6] = 0x40;
	p[8] = 64;
	p[9] = 17;
	memcpy(p + 12, &e->local_address, 4);
	memcpy(p + 16, &e->peer_address, 4);
	memcpy(p + 20, &e->local_udp_port, 2);
	memcpy(p + 22, &e->peer_udp_port, 2);
	lc_put16(p + 28, 0xc802);
	lc_put16(p + 30, 12);
	lc_put16(p + 32, e->peer_id);
	lc_put16(p + 36, ns);
	lc_put16(p + 38, nr);
	frame_finish(&zlb, 1);
	/* The least that an Ethernet frame has (IEEE 802.3), if what came had it. */
	if (f->v->length >= zlb.length - 40 + 46 && zlb.length < 60)
		frame_put(&zlb, NULL, 60 - zlb.length);
	memcpy(f->v->frame, zlb.bytes, zlb.length);
	f->v->length = zlb.length;
}

/* A message that is exact, in its turn. */
static enum dp_xdp_counter model_next(const uint8_t *ip, const uint8_t *udp, uint16_t our_ns)
{
	const uint8_t *l2tp = udp + 8;
	uint16_t length = lc_get16(l2tp + 2), octets = lc_get16(udp + 4);
	int type = lc_l2tp_message_type(l2tp, length);

	if (type < 0 || (int16_t)(uint16_t)(lc_get16(l2tp + 10) - our_ns) > 0)
		return DP_XDP_guard_malformed;
	if (type != 6)
		return DP_XDP_guard_message;
	if (lc_get16(udp + 6) != 0 &&
	    (octets > 128 ||
	     octets_sum(udp, octets, 17u + octets + octets_sum(ip + 12, 8, 0)) != 0xffff))
		return DP_XDP_guard_malformed;
	return DP_XDP_guard_hello;
}

static enum dp_xdp_counter model_guard(struct view *f, size_t header)
{
	const uint8_t *ip = f->at, *udp = ip + header, *l2tp = udp + 8;
	size_t total = lc_get16(ip + 2);
	struct lc_l2tp_header said;

	if (total > f->octets || total < header + 8 || octets_sum(ip, header, 0) != 0xffff)
		return DP_XDP_guard_malformed;
	size_t octets = lc_get16(udp + 4);
	if (octets < 8 || header + octets > total || lc_l2tp_parse(l2tp, octets - 8, &said) != 0)
		return DP_XDP_guard_malformed;
	uint32_t slot = said.tunnel_id & lab.chassis->tunnel_mask;
	if (lab.chassis->mirror == 0 || said.tunnel_id == 0 || slot >= LAB_TUNNELS)
		return DP_XDP_guard_no_tunnel;
	struct lc_guard_entry *e = &f->v->tunnels[slot];
	if (e->word.id != said.tunnel_id)
		return DP_XDP_guard_no_tunnel;
	if (memcmp(ip + 12, &e->peer_address, 4) != 0 ||
	    memcmp(ip + 16, &e->local_address, 4) != 0 || memcmp(udp, &e->peer_udp_port, 2) != 0 ||
	    memcmp(udp + 2, &e->local_udp_port, 2) != 0)
		return DP_XDP_guard_wrong_peer;
	if (said.total == 12)
		return DP_XDP_guard_zlb;
	int16_t ahead = (int16_t)(uint16_t)(said.ns - e->word.nr);
	if (ahead > 0)
		return DP_XDP_guard_early;
	enum dp_xdp_counter what =
	    ahead < 0 ? DP_XDP_guard_duplicate : model_next(ip, udp, e->word.ns);
	if (what == DP_XDP_guard_hello)
		e->word.nr++;
	if (what == DP_XDP_guard_hello || what == DP_XDP_guard_duplicate) {
		f->v->heard = true;
		model_zlb(f, e, e->word.ns, e->word.nr);
	}
	return what;
}

static enum dp_xdp_counter model_control(struct view *f, size_t header)
{
	if (is_alive())
		return DP_XDP_steered_control;
	enum dp_xdp_counter what = model_guard(f, header);
	return lab.socket && !f->v->heard ? DP_XDP_steered_control : what;
}

static bool is_remembered(const uint8_t *ip)
{
	struct dp_xdp_fragment key;
	uint64_t when;

	lab_fragment_key(ip, 20, &key);
	return bpf_map_lookup_elem(bpf_map__fd(lab.steer->maps.fragments), &key, &when) == 0 &&
	       lab_now() - when < 2000000000;
}

static enum dp_xdp_counter model_ip4(struct view *f)
{
	const struct dp_xdp_port *port = lab.port;

	if (f->octets < 20)
		return DP_XDP_passed_short;
	if (port->address == 0 || memcmp(f->at + 16, &port->address, 4) != 0)
		return port->facing == DP_XDP_CORE && is_route4(lc_get32(f->at + 16))
			   ? DP_XDP_steered_subscriber
			   : DP_XDP_passed;
	uint16_t fragment = lc_get16(f->at + 6);
	if (!port->shared4 && (fragment & 0x3fff) != 0)
		return DP_XDP_steered_fragment;
	enum dp_xdp_counter other = port->shared4 ? DP_XDP_passed : DP_XDP_steered_address;
	size_t header = (f->at[0] & 15u) * 4u;
	if (port->facing != DP_XDP_PEER || f->at[0] >> 4 != 4 || header < 20 || f->at[9] != 17)
		return other;
	if ((fragment & 0x1fff) != 0)
		return is_remembered(f->at) ? DP_XDP_steered_fragment : DP_XDP_passed;
	if (f->octets < header + 8)
		return port->shared4 ? DP_XDP_passed_short : other;
	if (lc_get16(f->at + header + 2) != 1701)
		return other;
	if ((fragment & 0x3fff) != 0) {
		f->v->remembered = true;
		return DP_XDP_steered_fragment;
	}
	if (f->octets < header + 9 || !(f->at[header + 8] & 0x80))
		return DP_XDP_steered_data;
	return model_control(f, header);
}

static enum dp_xdp_counter model_frame(const uint8_t *frame, size_t length, struct steer_verdict *v)
{
	const struct dp_xdp_port *port = lab.port;
	uint16_t type = lc_get16(frame + 12);
	size_t network = 14;
	bool group = frame[0] & 1;

	uint16_t vlan = 0;

	if (port->magic != DP_XDP_MAGIC || (!group && memcmp(frame, port->mac, 6) != 0))
		return DP_XDP_passed;
	if (type == 0x8100) {
		if (length < 18)
			return DP_XDP_passed_short;
		vlan = lc_get16(frame + 14) & 0xfff;
		type = lc_get16(frame + 16);
		network = 18;
	}
	if (vlan != ntohs(port->vlan))
		return DP_XDP_passed;
	struct view f = {frame + network, length - network, group, v};
	if (port->facing == DP_XDP_ACCESS) {
		if (type == 0x8863)
			return DP_XDP_steered_discovery;
		return type == 0x8864 && !group ? DP_XDP_steered_session : DP_XDP_passed;
	}
	if (type == 0x0806)
		return model_arp(&f);
	if (type == 0x0800 && !group)
		return model_ip4(&f);
	return type == 0x86dd && port->facing == DP_XDP_CORE ? model_ip6(&f) : DP_XDP_passed;
}

void steer_model(const uint8_t *frame, size_t length, struct steer_verdict *v)
{
	memset(v, 0, sizeof(*v));
	memcpy(v->frame, frame, length);
	v->length = length;
	memcpy(v->tunnels, lab.tunnels, sizeof(v->tunnels));
	v->counter = model_frame(frame, length, v);
	bool steered = v->counter >= DP_XDP_steered_control && v->counter < DP_XDP_dropped_away;
	if (steered && !lab.socket)
		v->counter = DP_XDP_dropped_away;
	if (v->counter <= DP_XDP_passed_neighbour)
		v->action = XDP_PASS;
	else if (steered && lab.socket)
		v->action = XDP_REDIRECT;
	else
		v->action = v->counter >= DP_XDP_guard_hello && v->counter <= DP_XDP_guard_arp
				? XDP_TX
				: XDP_DROP;
}
