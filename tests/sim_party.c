/* SPDX-License-Identifier: BSD-3-Clause */
/* A party: the lives and deaths of its two planes.
 *
 * A plane dies by a jump out of whatever it is in: between any two calls, or within a commit (lc_txn_step) or the
 * channel's stores (lc_channel_step). What is private to it is thrown away; the mirror stays, as it does when a
 * process is killed. The next life does what warmline-control and warmline-dataplane do when they start. */
#include "sim_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lc_layout.h"

enum {
	PEER_PORT = 2,    /* index of the port, see sim_plan.c */
	BUDGET = 4,       /* messages or tunnels in one turn */
	MIRRORS = 2,      /* geometries */
	ATTEMPTS = 3,     /* of one message: a fourth is poison (README, rule 8) */
	AGAIN_STEPS = 40, /* within which a plane dies that is to die again */
};

/* What dies in its constructor has nobody yet who frees it. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static jmp_buf control_death, data_death;
static struct sim_party *control_running, *data_running;
static const char *death_step;

/* ---- mirrors: made once, cleared for each run ---- */

struct kept {
	bool open;
	struct lc_mirror mirror;
	uint8_t *image; /* when it was new */
};

static struct kept kept[SIM_PARTIES][MIRRORS];

void sim_party_forget(void)
{
	for (unsigned i = 0; i < SIM_PARTIES * MIRRORS; i++) {
		struct kept *k = &kept[i / MIRRORS][i % MIRRORS];
		if (k->open)
			lc_mirror_close(&k->mirror);
		free(k->image);
		*k = (struct kept){0};
	}
}

static void make(struct sim *sim, struct kept *k, const struct lc_geometry *geometry)
{
	char path[64], why[200] = "";
	bool cold;

	snprintf(path, sizeof(path), "/dev/shm/warmline-simulate-%d", getpid());
	unlink(path);
	if (lc_mirror_open(&k->mirror, path, geometry, &cold, why, sizeof(why)) != 0)
		sim_fail(sim, "mirror: %s", why);
	unlink(path);
	k->open = true;
	k->image = malloc(k->mirror.size);
	if (k->image == NULL)
		sim_fail(sim, "no memory for the mirror's image");
	memcpy(k->image, k->mirror.header, k->mirror.size);
}

/* A mirror as new. Buffers, neighbours, data-plane counters and journal keep what nobody reads. */
static void mirror_clear(struct sim_party *p)
{
	struct sim *sim = p->sim;
	struct kept *k = &kept[p->number][sim->plan.buffers > 128];
	struct lc_geometry geometry =
	    lc_geometry_for(p->cfg->limits.tunnels, p->cfg->limits.sessions,
			    p->cfg->limits.message_buffers, p->cfg->limits.accounting_records);

	if (geometry.tunnel_slots > SIM_TUNNELS || geometry.session_slots > SIM_SESSIONS)
		sim_fail(sim, "the geometry is larger than the simulator");
	if (!k->open)
		make(sim, k, &geometry);
	p->mirror = k->mirror;
	uint8_t *base = (uint8_t *)k->mirror.header;
	uint64_t region[LC_N_REGIONS];
	memcpy(region, ((const struct lc_header *)k->image)->region, sizeof(region));
	if (k->mirror.header->account_number != 0)
		memset(k->mirror.ledger, 0, geometry.accounts * sizeof(*k->mirror.ledger));
	memcpy(base, k->image, region[LC_REGION_INBOX]);
	memcpy(base + region[LC_REGION_TO_CONTROL], k->image + region[LC_REGION_TO_CONTROL],
	       region[LC_REGION_PORT_COUNTERS] - region[LC_REGION_TO_CONTROL]);
	while (sim->plan.scrambled && p->mirror.header->id_key == 0)
		p->mirror.header->id_key = sim_draw64(&p->random);
	p->life = 0;
	sim_watch_forget(p);
}

/* ---- the world of an engine ---- */

