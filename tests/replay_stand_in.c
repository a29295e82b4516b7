/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay_stand_in.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 4096, PPPOE = 8, ETHER = 14 };

struct held {
	uint8_t frame[BUFFER];
	size_t length; /* 0: none */
};

struct worker {
	struct stand_in *shared;
	int fd[2]; /* [STAND_IN_UP]: lac0, where upstream packets come in; [STAND_IN_DOWN]: lns0 */
	uint8_t mac[2][6];
	uint8_t gateway[6];
	struct held held[2][256]; /* of each session: sent after the next one */
};

static int open_interface(const char *name, uint8_t *mac)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1, buffer = 64 << 20, fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	socklen_t size = sizeof address;

	address.sll_ifindex = (int)if_nametoindex(name);
	struct packet_mreq promiscuous = {.mr_ifindex = address.sll_ifindex,
					  .mr_type = PACKET_MR_PROMISC};
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one);
	setsockopt(fd, SOL_PACKET, 23 /* PACKET_IGNORE_OUTGOING */, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		_exit(3);
	getsockname(fd, (struct sockaddr *)&address, &size);
	memcpy(mac, address.sll_addr, 6);
	return fd;
}

/* A frame without its tag, if it has the tag that it must have; else 0. */
static size_t receive(struct worker *worker, int side, uint8_t *frame)
{
	struct iovec vector = {frame, BUFFER};
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};
	ssize_t size = recvmsg(worker->fd[side], &message, MSG_DONTWAIT);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (size < ETHER || header == NULL)
		return 0;
	const struct tpacket_auxdata *aux = (const void *)CMSG_DATA(header);
	unsigned vlan = aux->tp_status & TP_STATUS_VLAN_VALID ? aux->tp_vlan_tci & 0xfff : 0;
	return vlan == worker->shared->vlan[side] ? (size_t)size : 0;
}

static void transmit(struct worker *worker, int side, const uint8_t *frame, size_t length)
{
	uint16_t vlan = worker->shared->vlan[side];
	uint8_t tagged[BUFFER + 4];

	if (vlan != 0) {
		memcpy(tagged, frame, 12);
		memcpy(tagged + 12, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
		memcpy(tagged + 16, frame + 12, length - 12);
		send(worker->fd[side], tagged, length + 4, 0);
	} else {
		send(worker->fd[side], frame, length, 0);
	}
}

static void answer_arp(struct worker *worker, uint8_t *frame)
{
	uint8_t *arp = frame + ETHER, target[4];

	memcpy(worker->gateway, arp + 8, 6);
	if (arp[7] != 1)
		return;
	memcpy(target, arp + 24, 4);
	memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
	memcpy(arp + 8, worker->mac[STAND_IN_DOWN], 6);
	memcpy(arp + 14, target, 4);
	arp[7] = 2;
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, worker->mac[STAND_IN_DOWN], 6);
	transmit(worker, STAND_IN_DOWN, frame, ETHER + 28);
}

/* As a router does it: hop by hop, the header checksum updated by the difference (RFC 1624 equation
 * 3). */
