/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_auth.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Hiding is a cipher in feedback mode with MD5 as its block function (4.3):
 *
 *    b(1) = MD5(attribute, secret, random vector)    c(i) = p(i) xor b(i)    b(i) = MD5(secret, c(i
 * - 1))
 *
 * so both directions need the cipher text of the block before: the same walk, forwards, where
 * hiding takes it after the exclusive or and unhiding before.
 */

enum {
	BLOCK = 16,
};

struct part {
	const void *bytes;
	size_t length;
};

static int md5(EVP_MD_CTX *context, uint8_t digest[BLOCK], const struct part *parts, size_t n_parts)
{
	bool done = context && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
	for (size_t i = 0; done && i < n_parts; i++)
		done = EVP_DigestUpdate(context, parts[i].bytes, parts[i].length) == 1;
	return done && EVP_DigestFinal_ex(context, digest, NULL) == 1 ? 0 : -ENOTSUP;
}

int cp_auth_respond(uint8_t response[CP_RESPONSE_SIZE], uint8_t chap_id, const char *secret,
		    const void *challenge, size_t challenge_length)
{
	const struct part parts[] = {
	    {&chap_id, 1}, {secret, strlen(secret)}, {challenge, challenge_length}};
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int error = md5(context, response, parts, 3);
	EVP_MD_CTX_free(context);
	return error;
}

bool cp_auth_verify(const void *response, size_t length, uint8_t chap_id, const char *secret,
		    const void *challenge, size_t challenge_length)
{
	uint8_t expected[CP_RESPONSE_SIZE];
	return length == sizeof(expected) &&
	       cp_auth_respond(expected, chap_id, secret, challenge, challenge_length) == 0 &&
	       CRYPTO_memcmp(expected, response, sizeof(expected)) == 0;
}

static int crypt(bool hide, uint16_t attribute, const char *secret, struct part vector,
		 uint8_t *bytes, size_t length)
{
	const uint8_t number[2] = {(uint8_t)(attribute >> 8), (uint8_t)attribute};
	const struct part key = {secret, strlen(secret)};
	const struct part first[] = {{number, sizeof(number)}, key, vector};
	uint8_t mask[BLOCK], cipher[BLOCK];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int error = md5(context, mask, first, 3);

	for (size_t at = 0; error == 0 && at < length; at += BLOCK) {
		size_t n = length - at < BLOCK ? length - at : BLOCK;
		for (size_t i = 0; i < n; i++) {
			uint8_t in = bytes[at + i];
			bytes[at + i] = in ^ mask[i];
			cipher[i] = hide ? bytes[at + i] : in;
		}
		if (at + n < length)
			error = md5(context, mask, (struct part[]){key, {cipher, BLOCK}}, 2);
	}
	EVP_MD_CTX_free(context);
	return error;
}

int cp_auth_hide(uint16_t attribute, const char *secret, const void *vector, size_t vector_length,
		 uint8_t *bytes, size_t length)
{
	return crypt(true, attribute, secret, (struct part){vector, vector_length}, bytes, length);
}

int cp_auth_unhide(uint16_t attribute, const char *secret, const void *vector, size_t vector_length,
		   uint8_t *bytes, size_t length)
{
	return crypt(false, attribute, secret, (struct part){vector, vector_length}, bytes, length);
}
