/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for warmline-dataplane and warmline-control (its name says which) in tests of the
 * supervisor: does to the mirror what they do at their start, and then what the first word of the
 * file <its own path>.does says:
 *
 *   ready     is ready; ends at SIGTERM (without a file too)
 *   never     never gets ready
 *   stubborn  is ready; ignores SIGTERM
 *   recover   control plane: is ready, and recovers the first tunnel by the failover protocol
 *   exit N    ends with N before it is ready
 *   exit N if TEXT   the same where its configuration has that text in it, else ready
 *   serve [empty] [slow] [refuse|die|mute|gone]   control plane: is ready, and serves control.sock: notes in the file
 *             <its own path>.has what configuration it has, at its start and when it is asked to reload; or refuses that,
 *             or dies of it before or (gone) after it has noted it, or never answers; slow: is ready only after 300 ms, and
 *             has read its file before
 *
 * The control plane makes tunnels and sessions in an empty mirror (but not where it is "empty"), and without "serve" serves
 * no socket: it is a control plane that is down as far as management is concerned. */
#include <limits.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfg.h"
#include "cp_engine.h"
#include "lc_txn.h"

#include "chassis_rig.h"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void read_task(const char *program, char *task, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s.does", program);
	file = fopen(path, "re");
	if (!file || !fgets(task, (int)size, file))
		snprintf(task, size, "ready");
	if (file)
		fclose(file);
}

static void open_mirror(struct lc_mirror *mirror, const struct cfg *cfg)
{
	struct lc_geometry geometry =
	    lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions, cfg->limits.message_buffers,
			    cfg->limits.accounting_records);
	char path[PATH_MAX], why[256] = "";
	bool cold, huge;

	if (lc_mirror_path(cfg->name, lc_mirror_size(&geometry), path, sizeof(path), &huge) < 0 ||
	    lc_mirror_open(mirror, path, &geometry, &cold, why, sizeof(why)) < 0) {
		fprintf(stderr, "stand-in: mirror %s: %s\n", path, why);
		exit(1);
	}
	if (cold) {
		/* The supervisor makes it, before any child runs. */
		fprintf(stderr, "stand-in: there was no mirror\n");
		exit(1);
	}
}

/* ---- a control plane that serves ---- */

static void copy_file(const char *from, const char *to)
{
	static char text[1 << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = read(in, text, sizeof(text));

	(void)!write(out, text, n > 0 ? (size_t)n : 0);
	close(in);
	close(out);
}

/* Which configuration it has, and what it was given beside it. */
static void note(const char *program, const char *configuration)
{
	const char *radius = getenv("WARMLINE_RADIUS_FD"), *path = getenv("WARMLINE_CONFIGURATION");
	char has[PATH_MAX];
	int type = 0, bytes = sizeof(type);

	snprintf(has, sizeof(has), "%s.has", program);
	copy_file(configuration, has);
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in was = {0};
	socklen_t length = sizeof(was);

	if (radius) {
		getsockopt(atoi(radius), SOL_SOCKET, SO_TYPE, &type, (socklen_t *)&bytes);
		getsockname(atoi(radius), (struct sockaddr *)&was, &length);
		(void)!bind(atoi(radius), (const struct sockaddr *)&own, sizeof(own));
	}
	fprintf(stderr, "stand-in: %s reads %s; RADIUS socket: %s, %s\n", path ? path : "?",
		strrchr(configuration, '/') + 1, type == SOCK_DGRAM ? "a datagram one" : "none",
		was.sin_port ? "bound" : "new");
}

static int listen_at_control(const struct cfg *cfg)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cfg_runtime_path(cfg, "control.sock", address.sun_path, sizeof(address.sun_path));
	unlink(address.sun_path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		exit(1);
	return fd;
}

static void serve(int listener, const char *program, const char *configuration, const char *task)
{
	static const char yes[] = "{\"ok\": true}\n",
			  no[] = "{\"ok\": false, \"error\": \"no memory for it\"}\n";

	for (;;) {
		char line[256];
		int fd = accept(listener, NULL, NULL);

		if (read(fd, line, sizeof(line)) > 0) {
			if (strstr(task, "die"))
				kill(getpid(), SIGKILL);
			if (strstr(task, "mute"))
				pause();
			if (strstr(task, "refuse")) {
				(void)!write(fd, no, sizeof(no) - 1);
			} else {
				note(program, configuration);
				if (strstr(task, "gone"))
					kill(getpid(), SIGKILL);
				(void)!write(fd, yes, sizeof(yes) - 1);
			}
		}
		close(fd);
	}
}

/* "exit N if TEXT" */
static bool is_for(const char *task, const char *configuration)
{
	static char text[1 << 16];
	const char *condition = strstr(task, " if ");
	FILE *file = condition ? fopen(configuration, "r") : NULL;

	if (!file)
		return true;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return strstr(text, condition + 4) != NULL;
}

int main(int argc, char **argv)
{
	struct cfg_errors errors;
	struct cfg *cfg = argc == 2 ? cfg_load(argv[1], &errors) : NULL;
	bool is_control = strstr(argv[0], "control") != NULL;
	struct lc_mirror mirror;
	struct lc_process *self;
	char task[128];
	int listener = -1;

	if (!cfg)
		return 2;
	read_task(argv[0], task, sizeof(task));
	if (strncmp(task, "exit", 4) == 0 && is_for(task, argv[1])) {
		cfg_free(cfg);
		return atoi(task + 4);
	}
	if (strncmp(task, "stubborn", 8) == 0)
		signal(SIGTERM, SIG_IGN);
	open_mirror(&mirror, cfg);
	self = is_control ? &mirror.header->control : &mirror.header->dataplane;
	if (is_control) {
		lc_control_begin(&mirror, (uint64_t)getpid(), now_ms());
	} else {
		self->ready = 0;
		self->starts++;
		self->started = now_ms();
		__atomic_store_n(&self->pid, (uint64_t)getpid(), __ATOMIC_RELEASE);
	}
	if (strncmp(task, "serve", 5) == 0) {
		listener = listen_at_control(cfg);
		note(argv[0], argv[1]);
		usleep(strstr(task, "slow") ? 300000 : 0);
	}
	if (is_control && self->starts == 1 && !strstr(task, "empty"))
		rig_populate(&mirror, now_ms());
	if (is_control && strncmp(task, "recover", 7) == 0)
		rig_recover(&mirror, now_ms());
	if (strncmp(task, "never", 5) != 0)
		__atomic_store_n(&self->ready, now_ms(), __ATOMIC_RELEASE);
	if (listener >= 0)
		serve(listener, argv[0], argv[1], task);
	for (;;)
		pause();
}
