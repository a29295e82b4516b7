/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

#include "topology.h"

/* Makes sessions findable by address and PPPoE session ID. false: no memory. */
bool topology_index(struct topology *topology);
