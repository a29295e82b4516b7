/* SPDX-License-Identifier: BSD-3-Clause */
/* The attributes of L2TP control messages: their numbers, and in one table what RFC 2661
 * section 4.4 prescribes for each. Both directions stand on that table. Constant data: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attribute Type with Vendor ID 0 (RFC 2661 section 4.4). */
enum cp_attribute {
	CP_AVP_MESSAGE_TYPE = 0,         /* 4.4.1 */
	CP_AVP_RESULT_CODE = 1,          /* 4.4.2 */
	CP_AVP_PROTOCOL_VERSION = 2,     /* 4.4.3 */
	CP_AVP_FRAMING_CAPABILITIES = 3, /* enum cp_framing */
	CP_AVP_BEARER_CAPABILITIES = 4,  /* enum cp_bearer */
	CP_AVP_TIE_BREAKER = 5,
	CP_AVP_FIRMWARE_REVISION = 6,
	CP_AVP_HOST_NAME = 7,
	CP_AVP_VENDOR_NAME = 8,
	CP_AVP_ASSIGNED_TUNNEL_ID = 9,
	CP_AVP_RECEIVE_WINDOW_SIZE = 10,
	CP_AVP_CHALLENGE = 11,
	CP_AVP_CAUSE_CODE = 12,          /* 4.4.4 Q.931 */
	CP_AVP_CHALLENGE_RESPONSE = 13,  /* 4.4.3 */
	CP_AVP_ASSIGNED_SESSION_ID = 14, /* 4.4.4 */
	CP_AVP_CALL_SERIAL_NUMBER = 15,
	CP_AVP_MINIMUM_BPS = 16,
	CP_AVP_MAXIMUM_BPS = 17,
	CP_AVP_BEARER_TYPE = 18,  /* enum cp_bearer */
	CP_AVP_FRAMING_TYPE = 19, /* enum cp_framing */
	CP_AVP_CALLED_NUMBER = 21,
	CP_AVP_CALLING_NUMBER = 22,
	CP_AVP_SUB_ADDRESS = 23,
	CP_AVP_TX_CONNECT_SPEED = 24,
	CP_AVP_PHYSICAL_CHANNEL_ID = 25,
	CP_AVP_INITIAL_RECEIVED_LCP = 26, /* 4.4.5 */
	CP_AVP_LAST_SENT_LCP = 27,
	CP_AVP_LAST_RECEIVED_LCP = 28,
	CP_AVP_PROXY_AUTHEN_TYPE = 29, /* enum cp_proxy_authen */
	CP_AVP_PROXY_AUTHEN_NAME = 30,
	CP_AVP_PROXY_AUTHEN_CHALLENGE = 31,
	CP_AVP_PROXY_AUTHEN_ID = 32,
	CP_AVP_PROXY_AUTHEN_RESPONSE = 33,
	CP_AVP_CALL_ERRORS = 34, /* 4.4.6 */
	CP_AVP_ACCM = 35,
	CP_AVP_RANDOM_VECTOR = 36,    /* 4.4.1 */
	CP_AVP_PRIVATE_GROUP_ID = 37, /* 4.4.4 */
	CP_AVP_RX_CONNECT_SPEED = 38,
	CP_AVP_SEQUENCING_REQUIRED = 39,
	CP_AVP_DISCONNECT_CAUSE = 46,           /* RFC 3145 section 2 */
	CP_AVP_FAILOVER_CAPABILITY = 76,        /* RFC 4951 section 5.1 */
	CP_AVP_TUNNEL_RECOVERY = 77,            /* 5.2 */
	CP_AVP_SUGGESTED_CONTROL_SEQUENCE = 78, /* 5.3 */
	CP_AVP_FAILOVER_SESSION_STATE = 79,     /* 5.4 */
	CP_N_ATTRIBUTES = 128,                  /* above every number of this list */
};

/* StopCCN result codes (4.4.2). */
enum cp_stopccn_result {
	CP_STOPCCN_GENERAL = 1, /* general request to clear */
	CP_STOPCCN_ERROR = 2,   /* general error: see the error code */
	CP_STOPCCN_EXISTS = 3,  /* control channel already exists */
	CP_STOPCCN_NOT_AUTHORIZED = 4,
	CP_STOPCCN_VERSION = 5,  /* error code: highest version supported */
	CP_STOPCCN_SHUTDOWN = 6, /* requester is being shut down */
	CP_STOPCCN_FSM = 7,      /* finite state machine error */
};

/* CDN result codes (4.4.2). */
enum cp_cdn_result {
	CP_CDN_CARRIER_LOST = 1,
	CP_CDN_ERROR = 2, /* general error: see the error code */
	CP_CDN_ADMINISTRATIVE = 3,
	CP_CDN_NO_FACILITIES = 4,      /* temporary */
	CP_CDN_NO_FACILITIES_EVER = 5, /* permanent */
	CP_CDN_INVALID_DESTINATION = 6,
	CP_CDN_NO_CARRIER = 7,
	CP_CDN_BUSY = 8,
	CP_CDN_NO_DIAL_TONE = 9,
	CP_CDN_TIMEOUT = 10, /* not established within the time allotted by the LAC */
	CP_CDN_NO_FRAMING = 11,
};

