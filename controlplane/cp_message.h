/* SPDX-License-Identifier: BSD-3-Clause */
/* L2TP control messages, from octets and to octets (RFC 2661 sections 4 and 6).
 *
 * Pure: no clock, no randomness, no log, no memory of its own. Integers are in host byte order.
 */
#pragma once

#include "cp_avp.h"
#include "lc_l2tp.h"
#include "lc_mirror.h"

/* Octets of a message (or of the message's scratch): valid as long as both are. */
struct cp_octets {
	const uint8_t *bytes;
	uint16_t length;
};

struct cp_result { /* 4.4.2 */
	uint16_t code;
	uint16_t error; /* 0 where absent */
	struct cp_octets text;
};

struct cp_cause { /* 4.4.4, Q.931 */
	uint16_t code;
	uint8_t message;
	struct cp_octets advisory;
};

struct cp_call_errors { /* 4.4.6: since the call was established */
	uint32_t crc, framing, hardware_overruns, buffer_overruns, timeouts, alignment;
};

struct cp_accm { /* 4.4.6 */
	uint32_t send, receive;
};

struct cp_disconnect { /* RFC 3145 section 2 */
	uint16_t code;
	uint16_t protocol;
	uint8_t direction; /* 0: global, 1: at peer, 2: at local */
	struct cp_octets text;
};

/* RFC 4951 section 5.1. */
struct cp_failover {
	bool control, data;        /* C, D */
	uint32_t recovery_time_ms; /* 0 where C is not set: it means nothing there */
};

/* 5.2: IDs as the sender of the message knows them. */
struct cp_recovery {
	uint16_t tunnel_id;        /* Recover Tunnel ID: the sender's */
	uint16_t remote_tunnel_id; /* Recover Remote Tunnel ID: its peer's */
};

/* 5.3: what the recovery endpoint is to use. */
struct cp_sequence {
	uint16_t ns, nr;
};

/* 5.4: as the sender of the message knows the session; session_id 0 in an FSR: there is none. */
struct cp_state {
	uint16_t session_id, remote_session_id;
};

enum { CP_MAX_STATES = LC_MESSAGE_MAX / 16 }; /* in one message: each takes 16 octets or more */

struct cp_states { /* in the message's order */
	uint16_t n;
	struct cp_state list[CP_MAX_STATES];
};

/* What the engine has to do with a message. */
enum cp_verdict {
	CP_ACCEPT = 0,    /* well-formed; unknown or malformed AVPs without M are left out */
	CP_IGNORE,        /* an unknown message type without M (4.4.1): consume it, do nothing */
	CP_DISCARD,       /* the header is malformed (7.1): consume it, do nothing */
	CP_CLEAR_SESSION, /* CDN, result CP_CDN_ERROR, with fault.error and fault.text (4.2, 7.1) */
	CP_CLEAR_TUNNEL,  /* StopCCN, result CP_STOPCCN_ERROR, likewise */
};

struct cp_fault {
	uint16_t error; /* enum cp_error */
	uint16_t vendor;
	uint16_t attribute; /* the offending one */
	char text[96];      /* for the error message (4.4.2) and for the log */
};

/* A decoded message. A field is meaningful where cp_message_has() says so, and zero where not. */
struct cp_message {
	uint16_t type;      /* enum lc_message_type, or unknown with CP_IGNORE */
	uint16_t tunnel_id; /* of the header */
	uint16_t session_id;
	uint64_t present[CP_N_ATTRIBUTES / 64];

	struct cp_result result;
	uint16_t protocol_version;
	uint32_t framing_capabilities, bearer_capabilities;
	uint64_t tie_breaker; /* as a number: the lower one wins */
	uint16_t firmware_revision;
	struct cp_octets host_name, vendor_name;
	uint16_t assigned_tunnel_id, receive_window_size;
	struct cp_octets challenge, challenge_response;
	struct cp_cause cause;
	uint16_t assigned_session_id;
	uint32_t call_serial_number;
	uint32_t minimum_bps, maximum_bps;
	uint32_t bearer_type, framing_type;
	struct cp_octets called_number, calling_number, sub_address;
	uint32_t tx_connect_speed, rx_connect_speed; /* bit/s */
	uint32_t physical_channel_id;
	struct cp_octets private_group_id;
	struct cp_octets initial_received_lcp, last_sent_lcp, last_received_lcp;
	uint16_t proxy_authen_type;
	struct cp_octets proxy_authen_name, proxy_authen_challenge;
	uint16_t proxy_authen_id;
	struct cp_octets proxy_authen_response;
	struct cp_call_errors call_errors;
	struct cp_accm accm;
	struct cp_octets random_vector; /* the last one seen */
	struct cp_disconnect disconnect;
	struct cp_failover failover;
	struct cp_recovery recovery;
	struct cp_sequence sequence;
	struct cp_states states;

	struct cp_fault fault; /* with CP_CLEAR_* and CP_DISCARD: the first thing found wrong */
	struct cp_fault note;  /* the first AVP that was left out, for the log (7.1) */
	unsigned n_ignored; /* AVPs left out: unknown or malformed without M, repeated, misplaced */
	size_t scratch_length;
	uint8_t scratch[LC_MESSAGE_MAX]; /* unhidden values */
};

static inline bool cp_message_has(const struct cp_message *message, enum cp_attribute attribute)
{
	return message->present[attribute / 64] >> (attribute % 64) & 1;
}

