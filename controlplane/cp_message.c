/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading control messages.
 *
 * Whatever is wrong with an AVP, its M bit decides what comes of it (4.2, 7.1): with M the first
 * such fault is the verdict on the message, and the message's type says whether a session or the
 * tunnel pays for it (4.1); without M the AVP is left out and noted. Only AVPs that can no longer
 * be told apart end the reading; all else is read to the end, for the ID that the answer needs may
 * come last.
 */
#include "cp_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cp_auth.h"

#define OF(type) (UINT32_C(1) << LC_MSG_##type)

static const uint32_t tunnel_messages =
    OF(SCCRQ) | OF(SCCRP) | OF(SCCCN) | OF(STOPCCN) | OF(HELLO) | OF(FSQ) | OF(FSR);
static const uint32_t session_messages =
    OF(OCRQ) | OF(OCRP) | OF(OCCN) | OF(ICRQ) | OF(ICRP) | OF(ICCN) | OF(CDN) | OF(WEN) | OF(SLI);

/* These ignore every AVP that they may not carry (RFC 4951 sections 4.1 and 4.2). */
static const uint32_t closed_messages = OF(FSQ) | OF(FSR);

struct reader {
	struct cp_message *message;
	const char *secret;
	enum cp_verdict verdict;
};

struct avp {
	uint16_t head; /* M, H, reserved bits and length */
	uint16_t vendor;
	uint16_t attribute;
	struct cp_octets value;
};

static bool type_among(uint16_t type, uint32_t messages)
{
	return type < 32 && messages >> type & 1;
}

__attribute__((format(printf, 4, 5))) static void
complain(struct reader *reader, const struct avp *avp, enum cp_error error, const char *format, ...)
{
	struct cp_message *message = reader->message;
	struct cp_fault *fault = &message->note;
	if (avp->head & CP_AVP_M) {
		if (reader->verdict != CP_ACCEPT)
			return;
		reader->verdict = type_among(message->type, session_messages) ? CP_CLEAR_SESSION
									      : CP_CLEAR_TUNNEL;
		fault = &message->fault;
	} else if (message->n_ignored++) {
		return;
	}
	fault->error = (uint16_t)error;
	fault->vendor = avp->vendor;
	fault->attribute = avp->attribute;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
}

/* Replaces a hidden value by the original one (4.3). False: complained. */
static bool unhide(struct reader *reader, struct avp *avp, const struct cp_avp_info *info)
{
	struct cp_message *message = reader->message;
	const struct cp_octets *vector = &message->random_vector;
	uint16_t length = avp->value.length;

	if (!info->hideable) {
		complain(reader, avp, CP_ERROR_VALUE, "%s must not be hidden", info->name);
		return false;
	}
	if (!reader->secret) {
		complain(reader, avp, CP_ERROR_VALUE, "%s is hidden and there is no shared secret",
			 info->name);
		return false;
	}
	if (!cp_message_has(message, CP_AVP_RANDOM_VECTOR)) {
		complain(reader, avp, CP_ERROR_VALUE, "%s is hidden without a Random Vector before",
			 info->name);
		return false;
	}
	/* Never too small: a message is no larger than scratch, and hidden values are parts of it.
	 */
	uint8_t *plain = message->scratch + message->scratch_length;
	memcpy(plain, avp->value.bytes, length);
	if (cp_auth_unhide(avp->attribute, reader->secret, vector->bytes, vector->length, plain,
			   length)) {
		complain(reader, avp, CP_ERROR_VENDOR, "%s is hidden and MD5 is not available",
			 info->name);
		return false;
	}
	if (length < 2 || lc_get16(plain) > length - 2) {
		complain(reader, avp, CP_ERROR_LENGTH,
			 "%s is hidden and its original length does not fit: another secret?",
			 info->name);
		return false;
	}
	message->scratch_length += length;
	avp->value = (struct cp_octets){plain + 2, lc_get16(plain)};
	return true;
}

/* An attribute where RFC 4951 allows none such. Its M bit does not count: that of Tunnel Recovery
 * and Failover Session State is set, but whoever knows them need not end anything over them. */
static bool is_misplaced(uint16_t type, const struct cp_avp_info *info)
{
	if (info && type_among(type, info->messages))
		return false;
	return type_among(type, closed_messages) || (info && info->confined);
}

/* Says what is wrong with a value in the clear; false: complained. */
static bool check_value(struct reader *reader, const struct avp *avp,
			const struct cp_avp_info *info)
{
	const uint8_t *v = avp->value.bytes;

	if (avp->value.length < info->min || avp->value.length > info->max) {
		complain(reader, avp, CP_ERROR_LENGTH, "%s has a value of %u octets", info->name,
			 avp->value.length);
		return false;
	}
	/* Who ends a call or tunnel that was never given an ID has only 0 to say. */
	if (info->nonzero && lc_get16(v) == 0 &&
	    !type_among(reader->message->type, OF(STOPCCN) | OF(CDN))) {
		complain(reader, avp, CP_ERROR_VALUE, "%s is 0", info->name);
		return false;
	}
	if (info->kind == CP_KIND_FAILOVER && !(lc_get16(v) & (CP_FAILOVER_C | CP_FAILOVER_D))) {
		complain(reader, avp, CP_ERROR_VALUE, "%s has neither C nor D", info->name);
		return false;
	}
	return true;
}

