/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of tunnels: kept, cleared, and taken over from another version, whenever we die. */
#include "attach_lab.h"

#include <pthread.h>

#include "dp_xdp_pin.h"

enum { OLD_VERSION = 99, OLD_ENTRY = 128, WORDS = 3 };

static const uint32_t slots[WORDS] = {2, LAB_SLOT, 6};

/* ---- whose it is ---- */

static void test_same_mirror(void **state)
{
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_dp.xdp.chassis->mirror, lab_mirror.header->created);
	assert_int_equal(lab_dp.xdp.chassis->tunnel_mask, lab_mirror.tunnel_mask);
	for (int i = 0; i < WORDS; i++)
		lab_dp.xdp.tunnels[slots[i]].word = lab_word((uint16_t)(10 + i));
	lab_dp.xdp.tunnels[LAB_SLOT].peer_id = 1234;
	lab_kill();
	assert_int_equal(lab_start(), 0);
	for (int i = 0; i < WORDS; i++)
		assert_int_equal(lab_dp.xdp.tunnels[slots[i]].word.word,
				 lab_word((uint16_t)(10 + i)).word);
	assert_int_equal(lab_dp.xdp.tunnels[LAB_SLOT].peer_id, 1234);
}

static void test_another_mirror(void **state)
{
	assert_int_equal(lab_start(), 0);
	for (int i = 0; i < WORDS; i++)
		lab_dp.xdp.tunnels[slots[i]].word = lab_word(10);
	lab_kill();
	lab_mirror.header->created++;
	assert_int_equal(lab_start(), 0);
	for (uint32_t slot = 0; slot <= lab_mirror.tunnel_mask; slot++)
		assert_int_equal(lab_dp.xdp.tunnels[slot].word.word, 0);
	assert_int_equal(lab_dp.xdp.chassis->mirror, lab_mirror.header->created);
}

/* A table of another size is another mirror's: nothing is taken from it. */
static void test_another_size(void **state)
{
	struct lc_geometry large = lc_geometry_for(64, 64, 64, 64);
	struct lc_mirror small = lab_mirror;
	char path[64], why[256];
	bool cold;

	assert_int_equal(lab_start(), 0);
	lab_dp.xdp.tunnels[LAB_SLOT].word = lab_word(10);
	lab_kill();
	snprintf(path, sizeof(path), "/dev/shm/warmline-%s", xdp_chassis);
	assert_int_equal(lc_mirror_open(&lab_mirror, path, &large, &cold, why, sizeof(why)), 0);
	unlink(path);
	lab_mirror.header->created = small.header->created + 500;
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	assert_true(lab_mirror.tunnel_mask > small.tunnel_mask);
	for (uint32_t slot = 0; slot <= lab_mirror.tunnel_mask; slot++)
		assert_int_equal(lab_dp.xdp.tunnels[slot].word.word, 0);
	assert_false(lab_has(NULL, "tunnels.before"));
	lab_kill();
	lc_mirror_close(&lab_mirror);
	lab_mirror = small;
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
}

/* ---- another version ---- */

static int old_map(const char *leaf)
{
	int fd = lab_open(NULL, leaf);

	assert_true(fd >= 0);
	return fd;
}

static void old_write(int fd, uint32_t slot, union lc_guard_word word)
{
	uint8_t entry[OLD_ENTRY];

	memset(entry, 0x5a, sizeof(entry));
	memcpy(entry, &word, sizeof(word));
	assert_int_equal(bpf_map_update_elem(fd, &slot, entry, 0), 0);
}

/* What a data plane of another version leaves: a link, maps of other sizes, words. */
static void make_old(void)
{
	struct {
		struct dp_xdp_chassis chassis;
		uint64_t more[3];
	} chassis = {.chassis = {.magic = DP_XDP_MAGIC,
				 .version = OLD_VERSION,
				 .mirror = lab_mirror.header->created,
				 .tunnel_mask = lab_mirror.tunnel_mask}};
	struct {
		struct dp_xdp_port port;
		uint64_t more;
	} port = {.port = {.magic = DP_XDP_MAGIC, .version = OLD_VERSION, .starts = 9}};
	LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "old", 4, OLD_ENTRY, lab_mirror.tunnel_mask + 1,
				&mapped);

	for (int i = 0; i < WORDS; i++)
		old_write(fd, slots[i], lab_word((uint16_t)(65534 + i)));
	xdp_pin(NULL, "tunnels", fd);
	xdp_pin_one(NULL, "chassis", &chassis, sizeof(chassis));
	xdp_pin_one(LAB_ETH, "port", &port, sizeof(port));
	xdp_attach(LAB_ETH);
}

/* The words that the guard has by now: one more each. In the new table, if they are there already. */
static void move_old(void)
{
	int fd = old_map(lab_has(NULL, "tunnels.before") ? "tunnels.before" : "tunnels");
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	for (int i = 0; i < WORDS; i++) {
		struct lc_guard_entry entry = {.word = lab_word((uint16_t)(65535 + i))};
		if (info.value_size == OLD_ENTRY)
			old_write(fd, slots[i], entry.word);
		else
			assert_int_equal(bpf_map_update_elem(fd, &slots[i], &entry, 0), 0);
	}
	close(fd);
}

static void expect_taken(void)
{
	static const struct lc_guard_entry none;

	lab_expect_whole(LAB_ETH);
	assert_false(lab_has(NULL, "tunnels.before"));
	assert_int_equal(lab_dp.xdp.chassis->version, DP_XDP_VERSION);
	for (int i = 0; i < WORDS; i++) {
		const struct lc_guard_entry *e = &lab_dp.xdp.tunnels[slots[i]];
		union lc_guard_word word = lab_word((uint16_t)(65535 + i));
		assert_int_equal(e->word.word, word.word);
		assert_memory_equal(&e->peer_address, &none.peer_address,
				    sizeof(none) - offsetof(struct lc_guard_entry, peer_address));
	}
}

