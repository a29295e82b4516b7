/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_lab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const uint8_t steer_mac[6] = {2, 0, 0, 0, 0, 1}, steer_peer_mac[6] = {2, 0, 0, 0, 0, 2},
	      steer_hop_mac[6] = {2, 0, 0, 0, 0, 3};
const uint8_t steer_group[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const uint8_t steer_us6[16] = {0x20, 1, 0xd, 0xb8, 0, 1, [15] = 1};
const uint8_t steer_local6[16] = {0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 1};
const uint8_t steer_user6[16] = {0x20, 1, 0xd, 0xb8, 0, 0x64, [15] = 7};
const uint8_t steer_peer6[16] = {0xfe, 0x80, [15] = 2};

struct lab lab;

static int xsk;
static struct ring_buffer *ring;
static struct dp_xdp_copy copy;
static unsigned n_copies;
static uint64_t *per_cpu;

static const char *const names[] = {
#define NAME(name, text) #name,
    DP_XDP_COUNTERS(NAME)};

static void leave(const char *what)
{
	printf("skipped: %s: %s\n", what, strerror(errno));
	exit(77);
}

uint64_t lab_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int take_copy(void *context, void *data, size_t size)
{
	(void)context;
	assert_int_equal(size, sizeof(copy));
	memcpy(&copy, data, sizeof(copy));
	n_copies++;
	return 0;
}

void lab_drain(void)
{
	n_copies = 0;
	ring_buffer__consume(ring);
}

static void *map_memory(struct bpf_map *map)
{
	void *at = mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map), 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

/* What the kernel must let us do at all. What fails beyond that is a fault. */
void lab_probe(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 8, 1, NULL);
	if (map < 0)
		leave("no BPF maps, which needs root");
	close(map);
	xsk = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (xsk < 0)
		leave("no AF_XDP sockets, which needs root");
}

static void put_routes(void)
{
	const struct dp_xdp_route4 four = {10, htonl(STEER_USER & 0xffc00000)};
	struct dp_xdp_route6 six = {48, {0}};
	uint64_t start = 1;
	memcpy(six.address, steer_user6, 6);
	assert_int_equal(
	    bpf_map_update_elem(bpf_map__fd(lab.steer->maps.routes4), &four, &start, 0), 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(lab.steer->maps.routes6), &six, &start, 0),
			 0);
}

int lab_start(void **state)
{
	(void)state;
	lab.steer = dp_steer__open();
	assert_non_null(lab.steer);
	bpf_map__set_max_entries(lab.steer->maps.tunnels, LAB_TUNNELS);
	assert_int_equal(dp_steer__load(lab.steer), 0);
	lab.program = bpf_program__fd(lab.steer->progs.warmline_steer);
	lab.port = map_memory(lab.steer->maps.port);
	lab.chassis = map_memory(lab.steer->maps.chassis);
	lab.tunnels = map_memory(lab.steer->maps.tunnels);
	ring = ring_buffer__new(bpf_map__fd(lab.steer->maps.copies), take_copy, NULL, NULL);
	assert_non_null(ring);
	per_cpu = calloc((size_t)libbpf_num_possible_cpus() * DP_XDP_N_COUNTERS, sizeof(*per_cpu));
	assert_non_null(per_cpu);
	put_routes();
	return 0;
}

int lab_stop(void **state)
{
	(void)state;
	free(per_cpu);
	ring_buffer__free(ring);
	dp_steer__destroy(lab.steer);
	close(xsk);
	return 0;
}

void lab_plane(bool socket, bool fresh)
{
	int map = bpf_map__fd(lab.steer->maps.xsks_map);
	uint32_t queue = 0;

	if (socket)
		assert_int_equal(bpf_map_update_elem(map, &queue, &xsk, 0), 0);
	else
		bpf_map_delete_elem(map, &queue);
	lab.socket = socket;
	lab.fresh = fresh;
	lab.port->beat = fresh ? lab_now() : 1;
	lab.port->stale = fresh ? UINT64_C(3600000000000) : 1000000;
}

void lab_word(uint16_t nr, uint16_t ns)
{
	lab.tunnels[LAB_SLOT].word =
	    (union lc_guard_word){.nr = nr, .ns = ns, .id = STEER_LOCAL_ID, .generation = 9};
}

void lab_port(enum dp_xdp_facing facing, uint16_t vlan, bool shared)
{
	*lab.port = (struct dp_xdp_port){
	    .magic = DP_XDP_MAGIC,
	    .version = DP_XDP_VERSION,
	    .facing = (uint8_t)facing,
	    .shared4 = shared,
	    .shared6 = shared,
	    .shared_link = 1,
	    .has_ipv6 = 1,
	    .vlan = htons(vlan),
	    .address = htonl(STEER_US),
	};
	memcpy(lab.port->mac, steer_mac, 6);
	memcpy(lab.port->ipv6, steer_us6, 16);
	memcpy(lab.port->link_local, steer_local6, 16);
	*lab.chassis = (struct dp_xdp_chassis){.magic = DP_XDP_MAGIC,
					       .version = DP_XDP_VERSION,
					       .mirror = 1,
					       .tunnel_mask = LAB_TUNNELS - 1};
	memset(lab.tunnels, 0, LAB_TUNNELS * sizeof(*lab.tunnels));
	lab.tunnels[LAB_SLOT] = (struct lc_guard_entry){
	    .peer_address = htonl(STEER_PEER),
	    .local_address = htonl(STEER_US),
	    .peer_udp_port = htons(1701),
	    .local_udp_port = htons(1701),
	    .peer_id = STEER_PEER_ID,
	};
	memcpy(lab.tunnels[LAB_SLOT].mac, steer_hop_mac, 6);
	lab_word(7, 3);
	lab_forget();
	lab_plane(true, true);
}

