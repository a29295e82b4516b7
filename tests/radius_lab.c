/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the world ---- */

static uint64_t world_now(void *context)
{
	struct timespec t;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t world_realtime(void *context)
{
	(void)context;
	return UINT64_C(1700000000000);
}

static void world_random(void *context, void *bytes, size_t length)
{
	(void)context;
	assert_int_equal(getrandom(bytes, length, 0), length);
}

static void world_log(void *context, enum cp_log_level level, const char *format, va_list arguments)
{
	struct lab *lab = context;
	size_t length = strlen(lab->log);

	(void)level;
	if (sizeof(lab->log) - length < 1024)
		return;
	vsnprintf(lab->log + length, sizeof(lab->log) - length - 1, format, arguments);
	strcat(lab->log, "\n");
	if (getenv("LAB_LOG") != NULL)
		fputs(lab->log + length, stderr);
}

static void world_authorized(void *context, uint32_t ticket, const struct cp_authorization *answer)
{
	struct lab *lab = context;

	lab->answers++;
	lab->answer = *answer;
	if (ticket < LAB_TICKETS)
		lab->answered[ticket]++;
}

static void world_progress(void *context, uint32_t entry, union lc_account_sent sent)
{
	struct lab *lab = context;
	uint8_t octets[4096];

	lab->progressed++;
	lab->entry = entry;
	lab->sent = sent;
	for (unsigned i = LAB_ACCOUNTING; i < LAB_SERVERS; i++)
		if (sent.server == i - LAB_ACCOUNTING &&
		    recv(lab->sockets[i], octets, sizeof(octets), MSG_PEEK | MSG_DONTWAIT) > 0 &&
		    octets[1] == sent.identifier)
			lab->sent_too_soon = true;
}

static void world_accounted(void *context, uint32_t entry)
{
	struct lab *lab = context;

	lab->accounted++;
	lab->entry = entry;
}

static void world_unaccounted(void *context, uint32_t entry)
{
	struct lab *lab = context;

	lab->unaccounted++;
	lab->entry = entry;
}

/* ---- the lab ---- */

static int open_server(struct cfg_radius_server *server)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(own);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), room = 1 << 20;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	*server = (struct cfg_radius_server){.address = INADDR_LOOPBACK,
					     .port = ntohs(own.sin_port),
					     .secret = LAB_SECRET,
					     .timeout_ms = LAB_TIMEOUT,
					     .retransmit = LAB_TRIES - 1};
	return fd;
}

void lab_open(struct lab *lab, unsigned n_authentication, unsigned n_accounting)
{
	static char names[][16] = {"lac1", "", "access0"};

	memset(lab, 0, sizeof(*lab));
	lab->fd = -1;
	lab->base = event_base_new();
	for (unsigned i = 0; i < LAB_SERVERS; i++)
		lab->sockets[i] = open_server(&lab->servers[i]);
	lab->port.name = names[2];
	lab->cfg.name = names[0];
	lab->cfg.ports = &lab->port;
	lab->cfg.n_ports = 1;
	lab->cfg.radius = (struct cfg_radius){
	    .nas_identifier = names[1],
	    .dead_time_s = 60,
	    .authentication = lab->servers + LAB_AUTHENTICATION,
	    .n_authentication = n_authentication,
	    .accounting = lab->servers + LAB_ACCOUNTING,
	    .n_accounting = n_accounting,
	};
	lab_start(lab);
}

static struct cp_radius *new_client(struct lab *lab)
{
	struct cp_radius_world world = {.context = lab,
					.random = world_random,
					.log = world_log,
					.now = world_now,
					.realtime_ms = world_realtime,
					.authorized = world_authorized,
					.progress = world_progress,
					.accounted = world_accounted,
					.unaccounted = world_unaccounted};

	return cp_radius_new(lab->base, &lab->cfg, lab->fd, &world);
}

void lab_start(struct lab *lab)
{
	lab->radius = new_client(lab);
	assert_non_null(lab->radius);
}

void lab_start_fails(struct lab *lab)
{
	assert_null(new_client(lab));
}

void lab_stop(struct lab *lab)
{
	cp_radius_free(lab->radius);
	lab->radius = NULL;
}

void lab_close(struct lab *lab)
{
	lab_stop(lab);
	for (unsigned i = 0; i < LAB_SERVERS; i++)
		if (lab->sockets[i] >= 0)
			close(lab->sockets[i]);
	if (lab->fd >= 0)
		close(lab->fd);
	event_base_free(lab->base);
}

/* ---- time ---- */

void lab_poll(struct lab *lab)
{
	event_base_loop(lab->base, EVLOOP_NONBLOCK);
}

static void turn(struct lab *lab)
{
	struct timespec pause = {.tv_nsec = 500000};

	lab_poll(lab);
	nanosleep(&pause, NULL);
}

