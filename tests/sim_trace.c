/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened: as a hash, and in words. */
#include "sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cp_message.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9ddfea08eb382d69);
	return hash ^ (hash >> 47);
}

void sim_note(struct sim *sim, char what, unsigned who, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t hash = mix(sim->hash, sim->now << 16 | (uint64_t)who << 8 | (uint8_t)what);

	sim->events++;
	for (; length >= 8; length -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		hash = mix(hash, word);
	}
	uint64_t rest = 0;
	if (length > 0)
		memcpy(&rest, at, length);
	sim->hash = mix(hash, rest << 8 | length);
}

void sim_say(struct sim *sim, unsigned who, const char *format, ...)
{
	va_list arguments;
	uint64_t ms = sim->now - SIM_START;

	printf("%6llu.%03u  %-5s ", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000),
	       who < SIM_PARTIES ? sim->party[who].name : "");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* ---- packets ---- */

struct words {
	size_t length;
	char text[1024];
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(w->text + w->length, sizeof(w->text) - w->length, format, arguments);
	va_end(arguments);
	if (n > 0 && w->length + (size_t)n < sizeof(w->text))
		w->length += (size_t)n;
}

static void add_control(struct words *w, const struct cp_message *m)
{
	if (cp_message_has(m, CP_AVP_ASSIGNED_TUNNEL_ID))
		add(w, ", assigned tunnel %u", m->assigned_tunnel_id);
	if (cp_message_has(m, CP_AVP_ASSIGNED_SESSION_ID))
		add(w, ", assigned session %u", m->assigned_session_id);
	if (cp_message_has(m, CP_AVP_RESULT_CODE))
		add(w, ", result %u error %u \"%.*s\"", m->result.code, m->result.error,
		    m->result.text.length, (const char *)m->result.text.bytes);
	if (cp_message_has(m, CP_AVP_TIE_BREAKER))
		add(w, ", tie %016llx", (unsigned long long)m->tie_breaker);
	if (cp_message_has(m, CP_AVP_RECEIVE_WINDOW_SIZE))
		add(w, ", window %u", m->receive_window_size);
	if (cp_message_has(m, CP_AVP_PROXY_AUTHEN_NAME))
		add(w, ", name %.*s", m->proxy_authen_name.length,
		    (const char *)m->proxy_authen_name.bytes);
	if (cp_message_has(m, CP_AVP_CHALLENGE))
		add(w, ", challenge");
	if (cp_message_has(m, CP_AVP_CHALLENGE_RESPONSE))
		add(w, ", response");
}

static void add_failover(struct words *w, const struct cp_message *m)
{
	if (cp_message_has(m, CP_AVP_FAILOVER_CAPABILITY))
		add(w, ", capability%s%s %u ms", m->failover.control ? " C" : "",
		    m->failover.data ? " D" : "", m->failover.recovery_time_ms);
	if (cp_message_has(m, CP_AVP_TUNNEL_RECOVERY))
		add(w, ", recovers %u (there %u)", m->recovery.tunnel_id,
		    m->recovery.remote_tunnel_id);
	if (cp_message_has(m, CP_AVP_SUGGESTED_CONTROL_SEQUENCE))
		add(w, ", suggests Ns %u Nr %u", m->sequence.ns, m->sequence.nr);
	for (unsigned i = 0; i < m->states.n; i++)
		add(w, "%s%u/%u", i == 0 ? ", sessions " : " ", m->states.list[i].session_id,
		    m->states.list[i].remote_session_id);
}

