/* SPDX-License-Identifier: BSD-3-Clause */
/* One data plane a device. The kernel lets several processes open one interface (packet sockets, queues
 * of a TAP), and each would get a part of its frames, or all: so whoever opens it says so, and the next
 * one is refused.
 */
#pragma once

/* Claims a device, by the name of its interface or its address, for as long as this process lives;
 * within the network namespace, as interfaces are. 0, -EADDRINUSE: another process has it, -errno. */
int dp_claim(const char *device);
