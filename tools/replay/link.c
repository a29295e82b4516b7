/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "complain.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum {
	RING_FRAMES = 8192,
	RING_BLOCK = 1 << 16,
	RING_HEADROOM = 128, /* of a ring's frame: what the kernel puts before the packet */
	FRAME_MIN = 2048,
	FRAME_MAX = RING_BLOCK,
	SEND_BATCH = 64,
	SEND_BUFFER = 16 << 20,
};

struct link {
	char name[32];
	struct netdev netdev;
	int fd;
	uint8_t *ring;
	size_t ring_size;
	uint32_t frame_size;
	unsigned n_frames;
	unsigned next; /* the ring's frame that the kernel fills next */
	uint64_t drops;
	unsigned merged; /* offloads to restore */
};

uint64_t link_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof value);
}

static int map_ring(struct link *link)
{
	link->frame_size = FRAME_MIN;
	while (link->frame_size < link->netdev.mtu + RING_HEADROOM && link->frame_size < FRAME_MAX)
		link->frame_size *= 2;

	struct tpacket_req request = {
	    .tp_block_size = RING_BLOCK,
	    .tp_frame_size = link->frame_size,
	    .tp_frame_nr = RING_FRAMES,
	    .tp_block_nr = RING_FRAMES / (RING_BLOCK / link->frame_size),
	};
	if (set(link->fd, PACKET_VERSION, TPACKET_V2) != 0 ||
	    setsockopt(link->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
		return -errno;
	link->n_frames = RING_FRAMES;
	link->ring_size = (size_t)RING_FRAMES * link->frame_size;
	link->ring = mmap(NULL, link->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, link->fd, 0);
	if (link->ring == MAP_FAILED) {
		link->ring = NULL;
		return -errno;
	}
	return 0;
}

/* The socket is bound only now, with its ring in place: not a frame comes before. */
static int start(struct link *link)
{
	struct sockaddr_ll address = {
	    .sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_ALL),
	    .sll_ifindex = link->netdev.index,
	};
	struct packet_mreq promiscuous = {
	    .mr_ifindex = link->netdev.index,
	    .mr_type = PACKET_MR_PROMISC,
	};
	int buffer = SEND_BUFFER;

	int error = map_ring(link);
	if (error != 0)
		return error;
	setsockopt(link->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
	set(link->fd, PACKET_QDISC_BYPASS, 1); /* without it frames queue as usual, only slower */
	if (set(link->fd, PACKET_IGNORE_OUTGOING, 1) != 0 ||
	    bind(link->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    setsockopt(link->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
		       sizeof promiscuous) != 0)
		return -errno;
	return 0;
}

struct link *link_open(const char *name)
{
	struct link *link = calloc(1, sizeof *link);

	if (link == NULL)
		return NULL;
	link->fd = -1;
	if (netdev_read(name, &link->netdev) != 0)
		goto fail;
	strcpy(link->name, name);
	if (!link->netdev.up) {
		complain(
		    "interface %s is down or has no carrier: ip link set %s up, and its other end",
		    name, name);
		goto fail;
	}
	link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0) {
		complain("interface %s: no raw socket: %s; root or CAP_NET_RAW is needed", name,
			 strerror(errno));
		goto fail;
	}
	link->merged = netdev_merge_off(name);
	int error = start(link);
	if (error == 0)
		return link;
	complain("interface %s: cannot receive: %s", name, strerror(-error));
fail:
	link_close(link);
	return NULL;
}

void link_close(struct link *link)
{
	if (link == NULL)
		return;
	if (link->ring != NULL)
		munmap(link->ring, link->ring_size);
	if (link->fd >= 0)
		close(link->fd);
	if (link->merged != 0)
		netdev_merge_restore(link->name, link->merged);
	free(link);
}

const struct netdev *link_netdev(const struct link *link)
{
	return &link->netdev;
}

const char *link_name(const struct link *link)
{
	return link->name;
}

int link_fd(const struct link *link)
{
	return link->fd;
}

/* The kernel stamps arrivals by the wall clock; the difference is taken anew for each batch, so
 * that a clock that is set does not matter. */
static uint64_t wall_ahead(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec - link_clock();
}

unsigned link_receive(struct link *link, unsigned limit, link_handler *handler, void *context)
{
	unsigned n = 0;
	uint64_t ahead = 0;

	for (; n < limit; n++) {
		uint8_t *slot = link->ring + (size_t)link->next * link->frame_size;
		struct tpacket2_hdr *header = (struct tpacket2_hdr *)slot;
		uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);

		if (!(status & TP_STATUS_USER))
			break;
		if (n == 0)
			ahead = wall_ahead();
		uint16_t vlan = status & TP_STATUS_VLAN_VALID ? header->tp_vlan_tci & 0x0fff : 0;
		uint64_t wall = (uint64_t)header->tp_sec * 1000000000u + header->tp_nsec;
		if (header->tp_snaplen == header->tp_len)
			handler(context, slot + header->tp_mac, header->tp_len, vlan, wall - ahead);
		__atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		link->next = (link->next + 1) % link->n_frames;
	}
	return n;
}

static bool may_pass(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENETDOWN || error == EINTR;
}

int link_send(struct link *link, const struct link_frame *frames, unsigned n)
{
	struct mmsghdr messages[SEND_BATCH];
	struct iovec vectors[SEND_BATCH];

	if (n > SEND_BATCH)
		n = SEND_BATCH;
	for (unsigned i = 0; i < n; i++) {
		vectors[i] = (struct iovec){frames[i].bytes, frames[i].length};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	int taken = sendmmsg(link->fd, messages, n, 0);
	if (taken >= 0)
		return taken;
	if (may_pass(errno))
		return 0;
	int error = -errno;
	complain("interface %s: cannot send %zu bytes: %s", link->name, frames[0].length,
		 strerror(-error));
	return error;
}

uint64_t link_drops(struct link *link)
{
	struct tpacket_stats stats = {0};
	socklen_t size = sizeof stats;

	if (getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		link->drops += stats.tp_drops;
	return link->drops;
}
