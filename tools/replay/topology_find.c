/* SPDX-License-Identifier: BSD-3-Clause */
/* The lookups that every packet needs. */
#include "topology.h"

#include <stdlib.h>
#include <string.h>

#include "topology_internal.h"
#include "wire.h"

static size_t hash_address(int family, const uint8_t *address)
{
	uint32_t hash = 2166136261u;

	for (int i = 0; i < (family == 4 ? 4 : 16); i++)
		hash = (hash ^ address[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static const uint8_t *address_of(const struct session *session, int family)
{
	if (family == 4)
		return session->has4 ? session->ipv4 : NULL;
	return session->has6 ? session->ipv6 : NULL;
}

static void index_address(struct topology *topology, uint32_t session, int family)
{
	const uint8_t *address = address_of(&topology->sessions[session], family);
	size_t at;

	if (address == NULL)
		return;
	for (at = hash_address(family, address); topology->slots[at & (topology->n_slots - 1)];
	     at++)
		;
	topology->slots[at & (topology->n_slots - 1)] = session + 1;
	if (family == 4)
		topology->with4[topology->n_with4++] = session;
	else
		topology->with6[topology->n_with6++] = session;
}

bool topology_index(struct topology *topology)
{
	size_t n = topology->n_sessions;

	for (topology->n_slots = 16; topology->n_slots < n * 4; topology->n_slots *= 2)
		;
	topology->slots = calloc(topology->n_slots, sizeof *topology->slots);
	topology->with4 = calloc(n, sizeof *topology->with4);
	topology->with6 = calloc(n, sizeof *topology->with6);
	if (topology->slots == NULL || topology->with4 == NULL || topology->with6 == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		topology->by_pppoe[topology->sessions[i].pppoe] = i + 1;
		index_address(topology, i, 4);
		index_address(topology, i, 6);
	}
	return true;
}

int64_t topology_by_address(const struct topology *topology, int family, const uint8_t *address)
{
	size_t at = hash_address(family, address), mask = topology->n_slots - 1;

	for (; topology->slots[at & mask]; at++) {
		uint32_t index = topology->slots[at & mask] - 1;
		const uint8_t *known = address_of(&topology->sessions[index], family);

		if (known != NULL && memcmp(known, address, family == 4 ? 4 : 16) == 0)
			return index;
	}
	return -1;
}

int64_t topology_by_pppoe(const struct topology *topology, uint16_t pppoe)
{
	return (int64_t)topology->by_pppoe[pppoe] - 1;
}

static bool in_prefix6(const struct cfg_prefix6 *prefix, const uint8_t *address)
{
	unsigned bytes = prefix->length / 8, bits = prefix->length % 8;

	if (prefix->length == 0 || memcmp(prefix->address, address, bytes) != 0)
		return false;
	return bits == 0 || ((prefix->address[bytes] ^ address[bytes]) >> (8 - bits)) == 0;
}

static bool is_own(const struct topology *topology, int family, const uint8_t *address)
{
	if (family == 6)
		return topology_by_address(topology, 6, address) >= 0 ||
		       in_prefix6(&topology->core6, address);
	uint32_t value = wire_get32(address);
	for (size_t i = 0; i < topology->n_own; i++)
		if (value >= topology->own[i].first && value <= topology->own[i].last)
			return true;
	return false;
}

enum skip topology_admits(const struct packet *packet, const struct flow *flow, void *context)
{
	const struct topology *topology = context;

	if (packet->length > topology->max_packet)
		return SKIP_TOO_BIG;
	if ((packet->family == 4 ? topology->n_with4 : topology->n_with6) == 0)
		return SKIP_NO_SESSION;
	if (is_own(topology, packet->family, flow->address[!flow->client]))
		return SKIP_OWN_NETWORK;
	return SKIP_NO;
}

uint32_t topology_assign(const struct topology *topology, int family, uint32_t conversation,
			 uint32_t conversations, uint64_t round)
{
	uint64_t n = conversation + round * conversations;

	return family == 4 ? topology->with4[n % topology->n_with4]
			   : topology->with6[n % topology->n_with6];
}
