/* SPDX-License-Identifier: BSD-3-Clause */
/* Time: whatever is due at a moment is done, in an order that chance decides, a turn at a time; then comes the next
 * moment at which anything is due. */
#include "sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 2000,    /* between two looks whether all is at rest */
	LASTING_MS = 5000, /* and a HELLO's interval: as long it must last */
};

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list arguments;
	uint64_t ms = sim->now - SIM_START;

	int n =
	    snprintf(sim->failure, sizeof(sim->failure),
		     "at %llu.%03u s: ", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
	va_start(arguments, format);
	vsnprintf(sim->failure + n, sizeof(sim->failure) - (size_t)n, format, arguments);
	va_end(arguments);
	longjmp(sim->failed, 1);
}

/* Everything that is due now. Marks that one party leaves another are seen in the next round: so two without
 * anything to do. */
static void settle(struct sim *sim)
{
	unsigned n = sim->plan.n_parties;

	sim_faults_run(sim);
	for (unsigned idle = 0, spins = 0; idle < 2; spins++) {
		const struct sim_packet *packet;
		bool worked = false;
		unsigned first = sim_random(sim, n);

		if (spins > SIM_SPINS)
			sim_fail(sim, "there is something to do for ever");
		for (unsigned i = 0; i < n; i++) {
			struct sim_party *p = &sim->party[(first + i) % n];
			worked = sim_party_live(p) || worked;
			worked = sim_party_control(p) || worked;
			worked = sim_party_data(p) || worked;
		}
		if ((packet = sim_net_take(sim)) != NULL) {
			sim_party_receive(&sim->party[packet->to], packet);
			worked = true;
		}
		idle = worked ? 0 : idle + 1;
	}
}

static uint64_t next_moment(const struct sim *sim)
{
	uint64_t next = sim_net_next(sim), at = sim_faults_next(sim);

	next = at < next ? at : next;
	for (unsigned i = 0; i < sim->plan.n_parties; i++) {
		at = sim_party_next(&sim->party[i]);
		next = at < next ? at : next;
	}
	return next > sim->now ? next : sim->now + 1;
}

/* Until a moment. */
static void pass(struct sim *sim, uint64_t until)
{
	while (sim->now < until) {
		uint64_t next = next_moment(sim);
		sim->now = next < until ? next : until;
		settle(sim);
	}
}

static uint64_t longest_hello(const struct sim *sim)
{
	unsigned longest = 0;

	for (unsigned i = 0; i < SIM_PARTIES * SIM_PARTIES; i++) {
		unsigned s = sim->plan.policy[i / SIM_PARTIES][i % SIM_PARTIES].hello_s;
		longest = s > longest ? s : longest;
	}
	return longest * 1000;
}

static void play(struct sim *sim)
{
	char why[400] = "";

	sim_promise_start(sim);
	settle(sim);
	pass(sim, SIM_START + sim->plan.trouble_end);
	uint64_t end = sim->now + sim_rest_patience(sim);
	while (!sim_rest_is(sim, why, sizeof(why))) {
		if (sim->now >= end)
			sim_fail(sim, "no rest: %s", why);
		pass(sim, sim->now + LOOK_MS);
	}
	sim->rested = true;
	if (sim->trace)
		sim_say(sim, SIM_PARTIES, "==== everything is at rest");
	pass(sim, sim->now + longest_hello(sim) + LASTING_MS);
	for (end = sim->now + LASTING_MS; !sim_rest_is(sim, why, sizeof(why));) {
		if (sim->now >= end) /* a HELLO's answer may be under way, and no more */
			sim_fail(sim, "it was at rest, and is not any more: %s", why);
		pass(sim, sim->now + 100);
	}
	sim_rest_account(sim);
}

bool sim_run(struct sim *sim, uint64_t seed, bool trace)
{
	struct sim_stream *streams = sim->streams;
	struct sim_packet *packets = sim->net.packets;
	unsigned room = sim->streams_room;

	memset(sim, 0, sizeof(*sim));
	sim->streams = streams;
	sim->streams_room = room;
	sim->net.packets = packets;
	sim->seed = seed;
	sim->trace = trace;
	sim->now = SIM_START;
	sim->random = seed * UINT64_C(0x9e3779b97f4a7c15);
	if (setjmp(sim->failed) == 0) {
		sim_plan_draw(sim);
		sim_net_start(sim);
		for (unsigned i = 0; i < sim->plan.n_parties; i++)
			sim_party_open(sim, i);
		if (trace)
			sim_say_plan(sim);
		play(sim);
	}
	for (unsigned i = 0; i < sim->plan.n_parties; i++)
		sim_party_close(&sim->party[i]);
	return sim->failure[0] == 0;
}

void sim_free(struct sim *sim)
{
	if (sim == NULL)
		return;
	for (unsigned i = 0; i < sim->streams_room; i++)
		free(sim->streams[i].sent);
	free(sim->streams);
	free(sim->net.packets);
	free(sim);
}
