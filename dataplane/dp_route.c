/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_route.h"

int dp_routes_open(struct dp_routes *routes, uint32_t sessions)
{
	memset(routes, 0, sizeof(*routes));
	return dp_table_open(&routes->table, sessions);
}

void dp_routes_close(struct dp_routes *routes)
{
	dp_table_close(&routes->table);
}

/* A length is announced after its first entry and withdrawn after its last. */
static int route_add(struct dp_routes *routes, uint64_t hash, unsigned length, uint32_t slot)
{
	int error = dp_table_add(&routes->table, hash, slot);
	if (error == 0 && routes->count[length]++ == 0)
		__atomic_fetch_or(&routes->lengths[length / 64], UINT64_C(1) << (length % 64),
				  __ATOMIC_RELEASE);
	return error;
}

static void route_remove(struct dp_routes *routes, uint64_t hash, unsigned length, uint32_t slot)
{
	dp_table_remove(&routes->table, hash, slot);
	if (--routes->count[length] == 0)
		__atomic_fetch_and(&routes->lengths[length / 64], ~(UINT64_C(1) << (length % 64)),
				   __ATOMIC_RELEASE);
}

int dp_route4_add(struct dp_routes *routes, uint32_t address, uint8_t length, uint32_t slot)
{
	return route_add(routes, dp_route4_hash(address, length), length, slot);
}

void dp_route4_remove(struct dp_routes *routes, uint32_t address, uint8_t length, uint32_t slot)
{
	route_remove(routes, dp_route4_hash(address, length), length, slot);
}

int dp_route6_add(struct dp_routes *routes, const uint8_t address[16], uint8_t length,
		  uint32_t slot)
{
	return route_add(routes, dp_route6_hash(dp_prefix6(address, length), length), length, slot);
}

void dp_route6_remove(struct dp_routes *routes, const uint8_t address[16], uint8_t length,
		      uint32_t slot)
{
	route_remove(routes, dp_route6_hash(dp_prefix6(address, length), length), length, slot);
}
