/* SPDX-License-Identifier: BSD-3-Clause */
/* A restart's length is traffic's gap: no telemetry, no PCI bus where no port is on it, no memory
 * that is not needed. */
#include "dp_eal.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_pdump.h>

#include "dp.h"
#include "dp_port.h"

enum {
	ARGUMENTS = 24 + 2 * CFG_MAX_PORTS,
	OVERHEAD = 256,         /* octets of a packet buffer besides the packet */
	REST = 48 * 1024 * 1024 /* octets for all but packet buffers: rings, graphs, devices */
};

struct arguments {
	char *list[ARGUMENTS + 1];
	int n;
};

static void add(struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct arguments *arguments, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	if (arguments->n < ARGUMENTS &&
	    vasprintf(&arguments->list[arguments->n], format, list) >= 0)
		arguments->n++;
	va_end(list);
}

/* The cores that this process may use, as "(0,1,5)". */
static void all_cores(char *text, size_t size)
{
	cpu_set_t set;
	size_t at = 0;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		CPU_ZERO(&set);
	for (unsigned i = 0; i < CPU_SETSIZE && at + 8 < size; i++)
		if (CPU_ISSET(i, &set))
			at +=
			    (size_t)snprintf(text + at, size - at, "%c%u", at == 0 ? '(' : ',', i);
	snprintf(text + at, size - at, at ? ")" : "(0)");
}

static void add_cores(struct arguments *arguments, const struct cfg_dataplane *c)
{
	char all[1024], text[4096];
	size_t at = 0;
	all_cores(all, sizeof(all));
	for (unsigned i = 0; i <= c->n_workers && at < sizeof(text); i++) {
		int core = i == 0 ? c->main_core : c->worker_cores[i - 1];
		const char *comma = i == 0 ? "" : ",";
		if (core < 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u@%s", comma, i,
					       all);
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u@%d", comma, i,
					       core);
	}
	add(arguments, "--lcores=%s", text);
	add(arguments, "--main-lcore=0");
}

/* PCI devices are named DOMAIN:BUS:SLOT.FUNCTION; virtual ones begin with their driver. */
static bool add_devices(struct arguments *arguments, const struct cfg *cfg)
{
	bool any = false;
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const char *device = cfg->ports[i].device;
		unsigned domain, bus, slot, function;
		if (sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
			continue;
		add(arguments, "-a");
		add(arguments, "%s", device);
		any = true;
	}
	if (!any) {
		add(arguments, "--no-pci");
		add(arguments, "--iova-mode=va");
	}
	return any;
}

static uint64_t file_number(const char *path)
{
	unsigned long long value = 0;
	FILE *file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%llu", &value) != 1)
			value = 0;
		fclose(file);
	}
	return value;
}

/* Octets of free hugepages of all sizes. */
static uint64_t free_hugepages(void)
{
	uint64_t total = 0;
	glob_t found;
	if (glob("/sys/kernel/mm/hugepages/hugepages-*kB", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			char path[256];
			unsigned long long kb = 0;
			if (sscanf(strrchr(found.gl_pathv[i], '/'), "/hugepages-%llukB", &kb) != 1)
				continue;
			snprintf(path, sizeof(path), "%s/free_hugepages", found.gl_pathv[i]);
			total += file_number(path) * kb * 1024;
		}
		globfree(&found);
	}
	return total;
}

/* Octets that EAL left behind: of our predecessor, if it was killed, and then EAL takes them back; or
 * our own, to be removed. mounted: is there a hugetlbfs at all? */
static uint64_t left_hugepages(const char *prefix, bool *mounted, bool removed)
{
	uint64_t total = 0;
	struct mntent *mount;
	FILE *mounts = setmntent("/proc/mounts", "re");
	*mounted = false;
	while (mounts && (mount = getmntent(mounts))) {
		if (strcmp(mount->mnt_type, "hugetlbfs") != 0)
			continue;
		*mounted = true;
		char pattern[512];
		glob_t found;
		snprintf(pattern, sizeof(pattern), "%s/%smap_*", mount->mnt_dir, prefix);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		struct stat status;
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (stat(found.gl_pathv[i], &status) == 0)
				total += (uint64_t)status.st_size;
			if (removed)
				(void)unlink(found.gl_pathv[i]);
		}
		globfree(&found);
	}
	if (mounts)
		endmntent(mounts);
	return total;
}