/* General error codes (4.4.2), with result code 2. */
enum cp_error {
	CP_ERROR_NONE = 0,
	CP_ERROR_NO_CONTROL_CONNECTION = 1,
	CP_ERROR_LENGTH = 2,
	CP_ERROR_VALUE = 3, /* out of range, or a reserved field not zero */
	CP_ERROR_RESOURCES = 4,
	CP_ERROR_SESSION_ID = 5, /* invalid in this context */
	CP_ERROR_VENDOR = 6,     /* generic; the error message says more */
	CP_ERROR_TRY_ANOTHER = 7,
	CP_ERROR_UNKNOWN_MANDATORY = 8, /* the error message names the attribute (4.2) */
};

/* Framing capabilities and types, bearer capabilities and types (4.4.3, 4.4.4). */
enum cp_framing {
	CP_FRAMING_SYNC = 1,
	CP_FRAMING_ASYNC = 2,
};
enum cp_bearer {
	CP_BEARER_DIGITAL = 1,
	CP_BEARER_ANALOG = 2,
};

/* Proxy Authen Type (4.4.5). */
enum cp_proxy_authen {
	CP_PROXY_TEXT = 1,
	CP_PROXY_CHAP = 2,
	CP_PROXY_PAP = 3,
	CP_PROXY_NONE = 4,
	CP_PROXY_MSCHAP1 = 5,
};

enum {
	CP_PROTOCOL_VERSION = 0x0100,  /* version 1, revision 0 (4.4.3) */
	CP_DEFAULT_RECEIVE_WINDOW = 4, /* where the AVP is absent (4.4.3) */
	CP_AVP_HEADER_SIZE = 6,        /* 4.1 */
	CP_AVP_VALUE_MAX = 1023 - CP_AVP_HEADER_SIZE,
};

/* AVP header bits (4.1); the rest of the first 16 bits: four reserved bits, then ten of length. */
enum cp_avp_bits {
	CP_AVP_M = 0x8000,
	CP_AVP_H = 0x4000,
	CP_AVP_RESERVED = 0x3c00,
	CP_AVP_LENGTH_MASK = 0x03ff,
};

/* The two bits of Failover Capability (RFC 4951 section 5.1), in the 16 before Recovery Time. */
enum cp_failover_bits {
	CP_FAILOVER_C = 0x0001, /* control channel */
	CP_FAILOVER_D = 0x0002, /* data channels */
};

/* How a value is laid out, and with which field of struct cp_message it goes. */
enum cp_avp_kind {
	CP_KIND_U16,
	CP_KIND_U32,
	CP_KIND_U64,
	CP_KIND_OCTETS,      /* struct cp_octets */
	CP_KIND_FLAG,        /* no value: presence says all */
	CP_KIND_RESULT,      /* struct cp_result */
	CP_KIND_CAUSE,       /* struct cp_cause */
	CP_KIND_CALL_ERRORS, /* struct cp_call_errors */
	CP_KIND_ACCM,        /* struct cp_accm */
	CP_KIND_DISCONNECT,  /* struct cp_disconnect */
	CP_KIND_FAILOVER,    /* struct cp_failover */
	CP_KIND_RECOVERY,    /* struct cp_recovery */
	CP_KIND_SEQUENCE,    /* struct cp_sequence */
	CP_KIND_STATE,       /* struct cp_states: may be repeated */
};

/* What is prescribed for an attribute. */
struct cp_avp_info {
	const char *name; /* "Assigned Tunnel ID"; NULL: no such attribute */
	uint8_t kind;     /* enum cp_avp_kind */
	bool mandatory;   /* M as we send it */
	bool hideable;    /* H may be 1 */
	bool nonzero;     /* 0 is out of range, but in messages that end something (StopCCN, CDN) */
	bool confined;    /* left out of a received message that may not carry it, whatever its M */
	uint16_t min, max; /* octets of the value, before hiding */
	uint16_t offset;   /* of its field in struct cp_message */
	uint32_t messages; /* 1 << message type: those that may carry it */
	uint32_t required; /* ... and those that must */
	uint32_t optional; /* ... and those that carry it without M, though it is mandatory */
};

/* NULL: unknown attribute. */
const struct cp_avp_info *cp_avp_find(uint16_t attribute);

/* Takes a value in the clear, of a length that the table allows, into the field that the table
 * names. Octets stay where they are: the field refers to them. A state is added to the list. */
void cp_avp_store(void *field, enum cp_avp_kind kind, const uint8_t *value, uint16_t length);
