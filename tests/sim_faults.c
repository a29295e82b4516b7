/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to the parties: crashes, partitions, cold starts; and an operator who closes tunnels and sessions, and
 * asks for a resynchronization, as he likes. */
#include "sim_world.h"

#include <errno.h>

/* ---- trouble ---- */

static void cut(struct sim *sim, const struct sim_fault *f)
{
	uint64_t until = sim->now + f->outage;

	if (sim->trace)
		sim_say(sim, f->party, "*** cut off from %s for %u ms%s", sim->party[f->other].name,
			f->outage, f->one_way ? ", one way" : "");
	for (unsigned way = 0; way < (f->one_way ? 1u : 2u); way++) {
		uint64_t *at = way == 0 ? &sim->net.cut[f->party][f->other]
					: &sim->net.cut[f->other][f->party];
		*at = until > *at ? until : *at;
	}
	sim->cut_end = until > sim->cut_end ? until : sim->cut_end;
	sim_promise_look(sim);
}

static void kill_control(struct sim_party *p, const struct sim_fault *f)
{
	p->control_fault = *f;
	if (!p->control_up)
		return;
	if (f->steps != 0)
		p->control_steps = f->steps;
	else
		sim_party_kill_control(p, "between two calls");
}

static void kill_data(struct sim_party *p, const struct sim_fault *f)
{
	p->data_fault = *f;
	if (!p->data_up)
		return;
	if (f->steps != 0)
		p->data_steps = f->steps;
	else
		sim_party_kill_data(p, "between two calls");
}

static void cold(struct sim_party *p, const struct sim_fault *f)
{
	struct sim_fault once = *f;

	once.times = 1;
	once.steps = 0;
	kill_control(p, &once);
	kill_data(p, &once);
	p->control_at = p->data_at = p->sim->now + f->outage;
	p->cold = true;
}

static void strike(struct sim *sim, const struct sim_fault *f)
{
	struct sim_party *p = &sim->party[f->party];

	sim_note(sim, 'f', f->party, &f->kind, sizeof(f->kind));
	switch (f->kind) {
	case SIM_KILL_CONTROL:
	case SIM_KILL_BOTH:
		kill_control(p, f);
		break;
	case SIM_KILL_DATA:
		kill_data(p, f);
		break;
	case SIM_PARTITION:
		cut(sim, f);
		break;
	case SIM_COLD_START:
		cold(p, f);
		break;
	}
}

/* The network is whole, and nobody dies any more. */
static void make_whole(struct sim *sim)
{
	sim->whole = true;
	if (sim->trace)
		sim_say(sim, SIM_PARTIES, "==== the trouble is over");
	for (unsigned i = 0; i < sim->plan.n_parties; i++) {
		struct sim_party *p = &sim->party[i];
		p->control_steps = p->data_steps = 0;
		p->control_fault.times = p->data_fault.times = 0;
		for (unsigned j = 0; j < sim->plan.n_parties; j++)
			if (sim->net.cut[i][j] > sim->now)
				sim->net.cut[i][j] = sim->now;
	}
	sim_promise_look(sim);
}

/* ---- the operator ---- */

struct deed {
	unsigned kind;
	uint16_t tunnel_id, session_id;
};

static int do_deed(struct sim_party *p, const void *argument)
{
	const struct deed *d = argument;
	uint64_t now = p->sim->now;

	switch (d->kind) {
	case 0:
		return cp_engine_close_tunnel(p->engine, d->tunnel_id, 1, "the operator wants it",
					      now);
	case 1:
		return cp_engine_close_session(p->engine, d->tunnel_id, d->session_id, 3,
					       "the operator wants it", now);
	default:
		return cp_engine_resync(p->engine, d->tunnel_id, d->session_id, now);
	}
}

/* The slot of one of those in use; LC_NO_SLOT: there is none. */
static uint32_t any(struct sim *sim, const uint64_t *map, uint32_t n)
{
	uint32_t slot = lc_map_next(map, n, sim_random(sim, n));
	return slot != LC_NO_SLOT ? slot : lc_map_next(map, n, 0);
}

static void operate(struct sim *sim)
{
	static const char *const words[] = {"closes tunnel", "closes session in tunnel",
					    "resynchronizes tunnel"};
	struct sim_party *p = &sim->party[sim_random(sim, sim->plan.n_parties)];
	unsigned lot = sim_random(sim, 10);
	struct deed d = {.kind = lot < 1 ? 0 : lot < 4 ? 1 : 2};

	if (!p->control_up)
		return;
	uint32_t slot = any(sim, d.kind == 1 ? p->mirror.session_map : p->mirror.tunnel_map,
			    d.kind == 1 ? SIM_SESSIONS : SIM_TUNNELS);
	if (slot == LC_NO_SLOT)
		return;
	if (d.kind == 1) {
		d.tunnel_id = p->mirror.sessions[slot].tunnel_id;
		d.session_id = p->mirror.sessions[slot].id;
		sim_promise_release(p, slot);
	} else {
		d.tunnel_id = p->mirror.tunnels[slot].door.id;
		if (d.kind == 0)
			sim_promise_release_tunnel(p, d.tunnel_id);
	}
	if (sim->trace)
		sim_say(sim, p->number, "*** the operator %s %u, session %u", words[d.kind],
			d.tunnel_id, d.session_id);
	int result = sim_party_enter(p, do_deed, &d);
	if (result != -EINTR)
		sim_watch_control(p);
	if (sim->trace && result != 0)
		sim_say(sim, p->number, "    %d", result);
	if (result != 0 && result != -EINTR && result != -EAGAIN && result != -ENOENT &&
	    result != -EOPNOTSUPP)
		sim_fail(sim, "%s answers its operator %d", p->name, result);
}

/* ---- the calendar ---- */

void sim_faults_run(struct sim *sim)
{
	const struct sim_plan *plan = &sim->plan;

	if (sim->whole)
		return;
	while (sim->next_fault < plan->n_faults && plan->faults[sim->next_fault].at <= sim->now) {
		sim_promise_renew(sim);
		strike(sim, &plan->faults[sim->next_fault++]);
	}
	if (plan->operator_every != 0 && sim->now >= sim->next_deed) {
		if (sim->next_deed != 0)
			operate(sim);
		sim->next_deed = sim->now + 1 + sim_random(sim, 2 * plan->operator_every);
	}
	if (sim->now >= SIM_START + plan->trouble_end)
		make_whole(sim);
	else
		sim_promise_look(sim);
}

uint64_t sim_faults_next(const struct sim *sim)
{
	const struct sim_plan *plan = &sim->plan;

	if (sim->whole)
		return UINT64_MAX;
	uint64_t next = SIM_START + plan->trouble_end;
	if (sim->next_fault < plan->n_faults && plan->faults[sim->next_fault].at < next)
		next = plan->faults[sim->next_fault].at;
	if (plan->operator_every != 0 && sim->next_deed < next)
		next = sim->next_deed;
	for (unsigned i = 0; i < plan->n_parties; i++)
		for (unsigned j = 0; j < plan->n_parties; j++)
			if (sim->net.cut[i][j] > sim->now && sim->net.cut[i][j] < next)
				next = sim->net.cut[i][j];
	return next;
}