/* A program that could not be replaced finds nobody to answer. */
static void expect_empty(int table)
{
	uint64_t entry[OLD_ENTRY / 8];

	for (uint32_t slot = 0; slot <= lab_mirror.tunnel_mask; slot++) {
		assert_int_equal(bpf_map_lookup_elem(table, &slot, entry), 0);
		assert_int_equal(entry[0], 0);
	}
	close(table);
}

static void test_another_version(void **state)
{
	uint32_t old;
	int table;

	make_old();
	table = old_map("tunnels");
	old = lab_map_id(NULL, "tunnels");
	memset(&lab_dp.xdp, 0, sizeof(lab_dp.xdp));
	lab_dp.cfg = &lab_cfg;
	assert_int_equal(dp_xdp_start(&lab_dp.xdp, &lab_cfg, &lab_mirror), 0);
	assert_int_equal(lab_map_id(NULL, "tunnels.before"), old);
	assert_int_not_equal(lab_map_id(NULL, "tunnels"), old);
	assert_int_equal(lab_dp.xdp.tunnels[LAB_SLOT].word.word, 0);
	move_old();
	assert_int_equal(dp_xdp_attach(&lab_dp, 0), 0);
	dp_xdp_take(&lab_dp.xdp);
	expect_taken();
	assert_int_equal(lab_read_port(LAB_ETH).starts, 1);
	expect_empty(table);
	dp_xdp_take(&lab_dp.xdp); /* nothing */
	lab_kill();
	assert_int_equal(lab_start(), 0);
	expect_taken();
}

/* ---- the old guard, at work while its table is taken over ---- */

static void *move_on(void *argument)
{
	union lc_guard_word *at = argument, word;
	uintptr_t n = 0;

	for (;;) {
		word.word = __atomic_load_n(&at->word, __ATOMIC_ACQUIRE);
		if (word.id == 0)
			return (void *)n;
		union lc_guard_word next = word;
		next.nr++;
		n += __atomic_compare_exchange_n(&at->word, &word.word, next.word, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
}

static void test_moves_meanwhile(void **state)
{
	for (int i = 0; i < 20; i++) {
		uint32_t n = lab_mirror.tunnel_mask + 1;
		uint8_t *table;
		pthread_t guard;
		void *moved;
		int fd;

		make_old();
		fd = old_map("tunnels");
		table = dp_xdp_map_values(fd, OLD_ENTRY, n);
		assert_non_null(table);
		pthread_create(&guard, NULL, move_on, table + (size_t)LAB_SLOT * OLD_ENTRY);
		assert_int_equal(lab_start(), 0);
		pthread_join(guard, &moved);
		assert_true((uintptr_t)moved > 0);
		assert_int_equal(lab_dp.xdp.tunnels[LAB_SLOT].word.nr,
				 (uint16_t)(65535 + (uintptr_t)moved));
		dp_xdp_unmap_values(table, OLD_ENTRY, n);
		close(fd);
		lab_teardown(NULL);
	}
}

/* The old guard works on until its program is replaced, whenever we die, and its words reach the successor. */
static void test_dies(void **state)
{
	int steps = 0;

	while (make_old(), lab_start_dies(steps, -1)) {
		move_old();
		assert_int_equal(lab_start(), 0);
		expect_taken();
		lab_teardown(NULL);
		steps++;
	}
	assert_true(steps > 12);
}

/* ... and so does its successor. */
static void test_dies_twice(void **state)
{
	int first = 0;

	while (make_old(), lab_start_dies(first, -1)) {
		(void)lab_start_dies(first / 2, -1);
		move_old();
		assert_int_equal(lab_start(), 0);
		expect_taken();
		lab_teardown(NULL);
		first++;
	}
}

/* Another version, of another mirror: its words say nothing of ours. */
static void test_another_version_and_mirror(void **state)
{
	int table;

	make_old();
	table = old_map("tunnels");
	lab_mirror.header->created++;
	assert_int_equal(lab_start(), 0);
	expect_empty(table);
	lab_expect_whole(LAB_ETH);
	assert_false(lab_has(NULL, "tunnels.before"));
	for (uint32_t slot = 0; slot <= lab_mirror.tunnel_mask; slot++)
		assert_int_equal(lab_dp.xdp.tunnels[slot].word.word, 0);
}

/* What is there is no chassis, nor a table. */
static void test_nonsense(void **state)
{
	uint64_t nonsense = UINT64_C(0x1122334455667788);

	xdp_pin_one(NULL, "chassis", &nonsense, sizeof(nonsense));
	xdp_pin(NULL, "tunnels", xdp_map(BPF_MAP_TYPE_HASH, 2, 3));
	xdp_pin(LAB_ETH, "routes4", xdp_map(BPF_MAP_TYPE_HASH, 2, 3));
	xdp_pin_one(LAB_ETH, "link", &nonsense, sizeof(nonsense));
	assert_int_equal(lab_start(), 0);
	lab_expect_whole(LAB_ETH);
	assert_false(lab_has(NULL, "tunnels.before"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_same_mirror, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_mirror, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_size, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_version, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_moves_meanwhile, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_dies, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_dies_twice, lab_setup, lab_teardown),
	    cmocka_unit_test_setup_teardown(test_another_version_and_mirror, lab_setup,
					    lab_teardown),
	    cmocka_unit_test_setup_teardown(test_nonsense, lab_setup, lab_teardown),
	};

	if (!lab_begin("start")) {
		puts("no root, or no BPF file system: left out");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
