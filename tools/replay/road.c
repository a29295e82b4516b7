/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet is recognized by session and number and then compared with what it must be: made again
 * from the capture, one hop further. So nothing of what was sent has to be kept, and no byte of it
 * goes unchecked. Bytes after the IP packet's own length are padding and not looked at. */
#include "road.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "complain.h"
#include "wire.h"

enum { RECEIVE_BATCH = 256, ETHER_MIN = 60, PACKET_MAX = 65536 };
#define ASK_EVERY_NS 100000000u
#define ASK_FOR_NS   5000000000u

static struct packet_identity identity_of(const struct road *road, const struct packet *packet,
					  uint32_t session, uint64_t number, uint8_t hops)
{
	const struct session *who = &road->topology->sessions[session];
	bool four = packet->family == 4;

	return (struct packet_identity){
	    .address = four ? who->ipv4 : who->ipv6,
	    .address_sum = four ? who->sum4 : who->sum6,
	    .sequence = (uint32_t)number,
	    .hops = hops,
	};
}

static void check(struct road *road, uint32_t session, enum direction direction, const uint8_t *ip,
		  size_t size, uint64_t now_ns)
{
	size_t length;
	int family = packet_family(ip, size, &length);
	uint64_t number;
	uint32_t index;
	bool known = false;

	if (family == 4)
		known = tracker_find(road->tracker, session, direction, wire_get16(ip + 4), 16,
				     &number, &index);
	else if (family == 6)
		known = tracker_find(road->tracker, session, direction, wire_get32(ip) & 0xfffff,
				     20, &number, &index);
	if (!known) {
		tracker_foreign(road->tracker, direction);
		return;
	}
	const struct packet *packet = &road->capture->packets[index];
	struct packet_identity identity = identity_of(road, packet, session, number, 1);
	packet_make(packet, &identity, road->expected);
	bool intact = packet->family == family && packet->length == length &&
		      memcmp(ip, road->expected, length) == 0;
	tracker_arrived(road->tracker, session, direction, number, intact, now_ns);
	road->last_arrival_ns = now_ns;
}

static void from_lac(void *context, const uint8_t *frame, size_t length, uint16_t vlan,
		     uint64_t now_ns)
{
	struct road *road = context;
	struct frame_view view;
	struct frame_ppp ppp;

	if (!frame_parse(frame, length, vlan, &view) || view.vlan != road->topology->access_vlan ||
	    !frame_parse_ppp(&view, &ppp))
		return;
	int64_t session = topology_by_pppoe(road->topology, ppp.session);
	bool ours =
	    session >= 0 && memcmp(view.destination, road->topology->sessions[session].mac, 6) == 0;
	if (ours && !road->lac_fixed) {
		memcpy(road->lac_mac, view.source, 6);
		road->lac_known = true;
	}
	if (ppp.protocol != WIRE_PPP_IPV4 && ppp.protocol != WIRE_PPP_IPV6)
		return;
	if (ours && memcmp(view.source, road->lac_mac, 6) == 0)
		check(road, (uint32_t)session, DOWNSTREAM, ppp.payload, ppp.length, now_ns);
	else
		tracker_foreign(road->tracker, DOWNSTREAM);
}

static void from_lns(void *context, const uint8_t *frame, size_t length, uint16_t vlan,
		     uint64_t now_ns)
{
	struct road *road = context;
	uint8_t answer[NEIGHBOUR_FRAME];
	struct frame_view view;
	size_t ip_length;

	if (!frame_parse(frame, length, vlan, &view) || view.vlan != road->topology->core_vlan)
		return;
	struct link_frame reply = {answer, neighbour_handle(&road->neighbour, &view, answer)};
	if (reply.length > 0) {
		link_send(road->core, &reply, 1); /* if it is lost, it is asked for again */
		return;
	}
	if (memcmp(view.destination, road->neighbour.mac, 6) != 0 ||
	    (view.type != WIRE_TYPE_IPV4 && view.type != WIRE_TYPE_IPV6))
		return;
	int family = packet_family(view.payload, view.length, &ip_length);
	int64_t session = -1;
	if (family != 0)
		session = topology_by_address(road->topology, family,
					      view.payload + (family == 4 ? 12 : 8));
	if (session >= 0)
		check(road, (uint32_t)session, UPSTREAM, view.payload, view.length, now_ns);
	else if (memcmp(view.source, road->neighbour.lns_mac, 6) == 0)
		tracker_foreign(road->tracker, UPSTREAM);
}

unsigned road_receive(struct road *road)
{
	return link_receive(road->access, RECEIVE_BATCH, from_lac, road) +
	       link_receive(road->core, RECEIVE_BATCH, from_lns, road);
}

