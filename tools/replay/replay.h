/* SPDX-License-Identifier: BSD-3-Clause */
/* The program: capture, topology, road, and the loop that joins them. */
#pragma once

/* What main() does, arguments and exit status included; a test can call it too. Once in a process.
 */
int replay_main(int argc, char **argv);