static bool has_hugepages(const struct cfg *cfg, const char *prefix)
{
	uint64_t room = 0;
	for (unsigned i = 0; i < cfg->n_ports; i++)
		room = RTE_MAX(room, (uint64_t)dp_port_room(&cfg->ports[i]));
	uint64_t needed = cfg->dataplane.mbufs * (room + OVERHEAD) + REST;
	bool mounted;
	uint64_t there = left_hugepages(prefix, &mounted, false) + free_hugepages();
	if (mounted && there >= needed)
		return true;
	fprintf(
	    stderr,
	    "warmline-dataplane: warning: %s: %llu MB of hugepages wanted, %llu MB free%s: ordinary pages it is, "
	    "slower, and dpdk-dumpcap cannot attach (echo %llu > /proc/sys/vm/nr_hugepages)\n",
	    cfg->name, (unsigned long long)(needed >> 20), (unsigned long long)(there >> 20),
	    mounted ? "" : ", no hugetlbfs mounted", (unsigned long long)(needed >> 21) + 1);
	return false;
}

static void on_tick(int signal_number)
{
}

/* EAL finds the clock's frequency by sleeping for 100 ms, and reckons with the time that it really slept. A signal wakes
 * it earlier: 10 ms are enough to round to 10 MHz. *timer is to be deleted afterwards. */
static bool hurry(timer_t *timer)
{
	const struct itimerspec often = {.it_value.tv_nsec = 10000000,
					 .it_interval.tv_nsec = 10000000};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
	struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	event._sigev_un._tid = gettid();
	return sigaction(SIGALRM, &action, NULL) == 0 &&
	       timer_create(CLOCK_MONOTONIC, &event, timer) == 0 &&
	       timer_settime(*timer, 0, &often, NULL) == 0;
}

int dp_eal_open(const struct cfg *cfg, const char *log_level, bool *huge)
{
	struct arguments arguments = {.n = 0};
	char prefix[CFG_NAME_MAX + 16];
	snprintf(prefix, sizeof(prefix), "warmline-%s", cfg->name);
	add(&arguments, "warmline-dataplane");
	add(&arguments, "--file-prefix=%s", prefix);
	add(&arguments, "--no-telemetry");
	add(&arguments, "--log-level=%s", log_level);
	add_cores(&arguments, &cfg->dataplane);
	bool pci = add_devices(&arguments, cfg);
	*huge = *huge && cfg->dataplane.hugepages && has_hugepages(cfg, prefix);
	if (!*huge) {
		add(&arguments, "--no-huge");
		add(&arguments, "-m");
		add(&arguments, "%u", cfg->dataplane.memory_mb);
	}
	/* Drivers of real devices are left in peace. */
	timer_t timer;
	bool hurried = !pci && hurry(&timer);
	int done = rte_eal_init(arguments.n, arguments.list);
	if (hurried)
		timer_delete(timer);
	/* rte_eal_init() keeps pointers into the arguments, not to their list: they live as long as
	 * the process. */
	if (done < 0 && *huge)
		return DP_EXIT_NO_HUGE;
	if (done < 0) {
		fprintf(
		    stderr,
		    "warmline-dataplane: %s: DPDK did not start: %s (is another process with file prefix %s "
		    "running? --dpdk-log info tells more)\n",
		    cfg->name, rte_strerror(rte_errno), prefix);
		return DP_EXIT_SETUP;
	}
	/* Without hugepages there is no memory that a capturing process could share. */
	if (*huge && rte_pdump_init() < 0)
		fprintf(stderr, "warmline-dataplane: warning: %s: ports cannot be captured: %s\n",
			cfg->name, rte_strerror(rte_errno));
	return 0;
}

/* EAL leaves its directory behind, and the page of what was never freed. (After a SIGKILL our
 * successor uses them again.) */
static void remove_runtime_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	while (directory && (entry = readdir(directory)))
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
	(void)rmdir(path);
}

void dp_eal_close(void)
{
	char directory[PATH_MAX];
	bool mounted;
	snprintf(directory, sizeof(directory), "%s", rte_eal_get_runtime_dir());
	(void)rte_pdump_uninit();
	(void)rte_eal_cleanup();
	remove_runtime_directory(directory);
	(void)left_hugepages(strrchr(directory, '/') + 1, &mounted,
			     true); /* its name is the prefix */
}
