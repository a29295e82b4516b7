/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams. */
#include "cp_radius_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

/* ---- the socket ---- */

static struct sockaddr_in bound_to(const struct cp_radius *radius)
{
	struct sockaddr_in own = {0};
	socklen_t length = sizeof(own);

	if (getsockname(radius->fd, (struct sockaddr *)&own, &length) != 0)
		own.sin_port = 0;
	return own;
}

void cp_radius_socket_check(const struct cp_radius *radius)
{
	uint32_t wanted = radius->cfg->radius.source_address;
	uint32_t own = ntohl(bound_to(radius).sin_addr.s_addr);

	if (own != wanted)
		cp_radius_log(radius, CP_LOG_WARNING,
			      "radius.source_address is %s, but the socket stays bound to %s, as "
			      "answers wait there: stop and start the chassis for the change",
			      wanted != 0 ? cp_radius_address_name(wanted, 0) : "not set",
			      cp_radius_address_name(own, 0));
}

int cp_radius_socket_open(struct cp_radius *radius, int fd)
{
	enum { RECEIVE_BUFFER = 1 << 20 }; /* for the answers to all that may wait */
	int on = 1, room = RECEIVE_BUFFER;
	struct sockaddr_in own = address_of(radius->cfg->radius.source_address, 0);

	radius->own_fd = fd < 0;
	radius->fd = fd >= 0 ? fd : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (radius->fd < 0 ||
	    fcntl(radius->fd, F_SETFL, fcntl(radius->fd, F_GETFL) | O_NONBLOCK) != 0 ||
	    setsockopt(radius->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) != 0)
		goto failed;
	setsockopt(radius->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)); /* as much as may be */
	if (bound_to(radius).sin_port != 0)
		cp_radius_socket_check(radius);
	else if (bind(radius->fd, (struct sockaddr *)&own, sizeof(own)) != 0)
		goto failed;
	return 0;
failed:;
	int error = errno;
	cp_radius_log(radius, CP_LOG_ERROR,
		      "RADIUS: no socket with source address %s: %s (radius.source_address must be "
		      "an address of this machine)",
		      cp_radius_address_name(radius->cfg->radius.source_address, 0),
		      strerror(error));
	return -error;
}

/* ---- errors ---- */

/* One ICMP error. false: there was none. */
static bool read_error(struct cp_radius *radius)
{
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(sizeof(struct sock_extended_err) +
				       sizeof(struct sockaddr_in))];
	} control;
	uint8_t quoted[CP_RADIUS_HEADER];
	struct sockaddr_in to = {0}; /* of the packet that it is about */
	struct iovec iov = {.iov_base = quoted, .iov_len = sizeof(quoted)};
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = sizeof(to),
				 .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(radius->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	for (unsigned kind = 0; kind < CP_RADIUS_N_KINDS; kind++) {
		struct cp_radius_server *server = cp_radius_server_find(
		    radius, kind, ntohl(to.sin_addr.s_addr), ntohs(to.sin_port));
		if (server != NULL)
			cp_radius_exchange_refused(radius, server, quoted, (size_t)n);
	}
	return true;
}

static void drain_errors(struct cp_radius *radius)
{
	enum { AT_MOST = 1024 };

	for (unsigned i = 0; i < AT_MOST && read_error(radius); i++)
		;
}

/* ---- packets ---- */

/* An error that is told by a call belongs to an earlier packet: it is taken off, and the call made again. */
void cp_radius_socket_send(struct cp_radius *radius, struct cp_radius_server *server,
			   const struct cp_radius_request *request)
{
	struct sockaddr_in to = address_of(server->cfg.address, server->cfg.port);
	ssize_t n = -1;

	for (unsigned i = 0; i < 3 && n < 0; i++) {
		n = sendto(radius->fd, request->octets, request->length, MSG_DONTWAIT,
			   (struct sockaddr *)&to, sizeof(to));
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			break;
	}
	if (n < 0)
		cp_radius_server_oddity(radius, server, CP_RADIUS_ODD_SENDING, strerror(errno));
}

static void receive(struct cp_radius *radius, const struct sockaddr_in *from, const uint8_t *octets,
		    size_t length)
{
	uint32_t address = ntohl(from->sin_addr.s_addr);
	uint16_t port = ntohs(from->sin_port);
	enum cp_radius_kind kind = length > 0 && octets[0] == CP_RADIUS_ACCOUNTING_RESPONSE
				       ? CP_RADIUS_ACCOUNTING
				       : CP_RADIUS_AUTHENTICATION;
	struct cp_radius_server *server = cp_radius_server_find(radius, kind, address, port);

	if (server == NULL) /* a code that this server should not speak */
		server = cp_radius_server_find(radius, 1 - kind, address, port);
	if (server != NULL) {
		cp_radius_exchange_answer(radius, server, octets, length);
		return;
	}
	radius->statistics.counters[CP_RADIUS_UNKNOWN_SOURCE]++;
	cp_radius_log_some(radius, &radius->gates[CP_RADIUS_UNKNOWN_SOURCE], 1, CP_LOG_WARNING,
			   "RADIUS: a packet of %s is dropped: no server of ours",
			   cp_radius_address_name(address, port));
}

void cp_radius_socket_drain(struct cp_radius *radius, unsigned budget)
{
	uint8_t octets[CP_RADIUS_PACKET];

	while (budget-- > 0) {
		struct sockaddr_in from = {0};
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(radius->fd, octets, sizeof(octets), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &length);
		if (n >= 0)
			receive(radius, &from, octets, (size_t)n);
		else if (errno == EAGAIN)
			break;
	}
	drain_errors(radius);
}
