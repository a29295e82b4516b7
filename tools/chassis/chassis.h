/* SPDX-License-Identifier: BSD-3-Clause */
/* warmline-chassis: starts the processes of one chassis, restarts what dies, carries out warm and
 * cold starts.
 *
 * Management: JSON lines (cp_lines.h) on <runtime directory>/<chassis>/chassis.sock.
 *
 *   {"command": "ping"}         {"ok": true, "pid"}
 *   {"command": "processes"}    {"ok": true, "chassis", "configuration", "running", "pid", "mirror", "huge",
 * "processes": [{"name", "state", "pid", "starts", "deaths", "last_death", "outage_ms", "ready_ms",
 * "uptime_ms"}]}
 *   {"command": "warm-start", "target": "control-plane" | "line-card" | "router", "outage":
 * SECONDS} SIGKILL of warmline-control, of warmline-dataplane, of both; started again after the
 *                               outage (0 if left out), answered once they have taken over: {"ok":
 * true, "target", "outage_ms", "ready_ms", "tunnels": {"before", "after", "recovering"},
 *                               "sessions": {"before", "after"}, "processes": [...]}
 *   {"command": "cold-start"}   both stopped, the mirror removed, both started; answered as a warm
 * start
 *   {"command": "configuration"}
 *                               {"ok": true, "configuration": what runs, "startup": PATH, "generation", "saved": is what
 *                               runs what that file says?}
 *   {"command": "configure", "configuration": {...}, "generation": OF WHAT WAS EDITED}
 *   {"command": "reload"}       reads the startup file again; so does SIGHUP. Both: {"ok": true, "generation", "changes":
 *                               ["l2tp.hello_interval: 60 -> 30", ...], "restarted": by a cold start?, "note": where the
 *                               control plane is away}, or {"ok": false, "error", "errors": [{"path", "line", "text"}]}
 *   {"command": "write"}        what runs is written to the startup file
 *   {"command": "xdp"}          {"ok": true, "chassis", "interfaces": [{"interface", "answering": "data plane" | "guard" |
 *                               "nobody" | "unknown", "port", "facing", "mode": "native" | "generic", "attached_ms",
 *                               "beat_ms", "stale_ms", "starts", "vlan", "mac", "ipv4", "ipv4_shared", "ipv6",
 *                               "ipv6_shared", "ifindex", "called", "program": {"id", "name", "tag", "loaded_ms"},
 *                               "counters": [{"name", "meaning", "frames"}], "wrong"}], "guard": {"tunnels",
 *                               "mirror_created", "wrong"}}: what the pins of XDP programs say (dp_xdp_state.h), with
 *                               the planes or without; what cannot be read is missing, and "wrong" says why ("":
 *                               nothing is). No pins: no interfaces, and a "guard" of null. attached_ms, beat_ms
 *                               (none: never), loaded_ms: so long ago; stale_ms: for so long a beat is believed
 *   {"command": "xdp tunnels", "from": SLOT}
 *                               {"ok": true, "chassis", "tunnels": [{"id", "peer", "peer_port", "peer_id", "local",
 *                               "local_port", "ns", "nr", "generation", "mac", "heard_ms"}], "next": SLOT}: whom the
 *                               guard would answer, in pages; "next" where there are more. No "mac": it is not known; no
 *                               "heard_ms": the guard has taken no HELLO of it
 *
 * The startup file is read at the start and at a reload; what runs is <runtime directory>/<chassis>/running.json, which
 * only we write, and which both planes read (change.c). A request has at most CHASSIS_REQUEST_MAX bytes: a larger
 * configuration goes by the startup file and "reload". "line" is of the startup file; 0 where none applies.
 *
 * The planes' environment: WARMLINE_CONFIGURATION, the startup file's path, for shows; of the control plane also
 * WARMLINE_RADIUS_FD, the number of an open UDP socket for its RADIUS client: one for all that follow each other, so
 * that an answer that comes while none runs waits in it.
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

#define CHASSIS_SOCKET       "chassis.sock" /* leaves, for cfg_runtime_path() */
#define CHASSIS_RUNNING_FILE "running.json"

enum {
	CHASSIS_REQUEST_MAX = 64 << 20,
	CHASSIS_READY_LIMIT_MS = 60000, /* a start that takes longer has failed */
};

struct event;
struct bufferevent;
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

/* One configuration, checked, in all its forms. */
struct chassis_configuration {
	struct cfg *cfg; /* its path is the startup file's */
	json_t *tree;
	char *text; /* as it was written; the octets of running.json */
	size_t length;
};

enum change_state {
	CHANGE_NONE,
	CHANGE_ASKING,       /* on disk; the control plane is to take it over */
	CHANGE_RESTARTING,   /* on disk; both planes start cold with it */
	CHANGE_ROLLING_BACK, /* they could not: they start cold with what there was before */
};

/* A change of the running configuration that is being carried out. */
struct chassis_change {
	enum change_state state;
	uint64_t client; /* 0: a signal */
	struct chassis_configuration before;
	json_t *lines;              /* what is changed */
	struct bufferevent *stream; /* to the control plane */
	uint64_t limit;             /* ms: when it is given up, or said to be late */
	bool again;                 /* SIGHUP came meanwhile */
	char why[256];              /* of ROLLING_BACK */
};

