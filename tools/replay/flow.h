/* SPDX-License-Identifier: BSD-3-Clause */
/* Conversations: the packets of one pair of addresses, protocol and ports, in both directions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

struct flow {
	uint8_t family;
	uint8_t protocol;
	uint8_t address[2][16]; /* [0] is the end that sent the first packet */
	uint16_t port[2];
	uint8_t client;   /* 0 or 1: the end that is handed to a session */
	uint8_t evidence; /* enum packet_hint that said so */
};

struct flow_table {
	struct flow *flows; /* in the order of their first packets */
	size_t n_flows;
	size_t capacity;
	uint32_t *slots; /* index + 1 into flows; open addressing */
	size_t n_slots;  /* a power of two */
};

/* Finds or adds the packet's flow and weighs what the packet says about the client. *index gets the
 * flow, *from the end (0 or 1) that sent the packet. 0 or -ENOMEM. A table starts as all zero. */
int flow_add(struct flow_table *table, const struct packet_view *view, uint32_t *index,
	     uint8_t *from);
void flow_table_clear(struct flow_table *table);
