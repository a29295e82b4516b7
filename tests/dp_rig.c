/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "dp_counter.h"
#include "dp_eal.h"
#include "dp_worker.h"
#include "lc_l2tp.h"

const uint8_t rig_core_us6[16] = {0x20, 1, 0x0d, 0xb8, 0, 2, [15] = 1};
const uint8_t rig_gateway6[16] = {0xfe, 0x80, [15] = 1};
const uint8_t rig_server6[16] = {0x20, 1, 0x0d, 0xb8, 0xff, 0xff, [15] = 8};
const uint8_t rig_user6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x64, 0, 1, [15] = 9};
const uint8_t rig_peer_mac[6] = {2, 0, 0, 0, 1, 1};
const uint8_t rig_gateway_mac[6] = {2, 0, 0, 0, 2, 2};
const uint8_t rig_user_mac[6] = {2, 0, 0, 0, 3, 0};

static unsigned n_rigs; /* numbers devices: EAL knows a name only once */

int rig_start(void **state)
{
	char prefix[64];
	snprintf(prefix, sizeof(prefix), "--file-prefix=rig%d", getpid());
	char *arguments[] = {"rig",
			     "--no-huge",
			     "--no-pci",
			     "--no-shconf",
			     "--no-telemetry",
			     "-m",
			     "128",
			     "--log-level=critical",
			     "--lcores=0@0",
			     "--iova-mode=va",
			     prefix,
			     NULL};
	return rte_eal_init((int)RTE_DIM(arguments) - 1, arguments) < 0 ? -1 : 0;
}

int rig_stop(void **state)
{
	dp_eal_close();
	return 0;
}

/* ---- the rig ---- */

static const char lns_text[] =
    "{'chassis': {'name': 'rig'}, 'limits': {'tunnels': 8, 'sessions': 64},"
    " 'l2tp': {'host_name': 'rig'}, 'dataplane': {'worker_cores': [null], 'mbufs': 4096, 'memory_mb': 128, 'hugepages': false},"
    " 'slots': [{'slot': 0, 'module': 'ge', 'ports': ["
    "  {'name': 'core', 'device': '%s', 'facing': 'core', 'address': '10.2.0.1/24', 'gateway': '10.2.0.254',"
    "   'address6': '2001:db8:2::1/64', 'gateway6': 'fe80::1'%s}]},"
    "  {'slot': 1, 'module': 'ge', 'ports': ["
    "  {'name': 'peer', 'device': '%s', 'facing': 'peer', 'address': '10.1.0.2/24', 'mtu': %u%s}]}]}";
static const char lac_text[] =
    "{'chassis': {'name': 'rig'}, 'limits': {'tunnels': 8, 'sessions': 64},"
    " 'l2tp': {'host_name': 'rig'}, 'dataplane': {'worker_cores': [null], 'mbufs': 4096, 'memory_mb': 128, 'hugepages': false},"
    " 'slots': [{'slot': 0, 'module': 'ge', 'ports': [{'name': 'access', 'device': '%s', 'facing': 'access'%s}]},"
    "  {'slot': 1, 'module': 'ge', 'ports': ["
    "  {'name': 'peer', 'device': '%s', 'facing': 'peer', 'address': '10.1.0.2/24', 'mtu': %u%s}]}]}";

static struct cfg *configure(const struct rig_options *options, char device[2][48])
{
	char text[2048], vlan[32] = "";
	if (options->vlan)
		snprintf(vlan, sizeof(vlan), ", 'vlan': %u", options->vlan);
	int length =
	    snprintf(text, sizeof(text), options->role == LC_ROLE_LNS ? lns_text : lac_text,
		     device[0], vlan, device[1], options->mtu ? options->mtu : 1500U, vlan);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	struct cfg_errors errors;
	struct cfg *cfg = cfg_parse(text, (size_t)length, "rig", &errors);
	cfg_errors_print(&errors, "rig", stderr);
	cfg_errors_free(&errors);
	assert_non_null(cfg);
	return cfg;
}

