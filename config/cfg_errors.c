/* SPDX-License-Identifier: BSD-3-Clause */
/* Complaints: collected while a file is read, all of them, so that a person mends the file once. */
#include "cfg_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format_v(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	return text;
}

char *cfg_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_v(format, arguments);
	va_end(arguments);
	return text;
}

void cfg_errors_add(struct cfg_errors *errors, int line, char *path, char *text)
{
	/* Grows at each power of two: a file may hold as many mistakes as subscribers. */
	if ((errors->count & (errors->count - 1)) == 0) {
		size_t room = errors->count ? 2 * errors->count : 1;

		errors->list = reallocarray(errors->list, room, sizeof(*errors->list));
		if (!errors->list)
			abort();
	}
	errors->list[errors->count++] =
	    (struct cfg_error){.line = line, .path = path, .text = text};
}

static void print_path(FILE *out, const struct cfg_node *node)
{
	if (!node->up)
		return;
	print_path(out, node->up);
	if (node->key)
		fprintf(out, "%s%s", node->up->up ? "." : "", node->key);
	else
		fprintf(out, "[%zu]", node->index);
}

void cfg_complain(const struct cfg_node *node, const char *key, const char *format, ...)
{
	struct cfg_node member = {.up = node, .key = key};
	va_list arguments;
	size_t length;
	char *path;
	FILE *out;

	if (!node->errors)
		return;
	out = open_memstream(&path, &length);
	if (!out)
		abort();
	print_path(out, key ? &member : node);
	if (fclose(out))
		abort();
	va_start(arguments, format);
	cfg_errors_add(node->errors, 0, path, format_v(format, arguments));
	va_end(arguments);
}

static int compare_lines(const void *a, const void *b)
{
	const struct cfg_error *const *x = a, *const *y = b;

	if ((*x)->line != (*y)->line)
		return (*x)->line < (*y)->line ? -1 : 1;
	return *x < *y ? -1 : *x > *y; /* as they were found */
}

/* Keys and values may hold any character that JSON can write. */
static void printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void cfg_errors_finish(struct cfg_errors *errors)
{
	struct cfg_error **order = cfg_zalloc(errors->count, sizeof(struct cfg_error *));
	struct cfg_error *sorted = cfg_zalloc(errors->count, sizeof(*sorted));

	for (size_t i = 0; i < errors->count; i++) {
		order[i] = &errors->list[i];
		printable(order[i]->path);
		printable(order[i]->text);
	}
	qsort(order, errors->count, sizeof(struct cfg_error *), compare_lines);
	for (size_t i = 0; i < errors->count; i++)
		sorted[i] = *order[i];
	free(order);
	free(errors->list);
	errors->list = sorted;
}

void cfg_errors_print(const struct cfg_errors *errors, const char *file, void *stream)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct cfg_error *error = &errors->list[i];

		fprintf(stream, "%s:", file);
		if (error->line)
			fprintf(stream, "%d:", error->line);
		fprintf(stream, " %s%s%s\n", error->path, *error->path ? ": " : "", error->text);
	}
}

void cfg_errors_free(struct cfg_errors *errors)
{
	if (!errors)
		return;
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->list[i].path);
		free(errors->list[i].text);
	}
	free(errors->list);
	*errors = (struct cfg_errors){0};
}
