/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins: where they are, and how they go. What each is: dp_xdp_layout.h. Without libbpf. */
#pragma once

#include <stddef.h>

#define DP_XDP_PINS "/sys/fs/bpf/warmline" /* a directory of each chassis is in it */

enum { DP_XDP_PATH = 256 }; /* octets that any path here has room in */

/* The path of a pin, terminated: of the chassis where interface is NULL, of the interface otherwise; leaf NULL: of the
 * directory itself. 0; -ENAMETOOLONG; -EINVAL: a name that is empty or has a slash, or an interface that is called as
 * one of the chassis' own pins is. */
int dp_xdp_pin_path(char *path, size_t size, const char *chassis, const char *interface,
		    const char *leaf);

/* Calls each with the name of every interface that the chassis has a directory for. 0, also where there is none, or
 * -errno. each may remove that directory. */
int dp_xdp_pins_each(const char *chassis, void (*each)(void *context, const char *interface),
		     void *context);

/* Removes the pins of an interface (NULL: of all, and the chassis' own) and their directories. The link goes first:
 * unless a process has it open, the kernel then detaches the program, a moment later. Goes on where it can; 0, also where
 * there are none, or the first -errno. dp_xdp_leave() (dp_xdp_state.h) detaches at once, and restores settings too. */
int dp_xdp_pins_remove(const char *chassis, const char *interface);
