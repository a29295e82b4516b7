/* SPDX-License-Identifier: BSD-3-Clause */
/* How the data plane wakes the control plane: a datagram to <runtime directory>/<chassis>/bell,
 * sent only when lc_header.control_waiting asks for it, so that a busy control plane costs the data
 * plane no system call. */
#pragma once

#include "lc_mirror.h"

#define CP_BELL "bell" /* leaf, for cfg_runtime_path() */

/* A bound datagram socket, not blocking; a stale one of a dead predecessor is replaced. -1 with
 * errno. */
int cp_bell_open(const char *path);

/* Takes all that has rung. */
void cp_bell_drain(int fd);

/* We sleep next: ring. false: there is work already, do not sleep. */
bool cp_bell_wait(struct lc_mirror *mirror);

/* We are awake: do not ring. */
void cp_bell_stop(struct lc_mirror *mirror);
