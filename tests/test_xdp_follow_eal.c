/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program is told while it runs: whose addresses, which prefixes; and what we are told by copies. */
#include "attach_lab.h"

#include <rte_arp.h>
#include <rte_ip.h>

#include "dp_counter.h"
#include "dp_link.h"
#include "dp_nd.h"

enum { CORE, GATEWAY = 0x0a010001, USER = 0x64400000 };

static struct dp_links links;
static const uint8_t own6[16] = {0x20, 1, 0x0d, 0xb8, 0, 2, [15] = 1};
static const uint8_t gateway6[16] = {0xfe, 0x80, [15] = 1};
static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 2, 2};

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void open_tables(void)
{
	assert_int_equal(dp_routes_open(&lab_dp.routes4, 64), 0);
	assert_int_equal(dp_routes_open(&lab_dp.routes6, 64), 0);
	assert_int_equal(dp_hops_open(&lab_dp.hops, &lab_dp.mirror, lab_dp.n_ports), 0);
	assert_int_equal(dp_links_open(&links, &lab_dp), 0);
}

static void close_tables(void)
{
	dp_links_close(&links);
	dp_hops_close(&lab_dp.hops);
	dp_routes_close(&lab_dp.routes4);
	dp_routes_close(&lab_dp.routes6);
}

/* One core port. */
static int setup(void **state)
{
	lab_setup(state);
	lab_ports[CORE] = lab_port(LAB_ETH, CFG_FACING_CORE);
	lab_ports[CORE].ipv6.length = 64;
	memcpy(lab_ports[CORE].ipv6.address, own6, 16);
	assert_int_equal(lab_start(), 0);
	memcpy(lab_dp.ports[CORE].ipv6, own6, 16);
	lab_dp.ports[CORE].ipv6_length = 64;
	open_tables();
	return 0;
}

static int teardown(void **state)
{
	memset(lab_mirror.sessions, 0, 64 * sizeof(*lab_mirror.sessions));
	memset(lab_mirror.session_map, 0, 8);
	memset(lab_mirror.neighbours, 0, LC_MAX_NEIGHBOURS * sizeof(*lab_mirror.neighbours));
	close_tables();
	return lab_teardown(state);
}

static void restart(void)
{
	close_tables();
	lab_kill();
	assert_int_equal(lab_start(), 0);
	open_tables();
}

#define MAC_OF(m) (m)[0], (m)[1], (m)[2], (m)[3], (m)[4], (m)[5]

/* ---- the kernel's addresses ---- */

static void expect_shared(int shared4, int shared6)
{
	struct dp_xdp_port port = lab_read_port(LAB_ETH);

	assert_int_equal(port.shared4, shared4);
	assert_int_equal(port.shared6, shared6);
}

static void look(void)
{
	assert_int_equal(dp_xdp_look(lab_dp.xdp.attachments[0].port), 0);
}

static void test_look(void **state)
{
	expect_shared(0, 0);
	run("ip addr add 10.1.0.253/24 dev " LAB_ETH);
	look();
	expect_shared(0, 0);
	run("ip addr add 10.1.0.254/32 dev " LAB_OTHER " && "
	    "ip addr add 2001:db8:2::1/64 nodad dev " LAB_ETH);
	look();
	expect_shared(1, 1);
	run("ip addr del 10.1.0.254/32 dev " LAB_OTHER);
	look();
	expect_shared(0, 1);
	run("ip addr flush dev " LAB_ETH);
	look();
	expect_shared(0, 0);
}

/* With each turn the beat: as late as the later of those who look after the sockets. */
static void test_turns(void **state)
{
	struct lc_reader *reader = &lab_mirror.header->reader[0];

	lab_dp.now = 5000;
	reader->beat = 4000;
	dp_xdp_run(&lab_dp);
	assert_int_equal(lab_read_port(LAB_ETH).beat, UINT64_C(4000000000));
	lab_dp.now = 5999;
	reader->beat = 7000;
	dp_xdp_run(&lab_dp);
	assert_int_equal(lab_read_port(LAB_ETH).beat, UINT64_C(5999000000));
}

static bool is_shared(void)
{
	return lab_read_port(LAB_ETH).shared4 == 1;
}

