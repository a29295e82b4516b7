/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for pppd under xl2tpd, where there is no PPP in the kernel: keeps the pty open, sends
 * an LCP Echo-Request (RFC 1661 section 5.8) now and then, answers those that come, and writes
 * every frame to a log, one a line:
 *
 *   MILLISECONDS tx|rx HEX     from the protocol field on
 *
 * Environment: PPPD_STUB_LOG, the log (appended to); PPPD_STUB_INTERVAL_MS, between two requests
 * (0: none). Arguments are pppd's, and of no interest here. Ends with its pty, or with SIGTERM.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* RFC 1662 */
enum {
	FLAG = 0x7e,
	ESCAPE = 0x7d,
	ESCAPED = 0x20,
	FCS_GOOD = 0xf0b8,
	FRAME_MAX = 2048,
};

enum {
	LCP_HEADER = 8, /* FF 03, C0 21, code, identifier, length */
	ECHO_REQUEST = 9,
	ECHO_REPLY = 10,
};

static FILE *log_file;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void note(const char *direction, const uint8_t *bytes, size_t length)
{
	fprintf(log_file, "%llu %s ", (unsigned long long)now_ms(), direction);
	for (size_t i = 0; i < length; i++)
		fprintf(log_file, "%02x", bytes[i]);
	fputc('\n', log_file);
}

/* RFC 1662 appendix C.2, without its table. */
static uint16_t fcs_add(uint16_t fcs, uint8_t byte)
{
	fcs ^= byte;
	for (int i = 0; i < 8; i++)
		fcs = (uint16_t)(fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1);
	return fcs;
}

static size_t stuff(uint8_t *out, uint8_t byte)
{
	if (byte >= 0x20 && byte != FLAG && byte != ESCAPE) {
		out[0] = byte;
		return 1;
	}
	out[0] = ESCAPE;
	out[1] = byte ^ ESCAPED;
	return 2;
}

/* frame: from the address field on. */
static void send_frame(const uint8_t *frame, size_t length)
{
	uint8_t out[2 * FRAME_MAX + 6];
	size_t n = 0;
	uint16_t fcs = 0xffff;

	out[n++] = FLAG;
	for (size_t i = 0; i < length; i++) {
		fcs = fcs_add(fcs, frame[i]);
		n += stuff(out + n, frame[i]);
	}
	fcs = (uint16_t)~fcs;
	n += stuff(out + n, (uint8_t)fcs);
	n += stuff(out + n, (uint8_t)(fcs >> 8));
	out[n++] = FLAG;
	if (write(STDOUT_FILENO, out, n) == (ssize_t)n)
		note("tx", frame + 2, length - 2);
}

static void send_request(uint32_t number)
{
	uint8_t frame[] = {0xff,
			   0x03,
			   0xc0,
			   0x21,
			   ECHO_REQUEST,
			   (uint8_t)number,
			   0,
			   12,
			   0,
			   0,
			   0,
			   0,
			   (uint8_t)(number >> 24),
			   (uint8_t)(number >> 16),
			   (uint8_t)(number >> 8),
			   (uint8_t)number};

	send_frame(frame, sizeof(frame));
}

/* frame: from the address field on, FCS checked and taken off. */
static void take_frame(uint8_t *frame, size_t length)
{
	if (length < 2 || frame[0] != 0xff || frame[1] != 0x03)
		return;
	note("rx", frame + 2, length - 2);
	if (length >= LCP_HEADER && frame[2] == 0xc0 && frame[3] == 0x21 &&
	    frame[4] == ECHO_REQUEST) {
		frame[4] = ECHO_REPLY;
		memset(frame + 8, 0, length >= 12 ? 4 : 0); /* no magic number was negotiated */
		send_frame(frame, length);
	}
}

static void take_byte(uint8_t byte)
{
	static uint8_t frame[FRAME_MAX];
	static size_t length;
	static uint16_t fcs = 0xffff;
	static uint8_t mask;

	if (byte == FLAG) {
		if (length > 2 && fcs == FCS_GOOD)
			take_frame(frame, length - 2);
		else if (length)
			note("bad", frame, length);
		length = 0;
		fcs = 0xffff;
		mask = 0;
	} else if (byte == ESCAPE) {
		mask = ESCAPED;
	} else if (length < sizeof(frame)) {
		frame[length] = byte ^ mask;
		fcs = fcs_add(fcs, frame[length++]);
		mask = 0;
	}
}

static int serve(int interval, const char *pause)
{
	struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
	uint8_t bytes[4096];
	uint64_t due = now_ms();
	uint32_t number = 0;

	for (;;) {
		uint64_t now = now_ms();

		if (interval && now >= due) {
			if (access(pause, F_OK) < 0)
				send_request(number++);
			due += (uint64_t)interval;
			continue;
		}
		if (poll(&line, 1, interval ? (int)(due - now) : -1) > 0) {
			ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

			if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
				return 0;
			for (ssize_t i = 0; i < n; i++)
				take_byte(bytes[i]);
		}
	}
}

int main(void)
{
	const char *path = getenv("PPPD_STUB_LOG"), *interval = getenv("PPPD_STUB_INTERVAL_MS"),
		   *pause = getenv("PPPD_STUB_PAUSE");
	struct termios line;

	log_file = fopen(path ? path : "/dev/null", "a");
	if (!log_file || tcgetattr(STDIN_FILENO, &line) < 0) {
		perror("pppd_stub");
		return 1;
	}
	setvbuf(log_file, NULL, _IOLBF, 0);
	cfmakeraw(&line);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &line) < 0) {
		perror("pppd_stub");
		return 1;
	}
	return serve(interval ? atoi(interval) : 0, pause ? pause : "");
}
