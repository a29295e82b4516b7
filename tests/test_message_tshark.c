/* SPDX-License-Identifier: BSD-3-Clause */
/* A second opinion on what the builder writes: tshark, where it is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "random_message.h"

/* Behind IPv4 and UDP headers (RFC 2661 8.1). */
static void dump(pcap_dumper_t *dumper, const uint8_t *message, size_t length)
{
	uint8_t packet[28 + LC_MESSAGE_MAX] = {0x45};
	struct pcap_pkthdr header = {.caplen = (bpf_u_int32)(28 + length),
				     .len = (bpf_u_int32)(28 + length)};
	lc_put16(packet + 2, (uint16_t)(28 + length));
	packet[8] = 64;
	packet[9] = 17;
	memcpy(packet + 12, (uint8_t[]){192, 0, 2, 1, 192, 0, 2, 2}, 8);
	lc_put16(packet + 20, LC_L2TP_UDP_PORT);
	lc_put16(packet + 22, LC_L2TP_UDP_PORT);
	lc_put16(packet + 24, (uint16_t)(8 + length));
	memcpy(packet + 28, message, length);
	pcap_dump((u_char *)dumper, &header, packet);
}

static void tshark_finds_nothing_malformed(void **state)
{
	enum { N = 2000 };
	char path[] = "/tmp/warmline-avps-XXXXXX", command[256], line[256];
	if (system("command -v tshark >/dev/null 2>&1")) {
		print_message("tshark is not installed\n");
		skip();
	}
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	pcap_t *pcap = pcap_open_dead(DLT_RAW, 65535);
	pcap_dumper_t *dumper = pcap_dump_fopen(pcap, fdopen(fd, "w"));
	assert_non_null(dumper);
	for (int i = 0; i < N; i++) {
		struct cp_message x;
		uint8_t bytes[LC_MESSAGE_MAX];
		invent_message(&x);
		dump(dumper, bytes, encode(&x, bytes, i % 2));
	}
	pcap_dump_close(dumper);
	pcap_close(pcap);

	snprintf(
	    command, sizeof(command),
	    "tshark -r %s -T fields -e l2tp.avp.message_type -e _ws.malformed -e _ws.expert.message 2>/dev/null",
	    path);
	FILE *tshark = popen(command, "r");
	assert_non_null(tshark);
	int lines = 0, bad = 0;
	while (fgets(line, sizeof(line), tshark)) {
		unsigned type;
		char more;
		lines++;
		if (sscanf(line, "%u %c", &type, &more) != 1) {
			bad++;
			print_error("tshark, message %d: %s", lines, line);
		}
	}
	pclose(tshark);
	unlink(path);
	assert_int_equal(bad, 0);
	assert_int_equal(lines, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(tshark_finds_nothing_malformed, start),
	};
	return cmocka_run_group_tests_name("message_tshark", tests, NULL, NULL);
}
