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

/* What tshark says of an AVP that it names, but whose value it does not read: so with RFC 4951's. */
static const char unread[] = "Vendor-Specific AVP data";

static unsigned count_unread(const uint8_t *message, size_t length)
{
	unsigned count = 0;
	for (size_t at = LC_L2TP_CONTROL_SIZE; at < length;
	     at += lc_get16(message + at) & CP_AVP_LENGTH_MASK)
		count += lc_get16(message + at + 4) >= CP_AVP_FAILOVER_CAPABILITY &&
			 !(lc_get16(message + at) & CP_AVP_H);
	return count;
}

/* "TYPE<tab>malformed<tab>expert,expert": the type alone, or with what is unread. */
static bool is_good(const char *line, unsigned may_be_unread)
{
	char *at;
	unsigned long type = strtoul(line, &at, 10);
	if (at == line || type == 0)
		return false;
	at += strspn(at, "\t");
	for (; strncmp(at, unread, strlen(unread)) == 0 && may_be_unread; may_be_unread--) {
		at += strlen(unread);
		at += *at == ',';
	}
	return *at == '\n';
}

/* A capture to write messages into. */
struct capture {
	char path[32];
	pcap_t *pcap;
	pcap_dumper_t *dumper;
};

static void capture_open(struct capture *capture)
{
	if (system("command -v tshark >/dev/null 2>&1")) {
		print_message("tshark is not installed\n");
		skip();
	}
	strcpy(capture->path, "/tmp/warmline-avps-XXXXXX");
	int fd = mkstemp(capture->path);
	assert_true(fd >= 0);
	capture->pcap = pcap_open_dead(DLT_RAW, 65535);
	capture->dumper = pcap_dump_fopen(capture->pcap, fdopen(fd, "w"));
	assert_non_null(capture->dumper);
}

static FILE *capture_read(struct capture *capture, const char *options)
{
	char command[256];
	pcap_dump_close(capture->dumper);
	pcap_close(capture->pcap);
	snprintf(command, sizeof(command), "tshark -r %s %s 2>/dev/null", capture->path, options);
	FILE *tshark = popen(command, "r");
	assert_non_null(tshark);
	return tshark;
}

static void capture_close(struct capture *capture, FILE *tshark)
{
	pclose(tshark);
	unlink(capture->path);
}

static void tshark_finds_nothing_malformed(void **state)
{
	enum { N = 2000 };
	static unsigned may_be_unread[N];
	static char line[16384]; /* a name for each of more than a hundred AVPs */
	struct capture capture;
	capture_open(&capture);
	for (int i = 0; i < N; i++) {
		struct cp_message x;
		uint8_t bytes[LC_MESSAGE_MAX];
		invent_message(&x);
		size_t length = encode(&x, bytes, i % 2);
		may_be_unread[i] = count_unread(bytes, length);
		dump(capture.dumper, bytes, length);
	}
	FILE *tshark = capture_read(
	    &capture, "-T fields -e l2tp.avp.message_type -e _ws.malformed -e _ws.expert.message");
	int lines = 0, bad = 0;
	for (; fgets(line, sizeof(line), tshark) && lines < N; lines++) {
		if (is_good(line, may_be_unread[lines]))
			continue;
		bad++;
		print_error("tshark, message %d: %s", lines + 1, line);
	}
	capture_close(&capture, tshark);
	assert_int_equal(bad, 0);
	assert_int_equal(lines, N);
}

static void dump_failover(pcap_dumper_t *dumper, enum lc_message_type type)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;
	cp_builder_start(&b, bytes, sizeof(bytes), type, 7, 0);
	if (type == LC_MSG_FSQ || type == LC_MSG_FSR) {
		cp_builder_state(&b, &(struct cp_state){1, 2});
	} else {
		cp_builder_u16(&b, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
		cp_builder_u32(&b, CP_AVP_FRAMING_CAPABILITIES, CP_FRAMING_SYNC);
		cp_builder_string(&b, CP_AVP_HOST_NAME, "lac");
		cp_builder_u16(&b, CP_AVP_ASSIGNED_TUNNEL_ID, 1);
		cp_builder_failover(&b, &(struct cp_failover){true, true, 900000});
		if (type == LC_MSG_SCCRQ)
			cp_builder_recovery(&b, &(struct cp_recovery){1, 2});
		else
			cp_builder_sequence(&b, &(struct cp_sequence){1, 2});
	}
	int length = cp_builder_finish(&b);
	assert_true(length > 0);
	dump(dumper, bytes, (size_t)length);
}

/* Lines that must come one after the other, others between them. */
static const char *const named[] = {
    "Message Type: Start_Control_Request (1)",
    "Failover Capability AVP",
    "0... .... .... .... = Mandatory: False",
    "= Length: 12",
    "AVP Type: Failover Capability (76)",
    "Tunnel Recovery AVP",
    "1... .... .... .... = Mandatory: True",
    ".0.. .... .... .... = Hidden: False",
    "= Length: 16",
    "AVP Type: Tunnel Recovery (77)",
    "Message Type: Start_Control_Reply (2)",
    "Suggested Control Sequence AVP",
    "0... .... .... .... = Mandatory: False",
    "= Length: 12",
    "AVP Type: Suggested Control Sequence (78)",
    "Control Message AVP",
    "0... .... .... .... = Mandatory: False",
    "Message Type: Failover_Session_Query_Message (21)",
    "Failover Session State AVP",
    "1... .... .... .... = Mandatory: True",
    "= Length: 16",
    "AVP Type: Failover Session State (79)",
    "Control Message AVP",
    "0... .... .... .... = Mandatory: False",
    "Message Type: Failover_Session_Response_Message (22)",
    "Failover Session State AVP",
};

/* RFC 4951 sections 4 and 5. */
static void tshark_names_what_rfc_4951_adds(void **state)
{
	enum { N = sizeof(named) / sizeof(named[0]) };
	char line[512];
	size_t seen = 0;
	struct capture capture;
	capture_open(&capture);
	dump_failover(capture.dumper, LC_MSG_SCCRQ);
	dump_failover(capture.dumper, LC_MSG_SCCRP);
	dump_failover(capture.dumper, LC_MSG_FSQ);
	dump_failover(capture.dumper, LC_MSG_FSR);
	FILE *tshark = capture_read(&capture, "-V");
	while (fgets(line, sizeof(line), tshark))
		seen += seen < N && strstr(line, named[seen]) != NULL;
	capture_close(&capture, tshark);
	if (seen < N)
		fail_msg("tshark does not say: %s", named[seen]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(tshark_finds_nothing_malformed, start),
	    cmocka_unit_test(tshark_names_what_rfc_4951_adds),
	};
	return cmocka_run_group_tests_name("message_tshark", tests, NULL, NULL);
}
