/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_main_lcore.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "dp_control.h"
#include "dp_counter.h"
#include "dp_idle.h"
#include "dp_port.h"
#include "dp_solicit.h"

enum {
	LINKS = 1024,   /* sessions followed in one turn */
	CHANNELS = 256, /* tunnels served in one turn */
	HOPS_MS = 100,  /* between two looks at the neighbours */
	REPORT_MS = 1000,
	SLEEP_US = 1000, /* longest sleep: workers read this lcore's clock */
};

static uint64_t clock_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* lc_notify: wakes the control plane if it sleeps. A bell that nobody hears is no error: who starts
 * looks first. */
static void ring_bell(void *context)
{
	struct dp_main_lcore *lcore = context;
	uint16_t *waiting = &lcore->dp->mirror.header->control_waiting;
	if (__atomic_exchange_n(waiting, 0, __ATOMIC_SEQ_CST) == 0 || lcore->bell < 0)
		return;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, lcore->bell_path, sizeof(address.sun_path));
	(void)sendto(lcore->bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
		     sizeof(address));
}

int dp_main_lcore_open(struct dp_main_lcore *lcore, struct dp *dp)
{
	*lcore = (struct dp_main_lcore){.dp = dp, .held.dp = dp};
	lcore->counters = dp->mirror.counters[LC_MAX_WORKERS];
	lcore->bell = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (cfg_runtime_path(dp->cfg, "bell", lcore->bell_path, sizeof(lcore->bell_path)) < 0)
		lcore->bell_path[0] = 0;
	/* Before the channels do anything: nothing is sent for a control plane that is gone. */
	dp_watch_open(&lcore->watch, &dp->mirror);
	dp_watch_run(&lcore->watch, dp->now);
	lc_reader_online(&dp->mirror, LC_MAX_WORKERS);
	int error = dp_links_open(&lcore->links, dp);
	if (error == 0)
		error = lc_channels_attach(&lcore->channels, &dp->mirror, dp_control_transmit,
					   ring_bell, lcore, dp->now);
	if (error == 0 && dp->xdp.tunnels != NULL)
		lc_channels_guard(lcore->channels, dp->xdp.tunnels);
	if (error < 0)
		dp_main_lcore_close(lcore);
	return error;
}

void dp_main_lcore_close(struct dp_main_lcore *lcore)
{
	if (lcore->channels)
		lc_channels_detach(lcore->channels);
	lcore->channels = NULL;
	dp_links_close(&lcore->links);
	dp_held_close(&lcore->held);
	dp_watch_close(&lcore->watch);
	if (lcore->bell >= 0)
		close(lcore->bell);
	lc_reader_offline(&lcore->dp->mirror, LC_MAX_WORKERS);
}

static unsigned take_held(struct dp_main_lcore *lcore)
{
	struct rte_mbuf *frames[DP_BURST];
	unsigned n = rte_ring_sc_dequeue_burst(lcore->dp->hold, (void **)frames, DP_BURST, NULL);
	for (unsigned i = 0; i < n; i++)
		dp_held_send(&lcore->held, frames[i]);
	return n + dp_held_run(&lcore->held);
}

/* What takes place by the clock. */
static void tick(struct dp_main_lcore *lcore)
{
	struct dp *dp = lcore->dp;
	if (dp->now >= lcore->next_hops) {
		lcore->next_hops = dp->now + HOPS_MS;
		dp_hops_run(&dp->hops, dp->now, dp_solicit, dp);
	}
	if (dp->now >= lcore->next_report) {
		lcore->next_report = dp->now + REPORT_MS;
		for (unsigned i = 0; i < dp->n_ports; i++)
			dp_port_report(&dp->ports[i], &dp->mirror.ports[i]);
	}
	struct lc_process *self = &dp->mirror.header->dataplane;
	for (unsigned i = 0; self->first_work == 0 && i < dp->n_workers; i++)
		if (__atomic_load_n(&dp->workers[i].forwarded, __ATOMIC_RELAXED) != 0)
			self->first_work = dp->now;
}

/* The epoch that is published is one whose closed doors this turn has followed: a slot that is used
 * anew has no old routes. */
uint32_t dp_main_lcore_turn(struct dp_main_lcore *lcore, uint64_t now)
{
	struct dp *dp = lcore->dp;
	struct lc_reader *reader = &dp->mirror.header->reader[LC_MAX_WORKERS];
	uint64_t epoch = __atomic_load_n(&dp->mirror.header->epoch, __ATOMIC_ACQUIRE);
	atomic_store_explicit(&dp->now, now, memory_order_relaxed);

	dp_watch_run(&lcore->watch, now);
	unsigned followed = dp_links_run(&lcore->links, LINKS);
	dp_xdp_run(dp);
	unsigned received = dp_control_receive(lcore);
	unsigned held = take_held(lcore);
	bool more = lc_channels_run(lcore->channels, now, CHANNELS);
	tick(lcore);
	if (followed < LINKS)
		__atomic_store_n(&reader->seen, epoch, __ATOMIC_RELEASE);
	__atomic_store_n(&reader->beat, now, __ATOMIC_RELEASE);
	return more ? UINT32_MAX : followed + received + held;
}

void dp_main_lcore_run(struct dp_main_lcore *lcore)
{
	struct dp_idle idle;
	dp_idle_init(&idle, lcore->dp->cfg->dataplane.idle_sleep_us);
	while (!atomic_load_explicit(&lcore->dp->stop, memory_order_relaxed)) {
		uint64_t now = clock_ms();
		uint32_t worked = dp_main_lcore_turn(lcore, now);
		uint64_t next = lc_channels_next(lcore->channels);
		uint64_t us = next <= now ? 0 : (next - now) * 1000;
		dp_idle_turn(&idle, worked, us < SLEEP_US ? us : SLEEP_US);
	}
}