/* Reads a message from the first octet of its L2TP header (of at most LC_MESSAGE_MAX octets).
 * secret: the tunnel's shared secret, for hidden AVPs (4.3); NULL or "": none.
 *
 * Reading goes on after a fault as far as the AVPs can be told apart, so that what is needed to
 * answer (Assigned Tunnel or Session ID) is there if the message has it at all. A ZLB gives
 * CP_ACCEPT with type LC_MSG_ZLB. In particular:
 *  - the Host Name may not be hidden: where it decides on the secret, decode once without and again
 * with it;
 *  - a StopCCN or CDN ends what it ends, whatever else is wrong in it: look at the type before the
 * verdict;
 *  - of an AVP given twice, the first counts. RFC 2661 allows it for Random Vector alone and says
 * nothing of the rest; of Failover Session State (RFC 4951 section 5.4) all count;
 *  - in a Failover Session Query or Response, AVPs other than it may carry are left out, whatever
 * their M (RFC 4951 sections 4.1 and 4.2). Without any state it is no fault either: CP_ACCEPT with
 * states.n 0 and a note. One that is malformed and has M does clear the tunnel (RFC 2661 section 4.2);
 *  - RFC 4951's AVPs are left out of messages that may not carry them (5.1 to 5.4), whatever their M.
 * Failover Capability in a StopCCN is taken, but means nothing there. With neither C nor D it is
 * malformed (5.1): left out, as it has no M. Reserved bits and octets of these values are ignored;
 *  - AVPs of other vendors are unknown (4.1);
 *  - values are checked for length and for what 4.4 calls out of range; whether a value is
 * acceptable (version, result codes, proxy type, window) is the engine's. */
enum cp_verdict cp_message_decode(struct cp_message *message, const uint8_t *bytes, size_t length,
				  const char *secret);

/* ---- building ---- */

enum {
	CP_RANDOM_VECTOR_SIZE = 16, /* recommended in 4.4.1 */
	CP_HIDE_RANDOM_SIZE = 32,   /* the random vector, then octets to pad with (4.3) */
};

/* A message being written. Errors are kept and told once, by cp_builder_finish(). */
struct cp_builder {
	uint8_t *bytes;
	size_t capacity, length;
	uint16_t type;
	int error; /* 0 or -errno */
	uint64_t put[CP_N_ATTRIBUTES / 64];
	const char *secret; /* NULL: hide nothing */
	uint8_t random[CP_HIDE_RANDOM_SIZE];
};

/* Begins a message: header (Length, Ns and Nr follow later) and Message Type. tunnel_id,
 * session_id: the peer's. */
void cp_builder_start(struct cp_builder *builder, uint8_t *bytes, size_t capacity,
		      enum lc_message_type type, uint16_t tunnel_id, uint16_t session_id);

/* From here on hides every AVP that may be hidden (4.3). Puts a Random Vector. secret: kept by
 * reference until cp_builder_finish(); NULL or "": nothing happens. random: copied. At most once a
 * message. */
void cp_builder_hide(struct cp_builder *builder, const char *secret,
		     const uint8_t random[CP_HIDE_RANDOM_SIZE]);

/* Each puts one AVP; its M bit comes from the table, but for the Message Type of FSQ and FSR, which has
 * none (RFC 4951 section 4). */
void cp_builder_u16(struct cp_builder *builder, enum cp_attribute attribute, uint16_t value);
void cp_builder_u32(struct cp_builder *builder, enum cp_attribute attribute, uint32_t value);
void cp_builder_u64(struct cp_builder *builder, enum cp_attribute attribute, uint64_t value);
void cp_builder_octets(struct cp_builder *builder, enum cp_attribute attribute, const void *value,
		       size_t length);
void cp_builder_string(struct cp_builder *builder, enum cp_attribute attribute, const char *value);
void cp_builder_flag(struct cp_builder *builder, enum cp_attribute attribute);
/* error and text are left out where 0 and NULL (4.4.2). */
void cp_builder_result(struct cp_builder *builder, uint16_t code, uint16_t error, const char *text);
void cp_builder_cause(struct cp_builder *builder, const struct cp_cause *cause);
void cp_builder_call_errors(struct cp_builder *builder, const struct cp_call_errors *errors);
void cp_builder_accm(struct cp_builder *builder, const struct cp_accm *accm);
void cp_builder_disconnect(struct cp_builder *builder, const struct cp_disconnect *disconnect);
/* Neither C nor D: refused (RFC 4951 section 5.1). */
void cp_builder_failover(struct cp_builder *builder, const struct cp_failover *failover);
void cp_builder_recovery(struct cp_builder *builder, const struct cp_recovery *recovery);
void cp_builder_sequence(struct cp_builder *builder, const struct cp_sequence *sequence);
/* One Failover Session State AVP; may be called again and again. */
void cp_builder_state(struct cp_builder *builder, const struct cp_state *state);

/* How many Failover Session State AVPs fit into a message of at most length octets (L2TP header
 * included), hidden or not. */
unsigned cp_builder_states_room(size_t length, bool hidden);

/* The octets of the message, with its Length written. -EMSGSIZE: it did not fit; -EINVAL: an AVP
 * that this message may not carry, of a wrong length, given twice, or a required one left out (6.1
 * to 6.14); -ENOTSUP: no MD5 to hide with. */
int cp_builder_finish(struct cp_builder *builder);
