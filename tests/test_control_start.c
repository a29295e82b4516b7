/* SPDX-License-Identifier: BSD-3-Clause */
/* What warmline-control makes of the tunnels that it finds at its start, and says of them: the real process, over a
 * mirror that one before it has left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chassis_rig.h"
#include "cp_engine.h"

enum {
	TRIES = 1000, /* of 10 ms */
};

static struct {
	struct rig rig;
	struct lc_mirror mirror;
	char path[64]; /* of the mirror */
	pid_t pid;
} fix;

static int setup(void **state)
{
	struct lc_geometry geometry;
	struct cfg_errors errors;
	char directory[80], why[256] = "";
	bool cold;

	memset(&fix, 0, sizeof(fix));
	rig_setup(&fix.rig, 0);
	snprintf(fix.path, sizeof(fix.path), "%s/mirror", fix.rig.directory);
	snprintf(directory, sizeof(directory), "%s/%s", fix.rig.directory, fix.rig.name);
	assert_int_equal(mkdir(directory, 0700), 0);
	struct cfg *cfg = cfg_load(fix.rig.configuration, &errors);
	assert_non_null(cfg);
	geometry = lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions,
				   cfg->limits.message_buffers, cfg->limits.accounting_records);
	cfg_free(cfg);
	assert_int_equal(lc_mirror_open(&fix.mirror, fix.path, &geometry, &cold, why, sizeof(why)),
			 0);
	return 0;
}

static int teardown(void **state)
{
	lc_mirror_close(&fix.mirror);
	rig_teardown(&fix.rig);
	return 0;
}

/* Starts it, and waits until it is ready. */
static void start_control(void)
{
	fix.pid = fork();
	if (fix.pid == 0) {
		dup2(open(fix.rig.log, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
		execl(CONTROL, CONTROL, fix.rig.configuration, "--mirror", fix.path, NULL);
		_exit(127);
	}
	for (int i = 0; i < TRIES; i++) {
		const struct lc_process *p = &fix.mirror.header->control;

		if (__atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) != 0 &&
		    __atomic_load_n(&p->pid, __ATOMIC_ACQUIRE) == (uint64_t)fix.pid)
			return;
		usleep(10000);
	}
	fail_msg("warmline-control is not ready");
}

static void end_control(void)
{
	int status;

	kill(fix.pid, SIGTERM);
	assert_int_equal(waitpid(fix.pid, &status, 0), fix.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_cold_start(void **state)
{
	start_control();
	assert_int_equal(fix.mirror.header->control.starts, 1);
	end_control();
	assert_int_equal(rig_log_count(&fix.rig, "cold start: 0 tunnels, 0 sessions"), 1);
	assert_int_equal(rig_log_count(&fix.rig, "warm start"), 0);
}

/* One by silent failover, one by the failover protocol, one with no method. A recovery tunnel of the control
 * plane before counts for none of them. */
static void test_warm_start(void **state)
{
	const uint8_t all = LC_FAILOVER_GIVEN | LC_FAILOVER_CONTROL | LC_FAILOVER_DATA;
	uint32_t slots = fix.mirror.tunnel_mask + 1, slot;
	struct lc_tunnel *t[RIG_TUNNELS];
	unsigned n = 0;

	lc_control_begin(&fix.mirror, 1, 1);
	rig_populate(&fix.mirror, 1);
	for (slot = lc_map_next(fix.mirror.tunnel_map, slots, 1); slot < slots;
	     slot = lc_map_next(fix.mirror.tunnel_map, slots, slot + 1)) {
		assert_true(n < RIG_TUNNELS);
		t[n++] = &fix.mirror.tunnels[slot];
	}
	assert_int_equal(n, RIG_TUNNELS);
	rig_recover(&fix.mirror, 1);
	t[0]->failover = t[0]->peer_failover = all;
	t[0]->mortal = 1;
	t[1]->method = CFG_METHOD_DISABLE;
	t[1]->mortal = 1;

	start_control();
	assert_int_equal(fix.mirror.header->control.starts, 2);
	end_control();
	assert_int_equal(rig_log_count(&fix.rig, "warm start: 3 tunnels, 600 sessions"), 1);
	assert_int_equal(rig_log_count(&fix.rig,
				       "warm start: of 3 tunnels 1 going on silently, 1 to be "
				       "recovered by the failover protocol, 1 cleared"),
			 1);
	/* What it did is remembered, by the time it is ready. */
	const struct lc_start *start = &fix.mirror.starts[2];
	unsigned outcomes[LC_OUTCOME_INTERRUPTED + 1] = {0};

	assert_int_equal(start->life, 2);
	assert_int_equal(start->tunnels, RIG_TUNNELS);
	assert_int_equal(start->sessions, RIG_SESSIONS);
	assert_true(start->began != 0 && start->ready >= start->began);
	assert_int_equal(fix.mirror.header->history_number, RIG_TUNNELS);
	for (unsigned i = 1; i <= RIG_TUNNELS; i++)
		outcomes[fix.mirror.history[i].outcome]++;
	assert_int_equal(outcomes[LC_OUTCOME_SILENT], 1);
	assert_int_equal(outcomes[LC_OUTCOME_CLEARED], 1);
	assert_int_equal(outcomes[LC_OUTCOME_RECOVERING], 1);
	assert_int_equal(t[1]->door.id, 0);
	assert_int_not_equal(t[0]->door.id, 0);
	assert_int_not_equal(t[2]->door.id, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_cold_start),
	    TEST(test_warm_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
