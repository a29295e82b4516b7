/* SPDX-License-Identifier: BSD-3-Clause */
/* The mirror's file: making, attaching, refusing; dirty sets, maps, epochs. */
#include "lc_layout.h"
#include "lc_mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];
static char why[200];
enum {
	LIVES = 2000000, /* of the control plane, while another thread looks */
};

static const uint32_t limits[3] = {100, 500, 64};

static struct lc_geometry geometry(void)
{
	return lc_geometry_for(limits[0], limits[1], limits[2], 64);
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/dev/shm/warmline-test-mirror-%d", getpid());
	unlink(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static bool make(struct lc_mirror *m)
{
	struct lc_geometry g = geometry();
	bool cold = false;
	assert_int_equal(lc_mirror_open(m, path, &g, &cold, why, sizeof(why)), 0);
	return cold;
}

static void is_cold_once(void **state)
{
	(void)state;
	struct lc_mirror m;
	struct stat st;

	assert_true(make(&m));
	assert_true(lc_mirror_check(&m, why, sizeof(why)));
	assert_true(lc_mirror_check_free(&m, why, sizeof(why)));
	m.header->accounting_id = 7;
	lc_mirror_close(&m);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(make(&m));
	assert_int_equal(m.header->accounting_id, 7);
	lc_mirror_close(&m);
	assert_int_equal(lc_mirror_open_readonly(&m, path, why, sizeof(why)), 0);
	assert_int_equal(m.header->accounting_id, 7);
	lc_mirror_close(&m);
}

/* One word of the header is wrong: refused, with a reason, and not a byte of the file changed. */
static void refuses_each_wrong_word(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		const char *reason;
	} words[] = {
	    {offsetof(struct lc_header, magic), "no mirror"},
	    {offsetof(struct lc_header, layout_version), "another version"},
	    {offsetof(struct lc_header, layout_hash), "another version"},
	    {offsetof(struct lc_header, size), "regions do not fit"},
	    {offsetof(struct lc_header, geometry.session_slots), "geometry makes no sense"},
	    {offsetof(struct lc_header, geometry.max_tunnels), "regions do not fit"},
	    {offsetof(struct lc_header, geometry_hash), "regions do not fit"},
	    {offsetof(struct lc_header, region[LC_REGION_JOURNAL]), "regions do not fit"},
	    {offsetof(struct lc_header, ready), "never finished"},
	};
	struct lc_geometry g = geometry();
	struct lc_mirror m;
	bool cold;

	make(&m);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint8_t *byte = (uint8_t *)m.header + words[i].at;
		uint8_t was = *byte;
		struct lc_mirror other;
		*byte ^= 1;
		int error = lc_mirror_open(&other, path, &g, &cold, why, sizeof(why));
		if (error != -ESTALE || strstr(why, words[i].reason) == NULL)
			fail_msg("word %zu: %d, %s", i, error, why);
		assert_int_equal(lc_mirror_open_readonly(&other, path, why, sizeof(why)), -ESTALE);
		assert_int_equal(*byte, was ^ 1);
		*byte = was;
	}
	lc_mirror_close(&m);
	assert_false(make(&m));
	lc_mirror_close(&m);
}

static void refuses_other_limits_and_lengths(void **state)
{
	(void)state;
	struct lc_geometry other = lc_geometry_for(limits[0] + 1, limits[1], limits[2], 64);
	struct lc_geometry same = geometry();
	struct lc_mirror m;
	bool cold;

	make(&m);
	size_t size = m.size;
	lc_mirror_close(&m);
	assert_int_equal(lc_mirror_open(&m, path, &other, &cold, why, sizeof(why)), -ESTALE);
	assert_non_null(strstr(why, "other limits"));
	assert_int_equal(truncate(path, (off_t)size - 4096), 0);
	assert_int_equal(lc_mirror_open(&m, path, &same, &cold, why, sizeof(why)), -ESTALE);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(lc_mirror_open(&m, path, &same, &cold, why, sizeof(why)), -ESTALE);
	assert_int_equal(
	    lc_mirror_open_readonly(&m, "/dev/shm/warmline-test-none", why, sizeof(why)), -ENOENT);
}

/* A maker that died before or after the magic was written: the next one makes it anew. */
static void makes_anew_what_was_never_ready(void **state)
{
	(void)state;
	struct lc_mirror m;

	for (int magic = 0; magic < 2; magic++) {
		make(&m);
		m.header->magic = magic ? LC_MAGIC : 0;
		m.header->ready = 0;
		m.header->accounting_id = 9;
		lc_mirror_close(&m);
		assert_true(make(&m));
		assert_int_equal(m.header->accounting_id, 0);
		lc_mirror_close(&m);
	}
}

