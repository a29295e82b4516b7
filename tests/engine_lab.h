/* SPDX-License-Identifier: BSD-3-Clause */
/* Two engines, each with a mirror and control channels of its own, joined by a wire in virtual
 * time; or one, opposite a peer whose messages a test writes by hand (engine_puppet.h). Everything is
 * deterministic, so that two runs can be compared octet by octet. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp_auth.h"
#include "cp_engine.h"
#include "cp_message.h"
#include "lc_channel.h"
#include "lc_txn.h"

enum {
	LAC = 0,
	LNS = 1,
	LAB_QUEUE = 4096,
	LAB_START = 1000000, /* ms */
	LAB_LOG = 1 << 16,
	LAB_TRACE = 1 << 20,
};

static const uint32_t lab_address[2] = {0x0a010001, 0x0a010002};

struct lab_packet {
	unsigned to;
	uint32_t source, destination; /* addresses */
	uint16_t length;
	uint8_t bytes[LC_MESSAGE_MAX];
};

struct lab;

struct lab_end {
	struct lab *lab;
	unsigned number;
	struct cfg *cfg;
	struct lc_mirror mirror;
	struct lc_txn *txn;
	struct cp_engine *engine;
	struct lc_channels *channels;
	uint32_t cursor;
	uint64_t random;
	unsigned set_aside, starts;
	size_t log_length;
	char log[LAB_LOG];
	bool present;           /* false: the puppet's end */
	bool away;              /* its control plane does not run */
	unsigned restart_every; /* steps; 0: never */
	unsigned steps;
	unsigned commits;     /* seen so far */
	unsigned crash_every; /* about so many steps within commits; 0: never */
	bool crashed_before;  /* the last crash left the old state */
	uint64_t crash_random;
	uint64_t random_kept; /* what a crash before the commit has not used */
	uint64_t next_tunnel_kept;
	void (*on_log)(const char *line);   /* a crash, for instance */
	void (*on_step)(struct lab_end *e); /* after a step that has changed something; NULL */
};

struct lab {
	uint64_t now;
	struct lab_end end[2];
	unsigned n_packets;
	struct lab_packet packets[LAB_QUEUE];
	bool cut;                      /* the wire */
	bool everywhere;               /* whatever address one end calls, the other has it ... */
	uint32_t dead[4];              /* ... but for these; 0: none */
	unsigned sent[2][32];          /* messages seen on the wire, by sender and type */
	struct lab_packet last[2][32]; /* the last one of each */
	size_t trace_length;
	char *trace; /* what was on the wire: time, sender, octets; NULL: not kept */
};

/* ---- the world of an engine ---- */

/* Of engines that start from now on: cp_world.authorize, with the end as its context. NULL: there is no RADIUS. */
static int (*lab_authorize)(void *context, uint32_t ticket,
			    const struct cp_access_request *request);

static inline void lab_random(void *context, void *bytes, size_t length)
{
	struct lab_end *e = context;
	for (size_t i = 0; i < length; i++) {
		e->random = e->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		((uint8_t *)bytes)[i] = (uint8_t)(e->random >> 56);
	}
}

static inline void lab_log(void *context, enum cp_log_level level, const char *format,
			   va_list arguments)
{
	struct lab_end *e = context;
	char line[512];

	int n = vsnprintf(line, sizeof(line) - 1, format, arguments);
	assert_true(n > 0 && (size_t)n < sizeof(line) - 1);
	if (getenv("LAB_VERBOSE") != NULL)
		fprintf(stderr, "%8llu %s %d %s\n", (unsigned long long)(e->lab->now - LAB_START),
			e->number == LAC ? "LAC" : "LNS", (int)level, line);
	if (e->log_length + (size_t)n + 2 > sizeof(e->log))
		e->log_length = 0;
	memcpy(e->log + e->log_length, line, (size_t)n);
	e->log_length += (size_t)n;
	e->log[e->log_length++] = '\n';
	e->log[e->log_length] = 0;
	if (e->on_log != NULL)
		e->on_log(line);
}

