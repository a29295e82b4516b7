/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture files of every link type, written here; files that are none; conversations and their
 * clients. */
#include "capture.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SYN = 0x02, SYN_ACK = 0x12, ACK = 0x10 };

static char path[64];
static pcap_t *dead;
static pcap_dumper_t *dumper;
static unsigned milliseconds;

static int setup(void **state)
{
	strcpy(path, "/tmp/test_replay_capture.XXXXXX");
	int fd = mkstemp(path);

	milliseconds = 0;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	return unlink(path);
}

static void begin(int link_type)
{
	dead = pcap_open_dead(link_type, 65535);
	dumper = pcap_dump_open(dead, path);
	assert_non_null(dumper);
}

static void end(void)
{
	pcap_dump_close(dumper);
	pcap_close(dead);
}

static void add(const void *link, size_t link_size, const uint8_t *ip, size_t size)
{
	uint8_t frame[2048];
	struct pcap_pkthdr header = {.ts = {1700000000, 1000 * milliseconds}};

	milliseconds += 10;
	header.caplen = header.len = (uint32_t)(link_size + size);
	memcpy(frame, link, link_size);
	memcpy(frame + link_size, ip, size);
	pcap_dump((uint8_t *)dumper, &header, frame);
}

/* 40 bytes of TCP from 192.0.2.a to 198.51.100.b. */
static const uint8_t *tcp(uint8_t a, uint16_t from, uint8_t b, uint16_t to, uint8_t flags)
{
	static uint8_t ip[40];

	memcpy(ip, "\x45\0\0\x28\0\0\x40\0\x40\x06\0\0\xc0\0\2", 15);
	ip[15] = a;
	memcpy(ip + 16, "\xc6\x33\x64", 3);
	ip[19] = b;
	ip[20] = (uint8_t)(from >> 8), ip[21] = (uint8_t)from;
	ip[22] = (uint8_t)(to >> 8), ip[23] = (uint8_t)to;
	ip[32] = 0x50, ip[33] = flags;
	return ip;
}

static const uint8_t *turned(const uint8_t *ip, uint8_t flags)
{
	static uint8_t back[40];

	memcpy(back, ip, 40);
	memcpy(back + 12, ip + 16, 4), memcpy(back + 16, ip + 12, 4);
	memcpy(back + 20, ip + 22, 2), memcpy(back + 22, ip + 20, 2);
	back[33] = flags;
	return back;
}

static const uint8_t *udp6(void)
{
	static uint8_t ip[48];

	memcpy(ip, "\x60\0\0\0\0\x08\x11\x40\x20\1\x0d\xb8\0\x0c", 14);
	memcpy(ip + 24, "\x20\1\x0d\xb8\0\5", 6), ip[39] = 1;
	memcpy(ip + 40, "\x80\0\0\x35\0\x08\x12\x34", 8);
	return ip;
}

#define ETHER "\2\0\0\0\0\1\2\0\0\0\0\2"

/* One frame of each link header gives its IP packet back. */
static void every_link_type(void **state)
{
	static const struct {
		int type;
		const char *header;
		size_t size;
		bool six;
	} links[] = {
	    {DLT_EN10MB, ETHER "\x08\0", 14, false},
	    {DLT_EN10MB, ETHER "\x86\xdd", 14, true},
	    {DLT_EN10MB, ETHER "\x81\0\0\x64\x08\0", 18, false},
	    {DLT_EN10MB, ETHER "\x88\xa8\0\x64\x81\0\0\x65\x86\xdd", 22, true},
	    {DLT_EN10MB, ETHER "\x88\x64\x11\0\0\1\0\x2a\0\x21", 22, false}, /* PPPoE */
	    {DLT_EN10MB, ETHER "\x88\x64\x11\0\0\1\0\x32\0\x57", 22, true},
	    {DLT_LINUX_SLL, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16, false},
	    {DLT_LINUX_SLL, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x86\xdd", 16, true},
	    {DLT_LINUX_SLL2, "\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0", 20, false},
	    {DLT_LINUX_SLL2, "\x81\0\0\0\0\0\0\1\0\1\4\6\2\0\0\0\0\1\0\0\0\7\x86\xdd", 24, true},
	    {DLT_RAW, "", 0, false},
	    {DLT_RAW, "", 0, true},
	    {DLT_IPV4, "", 0, false},
	    {DLT_IPV6, "", 0, true},
	};

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		struct capture capture;

		begin(links[i].type);
		add(links[i].header, links[i].size,
		    links[i].six ? udp6() : tcp(1, 40000, 1, 80, SYN), links[i].six ? 48 : 40);
		end();
		assert_int_equal(capture_read(&capture, path), 0);
		assert_int_equal(capture.n_packets, 1);
		assert_int_equal(capture.packets[0].family, links[i].six ? 6 : 4);
		assert_int_equal(capture.packets[0].length, links[i].six ? 48 : 40);
		assert_int_equal(capture.packets[0].direction, UPSTREAM);
		capture_clear(&capture);
	}
}

