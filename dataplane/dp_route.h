/* SPDX-License-Identifier: BSD-3-Clause */
/* Which session an address belongs to: longest prefix match, from the sessions of the mirror.
 *
 * For each prefix length in use, longest first, one look into a hash table (dp_table.h).
 * Subscribers have addresses of one or two lengths, so this is one cache line for the table and one
 * for the session, which forwarding needs anyway. The prefix is compared with the session's own
 * record behind its open door, so no packet ever follows a route that has gone; two sessions may
 * claim one prefix, and the one whose door is open has it.
 *
 * Why not rte_lpm: it has a table of 64 MB to be zeroed at each start, in traffic's time; rte_lpm6
 * cannot change under its readers, and would need two of them.
 *
 * Writer: the main lcore. Readers: workers.
 */
#pragma once

#include <string.h>

#include "dp_table.h"

struct dp_routes {
	struct dp_table table;
	uint64_t lengths[3]; /* bitmap of prefix lengths in use */
	uint32_t count[129]; /* by length; the writer's own */
};

int dp_routes_open(struct dp_routes *routes, uint32_t sessions);
void dp_routes_close(struct dp_routes *routes);

int dp_route4_add(struct dp_routes *routes, uint32_t address, uint8_t length, uint32_t slot);
void dp_route4_remove(struct dp_routes *routes, uint32_t address, uint8_t length, uint32_t slot);
int dp_route6_add(struct dp_routes *routes, const uint8_t address[16], uint8_t length,
		  uint32_t slot);
void dp_route6_remove(struct dp_routes *routes, const uint8_t address[16], uint8_t length,
		      uint32_t slot);

/* length: 0..32 */
static inline uint32_t dp_mask4(unsigned length)
{
	return (uint32_t)(UINT64_C(0xffffffff) << (32 - length));
}

/* An IPv6 prefix as two numbers, most significant first. */
struct dp_prefix6 {
	uint64_t high, low;
};

/* length: 0..128 */
static inline struct dp_prefix6 dp_prefix6(const uint8_t address[16], unsigned length)
{
	struct dp_prefix6 p;
	memcpy(&p.high, address, 8);
	memcpy(&p.low, address + 8, 8);
	p.high = __builtin_bswap64(p.high);
	p.low = __builtin_bswap64(p.low);
	if (length <= 64) {
		p.high &= length == 0 ? 0 : ~UINT64_C(0) << (64 - length);
		p.low = 0;
	} else {
		p.low &= ~UINT64_C(0) << (128 - length);
	}
	return p;
}

static inline uint64_t dp_route4_hash(uint32_t address, unsigned length)
{
	return dp_hash(address & dp_mask4(length), length);
}

static inline uint64_t dp_route6_hash(struct dp_prefix6 prefix, unsigned length)
{
	return dp_hash(prefix.high + length, dp_hash(prefix.low, 6));
}

struct dp_route_key {
	const struct lc_mirror *mirror;
	uint32_t address;
	struct dp_prefix6 prefix;
	unsigned length;
};

static inline bool dp_route_is_open(const struct lc_session *session)
{
	union lc_session_door door = lc_session_door_read(session);
	return door.tunnel_id != 0 && door.role == LC_ROLE_LNS;
}

static inline bool dp_route4_match(const void *context, uint32_t slot)
{
	const struct dp_route_key *key = context;
	const struct lc_session *session = &key->mirror->sessions[slot];
	return dp_route_is_open(session) && session->ipv4_length == key->length &&
	       ((session->ipv4 ^ key->address) & dp_mask4(key->length)) == 0;
}

static inline bool dp_route6_match(const void *context, uint32_t slot)
{
	const struct dp_route_key *key = context;
	const struct lc_session *session = &key->mirror->sessions[slot];
	if (!dp_route_is_open(session) || session->ipv6_length != key->length)
		return false;
	struct dp_prefix6 own = dp_prefix6(session->ipv6, key->length);
	return own.high == key->prefix.high && own.low == key->prefix.low;
}