static bool is_changed(void)
{
	dp_xdp_run(&lab_dp);
	return lab_dp.failed && lab_dp.stop;
}

/* It looks once a second. */
static void wait_for(bool (*condition)(void))
{
	for (unsigned ms = 0; ms < 10000 && !condition(); ms += 10)
		usleep(10000);
	assert_true(condition());
}

static void test_watch(void **state)
{
	char address[128];

	snprintf(address, sizeof(address),
		 "ip link set dev " LAB_ETH " address %02x:%02x:%02x:%02x:%02x:%02x",
		 MAC_OF(lab_read_port(LAB_ETH).mac));
	assert_int_equal(dp_xdp_watch_start(&lab_dp.xdp), 0);
	run("ip addr add 10.1.0.254/24 dev " LAB_ETH);
	wait_for(is_shared);
	assert_false(is_changed());
	run("ip link set dev " LAB_ETH " address 02:00:00:00:00:77");
	wait_for(is_changed);
	dp_xdp_watch_stop(&lab_dp.xdp);
	assert_false(lab_dp.xdp.watched);
	lab_dp.failed = lab_dp.stop = lab_dp.xdp.changed = false;
	run(address);
	run("ip addr flush dev " LAB_ETH);
}

/* ---- prefixes ---- */

static uint32_t open_session(uint16_t id, uint32_t ipv4, uint8_t length4, uint8_t subnet6,
			     uint8_t length6)
{
	uint32_t slot = lc_session_slot(&lab_mirror, 1, id);
	struct lc_session *s = &lab_mirror.sessions[slot];
	union lc_session_door door = {.tunnel_id = 1, .session_id = id, .role = LC_ROLE_LNS};

	*s = (struct lc_session){.port = UINT16_MAX,
				 .access_port = UINT16_MAX,
				 .ipv4 = ipv4,
				 .ipv4_length = length4,
				 .ipv6 = {0x20, 1, 0x0d, 0xb8, 1, subnet6, [15] = 9},
				 .ipv6_length = length6,
				 .id = id,
				 .tunnel_id = 1};
	lab_mirror.session_map[slot / 64] |= UINT64_C(1) << (slot % 64);
	__atomic_store_n(&s->door.word, door.word, __ATOMIC_RELEASE);
	lc_dirty_set(&lab_mirror.to_routes, slot);
	return slot;
}

static void close_session(uint32_t slot)
{
	lab_mirror.sessions[slot].door.word = 0;
	lab_mirror.session_map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	lc_dirty_set(&lab_mirror.to_routes, slot);
}

static void follow(void)
{
	while (dp_links_run(&links, 64) == 64)
		;
}

/* The start that wrote a prefix; 0: it is not there. */
static uint64_t written4(uint32_t address, uint8_t length)
{
	uint8_t key[8], next[8];
	const struct dp_xdp_route4 wanted = {.length = length, .address = htonl(address)};
	int fd = lab_open(LAB_ETH, "routes4"), error = bpf_map_get_next_key(fd, NULL, key);
	uint64_t value = 0, found = 0;

	for (; error == 0; error = bpf_map_get_next_key(fd, key, next), memcpy(key, next, 8))
		if (memcmp(key, &wanted, sizeof(wanted)) == 0 &&
		    bpf_map_lookup_elem(fd, key, &value) == 0)
			found = value;
	close(fd);
	return found;
}

static bool has6(uint8_t subnet, uint8_t length)
{
	struct dp_xdp_route6 key, next,
	    wanted = {.length = length, .address = {0x20, 1, 0x0d, 0xb8, 1, subnet}};
	int fd = lab_open(LAB_ETH, "routes6"), error = bpf_map_get_next_key(fd, NULL, &key);
	bool found = false;

	if (length == 128)
		wanted.address[15] = 9;
	for (; error == 0; error = bpf_map_get_next_key(fd, &key, &next), key = next)
		found = found || memcmp(&key, &wanted, sizeof(wanted)) == 0;
	close(fd);
	return found;
}

static unsigned count(const char *leaf)
{
	uint8_t key[32], next[32];
	int fd = lab_open(LAB_ETH, leaf), error = bpf_map_get_next_key(fd, NULL, key);
	unsigned n = 0;

	for (; error == 0; error = bpf_map_get_next_key(fd, key, next), memcpy(key, next, 32))
		n++;
	close(fd);
	return n;
}