static inline void lab_set_aside(void *context, uint16_t tunnel_id, const struct lc_buffer *message)
{
	struct lab_end *e = context;
	(void)tunnel_id;
	assert_true(message->length >= LC_L2TP_CONTROL_SIZE);
	e->set_aside++;
}

static inline void lab_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct lab_end *e = context;
	struct lab *lab = e->lab;
	const struct lc_tunnel *tunnel = &e->mirror.tunnels[slot];
	int type = lc_l2tp_message_type(bytes, length);

	if (type > 0 && type < 32) {
		lab->sent[e->number][type]++;
		lab->last[e->number][type].length = (uint16_t)length;
		memcpy(lab->last[e->number][type].bytes, bytes, length);
	}
	if (lab->trace != NULL && type != LC_MSG_ZLB) {
		char *at = lab->trace + lab->trace_length;
		size_t room = LAB_TRACE - lab->trace_length;
		assert_true(room > 2 * length + 64);
		size_t n =
		    (size_t)snprintf(at, room, "%llu %u ", (unsigned long long)lab->now, e->number);
		for (size_t i = 0; i < length; i++)
			n += (size_t)snprintf(at + n, room - n, "%02x", bytes[i]);
		at[n++] = '\n';
		at[n] = 0;
		lab->trace_length += n;
	}
	assert_true(lab->n_packets < LAB_QUEUE);
	struct lab_packet *p = &lab->packets[lab->n_packets++];
	p->to = !e->number;
	p->source = tunnel->local_address != 0 ? tunnel->local_address : lab_address[e->number];
	p->destination = tunnel->peer_address != 0 ? tunnel->peer_address : lab_address[p->to];
	p->length = (uint16_t)length;
	memcpy(p->bytes, bytes, length);
}

/* ---- crashes ---- */

/* The end whose control plane runs; where it dies; commits of all. */
static struct lab_end *lab_running;
static jmp_buf lab_crash;
static unsigned lab_commits;

/* Called within a commit (lc_txn_step). A crash jumps out of the engine, from wherever it is. */
static inline void lab_commit_step(const char *step)
{
	struct lab_end *e = lab_running;
	bool before = strcmp(step, "journal") == 0;

	lab_commits += before;
	if (e == NULL)
		return;
	if (!before) {
		e->random_kept = e->random;
		e->next_tunnel_kept = e->mirror.header->next_tunnel_id;
	}
	e->crash_random = e->crash_random * UINT64_C(6364136223846793005) + 1442695040888963407;
	/* Not twice on end before the commit: three times would be poison. */
	if (e->crash_every == 0 || (e->crash_random >> 40) % e->crash_every != 0 ||
	    (before && e->crashed_before))
		return;
	e->crashed_before = before;
	longjmp(lab_crash, 1);
}

/* ---- life of an end ---- */

