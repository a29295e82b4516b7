/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_message.h"

/* One line an attribute, from RFC 2661 section 4.4 (the value) and 6.1 to 6.14 (the messages), and
 * from RFC 4951 sections 4 and 5. The
 * decoder, the builder and the checks of both read it; nothing about a particular attribute is
 * written anywhere else but where a composite value is taken apart. */

#define IN(type)   (UINT32_C(1) << LC_MSG_##type)
#define CALLS      (IN(ICRQ) | IN(ICRP) | IN(OCRQ) | IN(OCRP))
#define START      (IN(SCCRQ) | IN(SCCRP))
#define CONNECTED  (IN(ICCN) | IN(OCCN))
#define STATES     (IN(FSQ) | IN(FSR))
#define AT(field)  .offset = offsetof(struct cp_message, field)
#define FIXED(n)   .min = (n), .max = (n)
#define FROM(n)    .min = (n), .max = CP_AVP_VALUE_MAX
#define M          .mandatory = true
#define H          .hideable = true
#define CONFINED   .confined = true
#define ONLY(mask) .messages = (mask), .required = (mask) /* in these, always */
#define MAY(mask)  .messages = (mask)

static const struct cp_avp_info attributes[CP_N_ATTRIBUTES] = {
    /* clang-format off */
[CP_AVP_MESSAGE_TYPE] = {"Message Type", CP_KIND_U16, M, FIXED(2), AT(type), ONLY(UINT32_MAX),
	.optional = STATES},
[CP_AVP_RESULT_CODE] = {"Result Code", CP_KIND_RESULT, M, FROM(2), AT(result), ONLY(IN(STOPCCN) | IN(CDN))},
[CP_AVP_PROTOCOL_VERSION] = {"Protocol Version", CP_KIND_U16, M, FIXED(2), AT(protocol_version), ONLY(START)},
[CP_AVP_FRAMING_CAPABILITIES] = {"Framing Capabilities", CP_KIND_U32, M, H, FIXED(4), AT(framing_capabilities), ONLY(START)},
[CP_AVP_BEARER_CAPABILITIES] = {"Bearer Capabilities", CP_KIND_U32, M, H, FIXED(4), AT(bearer_capabilities), MAY(START)},
[CP_AVP_TIE_BREAKER] = {"Tie Breaker", CP_KIND_U64, FIXED(8), AT(tie_breaker), MAY(IN(SCCRQ))},
[CP_AVP_FIRMWARE_REVISION] = {"Firmware Revision", CP_KIND_U16, H, FIXED(2), AT(firmware_revision), MAY(START)},
[CP_AVP_HOST_NAME] = {"Host Name", CP_KIND_OCTETS, M, FROM(1), AT(host_name), ONLY(START)},
[CP_AVP_VENDOR_NAME] = {"Vendor Name", CP_KIND_OCTETS, H, FROM(0), AT(vendor_name), MAY(START)},
[CP_AVP_ASSIGNED_TUNNEL_ID] = {"Assigned Tunnel ID", CP_KIND_U16, M, H, .nonzero = true, FIXED(2), AT(assigned_tunnel_id),
	ONLY(START | IN(STOPCCN))},
[CP_AVP_RECEIVE_WINDOW_SIZE] = {"Receive Window Size", CP_KIND_U16, M, .nonzero = true, FIXED(2), AT(receive_window_size),
	MAY(START)},
[CP_AVP_CHALLENGE] = {"Challenge", CP_KIND_OCTETS, M, H, FROM(1), AT(challenge), MAY(START)},
[CP_AVP_CAUSE_CODE] = {"Q.931 Cause Code", CP_KIND_CAUSE, M, FROM(3), AT(cause), MAY(IN(CDN))},
[CP_AVP_CHALLENGE_RESPONSE] = {"Challenge Response", CP_KIND_OCTETS, M, H, FIXED(16), AT(challenge_response),
	MAY(IN(SCCRP) | IN(SCCCN))},
[CP_AVP_ASSIGNED_SESSION_ID] = {"Assigned Session ID", CP_KIND_U16, M, H, .nonzero = true, FIXED(2), AT(assigned_session_id),
	ONLY(CALLS | IN(CDN))},
[CP_AVP_CALL_SERIAL_NUMBER] = {"Call Serial Number", CP_KIND_U32, M, H, FIXED(4), AT(call_serial_number), ONLY(IN(ICRQ) | IN(OCRQ))},
[CP_AVP_MINIMUM_BPS] = {"Minimum BPS", CP_KIND_U32, M, H, FIXED(4), AT(minimum_bps), ONLY(IN(OCRQ))},
[CP_AVP_MAXIMUM_BPS] = {"Maximum BPS", CP_KIND_U32, M, H, FIXED(4), AT(maximum_bps), ONLY(IN(OCRQ))},
[CP_AVP_BEARER_TYPE] = {"Bearer Type", CP_KIND_U32, M, H, FIXED(4), AT(bearer_type), MAY(IN(ICRQ) | IN(OCRQ)), .required = IN(OCRQ)},
[CP_AVP_FRAMING_TYPE] = {"Framing Type", CP_KIND_U32, M, H, FIXED(4), AT(framing_type), ONLY(CONNECTED | IN(OCRQ))},
[CP_AVP_CALLED_NUMBER] = {"Called Number", CP_KIND_OCTETS, M, H, FROM(0), AT(called_number), MAY(IN(ICRQ) | IN(OCRQ)),
	.required = IN(OCRQ)},
[CP_AVP_CALLING_NUMBER] = {"Calling Number", CP_KIND_OCTETS, M, H, FROM(0), AT(calling_number), MAY(IN(ICRQ))},
[CP_AVP_SUB_ADDRESS] = {"Sub-Address", CP_KIND_OCTETS, M, H, FROM(0), AT(sub_address), MAY(IN(ICRQ) | IN(OCRQ))},
[CP_AVP_TX_CONNECT_SPEED] = {"(Tx) Connect Speed", CP_KIND_U32, M, H, FIXED(4), AT(tx_connect_speed), ONLY(CONNECTED)},
[CP_AVP_PHYSICAL_CHANNEL_ID] = {"Physical Channel ID", CP_KIND_U32, H, FIXED(4), AT(physical_channel_id), MAY(IN(ICRQ) | IN(OCRP))},
[CP_AVP_INITIAL_RECEIVED_LCP] = {"Initial Received LCP CONFREQ", CP_KIND_OCTETS, H, FROM(0), AT(initial_received_lcp), MAY(IN(ICCN))},
[CP_AVP_LAST_SENT_LCP] = {"Last Sent LCP CONFREQ", CP_KIND_OCTETS, H, FROM(0), AT(last_sent_lcp), MAY(IN(ICCN))},
[CP_AVP_LAST_RECEIVED_LCP] = {"Last Received LCP CONFREQ", CP_KIND_OCTETS, H, FROM(0), AT(last_received_lcp), MAY(IN(ICCN))},
[CP_AVP_PROXY_AUTHEN_TYPE] = {"Proxy Authen Type", CP_KIND_U16, H, FIXED(2), AT(proxy_authen_type), MAY(IN(ICCN))},
[CP_AVP_PROXY_AUTHEN_NAME] = {"Proxy Authen Name", CP_KIND_OCTETS, H, FROM(0), AT(proxy_authen_name), MAY(IN(ICCN))},
[CP_AVP_PROXY_AUTHEN_CHALLENGE] = {"Proxy Authen Challenge", CP_KIND_OCTETS, H, FROM(1), AT(proxy_authen_challenge), MAY(IN(ICCN))},
[CP_AVP_PROXY_AUTHEN_ID] = {"Proxy Authen ID", CP_KIND_U16, H, FIXED(2), AT(proxy_authen_id), MAY(IN(ICCN))},
[CP_AVP_PROXY_AUTHEN_RESPONSE] = {"Proxy Authen Response", CP_KIND_OCTETS, H, FROM(0), AT(proxy_authen_response), MAY(IN(ICCN))},
[CP_AVP_CALL_ERRORS] = {"Call Errors", CP_KIND_CALL_ERRORS, M, H, FIXED(26), AT(call_errors), ONLY(IN(WEN))},
[CP_AVP_ACCM] = {"ACCM", CP_KIND_ACCM, M, H, FIXED(10), AT(accm), ONLY(IN(SLI))},
[CP_AVP_RANDOM_VECTOR] = {"Random Vector", CP_KIND_OCTETS, M, FROM(0), AT(random_vector), MAY(UINT32_MAX)},
[CP_AVP_PRIVATE_GROUP_ID] = {"Private Group ID", CP_KIND_OCTETS, H, FROM(0), AT(private_group_id), MAY(IN(ICCN))},
[CP_AVP_RX_CONNECT_SPEED] = {"Rx Connect Speed", CP_KIND_U32, H, FIXED(4), AT(rx_connect_speed), MAY(CONNECTED)},
[CP_AVP_SEQUENCING_REQUIRED] = {"Sequencing Required", CP_KIND_FLAG, M, FIXED(0), MAY(CONNECTED)},
[CP_AVP_DISCONNECT_CAUSE] = {"PPP Disconnect Cause Code", CP_KIND_DISCONNECT, H, FROM(5), AT(disconnect), MAY(IN(CDN))},
/* Against RFC 4951 section 5.1, in a StopCCN too: with Recovery Time 0 it tells a peer that did not
 * answer that no recovery is waited for any more. Whether it is sent there is configured. */
[CP_AVP_FAILOVER_CAPABILITY] = {"Failover Capability", CP_KIND_FAILOVER, H, CONFINED, FIXED(6), AT(failover),
	MAY(START | IN(STOPCCN))},
[CP_AVP_TUNNEL_RECOVERY] = {"Tunnel Recovery", CP_KIND_RECOVERY, M, CONFINED, FIXED(10), AT(recovery), MAY(IN(SCCRQ))},
[CP_AVP_SUGGESTED_CONTROL_SEQUENCE] = {"Suggested Control Sequence", CP_KIND_SEQUENCE, H, CONFINED, FIXED(6), AT(sequence),
	MAY(IN(SCCRP))},
[CP_AVP_FAILOVER_SESSION_STATE] = {"Failover Session State", CP_KIND_STATE, M, H, CONFINED, FIXED(10), AT(states), ONLY(STATES)},
    /* clang-format on */
};