void lab_forget(void)
{
	int map = bpf_map__fd(lab.steer->maps.fragments);
	struct dp_xdp_fragment key;
	while (bpf_map_get_next_key(map, NULL, &key) == 0)
		bpf_map_delete_elem(map, &key);
}

bool lab_fragment_key(const uint8_t *ip, size_t octets, struct dp_xdp_fragment *key)
{
	if (octets < 20)
		return false;
	memset(key, 0, sizeof(*key));
	memcpy(&key->source, ip + 12, 4);
	memcpy(&key->destination, ip + 16, 4);
	memcpy(&key->id, ip + 4, 2);
	key->protocol = ip[9];
	return true;
}

void lab_counters(uint64_t counters[DP_XDP_N_COUNTERS])
{
	static uint32_t keys[DP_XDP_N_COUNTERS];
	uint32_t batch, n = DP_XDP_N_COUNTERS;
	size_t cpus = (size_t)libbpf_num_possible_cpus();

	int e = bpf_map_lookup_batch(bpf_map__fd(lab.steer->maps.counters), NULL, &batch, keys,
				     per_cpu, &n, NULL);
	assert_true(e == 0 || errno == ENOENT); /* no more of them */
	assert_int_equal(n, DP_XDP_N_COUNTERS);
	memset(counters, 0, DP_XDP_N_COUNTERS * sizeof(*counters));
	for (size_t i = 0; i < DP_XDP_N_COUNTERS; i++)
		for (size_t cpu = 0; cpu < cpus; cpu++)
			counters[i] += per_cpu[i * cpus + cpu];
}

void lab_assert_counter(enum dp_xdp_counter got, enum dp_xdp_counter expected, const char *file,
			int line)
{
	if (got == expected)
		return;
	print_error("%s, not %s\n", names[got], names[expected]);
	_fail(file, line);
}

/* The one counter that moved. */
static enum dp_xdp_counter which_moved(const uint64_t *before, const uint64_t *after)
{
	enum dp_xdp_counter moved = DP_XDP_N_COUNTERS;
	for (unsigned i = 0; i < DP_XDP_N_COUNTERS; i++) {
		if (after[i] == before[i])
			continue;
		assert_int_equal(after[i], before[i] + 1);
		assert_int_equal(moved, DP_XDP_N_COUNTERS);
		moved = i;
	}
	assert_int_not_equal(moved, DP_XDP_N_COUNTERS);
	return moved;
}

static void check_tunnels(const struct steer_verdict *v, uint64_t started)
{
	struct lc_guard_entry now[LAB_TUNNELS];

	memcpy(now, lab.tunnels, sizeof(now));
	for (unsigned i = 0; i < LAB_TUNNELS; i++) {
		if (v->heard && i == LAB_SLOT)
			assert_in_range(now[i].heard, started, lab_now());
		else
			assert_int_equal(now[i].heard, v->tunnels[i].heard);
		now[i].heard = v->tunnels[i].heard;
	}
	assert_memory_equal(now, v->tunnels, sizeof(now));
}

static void check_copy(const uint8_t *frame, size_t length, const struct steer_verdict *v)
{
	lab_drain();
	assert_int_equal(n_copies, v->counter == DP_XDP_passed_neighbour);
	if (n_copies == 0)
		return;
	assert_int_equal(copy.length, length);
	assert_memory_equal(copy.frame, frame, length < DP_XDP_COPY ? length : DP_XDP_COPY);
}

static void check_fragment(const uint8_t *frame, size_t length, uint64_t started)
{
	size_t network = lc_get16(frame + 12) == 0x8100 ? 18 : 14;
	struct dp_xdp_fragment key;
	uint64_t when = 0;

	assert_true(lab_fragment_key(frame + network, length - network, &key));
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(lab.steer->maps.fragments), &key, &when),
			 0);
	assert_in_range(when, started, lab_now());
}

enum dp_xdp_counter lab_run(const uint8_t *frame, size_t length)
{
	uint64_t before[DP_XDP_N_COUNTERS], after[DP_XDP_N_COUNTERS];
	uint8_t out[STEER_FRAME];
	struct steer_verdict v;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)length,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	steer_model(frame, length, &v);
	lab_counters(before);
	uint64_t started = lab_now();
	assert_int_equal(bpf_prog_test_run_opts(lab.program, &run), 0);
	lab_counters(after);
	enum dp_xdp_counter moved = which_moved(before, after);
	assert_counter(moved, v.counter);
	assert_int_equal(run.retval, v.action);
	assert_int_equal(run.data_size_out, v.length);
	assert_memory_equal(out, v.frame, v.length);
	check_tunnels(&v, started);
	check_copy(frame, length, &v);
	if (v.remembered)
		check_fragment(frame, length, started);
	return moved;
}

void lab_truncate(const struct steer_frame *f)
{
	struct lc_guard_entry entry = lab.tunnels[LAB_SLOT];

	for (size_t n = 14; n <= f->length; n++) {
		lab_run(f->bytes, n);
		lab_forget();
		lab.tunnels[LAB_SLOT] = entry;
	}
}
