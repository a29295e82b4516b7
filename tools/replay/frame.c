/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#include "wire.h"

enum { PPPOE_VERSION_TYPE = 0x11, PPPOE_CODE_SESSION = 0, PPPOE_HEADER = 6, PPP_PROTOCOL = 2 };

size_t frame_put_ether(uint8_t *out, const uint8_t *destination, const uint8_t *source,
		       uint16_t vlan, uint16_t type)
{
	size_t at = 12;

	memcpy(out, destination, 6);
	memcpy(out + 6, source, 6);
	if (vlan != 0) {
		wire_put16(out + at, WIRE_TYPE_VLAN_C);
		wire_put16(out + at + 2, vlan);
		at += WIRE_VLAN;
	}
	wire_put16(out + at, type);
	return at + 2;
}

size_t frame_put_pppoe(uint8_t *out, const uint8_t *destination, const uint8_t *source,
		       uint16_t vlan, uint16_t session, int family, size_t length)
{
	size_t at = frame_put_ether(out, destination, source, vlan, WIRE_TYPE_PPPOE);

	out[at] = PPPOE_VERSION_TYPE;
	out[at + 1] = PPPOE_CODE_SESSION;
	wire_put16(out + at + 2, session);
	wire_put16(out + at + 4, (uint32_t)length + PPP_PROTOCOL);
	wire_put16(out + at + 6, family == 4 ? WIRE_PPP_IPV4 : WIRE_PPP_IPV6);
	return at + PPPOE_HEADER + PPP_PROTOCOL;
}

bool frame_parse(const uint8_t *frame, size_t length, uint16_t vlan, struct frame_view *view)
{
	size_t at = WIRE_ETHER;

	if (length < at)
		return false;
	view->destination = frame;
	view->source = frame + 6;
	view->vlan = vlan;
	view->type = wire_get16(frame + 12);
	if (view->type == WIRE_TYPE_VLAN_C && vlan == 0) {
		if (length < at + WIRE_VLAN)
			return false;
		view->vlan = wire_get16(frame + at) & 0x0fff;
		view->type = wire_get16(frame + at + 2);
		at += WIRE_VLAN;
	}
	view->payload = frame + at;
	view->length = length - at;
	return true;
}

bool frame_parse_ppp(const struct frame_view *view, struct frame_ppp *ppp)
{
	const uint8_t *at = view->payload;

	if (view->type != WIRE_TYPE_PPPOE || view->length < WIRE_PPPOE ||
	    at[0] != PPPOE_VERSION_TYPE || at[1] != PPPOE_CODE_SESSION)
		return false;
	size_t length = wire_get16(at + 4);
	if (length < PPP_PROTOCOL || length > view->length - PPPOE_HEADER)
		return false;
	ppp->session = wire_get16(at + 2);
	ppp->protocol = wire_get16(at + 6);
	ppp->payload = at + WIRE_PPPOE;
	ppp->length = length - PPP_PROTOCOL;
	return true;
}
