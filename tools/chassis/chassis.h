/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-chassis: starts the processes of one chassis, restarts what dies, carries out warm and
 * cold starts.
 *
 * Management: JSON lines (cp_lines.h) on <runtime directory>/<chassis>/chassis.sock.
 *
 *   {"command": "ping"}         {"ok": true, "pid"}
 *   {"command": "processes"}    {"ok": true, "chassis", "configuration", "pid", "mirror", "huge",
 * "processes": [{"name", "state", "pid", "starts", "deaths", "last_death", "outage_ms", "ready_ms",
 * "uptime_ms"}]}
 *   {"command": "warm-start", "target": "control-plane" | "line-card" | "router", "outage":
 * SECONDS} SIGKILL of warmline-control, of warmline-dataplane, of both; started again after the
 *                               outage (0 if left out), answered once they have taken over: {"ok":
 * true, "target", "outage_ms", "ready_ms", "tunnels": {"before", "after", "recovering"},
 *                               "sessions": {"before", "after"}, "processes": [...]}
 *   {"command": "cold-start"}   both stopped, the mirror removed, both started; answered as a warm
 * start
 *
 * before, after: tunnels and sessions that there were when the request came, and that were kept when the
 * processes were ready; recovery tunnels (RFC 4951) are not counted. At that moment tunnels without a method
 * are gone, those with silent failover are as they were, and those with the failover protocol are kept with
 * their sessions, but their recovery only begins: recovering says how many of them (after) are not
 * resynchronized yet, as of the answer. Those that the peer does not let recover, and the sessions that it does
 * not know, go later: "resync" of show tunnels (cp_show.h), and the counters, have the outcome.
 *
 * outage_ms: from the death of a process to the moment when its successor had taken over; ready_ms:
 * the part of it since the successor's start. Of several processes the longest.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "cfg.h"
#include "lc_mirror.h"

#define CHASSIS_SOCKET "chassis.sock" /* leaf, for cfg_runtime_path() */

struct event;
struct event_base;
struct cp_lines;

enum chassis_child {
	CHASSIS_DATAPLANE,
	CHASSIS_CONTROL,
	CHASSIS_CHILDREN,
};

/* How a chassis ends. */
enum chassis_exit {
	CHASSIS_EXIT_OK = 0,
	CHASSIS_EXIT_ENVIRONMENT = 2, /* configuration or machine; a child's ends the chassis */
	CHASSIS_EXIT_MIRROR = 3, /* a child's: it does not believe the mirror, so all start cold */
};

enum child_state {
	CHILD_DOWN,     /* not running, no restart planned */
	CHILD_WAITING,  /* not running, started when its timer says so */
	CHILD_STARTING, /* runs, has not taken over yet */
	CHILD_READY,
	CHILD_DYING, /* signalled by us, not gone yet */
};

struct child {
	const char *key;   /* "control-plane", in documents */
	const char *title; /* "control plane", for people */
	char program[PATH_MAX];
	pid_t pid; /* 0: not running */
	enum child_state state;
	unsigned starts, deaths;
	unsigned short_lives;         /* deaths in a row soon after a start, not of our doing */
	uint64_t started, died;       /* ms, CLOCK_MONOTONIC; 0: never */
	uint64_t restart_at;          /* CHILD_DYING: when to start it again */
	uint64_t outage_ms, ready_ms; /* of the last start that became ready */
	bool said_late;
	char last_death[64]; /* "" : none yet */
	struct event *timer; /* of CHILD_WAITING */
	struct chassis *chassis;
};

enum chassis_phase {
	CHASSIS_RUNNING,
	CHASSIS_COLD_STARTING, /* waits for its children to end */
	CHASSIS_STOPPING,
};

/* A warm or cold start that somebody waits for. */
struct chassis_operation {
	bool active;
	uint64_t client;
	const char *target;
	unsigned children;          /* bits: 1 << enum chassis_child */
	uint64_t begun, limit;      /* ms; limit: when it is given up */
	uint32_t tunnels, sessions; /* before */
};

struct chassis {
	struct cfg *cfg;
	char configuration[PATH_MAX]; /* absolute */
	bool keep_mirror;
	int lock;                /* held by the children too: see runtime.c */
	struct lc_mirror mirror; /* read only */
	bool mirror_open;
	char mirror_path[PATH_MAX];
	bool huge;
	struct event_base *base;
	struct cp_lines *lines;
	struct event *poll;  /* looks for readiness */
	struct event *grace; /* until SIGKILL follows SIGTERM */
	struct event *signals[3];
	struct child child[CHASSIS_CHILDREN];
	struct chassis_operation operation;
	enum chassis_phase phase;
	bool distrusted; /* CHASSIS_EXIT_MIRROR forced a cold start, and not all were ready since */
	int exit_code;
};

/* ---- log.c ---- */

/* One line to stderr, with the time and the chassis' name. */
__attribute__((format(printf, 1, 2))) void chassis_log(const char *format, ...);
void chassis_log_name(const char *name); /* kept by reference */
uint64_t chassis_now(void);              /* ms, CLOCK_MONOTONIC */

/* ---- runtime.c ---- */

/* Creates the runtime directory and takes its lock; removes what a killed predecessor left. Logs
 * its failure. */
int runtime_take(struct chassis *chassis);
void runtime_leave(struct chassis *chassis); /* removes it, and gives the lock back */

/* Makes sure that there is a mirror of the configured geometry, and maps it: the old one, or, where
 * there is none or it is refused, a new one. Logs which. */
int runtime_open_mirror(struct chassis *chassis);
void runtime_close_mirror(struct chassis *chassis);
void runtime_remove_mirror(struct chassis *chassis);

/* ---- child.c ---- */

/* Fills in child->program: given (may be NULL), beside our executable, in ../sbin, in PATH. */
int child_find(struct child *child, const char *name, const char *given);

/* Forks and executes. The child dies with us, holds the lock, and is out of our terminal's way.
 * Logs its failure. */
int child_start(struct child *child);

/* What a wait status says, for people, into child->last_death. */
void child_describe(struct child *child, int status);

/* ms to wait before the next start, after a death that was not ours. */
uint64_t child_back_off(struct child *child, uint64_t now);

const char *child_state_name(enum child_state state);

/* ---- supervise.c ---- */

/* Runs it all; returns the exit code. */
int chassis_run(struct chassis *chassis);

/* Ends a child with SIGKILL and starts it again when restart_at has come. */
void chassis_kill(struct child *child, uint64_t restart_at);

/* Ends all children with SIGTERM, those that take too long with SIGKILL, for the phase to come. */
void chassis_end_children(struct chassis *chassis, enum chassis_phase phase);

/* ---- requests.c ---- */

struct cp_lines *requests_listen(struct chassis *chassis); /* NULL: logged */

/* Answers the operation once its children are ready or its time is over. */
void requests_progress(struct chassis *chassis);
