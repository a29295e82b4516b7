/* SPDX-License-Identifier: BSD-3-Clause */
/* From a file to a tree, or to everything that is wrong with the file.
 *
 * jansson parses. The schema (cfg_schema.c) says what each key is; cfg_read.c applies it and always
 * leaves a whole structure behind, with defaults in the place of what was wrong, so that the checks
 * of the sections run on after a mistake and find the next one. A value that could not be read
 * holds what no check compares, so that one mistake makes one complaint. Complaints carry paths;
 * cfg_text.c turns paths into lines at the end.
 */
#include "cfg_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_tree(json_t *json, struct cfg *cfg, struct cfg_errors *errors)
{
	struct cfg_node root = {.json = json, .errors = errors};

	cfg_read(&root, CFG_IN_ROOT, cfg);
	if (!json_is_object(json))
		return;
	cfg_read_slots(&root, cfg);
	cfg_read_l2tp(&root, cfg);
	cfg_read_radius(&root, cfg);
	cfg_read_aaa(&root, cfg);
	cfg_read_subscribers(&root, cfg);
}

static struct cfg *parse(const char *text, size_t length, const char *path, cfg_rule *rule,
			 struct cfg_errors *errors)
{
	struct cfg *cfg = cfg_zalloc(1, sizeof(*cfg));
	json_error_t error;
	json_t *json;

	*errors = (struct cfg_errors){0};
	cfg->path = cfg_strdup(path);
	json = json_loadb(text, length, JSON_DECODE_ANY, &error);
	if (json) {
		read_tree(json, cfg, errors);
		if (rule)
			rule(cfg, errors);
		cfg_text_lines(text, length, errors);
		json_decref(json);
	} else {
		cfg_errors_add(errors, error.line > 0 ? error.line : 1, cfg_strdup(""),
			       cfg_format("this is not JSON: %s", error.text));
	}
	if (errors->count == 0)
		return cfg;
	cfg_errors_finish(errors);
	cfg_free(cfg);
	return NULL;
}

struct cfg *cfg_parse(const char *text, size_t length, const char *path, struct cfg_errors *errors)
{
	return parse(text, length, path, NULL, errors);
}

struct cfg *cfg_parse_with(const char *text, size_t length, const char *path, cfg_rule *rule,
			   struct cfg_errors *errors)
{
	return parse(text, length, path, rule, errors);
}

void cfg_set_path(struct cfg *cfg, const char *path)
{
	char *copy = cfg_strdup(path);

	free(cfg->path);
	cfg->path = copy;
}

/* Reads a whole file. A configuration of a million subscribers takes 200 MB; what is larger is
 * none. */
int cfg_read_file(const char *path, char **text, size_t *length)
{
	enum { LARGEST = 512 << 20 };
	size_t room = 1 << 16;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	*length = 0;
	*text = cfg_zalloc(room, 1);
	while (got > 0 && *length <= LARGEST) {
		if (*length == room) {
			room *= 2;
			*text = realloc(*text, room);
			if (!*text)
				abort();
		}
		got = read(fd, *text + *length, room - *length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			*length += (size_t)got;
	}
	int rc = got < 0 ? -errno : *length > LARGEST ? -EFBIG : 0;
	if (fd >= 0)
		close(fd);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

struct cfg *cfg_load_with(const char *path, cfg_rule *rule, struct cfg_errors *errors)
{
	struct cfg *cfg = NULL;
	char *text;
	size_t length;
	int rc = cfg_read_file(path, &text, &length);

	*errors = (struct cfg_errors){0};
	if (rc) {
		cfg_errors_add(
		    errors, 0, cfg_strdup(""),
		    cfg_format("cannot be read: %s; give the path of a configuration file",
			       strerror(-rc)));
		cfg_errors_finish(errors);
	} else {
		cfg = parse(text, length, path, rule, errors);
	}
	free(text);
	return cfg;
}

struct cfg *cfg_load(const char *path, struct cfg_errors *errors)
{
	return cfg_load_with(path, NULL, errors);
}

static void free_policy(struct cfg_tunnel_policy *policy)
{
	free(policy->host_name);
	free(policy->password);
}

static void free_profile(struct cfg_profile *profile)
{
	for (unsigned i = 0; i < profile->n_hosts; i++) {
		free(profile->hosts[i].name);
		free_policy(&profile->hosts[i].policy);
	}
	free(profile->hosts);
	free(profile->name);
}

static void free_domain_map(struct cfg_domain_map *map)
{
	for (unsigned i = 0; i < map->n_tunnels; i++) {
		free(map->tunnels[i].identification);
		free(map->tunnels[i].server_name);
		free_policy(&map->tunnels[i].policy);
	}
	free(map->tunnels);
	free(map->name);
}

static void free_radius(struct cfg_radius *radius)
{
	for (unsigned i = 0; i < radius->n_authentication; i++)
		free(radius->authentication[i].secret);
	for (unsigned i = 0; i < radius->n_accounting; i++)
		free(radius->accounting[i].secret);
	free(radius->authentication);
	free(radius->accounting);
	free(radius->nas_identifier);
}

void cfg_free(struct cfg *cfg)
{
	if (!cfg)
		return;
	for (unsigned i = 0; i < cfg->n_slots; i++)
		free(cfg->slots[i].module);
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		free(cfg->ports[i].name);
		free(cfg->ports[i].device);
		free(cfg->ports[i].interface);
		free(cfg->ports[i].encapsulation);
	}
	for (unsigned i = 0; i < cfg->n_profiles; i++)
		free_profile(&cfg->profiles[i]);
	for (unsigned i = 0; i < cfg->n_tunnels; i++) {
		free(cfg->tunnels[i].name);
		free_policy(&cfg->tunnels[i].policy);
	}
	for (unsigned i = 0; i < cfg->n_domain_maps; i++)
		free_domain_map(&cfg->domain_maps[i]);
	for (unsigned i = 0; i < cfg->n_subscribers; i++) {
		free(cfg->subscribers[i].name);
		free(cfg->subscribers[i].password);
	}
	free_radius(&cfg->radius);
	free_policy(&cfg->l2tp);
	free(cfg->slots);
	free(cfg->ports);
	free(cfg->profiles);
	free(cfg->tunnels);
	free(cfg->domain_maps);
	free(cfg->domain_order);
	free(cfg->subscribers);
	free(cfg->name);
	free(cfg->runtime_directory);
	free(cfg->path);
	free(cfg);
}