static inline void lab_start_control(struct lab_end *e)
{
	const struct cp_world world = {.context = e,
				       .random = lab_random,
				       .log = lab_log,
				       .set_aside = lab_set_aside,
				       .authorize = lab_authorize};
	char why[200] = "";

	if (lc_txn_attach(&e->txn, &e->mirror, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	lc_control_begin(&e->mirror, (uint64_t)getpid(), e->lab->now);
	e->engine = cp_engine_new(e->cfg, &e->mirror, e->txn, &world, e->lab->now);
	assert_non_null(e->engine);
	e->starts++;
}

static inline void lab_stop_control(struct lab_end *e)
{
	cp_engine_free(e->engine);
	lc_txn_detach(e->txn);
	e->engine = NULL;
	e->txn = NULL;
}

static inline void lab_restart(struct lab_end *e)
{
	struct lab_end *running = lab_running;

	lab_running = NULL;
	lab_stop_control(e);
	lab_start_control(e);
	lab_running = running;
}

static inline void lab_open_end(struct lab *lab, unsigned number, const char *json)
{
	struct lab_end *e = &lab->end[number];
	struct cfg_errors errors;
	char path[64], why[200] = "";
	bool cold;

	e->lab = lab;
	e->number = number;
	e->random = number + 1;
	e->present = true;
	e->cfg = cfg_parse(json, strlen(json), "lab", &errors);
	if (e->cfg == NULL)
		fail_msg("%s: %s\n%s", errors.list[0].path, errors.list[0].text, json);
	cfg_errors_free(&errors);
	snprintf(path, sizeof(path), "/dev/shm/warmline-test-engine-%d-%u", getpid(), number);
	unlink(path);
	struct lc_geometry g =
	    lc_geometry_for(e->cfg->limits.tunnels, e->cfg->limits.sessions,
			    e->cfg->limits.message_buffers, e->cfg->limits.accounting_records);
	if (lc_mirror_open(&e->mirror, path, &g, &cold, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	unlink(path);
	assert_int_equal(
	    lc_channels_attach(&e->channels, &e->mirror, lab_transmit, NULL, e, lab->now), 0);
	lab_start_control(e);
}

static inline struct lab *lab_new(const char *lac, const char *lns)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	assert_non_null(lab);
	lc_txn_step = lab_commit_step;
	lab->now = LAB_START;
	if (lac != NULL)
		lab_open_end(lab, LAC, lac);
	if (lns != NULL)
		lab_open_end(lab, LNS, lns);
	return lab;
}

static inline void lab_check(struct lab_end *e)
{
	char why[200] = "";
	if (!lc_mirror_check(&e->mirror, why, sizeof(why)) ||
	    !lc_mirror_check_free(&e->mirror, why, sizeof(why)))
		fail_msg("end %u: %s", e->number, why);
}

static inline void lab_free(struct lab *lab)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lab_end *e = &lab->end[i];
		if (!e->present)
			continue;
		lab_check(e);
		if (e->engine != NULL)
			lab_stop_control(e);
		lc_channels_detach(e->channels);
		lc_mirror_close(&e->mirror);
		cfg_free(e->cfg);
	}
	free(lab->trace);
	free(lab);
}

/* ---- time ---- */

/* A step that has changed nothing is none: else a restarted engine, which looks at everything anew,
 * would never get any further. */
static inline void lab_step_done(struct lab_end *e)
{
	bool changed = lab_commits != e->commits;

	e->commits = lab_commits;
	if (changed && e->restart_every != 0 && ++e->steps % e->restart_every == 0)
		lab_restart(e);
	if (changed && e->on_step != NULL)
		e->on_step(e);
}

/* Everything that the control plane has to do now. true: something was done. */
static inline bool lab_turn_control(struct lab_end *e)
{
	uint64_t now = e->lab->now;
	bool worked = false;
	uint32_t slot;

	while ((slot = lc_dirty_take(&e->mirror.to_control, &e->cursor)) != LC_NO_SLOT) {
		worked = true;
		while (cp_engine_run_tunnel(e->engine, slot, 1, now) == 1)
			lab_step_done(e);
		lab_step_done(e);
	}
	while (cp_engine_next(e->engine) <= now) {
		worked = true;
		cp_engine_run(e->engine, 1, now);
		lab_step_done(e);
	}
	return worked;
}

/* The next process finds what the last commit left. What it draws at random and the tunnel ID that it
 * gives out are as if nothing had been: so that the wire can be compared. */
static inline bool lab_crashed(struct lab_end *e)
{
	lab_running = NULL;
	e->random = e->random_kept;
	e->mirror.header->next_tunnel_id =
	    (__typeof__(e->mirror.header->next_tunnel_id))e->next_tunnel_kept;
	lab_stop_control(e);
	lab_start_control(e);
	return true;
}

static inline bool lab_turn(struct lab_end *e)
{
	bool worked = false;

	if (!e->present)
		return false;
	if (!e->away) {
		e->random_kept = e->random;
		e->next_tunnel_kept = e->mirror.header->next_tunnel_id;
		lab_running = e;
		worked = setjmp(lab_crash) == 0 ? lab_turn_control(e) : lab_crashed(e);
		lab_running = NULL;
	}
	while (lc_channels_run(e->channels, e->lab->now, 16))
		worked = true;
	return worked;
}

static inline bool lab_is_dead(const struct lab *lab, uint32_t address)
{
	for (unsigned i = 0; i < sizeof(lab->dead) / sizeof(lab->dead[0]); i++)
		if (lab->dead[i] == address)
			return true;
	return false;
}

static inline void lab_deliver(struct lab *lab)
{
	for (unsigned i = 0; i < lab->n_packets; i++) {
		struct lab_packet *p = &lab->packets[i];
		struct lab_end *e = &lab->end[p->to];
		struct lc_arrival from = {.peer_address = lab_address[!p->to],
					  .local_address = lab_address[p->to],
					  .peer_udp_port = LC_L2TP_UDP_PORT};
		if (lab->everywhere) {
			from.peer_address = p->source;
			from.local_address = p->destination;
		}
		if (!lab->cut && e->present && !lab_is_dead(lab, p->destination) &&
		    !lab_is_dead(lab, p->source))
			lc_channels_receive(e->channels, &from, p->bytes, p->length, lab->now);
	}
	lab->n_packets = 0;
}

/* Until nothing is left to do at this time. */
static inline void lab_settle(struct lab *lab)
{
	for (unsigned turns = 0;; turns++) {
		assert_true(turns < 100000);
		bool worked = lab_turn(&lab->end[0]);
		worked = lab_turn(&lab->end[1]) || worked;
		if (lab->n_packets == 0 && !worked)
			return;
		lab_deliver(lab);
	}
}

static inline uint64_t lab_next(const struct lab *lab)
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < 2; i++) {
		const struct lab_end *e = &lab->end[i];
		if (!e->present)
			continue;
		uint64_t at = lc_channels_next(e->channels);
		next = at < next ? at : next;
		at = e->away ? UINT64_MAX : cp_engine_next(e->engine);
		next = at < next ? at : next;
	}
	return next;
}