static void pass_router(uint8_t *ip)
{
	if (ip[0] >> 4 == 6) {
		ip[7]--;
		return;
	}
	uint32_t old = (uint32_t)(ip[8] << 8 | ip[9]), check = (uint32_t)(ip[10] << 8 | ip[11]);
	ip[8]--;
	uint32_t sum = (~check & 0xffff) + (~old & 0xffff) + (uint32_t)(ip[8] << 8 | ip[9]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static size_t ip_length(const uint8_t *ip)
{
	return ip[0] >> 4 == 6 ? 40u + (size_t)(ip[4] << 8 | ip[5]) : (size_t)(ip[2] << 8 | ip[3]);
}

static void forward(struct worker *worker, int direction, unsigned session, uint8_t *out,
		    size_t length, size_t ip_at)
{
	struct stand_in *shared = worker->shared;
	const struct stand_in_damage *damage = &shared->damage[direction];
	uint64_t n = ++shared->seen[direction];
	struct held *held = &worker->held[direction][session];

	if (damage->outage_at != 0 && n == damage->outage_at)
		usleep(damage->outage_ms * 1000);
	if (damage->drop && n % damage->drop == 0) {
		shared->dropped[direction]++;
		return;
	}
	if (damage->flip && n % damage->flip == 0) {
		out[ip_at + ip_length(out + ip_at) - 1] ^= 1;
		shared->flipped[direction]++;
	}
	if (damage->swap && n % damage->swap == 0 && held->length == 0) {
		memcpy(held->frame, out, length);
		held->length = length;
		return;
	}
	transmit(worker, !direction, out, length);
	if (damage->duplicate && n % damage->duplicate == 0) {
		transmit(worker, !direction, out, length);
		shared->duplicated[direction]++;
	}
	if (held->length != 0) {
		transmit(worker, !direction, held->frame, held->length);
		held->length = 0;
		shared->swapped[direction]++;
	}
}

static void upstream(struct worker *worker, uint8_t *frame, size_t size)
{
	static const uint8_t pppoe[] = {0x88, 0x64, 0x11, 0};
	uint8_t *ip = frame + ETHER + PPPOE;

	if (size < ETHER + PPPOE + 20 || memcmp(frame + 12, pppoe, 4) != 0 ||
	    memcmp(frame, worker->mac[STAND_IN_UP], 6) != 0 || frame[17] != frame[11])
		return;
	unsigned session = frame[17];
	size_t length = (size_t)(frame[18] << 8 | frame[19]) - 2;
	uint8_t out[BUFFER] = {0};
	memcpy(out, worker->gateway, 6);
	memcpy(out + 6, worker->mac[STAND_IN_DOWN], 6);
	memcpy(out + 12, frame[21] == 0x57 ? "\x86\xdd" : "\x08\x00", 2);
	pass_router(ip);
	memcpy(out + ETHER, ip, length);
	size_t total = length + ETHER < 60 ? 60 : length + ETHER;
	forward(worker, STAND_IN_UP, session, out, total, ETHER);
}

static void downstream(struct worker *worker, uint8_t *frame, size_t size)
{
	uint8_t *ip = frame + ETHER, out[BUFFER] = {0};
	bool six = frame[12] == 0x86;

	if (size < ETHER + 20 || memcmp(frame, worker->mac[STAND_IN_DOWN], 6) != 0 ||
	    frame[13] == 6)
		return;
	unsigned session = six ? ip[24 + 7] + 1u : ip[19];
	size_t length = ip_length(ip);
	memcpy(out, "\x02\0\0\0\0", 5);
	out[5] = (uint8_t)session;
	memcpy(out + 6, worker->mac[STAND_IN_UP], 6);
	memcpy(out + 12, "\x88\x64\x11\0\0", 5);
	out[17] = (uint8_t)session;
	out[18] = (uint8_t)((length + 2) >> 8);
	out[19] = (uint8_t)(length + 2);
	out[21] = six ? 0x57 : 0x21;
	pass_router(ip);
	memcpy(out + ETHER + PPPOE, ip, length);
	forward(worker, STAND_IN_DOWN, session & 255, out, length + ETHER + PPPOE, ETHER + PPPOE);
}

static void work(struct worker *worker)
{
	struct pollfd fds[2] = {{worker->fd[0], POLLIN, 0}, {worker->fd[1], POLLIN, 0}};
	uint8_t frame[BUFFER];

	while (poll(fds, 2, -1) >= 0)
		for (int side = 0; side < 2; side++) {
			size_t size = receive(worker, side, frame);

			if (size == 0)
				continue;
			if (side == STAND_IN_UP)
				upstream(worker, frame, size);
			else if (frame[12] == 8 && frame[13] == 6)
				answer_arp(worker, frame);
			else if ((frame[12] == 8 && frame[13] == 0) || frame[12] == 0x86)
				downstream(worker, frame, size);
		}
}

pid_t stand_in_start(struct stand_in *stand_in)
{
	struct worker *worker = calloc(1, sizeof *worker);

	/* opened here, so that it hears everything from now on */
	worker->shared = stand_in;
	worker->fd[STAND_IN_UP] = open_interface("lac0", worker->mac[STAND_IN_UP]);
	worker->fd[STAND_IN_DOWN] = open_interface("lns0", worker->mac[STAND_IN_DOWN]);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(worker);
		_exit(0);
	}
	close(worker->fd[0]);
	close(worker->fd[1]);
	free(worker);
	return pid;
}