static void expect_none(void)
{
	assert_int_equal(count("routes4"), 0);
	assert_int_equal(count("routes6"), 0);
}

static void test_routes(void **state)
{
	uint32_t one = open_session(1, USER + 1, 32, 1, 64), two = open_session(2, 0, 0, 2, 128);

	follow();
	assert_int_equal(written4(USER + 1, 32), 1);
	assert_true(has6(1, 64));
	assert_true(has6(2, 128));
	assert_int_equal(count("routes4"), 1);
	assert_int_equal(count("routes6"), 2);
	lab_mirror.sessions[one].ipv4 = USER + 7;
	lc_dirty_set(&lab_mirror.to_routes, one);
	follow();
	assert_int_equal(written4(USER + 1, 32), 0);
	assert_int_equal(written4(USER + 7, 32), 1);
	close_session(one);
	close_session(two);
	follow();
	expect_none();
}

/* Of two sessions with one prefix, either may go first. */
static void test_routes_twice(void **state)
{
	for (int last = 0; last < 2; last++) {
		uint32_t slots[2] = {open_session(1, USER + 1, 32, 1, 64),
				     open_session(2, USER + 1, 32, 1, 64)};
		follow();
		close_session(slots[!last]);
		follow();
		assert_int_equal(written4(USER + 1, 32), 1);
		assert_true(has6(1, 64));
		close_session(slots[last]);
		follow();
		expect_none();
	}
}

/* Prefixes in each other go on their own. Addresses have bits of the host. */
static void test_routes_overlap(void **state)
{
	for (int order = 0; order < 6; order++) {
		static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
		static const uint8_t lengths4[3] = {16, 24, 32}, lengths6[3] = {44, 64, 128};
		uint32_t slots[3];
		for (uint16_t i = 0; i < 3; i++)
			slots[i] =
			    open_session((uint16_t)(i + 1), USER + 1, lengths4[i], 0, lengths6[i]);
		follow();
		assert_int_equal(count("routes4"), 3);
		assert_int_equal(count("routes6"), 3);
		for (int i = 0; i < 3; i++) {
			uint8_t gone = orders[order][i];
			close_session(slots[gone]);
			follow();
			assert_int_equal(
			    written4(lengths4[gone] == 32 ? USER + 1 : USER, lengths4[gone]), 0);
			assert_false(has6(0, lengths6[gone]));
			assert_int_equal(count("routes4"), 2 - i);
			assert_int_equal(count("routes6"), 2 - i);
		}
	}
}

/* A session that gets an IPv6 prefix keeps its IPv4 address at every moment: nothing of it leaks to the kernel. */
static void test_routes_kept(void **state)
{
	uint32_t slot = open_session(1, USER + 1, 32, 1, 0);
	uint64_t before;

	follow();
	assert_int_equal(written4(USER + 1, 32), 1);
	lab_dp.xdp.attachments[CORE].port->starts = 2; /* so that it shows when it is written */
	before = written4(USER + 1, 32);
	lab_mirror.sessions[slot].ipv6_length = 64;
	lc_dirty_set(&lab_mirror.to_routes, slot);
	follow();
	assert_true(has6(1, 64));
	assert_int_equal(written4(USER + 1, 32), before);
	close_session(slot);
	follow();
	expect_none();
}

/* While we were away one session went, one stayed, and one came. */
static void test_sweep(void **state)
{
	uint32_t gone = open_session(1, USER + 1, 32, 1, 64);
	uint32_t stays = open_session(2, USER + 2, 32, 2, 64);

	for (uint16_t id = 3; id < 40; id++)
		open_session(id, USER + id, 32, (uint8_t)id, 64);
	follow();
	assert_int_equal(count("routes4"), 39);
	for (uint16_t id = 4; id < 40; id += 2)
		close_session(lc_session_slot(&lab_mirror, 1, id));
	close_session(gone);
	open_session(50, USER + 50, 32, 50, 64);
	restart();
	assert_int_equal(written4(USER + 1, 32), 0);
	assert_int_equal(written4(USER + 2, 32), 2);
	assert_int_equal(written4(USER + 50, 32), 2);
	assert_int_equal(written4(USER + 3, 32), 2);
	assert_int_equal(written4(USER + 4, 32), 0);
	assert_int_equal(count("routes4"), 39 - 18);
	assert_int_equal(count("routes6"), 39 - 18);
	close_session(stays);
	follow();
	assert_int_equal(written4(USER + 2, 32), 0);
}