void sim_say_packet(struct sim *sim, unsigned who, const char *what, unsigned from, unsigned to,
		    const uint8_t *bytes, size_t length)
{
	static struct cp_message m; /* large */
	struct words w = {0};
	struct lc_l2tp_header h;

	if (lc_l2tp_parse(bytes, length, &h) != 0) {
		sim_say(sim, who, "%s %zu octets that make no sense", what, length);
		return;
	}
	int type = lc_l2tp_message_type(bytes, length);
	const char *name = lc_l2tp_message_name(type);
	add(&w, "%s %s %s  tunnel %u", what, sim->party[who == from ? to : from].name,
	    name != NULL ? name : "unknown type", h.tunnel_id);
	if (h.session_id != 0)
		add(&w, " session %u", h.session_id);
	add(&w, " Ns %u Nr %u", h.ns, h.nr);
	if (type != LC_MSG_ZLB) {
		cp_message_decode(&m, bytes, length, sim->plan.password[from][to]);
		add_control(&w, &m);
		add_failover(&w, &m);
	}
	sim_say(sim, who, "%s", w.text);
}

/* ---- the plan ---- */

static void say_policy(struct sim *sim, unsigned p, unsigned q)
{
	const struct sim_policy *o = &sim->plan.policy[p][q];

	sim_say(
	    sim, p,
	    "towards %s: %s (%s)%s%s%s, window %u, hello %u s, retransmission %u/%u times %u..%u ms, "
	    "capability%s%s %u ms%s, at most %u sessions",
	    sim->party[q].name, cfg_method_name(o->scoped ? o->method : sim->plan.global[p]),
	    o->scoped ? "its own" : "global", sim->plan.password[p][q][0] != 0 ? ", password" : "",
	    o->hide ? ", hidden" : "", o->sequencing ? ", sequencing" : "", o->window, o->hello_s,
	    o->retransmission.established, o->retransmission.not_established,
	    o->retransmission.interval_ms, o->retransmission.max_interval_ms,
	    o->failover.control ? " C" : "", o->failover.data ? " D" : "",
	    o->failover.recovery_time_ms,
	    o->failover.farewell_capability ? "" : ", not in farewells", o->max_sessions);
}

static void say_fault(struct sim *sim, const struct sim_fault *f)
{
	static const char *const kinds[] = {"control plane killed", "data plane killed",
					    "both planes killed", "partition", "cold start"};
	char where[32] = "", notice[48] = "";

	if (f->steps != 0)
		snprintf(where, sizeof(where), " at step %u", f->steps);
	if (f->notice >= 0)
		snprintf(notice, sizeof(notice), ", noticed after %d ms", f->notice);
	sim_say(sim, f->party, "planned at %llu ms: %s%s%s%s, %u ms, %u times%s",
		(unsigned long long)(f->at - SIM_START), kinds[f->kind], where,
		f->kind == SIM_PARTITION ? " from " : "",
		f->kind == SIM_PARTITION ? sim->party[f->other].name : "", f->outage, f->times,
		notice);
}

void sim_say_plan(struct sim *sim)
{
	static const char *const moods[] = {"calm", "fair", "wild"};
	const struct sim_plan *plan = &sim->plan;

	sim_say(
	    sim, SIM_PARTIES,
	    "seed %llu, %s: loss %u %% (%u at most of one message), repetition %u %%, delay %u..%u ms, "
	    "stalls %u %% of %u ms, %u buffers, trouble until %llu ms",
	    (unsigned long long)sim->seed, moods[plan->mood], plan->loss, plan->loss_cap,
	    plan->repeat, plan->delay_min, plan->delay, plan->stall, plan->stall_ms, plan->buffers,
	    (unsigned long long)plan->trouble_end);
	for (unsigned i = 0; i < plan->n_links; i++)
		sim_say(sim, plan->links[i].lac, "tunnel t%u to %s, %u subscribers", i,
			sim->party[plan->links[i].lns].name, plan->links[i].subscribers);
	for (unsigned p = 0; p < plan->n_parties; p++)
		for (unsigned q = 0; q < plan->n_parties; q++)
			if (plan->policy[p][q].window != 0)
				say_policy(sim, p, q);
	for (unsigned i = 0; i < plan->n_faults; i++)
		say_fault(sim, &plan->faults[i]);
}
