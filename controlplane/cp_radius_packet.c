/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file that sees the library's headers. They want three things that their package does not bring: to be included
 * in this order, freeradius/automask.h (beside us), and pcre, which nothing here uses. */
#include <freeradius/build.h>
#undef HAVE_PCRE
#undef HAVE_REGEX
#include <freeradius/libradius.h>
#include <freeradius/md5.h>

#include "cp_radius_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#ifndef CP_RADIUS_DICTIONARIES
#define CP_RADIUS_DICTIONARIES "/usr/share/freeradius"
#endif

/* ---- dictionaries ---- */

/* Those whose attributes we use: 0.3 ms, and 27 for all of them. The library reads them into globals, and what it keeps
 * of the old ones is wrong after a second dict_init(). */
int cp_radius_packet_open(char *why, size_t size)
{
	static const char *const more[] = {"dictionary.rfc2866", "dictionary.rfc2867",
					   "dictionary.rfc2868", "dictionary.rfc2869",
					   "dictionary.erx"};
	static bool open;

	if (open)
		return 0;
	if (fr_check_lib_magic(RADIUSD_MAGIC_NUMBER) < 0 ||
	    dict_init(CP_RADIUS_DICTIONARIES, "dictionary.rfc2865") < 0) {
		snprintf(why, size, "%s", fr_strerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (dict_read(CP_RADIUS_DICTIONARIES, more[i]) < 0) {
			snprintf(why, size, "%s", fr_strerror());
			return -ENOENT;
		}
	open = true;
	return 0;
}

/* ---- requests ---- */

struct cp_radius_draft {
	RADIUS_PACKET *packet; /* owns all of it */
	bool failed;
};

struct cp_radius_draft *cp_radius_draft_new(enum cp_radius_code code)
{
	RADIUS_PACKET *packet = rad_alloc(NULL, false);
	struct cp_radius_draft *draft =
	    packet != NULL ? talloc_zero(packet, struct cp_radius_draft) : NULL;

	if (draft == NULL) {
		rad_free(&packet);
		return NULL;
	}
	packet->code = code;
	draft->packet = packet;
	return draft;
}

static VALUE_PAIR *add(struct cp_radius_draft *draft, enum cp_radius_type type)
{
	VALUE_PAIR *pair = draft != NULL ? fr_pair_afrom_num(draft->packet, type, 0) : NULL;

	if (pair != NULL)
		fr_pair_add(&draft->packet->vps, pair);
	else if (draft != NULL)
		draft->failed = true;
	return pair;
}

void cp_radius_draft_integer(struct cp_radius_draft *draft, enum cp_radius_type type,
			     uint32_t value)
{
	VALUE_PAIR *pair = add(draft, type);

	if (pair == NULL)
		return;
	pair->vp_integer = value; /* a date is one, too */
	pair->vp_length = sizeof(value);
}

void cp_radius_draft_address(struct cp_radius_draft *draft, enum cp_radius_type type,
			     uint32_t address)
{
	if (address != 0)
		cp_radius_draft_integer(draft, type, htonl(address));
}

void cp_radius_draft_octets(struct cp_radius_draft *draft, enum cp_radius_type type,
			    const void *octets, size_t length)
{
	VALUE_PAIR *pair = length != 0 ? add(draft, type) : NULL;

	if (pair == NULL)
		return;
	if (pair->da->type == PW_TYPE_STRING)
		fr_pair_value_bstrncpy(pair, octets, length);
	else
		fr_pair_value_memcpy(pair, octets, length);
}

void cp_radius_draft_text(struct cp_radius_draft *draft, enum cp_radius_type type, const char *text)
{
	cp_radius_draft_octets(draft, type, text, strlen(text));
}

/* The library leaves out what is empty, but an Access-Request must have it: one zero octet is padded to the same 16. */
void cp_radius_draft_password(struct cp_radius_draft *draft, const char *password)
{
	size_t length = strlen(password);

	cp_radius_draft_octets(draft, CP_RADIUS_USER_PASSWORD, password, length != 0 ? length : 1);
}

int cp_radius_draft_finish(struct cp_radius_draft *draft, uint8_t identifier,
			   const uint8_t authenticator[CP_RADIUS_AUTHENTICATOR], const char *secret,
			   struct cp_radius_request *request)
{
	RADIUS_PACKET *packet;
	int error = -ENOMEM;

	if (draft == NULL)
		return -ENOMEM;
	packet = draft->packet;
	packet->id = identifier;
	if (authenticator != NULL)
		memcpy(packet->vector, authenticator, CP_RADIUS_AUTHENTICATOR);
	if (!draft->failed && rad_encode(packet, NULL, secret) == 0 &&
	    rad_sign(packet, NULL, secret) == 0) {
		error = packet->data_len <= sizeof(request->octets) ? 0 : -EMSGSIZE;
		if (error == 0) {
			memcpy(request->octets, packet->data, packet->data_len);
			request->length = (uint16_t)packet->data_len;
		}
	}
	rad_free(&packet);
	return error;
}

/* ---- answers ---- */

/* A Tunnel-Password in clear, with its length before and its padding behind it. */
struct password {
	uint8_t octets[240];
};

/* Is it the code of an answer to such a request? */
static bool answers(uint8_t request, uint8_t code)
{
	if (request == CP_RADIUS_ACCOUNTING_REQUEST)
		return code == CP_RADIUS_ACCOUNTING_RESPONSE;
	return code == CP_RADIUS_ACCESS_ACCEPT || code == CP_RADIUS_ACCESS_REJECT ||
	       code == CP_RADIUS_ACCESS_CHALLENGE;
}

/* A Vendor-Specific that the library could not take apart: whose it says to be. */
static void look_into(struct cp_radius_attribute *a)
{
	uint32_t vendor;

	memcpy(&vendor, a->octets, sizeof(vendor));
	a->vendor = ntohl(vendor);
	a->type = a->octets[sizeof(vendor)];
}

/* What is not understood is of no type to the library, which then knows no tag in it. */
static bool has_tag(const struct cp_radius_attribute *a)
{
	const DICT_ATTR *known = dict_attrbyvalue(a->type, a->vendor);

	return known != NULL && known->flags.has_tag;
}

static struct cp_radius_attribute attribute_of(const VALUE_PAIR *pair)
{
	struct cp_radius_attribute a = {.vendor = pair->da->vendor,
					.type = pair->da->attr,
					.broken = pair->da->flags.is_unknown};

	if (pair->da->flags.has_tag && pair->tag > 0 && pair->tag < 0x20)
		a.tag = (uint8_t)pair->tag;
	if (a.broken || pair->da->type == PW_TYPE_STRING || pair->da->type == PW_TYPE_OCTETS) {
		a.octets = pair->vp_octets;
		a.length = pair->vp_length;
	} else if (pair->da->type == PW_TYPE_INTEGER) {
		a.integer = pair->vp_integer;
	}
	if (a.broken && has_tag(&a) && a.length > 0 && a.octets[0] < 0x20)
		a.tag = a.octets[0];
	if (a.broken && a.vendor == 0 && a.type == PW_VENDOR_SPECIFIC &&
	    a.length > sizeof(uint32_t))
		look_into(&a);
	return a;
}

/* The library leaves out what is empty, and nobody would say that a vendor's attribute was there. */
static void show_empty(const RADIUS_PACKET *answer,
		       void (*show)(void *context, const struct cp_radius_attribute *attribute),
		       void *context)
{
	enum {
		VENDOR = 2,
		TYPE = 6,
		LENGTH = 7
	}; /* in a Vendor-Specific (RFC 2865 section 5.26) */
	const uint8_t *at = answer->data + CP_RADIUS_HEADER;
	const uint8_t *end = answer->data + answer->data_len;

	for (; end - at > LENGTH; at += at[1])
		if (at[0] == PW_VENDOR_SPECIFIC && at[1] == LENGTH + 1 && at[LENGTH] == 2) {
			struct cp_radius_attribute a = {.broken = true, .octets = at + LENGTH + 1};
			uint32_t vendor;

			memcpy(&vendor, at + VENDOR, sizeof(vendor));
			a.vendor = ntohl(vendor);
			a.type = at[TYPE];
			show(context, &a);
		}
}

/* RFC 2868 section 3.5: salt, then blocks of 16, of which the first octet is the password's length. */
static bool decrypt_password(const RADIUS_PACKET *request, const char *secret,
			     struct cp_radius_attribute *a, struct password *out)
{
	enum { SALT = 2, BLOCK = 16 };
	uint8_t seed[CP_RADIUS_SECRET + CP_RADIUS_AUTHENTICATOR + SALT], mask[BLOCK];
	size_t known = strlen(secret), n = a->length - SALT;
	size_t seeded = known + CP_RADIUS_AUTHENTICATOR + SALT;
	const uint8_t *in = a->octets + SALT;

	if (a->length < SALT + BLOCK || n % BLOCK != 0 || n > sizeof(out->octets) ||
	    known > CP_RADIUS_SECRET)
		return false;
	memcpy(seed, secret, known);
	memcpy(seed + known, request->vector, CP_RADIUS_AUTHENTICATOR);
	memcpy(seed + known + CP_RADIUS_AUTHENTICATOR, a->octets, SALT);
	for (size_t at = 0; at < n; at += BLOCK) {
		fr_md5_calc(mask, seed, seeded);
		for (size_t i = 0; i < BLOCK; i++)
			out->octets[at + i] = in[at + i] ^ mask[i];
		memcpy(seed + known, in + at, BLOCK);
		seeded = known + BLOCK;
	}
	a->octets = out->octets + 1;
	a->length = out->octets[0];
	return a->length < n;
}

static enum cp_radius_verdict judge(RADIUS_PACKET *answer, RADIUS_PACKET *request,
				    const char *secret)
{
	bool access = request->code == CP_RADIUS_ACCESS_REQUEST;
	decode_fail_t reason = DECODE_FAIL_NONE;

	if (!rad_packet_ok(answer, access, &reason))
		return reason == DECODE_FAIL_MA_MISSING ? CP_RADIUS_UNSIGNED : CP_RADIUS_MALFORMED;
	answer->code = answer->data[0];
	answer->id = answer->data[1];
	memcpy(answer->vector, answer->data + 4, CP_RADIUS_AUTHENTICATOR);
	if (!answers((uint8_t)request->code, (uint8_t)answer->code) || answer->id != request->id)
		return CP_RADIUS_MALFORMED;
	if (rad_verify(answer, request, secret) != 0)
		return CP_RADIUS_FORGED;
	/* Without the secret: what it is for is only Tunnel-Password, and the library forgets memory where that cannot be
	 * decrypted. */
	return rad_decode(answer, request, NULL) == 0 ? CP_RADIUS_GOOD : CP_RADIUS_MALFORMED;
}

enum cp_radius_verdict
cp_radius_packet_read(const struct cp_radius_request *request, const char *secret,
		      const uint8_t *octets, size_t length,
		      void (*show)(void *context, const struct cp_radius_attribute *attribute),
		      void *context)
{
	enum cp_radius_verdict verdict = CP_RADIUS_MALFORMED;
	RADIUS_PACKET *asked = rad_alloc(NULL, false), *answer = rad_alloc(asked, false);

	if (asked != NULL && answer != NULL && length >= CP_RADIUS_HEADER) {
		asked->code = request->octets[0];
		asked->id = request->octets[1];
		memcpy(asked->vector, request->octets + 4, CP_RADIUS_AUTHENTICATOR);
		answer->src_ipaddr.af = AF_INET; /* for the library's texts */
		answer->data = talloc_memdup(answer, octets, length);
		answer->data_len = length;
		if (answer->data != NULL)
			verdict = judge(answer, asked, secret);
	}
	if (verdict == CP_RADIUS_GOOD)
		show_empty(answer, show, context);
	if (verdict == CP_RADIUS_GOOD)
		for (const VALUE_PAIR *pair = answer->vps; pair != NULL; pair = pair->next) {
			struct cp_radius_attribute attribute = attribute_of(pair);
			struct password clear;

			if (attribute.vendor == 0 && attribute.type == CP_RADIUS_TUNNEL_PASSWORD &&
			    !attribute.broken)
				attribute.broken =
				    !decrypt_password(asked, secret, &attribute, &clear);
			show(context, &attribute);
		}
	rad_free(&asked);
	return verdict;
}