static void world_random(void *context, void *bytes, size_t length)
{
	struct sim_party *p = context;

	for (size_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(sim_draw64(&p->random) >> 56);
}

static void world_log(void *context, enum cp_log_level level, const char *format, va_list arguments)
{
	struct sim_party *p = context;
	char line[512];

	sim_note(p->sim, 'l', p->number, &level, sizeof(level));
	if (level == CP_LOG_ERROR) {
		vsnprintf(line, sizeof(line), format, arguments);
		sim_fail(p->sim, "%s logs an error: %s", p->name, line);
	}
	if (!p->sim->trace)
		return;
	vsnprintf(line, sizeof(line), format, arguments);
	sim_say(p->sim, p->number, "    says: %s", line);
}

static void world_set_aside(void *context, uint16_t tunnel_id, const struct lc_buffer *message)
{
	struct sim_party *p = context;

	sim_fail(p->sim, "%s sets aside a message of tunnel %u, %u octets: nothing here is poison",
		 p->name, tunnel_id, message->length);
}

static void transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct sim_party *p = context;
	struct sim *sim = p->sim;
	unsigned to = sim_party_at(sim, p->mirror.tunnels[slot].peer_address);

	sim_note(sim, 's', p->number, bytes, length);
	if (to >= SIM_PARTIES)
		sim_fail(sim, "%s sends to nobody, from tunnel slot %u", p->name, slot);
	if (sim->trace)
		sim_say_packet(sim, p->number, "->", p->number, to, bytes, length);
	sim_watch_sent(p, slot, bytes, length);
	sim_net_send(sim, p->number, slot, to, bytes, length);
}

/* ---- death ---- */

/* Would it be one death too many for the message that is being handled? */
static bool poisons(const struct sim_party *p, const char *step)
{
	return strcmp(step, "journal") == 0 && p->mirror.header->attempt.busy != 0 &&
	       p->mirror.header->attempt.count >= ATTEMPTS;
}

static void on_txn_step(const char *step)
{
	struct sim_party *p = control_running;

	if (p == NULL || p->control_steps == 0 || --p->control_steps != 0)
		return;
	if (poisons(p, step)) {
		p->control_steps = 1;
		return;
	}
	death_step = step;
	longjmp(control_death, 1);
}

static void on_channel_step(const char *step)
{
	struct sim_party *p = data_running;

	if (p == NULL || p->data_steps == 0 || --p->data_steps != 0)
		return;
	death_step = step;
	longjmp(data_death, 1);
}

static void bury_control(struct sim_party *p)
{
	if (p->engine != NULL)
		cp_engine_free(p->engine);
	if (p->txn != NULL)
		lc_txn_detach(p->txn);
	p->engine = NULL;
	p->txn = NULL;
	p->control_up = false;
}

static void bury_data(struct sim_party *p)
{
	if (p->channels != NULL)
		lc_channels_detach(p->channels);
	p->channels = NULL;
	p->data_up = false;
}

void sim_party_kill_data(struct sim_party *p, const char *where)
{
	struct sim_fault *f = &p->data_fault;

	if (!p->data_up && p->channels == NULL)
		return;
	p->sim->crashes++;
	sim_note(p->sim, 'd', p->number, where, strlen(where));
	if (p->sim->trace)
		sim_say(p->sim, p->number, "*** its data plane dies (%s), for %u ms", where,
			f->outage);
	bury_data(p);
	p->data_deaths++;
	p->data_steps = 0;
	p->data_at = p->sim->now + f->outage;
	sim_promise_look(p->sim);
}

void sim_party_kill_control(struct sim_party *p, const char *where)
{
	struct sim_fault *f = &p->control_fault;
	bool was_up = p->control_up;

	p->sim->crashes++;
	sim_note(p->sim, 'c', p->number, where, strlen(where));
	if (p->sim->trace)
		sim_say(p->sim, p->number, "*** its control plane dies (%s), for %u ms", where,
			f->outage);
	bury_control(p);
	p->control_steps = 0;
	p->control_at = p->sim->now + f->outage;
	p->lost_at = f->notice >= 0 ? p->sim->now + (unsigned)f->notice : 0;
	p->lost_life = p->life;
	sim_watch_control(p);
	if (was_up)
		sim_promise_control_died(p);
	sim_promise_look(p->sim);
	if (f->kind == SIM_KILL_BOTH && p->data_up) {
		p->data_fault = *f;
		p->data_fault.times = 1;
		sim_party_kill_data(p, "with it");
	}
}

int sim_party_enter(struct sim_party *p, int (*deed)(struct sim_party *p, const void *argument),
		    const void *argument)
{
	int result;

	control_running = p;
	if (setjmp(control_death) == 0) {
		result = deed(p, argument);
		control_running = NULL;
	} else {
		control_running = NULL;
		result = -EINTR;
		sim_party_kill_control(p, death_step);
	}
	return result;
}

/* ---- birth ---- */

