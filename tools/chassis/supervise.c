/* SPDX-License-Identifier: BSD-3-Clause */
/* Supervision: an event loop of signals, timers and requests.
 *
 * A child is CHILD_DOWN, or goes around CHILD_STARTING, CHILD_READY, (CHILD_DYING,) CHILD_WAITING.
 * SIGCHLD is the only place where a child is found dead; what follows depends on the phase: while
 * running, it is started again at once (or when whoever killed it wanted it, or after a pause where
 * it keeps dying); while stopping or cold starting, the phase is over when the last has gone. That
 * a child has taken over is seen in the mirror, which is polled while one is starting: a child
 * needs no channel to its supervisor, only to do its work.
 */
#include "chassis.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "cp_lines.h"

enum {
	POLL_MS = 2,     /* while a child is starting */
	GRACE_MS = 5000, /* between SIGTERM and SIGKILL */
	LATE_MS = 30000, /* a start that takes longer is worth a line */
};

static struct timeval interval(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

void chassis_watch(struct chassis *chassis)
{
	struct timeval soon = interval(POLL_MS);

	event_add(chassis->poll, &soon);
}

static void stop(struct chassis *chassis, int exit_code)
{
	if (chassis->phase == CHASSIS_STOPPING)
		return;
	chassis->exit_code = exit_code;
	chassis_end_children(chassis, CHASSIS_STOPPING);
}

static void start(struct child *child)
{
	if (child->chassis->phase != CHASSIS_RUNNING)
		return;
	if (child_start(child) < 0)
		stop(child->chassis, CHASSIS_EXIT_ENVIRONMENT);
	else
		chassis_watch(child->chassis);
}

static void start_at(struct child *child, uint64_t when)
{
	uint64_t now = chassis_now();
	struct timeval pause = interval(when > now ? when - now : 0);

	child->state = CHILD_WAITING;
	event_add(child->timer, &pause);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	start(context);
}

/* ---- readiness ---- */

static const struct lc_process *record_of(const struct child *child)
{
	const struct chassis *chassis = child->chassis;
	const struct lc_header *header = chassis->mirror.header;

	return child == &chassis->child[CHASSIS_CONTROL] ? &header->control : &header->dataplane;
}

static void look_at(struct child *child, uint64_t now)
{
	const struct lc_process *record = record_of(child);
	uint64_t ready = __atomic_load_n(&record->ready, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&record->pid, __ATOMIC_ACQUIRE) == (uint64_t)child->pid &&
	    ready >= child->started) {
		child->state = CHILD_READY;
		child->ready_ms = ready - child->started;
		child->outage_ms = child->died ? ready - child->died : 0;
		if (child->died)
			chassis_log("%s: ready (pid %d), %llu ms after its start, away for %llu ms",
				    child->title, child->pid, (unsigned long long)child->ready_ms,
				    (unsigned long long)child->outage_ms);
		else
			chassis_log("%s: ready (pid %d), %llu ms after its start", child->title,
				    child->pid, (unsigned long long)child->ready_ms);
	} else if (now - child->started >= LATE_MS && !child->said_late) {
		child->said_late = true;
		chassis_log("%s: not ready %d s after its start (pid %d)", child->title,
			    LATE_MS / 1000, child->pid);
	}
}

static void on_poll(evutil_socket_t fd, short what, void *context)
{
	struct chassis *chassis = context;
	uint64_t now = chassis_now();
	bool starting = false, ready = true;

	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++) {
		struct child *child = &chassis->child[i];

		if (child->state == CHILD_STARTING)
			look_at(child, now);
		starting |= child->state == CHILD_STARTING;
		ready &= child->state == CHILD_READY;
	}
	if (ready)
		chassis->distrusted = false;
	requests_progress(chassis);
	change_progress(chassis);
	if (starting || chassis->operation.active || chassis->change.state)
		chassis_watch(chassis);
}

/* ---- deaths ---- */

static void finish_phase(struct chassis *chassis)
{
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		if (chassis->child[i].pid)
			return;
	event_del(chassis->grace);
	if (chassis->phase == CHASSIS_STOPPING) {
		event_base_loopbreak(chassis->base);
		return;
	}
	runtime_remove_mirror(chassis);
	chassis->phase = CHASSIS_RUNNING;
	if (runtime_open_mirror(chassis) < 0 &&
	    !(change_give_up(chassis, "there can be no mirror of that size, see the log") &&
	      runtime_open_mirror(chassis) == 0)) {
		stop(chassis, CHASSIS_EXIT_ENVIRONMENT);
		return;
	}
	child_open_radius(chassis);
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		start(&chassis->child[i]);
}

/* The child says that nothing can go on as it is: the chassis stops or starts cold. */
static void give_way(struct child *child, pid_t pid, int code)
{
	struct chassis *chassis = child->chassis;

	if (change_give_up(chassis, "%s: exit code %d, see the log", child->title, code)) {
		chassis_end_children(chassis, CHASSIS_COLD_STARTING);
	} else if (code == CHASSIS_EXIT_ENVIRONMENT) {
		chassis_log("%s: exit code %d (pid %d): it cannot work here; the chassis stops",
			    child->title, code, pid);
		stop(chassis, CHASSIS_EXIT_ENVIRONMENT);
	} else if (chassis->distrusted) {
		chassis_log(
		    "%s: exit code %d (pid %d): it refuses a new mirror too; the chassis stops",
		    child->title, code, pid);
		stop(chassis, CHASSIS_EXIT_ENVIRONMENT);
	} else {
		chassis_log("%s: exit code %d (pid %d): it does not believe the mirror; cold start",
			    child->title, code, pid);
		chassis->distrusted = true;
		chassis_end_children(chassis, CHASSIS_COLD_STARTING);
	}
}

