/* SPDX-License-Identifier: BSD-3-Clause */
/* How the mirror's regions lie in the file. Private to linecard/. */
#pragma once

#include "lc_mirror.h"

/* Fills region[] with the offsets for a geometry; returns the size of the file. */
uint64_t lc_layout_regions(const struct lc_geometry *geometry, uint64_t region[LC_N_REGIONS]);

/* A number that changes when any shared structure does. */
uint64_t lc_layout_hash(void);

uint64_t lc_geometry_hash(const struct lc_geometry *geometry, const uint64_t region[LC_N_REGIONS]);

/* true: every number in the geometry is one that lc_geometry_for() could have given. */
bool lc_geometry_valid(const struct lc_geometry *geometry);
