/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: rows are held back until their page is complete, so that the columns fit. */
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP = 2,
};

struct table {
	const struct table_column *columns;
	unsigned n_columns;
	size_t *widths;
	char **cells; /* row by row */
	size_t n_cells;
	bool begun;
};

struct table *table_new(const struct table_column *columns, unsigned n)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table || !(table->widths = calloc(n, sizeof(*table->widths))))
		abort();
	table->columns = columns;
	table->n_columns = n;
	for (unsigned i = 0; i < n; i++)
		table->widths[i] = strlen(columns[i].title);
	return table;
}

static void drop_cells(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->n_cells = 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	drop_cells(table);
	free(table->widths);
	free(table);
}

void table_add(struct table *table, const char *format, ...)
{
	size_t *width = &table->widths[table->n_cells % table->n_columns];
	va_list arguments;
	char *cell;

	va_start(arguments, format);
	if (vasprintf(&cell, format, arguments) < 0)
		abort();
	va_end(arguments);
	if (!cell[0]) {
		free(cell);
		cell = strdup("-");
	}
	/* Room grows by a row's cells at a time, doubled at powers of two. */
	if ((table->n_cells & (table->n_cells - 1)) == 0)
		table->cells = reallocarray(table->cells, table->n_cells ? 2 * table->n_cells : 1,
					    sizeof(*table->cells));
	if (!cell || !table->cells)
		abort();
	table->cells[table->n_cells++] = cell;
	if (strlen(cell) > *width)
		*width = strlen(cell);
}

static void print_cell(const struct table *table, unsigned column, const char *text)
{
	int width = (int)table->widths[column], gap = column ? GAP : 0;

	if (table->columns[column].right)
		printf("%*s%*s", gap, "", width, text);
	else if (column + 1 == table->n_columns)
		printf("%*s%s", gap, "", text);
	else
		printf("%*s%-*s", gap, "", width, text);
}

void table_print(struct table *table)
{
	for (unsigned c = 0; c < table->n_columns && !table->begun; c++)
		print_cell(table, c, table->columns[c].title);
	if (!table->begun)
		putchar('\n');
	table->begun = true;
	for (size_t i = 0; i < table->n_cells; i++) {
		unsigned column = (unsigned)(i % table->n_columns);

		print_cell(table, column, table->cells[i]);
		if (column + 1 == table->n_columns)
			putchar('\n');
	}
	drop_cells(table);
}

bool table_is_empty(const struct table *table)
{
	return table->n_cells == 0;
}

/* ---- values ---- */

static char *next_buffer(void)
{
	static char buffers[8][32];
	static unsigned next;

	return buffers[next++ % 8];
}

const char *text_duration(uint64_t ms)
{
	char *text = next_buffer();
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(text, 32, "%" PRIu64 " ms", ms);
	else if (s < 60)
		snprintf(text, 32, "%.1f s", (double)ms / 1000);
	else if (s < 86400)
		snprintf(text, 32, "%02u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
			 (unsigned)(s % 60));
	else
		snprintf(text, 32, "%ud %02u:%02u:%02u", (unsigned)(s / 86400),
			 (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	return text;
}

/* digits: significant ones at most, where the value is scaled. */
static const char *scaled(uint64_t value, const char *const *units, unsigned n_units, int digits)
{
	char *text = next_buffer();
	double shown = (double)value;
	unsigned unit = 0;

	while (shown >= 1000 && unit + 1 < n_units) {
		shown /= 1000;
		unit++;
	}
	snprintf(text, 32, "%.*g %s", unit && shown < 1000 ? digits : 20, shown, units[unit]);
	return text;
}

const char *text_octets(uint64_t count)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};

	return scaled(count, units, 5, 3);
}

const char *text_rate(uint64_t bits)
{
	static const char *const units[] = {"b/s", "kb/s", "Mb/s", "Gb/s"};

	return scaled(bits, units, 4, 6);
}