struct chassis {
	struct cfg *cfg; /* of running */
	struct chassis_configuration running;
	char configuration[PATH_MAX]; /* the startup file, absolute */
	char running_path[PATH_MAX];
	uint64_t generation; /* of running: 1, 2, ... */
	struct chassis_change change;
	int radius_fd; /* -1: none */
	bool keep_mirror;
	int lock;                /* held by the children too: see runtime.c */
	struct lc_mirror mirror; /* read only */
	bool mirror_open;
	bool mirror_gone; /* we have removed it, and there is no other yet */
	int mirror_lock;  /* held by the children too */
	char mirror_path[PATH_MAX];
	bool huge;
	struct event_base *base;
	struct cp_lines *lines;
	struct event *poll;  /* looks for readiness */
	struct event *grace; /* until SIGKILL follows SIGTERM */
	struct event *signals[4];
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
/* Detaches XDP programs: interfaces are as they were found. Logs its failure. */
void runtime_leave_interfaces(const struct chassis *chassis);

/* ---- child.c ---- */

/* The socket for RADIUS that outlives control planes; a new one for each cold start. Bound by the first of them, which
 * knows from where. Logs its failure: each control plane then has its own. */
void child_open_radius(struct chassis *chassis);

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

/* ---- configuration.c ---- */

/* Checks a text, which it takes over (malloc), or a tree (another reference to it). 0, or -EINVAL with *errors, which
 * the caller frees. */
int configuration_parse(struct chassis_configuration *configuration, char *text, size_t length,
			const char *path, struct cfg_errors *errors);
int configuration_take(struct chassis_configuration *configuration, json_t *tree, const char *path,
		       struct cfg_errors *errors);
/* Reads and checks a file: as configuration_parse(). */
int configuration_load(struct chassis_configuration *configuration, const char *path,
		       struct cfg_errors *errors);
void configuration_free(struct chassis_configuration *configuration);

/* Makes a configuration the octets of running.json, in one moment; what was there before is kept beside it, for
 * configuration_restore(). 0 or -errno, and all is as it was. */
int configuration_put(const struct chassis *chassis,
		      const struct chassis_configuration *configuration);
int configuration_restore(const struct chassis *chassis);

/* Writes what runs to the startup file, which is replaced in one moment and keeps its mode and owner. 0 or -errno. */
int configuration_save(const struct chassis *chassis);
/* Does the startup file say what runs? */
bool configuration_is_saved(const struct chassis *chassis);

/* ---- change.c ---- */

/* Carries out a change to another configuration, which is taken over; answered to the client when it is over. */
void change_begin(struct chassis *chassis, uint64_t client,
		  struct chassis_configuration *configuration);

/* Says what is wrong with one. file: that it was read from; NULL: none. */
void change_refuse(struct chassis *chassis, uint64_t client, const struct cfg_errors *errors,
		   const char *file);
void change_refuse_text(struct chassis *chassis, uint64_t client, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads the startup file again. client 0: for a signal, which waits for its turn. */
void change_reload(struct chassis *chassis, uint64_t client);

/* Something has happened to a child, or time has passed. */
void change_progress(struct chassis *chassis);

/* ---- change_carry.c ---- */

/* Puts a checked one, which is taken over, in the place of what runs. Goes on with that. */
void change_carry_out(struct chassis *chassis, uint64_t client,
		      struct chassis_configuration *configuration,
		      const struct cfg_changes *changes);
void change_carry_on(struct chassis *chassis);

/* The planes cannot start for the reason given (no full stop). Was that because of a change? Then what was before is
 * in force again: the caller starts them cold. */
bool change_give_up(struct chassis *chassis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void change_stop(struct chassis *chassis); /* frees all */

/* ---- check.c ---- */

/* What stands in the way of a change now: complaints in *errors; 0: nothing. */
size_t check_change(const struct chassis *chassis, const struct cfg *to,
		    const struct cfg_changes *changes, struct cfg_errors *errors);

/* ---- supervise.c ---- */

/* Runs it all; returns the exit code. */
int chassis_run(struct chassis *chassis);

/* Ends a child with SIGKILL and starts it again when restart_at has come. */
void chassis_kill(struct child *child, uint64_t restart_at);

/* Ends all children with SIGTERM, those that take too long with SIGKILL, for the phase to come. */
void chassis_end_children(struct chassis *chassis, enum chassis_phase phase);

/* Calls change_progress() soon. */
void chassis_watch(struct chassis *chassis);

/* ---- requests.c ---- */

struct cp_lines *requests_listen(struct chassis *chassis); /* NULL: logged */

/* Answers the operation once its children are ready or its time is over. */
void requests_progress(struct chassis *chassis);

/* ---- requests_xdp.c ---- */

/* Of cp_lines_command. */
void requests_xdp(void *context, uint64_t client, const json_t *request);
void requests_xdp_tunnels(void *context, uint64_t client, const json_t *request);