static void open_mirror(struct rig *rig)
{
	char path[64], why[256] = "";
	bool cold;
	struct lc_geometry geometry = lc_geometry_for(8, 64, 64, 64);
	snprintf(path, sizeof(path), "/dev/shm/warmline-rig-%d", getpid());
	unlink(path);
	if (lc_mirror_open(&rig->mirror, path, &geometry, &cold, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	unlink(path);
}

void rig_open(struct rig *rig, const struct rig_options *options)
{
	char device[2][48], name[32];
	memset(rig, 0, sizeof(*rig));
	n_rigs++;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "rx%u_%u", n_rigs, i);
		rig->rx[i] = rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "tx%u_%u", n_rigs, i);
		rig->tx[i] = rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "rig%u_%u", n_rigs, i);
		assert_true(rte_eth_from_rings(name, &rig->rx[i], 1, &rig->tx[i], 1, 0) >= 0);
		snprintf(device[i], sizeof(device[i]), "net_ring_rig%u_%u", n_rigs, i);
	}
	rig->cfg = configure(options, device);
	open_mirror(rig);
	assert_int_equal(dp_open(&rig->dp, rig->cfg, &rig->mirror), 0);
	assert_int_equal(dp_links_open(&rig->links, &rig->dp), 0);
	rig->now = rig->dp.now;
	dp_link_hop(&rig->dp, &rig->dp.ports[RIG_PEER], RIG_PEER_THEM, true);
	dp_hop_learn(&rig->dp.hops, RIG_PEER, RIG_PEER_THEM, NULL, rig_peer_mac, rig->now);
	dp_hop_learn(&rig->dp.hops, RIG_CORE, RIG_GATEWAY, NULL, rig_gateway_mac, rig->now);
	dp_hop_learn(&rig->dp.hops, RIG_CORE, 0, rig_gateway6, rig_gateway_mac, rig->now);
	lc_reader_online(&rig->dp.mirror, 0);
}

