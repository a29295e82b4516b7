/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps that are found again by their pins. File descriptors are the caller's. Thread: the main lcore. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attributes of a map. */
struct dp_xdp_map {
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size, value_size, entries, flags;
};

/* A file system for pins is at its place, and the directory of the chassis (interface NULL) or of the interface is there. 0 or
 * -errno. */
int dp_xdp_pins_make(const char *chassis, const char *interface);

/* What is pinned as path; -errno. */
int dp_xdp_pinned(const char *path);

/* The same, if it is a map of just these attributes; -ESTALE: it is something else. */
int dp_xdp_pinned_map(const char *path, const struct dp_xdp_map *map);

/* Pins fd as path, in the place of what is there, in one moment. 0 or -errno. */
int dp_xdp_pin(int fd, const char *path);

/* Maps an array's values, for reading and writing. NULL: errno says why. */
void *dp_xdp_map_values(int fd, size_t value_size, uint32_t entries);
void dp_xdp_unmap_values(void *values, size_t value_size, uint32_t entries);