const struct cp_avp_info *cp_avp_find(uint16_t attribute)
{
	return attribute < CP_N_ATTRIBUTES && attributes[attribute].name ? &attributes[attribute]
									 : NULL;
}

static struct cp_octets rest(const uint8_t *value, uint16_t length, uint16_t from)
{
	if (length <= from)
		return (struct cp_octets){0};
	return (struct cp_octets){value + from, (uint16_t)(length - from)};
}

/* RFC 4951 section 5. What is reserved may hold anything. */
static void store_failover(void *field, enum cp_avp_kind kind, const uint8_t *v)
{
	if (kind == CP_KIND_FAILOVER) {
		bool control = lc_get16(v) & CP_FAILOVER_C;
		*(struct cp_failover *)field = (struct cp_failover){
		    control, lc_get16(v) & CP_FAILOVER_D, control ? lc_get32(v + 2) : 0};
	} else if (kind == CP_KIND_RECOVERY) {
		*(struct cp_recovery *)field =
		    (struct cp_recovery){lc_get16(v + 4), lc_get16(v + 8)};
	} else if (kind == CP_KIND_SEQUENCE) {
		*(struct cp_sequence *)field =
		    (struct cp_sequence){lc_get16(v + 2), lc_get16(v + 4)};
	} else { /* a message has no room for more than fit into the list */
		struct cp_states *states = field;
		states->list[states->n++] = (struct cp_state){lc_get16(v + 4), lc_get16(v + 8)};
	}
}

