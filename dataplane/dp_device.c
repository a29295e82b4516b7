/* SPDX-License-Identifier: BSD-3-Clause */
/* A device is probed here rather than by EAL's arguments, so that each failure can be told in the
 * user's own terms. */
#include "dp_device.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dp_claim.h"
#include "dp_port.h"

enum {
	ENCAPSULATION = 64, /* octets that a tunnel adds to a packet, at most, rounded up */
	ETHERNET = 18,
	RING_FRAME = 2048, /* net_af_packet: octets of a frame in its ring, unless the device says
			      another number */
	RING_FRAME_HEADER = 80, /* of which this many are the kernel's */
	XDP_HEADROOM = 256,     /* net_af_xdp: octets that the kernel keeps before a frame */
	DEVICE = 512,           /* octets of a device's name and arguments */
};

int dp_device_complain(const struct cfg_port *port, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "warmline-dataplane: port %s: %s '%s': ", port->name,
		port->interface[0] ? "interface" : "device",
		port->interface[0] ? port->interface : port->device);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return DP_EXIT_SETUP;
}

/* The value of key=value in the device's arguments into text. */
static bool device_argument(const char *device, const char *key, char *text, size_t size)
{
	size_t length = strlen(key);
	for (const char *at = strchr(device, ','); at; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, length) == 0 && at[length] == '=') {
			at += length + 1;
			snprintf(text, size, "%.*s", (int)strcspn(at, ","), at);
			return true;
		}
	}
	return false;
}

bool dp_device_is_af_packet(const struct cfg_port *port)
{
	return strncmp(port->device, "net_af_packet", strlen("net_af_packet")) == 0;
}

/* The size of a frame in net_af_packet's ring. */
static uint32_t ring_frame(const struct cfg_port *port)
{
	char text[16];
	if (device_argument(port->device, "framesz", text, sizeof(text)))
		return (uint32_t)strtoul(text, NULL, 10);
	return RTE_ALIGN_CEIL(port->mtu + (uint32_t)(ETHERNET + RING_FRAME_HEADER), RING_FRAME);
}

uint32_t dp_port_room(const struct cfg_port *port)
{
	uint32_t room = port->mtu + (uint32_t)(ETHERNET + ENCAPSULATION);
	if (port->interface[0])
		room += XDP_HEADROOM;
	if (dp_device_is_af_packet(port))
		room = RTE_MAX(room, ring_frame(port));
	return RTE_MAX(room, (uint32_t)RTE_MBUF_DEFAULT_DATAROOM);
}

static bool is_pci(const char *device)
{
	unsigned domain, bus, slot, function;
	return sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4;
}

/* What is the machine's, not the process's own: it must be there, and nobody else's. A device of ours
 * alone (net_null, net_ring) is neither. 0 or DP_EXIT_SETUP. */
static int device_check(const struct cfg_port *port)
{
	char name[128] = "", path[192];
	bool interface = device_argument(port->device, "iface", name, sizeof(name));
	if (port->interface[0])
		snprintf(name, sizeof(name), "%s", port->interface);
	if (dp_device_is_af_packet(port) && interface && if_nametoindex(name) == 0)
		return dp_device_complain(port, "there is no network interface %s", name);
	if (is_pci(port->device)) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(port->device, ","), port->device);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name);
		if (access(path, F_OK) < 0)
			return dp_device_complain(
			    port, "there is no such PCI device (see dpdk-devbind.py --status)");
	}
	int error = name[0] != 0 ? dp_claim(name) : 0;
	if (error == -EADDRINUSE)
		return dp_device_complain(
		    port,
		    "%s is used by a port already, of this chassis or another (ss -xap | grep warmline-port)",
		    name);
	if (error < 0)
		return dp_device_complain(port, "%s cannot be claimed: %s", name, strerror(-error));
	return 0;
}

/* The driver numbers its socket group by process ID and interface, and the kernel refuses a number
 * that another process has on another interface: then another process ID, that is another start,
 * will do. */
static int af_packet_failed(const struct cfg_port *port)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return dp_device_complain(port, "cannot open a packet socket: %s (it takes root)",
					  strerror(errno));
	close(fd);
	dp_device_complain(
	    port,
	    "did not open: wrong arguments, or another process has its socket group; to be started again");
	return DP_EXIT_FAILURE;
}