static int control_begin(struct sim_party *p, const void *argument)
{
	const struct cp_world world = {
	    .context = p, .random = world_random, .log = world_log, .set_aside = world_set_aside};
	struct lc_mirror *m = &p->mirror;
	char why[200] = "";

	(void)argument;
	if (__lsan_disable != NULL)
		__lsan_disable();
	if (lc_txn_attach(&p->txn, m, why, sizeof(why)) != 0)
		sim_fail(p->sim, "%s cannot take over its mirror: %s", p->name, why);
	p->life = lc_control_begin(m, 1000 + p->number, p->sim->now);
	p->engine = cp_engine_new(p->cfg, m, p->txn, &world, p->sim->now);
	if (__lsan_enable != NULL)
		__lsan_enable();
	if (p->engine == NULL)
		sim_fail(p->sim, "%s: no engine", p->name);
	p->cursor = 0;
	lc_dirty_set(&m->to_control, LC_LISTENER);
	for (uint32_t slot = lc_map_next(m->tunnel_map, SIM_TUNNELS, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, SIM_TUNNELS, slot + 1))
		lc_dirty_set(&m->to_control, slot);
	return 0;
}

/* A plane that is to die several times is born with its death ahead. */
static unsigned steps_again(struct sim_party *p, struct sim_fault *f)
{
	if (f->times <= 1)
		return 0;
	f->times--;
	return sim_between(p->sim, 1, AGAIN_STEPS);
}

static void start_control(struct sim_party *p)
{
	sim_note(p->sim, 'C', p->number, NULL, 0);
	if (p->sim->trace)
		sim_say(p->sim, p->number, "*** its control plane starts");
	p->control_steps = steps_again(p, &p->control_fault);
	p->control_fault.at = p->sim->now;
	if (sim_party_enter(p, control_begin, NULL) != 0) {
		if (__lsan_enable != NULL)
			__lsan_enable();
		return;
	}
	p->control_up = true;
	p->control_busy = 0;
	sim_watch_control(p);
	sim_watch_started(p);
	sim_promise_look(p->sim);
}

static void start_data(struct sim_party *p)
{
	sim_note(p->sim, 'D', p->number, NULL, 0);
	if (p->sim->trace)
		sim_say(p->sim, p->number, "*** its data plane starts");
	p->data_steps = steps_again(p, &p->data_fault);
	p->data_fault.at = p->sim->now;
	lc_reader_online(&p->mirror, LC_MAX_WORKERS);
	if (__lsan_disable != NULL)
		__lsan_disable();
	data_running = p;
	p->data_up = true;
	if (setjmp(data_death) == 0) {
		if (lc_channels_attach(&p->channels, &p->mirror, transmit, NULL, p, p->sim->now) !=
		    0)
			sim_fail(p->sim, "%s: no channels", p->name);
		data_running = NULL;
		p->data_busy = 0;
		sim_promise_look(p->sim);
	} else {
		data_running = NULL;
		bury_data(p);
		p->data_steps = 0;
		p->data_at = p->sim->now + p->data_fault.outage;
	}
	if (__lsan_enable != NULL)
		__lsan_enable();
}

/* The step that it was to die at has not come. */
static void die_anyway(struct sim_party *p)
{
	enum { WAIT_MS = 3000 };

	if (p->control_up && p->control_steps != 0 && p->sim->now >= p->control_fault.at + WAIT_MS)
		sim_party_kill_control(p, "between two calls");
	if (p->data_up && p->data_steps != 0 && p->sim->now >= p->data_fault.at + WAIT_MS)
		sim_party_kill_data(p, "between two calls");
}

bool sim_party_live(struct sim_party *p)
{
	uint64_t now = p->sim->now;
	bool worked = false;

	die_anyway(p);
	if (p->cold && !p->control_up && !p->data_up && now >= p->control_at) {
		p->cold = false;
		p->lost_at = 0;
		p->sim->colds++;
		sim_promise_cold(p);
		mirror_clear(p);
		if (p->sim->trace)
			sim_say(p->sim, p->number, "*** starts cold");
	}
	if (!p->data_up && now >= p->data_at) {
		start_data(p);
		worked = true;
	}
	if (p->lost_at != 0 && p->data_up && now >= p->lost_at) {
		lc_control_lost(&p->mirror, p->lost_life);
		p->lost_at = 0;
		worked = true;
	}
	if (!p->control_up && now >= p->control_at) {
		start_control(p);
		worked = true;
	}
	return worked;
}

/* ---- work ---- */

static bool pauses(struct sim *sim)
{
	return sim->plan.stall != 0 && sim_chance(sim, sim->plan.stall);
}

static int control_turn(struct sim_party *p, const void *argument)
{
	uint64_t now = p->sim->now;
	uint32_t slot = lc_dirty_take(&p->mirror.to_control, &p->cursor);
	unsigned budget = 1 + sim_random(p->sim, BUDGET);

	(void)argument;
	if (slot != LC_NO_SLOT) {
		if (cp_engine_run_tunnel(p->engine, slot, budget, now) == budget)
			lc_dirty_set(&p->mirror.to_control, slot);
		return 1;
	}
	if (cp_engine_next(p->engine) > now)
		return 0;
	cp_engine_run(p->engine, budget, now);
	lc_txn_reclaim(p->txn);
	return 1;
}

