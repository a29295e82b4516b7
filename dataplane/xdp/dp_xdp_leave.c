/* SPDX-License-Identifier: BSD-3-Clause */
/* Leaving an interface: settings first, while the link still says which interface that is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_xdp_open.h"
#include "dp_xdp_pins.h"
#include "dp_xdp_state.h"
#include "dp_xdp_netdev.h"

struct leaving {
	const char *chassis;
	int error;
};

static void note(int *error, int result)
{
	if (!*error)
		*error = result;
}

/* That interface is here, and not in another network namespace, where the same number is another's. */
static bool is_here(const struct bpf_link_info *link)
{
	uint32_t id = 0;

	return bpf_xdp_query_id((int)link->xdp.ifindex, 0, &id) == 0 && id == link->prog_id;
}

/* Only what the program is still attached to is ours to change, by whatever name. It is detached here: the kernel gets
 * to a link whose last pin has gone only a moment later, and until then nothing else can be attached. */
static void restore(void *context, const char *interface)
{
	struct leaving *leaving = context;
	struct dp_xdp_port port;
	struct bpf_link_info link;
	char name[IFNAMSIZ];
	int fd = dp_xdp_open_link(leaving->chassis, interface, &link);

	if (fd < 0)
		return;
	if (dp_xdp_read_port(leaving->chassis, interface, &port) == 0 && port.vlan_stripped == 1 &&
	    link.xdp.ifindex == port.ifindex && is_here(&link) &&
	    if_indextoname(link.xdp.ifindex, name))
		note(&leaving->error, dp_xdp_netdev_strip_vlan(name, true));
	if (link.xdp.ifindex)
		note(&leaving->error, bpf_link_detach(fd));
	close(fd);
}

int dp_xdp_leave(const char *chassis, const char *interface)
{
	struct leaving leaving = {.chassis = chassis};
	int error;

	if (interface)
		restore(&leaving, interface);
	else
		dp_xdp_pins_each(chassis, restore, &leaving);
	error = dp_xdp_pins_remove(chassis, interface);
	return error ? error : leaving.error;
}

/* magic, version and mirror are where they are in every version of it. */
int dp_xdp_disown(const char *chassis)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), none = 0;
	char path[DP_XDP_PATH];
	int error = dp_xdp_pin_path(path, sizeof(path), chassis, NULL, "chassis");
	int fd = error < 0 ? -1 : bpf_obj_get(path);

	if (fd < 0)
		return error < 0 ? error : errno == ENOENT ? 0 : -errno;
	struct dp_xdp_chassis *value = NULL;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		error = -errno;
	else if (info.key_size != sizeof(none) || info.value_size < sizeof(*value))
		error = -EPROTO;
	else if ((value = calloc(1, info.value_size)) == NULL)
		error = -ENOMEM;
	else if (bpf_map_lookup_elem(fd, &none, value) < 0)
		error = -errno;
	else if (value->magic != DP_XDP_MAGIC)
		error = -EPROTO;
	if (error == 0) {
		value->mirror = 0;
		error = bpf_map_update_elem(fd, &none, value, BPF_ANY) < 0 ? -errno : 0;
	}
	free(value);
	close(fd);
	return error;
}
