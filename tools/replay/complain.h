/* SPDX-License-Identifier: BSD-3-Clause */
/* One line for a person, on stderr: what, where, why, what to do. */
#pragma once

/* Prints "warmline-replay: " and the line; clears a progress bar that may stand there. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
