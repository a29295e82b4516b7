/* SPDX-License-Identifier: BSD-3-Clause */
/* Servers that know the secret and say anything: mutated Access-Accepts, signed and not. Whatever is taken keeps the
 * promises of cp_authorization.h. WARMLINE_FUZZ_SEED, WARMLINE_FUZZ_ROUNDS: others than usual. */
#include "radius_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 30000 };

static struct lab lab;
static uint64_t seed = 1;

static uint32_t roll(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

static void check_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	assert_true(length < size);
	for (size_t i = 0; i < length; i++)
		assert_true(text[i] >= 0x20 && text[i] < 0x7f);
}

static void check_answer(const struct cp_authorization *a)
{
	assert_true(a->outcome <= CP_ACCESS_UNANSWERED);
	assert_true(a->method <= CFG_METHOD_FALLBACK);
	assert_true(a->n_tunnels <= CP_MAX_AUTHORIZED);
	assert_true(a->class_length <= LC_CLASS);
	for (unsigned i = 0; i < a->n_tunnels; i++) {
		const struct cp_authorized_tunnel *t = &a->tunnels[i];

		assert_true(t->tag < 32);
		assert_true(t->server >> 24 != 0 && t->server >> 28 < 14);
		assert_true(t->client == 0 || t->client >> 28 < 14);
		assert_true(strnlen(t->password, sizeof(t->password)) < sizeof(t->password));
		check_text(t->assignment, sizeof(t->assignment));
		check_text(t->client_auth, sizeof(t->client_auth));
		check_text(t->server_auth, sizeof(t->server_auth));
		check_text(t->group, sizeof(t->group));
	}
}

static void put_good(struct lab_reply *reply, const struct lab_packet *asked)
{
	static const char long_text[] = "0123456789012345678901234567890123456789";

	for (unsigned i = 0, n = roll(4); i <= n; i++) {
		uint8_t tag = (uint8_t)roll(34);

		lab_put_tunnel(reply, tag, "10.0.0.1");
		lab_put_password(reply, asked, tag, (uint16_t)roll(65536), long_text + roll(41));
		lab_put_text(reply, 82, tag, "assignment");
		lab_put_text(reply, 91, tag, "lns");
		lab_put_integer(reply, 83, tag, roll(1 << 24));
	}
	lab_put_method(reply, roll(5));
	lab_put(reply, 25, long_text, roll(41));
}

/* Attributes of any type, length and content. */
static void put_any(struct lab_reply *reply)
{
	static const uint8_t types[] = {18, 24, 25, 26, 64, 65, 66, 67, 69, 79, 81, 82, 83, 90, 91};

	for (unsigned i = 0, n = roll(12); i < n; i++) {
		uint8_t value[253];
		uint8_t type = roll(4) ? types[roll(sizeof(types))] : (uint8_t)roll(256);
		size_t length = roll(8) ? roll(24) : roll(254);

		for (size_t j = 0; j < length; j++)
			value[j] = (uint8_t)roll(256);
		if (type == 26 && length >= 6 && roll(3)) {
			memcpy(value, "\0\0\023\012", 4);
			value[4] = roll(2) ? 90 : (uint8_t)roll(256);
			value[5] = (uint8_t)(roll(2) ? length - 4 : roll(256));
		}
		lab_put(reply, type, value, length);
	}
}

static void mutate(uint8_t *octets, size_t length)
{
	for (unsigned i = 0, n = roll(6); i < n && length != 0; i++)
		octets[roll((uint32_t)length)] = (uint8_t)roll(256);
}

static void test_mutations(void **state)
{
	const char *rounds = getenv("WARMLINE_FUZZ_ROUNDS"), *from = getenv("WARMLINE_FUZZ_SEED");
	unsigned n = rounds != NULL ? (unsigned)atoi(rounds) : ROUNDS, taken = 0, tunnels = 0;
	struct lab_packet asked;

	seed = from != NULL ? strtoull(from, NULL, 0) : seed;
	lab_open(&lab, 1, 0);
	lab.servers[0].timeout_ms = 100000;
	cp_radius_reconfigure(lab.radius, &lab.cfg);
	lab_ask(&lab, 1);
	assert_true(lab_receive(&lab, 0, &asked, LAB_SOON));
	for (unsigned i = 0; i < n; i++) {
		unsigned before = lab.answers;
		struct lab_reply reply = lab_accept();
		struct lab_packet answer;

		if (roll(2))
			put_good(&reply, &asked);
		if (roll(2))
			put_any(&reply);
		if (roll(2))
			mutate(reply.attributes, reply.length);
		reply.code = roll(8) ? 2 : (uint8_t)roll(256);
		lab_build(&asked, &reply, &answer);
		if (roll(8) == 0)
			mutate(answer.octets, answer.length);
		if (roll(16) == 0)
			answer.length = roll((uint32_t)answer.length + 1);
		lab_send(&lab, 0, &asked, &answer);
		lab_poll(&lab);
		check_answer(&lab.answer);
		if (lab.answers == before)
			continue;
		taken++;
		tunnels += lab.answer.n_tunnels;
		lab_ask(&lab, 1);
		assert_true(lab_receive(&lab, 0, &asked, LAB_SOON));
	}
	print_message("%u answers, %u taken, %u tunnels\n", n, taken, tunnels);
	assert_true(taken > n / 4 && tunnels > n / 4);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutations)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