/* A peer port has none. */
static void test_no_routes(void **state)
{
	lab_dp.ports[CORE].facing = CFG_FACING_PEER;
	open_session(1, USER + 1, 32, 1, 64);
	follow();
	expect_none();
}

/* ---- copies ---- */

/* What the gateway says, in a copy of size octets at most. */
static struct dp_xdp_copy copy;

static void write_arp(void)
{
	uint8_t *p = copy.frame;
	struct rte_arp_hdr *arp = (void *)(p + lab_dp.ports[CORE].eth_size);

	memset(&copy, 0, sizeof(copy));
	memcpy(p + 6, gateway_mac, 6);
	if (lab_dp.ports[CORE].eth_size == 18)
		p[12] = 0x81;
	memcpy(p + lab_dp.ports[CORE].eth_size - 2, "\x08\x06", 2);
	*arp = (struct rte_arp_hdr){.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
				    .arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
				    .arp_hlen = 6,
				    .arp_plen = 4,
				    .arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY),
				    .arp_data.arp_sip = RTE_BE32(GATEWAY),
				    .arp_data.arp_tip = RTE_BE32(LAB_ADDRESS)};
	memcpy(arp->arp_data.arp_sha.addr_bytes, gateway_mac, 6);
	copy.length = (uint32_t)(lab_dp.ports[CORE].eth_size + sizeof(*arp));
}

static struct dp_nd *write_advertisement(void)
{
	uint8_t *p = copy.frame;
	struct rte_ipv6_hdr *ip = (void *)(p + lab_dp.ports[CORE].eth_size);
	struct dp_nd *nd = (void *)(ip + 1);
	uint64_t mac = 0;

	memset(&copy, 0, sizeof(copy));
	memcpy(&mac, gateway_mac, 6);
	memcpy(p + lab_dp.ports[CORE].eth_size - 2, "\x86\xdd", 2);
	dp_nd_write(ip, nd, DP_ND_ADVERTISEMENT, gateway6, gateway6, mac);
	memcpy(ip->dst_addr, own6, 16);
	nd->flags = RTE_BE32(DP_ND_SOLICITED | DP_ND_OVERRIDE);
	dp_nd_finish(ip, nd);
	copy.length = lab_dp.ports[CORE].eth_size + (uint32_t)DP_ND_PACKET;
	return nd;
}

/* Tells it, as the ring would; does it teach? Then it is forgotten. */
static bool teaches(uint16_t hop)
{
	struct lc_neighbour *n = &lab_mirror.neighbours[hop];
	bool knows;

	n->link.word = 0;
	n->link.state = LC_NEIGHBOUR_INCOMPLETE;
	lab_dp.xdp.attachments[CORE].copied = 0; /* a turn of its own */
	assert_int_equal(dp_xdp_copied(&lab_dp.xdp.attachments[CORE], &copy, sizeof(copy)), 0);
	knows = n->link.state == LC_NEIGHBOUR_REACHABLE;
	if (knows)
		assert_memory_equal(n->link.mac, gateway_mac, 6);
	return knows;
}

/* Who sends many is heard in part, and not at the cost of all else. */
static void test_budget(void **state)
{
	struct dp_xdp_attachment *attachment = &lab_dp.xdp.attachments[CORE];
	unsigned taken = 0;

	attachment->copied = 0;
	while (taken < 1000 && dp_xdp_copied(attachment, &copy, sizeof(copy)) == 0)
		taken++;
	assert_in_range(taken, 1, 100);
	dp_xdp_run(&lab_dp);
	assert_int_equal(dp_xdp_copied(attachment, &copy, sizeof(copy)), 0);
}

