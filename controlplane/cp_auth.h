/* SPDX-License-Identifier: BSD-3-Clause */
/* What a tunnel's shared secret is for: authentication (RFC 2661 section 5.1.1) and hiding (4.3).
 * Both are MD5, of libcrypto; it may refuse (a FIPS provider): -ENOTSUP. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CP_RESPONSE_SIZE = 16,
};

/* response = MD5(chap_id, secret, challenge) (RFC 1994 section 4.1). chap_id: the type of the
 * message that carries the response, SCCRP or SCCCN (4.4.3). 0 or -ENOTSUP. */
int cp_auth_respond(uint8_t response[CP_RESPONSE_SIZE], uint8_t chap_id, const char *secret,
		    const void *challenge, size_t challenge_length);

/* Compares in constant time. False too where length is not CP_RESPONSE_SIZE or there is no MD5. */
bool cp_auth_verify(const void *response, size_t length, uint8_t chap_id, const char *secret,
		    const void *challenge, size_t challenge_length);

/* Hides a Hidden AVP Subformat (length of the value, value, padding) in place (4.3), or brings it
 * back. 0 or -ENOTSUP (then the octets are undefined). */
int cp_auth_hide(uint16_t attribute, const char *secret, const void *vector, size_t vector_length,
		 uint8_t *bytes, size_t length);
int cp_auth_unhide(uint16_t attribute, const char *secret, const void *vector, size_t vector_length,
		   uint8_t *bytes, size_t length);
