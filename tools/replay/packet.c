/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { TCP_HEADER = 20, TCP_CHECKSUM = 16, UDP_HEADER = 8, UDP_CHECKSUM = 6, ICMP6_CHECKSUM = 2 };

static size_t client_at(const struct packet *packet)
{
	if (packet->family == 4)
		return packet->direction == UPSTREAM ? 12 : 16;
	return packet->direction == UPSTREAM ? 8 : 24;
}

/* Where the transport's checksum stands and how many bytes it covers; 0: there is none that an
 * address changes. ICMP of IPv4 has no pseudo header, so its checksum stays as it is. */
static uint16_t find_checksum(const struct packet *packet, const struct packet_view *view,
			      size_t *covered)
{
	const uint8_t *at = packet->bytes + view->transport;
	size_t left = (size_t)packet->length - view->transport;

	*covered = left;
	switch (view->protocol) {
	case IPPROTO_TCP:
		return left >= TCP_HEADER ? (uint16_t)(view->transport + TCP_CHECKSUM) : 0;
	case IPPROTO_UDP:
		*covered = wire_get16(at + 4);
		if (*covered < UDP_HEADER || *covered > left)
			return 0;
		if (packet->family == 4 && wire_get16(at + UDP_CHECKSUM) == 0)
			return 0; /* RFC 768: no checksum was made */
		return (uint16_t)(view->transport + UDP_CHECKSUM);
	case IPPROTO_ICMPV6:
		return packet->family == 6 ? (uint16_t)(view->transport + ICMP6_CHECKSUM) : 0;
	default:
		return 0;
	}
}

static void prepare_transport(struct packet *packet, const struct packet_view *view)
{
	size_t covered, server = packet->family == 4 ? 12 : 8;
	size_t address_size = packet->family == 4 ? 4 : 16;

	packet->checksum_at = find_checksum(packet, view, &covered);
	if (packet->checksum_at == 0)
		return;
	wire_put16(packet->bytes + packet->checksum_at, 0);
	/* the pseudo header: both addresses (the client's is zero by now), length, protocol */
	uint64_t sum =
	    wire_sum(packet->bytes + server, 2 * address_size) + covered + view->protocol;
	packet->transport_sum = wire_fold(sum + wire_sum(packet->bytes + view->transport, covered));
}

int packet_prepare(struct packet *packet, const struct packet_view *view, const uint8_t *bytes,
		   size_t captured, enum direction direction)
{
	uint8_t *copy = calloc(1, view->length);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, captured < view->length ? captured : view->length);
	packet->bytes = copy;
	packet->length = view->length;
	packet->family = view->family;
	packet->protocol = view->protocol;
	packet->direction = (uint8_t)direction;
	packet->header_sum = packet->transport_sum = 0;
	if (view->family == 4) {
		wire_put16(copy + 2, view->length);
		memset(copy + 4, 0, 2);
		memset(copy + 10, 0, 2);
		memset(copy + client_at(packet), 0, 4);
		packet->header_sum = wire_fold(wire_sum(copy, (size_t)(copy[0] & 15) * 4));
	} else {
		wire_put16(copy + 4, (uint32_t)view->length - WIRE_IPV6);
		copy[1] &= 0xf0;
		memset(copy + 2, 0, 2);
		memset(copy + client_at(packet), 0, 16);
	}
	prepare_transport(packet, view);
	return 0;
}

void packet_clear(struct packet *packet)
{
	free(packet->bytes);
	packet->bytes = NULL;
}

void packet_make(const struct packet *packet, const struct packet_identity *identity, uint8_t *out)
{
	uint64_t header = packet->header_sum;

	memcpy(out, packet->bytes, packet->length);
	memcpy(out + client_at(packet), identity->address, packet->family == 4 ? 4 : 16);
	if (packet->family == 4) {
		uint16_t identification = (uint16_t)identity->sequence;

		wire_put16(out + 4, identification);
		out[8] = (uint8_t)(out[8] - identity->hops);
		/* less hops in the high byte of a word: plus its one's complement */
		header += (uint64_t)identity->address_sum + identification +
			  (uint16_t) ~(identity->hops << 8);
		wire_put16(out + 10, (uint16_t)~wire_fold(header));
	} else {
		out[1] = (uint8_t)(out[1] | (identity->sequence >> 16 & 0x0f));
		wire_put16(out + 2, identity->sequence & 0xffff);
		out[7] = (uint8_t)(out[7] - identity->hops);
	}
	if (packet->checksum_at == 0)
		return;
	uint16_t sum =
	    (uint16_t)~wire_fold((uint64_t)packet->transport_sum + identity->address_sum);
	if (sum == 0 && packet->protocol == IPPROTO_UDP)
		sum = 0xffff; /* RFC 768, RFC 8200 section 8.1: zero means that there is none */
	wire_put16(out + packet->checksum_at, sum);
}