static void test_arp(void **state)
{
	for (int vlan = 0; vlan < 2; vlan++) {
		uint16_t hop = dp_hop_want(&lab_dp.hops, CORE, GATEWAY, NULL, lab_dp.now);
		struct rte_arp_hdr *arp;
		uint32_t whole;

		lab_dp.ports[CORE].eth_size = vlan ? 18 : 14;
		arp = (void *)(copy.frame + lab_dp.ports[CORE].eth_size);
		write_arp();
		whole = copy.length;
		assert_true(teaches(hop));
		for (copy.length = 0; copy.length < whole; copy.length++)
			assert_false(teaches(hop));
		copy.length = whole + 18; /* padded */
		assert_true(teaches(hop));
		copy.length = UINT32_MAX;
		assert_true(teaches(hop));
		static const uint8_t fixed[] = {0, 1, 2, 3, 4, 5, 14, 17, 24, 27};
		for (unsigned i = 0; i < sizeof(fixed); i++) {
			write_arp();
			((uint8_t *)arp)[fixed[i]] ^= 1;
			assert_false(teaches(hop));
		}
	}
}

static void test_advertisement(void **state)
{
	uint16_t hop = dp_hop_want(&lab_dp.hops, CORE, 0, gateway6, lab_dp.now);
	struct rte_ipv6_hdr *ip = (void *)(copy.frame + 14);
	struct dp_nd *nd = write_advertisement();
	uint32_t whole = copy.length;

	assert_true(teaches(hop));
	for (copy.length = 0; copy.length < whole; copy.length++)
		assert_false(teaches(hop));
	copy.length = whole + 4;
	assert_true(teaches(hop));
	for (uint32_t i = 14; i < whole;
	     i++) /* any bit of what a checksum covers, and the rest of IPv6's header */
		for (int bit = 0; bit < 8; bit++) {
			if (i >= 14 && i < 18) /* class, flow label: nobody cares */
				continue;
			write_advertisement();
			copy.frame[i] ^= (uint8_t)(1 << bit);
			if (teaches(hop))
				fail_msg("octet %u, bit %d", i, bit);
		}
	write_advertisement();
	ip->hop_limits = 254;
	assert_false(teaches(hop));
	write_advertisement();
	nd->code = 1;
	dp_nd_finish(ip, nd);
	assert_false(teaches(hop));
	write_advertisement();
	nd->type = DP_ND_SOLICITATION;
	dp_nd_finish(ip, nd);
	assert_false(teaches(hop));
	write_advertisement();
	nd->options[1] = 0;
	dp_nd_finish(ip, nd);
	assert_false(teaches(hop));
	write_advertisement();
	nd->options[1] = 2;
	dp_nd_finish(ip, nd);
	assert_false(teaches(hop));
	write_advertisement();
	memset(ip->dst_addr, 0xff, 16); /* solicited, to a group */
	dp_nd_finish(ip, nd);
	assert_false(teaches(hop));
}

/* Who is not asked for is not learned, nor is anything by a port that is not open yet. */
static void test_unasked(void **state)
{
	uint16_t hop;

	write_arp();
	assert_int_equal(dp_xdp_copied(&lab_dp.xdp.attachments[CORE], &copy, sizeof(copy)), 0);
	assert_int_equal(dp_hop_find(&lab_dp.hops, CORE, GATEWAY, NULL), DP_NO_HOP);
	hop = dp_hop_want(&lab_dp.hops, CORE, GATEWAY, NULL, lab_dp.now);
	lab_dp.ports[CORE].open = false;
	assert_false(teaches(hop));
	lab_dp.ports[CORE].open = true;
	assert_int_equal(dp_xdp_copied(&lab_dp.xdp.attachments[CORE], &copy, 8), 0);
	assert_int_equal(lab_mirror.neighbours[hop].link.state, LC_NEIGHBOUR_INCOMPLETE);
	assert_true(teaches(hop));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_look),           TEST(test_turns),       TEST(test_watch),
	    TEST(test_budget),         TEST(test_routes),      TEST(test_routes_twice),
	    TEST(test_routes_overlap), TEST(test_routes_kept), TEST(test_sweep),
	    TEST(test_no_routes),      TEST(test_arp),         TEST(test_advertisement),
	    TEST(test_unasked),
	};

	if (!lab_begin("follow")) {
		puts("no root, or no BPF file system: left out");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
