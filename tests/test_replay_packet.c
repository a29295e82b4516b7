/* SPDX-License-Identifier: BSD-3-Clause */
/* From a captured packet to one of a session: addresses, identification, TTL, checksums. The
 * checksums are verified by a sum over the whole packet (RFC 1071), not by the code under test. */
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, MAX = 2048 };

static const uint8_t session4[4] = {10, 64, 0, 7};
static const uint8_t session6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0x64, 0, 7, [15] = 1};

/* A packet from the client 192.0.2.9 or 2001:db8:c::9 to a server; n bytes after the IP header. */
static size_t build(uint8_t *out, int family, uint8_t protocol, size_t n)
{
	size_t at = family == 4 ? 20 : 40;

	memset(out, 0, at + n);
	for (size_t i = 0; i < n; i++)
		out[at + i] = (uint8_t)(i * 7 + 3);
	if (family == 4) {
		memcpy(out, "\x45\x10", 2);
		out[2] = (uint8_t)((at + n) >> 8), out[3] = (uint8_t)(at + n);
		memcpy(out + 4, "\x12\x34\x40\0\x40", 5); /* DF, TTL 64 */
		out[9] = protocol;
		memcpy(out + 12, "\xc0\0\2\x09\xc6\x33\x64\1", 8);
	} else {
		memcpy(out, "\x60\xa1\x23\x45", 4);
		out[4] = (uint8_t)(n >> 8), out[5] = (uint8_t)n;
		out[6] = protocol, out[7] = 64;
		memcpy(out + 8, "\x20\1\x0d\xb8\0\x0c", 6), out[23] = 9;
		memcpy(out + 24, "\x20\1\x0d\xb8\0\5", 6), out[39] = 1;
	}
	if (protocol == UDP)
		out[at + 4] = (uint8_t)(n >> 8), out[at + 5] = (uint8_t)n;
	if (protocol == TCP)
		out[at + 12] = 0x50, out[at + 13] = 0x10; /* ACK */
	if (protocol == ICMP || protocol == ICMP6)
		out[at] = protocol == ICMP ? 8 : 128;
	return at + n;
}

