/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by longest prefix match: against a plain search over all sessions, with readers beside the writer, and at the
 * table's limits. No EAL. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dp_route.h"

enum {
	SLOTS = 512,
	STEPS = 200000,
};

static struct lc_session sessions[SLOTS];
static const struct lc_mirror mirror = {.sessions = sessions};
static struct dp_routes routes4, routes6;
static bool used[SLOTS];

static int open_routes(void **state)
{
	memset(sessions, 0, sizeof(sessions));
	memset(used, 0, sizeof(used));
	srand(1);
	return dp_routes_open(&routes4, SLOTS) || dp_routes_open(&routes6, SLOTS);
}

static int close_routes(void **state)
{
	dp_routes_close(&routes4);
	dp_routes_close(&routes6);
	return 0;
}

/* Few addresses and many lengths, so that prefixes nest and meet. */
static uint32_t random_address(void)
{
	return UINT32_C(0x0a000000) | ((uint32_t)rand() & 0x8181) << 8 | ((uint32_t)rand() & 0xc3);
}

static void session_open(uint32_t slot)
{
	struct lc_session *s = &sessions[slot];
	s->ipv4 = random_address();
	s->ipv4_length = (uint8_t)(rand() % 33);
	s->ipv6_length = (uint8_t)(1 + rand() % 128);
	memset(s->ipv6, 0, 16);
	for (unsigned i = 0; i < 16; i += 3)
		s->ipv6[i] = (uint8_t)(rand() & 0x81);
	s->door = (union lc_session_door){
	    .tunnel_id = 1, .session_id = (uint16_t)(slot + 1), .role = LC_ROLE_LNS};
	assert_int_equal(dp_route4_add(&routes4, s->ipv4, s->ipv4_length, slot), 0);
	assert_int_equal(dp_route6_add(&routes6, s->ipv6, s->ipv6_length, slot), 0);
	used[slot] = true;
}

static void session_close(uint32_t slot)
{
	struct lc_session *s = &sessions[slot];
	s->door.word = 0;
	dp_route4_remove(&routes4, s->ipv4, s->ipv4_length, slot);
	dp_route6_remove(&routes6, s->ipv6, s->ipv6_length, slot);
	used[slot] = false;
}

/* The length of the longest prefix that holds the address; -1: none. */
static int longest4(uint32_t address)
{
	int longest = -1;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (used[slot] &&
		    ((sessions[slot].ipv4 ^ address) & dp_mask4(sessions[slot].ipv4_length)) == 0 &&
		    sessions[slot].ipv4_length > longest)
			longest = sessions[slot].ipv4_length;
	return longest;
}

static int longest6(const uint8_t address[16])
{
	int longest = -1;
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		unsigned length = sessions[slot].ipv6_length, i = 0;
		while (used[slot] && i < length &&
		       ((sessions[slot].ipv6[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1) == 0)
			i++;
		if (used[slot] && i == length && (int)length > longest)
			longest = (int)length;
	}
	return longest;
}

static void longest_prefix_against_a_plain_search(void **state)
{
	for (unsigned step = 0; step < STEPS / 10; step++) {
		uint32_t slot = (uint32_t)rand() % SLOTS;
		if (used[slot])
			session_close(slot);
		else
			session_open(slot);
		uint32_t address = random_address(),
			 found = dp_route4_find(&routes4, &mirror, address);
		int longest = longest4(address);
		assert_int_equal(found == LC_NO_SLOT ? -1 : sessions[found].ipv4_length, longest);
		assert_true(found == LC_NO_SLOT || used[found]);

		uint8_t address6[16];
		memcpy(address6, sessions[rand() % SLOTS].ipv6, 16);
		found = dp_route6_find(&routes6, &mirror, address6);
		assert_int_equal(found == LC_NO_SLOT ? -1 : sessions[found].ipv6_length,
				 longest6(address6));
	}
}

/* When all are gone, nothing is left behind: no entry, no count, no length. */
static void empty_again(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			session_open(slot);
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			session_close((slot * 37) % SLOTS);
	}
	const struct dp_routes *both[] = {&routes4, &routes6};
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(both[i]->lengths[0] | both[i]->lengths[1] | both[i]->lengths[2],
				 0);
		for (uint32_t b = 0; b <= both[i]->table.mask; b++)
			for (unsigned e = 0; e < 8; e++)
				assert_int_equal(((const uint64_t *)&both[i]->table.buckets[b])[e],
						 0);
	}
}