/* Every prefix of every kind of frame: counted, never read beyond. */
static void short_frames(void **state)
{
	static const char tagged[] = ETHER "\x81\0\0\x64\x88\x64\x11\0\0\1\0\x2a\0\x21";
	static const int types[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW};
	struct capture capture;

	for (size_t i = 0; i < 4; i++) {
		begin(types[i]);
		for (size_t n = 0; n < 26; n++)
			add(tagged, n, (const uint8_t *)"", 0);
		end();
		assert_int_equal(capture_read(&capture, path), 0);
		assert_int_equal(capture.n_frames, 26);
		assert_int_equal(capture.n_packets, 0);
		capture_clear(&capture);
	}
}

static void what_is_skipped_is_counted(void **state)
{
	struct capture capture;
	uint8_t cut[40];

	begin(DLT_EN10MB);
	add("\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\0", 14, tcp(1, 1, 2, 2, 0), 40);
	add(ETHER "\x08\6", 14, tcp(1, 1, 2, 2, 0), 28); /* ARP */
	memcpy(cut, tcp(1, 1, 2, 2, 0), 40);
	cut[6] = 0x20;
	add(ETHER "\x08\0", 14, cut, 40);
	add(ETHER "\x08\0", 14, tcp(1, 1, 2, 2, 0), 22);
	add(ETHER "\x08\0", 14, tcp(1, 1, 2, 2, 0), 40);
	end();
	assert_int_equal(capture_read(&capture, path), 0);
	assert_int_equal(capture.n_frames, 5);
	assert_int_equal(capture.n_packets, 1);
	assert_int_equal(capture.skipped[SKIP_MULTICAST], 1);
	assert_int_equal(capture.skipped[SKIP_NOT_IP], 1);
	assert_int_equal(capture.skipped[SKIP_FRAGMENT], 1);
	assert_int_equal(capture.skipped[SKIP_TRUNCATED], 1);
	capture_clear(&capture);
}

static void expect_directions(const char *directions)
{
	struct capture capture;

	end();
	assert_int_equal(capture_read(&capture, path), 0);
	assert_int_equal(capture.n_packets, strlen(directions));
	for (size_t i = 0; i < capture.n_packets; i++)
		assert_int_equal(capture.packets[i].direction,
				 directions[i] == 'u' ? UPSTREAM : DOWNSTREAM);
	capture_clear(&capture);
}

/* The client is who sent the first SYN, else who speaks to a well-known port, else who spoke first.
 */
static void who_is_the_client(void **state)
{
	const uint8_t *ip;

	begin(DLT_RAW);
	ip = tcp(1, 40000, 1, 50000, ACK); /* joined in the middle: the first to speak */
	add("", 0, ip, 40), add("", 0, turned(ip, ACK), 40), add("", 0, ip, 40);
	expect_directions("udu");

	begin(DLT_RAW);
	ip = tcp(1, 443, 1, 50000, ACK); /* the server happens to speak first */
	add("", 0, ip, 40), add("", 0, turned(ip, ACK), 40);
	expect_directions("du");

	begin(DLT_RAW);
	ip = tcp(1, 80, 1, 50000, SYN); /* ports say one thing, the SYN another */
	add("", 0, turned(ip, ACK), 40), add("", 0, ip, 40);
	expect_directions("du");

	begin(DLT_RAW);
	ip = tcp(1, 40000, 1, 50000, SYN_ACK); /* the SYN itself was missed */
	add("", 0, ip, 40), add("", 0, turned(ip, ACK), 40);
	expect_directions("du");

	begin(DLT_RAW);
	ip = tcp(1, 40000, 1, 50000, SYN); /* both: the first SYN counts */
	add("", 0, ip, 40), add("", 0, turned(ip, SYN), 40);
	expect_directions("ud");
}

static enum skip keep_odd(const struct packet *packet, const struct flow *flow, void *context)
{
	assert_true(flow->family == packet->family);
	return packet->conversation % 2 ? SKIP_NO : SKIP_TOO_BIG;
}