/* Lets ms pass, doing at each moment what is due. */
static inline void lab_run(struct lab *lab, uint64_t ms)
{
	uint64_t end = lab->now + ms;

	lab_settle(lab);
	while (lab->now < end) {
		uint64_t next = lab_next(lab);
		lab->now = next < end ? (next > lab->now ? next : lab->now + 1) : end;
		lab_settle(lab);
	}
}

/* ---- what there is ---- */

/* The n-th tunnel in use; NULL. */
static inline const struct lc_tunnel *lab_tunnel(struct lab_end *e, unsigned n)
{
	uint32_t slots = e->mirror.tunnel_mask + 1;
	uint32_t slot = lc_map_next(e->mirror.tunnel_map, slots, 0);
	for (; slot != LC_NO_SLOT && n > 0; n--)
		slot = lc_map_next(e->mirror.tunnel_map, slots, slot + 1);
	return slot != LC_NO_SLOT ? &e->mirror.tunnels[slot] : NULL;
}

static inline const struct lc_session *lab_session(struct lab_end *e, unsigned n)
{
	uint32_t slots = e->mirror.session_mask + 1;
	uint32_t slot = lc_map_next(e->mirror.session_map, slots, 0);
	for (; slot != LC_NO_SLOT && n > 0; n--)
		slot = lc_map_next(e->mirror.session_map, slots, slot + 1);
	return slot != LC_NO_SLOT ? &e->mirror.sessions[slot] : NULL;
}

static inline unsigned lab_tunnels(struct lab_end *e, enum cp_tunnel_state state)
{
	unsigned n = 0;
	const struct lc_tunnel *t;
	for (unsigned i = 0; (t = lab_tunnel(e, i)) != NULL; i++)
		n += t->state == state;
	return n;
}

