/* SPDX-License-Identifier: BSD-3-Clause */
/* Two control channels under virtual time, against the model in channel_net.h: random windows,
 * numbers, loss, repetition, reordering, and control planes of random speed. With crashes: the
 * channel stops for good at a step between two stores (lc_channel_step), nothing is said to
 * anybody, and a new one attaches some time later. */
#include "channel_net.h"

enum {
	MESSAGES = 400, /* each way */
	PLAIN_SEEDS = 200,
	CRASH_SEEDS = 500,
	LONGEST_MS = 10 * 3600 * 1000,
};

static struct net net;
static bool up[2];
static uint64_t up_at[2], control_at[2];
static jmp_buf crash;
static uint32_t steps_to_live; /* 0: for ever */
static unsigned crashes;

static void step(const char *name)
{
	(void)name;
	if (steps_to_live != 0 && --steps_to_live == 0)
		longjmp(crash, 1);
}

static void arm(bool crashing)
{
	steps_to_live = crashing && net_random(&net, 20) == 0 ? 1 + net_random(&net, 8) : 0;
}

/* Its process is gone; what has left before is on its way. */
static void stop(unsigned k)
{
	crashes++;
	net_collect(&net, k);
	lc_channels_detach(net.side[k].end.channels);
	net.side[k].end.channels = NULL;
	up[k] = false;
	up_at[k] = net.now + net_random(&net, net_random(&net, 4) ? 300 : 5000);
}

static void receive(struct net_packet *p, bool crashing)
{
	struct end *e = &net.side[p->to].end;
	if (!up[p->to])
		return;
	arm(crashing);
	if (setjmp(crash) == 0)
		lc_channels_receive(e->channels, &e->from_peer, p->packet.bytes, p->packet.length,
				    net.now);
	else
		stop(p->to);
	net_collect(&net, p->to);
}

static void run(unsigned k, bool crashing)
{
	struct end *e = &net.side[k].end;
	arm(crashing);
	if (setjmp(crash) == 0)
		while (lc_channels_run(e->channels, net.now, 1))
			;
	else
		stop(k);
	net_collect(&net, k);
}

static void turn(unsigned k, bool crashing)
{
	if (!up[k] && up_at[k] <= net.now) {
		end_attach(&net.side[k].end, net.now);
		up[k] = true;
	}
	if (control_at[k] <= net.now) {
		net_control(&net, k);
		control_at[k] = net.now + 1 + net_random(&net, net_random(&net, 10) ? 50 : 4000);
	}
	if (up[k])
		run(k, crashing);
	if (crashing && up[k] && net_random(&net, 300) == 0)
		stop(k);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void go_on(void)
{
	uint64_t next = net_next_arrival(&net);
	for (unsigned k = 0; k < 2; k++)
		next = sooner(
		    next, sooner(control_at[k],
				 up[k] ? lc_channels_next(net.side[k].end.channels) : up_at[k]));
	if (next > net.now)
		net.now = next;
}

static void play(uint64_t seed, bool crashing)
{
	net_open(&net, seed, MESSAGES, 1000);
	for (unsigned k = 0; k < 2; k++) {
		up[k] = false;
		up_at[k] = control_at[k] = net.now;
	}
	for (unsigned i = 0; !net_done(&net); i++) {
		struct net_packet p;
		if (net.now >= LONGEST_MS)
			fail_msg("seed %u: stuck", (unsigned)seed);
		for (unsigned k = 0; k < 2; k++)
			turn(k, crashing);
		while (net_arrived(&net, &p))
			receive(&p, crashing);
		if (i % 64 == 0) {
			end_check(&net.side[0].end);
			end_check(&net.side[1].end);
		}
		go_on();
	}
	steps_to_live = 0;
	net_close(&net);
}

static void each_message_arrives_once_and_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= PLAIN_SEEDS; seed++)
		play(seed, false);
}

static void each_message_arrives_once_across_crashes(void **state)
{
	(void)state;
	crashes = 0;
	lc_channel_step = step;
	for (uint64_t seed = 1; seed <= CRASH_SEEDS; seed++)
		play(seed, true);
	lc_channel_step = NULL;
	print_message("%u crashes\n", crashes);
	assert_true(crashes > CRASH_SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_message_arrives_once_and_in_order),
	    cmocka_unit_test(each_message_arrives_once_across_crashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
