/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations as files: the startup file, which is a person's, and running.json, which is ours. Each is replaced by
 * a rename, so that who reads it gets all of one or all of another. */
#include "chassis.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

static int name_beside(char beside[PATH_MAX], const char *path, const char *end)
{
	return snprintf(beside, PATH_MAX, "%s%s", path, end) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ---- in memory ---- */

int configuration_parse(struct chassis_configuration *configuration, char *text, size_t length,
			const char *path, struct cfg_errors *errors)
{
	*configuration = (struct chassis_configuration){.text = text, .length = length};
	configuration->cfg = cfg_parse_with(text, length, path, load_check_modules, errors);
	if (configuration->cfg)
		configuration->tree = json_loadb(text, length, 0, NULL);
	if (configuration->tree)
		return 0;
	configuration_free(configuration);
	return -EINVAL;
}

int configuration_take(struct chassis_configuration *configuration, json_t *tree, const char *path,
		       struct cfg_errors *errors)
{
	char *text = json_dumps(tree, JSON_INDENT(2));
	char *line = text ? realloc(text, strlen(text) + 2) : NULL;
	int error;

	if (!line)
		abort();
	strcat(line, "\n");
	error = configuration_parse(configuration, line, strlen(line), path, errors);
	/* These lines are nobody's. */
	for (size_t i = 0; i < errors->count; i++)
		errors->list[i].line = 0;
	return error;
}

int configuration_load(struct chassis_configuration *configuration, const char *path,
		       struct cfg_errors *errors)
{
	char *text, *why;
	size_t length;
	int error = cfg_read_file(path, &text, &length);

	if (!error)
		return configuration_parse(configuration, text, length, path, errors);
	*configuration = (struct chassis_configuration){0};
	*errors = (struct cfg_errors){0};
	if (asprintf(&why, "cannot be read: %s; give the path of a configuration file",
		     strerror(-error)) < 0)
		abort();
	cfg_errors_add(errors, 0, strdup(""), why);
	return -EINVAL;
}

void configuration_free(struct chassis_configuration *configuration)
{
	cfg_free(configuration->cfg);
	json_decref(configuration->tree);
	free(configuration->text);
	*configuration = (struct chassis_configuration){0};
}

/* ---- on disk ---- */

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* A new file, for nobody but us until it says otherwise. like: whose mode and owner it gets; NULL: nobody's. */
static int write_file(const char *path, const struct chassis_configuration *configuration,
		      const struct stat *like)
{
	int fd, error;

	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, configuration->text, configuration->length);
	if (!error && like && fchown(fd, like->st_uid, like->st_gid) < 0)
		error = -errno;
	if (!error && like && fchmod(fd, like->st_mode & 07777) < 0)
		error = -errno;
	if (!error && like && fsync(fd) < 0) /* running.json need not outlive the machine */
		error = -errno;
	if (close(fd) < 0 && !error)
		error = -errno;
	if (error)
		unlink(path);
	return error;
}

int configuration_put(const struct chassis *chassis,
		      const struct chassis_configuration *configuration)
{
	const char *path = chassis->running_path;
	char new[PATH_MAX], before[PATH_MAX];
	int error = name_beside(new, path, ".new");

	if (!error)
		error = name_beside(before, path, ".before");
	if (!error)
		error = write_file(new, configuration, NULL);
	if (error)
		return error;
	/* A second name, so that going back takes no room on the disk. The first time there is nothing. */
	if ((unlink(before) < 0 && errno != ENOENT) ||
	    (link(path, before) < 0 && errno != ENOENT) || rename(new, path) < 0) {
		error = -errno;
		unlink(new);
	}
	return error;
}

int configuration_restore(const struct chassis *chassis)
{
	char before[PATH_MAX];
	int error = name_beside(before, chassis->running_path, ".before");

	return !error && rename(before, chassis->running_path) < 0 ? -errno : error;
}

int configuration_save(const struct chassis *chassis)
{
	const char *path = chassis->configuration;
	struct stat like;
	char new[PATH_MAX];
	bool is_there = stat(path, &like) == 0;
	int error = name_beside(new, path, ".warmline-new");

	if (!error)
		error = write_file(new, &chassis->running, is_there ? &like : NULL);
	if (!error && rename(new, path) < 0) {
		error = -errno;
		unlink(new);
	}
	return error;
}

bool configuration_is_saved(const struct chassis *chassis)
{
	struct cfg_changes changes;
	char *text;
	size_t length;
	json_t *tree;
	bool saved;

	if (cfg_read_file(chassis->configuration, &text, &length) < 0)
		return false;
	tree = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	changes = cfg_diff(chassis->running.tree, tree);
	saved = json_is_object(tree) && changes.count == 0;
	cfg_changes_free(&changes);
	json_decref(tree);
	free(text);
	return saved;
}
