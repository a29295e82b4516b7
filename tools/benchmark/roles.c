/* SPDX-License-Identifier: BSD-3-Clause */
#include "roles.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const uint8_t roles_source_mac[6] = {0x02, 0x70, 0x63, 0x61, 0x70, 0x00};

int roles_load(struct roles *roles, const char *path)
{
	struct cfg_errors errors;
	struct cfg *cfg = cfg_load(path, &errors);
	cfg_errors_print(&errors, path, stderr);
	cfg_errors_free(&errors);
	if (cfg == NULL)
		return -EINVAL;
	*roles = (struct roles){.cfg = cfg};
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const struct cfg_port *port = &cfg->ports[i];
		if (strncmp(port->device, "net_pcap", 8) == 0)
			roles->source = port;
		else
			roles->sink = port;
		if (port->facing == CFG_FACING_PEER)
			roles->peer = port;
	}
	if (cfg->n_ports != 2 || !roles->source || !roles->sink || !roles->peer) {
		fprintf(
		    stderr,
		    "%s: wants a net_pcap port and another one, and one of the two facing the peer\n",
		    path);
		cfg_free(cfg);
		return -EINVAL;
	}
	roles->role = cfg->n_tunnels > 0 ? LC_ROLE_LAC : LC_ROLE_LNS;
	return 0;
}

static struct lc_geometry geometry_of(const struct cfg *cfg)
{
	return lc_geometry_for(cfg->limits.tunnels, cfg->limits.sessions,
			       cfg->limits.message_buffers, cfg->limits.accounting_records);
}

static int mirror_path(const struct roles *roles, char path[PATH_MAX])
{
	struct lc_geometry geometry = geometry_of(roles->cfg);
	bool huge;
	int error =
	    lc_mirror_path(roles->cfg->name, lc_mirror_size(&geometry), path, PATH_MAX, &huge);
	if (error)
		fprintf(stderr, "no place for the mirror of chassis %s: %s\n", roles->cfg->name,
			strerror(-error));
	return error;
}

int roles_make_mirror(const struct roles *roles, struct lc_mirror *mirror)
{
	struct lc_geometry geometry = geometry_of(roles->cfg);
	char path[PATH_MAX], why[256] = "";
	bool cold = false;
	int error = mirror_path(roles, path);
	if (error)
		return error;
	error = lc_mirror_open(mirror, path, &geometry, &cold, why, sizeof(why));
	if (error == 0 && !cold) {
		lc_mirror_close(mirror);
		error = -EEXIST;
		snprintf(why, sizeof(why), "is there already; remove it");
	}
	if (error)
		fprintf(stderr, "%s: %s\n", path, why);
	return error;
}

int roles_open_mirror(const struct roles *roles, struct lc_mirror *mirror)
{
	char path[PATH_MAX], why[256] = "";
	int error = mirror_path(roles, path);
	if (error)
		return error;
	error = lc_mirror_open_readonly(mirror, path, why, sizeof(why));
	if (error)
		fprintf(stderr, "%s: %s\n", path, why[0] ? why : strerror(-error));
	return error;
}

int roles_remove_mirror(const struct roles *roles)
{
	char path[PATH_MAX];
	int error = mirror_path(roles, path);
	if (error == 0 && unlink(path) != 0 && errno != ENOENT) {
		error = -errno;
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	return error;
}
