/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be said of a life, and when.
 *
 * Wrong are two things, and not equally so. To call a living control plane lost silences all its mortal channels
 * until the next one begins, which may be never: that must be impossible. Not to see an end, or to see it late, lets
 * the line card acknowledge for somebody who is dead, as it does for one who is slow; the next control plane begins
 * with one store that silences them all the same (lc_control_begin()). So whatever is in doubt is alive.
 *
 * A life S begins with two stores of its process P: pid = P, then starts = S. We read starts (acquire), then pid,
 * then open a pidfd of that, which names one process for ever, and wait for its end. There is one control plane at a
 * time (it holds a lock, which it loses when it ends, a little before its pidfd tells): who stores next stores when who
 * stored before has done all that it ever will.
 *
 * Starts before pid: having read starts = S we read P, or the pid of somebody after P. In the other order we
 * could read the pid of the dead, then the new starts, and bury the living.
 *
 * No process has the pid that we read. If that was P's: P has ended, for who lives keeps his pid. If that was
 * somebody's after P: P had lost its lock by then. Either way S is over. The same where the pid was cleared, which is P's
 * last word, and where it is a thread's, or no number that a process can have: it was a process's when it was stored.
 *
 * A process has the pid, and it is P: its end is the end of S.
 *
 * A process has the pid, and it is not P: P had ended by the time of pidfd_open(), and another got its number; or we
 * have opened the process of a life after S. We do not know, and do not ask (start times are by another clock, and in
 * ticks). Its end comes after that of S: what is said then of S is right, and late. Said is lost = S, and never of
 * what starts says by then: a life after S is not touched by it, and has its own turn at the next look.
 *
 * Their end and beginning between two looks (P is dead, P' has begun S + 1): we see the new starts first, and leave
 * the old pidfd unread. Nothing is to be said of S: S + 1 has silenced it. If we look between the two stores of P':
 * starts is still S, and P's pidfd says that it is over; or, where we start just then and have no pidfd, we take P' for
 * the process of S until its second store, by which we open it again, as S + 1.
 *
 * Our own end and start: between any two instructions. lost is one store, and the last thing that we do about a life.
 * Before it, our successor finds the same starts and pid, and so the same, or a later life. After it, the successor
 * finds lost = starts, and has nothing to say: nor does it watch whoever has the pid by then.
 *
 * Whatever else keeps us from watching (no descriptors, no memory, an old kernel, a seccomp filter) is
 * complained of once, and tried again. */
#include "dp_watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

void (*dp_watch_step)(const char *step);

static void at(const char *step)
{
	if (__builtin_expect(dp_watch_step != NULL, 0))
		dp_watch_step(step);
}

static void close_pidfd(struct dp_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

void dp_watch_open(struct dp_watch *watch, struct lc_mirror *mirror)
{
	*watch = (struct dp_watch){
	    .mirror = mirror, .looked = UINT64_MAX, .retry = UINT64_MAX, .fd = -1};
}

void dp_watch_close(struct dp_watch *watch)
{
	close_pidfd(watch);
}

static void say_lost(struct dp_watch *watch)
{
	close_pidfd(watch);
	lc_control_lost(watch->mirror, watch->life);
}

/* Kernels say EINVAL or ENOENT where the number is a thread's that leads no process, and of a process
 * that is being reaped at this moment. */
static bool means_nobody(int error)
{
	return error == ESRCH || error == EINVAL || error == ENOENT;
}

static void watch_life(struct dp_watch *watch, uint64_t life, uint64_t now)
{
	const struct lc_header *header = watch->mirror->header;

	close_pidfd(watch);
	watch->life = life;
	watch->retry = UINT64_MAX;
	if (life == 0 || __atomic_load_n(&header->control_lost, __ATOMIC_RELAXED) == life)
		return;
	at("life");
	uint64_t pid = __atomic_load_n(&header->control.pid, __ATOMIC_ACQUIRE);
	at("pid");
	bool possible = pid != 0 && pid <= INT_MAX;
	watch->fd = possible ? pidfd_open((pid_t)pid, 0) : -1;
	if (watch->fd >= 0)
		return;
	if (!possible || means_nobody(errno)) {
		say_lost(watch);
		return;
	}
	watch->retry = now + DP_WATCH_RETRY_MS;
	if (!watch->complained)
		fprintf(stderr,
			"warmline-dataplane: warning: the control plane's process %d cannot be "
			"watched: %s: tried again every second\n",
			(int)pid, strerror(errno));
	watch->complained = true;
}

static bool has_ended(int pidfd)
{
	struct pollfd look = {.fd = pidfd, .events = POLLIN};
	return poll(&look, 1, 0) == 1 && (look.revents & POLLIN) != 0;
}

void dp_watch_run(struct dp_watch *watch, uint64_t now)
{
	if (now == watch->looked)
		return;
	watch->looked = now;
	uint64_t life = __atomic_load_n(&watch->mirror->header->control.starts, __ATOMIC_ACQUIRE);
	if (life != watch->life || now >= watch->retry)
		watch_life(watch, life, now);
	if (watch->fd >= 0 && has_ended(watch->fd))
		say_lost(watch);
}