static unsigned sum16(const uint8_t *bytes, size_t n, unsigned sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* A receiver's verdict on the transport checksum; covered: bytes from transport on. */
static bool transport_is_right(const uint8_t *ip, size_t transport, uint8_t protocol,
			       size_t covered)
{
	bool four = ip[0] >> 4 == 4;
	unsigned pseudo = sum16(ip + (four ? 12 : 8), four ? 8 : 32, (unsigned)covered + protocol);

	return sum16(ip + transport, covered, pseudo) == 0xffff;
}

static void prepare(struct packet *packet, const uint8_t *bytes, size_t captured,
		    enum direction direction)
{
	struct packet_view view;

	assert_int_equal(packet_inspect(bytes, captured, &view), SKIP_NO);
	memset(packet, 0, sizeof *packet);
	assert_int_equal(packet_prepare(packet, &view, bytes, captured, direction), 0);
}

static void make(const struct packet *packet, uint32_t sequence, uint8_t hops, uint8_t *out)
{
	bool four = packet->family == 4;
	struct packet_identity identity = {
	    .address = four ? session4 : session6,
	    .address_sum = (uint16_t)sum16(four ? session4 : session6, four ? 4 : 16, 0),
	    .sequence = sequence,
	    .hops = hops,
	};

	packet_make(packet, &identity, out);
}

/* Only what is meant to change does, in either direction; header and transport checksums are right.
 */
static void ipv4_is_rewritten(void **state)
{
	static const uint8_t protocols[] = {TCP, UDP};
	uint8_t in[MAX], out[MAX];
	struct packet packet;

	for (int i = 0; i < 4; i++) {
		size_t n = build(in, 4, protocols[i % 2], 101), client = i / 2 ? 16 : 12;

		prepare(&packet, in, n, i / 2 ? DOWNSTREAM : UPSTREAM);
		make(&packet, 0x1beef, 0, out);
		assert_memory_equal(out + 4, "\xbe\xef", 2);
		assert_memory_equal(out + client, session4, 4);
		assert_memory_equal(out + (28 - client), in + (28 - client), 4);
		assert_int_equal(out[8], 64);
		assert_int_equal(sum16(out, 20, 0), 0xffff);
		assert_true(transport_is_right(out, 20, protocols[i % 2], 101));
		memcpy(out + 4, in + 4, 2), memcpy(out + 10, in + 10, 2);
		memcpy(out + client, in + client, 4);
		size_t check = protocols[i % 2] == TCP ? 36 : 26;
		memcpy(out + check, in + check, 2);
		assert_memory_equal(out, in, n);
		packet_clear(&packet);
	}
}

static void ipv6_is_rewritten(void **state)
{
	static const uint8_t protocols[] = {TCP, UDP, ICMP6};
	static const size_t checks[] = {56, 46, 42};
	uint8_t in[MAX], out[MAX];
	struct packet packet;

	for (int i = 0; i < 3; i++) {
		size_t n = build(in, 6, protocols[i], 64);

		prepare(&packet, in, n, UPSTREAM);
		make(&packet, 0xabcde, 1, out);
		assert_memory_equal(out, "\x60\xaa\xbc\xde", 4); /* the traffic class stays */
		assert_int_equal(out[7], 63);
		assert_memory_equal(out + 8, session6, 16);
		assert_true(transport_is_right(out, 40, protocols[i], 64));
		memcpy(out, in, 24), memcpy(out + checks[i], in + checks[i], 2);
		assert_memory_equal(out, in, n);
		packet_clear(&packet);
	}
}

/* A router lowers the TTL and updates the checksum (RFC 1624); packet_make() must foresee it, for
 * every value. */
static void one_hop_further(void **state)
{
	uint8_t in[MAX], near[MAX], far[MAX];
	struct packet packet;

	for (unsigned ttl = 2; ttl < 256; ttl++) {
		size_t n = build(in, 4, UDP, 32);

		in[8] = (uint8_t)ttl;
		prepare(&packet, in, n, UPSTREAM);
		for (uint32_t sequence = 0; sequence < 65536; sequence += 257) {
			make(&packet, sequence, 0, near);
			make(&packet, sequence, 1, far);
			near[8]--;
			near[10] = near[11] = 0;
			unsigned check = ~sum16(near, 20, 0) & 0xffff;
			near[10] = (uint8_t)(check >> 8), near[11] = (uint8_t)check;
			assert_memory_equal(near, far, n);
		}
		packet_clear(&packet);
	}
}

/* A capture made before the NIC filled in the checksums, or cut by its snapshot length. */
static void bad_checksums_are_made_good(void **state)
{
	uint8_t in[MAX], out[MAX];
	struct packet packet;
	size_t n = build(in, 4, TCP, 800);

	in[10] = 0xde, in[36] = 0xad;
	for (size_t captured = 34; captured <= n; captured += 766) {
		prepare(&packet, in, captured, DOWNSTREAM);
		make(&packet, 5, 1, out);
		assert_int_equal(packet.length, n);
		assert_int_equal(sum16(out, 20, 0), 0xffff);
		assert_true(transport_is_right(out, 20, TCP, 800));
		packet_clear(&packet);
	}
}

/* RFC 768: zero is "no checksum" and stays; a sum that comes out as zero is sent as all ones. */
static void udp_zero_checksum(void **state)
{
	uint8_t in[MAX], out[MAX];
	struct packet packet;
	size_t n = build(in, 4, UDP, 30);

	in[26] = in[27] = 0;
	prepare(&packet, in, n, UPSTREAM);
	make(&packet, 1, 0, out);
	assert_int_equal(out[26] | out[27], 0);
	packet_clear(&packet);

	unsigned ones = 0;
	for (unsigned word = 0; word < 65536; word++) {
		in[26] = 1; /* there is one */
		in[28] = (uint8_t)(word >> 8), in[29] = (uint8_t)word;
		prepare(&packet, in, n, UPSTREAM);
		make(&packet, 1, 0, out);
		assert_int_not_equal(out[26] << 8 | out[27], 0);
		assert_true(transport_is_right(out, 20, UDP, 30));
		ones += out[26] == 0xff && out[27] == 0xff;
		packet_clear(&packet);
	}
	assert_true(ones > 0); /* the case did occur */
}

/* UDP shorter than its packet: the checksum covers what UDP says (a datagram in a padded packet).
 */
static void udp_shorter_than_ip(void **state)
{
	uint8_t in[MAX], out[MAX];
	struct packet packet;
	size_t n = build(in, 4, UDP, 60);

	in[24] = 0, in[25] = 41;
	prepare(&packet, in, n, UPSTREAM);
	make(&packet, 1, 0, out);
	assert_true(transport_is_right(out, 20, UDP, 41));
	packet_clear(&packet);
}

static void icmp_keeps_its_checksum(void **state)
{
	uint8_t in[MAX], out[MAX];
	struct packet packet;
	size_t n = build(in, 4, ICMP, 40);

	prepare(&packet, in, n, UPSTREAM);
	make(&packet, 1, 0, out);
	assert_memory_equal(out + 20, in + 20, n - 20);
	packet_clear(&packet);
}

/* RFC 8200 section 4: the transport behind hop-by-hop and destination options. */
static void ipv6_extension_headers(void **state)
{
	uint8_t in[MAX], out[MAX], plain[MAX];
	struct packet packet;
	size_t n = build(plain, 6, UDP, 40);

	memcpy(in, plain, 40);
	memset(in + 40, 0, 24);
	in[5] = 64, in[6] = 0;   /* hop-by-hop, 8 bytes */
	in[40] = 60, in[41] = 0; /* then destination options, 16 bytes */
	in[48] = UDP, in[49] = 1;
	memcpy(in + 64, plain + 40, n - 40);
	prepare(&packet, in, n + 24, UPSTREAM);
	make(&packet, 1, 0, out);
	assert_true(transport_is_right(out, 64, UDP, 40));
	packet_clear(&packet);
}

static enum skip inspect_with(int family, uint8_t protocol, size_t at, uint8_t value)
{
	uint8_t in[MAX];
	struct packet_view view;
	size_t n = build(in, family, protocol, 40);

	in[at] = value;
	return packet_inspect(in, n, &view);
}

static void what_is_of_no_use(void **state)
{
	uint8_t in[MAX];
	struct packet_view view;
	size_t n = build(in, 4, TCP, 40);

	assert_int_equal(packet_inspect(in, 0, &view), SKIP_TRUNCATED);
	assert_int_equal(packet_inspect(in, 19, &view), SKIP_TRUNCATED);
	assert_int_equal(packet_inspect(in, 33, &view), SKIP_TRUNCATED); /* before the TCP flags */
	assert_int_equal(packet_inspect(in, n + 6, &view), SKIP_NO);     /* Ethernet padding */
	assert_int_equal(view.length, n);
	assert_int_equal(inspect_with(4, TCP, 0, 0x35), SKIP_NOT_IP);
	assert_int_equal(inspect_with(4, TCP, 0, 0x44), SKIP_MALFORMED); /* header of 16 bytes */
	assert_int_equal(inspect_with(4, TCP, 3, 25), SKIP_MALFORMED);   /* no room for TCP */
	assert_int_equal(inspect_with(4, UDP, 6, 0x20), SKIP_FRAGMENT);  /* more fragments */
	assert_int_equal(inspect_with(4, UDP, 7, 1), SKIP_FRAGMENT);     /* an offset */
	assert_int_equal(inspect_with(4, UDP, 8, 1), SKIP_TTL);
	assert_int_equal(inspect_with(4, UDP, 16, 224), SKIP_MULTICAST);
	assert_int_equal(inspect_with(4, UDP, 16, 255), SKIP_MULTICAST);
	assert_int_equal(inspect_with(4, UDP, 12, 127), SKIP_LINK_LOCAL);
	assert_int_equal(inspect_with(4, UDP, 12, 0), SKIP_LINK_LOCAL); /* DHCP */
	assert_int_equal(inspect_with(6, UDP, 6, 44), SKIP_FRAGMENT);
	assert_int_equal(inspect_with(6, UDP, 6, 43), SKIP_MALFORMED); /* source routing */
	assert_int_equal(inspect_with(6, UDP, 7, 1), SKIP_TTL);
	assert_int_equal(inspect_with(6, UDP, 24, 0xff), SKIP_MULTICAST);
	n = build(in, 6, UDP, 40);
	memcpy(in + 8, "\xfe\x80\0\0", 4);
	assert_int_equal(packet_inspect(in, n, &view), SKIP_LINK_LOCAL);
}

/* Any bytes at all, in a buffer of exactly their size, so that a sanitizer sees a byte too far. */
static void garbage(void **state)
{
	srandom(20661);
	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)random() % 120;
		uint8_t *bytes = malloc(n ? n : 1), *out;
		struct packet_view view;
		struct packet packet = {0};

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)random();
		if (n > 8) {
			bytes[0] = random() % 2 ? 0x45 : 0x60;
			bytes[bytes[0] == 0x45 ? 2 : 4] = 0; /* short enough to be believed */
			if (bytes[0] == 0x60)
				bytes[6] = (uint8_t[]){0, 60, 51, 17, 6, 58}[random() % 6];
			else
				bytes[6] &= 0x40, bytes[7] = 0;
		}
		if (packet_inspect(bytes, n, &view) == SKIP_NO) {
			assert_true(view.transport <= view.length);
			assert_int_equal(packet_prepare(&packet, &view, bytes, n, UPSTREAM), 0);
			out = malloc(packet.length);
			make(&packet, (uint32_t)i, 1, out);
			free(out);
			packet_clear(&packet);
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv4_is_rewritten),
	    cmocka_unit_test(ipv6_is_rewritten),
	    cmocka_unit_test(one_hop_further),
	    cmocka_unit_test(bad_checksums_are_made_good),
	    cmocka_unit_test(udp_zero_checksum),
	    cmocka_unit_test(udp_shorter_than_ip),
	    cmocka_unit_test(icmp_keeps_its_checksum),
	    cmocka_unit_test(ipv6_extension_headers),
	    cmocka_unit_test(what_is_of_no_use),
	    cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
