/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines of a process: "2026-11-22T18:00:00.123 warmline-control[lns]: warning: text" on stderr,
 * or with a "<4>" prefix in place of time and name where systemd's journal reads it
 * (JOURNAL_STREAM). */
#pragma once

#include "cp_engine.h"

/* name: of the chassis; kept by reference. */
void cp_stderr_open(const char *name);

void cp_stderr_log(enum cp_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same in the shape that struct cp_world wants. context is not used. */
void cp_stderr_vlog(void *context, enum cp_log_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
