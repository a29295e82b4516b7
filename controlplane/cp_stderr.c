/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_stderr.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *chassis = "?";
static bool journal;

void cp_stderr_open(const char *name)
{
	chassis = name;
	journal = getenv("JOURNAL_STREAM") != NULL;
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
	char text[512], when[32];
	struct timespec now;
	struct tm tm;

	(void)context;
	if (level == CP_LOG_DEBUG && getenv("WARMLINE_DEBUG") == NULL)
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	if (journal) {
		fprintf(stderr, "<%d>%s: %s\n", levels[level].priority, chassis, text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", localtime_r(&now.tv_sec, &tm));
	fprintf(stderr, "%s.%03ld warmline-control[%s]: %s: %s\n", when, now.tv_nsec / 1000000,
		chassis, levels[level].name, text);
}

void cp_stderr_log(enum cp_log_level level, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	cp_stderr_vlog(NULL, level, format, arguments);
	va_end(arguments);
}
