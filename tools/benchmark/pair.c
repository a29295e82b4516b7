/* SPDX-License-Identifier: BSD-3-Clause */
/* What tools/bench needs from the mirrors of two chassis; it prints JSON.
 *
 *	warmline-bench-pair fill LAC LNS TUNNELS SESSIONS   makes both mirrors
 *	warmline-bench-pair look CONFIG                     what is there now
 *	warmline-bench-pair wait CONFIG WHAT N SECONDS      the same, as soon as WHAT is N
 *	warmline-bench-pair capture CONFIG PATH N           a packet of each of so many sessions
 *	warmline-bench-pair clear CONFIG                    removes the mirror
 *
 * WHAT: established (tunnels), open (sessions), tunnels, sessions (in use), recovered (tunnels whose channel and sessions
 * are those of this life of the control plane), work (1: a message was consumed in it), rest (1: it is ready, and nothing
 * is left to do), calm (1: work and rest), forwarded (1: a packet was, since the data plane started), up (1: both planes
 * are ready). WHAT@LIFE: in a later life of that plane. */
#include "pair.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "cp_engine.h"

enum {
	LOOK_US = 2000, /* between two looks, at least; ... */
	SHARE = 20,     /* ... of a core they take one in so many */
};

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t now_ms(void)
{
	return now_us() / 1000;
}

static struct lc_geometry geometry_of(const struct cfg *cfg)
{
	return lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions,
			       cfg->limits.message_buffers, cfg->limits.accounting_records);
}

static int path_of(const struct cfg *cfg, char path[PATH_MAX], bool *huge)
{
	struct lc_geometry geometry = geometry_of(cfg);
	return lc_mirror_path(cfg->name, lc_mirror_size(&geometry), path, PATH_MAX, huge);
}

int side_open(struct side *side, const char *config, bool anew)
{
	struct cfg_errors errors;
	char path[PATH_MAX] = "", why[256] = "";
	bool cold = false;

	*side = (struct side){.cfg = cfg_load(config, &errors), .mirror.fd = -1};
	cfg_errors_print(&errors, config, stderr);
	cfg_errors_free(&errors);
	if (side->cfg == NULL)
		return -EINVAL;
	for (unsigned i = side->cfg->n_ports; i-- > 0;)
		if (side->cfg->ports[i].facing == CFG_FACING_PEER) {
			side->port = (uint16_t)i;
			side->address = side->cfg->ports[i].ipv4.address;
		}
	struct lc_geometry geometry = geometry_of(side->cfg);
	int error = path_of(side->cfg, path, &side->huge);
	if (error == 0)
		error =
		    anew ? lc_mirror_open(&side->mirror, path, &geometry, &cold, why, sizeof(why))
			 : lc_mirror_open_readonly(&side->mirror, path, why, sizeof(why));
	if (error == 0 && anew && !cold) {
		error = -EEXIST;
		snprintf(why, sizeof(why), "is there already; remove it");
	}
	if (error != 0)
		fprintf(stderr, "%s: %s\n", path, why[0] ? why : strerror(-error));
	return error;
}

void side_close(struct side *side)
{
	lc_mirror_close(&side->mirror);
	cfg_free(side->cfg);
}

static int print(json_t *object)
{
	int failed =
	    object == NULL || json_dumpf(object, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF;
	json_decref(object);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- what there is ---- */

static uint64_t bits(const uint64_t *map, uint32_t n)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < (n + 63) / 64; i++)
		total += (uint64_t)__builtin_popcountll(__atomic_load_n(&map[i], __ATOMIC_RELAXED));
	return total;
}

static uint64_t tunnels_in_use(const struct lc_mirror *m)
{
	return bits(m->tunnel_map, m->tunnel_mask + 1);
}

static uint64_t sessions_in_use(const struct lc_mirror *m)
{
	return bits(m->session_map, m->session_mask + 1);
}

static uint64_t count_tunnels(const struct lc_mirror *m,
			      bool (*is)(const struct lc_mirror *m, const struct lc_tunnel *t))
{
	uint32_t n = m->tunnel_mask + 1;
	uint64_t total = 0;

	for (uint32_t slot = lc_map_next(m->tunnel_map, n, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->tunnel_map, n, slot + 1))
		total += is(m, &m->tunnels[slot]);
	return total;
}

static bool is_established(const struct lc_mirror *m, const struct lc_tunnel *t)
{
	return t->state == CP_TUNNEL_ESTABLISHED && t->recovers == 0;
}

