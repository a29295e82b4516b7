/* SPDX-License-Identifier: BSD-3-Clause */
/* What a chassis' interfaces have in common: the table of tunnels, and whose it is.
 *
 * The table may be of another version, which the programs that are attached still use while we make ours: it is set
 * aside under another name, so that a successor finds it should we die half way, and what its guard has told the peers
 * is taken over when the programs have been replaced (dp_xdp_take()), word by word: one that was not, or still runs, finds
 * nobody to answer in it from then on. */
#include "dp_xdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp.h"
#include "dp_xdp_pin.h"
#include "dp_xdp_pins.h"
#include "dp_xdp_state.h"
#include "lc_channel.h"

#define TUNNELS_BEFORE "tunnels.before"

static int complain(const struct dp_xdp *xdp, const char *what, int error)
{
	fprintf(stderr, "warmline-dataplane: %s: %s/%s: %s: %s\n", xdp->name, DP_XDP_PINS,
		xdp->name, what, strerror(error));
	return DP_EXIT_SETUP;
}

static int pin_path(const struct dp_xdp *xdp, const char *leaf, char path[DP_XDP_PATH])
{
	return dp_xdp_pin_path(path, DP_XDP_PATH, xdp->name, NULL, leaf);
}

/* A new map, of one value (NULL: zeroes), pinned when it is whole. -errno. */
static int make_map(const struct dp_xdp *xdp, const char *leaf, const struct dp_xdp_map *map,
		    const void *value)
{
	char path[DP_XDP_PATH];
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = map->flags);
	int fd =
	    bpf_map_create(map->type, leaf, map->key_size, map->value_size, map->entries, &options);
	if (fd < 0)
		return -errno;
	uint32_t zero = 0;
	int error = pin_path(xdp, leaf, path);
	if (error == 0 && value != NULL && bpf_map_update_elem(fd, &zero, value, BPF_ANY) < 0)
		error = -errno;
	if (error == 0)
		error = dp_xdp_pin(fd, path);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/* What there is of an earlier start. false: nothing, or of another version; *mirror is what it was made for, 0: not known. */
static bool find_chassis(struct dp_xdp *xdp, const char *path, uint64_t *mirror)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), zero = 0;
	int fd = dp_xdp_pinned(path);
	void *value = fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0
			  ? calloc(1, info.value_size + sizeof(*xdp->chassis))
			  : NULL;
	const struct dp_xdp_chassis *found = value;
	bool known = found != NULL && info.key_size == sizeof(zero) &&
		     bpf_map_lookup_elem(fd, &zero, value) == 0 && found->magic == DP_XDP_MAGIC;
	*mirror = known ? found->mirror : 0;
	bool same = known && found->version == DP_XDP_VERSION && info.value_size == sizeof(*found);
	free(value);
	if (same)
		xdp->chassis = dp_xdp_map_values(fd, sizeof(*xdp->chassis), 1);
	if (xdp->chassis != NULL)
		xdp->chassis_map = fd;
	else if (fd >= 0)
		close(fd);
	return xdp->chassis != NULL;
}

static int make_chassis(struct dp_xdp *xdp, uint64_t mirror)
{
	const struct dp_xdp_map attributes = {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
					      sizeof(struct dp_xdp_chassis), 1, BPF_F_MMAPABLE};
	const struct dp_xdp_chassis chassis = {
	    .magic = DP_XDP_MAGIC, .version = DP_XDP_VERSION, .mirror = mirror};
	xdp->chassis_map = make_map(xdp, "chassis", &attributes, &chassis);
	if (xdp->chassis_map < 0)
		return xdp->chassis_map;
	xdp->chassis = dp_xdp_map_values(xdp->chassis_map, sizeof(*xdp->chassis), 1);
	return xdp->chassis == NULL ? -errno : 0;
}

/* The table of this version and size; one of another is set aside, unless one is already. */
static int open_tunnels(struct dp_xdp *xdp, bool same_version)
{
	const struct dp_xdp_map attributes = {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
					      sizeof(struct lc_guard_entry), xdp->n_tunnels,
					      BPF_F_MMAPABLE};
	char path[DP_XDP_PATH], before[DP_XDP_PATH];
	int error = pin_path(xdp, "tunnels", path);
	if (error == 0)
		error = pin_path(xdp, TUNNELS_BEFORE, before);
	if (error < 0)
		return error;
	if (same_version)
		xdp->tunnels_map = dp_xdp_pinned_map(path, &attributes);
	if (xdp->tunnels_map < 0 && access(before, F_OK) < 0 && rename(path, before) < 0 &&
	    errno != ENOENT)
		return -errno;
	if (xdp->tunnels_map < 0)
		xdp->tunnels_map = make_map(xdp, "tunnels", &attributes, NULL);
	if (xdp->tunnels_map < 0)
		return xdp->tunnels_map;
	xdp->old_tunnels = dp_xdp_pinned(before);
	xdp->tunnels = dp_xdp_map_values(xdp->tunnels_map, sizeof(*xdp->tunnels), xdp->n_tunnels);
	return xdp->tunnels == NULL ? -errno : 0;
}

static void forget_old_tunnels(struct dp_xdp *xdp)
{
	char before[DP_XDP_PATH];
	if (xdp->old_tunnels >= 0)
		close(xdp->old_tunnels);
	xdp->old_tunnels = -1;
	if (pin_path(xdp, TUNNELS_BEFORE, before) == 0)
		(void)unlink(before);
}

