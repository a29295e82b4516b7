/* SPDX-License-Identifier: BSD-3-Clause */
/* tests/simulate: runs seeds of the simulator (sim_world.h), on several processes.
 *
 * A seed that fails, or that brings the process down, or does not come to an end, gives one line with the command
 * that replays it. --twice runs each seed again, in the same process and in another, and compares the hashes of all
 * that happened. */
#include "sim_world.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_JOBS = 64,
	SEED_SECONDS = 60, /* of CPU time: longer is for ever */
	MAX_FAILURES = 20, /* of one job: then it ends */
};

struct job {
	pid_t pid;
	uint64_t seed; /* that it is at */
	uint64_t next; /* that it begins with if it has to begin again */
	uint64_t passed, failed;
	uint64_t hash; /* of all hashes, in no order */
	uint64_t events, crashes, resets, promised;
	bool done;
};

struct options {
	uint64_t first, last;
	unsigned jobs;
	bool trace, twice;
};

static struct options options = {.first = 1, .last = 1000};
static struct job *jobs; /* shared */

static void usage(FILE *to)
{
	fputs("usage: tests/simulate [--seeds A-B] [--trace] [--twice] [--jobs N]\n\n"
	      "Runs the seeds A to B (1-1000), on N processes (as many as there are cores).\n"
	      "  --trace  tells what happens, on one process\n"
	      "  --twice  runs each seed again, here and in another process, and compares\n"
	      "Exit status: 0 only if all passed.\n",
	      to);
}

static void tell(uint64_t seed, const char *what)
{
	printf("FAILED: tests/simulate --seeds %llu-%llu --trace   # %s\n",
	       (unsigned long long)seed, (unsigned long long)seed, what);
	fflush(stdout);
}

/* ---- one job ---- */

static uint64_t hash_in_another_process(struct sim *sim, uint64_t seed, uint64_t *shared)
{
	pid_t pid = fork();

	if (pid == 0) {
		sim_party_forget(); /* mirrors of its own */
		sim_run(sim, seed, false);
		*shared = sim->hash;
		_exit(0);
	}
	int status = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return 0;
	return *shared;
}

static bool same_again(struct sim *sim, uint64_t seed, uint64_t hash)
{
	uint64_t *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	uint64_t there = hash_in_another_process(sim, seed, shared);
	sim_run(sim, seed, false);
	munmap(shared, sizeof(*shared));
	return there == hash && sim->hash == hash;
}

static void run_seed(struct sim *sim, struct job *job, uint64_t seed)
{
	alarm(0);
	job->seed = seed;
	alarm(SEED_SECONDS);
	bool passed = sim_run(sim, seed, options.trace);
	uint64_t hash = sim->hash;
	if (!passed) {
		tell(seed, sim->failure);
	} else if (options.twice && !same_again(sim, seed, hash)) {
		passed = false;
		tell(seed, "another run of it is another run");
	}
	job->passed += passed;
	job->failed += !passed;
	job->hash += hash * (2 * seed + 1);
	job->events += sim->events;
	job->crashes += sim->crashes;
	job->resets += sim->resets;
	job->promised += sim->promised;
}

static void run_job(struct job *job, unsigned step)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (sim == NULL)
		exit(1);
	for (uint64_t seed = job->next; seed <= options.last && job->failed < MAX_FAILURES;
	     seed += step)
		run_seed(sim, job, seed);
	sim_free(sim);
	sim_party_forget();
	job->done = true;
}

/* ---- all jobs ---- */

static void start_job(struct job *job)
{
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0) {
		perror("fork");
		exit(1);
	}
	if (job->pid != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_job(job, options.jobs);
	exit(0);
}

/* A job has ended; one that was brought down goes on behind the seed that did it. true: it goes on. */
static bool end_job(struct job *job, int status)
{
	char what[80];

	if (job->done && status == 0)
		return false;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(what, sizeof(what), "it does not come to an end");
	else if (WIFSIGNALED(status))
		snprintf(what, sizeof(what), "the process ends by signal %d", WTERMSIG(status));
	else
		snprintf(what, sizeof(what), "the process ends with status %d",
			 WEXITSTATUS(status));
	tell(job->seed, what);
	job->failed++;
	job->next = job->seed + options.jobs;
	if (job->done || job->next > options.last || job->failed >= MAX_FAILURES)
		return false;
	start_job(job);
	return true;
}

static void run_jobs(void)
{
	unsigned running = options.jobs;

	for (unsigned i = 0; i < options.jobs; i++) {
		jobs[i].next = options.first + i;
		start_job(&jobs[i]);
	}
	while (running > 0) {
		int status;
		pid_t pid = wait(&status);
		if (pid < 0)
			break;
		for (unsigned i = 0; i < options.jobs; i++)
			if (jobs[i].pid == pid && !end_job(&jobs[i], status))
				running--;
	}
}

static int summary(double seconds)
{
	struct job all = {0};

	for (unsigned i = 0; i < options.jobs; i++) {
		all.passed += jobs[i].passed;
		all.failed += jobs[i].failed;
		all.hash += jobs[i].hash;
		all.events += jobs[i].events;
		all.crashes += jobs[i].crashes;
		all.resets += jobs[i].resets;
		all.promised += jobs[i].promised;
	}
	printf(
	    "seeds %llu-%llu: %llu passed, %llu failed; %llu events, %llu crashes, %llu resets, %llu "
	    "promises; hash %016llx\n",
	    (unsigned long long)options.first, (unsigned long long)options.last,
	    (unsigned long long)all.passed, (unsigned long long)all.failed,
	    (unsigned long long)all.events, (unsigned long long)all.crashes,
	    (unsigned long long)all.resets, (unsigned long long)all.promised,
	    (unsigned long long)all.hash);
	fprintf(stderr, "%.1f s\n", seconds);
	return all.failed == 0 && all.passed == options.last - options.first + 1 ? 0 : 1;
}

/* ---- words from the command line ---- */

static bool parse_seeds(const char *text)
{
	unsigned long long first, last;
	char more;

	if (sscanf(text, "%llu-%llu%c", &first, &last, &more) != 2 &&
	    (sscanf(text, "%llu%c", &first, &more) != 1 || (last = first, false)))
		return false;
	options.first = first;
	options.last = last;
	return first <= last;
}

static bool parse(int argc, char **argv)
{
	static const struct option known[] = {
	    {"seeds", required_argument, NULL, 's'}, {"jobs", required_argument, NULL, 'j'},
	    {"trace", no_argument, NULL, 't'},       {"twice", no_argument, NULL, '2'},
	    {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
	int c;

	options.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (c == 's' && !parse_seeds(optarg))
			return false;
		if (c == 'j')
			options.jobs = (unsigned)strtoul(optarg, NULL, 10);
		options.trace = options.trace || c == 't';
		options.twice = options.twice || c == '2';
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (c == '?')
			return false;
	}
	if (options.trace)
		options.jobs = 1;
	if (options.jobs > options.last - options.first + 1)
		options.jobs = (unsigned)(options.last - options.first + 1);
	return optind == argc && options.jobs >= 1 && options.jobs <= MAX_JOBS;
}

int main(int argc, char **argv)
{
	struct timespec from, to;

	if (!parse(argc, argv)) {
		usage(stderr);
		return 2;
	}
	jobs = mmap(NULL, MAX_JOBS * sizeof(*jobs), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	run_jobs();
	clock_gettime(CLOCK_MONOTONIC, &to);
	return summary((double)(to.tv_sec - from.tv_sec) +
		       (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}