static bool is_recovered(const struct lc_mirror *m, const struct lc_tunnel *t)
{
	return is_established(m, t) && t->life == lc_control_life(m) &&
	       t->resync == CP_RESYNC_NONE && t->unsynced == 0;
}

static uint64_t established(const struct lc_mirror *m)
{
	return count_tunnels(m, is_established);
}

static uint64_t recovered(const struct lc_mirror *m)
{
	return count_tunnels(m, is_recovered);
}

/* Doors are looked at when that many slots are in use. */
static uint64_t open_sessions(const struct lc_mirror *m)
{
	uint32_t n = m->session_mask + 1;
	uint64_t total = 0;

	for (uint32_t slot = lc_map_next(m->session_map, n, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(m->session_map, n, slot + 1))
		total += lc_session_door_read(&m->sessions[slot]).word != 0;
	return total;
}

static uint64_t has_worked(const struct lc_mirror *m)
{
	return __atomic_load_n(&m->header->control.first_work, __ATOMIC_ACQUIRE) != 0;
}

/* Ready, asleep, and nothing is marked for it. */
static uint64_t is_at_rest(const struct lc_mirror *m)
{
	const struct lc_dirty *d = &m->to_control;
	uint64_t marks = 0;

	for (uint32_t i = 0; i < (d->n_bits + 4095) / 4096; i++)
		marks |= __atomic_load_n(&d->top[i], __ATOMIC_RELAXED);
	return __atomic_load_n(&m->header->control.ready, __ATOMIC_ACQUIRE) != 0 &&
	       __atomic_load_n(&m->header->control_waiting, __ATOMIC_ACQUIRE) != 0 && marks == 0;
}

static uint64_t has_forwarded(const struct lc_mirror *m)
{
	return __atomic_load_n(&m->header->dataplane.first_work, __ATOMIC_ACQUIRE) != 0;
}

static uint64_t is_calm(const struct lc_mirror *m)
{
	return has_worked(m) && is_at_rest(m);
}

static uint64_t is_up(const struct lc_mirror *m)
{
	return __atomic_load_n(&m->header->control.ready, __ATOMIC_ACQUIRE) != 0 &&
	       __atomic_load_n(&m->header->dataplane.ready, __ATOMIC_ACQUIRE) != 0;
}

static json_t *process(const struct lc_process *p)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "pid", (json_int_t)p->pid, "starts",
			 (json_int_t)p->starts, "started", (json_int_t)p->started, "ready",
			 (json_int_t)p->ready, "first_work", (json_int_t)p->first_work);
}

/* Octets of the mirror's regions that there are more of with more tunnels, or sessions. */
static json_t *mirror_of(const struct lc_mirror *m)
{
	const struct lc_geometry *g = &m->header->geometry;
	uint64_t tunnel = sizeof(struct lc_tunnel) + sizeof(struct lc_channel);
	uint64_t session = sizeof(struct lc_session) + sizeof(struct lc_session_in) +
			   sizeof(struct lc_session_out);
	uint64_t by_tunnel = g->tunnel_slots * tunnel + g->history * sizeof(struct lc_history) +
			     3 * g->tunnel_slots / 8;
	uint64_t by_session = g->session_slots * session + 2 * g->session_slots / 8;

	return json_pack("{s:I, s:I, s:I, s:I}", "by_tunnel", (json_int_t)by_tunnel, "by_session",
			 (json_int_t)by_session, "max_tunnels", (json_int_t)g->max_tunnels,
			 "max_sessions", (json_int_t)g->max_sessions);
}

static json_t *look_at(const struct side *side)
{
	const struct lc_mirror *m = &side->mirror;
	uint64_t retransmitted = 0, full = 0, sent = 0;

	for (uint32_t slot = 1; slot <= m->tunnel_mask; slot++) {
		retransmitted += m->channels[slot].retransmitted;
		full += m->channels[slot].inbox_full;
		sent += m->channels[slot].sent;
	}
	return json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "now",
			 (json_int_t)now_ms(), "huge", side->huge, "tunnels",
			 (json_int_t)tunnels_in_use(m), "sessions", (json_int_t)sessions_in_use(m),
			 "established", (json_int_t)established(m), "recovered",
			 (json_int_t)recovered(m), "retransmitted", (json_int_t)retransmitted,
			 "inbox_full", (json_int_t)full, "sent", (json_int_t)sent, "listener_full",
			 (json_int_t)m->channels[LC_LISTENER].inbox_full, "control",
			 process(&m->header->control), "dataplane", process(&m->header->dataplane),
			 "mirror", mirror_of(m));
}