/* The words of a table of another version, stride octets from each other. NULL: there is none. */
static uint8_t *map_old(const struct dp_xdp *xdp, struct bpf_map_info *info, size_t *stride)
{
	uint32_t size = sizeof(*info);
	memset(info, 0, sizeof(*info));
	if (xdp->old_tunnels < 0 || bpf_obj_get_info_by_fd(xdp->old_tunnels, info, &size) < 0 ||
	    info->type != BPF_MAP_TYPE_ARRAY || info->value_size < sizeof(union lc_guard_word))
		return NULL;
	*stride = (info->value_size + 7U) / 8 * 8;
	return dp_xdp_map_values(xdp->old_tunnels, info->value_size, info->max_entries);
}

/* Programs that are not replaced yet, or cannot be, answer nobody by it any more. What they have told until then is taken into
 * the table, or forgotten (table NULL). A word is 0 only when all that it said is taken. */
static void empty_old_tunnels(const struct dp_xdp *xdp, struct lc_guard_entry *table)
{
	struct bpf_map_info info;
	size_t stride;
	uint8_t *old = map_old(xdp, &info, &stride);
	for (uint32_t i = 0; old != NULL && i < info.max_entries; i++) {
		uint64_t *at = (void *)(old + i * stride);
		uint64_t word = __atomic_load_n(at, __ATOMIC_ACQUIRE);
		while (word != 0) {
			if (table != NULL && i < xdp->n_tunnels)
				lc_guard_merge(&table[i], &word, 1, sizeof(word));
			if (__atomic_compare_exchange_n(at, &word, 0, false, __ATOMIC_SEQ_CST,
							__ATOMIC_SEQ_CST))
				break;
		}
	}
	if (old != NULL)
		dp_xdp_unmap_values(old, info.value_size, info.max_entries);
}

/* A table that belongs to another mirror knows nothing of the tunnels in this one. */
static void own_tunnels(struct dp_xdp *xdp, const struct lc_mirror *mirror)
{
	struct dp_xdp_chassis *chassis = xdp->chassis;
	uint64_t created = mirror->header->created;
	if (chassis->mirror != created) {
		lc_guard_clear(xdp->tunnels, xdp->n_tunnels);
		empty_old_tunnels(xdp, NULL);
		forget_old_tunnels(xdp);
	}
	chassis->tunnel_mask = mirror->tunnel_mask;
	__atomic_store_n(&chassis->mirror, created, __ATOMIC_RELEASE);
}

struct leaving {
	const struct dp_xdp *xdp;
	const struct cfg *cfg;
};

static void leave_stranger(void *context, const char *interface)
{
	const struct leaving *leaving = context;
	for (unsigned i = 0; i < leaving->cfg->n_ports; i++)
		if (strcmp(leaving->cfg->ports[i].interface, interface) == 0)
			return;
	int error = dp_xdp_leave(leaving->xdp->name, interface);
	if (error < 0)
		complain(leaving->xdp, interface, -error);
}

static bool is_wanted(const struct cfg *cfg)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (cfg->ports[i].interface[0] != 0)
			return true;
	return false;
}

int dp_xdp_start(struct dp_xdp *xdp, const struct cfg *cfg, const struct lc_mirror *mirror)
{
	char path[DP_XDP_PATH];
	uint64_t made_for;
	*xdp = (struct dp_xdp){.watch_end = -1,
			       .chassis_map = -1,
			       .tunnels_map = -1,
			       .old_tunnels = -1,
			       .n_tunnels = mirror->tunnel_mask + 1,
			       .n_sessions = mirror->header->geometry.session_slots};
	snprintf(xdp->name, sizeof(xdp->name), "%s", cfg->name);
	if (!is_wanted(cfg)) {
		/* Who may not look there has attached nothing either. */
		int error = dp_xdp_leave(xdp->name, NULL);
		if (error < 0 && error != -EACCES && error != -EPERM)
			complain(xdp, "warning: cannot be removed", -error);
		return 0;
	}
	libbpf_set_print(NULL);
	int error = dp_xdp_pins_make(xdp->name, NULL);
	if (error == 0)
		error = pin_path(xdp, "chassis", path);
	if (error < 0)
		return complain(
		    xdp,
		    "no BPF file system to pin programs in (it takes root, and CONFIG_BPF_SYSCALL)",
		    -error);
	struct leaving leaving = {xdp, cfg};
	(void)dp_xdp_pins_each(xdp->name, leave_stranger, &leaving);
	bool same = find_chassis(xdp, path, &made_for);
	error = open_tunnels(xdp, same);
	if (error < 0)
		return complain(xdp, "tunnels", -error);
	if (!same && (error = make_chassis(xdp, made_for)) < 0)
		return complain(xdp, "chassis", -error);
	own_tunnels(xdp, mirror);
	return 0;
}

void dp_xdp_take(struct dp_xdp *xdp)
{
	if (xdp->old_tunnels < 0)
		return;
	empty_old_tunnels(xdp, xdp->tunnels);
	forget_old_tunnels(xdp);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void dp_xdp_close(struct dp_xdp *xdp)
{
	if (xdp->n_tunnels == 0) /* never started: its descriptors are none */
		return;
	dp_xdp_watch_stop(xdp);
	for (unsigned i = 0; i < LC_MAX_PORTS; i++)
		dp_xdp_detach(&xdp->attachments[i]);
	if (xdp->tunnels_map >= 0)
		dp_xdp_unmap_values(xdp->tunnels, sizeof(*xdp->tunnels), xdp->n_tunnels);
	if (xdp->chassis_map >= 0)
		dp_xdp_unmap_values(xdp->chassis, sizeof(*xdp->chassis), 1);
	xdp->tunnels = NULL;
	xdp->chassis = NULL;
	close_fd(&xdp->tunnels_map);
	close_fd(&xdp->chassis_map);
	close_fd(&xdp->old_tunnels);
}