static inline unsigned lab_sessions(struct lab_end *e, enum cp_session_state state)
{
	unsigned n = 0;
	uint32_t slots = e->mirror.session_mask + 1;
	for (uint32_t slot = lc_map_next(e->mirror.session_map, slots, 0); slot != LC_NO_SLOT;
	     slot = lc_map_next(e->mirror.session_map, slots, slot + 1))
		n += e->mirror.sessions[slot].state == state;
	return n;
}

/* By name, established. */
static inline const struct lc_session *lab_user(struct lab_end *e, const char *name)
{
	const struct lc_session *s;
	for (unsigned i = 0; (s = lab_session(e, i)) != NULL; i++)
		if (strcmp(s->name, name) == 0 && s->state == CP_SESSION_ESTABLISHED)
			return s;
	return NULL;
}

static inline void lab_expect_log(struct lab_end *e, const char *part)
{
	if (strstr(e->log, part) == NULL)
		fail_msg("not in the log: %s\n%s", part, e->log);
}

/* ---- configurations ---- */

/* With this a restart shows nowhere; without a method, both ends negotiate the failover protocol. */
#define LAB_SILENT "\"failover_resync\":\"silent-failover\","

/* l2tp: more members of "l2tp", each with a comma after it; members of the tunnel, the subscribers.
 */
static inline char *lab_lac_json(const char *l2tp, const char *tunnel, unsigned subscribers)
{
	char *json = NULL, range[256] = "";
	if (subscribers > 0)
		snprintf(range, sizeof(range),
			 "{\"name\":\"user{}\",\"count\":%u,\"port\":\"a\",\"tunnel\":\"t\","
			 "\"mac\":\"02:00:00:00:00:01\",\"pppoe_session\":1}",
			 subscribers);
	assert_true(
	    asprintf(
		&json,
		"{\"chassis\":{\"name\":\"lac\"},\"limits\":{\"tunnels\":30,\"sessions\":4000},"
		"\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
		"{\"name\":\"a\",\"device\":\"x\",\"facing\":\"access\"},"
		"{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.1/24\"}]}],"
		"\"l2tp\":{\"host_name\":\"lac\",%s\"tunnels\":[{\"name\":\"t\",%s"
		"\"remote\":\"10.1.0.2\",\"port\":\"p\"}]},\"subscribers\":[%s]}",
		l2tp, tunnel, range) > 0);
	return json;
}

static inline char *lab_lns_json(const char *l2tp, const char *host, unsigned subscribers)
{
	char *json = NULL, range[256] = "";
	if (subscribers > 0)
		snprintf(range, sizeof(range),
			 "{\"name\":\"user{}\",\"count\":%u,\"ipv4\":\"10.64.0.1\","
			 "\"ipv6\":\"2001:db8:64::/64\"}",
			 subscribers);
	assert_true(
	    asprintf(
		&json,
		"{\"chassis\":{\"name\":\"lns\"},\"limits\":{\"tunnels\":30,\"sessions\":4000},"
		"\"slots\":[{\"slot\":0,\"module\":\"ge\",\"ports\":["
		"{\"name\":\"c\",\"device\":\"x\",\"facing\":\"core\",\"address\":\"10.2.0.1/24\"},"
		"{\"name\":\"p\",\"device\":\"y\",\"facing\":\"peer\",\"address\":\"10.1.0.2/24\"}]}],"
		"\"l2tp\":{\"host_name\":\"lns\",%s\"destination_profiles\":[{\"name\":\"isp\","
		"\"address\":\"10.1.0.0/24\",\"remote_hosts\":[{%s\"name\":\"lac\"}]}]},"
		"\"subscribers\":[%s]}",
		l2tp, host, range) > 0);
	return json;
}

/* Both ends; see above for the parts. */
static inline struct lab *lab_pair(const char *lac_l2tp, const char *lns_l2tp, unsigned subscribers)
{
	char *lac = lab_lac_json(lac_l2tp, "", subscribers);
	char *lns = lab_lns_json(lns_l2tp, "", subscribers);
	struct lab *lab = lab_new(lac, lns);
	free(lac);
	free(lns);
	return lab;
}
