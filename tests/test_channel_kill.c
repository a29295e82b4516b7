/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGKILL for real. A child runs side 0's channel on the shared mirror; this process is the
 * network, the far end and both control planes, so that side 0's two planes also run at the same
 * time. Half of the children are killed at a random moment, half kill themselves at a random step
 * between two stores; the next child goes on from the mirror. The model is that of channel_net.h.
 * Time is virtual, kept in memory that both see. */
#include "channel_net.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum {
	SEEDS = 4,
	MESSAGES = 1000, /* each way */
	LIFE_US = 3000,  /* of a child, at most; longer where it shall die at a step */
};

static struct net net;
static uint64_t *clock_ms; /* shared */
static int wire = -1;      /* this end of the socket pair */
static pid_t child;
static unsigned kills, step_kills;
static uint32_t steps_to_live;

static uint64_t real_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- the child */

static void die_at_step(const char *name)
{
	(void)name;
	if (--steps_to_live == 0)
		raise(SIGKILL);
}

static void child_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	(void)context;
	(void)slot;
	if (send(wire, bytes, length, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static uint64_t child_now(void)
{
	return __atomic_load_n(clock_ms, __ATOMIC_ACQUIRE);
}

static void child_live(void)
{
	struct end *e = &net.side[0].end;
	uint8_t bytes[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (steps_to_live != 0)
		lc_channel_step = die_at_step;
	if (lc_channels_attach(&e->channels, &e->mirror, child_transmit, NULL, NULL, child_now()) !=
	    0)
		_exit(1);
	for (;;) {
		ssize_t n = recv(wire, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n == 0)
			_exit(0);
		if (n > 0)
			lc_channels_receive(e->channels, &e->from_peer, bytes, (size_t)n,
					    child_now());
		lc_channels_run(e->channels, child_now(), 4);
	}
}

static void child_start(void)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	steps_to_live = net_random(&net, 2) ? 1 + net_random(&net, 60) : 0;
	child = fork();
	assert_true(child >= 0);
	wire = pair[child == 0];
	close(pair[child != 0]);
	if (child == 0)
		child_live();
}

/* ---- this process */

/* Takes what the child has sent. */
static void child_collect(void)
{
	struct end *e = &net.side[0].end;
	ssize_t n;
	while ((n = recv(wire, e->sent[0].bytes, sizeof(e->sent[0].bytes), MSG_DONTWAIT)) > 0) {
		e->sent[0].length = (uint16_t)n;
		e->n_sent = 1;
		net_collect(&net, 0);
	}
}

static void child_reap(bool wait)
{
	int status;
	if (waitpid(child, &status, wait ? 0 : WNOHANG) != child)
		return;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	child = 0;
	kills++;
	child_collect();
	close(wire);
	wire = -1;
	end_check(&net.side[0].end);
}

static void child_kill(void)
{
	kill(child, SIGKILL);
	child_reap(true);
}

static void far_turn(void)
{
	struct net_packet p;
	struct end *far = &net.side[1].end;
	while (net_arrived(&net, &p)) {
		if (p.to == 1)
			lc_channels_receive(far->channels, &far->from_peer, p.packet.bytes,
					    p.packet.length, net.now);
		else if (child != 0) /* full: lost */
			send(wire, p.packet.bytes, p.packet.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	end_run(far, net.now);
	net_collect(&net, 1);
}

static void play(uint64_t seed)
{
	uint64_t die_at = 0, born_at = 0;
	net_open(&net, seed, MESSAGES, 1000);
	end_attach(&net.side[1].end, net.now);
	while (!net_done(&net)) {
		__atomic_store_n(clock_ms, ++net.now, __ATOMIC_RELEASE);
		assert_true(net.now < 100 * 3600 * 1000);
		if (child == 0 && net.now >= born_at) {
			child_start();
			die_at = real_us() +
				 (steps_to_live != 0 ? 10 * LIFE_US : net_random(&net, LIFE_US));
		}
		if (child != 0) {
			child_collect();
			child_reap(false);
			step_kills += child == 0;
		}
		if (child != 0 && real_us() >= die_at)
			child_kill();
		if (child == 0 && born_at <= net.now)
			born_at = net.now + net_random(&net, 1000);
		for (unsigned k = 0; k < 2; k++)
			if (net_random(&net, 4) == 0)
				net_control(&net, k);
		far_turn();
	}
	if (child != 0)
		child_kill();
	net_close(&net);
}

static void each_message_arrives_once_across_kills(void **state)
{
	(void)state;
	clock_ms = mmap(NULL, sizeof(*clock_ms), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	assert_true(clock_ms != MAP_FAILED);
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		play(seed);
	print_message("%u kills, %u at a step\n", kills, step_kills);
	assert_true(step_kills > 10 && kills - step_kills > 10);
	munmap(clock_ms, sizeof(*clock_ms));
}

static int teardown(void **state)
{
	(void)state;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(each_message_arrives_once_across_kills, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
