/* SPDX-License-Identifier: BSD-3-Clause */
/* What a chassis has on the machine: its runtime directory with the lock, and its mirror.
 *
 * The lock is an open file description that the children inherit: it is free only when the last
 * process of the chassis has gone, not when the supervisor has. So a chassis started right after a
 * SIGKILL of its predecessor does not attach to a mirror that a dying process still writes to; it
 * waits for the moment that the kernel needs.
 *
 * Names are those of the machine: two chassis of one name in two runtime directories would have one mirror. So that is
 * locked too, likewise.
 *
 * The mirror is made here, before any child runs, so that one process decides whether the old one
 * is good, and says so once. The runtime directory holds sockets and locks, and may be lost.
 */
#include "chassis.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dp_xdp_pins.h"
#include "dp_xdp_state.h"

enum {
	LOCK_TRIES = 200, /* for the processes of a killed predecessor to vanish */
	LOCK_PAUSE_US = 10000,
};

static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* flock() of a mirror is lc_mirror_open()'s: ours is of the other kind, which has the same life. */
static int try_lock(int fd, bool mirror)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return mirror ? fcntl(fd, F_OFD_SETLK, &whole) : flock(fd, LOCK_EX | LOCK_NB);
}

/* Takes the lock on an open file, unless somebody who lives has it. 0, -EAGAIN with *holder,
 * -errno. */
static int lock_file(int fd, bool mirror, pid_t *holder)
{
	for (int try = 0; try < LOCK_TRIES; try++) {
		char text[32] = "";

		if (try_lock(fd, mirror) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EACCES)
			return -errno;
		if (!mirror && pread(fd, text, sizeof(text) - 1, 0) < 0)
			return -errno;
		*holder = (pid_t)strtol(text, NULL, 10);
		if (*holder > 0 && (kill(*holder, 0) == 0 || errno == EPERM))
			return -EAGAIN;
		usleep(LOCK_PAUSE_US);
	}
	return -EAGAIN;
}

/* The lock file may be removed by its last holder between our open and our lock: then it is not the
 * one at path. */
static int take_lock(const char *path, bool mirror, pid_t *holder)
{
	for (;;) {
		struct stat ours, there;
		int error, fd = open(path, O_RDWR | O_CREAT, 0600);

		if (fd < 0)
			return -errno;
		error = lock_file(fd, mirror, holder);
		if (error) {
			close(fd);
			return error;
		}
		if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
		    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
			return fd;
		close(fd);
	}
}

/* Removes what is in the directory, but for the lock and for messages that the control plane has
 * set aside: those are for a person to look at. */
static void tidy(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (strcmp(entry->d_name, "lock") != 0 &&
		    strncmp(entry->d_name, "set-aside", 9) != 0)
			unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory)
		closedir(directory);
}

int runtime_take(struct chassis *chassis)
{
	char path[PATH_MAX], lock[PATH_MAX];
	pid_t holder = 0;
	int error = cfg_runtime_path(chassis->cfg, "lock", lock, sizeof(lock));

	if (!error)
		error = cfg_runtime_path(chassis->cfg, "", path, sizeof(path));
	if (error) {
		chassis_log("runtime_directory \"%s\" is too long",
			    chassis->cfg->runtime_directory);
		return error;
	}
	path[strlen(path) - 1] = '\0';
	error = make_directories(path);
	if (error) {
		chassis_log("cannot create %s: %s%s", path, strerror(-error),
			    geteuid() ? " (root can, or another runtime_directory)" : "");
		return error;
	}
	chassis->lock = take_lock(lock, false, &holder);
	if (chassis->lock == -EAGAIN)
		chassis_log(
		    "a chassis of this name runs already (pid %d): stop it, or give this one another name",
		    holder);
	else if (chassis->lock < 0)
		chassis_log("cannot lock %s: %s", lock, strerror(-chassis->lock));
	if (chassis->lock < 0)
		return chassis->lock;
	if (ftruncate(chassis->lock, 0) < 0 || dprintf(chassis->lock, "%d\n", getpid()) < 0) {
		chassis_log("cannot write %s: %s", lock, strerror(errno));
		return -EIO;
	}
	tidy(path);
	return 0;
}

void runtime_leave(struct chassis *chassis)
{
	char path[PATH_MAX];

	if (chassis->lock < 0 || cfg_runtime_path(chassis->cfg, "", path, sizeof(path)) < 0)
		return;
	tidy(path);
	strcat(path, "lock"); /* runtime_take() has seen that it fits */
	unlink(path);
	*strrchr(path, '/') = '\0';
	if (rmdir(path) < 0)
		chassis_log(errno == ENOTEMPTY ? "messages that were set aside stay in %s"
					       : "cannot remove %s: %m",
			    path);
	close(chassis->lock);
	chassis->lock = -1;
}

