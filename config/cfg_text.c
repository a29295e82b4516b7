/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines for complaints.
 *
 * jansson forgets where a value stood and lets the last of two equal keys win. So once the values
 * are checked, the text, which jansson found well-formed, is walked once: at each value the path to
 * it is at hand, and every complaint about that path or about something under it gets the value's
 * line. Deeper values come later and replace the line, so a complaint about a key that is not there
 * ends at the object that lacks it. Complaints are sorted by path, which puts those under one value
 * side by side. The walk recurses as deep as jansson did (2048 at most).
 */
#include "cfg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	const char *at;
	int line;
	char *path; /* of the value at hand */
	size_t path_length;
	size_t path_room;
	struct cfg_error **sorted;
	size_t count;
	struct cfg_errors duplicates;
};

static int compare_paths(const void *a, const void *b)
{
	const struct cfg_error *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static bool path_is_under(const char *path, const char *outer, size_t length)
{
	if (strncmp(path, outer, length) != 0)
		return false;
	return length == 0 || path[length] == '\0' || path[length] == '.' || path[length] == '[';
}

static void mark(struct scan *scan)
{
	size_t low = 0, high = scan->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(scan->sorted[middle]->path, scan->path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < scan->count; low++) {
		if (strncmp(scan->sorted[low]->path, scan->path, scan->path_length) != 0)
			break;
		if (path_is_under(scan->sorted[low]->path, scan->path, scan->path_length))
			scan->sorted[low]->line = scan->line;
	}
}

/* Appends a step to the path; returns the length to go back to. */
static size_t push(struct scan *scan, const char *separator, const char *step, const char *end)
{
	size_t before = scan->path_length;
	size_t needed = before + strlen(separator) + strlen(step) + strlen(end) + 1;

	if (needed > scan->path_room) {
		scan->path_room = 2 * needed;
		scan->path = realloc(scan->path, scan->path_room);
		if (!scan->path)
			abort();
	}
	scan->path_length += (size_t)sprintf(scan->path + before, "%s%s%s", separator, step, end);
	return before;
}

static void pop(struct scan *scan, size_t length)
{
	scan->path_length = length;
	scan->path[length] = '\0';
}

static void skip_space(struct scan *scan)
{
	for (; strchr(" \t\r\n", *scan->at) && *scan->at; scan->at++)
		if (*scan->at == '\n')
			scan->line++;
}

static void skip_string(struct scan *scan)
{
	for (scan->at++; *scan->at != '"'; scan->at++)
		if (*scan->at == '\\')
			scan->at++;
	scan->at++;
}

static void scan_value(struct scan *scan);

static void scan_member(struct scan *scan, json_t *seen)
{
	const char *start = scan->at;
	json_t *key;
	size_t before;

	skip_string(scan);
	key = json_loadb(start, (size_t)(scan->at - start), JSON_DECODE_ANY, NULL);
	if (!key)
		abort();
	before = push(scan, scan->path_length ? "." : "", json_string_value(key), "");
	if (json_object_get(seen, json_string_value(key)))
		cfg_errors_add(&scan->duplicates, scan->line, cfg_strdup(scan->path),
			       cfg_strdup("is given twice in the same object: remove one"));
	else if (json_object_set_new(seen, json_string_value(key), json_true()))
		abort();
	json_decref(key);
	skip_space(scan);
	scan->at++; /* the colon */
	scan_value(scan);
	pop(scan, before);
}

static void scan_object(struct scan *scan)
{
	json_t *seen = json_object();

	if (!seen)
		abort();
	for (scan->at++, skip_space(scan); *scan->at != '}'; skip_space(scan)) {
		if (*scan->at == '"')
			scan_member(scan, seen);
		else
			scan->at++; /* the comma */
	}
	scan->at++;
	json_decref(seen);
}

static void scan_array(struct scan *scan)
{
	char index[24];

	scan->at++;
	skip_space(scan);
	for (size_t i = 0; *scan->at != ']'; i++, skip_space(scan)) {
		size_t before;

		snprintf(index, sizeof(index), "%zu", i);
		before = push(scan, "[", index, "]");
		scan_value(scan);
		pop(scan, before);
		skip_space(scan);
		if (*scan->at == ',') {
			scan->at++;
		}
	}
	scan->at++;
}

static void scan_value(struct scan *scan)
{
	skip_space(scan);
	mark(scan);
	switch (*scan->at) {
	case '{':
		scan_object(scan);
		break;
	case '[':
		scan_array(scan);
		break;
	case '"':
		skip_string(scan);
		break;
	default: /* a number, true, false or null */
		scan->at += strcspn(scan->at, " \t\r\n,]}");
	}
}

void cfg_text_lines(const char *text, size_t length, struct cfg_errors *errors)
{
	/* A copy ends in a NUL, so that no step above needs a bound besides the text's own
	 * structure. */
	char *copy = cfg_zalloc(length + 1, 1);
	struct scan scan = {.at = copy, .line = 1, .count = errors->count};

	memcpy(copy, text, length);
	scan.sorted = cfg_zalloc(errors->count, sizeof(struct cfg_error *));
	for (size_t i = 0; i < errors->count; i++)
		scan.sorted[i] = &errors->list[i];
	qsort(scan.sorted, scan.count, sizeof(struct cfg_error *), compare_paths);
	push(&scan, "", "", "");
	scan_value(&scan);
	for (size_t i = 0; i < scan.duplicates.count; i++)
		cfg_errors_add(errors, scan.duplicates.list[i].line, scan.duplicates.list[i].path,
			       scan.duplicates.list[i].text);
	free(scan.duplicates.list);
	free(scan.sorted);
	free(scan.path);
	free(copy);
}
