/* SPDX-License-Identifier: BSD-3-Clause */
/* A chassis to test with: the real warmline-chassis and warmline, stand-ins for both planes, all
 * files in a directory of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "cfg.h"
#include "lc_mirror.h"

enum {
	RIG_TUNNELS = 3,
	RIG_SESSIONS = 600, /* over all tunnels; more than two pages */
};

struct rig {
	char directory[32]; /* of all files */
	char runtime[32];   /* the runtime directory: the same, but where chassis share one */
	char name[32];      /* of the chassis */
	char configuration[128];
	char control[128], dataplane[128]; /* paths of the stand-ins */
	char log[128];                     /* stderr of warmline-chassis */
	pid_t pid;                         /* of warmline-chassis; 0: not running */
	void (*idle)(void); /* called while warmline runs; NULL: nothing is to be done meanwhile */
};

/* Makes the directory, the configuration and the stand-ins. number: tells chassis of one test
 * apart. */
void rig_setup(struct rig *rig, unsigned number);
void rig_share_runtime(struct rig *rig, const struct rig *with);
void rig_teardown(struct rig *rig); /* ends what runs, removes all files, the mirror too */

/* What a stand-in does from its next start on. */
void rig_task(const char *stand_in, const char *task);

/* Starts warmline-chassis, with one more option or NULL, and waits until both stand-ins are ready.
 */
void rig_start(struct rig *rig, const char *option);
void rig_start_only(struct rig *rig, const char *option);

/* Waits for warmline-chassis to end, at most 10 s: its exit code, or -1. */
int rig_wait(struct rig *rig);

/* Runs warmline with arguments up to NULL; output (stdout, then stderr) into the buffer. Returns
 * the exit code. */
int rig_warmline(struct rig *rig, char *output, size_t size, ...) __attribute__((sentinel));

/* The answer of chassis.sock, the caller's; NULL: nobody there. */
json_t *rig_ask(const struct rig *rig, const char *request);

/* A number of a process in the answer to "processes". */
json_int_t rig_process(const struct rig *rig, const char *process, const char *key);

/* Waits at most 10 s until a process is ready with another pid than before. Its new pid, or 0. */
pid_t rig_wait_ready(const struct rig *rig, const char *process, pid_t before);

/* How many lines of the log contain a text. */
unsigned rig_log_count(const struct rig *rig, const char *text);

bool rig_exists(const struct rig *rig, const char *leaf); /* in the runtime directory */
/* Where the mirror lies, or would: on hugepages where there are any. */
const char *rig_mirror(const struct rig *rig);
bool rig_has_mirror(const struct rig *rig);

/* RIG_TUNNELS tunnels, established, with RIG_SESSIONS sessions. */
void rig_populate(struct lc_mirror *mirror, uint64_t now);

/* The first tunnel's control channel is lost, and a recovery tunnel is under way for it. */
void rig_recover(struct lc_mirror *mirror, uint64_t now);