static void take_avp(struct reader *reader, struct avp *avp)
{
	struct cp_message *message = reader->message;
	const struct cp_avp_info *info = avp->vendor == 0 ? cp_avp_find(avp->attribute) : NULL;
	uint16_t number = avp->attribute;

	if (is_misplaced(message->type, info)) {
		avp->head &= (uint16_t)~CP_AVP_M;
		complain(reader, avp, CP_ERROR_VALUE, "AVP %u of vendor %u has no place in type %u",
			 number, avp->vendor, message->type);
		return;
	}
	if (!info || avp->head & CP_AVP_RESERVED) {
		complain(reader, avp, CP_ERROR_UNKNOWN_MANDATORY,
			 info ? "reserved bits are set in AVP %u of vendor %u"
			      : "AVP %u of vendor %u is unknown",
			 number, avp->vendor);
		return;
	}
	if (cp_message_has(message, number) && number != CP_AVP_RANDOM_VECTOR &&
	    info->kind != CP_KIND_STATE) {
		avp->head &= (uint16_t)~CP_AVP_M;
		complain(reader, avp, CP_ERROR_VALUE, "%s is there twice", info->name);
		return;
	}
	if (avp->head & CP_AVP_H && !unhide(reader, avp, info))
		return;
	if (!check_value(reader, avp, info))
		return;
	cp_avp_store((uint8_t *)message + info->offset, info->kind, avp->value.bytes,
		     avp->value.length);
	message->present[number / 64] |= UINT64_C(1) << (number % 64);
}

static void take_avps(struct reader *reader, const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		const uint8_t *p = bytes + at;
		size_t left = length - at;
		struct avp avp = {.head = CP_AVP_M};
		if (left < CP_AVP_HEADER_SIZE) {
			complain(reader, &avp, CP_ERROR_LENGTH,
				 "%zu octets are left over after the last AVP", left);
			return;
		}
		uint16_t size = lc_get16(p) & CP_AVP_LENGTH_MASK;
		avp = (struct avp){
		    lc_get16(p), lc_get16(p + 2), lc_get16(p + 4), {p + CP_AVP_HEADER_SIZE, 0}};
		if (size < CP_AVP_HEADER_SIZE || size > left) {
			avp.head |= CP_AVP_M; /* all that follows is lost with it */
			complain(reader, &avp, CP_ERROR_LENGTH,
				 "AVP %u of vendor %u is %u octets long with %zu octets left",
				 avp.attribute, avp.vendor, size, left);
			return;
		}
		avp.value.length = (uint16_t)(size - CP_AVP_HEADER_SIZE);
		take_avp(reader, &avp);
		at += size;
	}
}

/* No error code says that something is missing: the generic one, and the text says the rest. A query
 * or response about no session asks for nothing, and ends nothing. */
static void check_required(struct reader *reader)
{
	uint16_t type = reader->message->type;
	uint16_t head = type_among(type, closed_messages) ? 0 : CP_AVP_M;
	for (uint16_t i = 0; i < CP_N_ATTRIBUTES; i++) {
		const struct cp_avp_info *info = cp_avp_find(i);
		if (info && type_among(type, info->required) && !cp_message_has(reader->message, i))
			complain(reader, &(struct avp){.head = head, .attribute = i},
				 CP_ERROR_VENDOR, "%s is missing", info->name);
	}
}

static enum cp_verdict discard(struct cp_message *message, enum cp_error error, const char *why)
{
	message->fault.error = (uint16_t)error;
	snprintf(message->fault.text, sizeof(message->fault.text), "%s", why);
	return CP_DISCARD;
}

enum cp_verdict cp_message_decode(struct cp_message *message, const uint8_t *bytes, size_t length,
				  const char *secret)
{
	struct reader reader = {message, secret && *secret ? secret : NULL, CP_ACCEPT};
	struct lc_l2tp_header header;

	memset(message, 0, offsetof(struct cp_message, scratch));
	if (length > sizeof(message->scratch))
		return discard(message, CP_ERROR_LENGTH, "the message is too long");
	if (lc_l2tp_parse(bytes, length, &header) || !(header.bits & LC_L2TP_TYPE))
		return discard(message, CP_ERROR_VALUE, "no control header of L2TP version 2");
	message->tunnel_id = header.tunnel_id;
	message->session_id = header.session_id;
	if (header.total == header.size)
		return CP_ACCEPT; /* ZLB */

	int type = lc_l2tp_message_type(bytes, header.total);
	struct avp first = {.head = CP_AVP_M};
	if (type < 0) {
		complain(&reader, &first, CP_ERROR_VALUE,
			 "the first AVP is not a valid Message Type");
		return reader.verdict;
	}
	message->type = (uint16_t)type;
	if (!type_among(message->type, tunnel_messages | session_messages)) {
		if (!(lc_get16(bytes + header.size) & CP_AVP_M))
			return CP_IGNORE;
		complain(&reader, &first, CP_ERROR_UNKNOWN_MANDATORY,
			 "Message Type (AVP 0) %d is unknown", type);
		return reader.verdict;
	}
	take_avps(&reader, bytes + header.size, header.total - header.size);
	check_required(&reader);
	return reader.verdict;
}
