/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets for a program that is there already.
 *
 * net_af_xdp opens its AF_XDP sockets with libxdp, and has a program attached to the interface in one of two ways.
 * Without xdp_prog= libxdp attaches one of its own, by a dispatcher, at the first socket. With xdp_prog=FILE the driver
 * loads and attaches that itself, and refuses when there is a program already, which there always is after a restart:
 * to detach the old one first would leave a moment in which the kernel sees L2TP, and answers that the port is
 * unreachable. Either way it detaches whatever is there when the device closes, which also happens when a start fails
 * half way. A program that must outlive the process, be replaced in one moment and keep its maps has to be
 * attached by ourselves, and as a link, which nobody else can detach.
 *
 * What remains is to tell the driver so. It has no option for that (later versions have use_pinned_map=), but it calls
 * xsk_socket__create(), and the one that the linker finds first is this.
 */
#include <dlfcn.h>
#include <errno.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "dp_xdp.h"

typedef int create_function(struct xsk_socket **, const char *, __u32, struct xsk_umem *,
			    struct xsk_ring_cons *, struct xsk_ring_prod *,
			    const struct xsk_socket_config *);

/* libxdp's, but that no program is attached: the socket goes into the map of ours. An interface that is not ours (a port
 * with a device of net_af_xdp) is left to libxdp. */
__attribute__((visibility("default"))) int
xsk_socket__create(struct xsk_socket **socket, const char *interface, __u32 queue,
		   struct xsk_umem *umem, struct xsk_ring_cons *rx, struct xsk_ring_prod *tx,
		   const struct xsk_socket_config *config)
{
	union {
		void *symbol;
		create_function *call;
	} libxdp = {dlsym(RTLD_NEXT, "xsk_socket__create")};
	int map = dp_xdp_sockets(interface);

	if (libxdp.symbol == NULL)
		return -ENOSYS;
	if (map < 0)
		return libxdp.call(socket, interface, queue, umem, rx, tx, config);
	struct xsk_socket_config without_program = *config;
	without_program.libxdp_flags |= XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
	int error = libxdp.call(socket, interface, queue, umem, rx, tx, &without_program);
	if (error != 0)
		return error;
	int fd = xsk_socket__fd(*socket);
	error = bpf_map_update_elem(map, &queue, &fd, BPF_ANY);
	if (error != 0)
		xsk_socket__delete(*socket);
	return error;
}
