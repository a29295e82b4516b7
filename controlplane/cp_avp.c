/* SPDX-License-Identifier: BSD-3-Clause */
#include "cp_message.h"

/* One line an attribute, from RFC 2661 section 4.4 (the value) and 6.1 to 6.14 (the messages). The
 * decoder, the builder and the checks of both read it; nothing about a particular attribute is
 * written anywhere else but where a composite value is taken apart. */

#define IN(type)   (UINT32_C(1) << LC_MSG_##type)
#define CALLS      (IN(ICRQ) | IN(ICRP) | IN(OCRQ) | IN(OCRP))
#define START      (IN(SCCRQ) | IN(SCCRP))
#define CONNECTED  (IN(ICCN) | IN(OCCN))
#define AT(field)  .offset = offsetof(struct cp_message, field)
#define FIXED(n)   .min = (n), .max = (n)
#define FROM(n)    .min = (n), .max = CP_AVP_VALUE_MAX
#define M          .mandatory = true
#define H          .hideable = true
#define ONLY(mask) .messages = (mask), .required = (mask) /* in these, always */
#define MAY(mask)  .messages = (mask)

static const struct cp_avp_info attributes[CP_N_ATTRIBUTES] = {
    /* clang-format off */
[CP_AVP_MESSAGE_TYPE] = {"Message Type", CP_KIND_U16, M, FIXED(2), AT(type), ONLY(UINT32_MAX)},
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
    /* clang-format on */
};

const struct cp_avp_info *cp_avp_find(uint16_t attribute)
{
	return attribute < CP_N_ATTRIBUTES && attributes[attribute].name ? &attributes[attribute]
									 : NULL;
}
