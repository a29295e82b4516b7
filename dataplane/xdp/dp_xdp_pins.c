/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_xdp_pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_name(const char *name)
{
	return name[0] && !strchr(name, '/');
}

/* The chassis' own pins and the interfaces' directories are beside each other. */
static bool is_own(const char *name)
{
	return strcmp(name, "tunnels") == 0 || strcmp(name, "tunnels.before") == 0 ||
	       strcmp(name, "chassis") == 0;
}

int dp_xdp_pin_path(char *path, size_t size, const char *chassis, const char *interface,
		    const char *leaf)
{
	int length;

	if (!is_name(chassis) || (interface && (!is_name(interface) || is_own(interface))) ||
	    (leaf && !is_name(leaf)))
		return -EINVAL;
	length = snprintf(path, size, "%s/%s%s%s%s%s", DP_XDP_PINS, chassis, interface ? "/" : "",
			  interface ? interface : "", leaf ? "/" : "", leaf ? leaf : "");
	if (length < 0 || (size_t)length >= size)
		return -ENAMETOOLONG;
	for (char *at = path + strlen(DP_XDP_PINS); (at = strchr(at, '.'));)
		*at = '%';
	return 0;
}

/* ---- directories, in the order of their names ---- */

static int is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static int is_file(const struct dirent *entry)
{
	return entry->d_type != DT_DIR;
}

static void free_entries(struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
}

int dp_xdp_pins_each(const char *chassis, void (*each)(void *context, const char *interface),
		     void *context)
{
	char path[DP_XDP_PATH];
	struct dirent **entries;
	int n, error = dp_xdp_pin_path(path, sizeof(path), chassis, NULL, NULL);

	if (error)
		return error;
	n = scandir(path, &entries, is_directory, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		for (char *at = entries[i]->d_name; (at = strchr(at, '%'));)
			*at = '.';
		each(context, entries[i]->d_name);
	}
	free_entries(entries, n);
	return 0;
}

static void note(int *error, int result)
{
	if (result < 0 && errno != ENOENT && !*error)
		*error = -errno;
}

/* first: what goes before the rest, or NULL. */
static int remove_directory(const char *path, const char *first)
{
	struct dirent **entries;
	int n, error = 0, directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return errno == ENOENT ? 0 : -errno;
	if (first)
		note(&error, unlinkat(directory, first, 0));
	n = scandirat(directory, ".", &entries, is_file, NULL);
	note(&error, n);
	for (int i = 0; i < n; i++)
		note(&error, unlinkat(directory, entries[i]->d_name, 0));
	if (n >= 0)
		free_entries(entries, n);
	close(directory);
	note(&error, rmdir(path));
	return error;
}

struct removal {
	const char *chassis;
	int error;
};

static void remove_interface(void *context, const char *interface)
{
	struct removal *removal = context;
	char path[DP_XDP_PATH];
	int error = dp_xdp_pin_path(path, sizeof(path), removal->chassis, interface, NULL);

	if (!error)
		error = remove_directory(path, "link");
	if (!removal->error)
		removal->error = error;
}

int dp_xdp_pins_remove(const char *chassis, const char *interface)
{
	struct removal removal = {.chassis = chassis};
	char path[DP_XDP_PATH];
	int error;

	if (interface) {
		remove_interface(&removal, interface);
		return removal.error;
	}
	error = dp_xdp_pin_path(path, sizeof(path), chassis, NULL, NULL);
	if (!error)
		error = dp_xdp_pins_each(chassis, remove_interface, &removal);
	if (!error)
		error = removal.error;
	/* Where an interface's stay, the chassis' own do too: its program goes on using them. */
	return error ? error : remove_directory(path, NULL);
}