/* The file at mirror_path, made where there is none, is ours. 0 or -errno, logged. */
static int lock_mirror(struct chassis *chassis)
{
	pid_t holder = 0;

	if (chassis->mirror_lock >= 0)
		close(chassis->mirror_lock);
	chassis->mirror_lock = take_lock(chassis->mirror_path, true, &holder);
	if (chassis->mirror_lock == -EAGAIN)
		chassis_log(
		    "a chassis of this name runs already, with another runtime_directory, and has "
		    "the mirror %s: stop it, or give this one another name",
		    chassis->mirror_path);
	else if (chassis->mirror_lock < 0)
		chassis_log("cannot lock %s: %s", chassis->mirror_path,
			    strerror(-chassis->mirror_lock));
	return chassis->mirror_lock < 0 ? chassis->mirror_lock : 0;
}

/* The tunnels of a mirror that goes are nobody's: their peers are not to be told that they live. */
static void forget_mirror(const struct chassis *chassis)
{
	int error = dp_xdp_disown(chassis->cfg->name);

	if (error && error != -EACCES && error != -EPERM)
		chassis_log("cannot tell the XDP programs of %s/%s that the mirror goes: %s",
			    DP_XDP_PINS, chassis->cfg->name, strerror(-error));
}

/* Opens the mirror at mirror_path, for good or, where it cannot be understood, anew. 0 or -errno. */
static int open_or_replace(struct chassis *chassis, const struct lc_geometry *geometry, bool *cold)
{
	const char *path = chassis->mirror_path;
	struct lc_mirror mirror;
	struct stat made;
	char why[256] = "";
	int error = lock_mirror(chassis);

	if (error)
		return error;
	error = lc_mirror_open(&mirror, path, geometry, cold, why, sizeof(why));
	if (error == -ESTALE) {
		chassis_log("mirror %s is refused: %s; it is removed, for a cold start", path, why);
		forget_mirror(chassis);
		unlink(path);
		error = lock_mirror(chassis);
		if (error)
			return error;
		error = lc_mirror_open(&mirror, path, geometry, cold, why, sizeof(why));
	}
	if (error) {
		chassis_log("mirror %s: %s", path, why[0] ? why : strerror(-error));
		if (stat(path, &made) == 0 && made.st_size == 0) /* there was no room for it */
			unlink(path);
		return error;
	}
	lc_mirror_close(&mirror);
	return 0;
}

int runtime_open_mirror(struct chassis *chassis)
{
	const struct cfg_limits *limits = &chassis->cfg->limits;
	struct lc_geometry geometry = lc_geometry_for(
	    limits->tunnels, limits->sessions, limits->message_buffers, limits->accounting_records);
	uint64_t bytes = lc_mirror_size(&geometry);
	char why[256] = "";
	bool cold;
	int error = lc_mirror_path(chassis->cfg->name, bytes, chassis->mirror_path, PATH_MAX,
				   &chassis->huge);

	if (error) {
		chassis_log("no place for the mirror: %s", strerror(-error));
		return error;
	}
	error = open_or_replace(chassis, &geometry, &cold);
	/* Others may have taken the hugepages since lc_mirror_path() counted them: it looks again. */
	if (error && chassis->huge &&
	    lc_mirror_path(chassis->cfg->name, bytes, chassis->mirror_path, PATH_MAX,
			   &chassis->huge) == 0 &&
	    !chassis->huge)
		error = open_or_replace(chassis, &geometry, &cold);
	if (error)
		return error;
	error = lc_mirror_open_readonly(&chassis->mirror, chassis->mirror_path, why, sizeof(why));
	if (error) {
		chassis_log("mirror %s: %s", chassis->mirror_path, why[0] ? why : strerror(-error));
		return error;
	}
	chassis->mirror_open = true;
	chassis->mirror_gone = false;
	if (cold) /* the last one may have gone without us */
		forget_mirror(chassis);
	chassis_log("%s start: mirror %s%s", cold ? "cold" : "warm", chassis->mirror_path,
		    chassis->huge ? "" : " (ordinary pages: no hugepages are free)");
	return 0;
}

void runtime_close_mirror(struct chassis *chassis)
{
	if (chassis->mirror_open)
		lc_mirror_close(&chassis->mirror);
	chassis->mirror_open = false;
}

void runtime_remove_mirror(struct chassis *chassis)
{
	runtime_close_mirror(chassis);
	forget_mirror(chassis);
	if (chassis->mirror_path[0] && unlink(chassis->mirror_path) < 0 && errno != ENOENT)
		chassis_log("cannot remove %s: %s", chassis->mirror_path, strerror(errno));
	chassis->mirror_gone = true;
}

void runtime_leave_interfaces(const struct chassis *chassis)
{
	int error = dp_xdp_leave(chassis->cfg->name, NULL);

	/* Who may not look there has attached nothing either. */
	if (error && error != -EACCES)
		chassis_log(
		    "cannot remove all XDP programs of %s/%s: %s; bpftool net shows what is "
		    "attached",
		    DP_XDP_PINS, chassis->cfg->name, strerror(-error));
}
