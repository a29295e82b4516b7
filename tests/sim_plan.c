/* SPDX-License-Identifier: BSD-3-Clause */
/* What the seed says, drawn before anything happens. */
#include "sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TUNNELS = 12,  /* limits.tunnels */
	SETTLE_MS = 15000, /* for tunnels and calls to be set up */
};

static unsigned one_of(struct sim *sim, const unsigned *values, unsigned n)
{
	return values[sim_random(sim, n)];
}

#define ONE_OF(sim, ...)                                                                           \
	one_of(sim, (const unsigned[]){__VA_ARGS__},                                               \
	       sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

/* ---- who there is ---- */

static void draw_parties(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;
	static const unsigned middle[10] = {SIM_LNS, SIM_LNS, SIM_LNS, SIM_LNS, SIM_LNS,
					    SIM_LNS, SIM_LNS, SIM_LAC, SIM_LAC, SIM_LAC | SIM_LNS};
	unsigned shape = sim_random(sim, 10);

	plan->n_parties = shape < 5 ? 2 : 3;
	plan->role[0] = SIM_LAC;
	plan->role[1] = middle[shape];
	plan->role[2] = SIM_LNS;
	for (unsigned lac = 0; lac < plan->n_parties; lac++)
		for (unsigned lns = lac + 1; lns < plan->n_parties; lns++) {
			if (!(plan->role[lac] & SIM_LAC) || !(plan->role[lns] & SIM_LNS))
				continue;
			for (unsigned n = sim_chance(sim, 25) ? 2 : 1; n > 0; n--)
				plan->links[plan->n_links++] = (struct sim_link){
				    .lac = lac,
				    .lns = lns,
				    .subscribers =
					sim_chance(sim, 10) ? 0 : sim_between(sim, 1, 8)};
		}
}

/* ---- how they are configured ---- */

static enum cfg_method draw_method(struct sim *sim)
{
	return (enum cfg_method)ONE_OF(
	    sim, CFG_METHOD_SILENT_FAILOVER, CFG_METHOD_SILENT_FAILOVER, CFG_METHOD_FALLBACK,
	    CFG_METHOD_FALLBACK, CFG_METHOD_FALLBACK, CFG_METHOD_FAILOVER_PROTOCOL,
	    CFG_METHOD_FAILOVER_PROTOCOL, CFG_METHOD_FAILOVER_PROTOCOL, CFG_METHOD_DISABLE);
}

/* Retransmissions: enough for what the network may lose, and some more; in a wild world, whatever. */
static unsigned draw_retransmissions(struct sim *sim)
{
	if (sim->plan.mood == SIM_WILD)
		return sim_between(sim, 1, 10);
	return sim_between(sim, 2 * sim->plan.loss_cap + 5, 12);
}

/* A cycle that is too short for the way there and back would never set anything up. */
static void lengthen(const struct sim *sim, const struct cfg_retransmission *r, unsigned *times)
{
	const struct sim_plan *plan = &sim->plan;
	uint64_t needed = 2 * plan->delay + 4 * plan->stall_ms + 1000, sum = 0, interval;

	for (;; ++*times) {
		interval = r->interval_ms;
		sum = 0;
		for (unsigned i = 0; i <= *times; i++) {
			sum += interval;
			interval =
			    2 * interval < r->max_interval_ms ? 2 * interval : r->max_interval_ms;
		}
		if (sum >= needed)
			return;
	}
}

static void draw_policy(struct sim *sim, struct sim_policy *p)
{
	*p = (struct sim_policy){
	    .method = draw_method(sim),
	    .scoped = sim_chance(sim, 40),
	    .sequencing = sim_chance(sim, 20),
	    .window = ONE_OF(sim, 1, 2, 4, 16, 64),
	    .hello_s = ONE_OF(sim, 3, 5, 10, 20, 60),
	    .max_sessions = 65535,
	    .retransmission = {.established = draw_retransmissions(sim),
			       .not_established = draw_retransmissions(sim),
			       .interval_ms = ONE_OF(sim, 200, 500, 1000, 1000),
			       .max_interval_ms = ONE_OF(sim, 8000, 16000)},
	    .failover = {.control = !sim_chance(sim, 7),
			 .data = !sim_chance(sim, 20),
			 .recovery_time_ms = ONE_OF(sim, 0, 1000, 5000, 20000, 60000, 900000),
			 .farewell_capability = !sim_chance(sim, 25),
			 .data_reset_packets = ONE_OF(sim, 1, 5, 255)},
	};
	p->failover.data |= !p->failover.control;
	lengthen(sim, &p->retransmission, &p->retransmission.established);
	lengthen(sim, &p->retransmission, &p->retransmission.not_established);
}

static void draw_pair(struct sim *sim, unsigned lac, unsigned lns)
{
	struct sim_plan *plan = &sim->plan;
	struct sim_policy *a = &plan->policy[lac][lns], *b = &plan->policy[lns][lac];

	if (a->window != 0)
		return;
	draw_policy(sim, a);
	draw_policy(sim, b);
	if (sim_chance(sim, 60)) { /* the same at both ends, as an operator would */
		b->method = a->method;
		b->scoped = a->scoped = true;
	}
	if (sim_chance(sim, 20))
		a->max_sessions = sim_between(sim, 1, 6);
	if (!sim_chance(sim, 50))
		return;
	snprintf(plan->password[lac][lns], sizeof(plan->password[lac][lns]), "secret%u",
		 sim_random(sim, 1000));
	memcpy(plan->password[lns][lac], plan->password[lac][lns],
	       sizeof(plan->password[lns][lac]));
	a->hide = sim_chance(sim, 40);
	b->hide = sim_chance(sim, 40);
}

/* ---- the network ---- */

static void draw_network(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;

	plan->loss_cap = sim_random(sim, 3);
	plan->loss = plan->loss_cap == 0 ? 0 : ONE_OF(sim, 2, 10, 30, 60);
	plan->repeat = ONE_OF(sim, 0, 0, 5, 30);
	plan->delay = ONE_OF(sim, 0, 1, 20, 20, 200, 1000, 2000);
	plan->delay_min = sim_chance(sim, 50) ? 0 : plan->delay / 2;
	plan->stall = ONE_OF(sim, 0, 0, 2, 10);
	plan->stall_ms = ONE_OF(sim, 2, 20, 200);
	plan->buffers = ONE_OF(sim, 128, 256);
	plan->scrambled =
	    sim_chance(sim, 50) || plan->mood == SIM_WILD; /* a cold start gives IDs anew */
}

/* ---- trouble ---- */

static unsigned draw_outage(struct sim *sim, uint64_t patience)
{
	unsigned most = patience > 120000 ? 120000 : (unsigned)patience;

	switch (sim_random(sim, 8)) {
	case 0:
		return 0;
	case 1:
	case 2:
		return sim_random(sim, 100);
	case 3:
	case 4:
		return sim_random(sim, 1500);
	case 5:
		return sim_random(sim, most / 8 + 1);
	case 6:
		return sim_random(sim, most / 3 + 1);
	default:
		return sim->plan.mood == SIM_WILD ? sim_random(sim, 90000)
						  : sim_random(sim, most / 2 + 1);
	}
}

/* The least patience that anybody has with a party. */
static uint64_t patience_with(struct sim *sim, unsigned party)
{
	uint64_t least = 60000;

	for (unsigned q = 0; q < sim->plan.n_parties; q++) {
		if (sim->plan.policy[party][q].window == 0)
			continue;
		uint64_t patience = sim_promise_patience(sim, party, q);
		least = patience < least ? patience : least;
	}
	return least;
}

/* As long as the peer has been asked to wait, or less. */
static unsigned draw_recovery(struct sim *sim, const struct sim_fault *f)
{
	enum { LONGEST_MS = 300000 };
	unsigned most = sim->plan.policy[f->party][f->other].failover.recovery_time_ms;

	return sim_random(sim, (most < LONGEST_MS ? most : LONGEST_MS) + 1);
}

static void draw_fault(struct sim *sim, uint64_t at)
{
	struct sim_plan *plan = &sim->plan;
	const struct sim_link *link = &plan->links[sim_random(sim, plan->n_links)];
	bool swap = sim_chance(sim, 50);
	struct sim_fault *f = &plan->faults[plan->n_faults++];

	*f = (struct sim_fault){.at = at,
				.party = swap ? link->lac : link->lns,
				.other = swap ? link->lns : link->lac,
				.kind = (enum sim_fault_kind)ONE_OF(
				    sim, SIM_KILL_CONTROL, SIM_KILL_CONTROL, SIM_KILL_CONTROL,
				    SIM_KILL_CONTROL, SIM_KILL_DATA, SIM_KILL_BOTH, SIM_PARTITION),
				.one_way = sim_chance(sim, 25),
				.steps = sim_chance(sim, 60) ? sim_between(sim, 1, 60) : 0,
				.times = sim_chance(sim, 25) ? sim_between(sim, 2, 5) : 1,
				.notice = sim_chance(sim, 60) ? (int)sim_random(sim, 50) : -1};
	if (plan->mood == SIM_WILD && sim_chance(sim, 12))
		f->kind = SIM_COLD_START;
	f->outage = draw_outage(sim, patience_with(sim, f->party));
	if (plan->mood == SIM_WILD && f->kind == SIM_PARTITION && sim_chance(sim, 30))
		f->outage = sim_between(sim, 10000, 150000);
	if (f->times > 1)
		f->outage /= 4;
	else if (plan->mood == SIM_FAIR && f->kind != SIM_PARTITION && sim_chance(sim, 15))
		f->outage += draw_recovery(sim, f);
}

/* Bouts of trouble with enough peace between them that each is on its own. */
static void draw_faults(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;
	uint64_t at = SIM_START + (sim_chance(sim, 20) ? 0u : SETTLE_MS) + sim_random(sim, 10000);
	uint64_t peace = 1000, patience = 60000;

	for (unsigned i = 0; i < plan->n_links; i++) {
		const struct sim_link *l = &plan->links[i];
		uint64_t cycle = sim_promise_cycle(sim, l->lac, l->lns);
		uint64_t least = sim_promise_patience(sim, l->lac, l->lns);
		peace = cycle > peace ? cycle : peace;
		patience = least < patience ? least : patience;
	}
	unsigned bouts = plan->mood == SIM_CALM ? 0 : sim_between(sim, 1, 3);
	for (unsigned bout = 0; bout < bouts; bout++) {
		uint64_t end = at;
		for (unsigned n = sim_chance(sim, 50) ? 1 : sim_between(sim, 2, 5); n > 0; n--) {
			draw_fault(sim, at);
			uint64_t back = at + plan->faults[plan->n_faults - 1].outage;
			end = back > end ? back : end;
			at += sim_random(sim,
					 (unsigned)(sim_chance(sim, 50) ? 300 : patience / 6 + 1));
		}
		at = (end > at ? end : at) + patience;
		if (plan->mood == SIM_FAIR || sim_chance(sim, 50))
			at += peace + 10000 + sim_random(sim, 20000);
		else
			at += sim_random(sim, 10000);
	}
	plan->trouble_end = at - SIM_START + sim_random(sim, 20000);
}

void sim_plan_draw(struct sim *sim)
{
	struct sim_plan *plan = &sim->plan;
	unsigned mood = sim_random(sim, 20);

	memset(plan, 0, sizeof(*plan));
	plan->mood = mood < 3 ? SIM_CALM : mood < 15 ? SIM_FAIR : SIM_WILD;
	draw_parties(sim);
	draw_network(sim);
	for (unsigned p = 0; p < plan->n_parties; p++)
		plan->global[p] = draw_method(sim);
	for (unsigned i = 0; i < plan->n_links; i++)
		draw_pair(sim, plan->links[i].lac, plan->links[i].lns);
	plan->operator_every = sim_chance(sim, 40) ? sim_between(sim, 1000, 30000) : 0;
	draw_faults(sim);
}

/* ---- the configuration of a party ---- */

struct json {
	size_t length;
	char text[8192];
};

__attribute__((format(printf, 2, 3))) static void put(struct json *j, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(j->text + j->length, sizeof(j->text) - j->length, format, arguments);
	va_end(arguments);
	if (n < 0 || j->length + (size_t)n >= sizeof(j->text))
		abort(); /* the buffer is large enough for SIM_LINKS */
	j->length += (size_t)n;
}

static void put_tunnels(struct sim *sim, struct json *j, unsigned party)
{
	const char *comma = "";

	for (unsigned i = 0; i < sim->plan.n_links; i++) {
		const struct sim_link *l = &sim->plan.links[i];
		if (l->lac != party)
			continue;
		put(j,
		    "%s{\"name\":\"t%u\",\"remote\":\"10.1.0.%u\",\"port\":\"p\",\"password\":\"%s\"}",
		    comma, i, l->lns + 1, sim->plan.password[party][l->lns]);
		comma = ",";
	}
}

/* There is a tunnel from lac to lns. */
static bool is_lac_of(const struct sim *sim, unsigned lac, unsigned lns)
{
	for (unsigned i = 0; i < sim->plan.n_links; i++)
		if (sim->plan.links[i].lac == lac && sim->plan.links[i].lns == lns)
			return true;
	return false;
}

static void put_hosts(struct sim *sim, struct json *j, unsigned party)
{
	const char *comma = "";

	for (unsigned q = 0; q < sim->plan.n_parties; q++) {
		if (!is_lac_of(sim, q, party))
			continue;
		put(j, "%s{\"name\":\"host%u\",\"password\":\"%s\"}", comma, q,
		    sim->plan.password[party][q]);
		comma = ",";
	}
}

static void put_subscribers(struct sim *sim, struct json *j, unsigned party)
{
	const char *comma = "";

	for (unsigned i = 0; i < sim->plan.n_links; i++) {
		const struct sim_link *l = &sim->plan.links[i];
		if (l->subscribers == 0 || (l->lac != party && l->lns != party))
			continue;
		put(j, "%s{\"name\":\"t%u-%s\",\"count\":%u,", comma, i,
		    l->subscribers > 1 ? "{}" : "1", l->subscribers);
		if (l->lac == party)
			put(j,
			    "\"port\":\"a\",\"tunnel\":\"t%u\",\"mac\":\"02:00:00:00:%02x:00\","
			    "\"pppoe_session\":%u}",
			    i, i, 1 + 100 * i);
		else
			put(j, "\"ipv4\":\"10.64.%u.1\"}", i);
		comma = ",";
	}
}

static void apply_policy(const struct sim *sim, struct cfg_tunnel_policy *to, unsigned party,
			 unsigned peer)
{
	const struct sim_policy *from = &sim->plan.policy[party][peer];

	to->method = from->scoped ? from->method : sim->plan.global[party];
	to->method_scope = !from->scoped                 ? CFG_SCOPE_GLOBAL
			   : is_lac_of(sim, party, peer) ? CFG_SCOPE_TUNNEL
							 : CFG_SCOPE_PROFILE;
	to->hello_interval_s = from->hello_s;
	to->receive_window = from->window;
	to->retransmission = from->retransmission;
	to->failover = from->failover;
	to->hide_avps = from->hide;
	to->data_sequencing = from->sequencing;
	to->max_sessions = from->max_sessions;
}

struct cfg *sim_plan_configure(struct sim *sim, unsigned party)
{
	static struct json j;
	struct cfg_errors errors;

	j.length = 0;
	put(&j,
	    "{\"chassis\":{\"name\":\"p%u\"},\"limits\":{\"tunnels\":%u,\"sessions\":%u,"
	    "\"message_buffers\":%u},\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
	    "{\"name\":\"a\",\"device\":\"x\",\"facing\":\"access\"},"
	    "{\"name\":\"c\",\"device\":\"y\",\"facing\":\"core\",\"address\":\"10.2.0.1/24\"},"
	    "{\"name\":\"p\",\"device\":\"z\",\"facing\":\"peer\",\"address\":\"10.1.0.%u/24\"}]}],"
	    "\"l2tp\":{\"host_name\":\"host%u\",\"tunnels\":[",
	    party, MAX_TUNNELS, SIM_SESSIONS, sim->plan.buffers, party + 1, party);
	put_tunnels(sim, &j, party);
	put(&j, "]");
	if (sim->plan.role[party] & SIM_LNS) {
		put(&j, ",\"destination_profiles\":[{\"name\":\"isp\",\"address\":\"10.1.0.0/24\","
			"\"remote_hosts\":[");
		put_hosts(sim, &j, party);
		put(&j, "]}]");
	}
	put(&j, "},");
	if (sim->seed % 8 == 5) /* no draw: the other seeds stay as they are */
		put(&j, "\"radius\":{\"link_accounting\":true,\"interim_interval\":60,"
			"\"accounting_servers\":[{\"address\":\"10.9.0.1\",\"secret\":\"s\"}]},");
	put(&j, "\"subscribers\":[");
	put_subscribers(sim, &j, party);
	put(&j, "]}");
	struct cfg *cfg = cfg_parse(j.text, j.length, "simulated", &errors);
	if (cfg == NULL)
		sim_fail(sim, "configuration: %s: %s\n%s", errors.list[0].path, errors.list[0].text,
			 j.text);
	cfg_errors_free(&errors);
	for (unsigned i = 0; i < cfg->n_tunnels; i++)
		apply_policy(sim, &cfg->tunnels[i].policy, party,
			     cfg->tunnels[i].remote - sim_address(0));
	for (unsigned i = 0; cfg->n_profiles > 0 && i < cfg->profiles[0].n_hosts; i++) {
		struct cfg_remote_host *host = &cfg->profiles[0].hosts[i];
		apply_policy(sim, &host->policy, party, (unsigned)(host->name[4] - '0'));
	}
	return cfg;
}
