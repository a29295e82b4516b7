/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for warmline-dataplane and warmline-control (its name says which) in tests of the
 * supervisor: does to the mirror what they do at their start, and then what the first word of the
 * file <its own path>.does says:
 *
 *   ready     is ready; ends at SIGTERM (without a file too)
 *   never     never gets ready
 *   stubborn  is ready; ignores SIGTERM
 *   recover   control plane: is ready, and recovers the first tunnel by the failover protocol
 *   exit N    ends with N before it is ready
 *
 * The control plane makes tunnels and sessions in an empty mirror, and serves no socket: it is a
 * control plane that is down as far as management is concerned. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cfg.h"
#include "cp_engine.h"
#include "lc_txn.h"

#include "chassis_rig.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void read_task(const char *program, char *task, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s.does", program);
	file = fopen(path, "re");
	if (!file || !fgets(task, (int)size, file))
		snprintf(task, size, "ready");
	if (file)
		fclose(file);
}

static void open_mirror(struct lc_mirror *mirror, const struct cfg *cfg)
{
	struct lc_geometry geometry =
	    lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions, cfg->limits.message_buffers,
			    cfg->limits.accounting_records);
	char path[PATH_MAX], why[256] = "";
	bool cold, huge;

	if (lc_mirror_path(cfg->name, lc_mirror_size(&geometry), path, sizeof(path), &huge) < 0 ||
	    lc_mirror_open(mirror, path, &geometry, &cold, why, sizeof(why)) < 0) {
		fprintf(stderr, "stand-in: mirror %s: %s\n", path, why);
		exit(1);
	}
	if (cold) {
		/* The supervisor makes it, before any child runs. */
		fprintf(stderr, "stand-in: there was no mirror\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct cfg_errors errors;
	struct cfg *cfg = argc == 2 ? cfg_load(argv[1], &errors) : NULL;
	bool is_control = strstr(argv[0], "control") != NULL;
	struct lc_mirror mirror;
	struct lc_process *self;
	char task[32];

	if (!cfg)
		return 2;
	read_task(argv[0], task, sizeof(task));
	if (strncmp(task, "exit", 4) == 0) {
		cfg_free(cfg);
		return atoi(task + 4);
	}
	if (strncmp(task, "stubborn", 8) == 0)
		signal(SIGTERM, SIG_IGN);
	open_mirror(&mirror, cfg);
	self = is_control ? &mirror.header->control : &mirror.header->dataplane;
	if (is_control) {
		lc_control_begin(&mirror, (uint64_t)getpid(), now_ms());
	} else {
		self->ready = 0;
		self->starts++;
		self->started = now_ms();
		__atomic_store_n(&self->pid, (uint64_t)getpid(), __ATOMIC_RELEASE);
	}
	if (is_control && self->starts == 1)
		rig_populate(&mirror, now_ms());
	if (is_control && strncmp(task, "recover", 7) == 0)
		rig_recover(&mirror, now_ms());
	if (strncmp(task, "never", 5) != 0)
		__atomic_store_n(&self->ready, now_ms(), __ATOMIC_RELEASE);
	for (;;)
		pause();
}
