/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's log: stderr, which its children share. */
#include "chassis.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *chassis_name = "";

void chassis_log_name(const char *name)
{
	chassis_name = name;
}

void chassis_log(const char *format, ...)
{
	struct timespec now;
	struct tm local;
	char text[1024], line[1280], when[32];
	va_list arguments;
	int length;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &local);
	length = snprintf(line, sizeof(line), "%s.%03ld warmline-chassis[%s]: %s\n", when,
			  now.tv_nsec / 1000000, chassis_name, text);
	/* In one piece: other processes write to the same place. */
	if (length > 0)
		(void)!write(STDERR_FILENO, line, (size_t)length);
}

uint64_t chassis_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
