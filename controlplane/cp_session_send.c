/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of calls (RFC 2661 sections 6.6 to 6.14). */
#include "cp_engine_internal.h"

#include "lc_module.h"

#include <string.h>

/* The line's rate, for the Connect Speed AVP (4.4.4): the access port's own, else its module's. */
static uint32_t line_speed(const struct cfg *cfg, uint16_t port)
{
	uint8_t slot;
	const struct lc_module *module = lc_module_find(cp_port_module(cfg, port, &slot));
	uint64_t rate = module != NULL ? module->line_rate : 0;

	if (port < cfg->n_ports && cfg->ports[port].rate_kbps != 0)
		rate = cfg->ports[port].rate_kbps * UINT64_C(1000);
	return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

int cp_send_icrq(struct cp_turn *turn, const struct lc_session *s)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_ICRQ, 0);
	cp_send_hide(turn, &b);
	cp_builder_u16(&b, CP_AVP_ASSIGNED_SESSION_ID, s->id);
	cp_builder_u32(&b, CP_AVP_CALL_SERIAL_NUMBER, s->call_serial);
	cp_builder_u32(&b, CP_AVP_BEARER_TYPE, s->bearer_type);
	/* So that the LNS knows early who it is; a longer name comes with the ICCN. */
	if (s->name[0] != 0 && strlen(s->name) < sizeof(s->calling))
		cp_builder_string(&b, CP_AVP_CALLING_NUMBER, s->name);
	return cp_send(turn, &b);
}

int cp_send_icrp(struct cp_turn *turn, const struct lc_session *s)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_ICRP, s->peer_session_id);
	cp_send_hide(turn, &b);
	cp_builder_u16(&b, CP_AVP_ASSIGNED_SESSION_ID, s->id);
	return cp_send(turn, &b);
}

int cp_send_iccn(struct cp_turn *turn, const struct lc_session *s)
{
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_ICCN, s->peer_session_id);
	cp_send_hide(turn, &b);
	cp_builder_u32(&b, CP_AVP_TX_CONNECT_SPEED, line_speed(turn->engine->cfg, s->access_port));
	cp_builder_u32(&b, CP_AVP_FRAMING_TYPE, s->framing_type);
	if (s->name[0] != 0) {
		cp_builder_u16(&b, CP_AVP_PROXY_AUTHEN_TYPE, CP_PROXY_NONE);
		cp_builder_string(&b, CP_AVP_PROXY_AUTHEN_NAME, s->name);
	}
	if (s->group[0] != 0)
		cp_builder_string(&b, CP_AVP_PRIVATE_GROUP_ID, s->group);
	if (turn->tunnel->data_sequencing)
		cp_builder_flag(&b, CP_AVP_SEQUENCING_REQUIRED);
	return cp_send(turn, &b);
}

int cp_send_cdn(struct cp_turn *turn, uint16_t session_id, uint16_t peer_session_id)
{
	const struct cp_end *end = &turn->end;
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_CDN, peer_session_id);
	cp_send_hide(turn, &b);
	cp_builder_result(&b, end->result, end->error, end->text[0] != 0 ? end->text : NULL);
	cp_builder_u16(&b, CP_AVP_ASSIGNED_SESSION_ID, session_id);
	return cp_send(turn, &b);
}

int cp_send_sli(struct cp_turn *turn, const struct lc_session *s)
{
	const struct cp_accm accm = {.send = s->send_accm, .receive = s->receive_accm};
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_SLI, s->peer_session_id);
	cp_send_hide(turn, &b);
	cp_builder_accm(&b, &accm);
	return cp_send(turn, &b);
}

int cp_send_wen(struct cp_turn *turn, const struct lc_session *s)
{
	const struct cp_call_errors errors = {
	    .crc = s->wen[0],
	    .framing = s->wen[1],
	    .hardware_overruns = s->wen[2],
	    .buffer_overruns = s->wen[3],
	    .timeouts = s->wen[4],
	    .alignment = s->wen[5],
	};
	uint8_t bytes[LC_MESSAGE_MAX];
	struct cp_builder b;

	cp_send_start(turn, &b, bytes, LC_MSG_WEN, s->peer_session_id);
	cp_send_hide(turn, &b);
	cp_builder_call_errors(&b, &errors);
	return cp_send(turn, &b);
}