static void two_makers_make_one(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		pid_t child[4];
		int colds = 0;
		unlink(path);
		for (int i = 0; i < 4; i++) {
			child[i] = fork();
			if (child[i] == 0) {
				struct lc_mirror m;
				struct lc_geometry g = geometry();
				bool cold = false;
				int error = lc_mirror_open(&m, path, &g, &cold, why, sizeof(why));
				_exit(error != 0 ? 2 : cold);
			}
		}
		for (int i = 0; i < 4; i++) {
			int status;
			assert_int_equal(waitpid(child[i], &status, 0), child[i]);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
			colds += WEXITSTATUS(status);
		}
		assert_int_equal(colds, 1);
	}
}

static void dirty_sets_lose_nothing(void **state)
{
	(void)state;
	struct lc_mirror m;
	uint32_t cursor = 0;
	bool model[256] = {false};

	make(&m);
	assert_int_equal(m.to_dataplane.n_bits, 256);
	assert_int_equal(lc_dirty_take(&m.to_dataplane, &cursor), LC_NO_SLOT);
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		uint32_t slot = (uint32_t)random() % 256;
		if (random() % 2 == 0) {
			lc_dirty_set(&m.to_dataplane, slot);
			model[slot] = true;
			continue;
		}
		slot = lc_dirty_take(&m.to_dataplane, &cursor);
		if (slot == LC_NO_SLOT) {
			for (int j = 0; j < 256; j++)
				assert_false(model[j]);
			continue;
		}
		assert_true(model[slot]);
		model[slot] = false;
	}
	lc_dirty_set(&m.to_dataplane, 5000); /* none: ignored */
	lc_mirror_close(&m);
}

/* However often one slot is marked, the others have their turn, in its word and in other words. */
static void a_busy_slot_starves_nobody(void **state)
{
	(void)state;
	struct lc_mirror m;
	uint32_t cursor = 0, slot;
	bool seen[256] = {false};

	make(&m);
	lc_dirty_set(&m.to_control, 5);
	lc_dirty_set(&m.to_control, 6);
	lc_dirty_set(&m.to_control, 2);
	lc_dirty_set(&m.to_control, 100);
	for (unsigned i = 0; i < 6; i++) {
		lc_dirty_set(&m.to_control, 3);
		slot = lc_dirty_take(&m.to_control, &cursor);
		assert_true(slot < 256);
		seen[slot] = true;
	}
	assert_true(seen[2] && seen[3] && seen[5] && seen[6] && seen[100]);
	lc_mirror_close(&m);
}

static void epochs_wait_for_readers(void **state)
{
	(void)state;
	struct lc_mirror m;

	make(&m);
	uint64_t epoch = lc_epoch_begin(&m);
	assert_true(lc_epoch_passed(&m, epoch)); /* nobody reads */
	lc_reader_online(&m, 0);
	lc_reader_online(&m, LC_MAX_WORKERS);
	epoch = lc_epoch_begin(&m);
	assert_false(lc_epoch_passed(&m, epoch));
	lc_reader_quiesce(&m, 0);
	assert_false(lc_epoch_passed(&m, epoch));
	lc_reader_quiesce(&m, LC_MAX_WORKERS);
	assert_true(lc_epoch_passed(&m, epoch));
	epoch = lc_epoch_begin(&m);
	lc_reader_offline(&m, 0);
	lc_reader_offline(&m, LC_MAX_WORKERS);
	assert_true(lc_epoch_passed(&m, epoch));
	lc_mirror_close(&m);
}

/* Room for the listener, for all tunnels and for spare ones, up to what an ID can name. */
static void the_geometry_has_spare_slots(void **state)
{
	(void)state;
	static const struct {
		uint32_t tunnels, slots;
	} known[] = {{1, 128},       {63, 128},      {64, 256},      {1024, 2048},
		     {32703, 32768}, {32704, 65536}, {65471, 65536}, {65535, 65536}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct lc_geometry g = lc_geometry_for(known[i].tunnels, 2, 64, 64);
		assert_int_equal(g.max_tunnels, known[i].tunnels);
		assert_int_equal(g.tunnel_slots, known[i].slots);
		assert_true(lc_geometry_valid(&g));
		g.tunnel_slots /= 2;
		assert_false(lc_geometry_valid(&g));
	}
}

