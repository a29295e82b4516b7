/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel does with the interfaces: its own addresses, which come and go, and the interfaces themselves. In a thread of
 * its own, once a second, since to ask the kernel may take as long as anybody holds its network settings. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dp.h"
#include "dp_xdp_internal.h"

enum { LOOK_MS = 1000 };

/* An address that the kernel has, on whatever interface, it answers for on all. */
int dp_xdp_look(struct dp_xdp_port *port)
{
	uint8_t shared4 = 0, shared6 = 0, shared_link = 0;
	struct ifaddrs *list;
	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
		const struct sockaddr_in *in = (const void *)at->ifa_addr;
		const struct sockaddr_in6 *in6 = (const void *)at->ifa_addr;
		if (in == NULL)
			continue;
		if (in->sin_family == AF_INET && in->sin_addr.s_addr == port->address)
			shared4 = 1;
		if (in->sin_family == AF_INET6 && memcmp(&in6->sin6_addr, port->ipv6, 16) == 0)
			shared6 = 1;
		if (in->sin_family == AF_INET6 &&
		    memcmp(&in6->sin6_addr, port->link_local, 16) == 0)
			shared_link = 1;
	}
	freeifaddrs(list);
	__atomic_store_n(&port->shared4, shared4, __ATOMIC_RELAXED);
	__atomic_store_n(&port->shared6, shared6, __ATOMIC_RELAXED);
	__atomic_store_n(&port->shared_link, shared_link, __ATOMIC_RELAXED);
	return 0;
}

/* Is it the interface that we have attached to? One that was made anew has no program, and one with another MAC address takes
 * other frames; queues that nobody polls would swallow theirs. */
static bool is_changed(const struct dp_xdp_attachment *attachment)
{
	struct dp_xdp_netdev netdev;
	int error = dp_xdp_netdev_read(&netdev, attachment->name);
	const char *what = NULL;
	if (error == -ENODEV)
		what = "is gone";
	else if (error < 0)
		return false;
	else if (netdev.index != attachment->port->ifindex)
		what = "was made anew";
	else if (memcmp(netdev.mac, attachment->port->mac, 6) != 0)
		what = "has another MAC address";
	else if (netdev.receive_queues != attachment->queues)
		what = "has another number of receive queues";
	if (what != NULL)
		fprintf(stderr,
			"warmline-dataplane: port %s: interface %s %s: to be started again\n",
			attachment->port->name, attachment->name, what);
	return what != NULL;
}

static void *watch(void *argument)
{
	struct dp_xdp *xdp = argument;
	struct pollfd end = {.fd = xdp->watch_end, .events = POLLIN};
	while (poll(&end, 1, LOOK_MS) == 0) {
		for (unsigned i = 0; i < LC_MAX_PORTS; i++) {
			const struct dp_xdp_attachment *attachment = &xdp->attachments[i];
			if (attachment->port == NULL)
				continue;
			(void)dp_xdp_look(attachment->port);
			if (is_changed(attachment)) {
				atomic_store(&xdp->changed, true);
				return NULL;
			}
		}
	}
	return NULL;
}

int dp_xdp_watch_start(struct dp_xdp *xdp)
{
	if (xdp->tunnels == NULL)
		return 0;
	xdp->watch_end = eventfd(0, EFD_CLOEXEC);
	if (xdp->watch_end < 0)
		return -errno;
	int error = pthread_create(&xdp->watch, NULL, watch, xdp);
	xdp->watched = error == 0;
	return -error;
}

void dp_xdp_watch_stop(struct dp_xdp *xdp)
{
	if (xdp->watched) {
		(void)eventfd_write(xdp->watch_end, 1);
		pthread_join(xdp->watch, NULL);
	}
	xdp->watched = false;
	if (xdp->watch_end >= 0)
		close(xdp->watch_end);
	xdp->watch_end = -1;
}
