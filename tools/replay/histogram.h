/* SPDX-License-Identifier: BSD-3-Clause */
/* A histogram of durations: 32 buckets to each power of two, so that any value is known within
 * about 3 %. */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 60 * 32 };

struct histogram {
	uint64_t count;
	uint64_t min, max; /* exact */
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that the given part (0 to 1) of all values does not exceed; 0 where there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);
