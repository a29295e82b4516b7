/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "wire.h"

enum {
	TCP_PORTS_AND_FLAGS = 14,
	UDP_HEADER = 8,
	WELL_KNOWN = 1024,
	TCP_SYN = 0x02,
	TCP_ACK = 0x10
};

int packet_family(const uint8_t *bytes, size_t size, size_t *length)
{
	if (size >= WIRE_IPV4 && bytes[0] >> 4 == 4)
		*length = wire_get16(bytes + 2);
	else if (size >= WIRE_IPV6 && bytes[0] >> 4 == 6)
		*length = WIRE_IPV6 + (size_t)wire_get16(bytes + 4);
	else
		return 0;
	return *length <= size && *length >= WIRE_IPV4 ? bytes[0] >> 4 : 0;
}

static enum skip check_address4(const uint8_t *address)
{
	if (address[0] >= 224)
		return SKIP_MULTICAST; /* with 240/4 and the limited broadcast */
	if (address[0] == 0 || address[0] == 127 || (address[0] == 169 && address[1] == 254))
		return SKIP_LINK_LOCAL;
	return SKIP_NO;
}

static enum skip check_address6(const uint8_t *address)
{
	static const uint8_t zero[15];

	if (address[0] == 0xff)
		return SKIP_MULTICAST;
	if ((address[0] == 0xfe && (address[1] & 0xc0) == 0x80) ||
	    (memcmp(address, zero, sizeof zero) == 0 && address[15] <= 1))
		return SKIP_LINK_LOCAL;
	return SKIP_NO;
}

static enum skip check_addresses(const struct packet_view *view)
{
	enum skip (*check)(const uint8_t *) = view->family == 4 ? check_address4 : check_address6;
	enum skip reason = check(view->destination);

	if (reason == SKIP_NO)
		reason = check(view->source);
	if (reason == SKIP_NO && memcmp(view->source, view->destination, 16) == 0)
		reason = SKIP_MALFORMED;
	return reason;
}

static enum skip inspect4(const uint8_t *bytes, size_t captured, struct packet_view *view)
{
	if (captured < WIRE_IPV4)
		return SKIP_TRUNCATED;

	size_t header = (size_t)(bytes[0] & 15) * 4;
	size_t length = wire_get16(bytes + 2);
	if (length == 0) /* a segmentation offload that the capture saw before the NIC */
		length = captured;
	if (header < WIRE_IPV4 || length < header || length > UINT16_MAX)
		return SKIP_MALFORMED;
	if (wire_get16(bytes + 6) & 0x3fff) /* more fragments, or an offset */
		return SKIP_FRAGMENT;
	memcpy(view->source, bytes + 12, 4);
	memcpy(view->destination, bytes + 16, 4);
	view->protocol = bytes[9];
	view->transport = (uint16_t)header;
	view->length = (uint16_t)length;
	enum skip reason = check_addresses(view);
	if (reason != SKIP_NO)
		return reason;
	return bytes[8] <= 1 ? SKIP_TTL : SKIP_NO;
}

/* Walks the extension headers (RFC 8200 section 4) to the transport header. */
static enum skip walk6(const uint8_t *bytes, size_t captured, struct packet_view *view)
{
	size_t at = WIRE_IPV6;
	uint8_t next = bytes[6];

	while (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_AH ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_ROUTING) {
		if (next == IPPROTO_FRAGMENT)
			return SKIP_FRAGMENT;
		if (next == IPPROTO_ROUTING) /* the address that the checksum covers is elsewhere */
			return SKIP_MALFORMED;
		if (at + 8 > captured)
			return at + 8 > view->length ? SKIP_MALFORMED : SKIP_TRUNCATED;
		size_t words = next == IPPROTO_AH ? (size_t)bytes[at + 1] + 2 : 0;
		size_t size = words ? words * 4 : ((size_t)bytes[at + 1] + 1) * 8;
		next = bytes[at];
		at += size;
	}
	if (at > view->length)
		return SKIP_MALFORMED;
	view->protocol = next;
	view->transport = (uint16_t)at;
	return SKIP_NO;
}

static enum skip inspect6(const uint8_t *bytes, size_t captured, struct packet_view *view)
{
	if (captured < WIRE_IPV6)
		return SKIP_TRUNCATED;

	size_t length = WIRE_IPV6 + (size_t)wire_get16(bytes + 4);
	if (length == WIRE_IPV6 && bytes[6] != IPPROTO_NONE)
		length = captured;
	if (length > UINT16_MAX)
		return SKIP_MALFORMED;
	view->length = (uint16_t)length;
	memcpy(view->source, bytes + 8, 16);
	memcpy(view->destination, bytes + 24, 16);
	enum skip reason = check_addresses(view);
	if (reason == SKIP_NO)
		reason = walk6(bytes, captured, view);
	if (reason == SKIP_NO && bytes[7] <= 1)
		reason = SKIP_TTL;
	return reason;
}

static enum packet_hint hint_ports(const struct packet_view *view)
{
	bool from = view->source_port < WELL_KNOWN, to = view->destination_port < WELL_KNOWN;

	if (from == to)
		return HINT_NONE;
	return to ? HINT_TO_WELL_KNOWN : HINT_FROM_WELL_KNOWN;
}

static void inspect_echo(const uint8_t *at, struct packet_view *view)
{
	bool four = view->family == 4;

	if (at[0] == (four ? ICMP_ECHO : ICMP6_ECHO_REQUEST))
		view->hint = HINT_OPENS;
	else if (at[0] == (four ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
		view->hint = HINT_ANSWERS;
	else
		return;
	view->source_port = view->destination_port = wire_get16(at + 4);
}

static enum skip inspect_transport(const uint8_t *bytes, size_t captured, struct packet_view *view)
{
	bool tcp = view->protocol == IPPROTO_TCP, udp = view->protocol == IPPROTO_UDP;
	bool echo = view->protocol == (view->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	size_t need = view->transport;

	if (tcp || udp || echo)
		need += tcp ? TCP_PORTS_AND_FLAGS : UDP_HEADER;
	if (need > view->length)
		return SKIP_MALFORMED;
	if (need > captured)
		return SKIP_TRUNCATED;

	const uint8_t *at = bytes + view->transport;
	if (echo)
		inspect_echo(at, view);
	if (!tcp && !udp)
		return SKIP_NO;
	view->source_port = wire_get16(at);
	view->destination_port = wire_get16(at + 2);
	view->hint = hint_ports(view);
	if (tcp && at[13] & TCP_SYN)
		view->hint = at[13] & TCP_ACK ? HINT_ANSWERS : HINT_OPENS;
	return SKIP_NO;
}

enum skip packet_inspect(const uint8_t *bytes, size_t captured, struct packet_view *view)
{
	enum skip reason;

	memset(view, 0, sizeof *view);
	if (captured == 0)
		return SKIP_TRUNCATED;
	view->family = bytes[0] >> 4;
	if (view->family == 4)
		reason = inspect4(bytes, captured, view);
	else if (view->family == 6)
		reason = inspect6(bytes, captured, view);
	else
		return SKIP_NOT_IP;
	if (reason != SKIP_NO)
		return reason;
	return inspect_transport(bytes, captured < view->length ? captured : view->length, view);
}