void lab_run(struct lab *lab, unsigned ms)
{
	for (uint64_t end = world_now(NULL) + ms; world_now(NULL) < end;)
		turn(lab);
}

bool lab_receive(struct lab *lab, unsigned server, struct lab_packet *packet, unsigned ms)
{
	uint64_t end = world_now(NULL) + ms;

	do {
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(lab->sockets[server], packet->octets, sizeof(packet->octets),
				     0, (struct sockaddr *)&from, &length);
		if (n >= 0) {
			packet->length = (size_t)n;
			packet->from_port = ntohs(from.sin_port);
			packet->from = ntohl(from.sin_addr.s_addr);
			return true;
		}
		turn(lab);
	} while (world_now(NULL) < end);
	return false;
}

unsigned lab_waiting(struct lab *lab, unsigned server)
{
	struct lab_packet packet;
	unsigned n = 0;

	while (lab_receive(lab, server, &packet, 0))
		n++;
	return n;
}

void lab_until_answer(struct lab *lab)
{
	unsigned before = lab->answers;

	for (uint64_t end = world_now(NULL) + 5 * LAB_SOON; lab->answers == before;) {
		assert_true(world_now(NULL) < end);
		turn(lab);
	}
}

void lab_until_told(struct lab *lab)
{
	unsigned before = lab->accounted + lab->unaccounted;

	for (uint64_t end = world_now(NULL) + 5 * LAB_SOON;
	     lab->accounted + lab->unaccounted == before;) {
		assert_true(world_now(NULL) < end);
		turn(lab);
	}
}

