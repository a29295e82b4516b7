/* SPDX-License-Identifier: BSD-3-Clause */
/* The network: loses, repeats, delays and so reorders; is cut now and then.
 *
 * It is fair outside of partitions: of one message at most loss_cap copies are lost, and of bare acknowledgements of
 * one channel at most loss_cap in a row. So retransmissions do not run out but for a partition or an outage,
 * and a channel that dies needs an excuse that the seed gives. */
#include "sim_world.h"

#include <stdlib.h>
#include <string.h>

void sim_net_start(struct sim *sim)
{
	struct sim_net *net = &sim->net;

	if (net->packets == NULL)
		net->packets = malloc(SIM_FLYING * sizeof(*net->packets));
	if (net->packets == NULL)
		sim_fail(sim, "no memory for the network");
	net->n = 0;
	net->n_unused = SIM_FLYING;
	for (unsigned i = 0; i < SIM_FLYING; i++)
		net->unused[i] = SIM_FLYING - 1 - i;
	memset(net->cut, 0, sizeof(net->cut));
	memset(net->lost, 0, sizeof(net->lost));
	memset(net->acks_lost, 0, sizeof(net->acks_lost));
}

static bool before(const struct sim_net *net, uint32_t a, uint32_t b)
{
	const struct sim_packet *p = &net->packets[a], *q = &net->packets[b];
	return p->at != q->at ? p->at < q->at : p->order < q->order;
}

static void push(struct sim_net *net, uint32_t packet)
{
	unsigned i = net->n++;

	for (; i > 0 && before(net, packet, net->heap[(i - 1) / 2]); i = (i - 1) / 2)
		net->heap[i] = net->heap[(i - 1) / 2];
	net->heap[i] = packet;
}

static uint32_t pop(struct sim_net *net)
{
	uint32_t first = net->heap[0], last = net->heap[--net->n];
	unsigned i = 0;

	for (unsigned child; (child = 2 * i + 1) < net->n; i = child) {
		if (child + 1 < net->n && before(net, net->heap[child + 1], net->heap[child]))
			child++;
		if (!before(net, net->heap[child], last))
			break;
		net->heap[i] = net->heap[child];
	}
	net->heap[i] = last;
	return first;
}

/* How often the message with this key was lost. */
static unsigned *times_lost(struct sim *sim, uint64_t key)
{
	struct sim_net *net = &sim->net;
	unsigned i = (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 51);

	for (unsigned tries = 0; tries < SIM_LOST; tries++, i = (i + 1) % SIM_LOST) {
		if (net->lost[i].key == 0)
			net->lost[i].key = key;
		if (net->lost[i].key == key)
			return &net->lost[i].n;
	}
	sim_fail(sim, "the simulator lost more messages than it can remember");
}

/* Chance says that this copy is lost. May it be? */
static bool may_lose(struct sim *sim, unsigned from, uint32_t slot, const uint8_t *bytes,
		     size_t length)
{
	const struct sim_plan *plan = &sim->plan;
	unsigned *n = &sim->net.acks_lost[from][slot];

	if (length > LC_L2TP_CONTROL_SIZE) {
		/* A number goes with one message in one life of a channel. */
		union lc_tunnel_door door =
		    lc_tunnel_door_read(&sim->party[from].mirror.tunnels[slot]);
		uint64_t tenant = (uint64_t)door.id << 8 | door.generation;
		n = times_lost(sim, UINT64_C(1) << 60 | (uint64_t)from << 56 | tenant << 24 |
					(uint64_t)lc_get16(bytes + 8) << 8 | 1);
	}
	if (*n >= plan->loss_cap)
		return false;
	++*n;
	return true;
}

static void put_under_way(struct sim *sim, unsigned from, unsigned to, const uint8_t *bytes,
			  size_t length)
{
	struct sim_net *net = &sim->net;

	if (net->n_unused == 0)
		sim_fail(sim, "more than %u packets under way", SIM_FLYING);
	uint32_t number = net->unused[--net->n_unused];
	struct sim_packet *p = &net->packets[number];
	unsigned delay = sim->plan.delay_min;
	if (sim->plan.delay > delay)
		delay = sim_between(sim, delay, sim->plan.delay);
	p->at = sim->now + delay;
	p->order = sim_random(sim, UINT32_MAX);
	p->from = from;
	p->to = to;
	p->length = (uint16_t)length;
	memcpy(p->bytes, bytes, length);
	push(net, number);
}

void sim_net_send(struct sim *sim, unsigned from, uint32_t slot, unsigned to, const uint8_t *bytes,
		  size_t length)
{
	if (sim->now < sim->net.cut[from][to]) {
		if (sim->trace)
			sim_say(sim, from, "    cut off: lost");
		return;
	}
	if (!sim->whole && sim_chance(sim, sim->plan.loss) &&
	    may_lose(sim, from, slot, bytes, length)) {
		if (sim->trace)
			sim_say(sim, from, "    lost");
		return;
	}
	if (length == LC_L2TP_CONTROL_SIZE)
		sim->net.acks_lost[from][slot] = 0;
	unsigned copies = 1;
	while (copies < 4 && sim_chance(sim, sim->plan.repeat))
		copies++;
	for (unsigned i = 0; i < copies; i++)
		put_under_way(sim, from, to, bytes, length);
}

const struct sim_packet *sim_net_take(struct sim *sim)
{
	struct sim_net *net = &sim->net;

	if (net->n == 0 || net->packets[net->heap[0]].at > sim->now)
		return NULL;
	uint32_t number = pop(net);
	net->unused[net->n_unused++] = number;
	return &net->packets[number];
}

uint64_t sim_net_next(const struct sim *sim)
{
	return sim->net.n > 0 ? sim->net.packets[sim->net.heap[0]].at : UINT64_MAX;
}