static void filtered_and_numbered_anew(void **state)
{
	struct capture capture;

	begin(DLT_RAW);
	for (uint8_t i = 0; i < 10; i++)
		add("", 0, tcp(i, 40000, 1, 80, SYN), 40);
	for (uint8_t i = 0; i < 10; i++)
		add("", 0, turned(tcp(i, 40000, 1, 80, 0), SYN_ACK), 40);
	end();
	assert_int_equal(capture_read(&capture, path), 0);
	assert_int_equal(capture.flows.n_flows, 10);
	assert_int_equal(capture_filter(&capture, keep_odd, NULL), 0);
	assert_int_equal(capture.n_packets, 10);
	assert_int_equal(capture.n_conversations, 5);
	assert_int_equal(capture.skipped[SKIP_TOO_BIG], 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(capture.packets[i].conversation, i % 5);
		assert_int_equal(capture.packets[i].direction, i < 5 ? UPSTREAM : DOWNSTREAM);
	}
	assert_int_equal(capture.packets[0].time_ns,
			 0); /* the first that is left begins the time */
	assert_int_equal(capture.packets[1].time_ns, 20000000);
	assert_int_equal(capture.span_ns, 180000000);
	capture_clear(&capture);
}

/* A thousand conversations: the table grows. */
static void many_conversations(void **state)
{
	struct capture capture;

	begin(DLT_RAW);
	for (uint16_t i = 0; i < 2000; i++)
		add("", 0, tcp((uint8_t)i, (uint16_t)(1024 + i % 1000), 1, 80, SYN), 40);
	end();
	assert_int_equal(capture_read(&capture, path), 0);
	size_t distinct = 0;
	bool seen[256][1000] = {{false}};
	for (uint16_t i = 0; i < 2000; i++) {
		distinct += !seen[(uint8_t)i][i % 1000];
		seen[(uint8_t)i][i % 1000] = true;
	}
	/* 192.0.2.255 and .0 are addresses like any other here */
	assert_int_equal(capture.flows.n_flows, distinct);
	capture_clear(&capture);
}

static void write_file(const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static size_t put32(uint8_t *out, size_t at, uint32_t value)
{
	memcpy(out + at, &value, 4);
	return at + 4;
}

/* pcapng: section header, interface description, one enhanced packet block. */
static void pcapng(void **state)
{
	uint8_t file[256] = {0};
	struct capture capture;
	size_t at = 0;

	for (size_t i = 0; i < 7; i++)
		at = put32(
		    file, at,
		    (uint32_t[]){0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28}[i]);
	for (size_t i = 0; i < 5; i++)
		at = put32(file, at, (uint32_t[]){1, 20, 101 /* raw IP */, 0, 20}[i]);
	for (size_t i = 0; i < 7; i++)
		at = put32(file, at, (uint32_t[]){6, 72, 0, 0, 1000, 40, 40}[i]);
	memcpy(file + at, tcp(1, 40000, 1, 80, SYN), 40);
	at = put32(file, at + 40, 72);
	write_file(file, at);
	assert_int_equal(capture_read(&capture, path), 0);
	assert_int_equal(capture.n_packets, 1);
	capture_clear(&capture);
}

static void cut_off_in_a_packet(void **state)
{
	struct capture capture;

	begin(DLT_RAW);
	for (int i = 0; i < 3; i++)
		add("", 0, tcp(1, 40000, 1, 80, SYN), 40);
	end();
	assert_int_equal(truncate(path, 24 + 2 * 56 + 30), 0);
	assert_int_equal(capture_read(&capture, path), 0); /* with a warning */
	assert_int_equal(capture.n_packets, 2);
	capture_clear(&capture);
	assert_int_equal(truncate(path, 24 + 30), 0);
	assert_int_not_equal(capture_read(&capture, path), 0);
	capture_clear(&capture);
}

static void no_captures(void **state)
{
	struct capture capture;
	uint8_t noise[512];

	assert_int_equal(capture_read(&capture, "/nonexistent"), -2 /* -ENOENT */);
	capture_clear(&capture);
	write_file("", 0);
	assert_int_not_equal(capture_read(&capture, path), 0);
	capture_clear(&capture);
	write_file("#!/bin/sh\n", 10);
	assert_int_not_equal(capture_read(&capture, path), 0);
	capture_clear(&capture);
	assert_int_not_equal(capture_read(&capture, "/tmp"), 0); /* a directory */
	capture_clear(&capture);
	begin(DLT_IEEE802_11);
	end();
	assert_int_not_equal(capture_read(&capture, path), 0);
	capture_clear(&capture);

	srandom(2516);
	for (int i = 0; i < 2000; i++) { /* a good header, then noise */
		for (size_t j = 0; j < sizeof noise; j++)
			noise[j] = (uint8_t)random();
		memcpy(noise, "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0", 23);
		memset(noise + 33, 0, 3),
		    memset(noise + 37, 0, 3); /* a length that may be believed */
		noise[23] = 0;
		write_file(noise, sizeof noise);
		capture_read(&capture, path);
		capture_clear(&capture);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_link_type),
	    TEST(short_frames),
	    TEST(what_is_skipped_is_counted),
	    TEST(who_is_the_client),
	    TEST(filtered_and_numbered_anew),
	    TEST(many_conversations),
	    TEST(pcapng),
	    TEST(cut_off_in_a_packet),
	    TEST(no_captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
