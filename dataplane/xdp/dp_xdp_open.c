/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_xdp_open.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dp_xdp_pins.h"

/* What the information about an object means depends on its kind, and that the kernel tells here only. */
static bool is_of_kind(int fd, enum dp_xdp_kind kind)
{
	static const char *const names[][2] = {
	    [DP_XDP_MAP] = {"bpf-map", "bpf-map"},
	    [DP_XDP_PROGRAM] = {"bpf-prog", "bpf-prog"},
	    [DP_XDP_LINK] = {"bpf-link", "bpf_link"}, /* kernels have both */
	};
	char path[64], is[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, is, sizeof(is) - 1) < 0)
		return false;
	return strstr(is, names[kind][0]) || strstr(is, names[kind][1]);
}

int dp_xdp_open(const char *chassis, const char *interface, const char *leaf, enum dp_xdp_kind kind)
{
	LIBBPF_OPTS(bpf_obj_get_opts, options,
		    .file_flags = kind == DP_XDP_MAP ? BPF_F_RDONLY : 0); /* links refuse it */
	char path[DP_XDP_PATH];
	int fd, error = dp_xdp_pin_path(path, sizeof(path), chassis, interface, leaf);

	if (error)
		return error;
	fd = bpf_obj_get_opts(path, &options);
	/* A link is refused for the flags, and a directory or another file for what it is. */
	if (fd == -EINVAL || fd == -EACCES)
		return access(path, R_OK) == 0 ? -EPROTO : -errno;
	if (fd < 0)
		return fd;
	if (is_of_kind(fd, kind))
		return fd;
	close(fd);
	return -EPROTO;
}

int dp_xdp_open_map(const char *chassis, const char *interface, const char *leaf, uint32_t type,
		    size_t value_size, uint32_t entries)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int error, fd = dp_xdp_open(chassis, interface, leaf, DP_XDP_MAP);

	if (fd < 0)
		return fd;
	error = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (!error && (info.type != type || info.key_size != sizeof(uint32_t) ||
		       info.value_size != value_size || (entries && info.max_entries != entries)))
		error = -EPROTO;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int dp_xdp_read_one(const char *chassis, const char *interface, const char *leaf, void *value,
		    size_t size)
{
	uint32_t key = 0;
	int error, fd = dp_xdp_open_map(chassis, interface, leaf, BPF_MAP_TYPE_ARRAY, size, 1);

	if (fd < 0)
		return fd;
	error = bpf_map_lookup_elem(fd, &key, value);
	close(fd);
	return error;
}

int dp_xdp_open_link(const char *chassis, const char *interface, struct bpf_link_info *info)
{
	uint32_t length = sizeof(*info);
	int error, fd = dp_xdp_open(chassis, interface, "link", DP_XDP_LINK);

	if (fd < 0)
		return fd;
	*info = (struct bpf_link_info){0};
	error = bpf_obj_get_info_by_fd(fd, info, &length);
	if (!error && info->type != BPF_LINK_TYPE_XDP)
		error = -EPROTO;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int dp_xdp_read_port(const char *chassis, const char *interface, struct dp_xdp_port *port)
{
	int error = dp_xdp_read_one(chassis, interface, "port", port, sizeof(*port));

	if (error)
		return error;
	port->chassis[DP_XDP_NAME - 1] = '\0';
	port->name[DP_XDP_NAME - 1] = '\0';
	port->interface[DP_XDP_NAME - 1] = '\0';
	return port->magic == DP_XDP_MAGIC && port->version == DP_XDP_VERSION ? 0 : -EPROTO;
}