unsigned lab_said(const struct lab *lab, const char *text)
{
	unsigned n = 0;

	for (const char *at = lab->log; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

uint64_t lab_counter(struct lab *lab, unsigned server, enum cp_radius_server_counter counter)
{
	const struct cp_radius_statistics *s = cp_radius_statistics(lab->radius);

	return server < LAB_ACCOUNTING ? s->authentication[server].counters[counter]
				       : s->accounting[server - LAB_ACCOUNTING].counters[counter];
}

uint64_t lab_total(struct lab *lab, enum cp_radius_counter counter)
{
	return cp_radius_statistics(lab->radius)->counters[counter];
}

void lab_ask(struct lab *lab, uint32_t ticket)
{
	struct cp_access_request request = {.name = "alice@example",
					    .password = "wonderland",
					    .access_port = 0,
					    .pppoe_session = 17,
					    .mac = {2, 0, 0, 0, 0xab, 1}};

	assert_int_equal(cp_radius_authorize(lab->radius, ticket, &request), 0);
}

/* ---- packets ---- */

const uint8_t *lab_attribute(const struct lab_packet *packet, uint8_t type, size_t *length)
{
	for (size_t at = 20; at + 2 <= packet->length; at += packet->octets[at + 1]) {
		assert_true(packet->octets[at + 1] >= 2);
		if (packet->octets[at] == type) {
			*length = packet->octets[at + 1] - 2U;
			return packet->octets + at + 2;
		}
	}
	return NULL;
}

bool lab_has_text(const struct lab_packet *packet, uint8_t type, const char *text)
{
	size_t length;
	const uint8_t *value = lab_attribute(packet, type, &length);

	return value != NULL && length == strlen(text) && memcmp(value, text, length) == 0;
}

bool lab_has_integer(const struct lab_packet *packet, uint8_t type, uint32_t value)
{
	size_t length;
	const uint8_t *octets = lab_attribute(packet, type, &length);
	uint32_t net = htonl(value);

	return octets != NULL && length == 4 && memcmp(octets, &net, 4) == 0;
}

void lab_md5(const void *a, size_t la, const void *b, size_t lb, uint8_t out[16])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	EVP_DigestInit_ex(context, EVP_md5(), NULL);
	EVP_DigestUpdate(context, a, la);
	EVP_DigestUpdate(context, b, lb);
	EVP_DigestFinal_ex(context, out, NULL);
	EVP_MD_CTX_free(context);
}

bool lab_is_signed(const struct lab_packet *packet, const char *secret)
{
	struct lab_packet copy = *packet;
	size_t length;
	const uint8_t *value = lab_attribute(packet, 80, &length);
	uint8_t hmac[16];

	if (value == NULL || length != 16)
		return false;
	memset(copy.octets + (value - packet->octets), 0, 16);
	HMAC(EVP_md5(), secret, (int)strlen(secret), copy.octets, copy.length, hmac, NULL);
	return memcmp(hmac, value, 16) == 0;
}

bool lab_is_account(const struct lab_packet *packet, const char *secret)
{
	struct lab_packet copy = *packet;
	uint8_t authenticator[16];

	memset(copy.octets + 4, 0, 16);
	lab_md5(copy.octets, copy.length, secret, strlen(secret), authenticator);
	return memcmp(authenticator, packet->octets + 4, 16) == 0;
}

struct lab_reply lab_accept(void)
{
	return (struct lab_reply){.code = 2, .secret = LAB_SECRET};
}

void lab_put(struct lab_reply *reply, uint8_t type, const void *octets, size_t length)
{
	reply->attributes[reply->length++] = type;
	reply->attributes[reply->length++] = (uint8_t)(length + 2);
	if (length != 0)
		memcpy(reply->attributes + reply->length, octets, length);
	reply->length += length;
}

void lab_put_integer(struct lab_reply *reply, uint8_t type, uint8_t tag, uint32_t value)
{
	uint8_t octets[4] = {tag, (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	lab_put(reply, type, octets, sizeof(octets));
}

void lab_put_text(struct lab_reply *reply, uint8_t type, uint8_t tag, const char *text)
{
	uint8_t octets[256] = {tag};
	size_t skip = tag != 0 ? 1 : 0;

	memcpy(octets + skip, text, strlen(text));
	lab_put(reply, type, octets, skip + strlen(text));
}

void lab_put_vendor(struct lab_reply *reply, uint32_t vendor, uint8_t type, const void *octets,
		    size_t length)
{
	uint8_t value[256] = {(uint8_t)(vendor >> 24),
			      (uint8_t)(vendor >> 16),
			      (uint8_t)(vendor >> 8),
			      (uint8_t)vendor,
			      type,
			      (uint8_t)(length + 2)};

	memcpy(value + 6, octets, length);
	lab_put(reply, 26, value, length + 6);
}

void lab_put_method(struct lab_reply *reply, uint32_t value)
{
	uint32_t net = htonl(value);

	lab_put_vendor(reply, 4874, 90, &net, sizeof(net));
}

/* RFC 2868 section 3.5. */
void lab_put_password(struct lab_reply *reply, const struct lab_packet *request, uint8_t tag,
		      uint16_t salt, const char *password)
{
	uint8_t value[256] = {tag, (uint8_t)(salt >> 8 | 0x80), (uint8_t)salt,
			      (uint8_t)strlen(password)};
	size_t length = (strlen(password) + 1 + 15) / 16 * 16;
	uint8_t seed[18], block[16];

	memcpy(value + 4, password, strlen(password));
	memcpy(seed, request->octets + 4, 16);
	memcpy(seed + 16, value + 1, 2);
	for (size_t at = 0; at < length; at += 16) {
		if (at == 0)
			lab_md5(reply->secret, strlen(reply->secret), seed, sizeof(seed), block);
		else
			lab_md5(reply->secret, strlen(reply->secret), value + 3 + at - 16, 16,
				block);
		for (size_t i = 0; i < 16; i++)
			value[3 + at + i] ^= block[i];
	}
	lab_put(reply, 69, value, 3 + length);
}

void lab_put_tunnel(struct lab_reply *reply, uint8_t tag, const char *server)
{
	lab_put_integer(reply, 64, tag, 3);
	lab_put_integer(reply, 65, tag, 1);
	lab_put_text(reply, 67, tag, server);
}

/* RFC 2865 section 3, RFC 2869 section 5.14. The Message-Authenticator comes first. */
void lab_build(const struct lab_packet *request, const struct lab_reply *reply,
	       struct lab_packet *answer)
{
	size_t own = reply->no_message_authenticator ? 0 : 18;

	answer->length = 20 + own + reply->length;
	answer->octets[0] = reply->code;
	answer->octets[1] = request->octets[1];
	answer->octets[2] = (uint8_t)(answer->length >> 8);
	answer->octets[3] = (uint8_t)answer->length;
	memcpy(answer->octets + 4, request->octets + 4, 16);
	memset(answer->octets + 20, 0, own);
	memcpy(answer->octets + 20 + own, reply->attributes, reply->length);
	if (own != 0) {
		answer->octets[20] = 80;
		answer->octets[21] = 18;
		HMAC(EVP_md5(), reply->secret, (int)strlen(reply->secret), answer->octets,
		     answer->length, answer->octets + 22, NULL);
		answer->octets[30] ^= reply->wrong_message_authenticator;
	}
	lab_md5(answer->octets, answer->length, reply->secret, strlen(reply->secret),
		answer->octets + 4);
	answer->octets[7] ^= reply->wrong_authenticator;
}

void lab_send(struct lab *lab, unsigned server, const struct lab_packet *request,
	      const struct lab_packet *answer)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(request->from_port),
				 .sin_addr.s_addr = htonl(request->from)};

	assert_int_equal(sendto(lab->sockets[server], answer->octets, answer->length, 0,
				(struct sockaddr *)&to, sizeof(to)),
			 answer->length);
}

void lab_reply(struct lab *lab, unsigned server, const struct lab_packet *request,
	       const struct lab_reply *reply)
{
	struct lab_packet answer;

	lab_build(request, reply, &answer);
	lab_send(lab, server, request, &answer);
}