static void a_life_begins_with_its_pid(void **state)
{
	(void)state;
	struct lc_mirror m;

	make(&m);
	struct lc_process *p = &m.header->control;
	assert_int_equal(lc_control_life(&m), 0);
	assert_int_equal(lc_control_begin(&m, 4711, 5), 1);
	assert_int_equal(p->pid, 4711);
	assert_int_equal(p->starts, 1);
	assert_int_equal(p->started, 5);
	p->ready = 6;
	p->first_work = 7;
	assert_int_equal(lc_control_begin(&m, 4712, 8), 2);
	assert_int_equal(lc_control_life(&m), 2);
	assert_int_equal(p->pid, 4712);
	assert_int_equal(p->started, 8);
	assert_int_equal(p->ready, 0);
	assert_int_equal(p->first_work, 0);
	lc_mirror_close(&m);
}

static void *read_lives(void *arg)
{
	const struct lc_process *p = &((struct lc_mirror *)arg)->header->control;
	uint64_t wrong = 0, life = 0;
	while (life < LIVES) {
		life = __atomic_load_n(&p->starts, __ATOMIC_ACQUIRE);
		wrong += __atomic_load_n(&p->pid, __ATOMIC_ACQUIRE) < life;
	}
	return (void *)(uintptr_t)wrong;
}

/* Who reads a life and then a pid never has the pid of an earlier one, whose end it would take for this one's. */
static void a_new_life_has_no_old_pid(void **state)
{
	(void)state;
	struct lc_mirror m;
	pthread_t reader;
	void *wrong;

	make(&m);
	assert_int_equal(pthread_create(&reader, NULL, read_lives, &m), 0);
	for (uint64_t life = 1; life <= LIVES; life++)
		assert_int_equal(lc_control_begin(&m, life, life), life);
	assert_int_equal(pthread_join(reader, &wrong), 0);
	assert_null(wrong);
	lc_mirror_close(&m);
}

/* Silent: held, or mortal and of a life that is over. */
static void a_mortal_tunnel_is_silent_when_its_life_is_over(void **state)
{
	(void)state;
	struct lc_mirror m;
	union lc_tunnel_door open = {.mode = LC_MODE_ESTABLISHED}, held = {.mode = LC_MODE_HELD};

	make(&m);
	lc_control_begin(&m, 1, 1);
	struct lc_tunnel mortal = {.mortal = 1, .life = 1}, other = {.life = 0};
	assert_false(lc_tunnel_silent(&m, &mortal, open));
	assert_false(lc_tunnel_silent(&m, &other, open));
	assert_true(lc_tunnel_silent(&m, &mortal, held));
	assert_true(lc_tunnel_silent(&m, &other, held));
	lc_control_lost(&m, 1);
	assert_true(lc_tunnel_silent(&m, &mortal, open));
	assert_false(lc_tunnel_silent(&m, &other, open));
	lc_control_begin(&m, 2, 2);
	assert_true(lc_tunnel_silent(&m, &mortal, open));
	mortal.life = 2;
	assert_false(lc_tunnel_silent(&m, &mortal, open));
	lc_control_lost(&m, 1); /* late news */
	assert_false(lc_tunnel_silent(&m, &mortal, open));
	lc_mirror_close(&m);
}

/* Every session ID of a tunnel has a slot of its own, as long as there are as many slots. */
static void finding_a_session_is_an_index(void **state)
{
	(void)state;
	struct lc_mirror m;

	make(&m);
	assert_int_equal(m.session_mask, 511);
	for (uint16_t tunnel = 1; tunnel < 5; tunnel++) {
		bool seen[512] = {false};
		for (uint16_t id = 1; id <= 512; id++) {
			uint32_t slot = lc_session_slot(&m, tunnel, id);
			assert_false(seen[slot]);
			seen[slot] = true;
		}
	}
	assert_int_equal(lc_session_find(&m, 1, 1), LC_NO_SLOT);
	assert_int_equal(lc_session_find(&m, 0, 0), LC_NO_SLOT);
	lc_mirror_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(is_cold_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(refuses_each_wrong_word, setup, teardown),
	    cmocka_unit_test_setup_teardown(refuses_other_limits_and_lengths, setup, teardown),
	    cmocka_unit_test_setup_teardown(makes_anew_what_was_never_ready, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_makers_make_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(dirty_sets_lose_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_busy_slot_starves_nobody, setup, teardown),
	    cmocka_unit_test_setup_teardown(epochs_wait_for_readers, setup, teardown),
	    cmocka_unit_test(the_geometry_has_spare_slots),
	    cmocka_unit_test_setup_teardown(a_life_begins_with_its_pid, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_new_life_has_no_old_pid, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_mortal_tunnel_is_silent_when_its_life_is_over, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(finding_a_session_is_an_index, setup, teardown),
	};
	return cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
}
