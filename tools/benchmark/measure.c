/* SPDX-License-Identifier: BSD-3-Clause */
/* The data plane publishes its ports' counters now and then. An interval runs from one such moment
 * to another, seen within LOOK_US, so that it does not matter how often they come. Its length is
 * counted in the worker's CPU time, which other processes on its core do not change. */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

enum {
	LOOK_US = 100,
	READY_MS = 20000,
	SLACK_MS = 4,
	NEWS_MS = 5500, /* how long to wait for counters that move */
	WARM_UP_MS = 300,
	EARLY_US = 50000, /* so that news that come by the second are not missed by a hair */
};

struct moment {
	uint64_t packets, tsc;
	double when, cpu;
};

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_us(long us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

static int wait_ready(const struct lc_mirror *mirror)
{
	double end = now_s() + READY_MS / 1000.0;
	while (__atomic_load_n(&mirror->header->dataplane.ready, __ATOMIC_ACQUIRE) == 0) {
		if (now_s() > end) {
			fprintf(stderr, "the data plane is not ready after %d s\n",
				READY_MS / 1000);
			return -ETIMEDOUT;
		}
		pause_us(10 * LOOK_US);
	}
	return 0;
}

/* Seconds of CPU that the busiest thread of a process has had: the worker. (The kernel accounts a
 * running thread at each tick: right to a few milliseconds.) */
static double cpu_s(uint64_t pid)
{
	char path[300];
	double most = 0;
	snprintf(path, sizeof(path), "/proc/%llu/task", (unsigned long long)pid);
	DIR *tasks = opendir(path);
	for (struct dirent *task; tasks && (task = readdir(tasks));) {
		unsigned long long ns = 0;
		snprintf(path, sizeof(path), "/proc/%llu/task/%s/schedstat",
			 (unsigned long long)pid, task->d_name);
		FILE *file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fscanf(file, "%llu", &ns) == 1 && (double)ns / 1e9 > most)
			most = (double)ns / 1e9;
		fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return most;
}

/* The moment at which a port's counter is next published. */
static int wait_news(const struct lc_mirror *mirror, uint16_t port, struct moment *moment)
{
	const uint64_t *counter = &mirror->ports[port].tx_packets;
	uint64_t before = __atomic_load_n(counter, __ATOMIC_RELAXED);
	double start = now_s(), looked;
	*moment = (struct moment){.packets = before, .when = start};
	/* News that came while somebody else had this core is of an unknown moment: wait for the next. */
	do {
		before = moment->packets;
		looked = moment->when;
		pause_us(LOOK_US);
		*moment = (struct moment){.packets = __atomic_load_n(counter, __ATOMIC_RELAXED),
					  .tsc = rte_rdtsc(),
					  .when = now_s()};
		if (moment->when > start + NEWS_MS / 1000.0) {
			fprintf(stderr,
				"nothing leaves by port %u, or this machine is too busy to tell\n",
				port);
			return -ETIMEDOUT;
		}
	} while (moment->packets == before || moment->when > looked + SLACK_MS / 1000.0);
	moment->cpu = cpu_s(mirror->header->dataplane.pid);
	return 0;
}

static uint64_t session_packets(const struct roles *roles, const struct lc_mirror *mirror,
				uint32_t slot)
{
	const uint64_t *counter = roles->source == roles->peer
				      ? &mirror->sessions_in[slot].packets
				      : &mirror->sessions_out[slot].packets;
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Reads (before) or compares (after) what each session has carried. */
static void count_sessions(const struct roles *roles, const struct lc_mirror *mirror,
			   uint64_t *before, struct measure *result)
{
	uint32_t slots = mirror->session_mask + 1;
	for (uint32_t i = lc_map_next(mirror->session_map, slots, 0); i != LC_NO_SLOT;
	     i = lc_map_next(mirror->session_map, slots, i + 1)) {
		uint64_t n = session_packets(roles, mirror, i) - before[i];
		if (result == NULL) {
			before[i] = n;
			continue;
		}
		result->sessions += n;
		result->least = n < result->least ? n : result->least;
		result->most = n > result->most ? n : result->most;
	}
}

/* Called before and after: what is left is what was added in between. */
static void count_losses(const struct roles *roles, const struct lc_mirror *mirror,
			 struct measure *result)
{
	const struct lc_port_state *sink = &mirror->ports[roles_index(roles, roles->sink)];
	const struct lc_port_state *source = &mirror->ports[roles_index(roles, roles->source)];
	result->sink_made = sink->rx_packets - result->sink_made;
	result->port_losses = sink->tx_errors + source->rx_missed - result->port_losses;
	for (unsigned c = 0; c < LC_COUNTERS; c++) {
		uint64_t sum = 0;
		for (unsigned reader = 0; reader <= LC_MAX_WORKERS; reader++)
			sum += __atomic_load_n(&mirror->counters[reader][c], __ATOMIC_RELAXED);
		result->counters[c] = sum - result->counters[c];
	}
}

static int check_source(const struct roles *roles, const struct lc_mirror *mirror)
{
	uint16_t port = roles_index(roles, roles->source);
	if (memcmp(mirror->ports[port].mac, roles_source_mac, 6) == 0)
		return 0;
	fprintf(
	    stderr,
	    "port %s has not the MAC address that its frames are made for: DPDK's net_pcap has changed\n",
	    roles->source->name);
	return -EADDRNOTAVAIL;
}

int measure_run(const struct roles *roles, struct lc_mirror *mirror, double seconds,
		struct measure *result)
{
	uint16_t sink = roles_index(roles, roles->sink);
	struct moment first = {0}, last = {0};
	uint64_t *before = calloc((size_t)mirror->session_mask + 1, sizeof(*before));
	int error = before == NULL ? -ENOMEM : wait_ready(mirror);

	*result = (struct measure){.least = UINT64_MAX};
	if (error == 0)
		error = check_source(roles, mirror);
	if (error == 0) {
		pause_us(WARM_UP_MS * 1000);
		error = wait_news(mirror, sink, &first);
	}
	if (error == 0) {
		count_sessions(roles, mirror, before, NULL);
		count_losses(roles, mirror, result);
		pause_us((long)(seconds * 1e6) - EARLY_US);
		error = wait_news(mirror, sink, &last);
	}
	if (error == 0) {
		count_sessions(roles, mirror, before, result);
		count_losses(roles, mirror, result);
		result->packets = last.packets - first.packets;
		result->seconds = last.cpu - first.cpu;
		result->share = result->seconds / (last.when - first.when);
		result->tsc_hz = (double)(last.tsc - first.tsc) / (last.when - first.when);
	}
	if (error) {
		*result = (struct measure){0};
		count_losses(roles, mirror, result);
	}
	free(before);
	return error;
}
