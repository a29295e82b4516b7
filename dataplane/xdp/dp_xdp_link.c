/* SPDX-License-Identifier: BSD-3-Clause */
/* A program's place on an interface: a BPF link, pinned. It goes with us if we die before it is pinned, and its program with it.
 * A program takes the place of another in one moment. */
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_xdp_internal.h"
#include "dp_xdp_open.h"

enum { GONE_MOMENTS = 30 };

static const char *program_name(uint32_t id, struct bpf_prog_info *info)
{
	uint32_t size = sizeof(*info);
	memset(info, 0, sizeof(*info));
	int fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		(void)bpf_obj_get_info_by_fd(fd, info, &size);
		close(fd);
	}
	return info->name[0] != 0 ? info->name : "without a name";
}

/* The number of the program on the interface, 0: there is none. *mode: XDP_FLAGS_*_MODE, may be NULL. */
static uint32_t program_on(unsigned ifindex, uint32_t *mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	if (bpf_xdp_query((int)ifindex, 0, &query) < 0)
		return 0;
	if (mode != NULL)
		*mode =
		    query.attach_mode == XDP_ATTACHED_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	return query.prog_id != 0       ? query.prog_id
	       : query.drv_prog_id != 0 ? query.drv_prog_id
	       : query.skb_prog_id != 0 ? query.skb_prog_id
					: query.hw_prog_id;
}

/* Which chassis has pinned the program of this interface? False: none of this machine's. */
static bool find_owner(const struct cfg_port *c, uint32_t id, char path[DP_XDP_PATH])
{
	DIR *chassis = opendir(DP_XDP_PINS);
	const struct dirent *entry;
	bool found = false;
	while (!found && chassis != NULL && (entry = readdir(chassis)) != NULL) {
		struct bpf_link_info info;
		int link = entry->d_name[0] != '.'
			       ? dp_xdp_open_link(entry->d_name, c->interface, &info)
			       : -1;
		if (link < 0)
			continue;
		close(link);
		found = info.prog_id == id &&
			dp_xdp_pin_path(path, DP_XDP_PATH, entry->d_name, c->interface, NULL) == 0;
	}
	if (chassis != NULL)
		closedir(chassis);
	return found;
}

static int refuse_stranger(const struct cfg_port *c, uint32_t id)
{
	struct bpf_prog_info program;
	const char *name = program_name(id, &program);
	char path[DP_XDP_PATH];
	if (find_owner(c, id, path))
		dp_xdp_complain(
		    c,
		    "it is another chassis', whose XDP program %s (id %u) is pinned in %s: end that chassis (if it is "
		    "dead, rm -r %s), or take another interface",
		    name, id, path, path);
	else
		dp_xdp_complain(
		    c,
		    "it has an XDP program of another origin, %s (id %u), which is not touched: detach it (ip link set dev %s "
		    "xdp off, or, if it is a link, by whoever made that), or take another interface",
		    name, id, c->interface);
	return -EEXIST;
}

/* A link whose process has just died before it was pinned, or whose pin was removed, goes a moment later. */
static uint32_t wait_gone(unsigned ifindex, uint32_t on)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	for (unsigned i = 0; i < GONE_MOMENTS && on != 0; i++) {
		(void)nanosleep(&moment, NULL);
		on = program_on(ifindex, NULL);
	}
	return on;
}

int dp_xdp_link_find(const struct dp_xdp *xdp, const struct cfg_port *c, unsigned ifindex)
{
	struct bpf_link_info info = {0};
	uint32_t on = program_on(ifindex, NULL);
	char path[DP_XDP_PATH];
	dp_xdp_leaf(xdp, c, "link", path);
	int link = dp_xdp_open_link(xdp->name, c->interface, &info);
	if (link >= 0 && info.xdp.ifindex == ifindex && info.prog_id == on)
		return link;
	if (link >= 0)
		close(link);
	if (link >= 0 && info.xdp.ifindex != 0) {
		dp_xdp_complain(
		    c,
		    "%s is of another interface of that name (in another network namespace?): end that chassis, or "
		    "rm it",
		    path);
		return -EEXIST;
	}
	on = wait_gone(ifindex, on);
	if (on != 0)
		return refuse_stranger(c, on);
	(void)unlink(path); /* its interface is gone, or it is no link */
	return -1;
}

/* Native where the driver has it, generic otherwise. -errno.
 * Native XDP of a veth receives, but what it sends is delivered only to an end that has a program of its own, which
 * the peer's seldom has: the guard would speak to nobody. Generic XDP sends as the kernel does. */
static int create_link(const struct cfg_port *c, const struct dp_xdp_netdev *netdev, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	const char *why = "a veth sends by it only to an end with an XDP program of its own";
	int link = -1;
	if (!netdev->is_veth) {
		link = bpf_link_create(program, (int)netdev->index, BPF_XDP, &options);
		why = strerror(errno);
	}
	if (link < 0) {
		fprintf(stderr,
			"warmline-dataplane: warning: port %s: interface %s: no native XDP (%s): "
			"generic XDP it is, which is slower\n",
			c->name, c->interface, why);
		options.flags = XDP_FLAGS_SKB_MODE;
		link = bpf_link_create(program, (int)netdev->index, BPF_XDP, &options);
	}
	return link < 0 ? -errno : link;
}

static int attach_anew(const struct dp_xdp *xdp, const struct cfg_port *c,
		       const struct dp_xdp_netdev *netdev, int program)
{
	char path[DP_XDP_PATH];
	dp_xdp_leaf(xdp, c, "link", path);
	int link = create_link(c, netdev, program);
	if (link < 0)
		return dp_xdp_complain(c, "it takes no XDP program: %s", strerror(-link));
	int error = dp_xdp_pin(link, path);
	close(link);
	return error == 0 ? 0 : dp_xdp_complain(c, "%s: %s", path, strerror(-error));
}

/* A port whose map was made for a link that was there has yet to be told too; since when, nobody knows any more. */
static void describe(struct dp_xdp_port *port, unsigned ifindex, bool is_new)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)program_on(ifindex, &port->mode);
	if (is_new || port->attached == 0)
		port->attached = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int dp_xdp_link_take(const struct dp_xdp *xdp, const struct cfg_port *c,
		     const struct dp_xdp_netdev *netdev, int link,
		     struct dp_xdp_attachment *attachment)
{
	int program = bpf_program__fd(attachment->steer->progs.warmline_steer), wrong = 0;
	char path[DP_XDP_PATH];
	if (link < 0)
		wrong = attach_anew(xdp, c, netdev, program);
	else if (bpf_link_update(link, program, NULL) < 0)
		wrong = dp_xdp_complain(c, "its program cannot be replaced: %s", strerror(errno));
	if (link >= 0)
		close(link);
	if (wrong)
		return wrong;
	describe(attachment->port, netdev->index, link < 0);
	dp_xdp_leaf(xdp, c, "program", path);
	(void)dp_xdp_pin(program, path); /* for people */
	return 0;
}
