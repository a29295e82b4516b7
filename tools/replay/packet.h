/* SPDX-License-Identifier: BSD-3-Clause */
/* IP packets: what the capture holds, and the same packet as one session sends it.
 *
 * A captured packet becomes a template once: the client's address, the identification and the
 * checksums are set to zero, and the one's complement sums of all the rest are kept. Making a
 * packet of it is then a copy and a few additions, and its checksums are right whatever the
 * capture's were (offloaded, cut by the snapshot length).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skip.h"

enum direction {
	UPSTREAM,   /* from the client: in at the access side, out at the core side */
	DOWNSTREAM, /* to the client */
	DIRECTIONS,
};

/* What a packet says about who opened its conversation; a later value is the better evidence. */
enum packet_hint {
	HINT_NONE,          /* the sender of the first packet is the client */
	HINT_TO_WELL_KNOWN, /* to a port below 1024, from one above */
	HINT_FROM_WELL_KNOWN,
	HINT_ANSWERS, /* SYN and ACK, echo reply: its receiver is the client */
	HINT_OPENS,   /* SYN, echo request: its sender is the client */
};

/* A packet as found. */
struct packet_view {
	uint8_t family; /* 4 or 6 */
	uint8_t protocol;
	uint16_t transport; /* offset of the transport header */
	uint16_t length;    /* of the whole packet, of which fewer bytes may be captured */
	uint8_t source[16]; /* IPv4: 4 bytes, the rest zero */
	uint8_t destination[16];
	uint16_t source_port; /* echo: the identifier, in both; 0: none */
	uint16_t destination_port;
	enum packet_hint hint;
};

/* A template. */
struct packet {
	uint64_t time_ns;      /* since the capture's first packet */
	uint8_t *bytes;        /* length bytes, owned */
	uint32_t conversation; /* index */
	uint16_t length;
	uint16_t checksum_at; /* of the transport's checksum; 0: none to set */
	uint16_t header_sum;  /* IPv4 header without client address, identification, checksum */
	uint16_t transport_sum;
	uint8_t family;
	uint8_t protocol;  /* of the transport */
	uint8_t direction; /* enum direction */
};

/* What a session puts into its packets. */
struct packet_identity {
	const uint8_t *address; /* 4 or 16 bytes, as the template's family asks */
	uint16_t address_sum;   /* folded one's complement sum of it */
	uint32_t sequence;      /* low 16 bits: IPv4 Identification; low 20: IPv6 flow label */
	uint8_t hops;           /* routers passed: the TTL or hop limit is that much less */
};

/* Looks at captured bytes of a packet. SKIP_NO and *view, or why the packet is of no use. */
enum skip packet_inspect(const uint8_t *bytes, size_t captured, struct packet_view *view);

/* Makes the template (*packet is overwritten but for time_ns and conversation). 0 or -ENOMEM. */
int packet_prepare(struct packet *packet, const struct packet_view *view, const uint8_t *bytes,
		   size_t captured, enum direction direction);
void packet_clear(struct packet *packet);

/* Writes packet->length bytes to out. */
void packet_make(const struct packet *packet, const struct packet_identity *identity, uint8_t *out);

/* The packet's family, 4 or 6, and its length as the header has it, no more than size; 0: not an IP
 * packet. */
int packet_family(const uint8_t *bytes, size_t size, size_t *length);
