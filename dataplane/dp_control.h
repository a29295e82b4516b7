/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages between the wire and the control channels. */
#pragma once

#include "dp_main_lcore.h"

/* Hands what the workers found to the channels. How many messages. */
unsigned dp_control_receive(struct dp_main_lcore *lcore);

/* lc_transmit; context: the struct dp_main_lcore. */
void dp_control_transmit(void *context, uint32_t slot, const uint8_t *bytes, size_t length);