bool sim_party_control(struct sim_party *p)
{
	struct sim *sim = p->sim;

	if (!p->control_up || sim->now < p->control_busy)
		return false;
	int worked = sim_party_enter(p, control_turn, NULL);
	if (worked == 0)
		return false;
	if (worked > 0)
		sim_watch_control(p);
	if (pauses(sim))
		p->control_busy = sim->now + 1 + sim_random(sim, sim->plan.stall_ms);
	return true;
}

bool sim_party_data(struct sim_party *p)
{
	struct sim *sim = p->sim;
	volatile bool more = true;

	if (!p->data_up || sim->now < p->data_busy)
		return false;
	uint64_t epoch = p->mirror.header->epoch;
	data_running = p;
	if (setjmp(data_death) == 0) {
		more = lc_channels_run(p->channels, sim->now, 1 + sim_random(sim, BUDGET));
		data_running = NULL;
		if (!more)
			p->mirror.header->reader[LC_MAX_WORKERS].seen = epoch;
	} else {
		data_running = NULL;
		sim_party_kill_data(p, death_step);
	}
	if (more && pauses(sim))
		p->data_busy = sim->now + 1 + sim_random(sim, sim->plan.stall_ms);
	return more;
}

void sim_party_receive(struct sim_party *p, const struct sim_packet *packet)
{
	static const char *const verdicts[] = {"taken",      "held back", "duplicate",
					       "outside",    "full",      "no tunnel",
					       "wrong peer", "silent",    "malformed"};
	struct sim *sim = p->sim;
	const struct lc_arrival from = {.peer_address = sim_address(packet->from),
					.local_address = sim_address(p->number),
					.peer_udp_port = LC_L2TP_UDP_PORT,
					.port = PEER_PORT};

	if (sim->trace)
		sim_say_packet(sim, p->number, "<-", packet->from, p->number, packet->bytes,
			       packet->length);
	if (!p->data_up) {
		if (sim->trace)
			sim_say(sim, p->number, "    nobody is here: lost");
		return;
	}
	data_running = p;
	if (setjmp(data_death) == 0) {
		enum lc_verdict v = lc_channels_receive(p->channels, &from, packet->bytes,
							packet->length, sim->now);
		data_running = NULL;
		sim_note(sim, 'r', p->number, &v, sizeof(v));
		if (sim->trace && v != LC_TAKEN)
			sim_say(sim, p->number, "    %s", verdicts[v]);
		if (v == LC_MALFORMED && sim->colds == 0 && sim->resets == 0)
			sim_fail(sim, "%s takes a packet of %s for malformed", p->name,
				 sim->party[packet->from].name);
	} else {
		data_running = NULL;
		sim_party_kill_data(p, death_step);
	}
}

static void earlier(uint64_t *next, uint64_t at)
{
	*next = at < *next ? at : *next;
}

uint64_t sim_party_next(const struct sim_party *p)
{
	uint64_t next = UINT64_MAX, now = p->sim->now;

	if (p->control_up) {
		uint64_t at = cp_engine_next(p->engine);
		earlier(&next, at > p->control_busy ? at : p->control_busy);
		if (p->control_busy > now)
			earlier(&next, p->control_busy);
	} else {
		earlier(&next, p->control_at);
	}
	if (p->data_up) {
		uint64_t at = lc_channels_next(p->channels);
		earlier(&next, at > p->data_busy ? at : p->data_busy);
		if (p->data_busy > now)
			earlier(&next, p->data_busy);
		if (p->lost_at != 0)
			earlier(&next, p->lost_at);
	} else {
		earlier(&next, p->data_at);
	}
	return next;
}

/* ---- the whole party ---- */

void sim_party_open(struct sim *sim, unsigned number)
{
	static const char *const names[] = {"", "LAC", "LNS", "BOTH"};
	struct sim_party *p = &sim->party[number];

	memset(p, 0, sizeof(*p));
	p->sim = sim;
	p->number = number;
	p->random = sim->seed * 8 + number;
	snprintf(p->name, sizeof(p->name), "%s%u", names[sim->plan.role[number]], number);
	p->cfg = sim_plan_configure(sim, number);
	lc_txn_step = on_txn_step;
	lc_channel_step = on_channel_step;
	mirror_clear(p);
	p->control_at = p->data_at = sim->now;
}

void sim_party_close(struct sim_party *p)
{
	control_running = data_running = NULL;
	bury_control(p);
	bury_data(p);
	cfg_free(p->cfg);
	p->cfg = NULL;
}