static void drain(struct rte_ring *ring)
{
	void *m;
	while (rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
}

void rig_close(struct rig *rig)
{
	for (unsigned i = 0; i < 2; i++) {
		drain(rig->rx[i]);
		drain(rig->tx[i]);
	}
	drain(rig->dp.control);
	drain(rig->dp.hold);
	for (unsigned i = 0; i < 2; i++)
		rte_eth_dev_stop(rig->dp.ports[i].id);
	struct dp_worker *worker = &rig->dp.workers[0];
	worker->now = rig->now + 3600000;
	for (unsigned i = 0; i < 64; i++) /* some hundred fragments each */
		dp_fragments_expire(worker);
	assert_int_equal(rte_mempool_in_use_count(rig->dp.pool), 0);
	dp_links_close(&rig->links);
	dp_close(&rig->dp);
	for (unsigned i = 0; i < 2; i++) {
		rte_ring_free(rig->rx[i]);
		rte_ring_free(rig->tx[i]);
	}
	lc_mirror_close(&rig->mirror);
	cfg_free(rig->cfg);
}

void rig_take_over(struct rig *rig)
{
	dp_links_close(&rig->links);
	dp_routes_close(&rig->dp.routes4);
	dp_routes_close(&rig->dp.routes6);
	assert_int_equal(dp_routes_open(&rig->dp.routes4, 64), 0);
	assert_int_equal(dp_routes_open(&rig->dp.routes6, 64), 0);
	assert_int_equal(dp_links_open(&rig->links, &rig->dp), 0);
}

void rig_session_changed(struct rig *rig, uint32_t slot)
{
	lc_dirty_set(&rig->mirror.to_routes, slot);
	assert_int_equal(dp_links_run(&rig->links, 16), 1);
}

uint32_t rig_session(struct rig *rig, uint16_t id, uint8_t flags)
{
	struct lc_mirror *m = &rig->mirror;
	bool lns = rig->cfg->ports[0].facing == CFG_FACING_CORE;
	uint32_t slot = lc_session_slot(m, 1, id);
	struct lc_session *s = &m->sessions[slot];
	assert_int_equal(s->door.word, 0);
	memset(&m->sessions_in[slot], 0, sizeof(m->sessions_in[slot]));
	memset(&m->sessions_out[slot], 0, sizeof(m->sessions_out[slot]));
	*s = (struct lc_session){.peer_address = RIG_PEER_THEM,
				 .local_address = RIG_PEER_US,
				 .peer_tunnel_id = 7,
				 .peer_session_id = (uint16_t)(id + 1000),
				 .peer_udp_port = LC_L2TP_UDP_PORT,
				 .local_udp_port = LC_L2TP_UDP_PORT,
				 .port = RIG_PEER,
				 .access_port = lns ? UINT16_MAX : RIG_ACCESS,
				 .pppoe_session = lns ? 0 : id,
				 .mtu = 1500,
				 .magic = 0x11223344,
				 .reset_after = 5,
				 .id = id,
				 .tunnel_id = 1};
	memcpy(s->mac, rig_user_mac, 6);
	if (lns) {
		s->ipv4 = RIG_USER + id - 1;
		s->ipv4_length = 32;
		s->ipv6_length = 64;
		memcpy(s->ipv6, rig_user6, 16);
		s->ipv6[7] = (uint8_t)id;
	}
	m->session_map[slot / 64] |= UINT64_C(1) << (slot % 64);
	union lc_session_door door = {.tunnel_id = 1,
				      .session_id = id,
				      .role = lns ? LC_ROLE_LNS : LC_ROLE_LAC,
				      .flags = flags};
	__atomic_store_n(&s->door.word, door.word, __ATOMIC_RELEASE);
	rig_session_changed(rig, slot);
	return slot;
}

void rig_session_close(struct rig *rig, uint32_t slot)
{
	rig->mirror.sessions[slot].door.word = 0;
	rig->mirror.session_map[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	lc_dirty_set(&rig->mirror.to_routes, slot);
	dp_links_run(&rig->links, 16);
}

void rig_put(struct rig *rig, unsigned port, const uint8_t *frame, size_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig->dp.pool);
	assert_non_null(m);
	char *data = rte_pktmbuf_append(m, (uint16_t)length);
	assert_non_null(data);
	memcpy(data, frame, length);
	assert_int_equal(rte_ring_enqueue(rig->rx[port], m), 0);
}

void rig_run(struct rig *rig)
{
	rig->dp.now = rig->now;
	while (dp_worker_turn(&rig->dp.workers[0]) != 0)
		;
}

void rig_send(struct rig *rig, unsigned port, const uint8_t *frame, size_t length)
{
	rig_put(rig, port, frame, length);
	rig_run(rig);
}

int rig_receive(struct rig *rig, unsigned port, uint8_t frame[RIG_FRAME])
{
	void *obj;
	if (rte_ring_dequeue(rig->tx[port], &obj) != 0)
		return -1;
	struct rte_mbuf *m = obj;
	int length = (int)m->pkt_len;
	assert_int_equal(m->nb_segs, 1);
	assert_true(length <= RIG_FRAME);
	memcpy(frame, rte_pktmbuf_mtod(m, void *), (size_t)length);
	rte_pktmbuf_free(m);
	return length;
}

uint64_t rig_counter(const struct rig *rig, const char *name)
{
	const struct dp_counter *counter = dp_counter_find(name);
	uint64_t sum = 0;
	if (!counter)
		fail_msg("no counter %s", name);
	for (unsigned i = 0; i <= LC_MAX_WORKERS; i++)
		sum += rig->mirror.counters[i][counter->id];
	return sum;
}

void rig_expect_drop(struct rig *rig, unsigned port, const uint8_t *frame, size_t length,
		     const char *drop)
{
	uint8_t out[RIG_FRAME];
	uint64_t before = rig_counter(rig, drop);
	rig_send(rig, port, frame, length);
	if (rig_counter(rig, drop) != before + 1)
		fail_msg("a frame of %zu octets was not counted as %s", length, drop);
	for (unsigned i = 0; i < 2; i++)
		if (rig_receive(rig, i, out) >= 0)
			fail_msg("a frame of %zu octets left by port %u, but is %s", length, i,
				 drop);
}

/* ---- frames ---- */

void rig_append(struct rig_frame *frame, const void *bytes, size_t length)
{
	assert_true(frame->length + length <= RIG_FRAME);
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void append16(struct rig_frame *frame, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
	rig_append(frame, bytes, 2);
}

void rig_ethernet(const struct rig *rig, unsigned port, struct rig_frame *frame,
		  const uint8_t mac[6], uint16_t type)
{
	frame->length = 0;
	rig_append(frame, &rig->dp.ports[port].mac, 6);
	rig_append(frame, mac, 6);
	if (rig->cfg->ports[port].vlan) {
		append16(frame, 0x8100);
		append16(
		    frame,
		    (uint16_t)(0xa000 |
			       rig->cfg->ports[port].vlan)); /* priority bits are not the ID's */
	}
	append16(frame, type);
}

uint16_t rig_sum(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	uint32_t sum = 0;
	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void rig_ip4(struct rig_frame *frame, uint32_t source, uint32_t destination, uint8_t protocol,
	     uint8_t ttl, uint16_t fragment_field, const void *payload, size_t length)
{
	uint8_t header[20] = {0x45, [4] = 0x12, 0x34, [8] = ttl, protocol};
	lc_put16(header + 2, (uint16_t)(20 + length));
	lc_put16(header + 6, fragment_field);
	lc_put32(header + 12, source);
	lc_put32(header + 16, destination);
	lc_put16(header + 10, (uint16_t)~rig_sum(header, 20));
	rig_append(frame, header, 20);
	rig_append(frame, payload, length);
}

void rig_ip6(struct rig_frame *frame, const uint8_t source[16], const uint8_t destination[16],
	     uint8_t protocol, uint8_t hop_limit, const void *payload, size_t length)
{
	uint8_t header[40] = {0x60, [6] = protocol, hop_limit};
	lc_put16(header + 4, (uint16_t)length);
	memcpy(header + 8, source, 16);
	memcpy(header + 24, destination, 16);
	rig_append(frame, header, 40);
	rig_append(frame, payload, length);
}

void rig_udp(const struct rig *rig, struct rig_frame *frame, uint32_t source, const void *payload,
	     size_t length)
{
	uint8_t udp[RIG_FRAME] = {0};
	lc_put16(udp, LC_L2TP_UDP_PORT);
	lc_put16(udp + 2, LC_L2TP_UDP_PORT);
	lc_put16(udp + 4, (uint16_t)(8 + length));
	memcpy(udp + 8, payload, length);
	rig_ethernet(rig, RIG_PEER, frame, rig_peer_mac, 0x0800);
	rig_ip4(frame, source, RIG_PEER_US, 17, 64, 0, udp, 8 + length);
}

size_t rig_l2tp(uint8_t *out, const struct rig_l2tp *header, const void *ppp, size_t length)
{
	uint8_t *p = out, *length_field = NULL;
	lc_put16(p, header->bits);
	p += 2;
	if (header->bits & LC_L2TP_LENGTH) {
		length_field = p;
		p += 2;
	}
	lc_put16(p, header->tunnel);
	lc_put16(p + 2, header->session);
	p += 4;
	if (header->bits & LC_L2TP_SEQUENCE) {
		lc_put16(p, header->ns);
		lc_put16(p + 2, 0xabcd); /* Nr of data is to be ignored (3.1) */
		p += 4;
	}
	if (header->bits & LC_L2TP_OFFSET) {
		lc_put16(p, header->offset);
		p += 2;
		memset(p, 0xee, header->offset);
		p += header->offset;
	}
	memcpy(p, ppp, length);
	p += length;
	if (length_field)
		lc_put16(length_field, (uint16_t)(p - out));
	return (size_t)(p - out);
}

size_t rig_ppp(uint8_t *ppp, uint16_t id)
{
	struct rig_frame packet = {.length = 0};
	static const uint8_t head[] = {0xff, 0x03, 0x00, 0x21};
	rig_append(&packet, head, sizeof(head));
	rig_ip4(&packet, RIG_USER + id - 1, RIG_SERVER, 17, 64, 0, "\0\1\0\2\0\x0c\0\0data", 12);
	memcpy(ppp, packet.bytes, packet.length);
	return packet.length;
}

void rig_data(const struct rig *rig, struct rig_frame *frame, const struct rig_l2tp *header)
{
	uint8_t ppp[256], message[2048];
	size_t length = rig_ppp(ppp, header->session);
	length = rig_l2tp(message, header, ppp, length);
	rig_udp(rig, frame, RIG_PEER_THEM, message, length);
}
