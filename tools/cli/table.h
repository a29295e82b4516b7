/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables for people: aligned columns on stdout; and values as people write them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct table;

struct table_column {
	const char *title;
	bool right; /* aligned to the right */
};

struct table *table_new(const struct table_column *columns, unsigned n);
void table_free(struct table *table);

/* The next cell, from the left; after the last one the next row begins. "" is shown as "-". */
__attribute__((format(printf, 2, 3))) void table_add(struct table *table, const char *format, ...);

/* Prints the rows that have come since the last time, the first time under the titles. Columns only
 * grow. */
void table_print(struct table *table);

bool table_is_empty(const struct table *table); /* no rows to print now */

/* Values. Each returns one of a few static buffers, good for some more calls. */
const char *text_duration(uint64_t ms);  /* "85 ms", "12.3 s", "04:05:06", "3d 04:05:06" */
const char *text_octets(uint64_t count); /* "812 B", "1.5 MB" */
const char *text_rate(uint64_t bits);    /* "34.368 Mb/s" */
