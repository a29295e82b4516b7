/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_stderr.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *chassis = "?";
static bool journal;

enum { PREFIX = 128 }; /* octets of a line before its text, at most */

void cp_stderr_open(const char *name)
{
	chassis = name;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Thousands of tunnels may come up in a second: what is the same in all their lines is written once. Returns its length. */
static int write_prefix(char line[PREFIX], const char *level)
{
	static time_t second;
	static char when[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second || when[0] == 0)
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", localtime_r(&now.tv_sec, &tm));
	second = now.tv_sec;
	return snprintf(line, PREFIX, "%s.%03ld warmline-control[%s]: %s: ", when,
			now.tv_nsec / 1000000, chassis, level);
}

void cp_stderr_vlog(void *context, enum cp_log_level level, const char *format, va_list arguments)
{
	static const struct {
		const char *name;
		int priority; /* syslog's */
	} levels[] = {
	    [CP_LOG_ERROR] = {"error", 3},   [CP_LOG_WARNING] = {"warning", 4},
	    [CP_LOG_NOTICE] = {"notice", 5}, [CP_LOG_INFO] = {"info", 6},
	    [CP_LOG_DEBUG] = {"debug", 7},
	};
	char line[640];
	int n;

	(void)context;
	if (level == CP_LOG_DEBUG && getenv("WARMLINE_DEBUG") == NULL)
		return;
	if (journal)
		n = snprintf(line, PREFIX, "<%d>%s: ", levels[level].priority, chassis);
	else
		n = write_prefix(line, levels[level].name);
	n = n < PREFIX ? n : PREFIX - 1;
	int room = (int)sizeof(line) - n - 1;
	int length = vsnprintf(line + n, (size_t)room, format, arguments);
	n += length < room ? length : room - 1;
	line[n] = '\n';
	fwrite(line, 1, (size_t)n + 1, stderr);
}

void cp_stderr_log(enum cp_log_level level, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	cp_stderr_vlog(NULL, level, format, arguments);
	va_end(arguments);
}
