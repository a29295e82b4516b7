/* SPDX-License-Identifier: BSD-3-Clause */
#include "neighbour.h"

#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "wire.h"

enum {
	ARP_SIZE = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	ND_SIZE = 32,       /* solicitation or advertisement with one link-layer address option */
	ND_BARE = 24,       /* without the option */
	ND_HOP_LIMIT = 255, /* proof that it comes from the link: section 7.1 */
};

static const uint8_t arp_prefix[] = {0, 1, 8, 0,
				     6, 4, 0}; /* Ethernet, IPv4, sizes, high byte of op */
static const uint8_t zero[16];

static size_t put_arp(const struct neighbour *neighbour, uint8_t operation,
		      const uint8_t *target_mac, uint32_t target, uint8_t *out)
{
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
	bool ask = operation == ARP_REQUEST;
	size_t at = frame_put_ether(out, ask ? broadcast : target_mac, neighbour->mac,
				    neighbour->vlan, WIRE_TYPE_ARP);
	uint8_t *arp = out + at;

	memcpy(arp, arp_prefix, sizeof arp_prefix);
	arp[7] = operation;
	memcpy(arp + 8, neighbour->mac, 6);
	wire_put32(arp + 14, neighbour->gateway4);
	memcpy(arp + 18, ask ? zero : target_mac, 6);
	wire_put32(arp + 24, target);
	return at + ARP_SIZE;
}

static size_t handle_arp(struct neighbour *neighbour, const struct frame_view *view, uint8_t *out)
{
	const uint8_t *arp = view->payload;

	if (view->length < ARP_SIZE || memcmp(arp, arp_prefix, sizeof arp_prefix) != 0)
		return 0;
	if (wire_get32(arp + 14) == neighbour->lns4) {
		memcpy(neighbour->lns_mac, arp + 8, 6);
		neighbour->resolved = true;
	}
	if (arp[7] != ARP_REQUEST || wire_get32(arp + 24) != neighbour->gateway4)
		return 0;
	return put_arp(neighbour, ARP_REPLY, arp + 8, wire_get32(arp + 14), out);
}

static size_t put_nd(const struct neighbour *neighbour, uint8_t type, const uint8_t *mac,
		     const uint8_t *destination, const uint8_t *target, uint8_t *out)
{
	size_t at = frame_put_ether(out, mac, neighbour->mac, neighbour->vlan, WIRE_TYPE_IPV6);
	uint8_t *ip = out + at, *nd = ip + WIRE_IPV6;
	bool answer = type == ND_NEIGHBOR_ADVERT;

	memset(ip, 0, WIRE_IPV6 + ND_SIZE);
	ip[0] = 0x60;
	wire_put16(ip + 4, ND_SIZE);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = ND_HOP_LIMIT;
	memcpy(ip + 8, neighbour->gateway6, 16);
	memcpy(ip + 24, destination, 16);
	nd[0] = type;
	nd[4] = answer ? 0xe0 : 0; /* router, solicited, override */
	memcpy(nd + 8, target, 16);
	nd[24] = answer ? ND_OPT_TARGET_LINKADDR : ND_OPT_SOURCE_LINKADDR;
	nd[25] = 1;
	memcpy(nd + 26, neighbour->mac, 6);
	uint64_t sum = wire_sum(ip + 8, 32) + ND_SIZE + IPPROTO_ICMPV6 + wire_sum(nd, ND_SIZE);
	wire_put16(nd + 2, (uint16_t)~wire_fold(sum));
	return at + WIRE_IPV6 + ND_SIZE;
}

static size_t handle_nd(struct neighbour *neighbour, const struct frame_view *view, uint8_t *out)
{
	const uint8_t *ip = view->payload, *nd = ip + WIRE_IPV6;

	if (view->length < WIRE_IPV6 + ND_BARE || ip[6] != IPPROTO_ICMPV6 ||
	    ip[7] != ND_HOP_LIMIT || memcmp(neighbour->gateway6, zero, 16) == 0)
		return 0;
	if (nd[0] == ND_NEIGHBOR_ADVERT && memcmp(nd + 8, neighbour->lns6, 16) == 0) {
		memcpy(neighbour->lns_mac, view->source, 6);
		neighbour->resolved = true;
	}
	if (nd[0] != ND_NEIGHBOR_SOLICIT || memcmp(nd + 8, neighbour->gateway6, 16) != 0 ||
	    memcmp(ip + 8, zero, 16) == 0)
		return 0;
	return put_nd(neighbour, ND_NEIGHBOR_ADVERT, view->source, ip + 8, neighbour->gateway6,
		      out);
}

size_t neighbour_handle(struct neighbour *neighbour, const struct frame_view *view, uint8_t *out)
{
	if (view->vlan != neighbour->vlan)
		return 0;
	if (view->type == WIRE_TYPE_ARP && neighbour->gateway4 != 0)
		return handle_arp(neighbour, view, out);
	if (view->type == WIRE_TYPE_IPV6)
		return handle_nd(neighbour, view, out);
	return 0;
}

size_t neighbour_ask4(const struct neighbour *neighbour, uint8_t *out)
{
	if (neighbour->gateway4 == 0 || neighbour->lns4 == 0)
		return 0;
	return put_arp(neighbour, ARP_REQUEST, zero, neighbour->lns4, out);
}

size_t neighbour_ask6(const struct neighbour *neighbour, uint8_t *out)
{
	const uint8_t *target = neighbour->lns6;
	uint8_t group[16] = {
	    0xff, 0x02, [11] = 1, [12] = 0xff}; /* solicited-node: RFC 4291 section 2.7.1 */
	uint8_t mac[6] = {0x33, 0x33};

	if (memcmp(neighbour->gateway6, zero, 16) == 0 || memcmp(target, zero, 16) == 0)
		return 0;
	memcpy(group + 13, target + 13, 3);
	memcpy(mac + 2, group + 12, 4);
	return put_nd(neighbour, ND_NEIGHBOR_SOLICIT, mac, group, target, out);
}
