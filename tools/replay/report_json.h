/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for programs. */
#pragma once

#include <jansson.h>

#include "report.h"

/* The whole of it, and the running totals as one event. The caller owns the value. */
json_t *report_json(const struct report *report);
json_t *report_event_json(const struct report *report, uint64_t now_ns);
