/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-dataplane: the data plane of one chassis. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rte_launch.h>

#include "dp_eal.h"
#include "dp_main_lcore.h"

static const char usage[] =
    "usage: warmline-dataplane [--mirror PATH] [--ordinary-pages] [--dpdk-log LEVEL] CONFIG\n"
    "  --mirror PATH      the mirror, where it is not at its usual place\n"
    "  --dpdk-log LEVEL   what DPDK may say on stderr: critical (default), error, notice, info, debug\n"
    "Ends cleanly on SIGTERM and SIGINT. Exit code 2: the configuration or the machine is at fault.\n";

struct options {
	const char *config, *mirror, *dpdk_log;
	bool ordinary_pages;
};

/* What a signal may touch. */
static struct dp dp;

static void on_signal(int signal_number)
{
	atomic_store(&dp.stop, true);
}

static uint64_t now_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {{"mirror", required_argument, NULL, 'm'},
					      {"dpdk-log", required_argument, NULL, 'l'},
					      {"ordinary-pages", no_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	*options = (struct options){.dpdk_log = "critical"};
	int option;
	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (option) {
		case 'm':
			options->mirror = optarg;
			break;
		case 'l':
			options->dpdk_log = optarg;
			break;
		case 'o':
			options->ordinary_pages = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			exit(DP_EXIT_SETUP);
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		exit(DP_EXIT_SETUP);
	}
	options->config = argv[optind];
}

/* One data plane a chassis; the lock goes with the process, however it ends. */
static int lock(const struct cfg *cfg)
{
	char path[PATH_MAX];
	if (cfg_runtime_path(cfg, "", path, sizeof(path)) < 0)
		return DP_EXIT_SETUP;
	(void)mkdir(cfg->runtime_directory, 0755);
	(void)mkdir(path, 0755);
	if (cfg_runtime_path(cfg, "dataplane.lock", path, sizeof(path)) < 0)
		return DP_EXIT_SETUP;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (fd >= 0 && errno == EWOULDBLOCK)
		fprintf(stderr,
			"warmline-dataplane: another data plane serves chassis %s (%s is locked)\n",
			cfg->name, path);
	else
		fprintf(stderr, "warmline-dataplane: %s: %s\n", path, strerror(errno));
	return DP_EXIT_SETUP;
}

static int open_mirror(struct lc_mirror *mirror, const struct cfg *cfg, const char *given)
{
	const struct cfg_limits *limits = &cfg->limits;
	struct lc_geometry geometry = lc_geometry_for(
	    limits->tunnels, limits->sessions, limits->message_buffers, limits->accounting_records);
	char path[PATH_MAX] = "", why[256] = "";
	bool huge, cold;
	int error = 0;
	if (given)
		snprintf(path, sizeof(path), "%s", given);
	else
		error =
		    lc_mirror_path(cfg->name, lc_mirror_size(&geometry), path, sizeof(path), &huge);
	if (error == 0)
		error = lc_mirror_open(mirror, path, &geometry, &cold, why, sizeof(why));
	if (error == 0)
		return 0;
	fprintf(stderr, "warmline-dataplane: %s: mirror %s: %s\n", cfg->name, path,
		why[0] ? why : strerror(-error));
	return DP_EXIT_SETUP;
}

static void announce(struct lc_process *self, uint64_t started)
{
	self->ready = 0;
	self->first_work = 0;
	self->started = started;
	self->pid = (uint64_t)getpid();
	self->starts++;
}

/* The workers run on lcores 1.., the rest here. */
static int run(const struct cfg *cfg, const struct lc_mirror *mirror)
{
	static struct dp_main_lcore lcore;
	int wrong = dp_open(&dp, cfg, mirror);
	if (wrong)
		return wrong;
	int error = dp_main_lcore_open(&lcore, &dp);
	if (error < 0) {
		fprintf(stderr, "warmline-dataplane: %s: main lcore: %s\n", cfg->name,
			strerror(-error));
		dp_close(&dp);
		return DP_EXIT_FAILURE;
	}
	for (unsigned i = 0; i < dp.n_workers; i++)
		rte_eal_remote_launch(dp_worker_run, &dp.workers[i], i + 1);
	mirror->header->dataplane.ready = now_ms();
	dp_main_lcore_run(&lcore);
	rte_eal_mp_wait_lcore();
	dp_main_lcore_close(&lcore);
	dp_close(&dp);
	mirror->header->dataplane.pid = 0;
	return dp.failed ? DP_EXIT_FAILURE : EXIT_SUCCESS;
}

/* EAL starts once in a process: without hugepages the program starts anew, as the same process. */
static int start_again(const struct options *options, const char *name, char **argv)
{
	fprintf(
	    stderr,
	    "warmline-dataplane: warning: %s: others took the hugepages: ordinary pages it is, slower, and "
	    "dpdk-dumpcap cannot attach\n",
	    name);
	char *arguments[] = {argv[0],
			     (char *)(uintptr_t)options->config,
			     "--ordinary-pages",
			     "--dpdk-log",
			     (char *)(uintptr_t)options->dpdk_log,
			     options->mirror ? "--mirror" : NULL,
			     (char *)(uintptr_t)options->mirror,
			     NULL};
	execv("/proc/self/exe", arguments);
	fprintf(stderr, "warmline-dataplane: %s: %s\n", name, strerror(errno));
	return DP_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	uint64_t started = now_ms();
	struct options options;
	parse(&options, argc, argv);
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(options.config, &errors);
	cfg_errors_print(&errors, options.config, stderr);
	cfg_errors_free(&errors);
	if (!cfg)
		return DP_EXIT_SETUP;

	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	struct lc_mirror mirror;
	int status = lock(cfg);
	if (!status)
		status = open_mirror(&mirror, cfg, options.mirror);
	if (!status) {
		announce(&mirror.header->dataplane, started);
		bool huge = !options.ordinary_pages;
		status = dp_eal_open(cfg, options.dpdk_log, &huge);
		if (!status) {
			status = run(cfg, &mirror);
			dp_eal_close();
		}
		if (status == DP_EXIT_NO_HUGE)
			status = start_again(&options, cfg->name, argv);
		lc_mirror_close(&mirror);
	}
	cfg_free(cfg);
	return status;
}