/* ---- commands ---- */

static int fill(char **arguments)
{
	struct side lac, lns = {.mirror.fd = -1};
	int error = side_open(&lac, arguments[0], true);

	if (error == 0)
		error = side_open(&lns, arguments[1], true);
	if (error == 0)
		error = pair_fill(&lac, &lns, (unsigned)strtoul(arguments[2], NULL, 10),
				  (unsigned)strtoul(arguments[3], NULL, 10));
	side_close(&lac);
	side_close(&lns);
	return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int look(char **arguments)
{
	struct side side;

	if (side_open(&side, arguments[0], false) != 0)
		return EXIT_FAILURE;
	int status = print(look_at(&side));
	side_close(&side);
	return status;
}

static int wait_for(char **arguments)
{
	static const struct {
		const char *name;
		uint64_t (*count)(const struct lc_mirror *m);
		uint64_t (*first)(const struct lc_mirror *m); /* a cheaper look; NULL: none */
	} all[] = {
	    {"established", established, tunnels_in_use},
	    {"open", open_sessions, sessions_in_use},
	    {"tunnels", tunnels_in_use, NULL},
	    {"sessions", sessions_in_use, NULL},
	    {"recovered", recovered, NULL},
	    {"work", has_worked, NULL},
	    {"rest", is_at_rest, NULL},
	    {"forwarded", has_forwarded, NULL},
	    {"calm", is_calm, NULL},
	    {"up", is_up, NULL},
	};
	uint64_t n = strtoull(arguments[2], NULL, 10), life = 0;
	uint64_t limit = now_ms() + (uint64_t)(strtod(arguments[3], NULL) * 1000);
	char *at = strchr(arguments[1], '@');
	struct side side;
	size_t what = 0;

	if (at != NULL) {
		*at = '\0';
		life = strtoull(at + 1, NULL, 10);
	}
	while (what < sizeof(all) / sizeof(all[0]) && strcmp(all[what].name, arguments[1]) != 0)
		what++;
	if (what == sizeof(all) / sizeof(all[0]) || side_open(&side, arguments[0], false) != 0)
		return EXIT_FAILURE;
	const struct lc_header *h = side.mirror.header;
	const struct lc_process *p = has_forwarded == all[what].count ? &h->dataplane : &h->control;
	bool seen = false;
	while (!seen && now_ms() < limit) {
		uint64_t start = now_us();
		if (__atomic_load_n(&p->starts, __ATOMIC_ACQUIRE) > life &&
		    (all[what].first == NULL || all[what].first(&side.mirror) >= n))
			seen = all[what].count(&side.mirror) == n;
		uint64_t us = SHARE * (now_us() - start);
		us = us > LOOK_US ? us : LOOK_US;
		if (!seen)
			nanosleep(&(struct timespec){.tv_sec = (time_t)(us / 1000000),
						     .tv_nsec = (long)(us % 1000000 * 1000)},
				  NULL);
	}
	int status = print(look_at(&side));
	side_close(&side);
	return seen ? status : 3;
}

static int capture(char **arguments)
{
	unsigned sessions = (unsigned)strtoul(arguments[2], NULL, 10);
	return pair_capture(arguments[0], arguments[1], sessions) == 0 ? EXIT_SUCCESS
								       : EXIT_FAILURE;
}

static int clear(char **arguments)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(arguments[0], &errors);
	char path[PATH_MAX];
	bool huge;

	cfg_errors_free(&errors);
	bool good =
	    cfg != NULL && path_of(cfg, path, &huge) == 0 && (unlink(path) == 0 || errno == ENOENT);
	cfg_free(cfg);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **arguments);
	} commands[] = {{"fill", 4, fill},
			{"look", 1, look},
			{"wait", 4, wait_for},
			{"clear", 1, clear},
			{"capture", 3, capture}};

	for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc == 2 + commands[i].arguments)
			return commands[i].run(argv + 2);
	fprintf(stderr,
		"usage: %s fill LAC LNS TUNNELS SESSIONS | look CONFIG | "
		"wait CONFIG WHAT N SECONDS | clear CONFIG\n",
		argv[0]);
	return 2;
}
