/* SPDX-License-Identifier: BSD-3-Clause */
/* An interface, as the kernel describes it to ioctl(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dp_xdp_netdev {
	unsigned index;
	bool is_ethernet, is_up;
	bool is_veth;
	bool
	    strips_vlan; /* takes VLAN tags out of the frames that it receives: an XDP program does not see them */
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t receive_queues;
	uint32_t
	    queues; /* of them, those that net_af_xdp polls: combined channels; 1 where there are none */
};

/* 0, -ENODEV: there is none of that name here, or -errno. */
int dp_xdp_netdev_read(struct dp_xdp_netdev *netdev, const char *name);

/* Has it take tags out, or leave them in. 0 or -errno. */
int dp_xdp_netdev_strip_vlan(const char *name, bool on);
