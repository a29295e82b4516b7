/* SPDX-License-Identifier: BSD-3-Clause */
/* One child process: where its program is, how it starts, what its end means. */
#include "chassis.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SHORT_LIFE_MS = 5000,    /* a death sooner than this after the start counts */
	SHORT_LIVES_FREE = 5,    /* so many in a row are answered at once */
	BACK_OFF_FIRST_MS = 250, /* then the pause doubles ... */
	BACK_OFF_MAX_MS = 5000,  /* ... up to this */
};

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

static bool find_in_path(char *program, size_t size, const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (length > 0 &&
		    (size_t)snprintf(program, size, "%.*s/%s", (int)length, path, name) < size &&
		    is_program(program))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

int child_find(struct child *child, const char *name, const char *given)
{
	static const char *const places[] = {"%s/%s", "%s/../sbin/%s"};
	char own[PATH_MAX], *slash;
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (given) {
		snprintf(child->program, sizeof(child->program), "%s", given);
		if (is_program(child->program))
			return 0;
		chassis_log("cannot execute %s: %s", given, strerror(errno));
		return -ENOENT;
	}
	own[length > 0 ? length : 0] = '\0';
	slash = strrchr(own, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		*slash = '\0';
		if ((size_t)snprintf(child->program, sizeof(child->program), places[i], own, name) <
			sizeof(child->program) &&
		    is_program(child->program))
			return 0;
	}
	if (find_in_path(child->program, sizeof(child->program), name))
		return 0;
	chassis_log("cannot find %s: neither beside warmline-chassis, nor in ../sbin, nor in PATH",
		    name);
	return -ENOENT;
}

void child_open_radius(struct chassis *chassis)
{
	if (chassis->radius_fd >= 0)
		close(chassis->radius_fd);
	chassis->radius_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (chassis->radius_fd < 0)
		chassis_log(
		    "no socket for RADIUS: %s; answers that come while the control plane is "
		    "away are lost",
		    strerror(errno));
}

/* What a child inherits beside its configuration (chassis.h). */
static void hand_down(const struct child *child)
{
	const struct chassis *chassis = child->chassis;
	char number[16];

	setenv("WARMLINE_CONFIGURATION", chassis->configuration, 1);
	unsetenv("WARMLINE_RADIUS_FD");
	if (child != &chassis->child[CHASSIS_CONTROL] || chassis->radius_fd < 0)
		return;
	snprintf(number, sizeof(number), "%d", chassis->radius_fd);
	if (fcntl(chassis->radius_fd, F_SETFD, 0) == 0)
		setenv("WARMLINE_RADIUS_FD", number, 1);
}

static _Noreturn void become(const struct child *child, pid_t parent)
{
	char *const arguments[] = {(char *)child->program, child->chassis->running_path, NULL};
	static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	sigset_t none;
	int null;

	/* Our death is its death: nobody else would restart it, and the mirror needs no goodbye. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CHASSIS_EXIT_ENVIRONMENT);
	/* A Ctrl-C is for the supervisor, which then decides. */
	setpgid(0, 0);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	hand_down(child);
	execv(child->program, arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", child->program, strerror(errno));
	_exit(CHASSIS_EXIT_ENVIRONMENT);
}

int child_start(struct child *child)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;

	/* Blocked, so that no handler of ours runs in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child->started = chassis_now();
	pid = fork();
	if (pid == 0)
		become(child, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		chassis_log("%s: cannot start: %s", child->title, strerror(errno));
		return -errno;
	}
	child->pid = pid;
	child->state = CHILD_STARTING;
	child->said_late = false;
	child->starts++;
	return 0;
}

void child_describe(struct child *child, int status)
{
	char *text = child->last_death;
	size_t size = sizeof(child->last_death);

	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		snprintf(text, size, "killed by SIG%s%s", name ? name : "?",
			 WCOREDUMP(status) ? " (core dumped)" : "");
	} else {
		snprintf(text, size, "exit code %d", WEXITSTATUS(status));
	}
}

uint64_t child_back_off(struct child *child, uint64_t now)
{
	uint64_t pause = BACK_OFF_FIRST_MS;

	if (now - child->started >= SHORT_LIFE_MS) {
		child->short_lives = 0;
		return 0;
	}
	child->short_lives++;
	if (child->short_lives <= SHORT_LIVES_FREE)
		return 0;
	if (child->short_lives == SHORT_LIVES_FREE + 1)
		chassis_log(
		    "%s: keeps dying within %d s of its start: restarts are spaced out, up to %d s",
		    child->title, SHORT_LIFE_MS / 1000, BACK_OFF_MAX_MS / 1000);
	for (unsigned i = SHORT_LIVES_FREE + 1; i < child->short_lives && pause < BACK_OFF_MAX_MS;
	     i++)
		pause *= 2;
	return pause < BACK_OFF_MAX_MS ? pause : BACK_OFF_MAX_MS;
}

const char *child_state_name(enum child_state state)
{
	static const char *const names[] = {
	    [CHILD_DOWN] = "down",   [CHILD_WAITING] = "waiting", [CHILD_STARTING] = "starting",
	    [CHILD_READY] = "ready", [CHILD_DYING] = "dying",
	};

	return names[state];
}