void cp_avp_store(void *field, enum cp_avp_kind kind, const uint8_t *v, uint16_t length)
{
	switch (kind) {
	case CP_KIND_U16:
		*(uint16_t *)field = lc_get16(v);
		break;
	case CP_KIND_U32:
		*(uint32_t *)field = lc_get32(v);
		break;
	case CP_KIND_U64:
		*(uint64_t *)field = (uint64_t)lc_get32(v) << 32 | lc_get32(v + 4);
		break;
	case CP_KIND_OCTETS:
		*(struct cp_octets *)field = (struct cp_octets){v, length};
		break;
	case CP_KIND_FLAG:
		break;
	case CP_KIND_RESULT:
		*(struct cp_result *)field = (struct cp_result){
		    lc_get16(v), length >= 4 ? lc_get16(v + 2) : 0, rest(v, length, 4)};
		break;
	case CP_KIND_CAUSE:
		*(struct cp_cause *)field =
		    (struct cp_cause){lc_get16(v), v[2], rest(v, length, 3)};
		break;
	case CP_KIND_CALL_ERRORS: /* after two reserved octets, as in ACCM */
		*(struct cp_call_errors *)field =
		    (struct cp_call_errors){lc_get32(v + 2),  lc_get32(v + 6),  lc_get32(v + 10),
					    lc_get32(v + 14), lc_get32(v + 18), lc_get32(v + 22)};
		break;
	case CP_KIND_ACCM:
		*(struct cp_accm *)field = (struct cp_accm){lc_get32(v + 2), lc_get32(v + 6)};
		break;
	case CP_KIND_DISCONNECT:
		*(struct cp_disconnect *)field =
		    (struct cp_disconnect){lc_get16(v), lc_get16(v + 2), v[4], rest(v, length, 5)};
		break;
	case CP_KIND_FAILOVER:
	case CP_KIND_RECOVERY:
	case CP_KIND_SEQUENCE:
	case CP_KIND_STATE:
		store_failover(field, kind, v);
		break;
	}
}