/* The device, as DPDK is told. An interface's sockets are woken by its interrupts: busy polling wants settings of the
 * interface that are not ours to change. */
static int describe_device(const struct dp *dp, unsigned index, char device[DEVICE])
{
	const struct cfg_port *port = &dp->cfg->ports[index];
	if (port->interface[0])
		return snprintf(
		    device, DEVICE,
		    "net_af_xdp_port%u,iface=%s,start_queue=0,queue_count=%u,busy_budget=0", index,
		    port->interface, dp->xdp.attachments[index].queues);
	int length = snprintf(device, DEVICE, "%s", port->device);
	/* Frames larger than usual need larger frames in the ring; blocks are pages, of two such
	 * frames. */
	uint32_t frame = ring_frame(port);
	char text[16];
	if (dp_device_is_af_packet(port) && frame > RING_FRAME &&
	    !device_argument(port->device, "framesz", text, sizeof(text)))
		length += snprintf(device + length, (size_t)(DEVICE - length),
				   ",framesz=%u,blocksz=%u,framecnt=512", frame, 2 * frame);
	return length;
}

static int device_probe(const struct cfg_port *port, const char *device)
{
	int error = rte_dev_probe(device);
	if (error == 0)
		return 0;
	if (dp_device_is_af_packet(port))
		return af_packet_failed(port);
	if (is_pci(port->device))
		return dp_device_complain(
		    port,
		    "did not open (%s): is it bound to vfio-pci and free? (dpdk-devbind.py --status)",
		    strerror(-error));
	return dp_device_complain(
	    port,
	    "did not open (%s): does its driver take these arguments, and is nobody else using it?",
	    strerror(-error));
}

/* DPDK's number of the device, by name or by the device that it belongs to. */
static int device_find(const char *device, uint16_t *id)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return 0;
	for (*id = 0; *id < RTE_MAX_ETHPORTS; ++*id) {
		struct rte_eth_dev_info info;
		if (rte_eth_dev_is_valid_port(*id) && rte_eth_dev_info_get(*id, &info) == 0 &&
		    info.device && strcmp(rte_dev_name(info.device), name) == 0)
			return 0;
	}
	return -ENODEV;
}

/* DPDK takes net_af_packet for an Ethernet of 1500 octets; what it carries is what its interface
 * does.
 */
int dp_device_set_mtu(const struct cfg_port *c)
{
	struct ifreq interface = {0};
	int error = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return dp_device_complain(c, "no socket: %s", strerror(errno));
	(void)device_argument(c->device, "iface", interface.ifr_name, sizeof(interface.ifr_name));
	if (ioctl(fd, SIOCGIFMTU, &interface) < 0 || interface.ifr_mtu < c->mtu) {
		interface.ifr_mtu = c->mtu;
		error = ioctl(fd, SIOCSIFMTU, &interface) < 0 ? errno : 0;
	}
	close(fd);
	return error == 0 ? 0
			  : dp_device_complain(c, "does not take an MTU of %u: %s", c->mtu,
					       strerror(error));
}

int dp_port_attach(struct dp *dp, unsigned index)
{
	const struct cfg_port *c = &dp->cfg->ports[index];
	if (!c->interface[0])
		return 0;
	int wrong = device_check(c);
	return wrong ? wrong : dp_xdp_attach(dp, index);
}

int dp_device_open(struct dp *dp, unsigned index, uint16_t *id)
{
	const struct cfg_port *c = &dp->cfg->ports[index];
	char device[DEVICE];
	if (!c->interface[0] && device_find(c->device, id) == 0)
		return 0;
	int wrong = c->interface[0] ? 0 : device_check(c);
	if (wrong)
		return wrong;
	if (describe_device(dp, index, device) >= DEVICE)
		return dp_device_complain(c, "its arguments are too long");
	wrong = device_probe(c, device);
	if (wrong)
		return wrong;
	return device_find(device, id) == 0
		   ? 0
		   : dp_device_complain(c, "opened, but is not an Ethernet device");
}