/* It died by itself, while it should run. */
static void recover(struct child *child, pid_t pid, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	uint64_t pause;

	if (code == CHASSIS_EXIT_ENVIRONMENT || code == CHASSIS_EXIT_MIRROR) {
		give_way(child, pid, code);
		return;
	}
	pause = child_back_off(child, child->died);
	chassis_log("%s: %s (pid %d): restarts%s", child->title, child->last_death, pid,
		    pause ? " after a pause" : "");
	start_at(child, child->died + pause);
}

static void bury(struct child *child, int status)
{
	bool planned = child->state == CHILD_DYING;
	pid_t pid = child->pid;

	child_describe(child, status);
	child->pid = 0;
	child->state = CHILD_DOWN;
	child->deaths++;
	if (!planned || child->chassis->phase != CHASSIS_RUNNING)
		child->died = chassis_now();
	if (child->chassis->phase != CHASSIS_RUNNING) {
		chassis_log("%s: %s (pid %d)", child->title, child->last_death, pid);
	} else if (planned) {
		chassis_log("%s: %s (pid %d) for a warm start: restarts after %.1f s", child->title,
			    child->last_death, pid,
			    (double)(child->restart_at - child->died) / 1000);
		start_at(child, child->restart_at);
	} else {
		recover(child, pid, status);
	}
}

static void on_child(evutil_socket_t fd, short what, void *context)
{
	struct chassis *chassis = context;

	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++) {
		struct child *child = &chassis->child[i];
		int status;

		if (child->pid && waitpid(child->pid, &status, WNOHANG) == child->pid)
			bury(child, status);
	}
	if (chassis->phase != CHASSIS_RUNNING)
		finish_phase(chassis);
	change_progress(chassis);
}

/* ---- ends ---- */

void chassis_kill(struct child *child, uint64_t restart_at)
{
	child->short_lives = 0;
	if (!child->pid) {
		start_at(child, restart_at);
		return;
	}
	child->restart_at = restart_at;
	child->state = CHILD_DYING;
	child->died = chassis_now();
	kill(child->pid, SIGKILL);
}

static void signal_all(struct chassis *chassis, int number)
{
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		if (chassis->child[i].pid)
			kill(chassis->child[i].pid, number);
}

void chassis_end_children(struct chassis *chassis, enum chassis_phase phase)
{
	struct timeval grace = interval(GRACE_MS);

	chassis->phase = phase;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++) {
		struct child *child = &chassis->child[i];

		event_del(child->timer);
		child->state = child->pid ? CHILD_DYING : CHILD_DOWN;
	}
	signal_all(chassis, SIGTERM);
	event_add(chassis->grace, &grace);
	/* Seen to by the loop: whoever called may still be at work on a child. */
	event_active(chassis->signals[0], EV_SIGNAL, 1);
}

static void on_grace(evutil_socket_t fd, short what, void *context)
{
	chassis_log("not everything has ended %d s after SIGTERM: SIGKILL", GRACE_MS / 1000);
	signal_all(context, SIGKILL);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	struct chassis *chassis = context;

	/* Asked twice: in a hurry. */
	if (chassis->phase == CHASSIS_STOPPING)
		signal_all(chassis, SIGKILL);
	else
		chassis_log("SIG%s: stops", sigabbrev_np(fd));
	stop(chassis, CHASSIS_EXIT_OK);
}

static void on_reload(evutil_socket_t fd, short what, void *context)
{
	chassis_log("SIGHUP: reads the startup file again");
	change_reload(context, 0);
}

/* ---- the loop ---- */

static bool make_events(struct chassis *chassis)
{
	bool made = true;

	chassis->poll = evtimer_new(chassis->base, on_poll, chassis);
	chassis->grace = evtimer_new(chassis->base, on_grace, chassis);
	chassis->signals[0] = evsignal_new(chassis->base, SIGCHLD, on_child, chassis);
	chassis->signals[1] = evsignal_new(chassis->base, SIGTERM, on_stop, chassis);
	chassis->signals[2] = evsignal_new(chassis->base, SIGINT, on_stop, chassis);
	chassis->signals[3] = evsignal_new(chassis->base, SIGHUP, on_reload, chassis);
	for (unsigned i = 0; i < 4; i++)
		made = made && chassis->signals[i] && event_add(chassis->signals[i], NULL) == 0;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++) {
		chassis->child[i].timer = evtimer_new(chassis->base, on_timer, &chassis->child[i]);
		made = made && chassis->child[i].timer;
	}
	return made && chassis->poll && chassis->grace;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void free_events(struct chassis *chassis)
{
	free_event(chassis->poll);
	free_event(chassis->grace);
	for (unsigned i = 0; i < 4; i++)
		free_event(chassis->signals[i]);
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		free_event(chassis->child[i].timer);
}

int chassis_run(struct chassis *chassis)
{
	int exit_code = CHASSIS_EXIT_ENVIRONMENT;

	signal(SIGPIPE, SIG_IGN);
	chassis->base = event_base_new();
	if (!chassis->base || !make_events(chassis)) {
		chassis_log("cannot make an event loop: %s", strerror(errno));
		goto out;
	}
	chassis->lines = requests_listen(chassis);
	if (!chassis->lines)
		goto out;
	for (unsigned i = 0; i < CHASSIS_CHILDREN; i++)
		start(&chassis->child[i]);
	event_base_dispatch(chassis->base);
	exit_code = chassis->exit_code;
out:
	change_stop(chassis);
	cp_lines_free(chassis->lines);
	if (chassis->base)
		free_events(chassis);
	if (chassis->base)
		event_base_free(chassis->base);
	return exit_code;
}