/* Two sessions of one prefix: the one that is open has it. */
static void a_prefix_of_two(void **state)
{
	for (uint32_t slot = 0; slot < 2; slot++) {
		sessions[slot] = (struct lc_session){.ipv4 = 7, .ipv4_length = 32};
		sessions[slot].door = (union lc_session_door){.tunnel_id = 1, .role = LC_ROLE_LNS};
		dp_route4_add(&routes4, 7, 32, slot);
	}
	assert_true(dp_route4_find(&routes4, &mirror, 7) < 2);
	sessions[0].door.word = 0;
	assert_int_equal(dp_route4_find(&routes4, &mirror, 7), 1);
	sessions[1].door.word = 0;
	assert_int_equal(dp_route4_find(&routes4, &mirror, 7), LC_NO_SLOT);
	sessions[1].door = (union lc_session_door){.tunnel_id = 1, .role = LC_ROLE_LAC};
	assert_int_equal(dp_route4_find(&routes4, &mirror, 7), LC_NO_SLOT);
}

/* All with one hash: the table overflows from bucket to bucket, round its end, and still finds, to the last place. */
static void full_table(void **state)
{
	struct dp_table table;
	uint64_t hash = UINT64_C(0xfffffffe12345678);
	uint32_t n = 0;
	assert_int_equal(dp_table_open(&table, 20), 0);
	while (dp_table_add(&table, hash, n) == 0)
		n++;
	assert_int_equal(n, (table.mask + 1) * DP_BUCKET_ENTRIES);
	for (uint32_t i = 0; i < n; i += 2)
		dp_table_remove(&table, hash, i);
	dp_table_remove(&table, hash, 0); /* not there: nothing */
	for (uint32_t i = 0; i < n; i += 2)
		assert_int_equal(dp_table_add(&table, hash, i), 0);
	assert_int_equal(dp_table_add(&table, hash, n), -ENOSPC);
	for (uint32_t i = 0; i < n; i++)
		dp_table_remove(&table, hash, i);
	for (uint32_t b = 0; b <= table.mask; b++)
		assert_int_equal(table.buckets[b].passed, 0);
	dp_table_close(&table);
}

/* ---- a reader beside the writer ---- */

static atomic_bool stop;

/* Slot 0 stays: a reader finds it at every moment, whatever comes and goes around it. */
static void *reader(void *argument)
{
	uint64_t *looks = argument;
	while (!atomic_load(&stop)) {
		if (dp_route4_find(&routes4, &mirror, UINT32_C(0x0b000001)) != 0)
			return "a route that is there was not found";
		++*looks;
	}
	return NULL;
}

static void readers_never_miss(void **state)
{
	pthread_t thread;
	uint64_t looks = 0;
	void *complaint;
	sessions[0] = (struct lc_session){.ipv4 = UINT32_C(0x0b000001), .ipv4_length = 32};
	sessions[0].door = (union lc_session_door){.tunnel_id = 1, .role = LC_ROLE_LNS};
	/* Its neighbours in the table are there before it, so that it overflows into a later bucket; then they go. */
	uint64_t hash = dp_route4_hash(sessions[0].ipv4, 32);
	for (uint32_t i = 1; i <= DP_BUCKET_ENTRIES; i++)
		assert_int_equal(dp_table_add(&routes4.table, hash, i), 0);
	assert_int_equal(dp_route4_add(&routes4, sessions[0].ipv4, 32, 0), 0);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, reader, &looks), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t i = 1 + (uint32_t)rand() % (2 * DP_BUCKET_ENTRIES);
		dp_table_remove(&routes4.table, hash, i);
		assert_int_equal(dp_table_add(&routes4.table, hash, i), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, &complaint);
	if (complaint)
		fail_msg("%s", (const char *)complaint);
	assert_true(looks > 0);
}

#define ROUTES(test) cmocka_unit_test_setup_teardown(test, open_routes, close_routes)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROUTES(longest_prefix_against_a_plain_search),
	    ROUTES(empty_again),
	    ROUTES(a_prefix_of_two),
	    cmocka_unit_test(full_table),
	    ROUTES(readers_never_miss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