static struct timespec as_timespec(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

void road_wait(const struct road *road, uint64_t timeout_ns, uint64_t gather_ns)
{
	struct pollfd fds[] = {{link_fd(road->access), POLLIN, 0},
			       {link_fd(road->core), POLLIN, 0}};
	struct timespec timeout = as_timespec(timeout_ns), gather = as_timespec(gather_ns);

	if (ppoll(fds, 2, &timeout, NULL) > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &gather, NULL);
}

size_t road_frame(const struct road *road, const struct packet *packet, uint32_t session,
		  uint64_t number, uint8_t *out)
{
	const struct session *who = &road->topology->sessions[session];
	struct packet_identity identity = identity_of(road, packet, session, number, 0);
	size_t at;

	if (packet->direction == UPSTREAM)
		at = frame_put_pppoe(out, road->lac_mac, who->mac, road->topology->access_vlan,
				     who->pppoe, packet->family, packet->length);
	else
		at = frame_put_ether(out, road->neighbour.lns_mac, road->neighbour.mac,
				     road->topology->core_vlan,
				     packet->family == 4 ? WIRE_TYPE_IPV4 : WIRE_TYPE_IPV6);
	packet_make(packet, &identity, out + at);
	at += packet->length;
	if (at < ETHER_MIN) /* as a NIC would pad it */
		memset(out + at, 0, ETHER_MIN - at);
	return at < ETHER_MIN ? ETHER_MIN : at;
}

static void ask(struct road *road)
{
	uint8_t out[NEIGHBOUR_FRAME];
	struct link_frame frame = {out, neighbour_ask4(&road->neighbour, out)};

	if (frame.length > 0)
		link_send(road->core, &frame, 1);
	frame.length = neighbour_ask6(&road->neighbour, out);
	if (frame.length > 0)
		link_send(road->core, &frame, 1);
}

/* Asks for the LNS and listens for the LAC until both are known. */
static int find_ends(struct road *road, const volatile int *stop)
{
	uint64_t start = link_clock(), asked = 0, now;

	while ((now = link_clock()) < start + ASK_FOR_NS && !*stop) {
		if (now >= asked + ASK_EVERY_NS) {
			ask(road);
			asked = now;
		}
		road_wait(road, ASK_EVERY_NS / 10, 0);
		road_receive(road);
		if (road->neighbour.resolved && road->lac_known)
			return 0;
	}
	if (*stop) {
		complain("stopped before anything was sent");
		return -EINTR;
	}
	uint32_t lns = road->neighbour.lns4;
	if (!road->neighbour.resolved)
		complain(
		    "the LNS does not answer on %s (ARP for %u.%u.%u.%u, VLAN %u): is it up, and is its "
		    "core port the other end of this interface?",
		    link_name(road->core), lns >> 24, lns >> 16 & 255, lns >> 8 & 255, lns & 255,
		    road->neighbour.vlan);
	else
		complain(
		    "the MAC address of the LAC's access port is not known: %s is no veth and no PPPoE "
		    "frame came from the LAC; give --access-mac",
		    link_name(road->access));
	return -EHOSTUNREACH;
}

static void fill_neighbour(struct road *road)
{
	const struct topology *topology = road->topology;

	road->neighbour = (struct neighbour){
	    .vlan = topology->core_vlan,
	    .gateway4 = topology->gateway4,
	    .lns4 = topology->core4.address,
	};
	memcpy(road->neighbour.mac, link_netdev(road->core)->mac, 6);
	memcpy(road->neighbour.gateway6, topology->gateway6, 16);
	memcpy(road->neighbour.lns6, topology->core6.address, 16);
}

int road_open(struct road *road, const struct options *options, const struct topology *topology,
	      const struct capture *capture, struct tracker *tracker, const volatile int *stop)
{
	*road = (struct road){.topology = topology, .capture = capture, .tracker = tracker};
	road->expected = malloc(PACKET_MAX);
	if (road->expected == NULL)
		return -ENOMEM;
	road->access = link_open(options->access);
	if (road->access == NULL)
		return -ENODEV;
	road->core = link_open(options->core);
	if (road->core == NULL)
		return -ENODEV;
	fill_neighbour(road);
	road->lac_fixed = road->lac_known = options->has_access_mac;
	if (road->lac_fixed)
		memcpy(road->lac_mac, options->access_mac, 6);
	else
		road->lac_known = netdev_peer_mac(link_netdev(road->access)->index, road->lac_mac);
	return find_ends(road, stop);
}

void road_close(struct road *road)
{
	link_close(road->access);
	link_close(road->core);
	free(road->expected);
	memset(road, 0, sizeof *road);
}