/* Has an open session just this prefix? */
static inline bool dp_route4_has(const struct dp_routes *routes, const struct lc_mirror *mirror,
				 uint32_t address, unsigned length)
{
	struct dp_route_key key = {.mirror = mirror, .address = address, .length = length};
	return dp_table_find(&routes->table, dp_route4_hash(address, length), dp_route4_match,
			     &key) != DP_TABLE_NONE;
}

static inline bool dp_route6_has(const struct dp_routes *routes, const struct lc_mirror *mirror,
				 const uint8_t address[16], unsigned length)
{
	struct dp_route_key key = {
	    .mirror = mirror, .prefix = dp_prefix6(address, length), .length = length};
	return dp_table_find(&routes->table, dp_route6_hash(key.prefix, length), dp_route6_match,
			     &key) != DP_TABLE_NONE;
}

/* The longest prefix in use; 0 where there is none. Good for a hint. */
static inline unsigned dp_route4_longest(const struct dp_routes *routes)
{
	uint64_t lengths = __atomic_load_n(&routes->lengths[0], __ATOMIC_RELAXED);
	return 63U - (unsigned)__builtin_clzll(lengths | 1);
}

/* Looking ahead, in two steps a few packets apart, so that neither waits for memory: the hash by which the
 * address is found first, its bucket on the way; then the slot that this most likely leads to. */
static inline uint64_t dp_route4_look(const struct dp_routes *routes, uint32_t address)
{
	uint64_t hash = dp_route4_hash(address, dp_route4_longest(routes));
	__builtin_prefetch(&routes->table.buckets[dp_table_start(&routes->table, hash)]);
	return hash;
}

static inline uint32_t dp_route4_look_further(const struct dp_routes *routes, uint64_t hash)
{
	return dp_table_guess(&routes->table, hash);
}

/* The session's slot, its door open a moment ago, or LC_NO_SLOT. */
static inline uint32_t dp_route4_find(const struct dp_routes *routes,
				      const struct lc_mirror *mirror, uint32_t address)
{
	uint64_t lengths = __atomic_load_n(&routes->lengths[0], __ATOMIC_ACQUIRE);
	struct dp_route_key key = {.mirror = mirror, .address = address};
	while (lengths != 0) {
		key.length = 63U - (unsigned)__builtin_clzll(lengths);
		lengths &= ~(UINT64_C(1) << key.length);
		uint32_t slot = dp_table_find(&routes->table, dp_route4_hash(address, key.length),
					      dp_route4_match, &key);
		if (slot != DP_TABLE_NONE)
			return slot;
	}
	return LC_NO_SLOT;
}

/* Likewise; near: a slot to be tried first. It is right if it has the address itself: nothing is longer. */
static inline __attribute__((always_inline)) uint32_t
dp_route4_find_near(const struct dp_routes *routes, const struct lc_mirror *mirror,
		    uint32_t address, uint32_t near)
{
	const struct lc_session *session = &mirror->sessions[near];
	if (__builtin_expect(dp_route_is_open(session) && session->ipv4 == address &&
				 session->ipv4_length == 32,
			     1))
		return near;
	return dp_route4_find(routes, mirror, address);
}

static inline uint32_t dp_route6_find(const struct dp_routes *routes,
				      const struct lc_mirror *mirror, const uint8_t address[16])
{
	struct dp_route_key key = {.mirror = mirror};
	for (int i = 2; i >= 0; i--) {
		uint64_t lengths = __atomic_load_n(&routes->lengths[i], __ATOMIC_ACQUIRE);
		while (lengths != 0) {
			unsigned bit = 63U - (unsigned)__builtin_clzll(lengths);
			lengths &= ~(UINT64_C(1) << bit);
			key.length = (unsigned)i * 64 + bit;
			key.prefix = dp_prefix6(address, key.length);
			uint32_t slot =
			    dp_table_find(&routes->table, dp_route6_hash(key.prefix, key.length),
					  dp_route6_match, &key);
			if (slot != DP_TABLE_NONE)
				return slot;
		}
	}
	return LC_NO_SLOT;
}
