/* SPDX-License-Identifier: BSD-3-Clause */
/* Which event is a message of the control connection, and is it acceptable? (RFC 2661 sections 4.2,
 * 4.4.3, 5.1.1, 7.1, 7.2.1) */
#include "cp_recover.h"

#include "cp_auth.h"

#include <string.h>

static bool not_acceptable(struct cp_turn *turn, uint16_t result, uint16_t error, const char *text)
{
	turn->engine->counters.authentication_failures += result == CP_STOPCCN_NOT_AUTHORIZED;
	cp_end_set(&turn->end, result, error, "%s", text);
	return false;
}

/* The peer's answer to our challenge (4.4.3: the ID is the type of the message that carries it). */
static bool is_authentic(struct cp_turn *turn)
{
	const struct lc_tunnel *t = turn->tunnel;
	const struct cp_message *m = turn->message;

	if (!t->challenged)
		return true;
	if (!cp_message_has(m, CP_AVP_CHALLENGE_RESPONSE))
		return not_acceptable(
		    turn, CP_STOPCCN_NOT_AUTHORIZED, 0,
		    "tunnel authentication is required, and there is no Challenge "
		    "Response");
	if (!cp_auth_verify(m->challenge_response.bytes, m->challenge_response.length,
			    (uint8_t)m->type, t->secret, t->challenge, sizeof(t->challenge)))
		return not_acceptable(turn, CP_STOPCCN_NOT_AUTHORIZED, 0,
				      "tunnel authentication failed: the passwords differ");
	return true;
}

/* A subscriber's tunnel may be for one LNS by name. */
static bool is_the_server(const struct cp_turn *turn)
{
	const struct lc_tunnel *t = turn->tunnel;
	const struct cp_octets host = turn->message->host_name;

	return t->server_host[0] == 0 || (strlen(t->server_host) == host.length &&
					  memcmp(t->server_host, host.bytes, host.length) == 0);
}

bool cp_tunnel_acceptable(struct cp_turn *turn)
{
	const struct cp_message *m = turn->message;

	if (turn->verdict != CP_ACCEPT)
		return not_acceptable(turn, CP_STOPCCN_ERROR, m->fault.error, m->fault.text);
	if (m->type == LC_MSG_SCCCN)
		return is_authentic(turn);
	if (m->protocol_version >> 8 != CP_PROTOCOL_VERSION >> 8)
		return not_acceptable(turn, CP_STOPCCN_VERSION, CP_PROTOCOL_VERSION,
				      "only protocol version 1 is supported");
	if (cp_message_has(m, CP_AVP_CHALLENGE) && turn->tunnel->secret[0] == 0)
		return not_acceptable(turn, CP_STOPCCN_NOT_AUTHORIZED, 0,
				      "tunnel authentication is asked for, and no password is "
				      "configured here");
	if (m->type == LC_MSG_SCCRP && !is_the_server(turn))
		return not_acceptable(turn, CP_STOPCCN_NOT_AUTHORIZED, 0,
				      "the Host Name is not that of the LNS that is wanted");
	return m->type == LC_MSG_SCCRQ || is_authentic(turn);
}

void cp_tunnel_learn(struct cp_turn *turn)
{
	const struct cp_message *m = turn->message;
	struct lc_tunnel *t = turn->tunnel;

	t->peer_id = m->assigned_tunnel_id;
	t->peer_udp_port = turn->buffer->peer_udp_port;
	t->peer_window =
	    m->receive_window_size != 0 ? m->receive_window_size : CP_DEFAULT_RECEIVE_WINDOW;
	t->peer_framing = m->framing_capabilities;
	t->peer_bearer = m->bearer_capabilities;
	t->peer_firmware = m->firmware_revision;
	cp_printable(t->peer_host, sizeof(t->peer_host), m->host_name);
	cp_failover_learn(t, m);
}

void cp_tunnel_meet(struct cp_turn *turn)
{
	struct lc_tunnel *t = turn->tunnel;
	const struct lc_buffer *b = turn->buffer;

	t->peer_address = b->peer_address;
	t->local_address = b->local_address;
	t->local_udp_port = LC_L2TP_UDP_PORT;
	t->port = b->port;
	cp_tunnel_learn(turn);
}

/* The old tunnel may have gone meanwhile. */
static bool is_wanted(struct cp_turn *turn)
{
	if (turn->tunnel->recovers == 0 || cp_recover_is_wanted(turn))
		return true;
	return not_acceptable(turn, CP_STOPCCN_ERROR, CP_ERROR_NO_CONTROL_CONNECTION,
			      "the tunnel to be recovered is gone");
}

enum cp_tunnel_event cp_tunnel_classify(struct cp_turn *turn)
{
	const struct cp_message *m = turn->message;

	switch (m->type) {
	case LC_MSG_STOPCCN: /* it ends the tunnel, whatever else is wrong in it (4.2) */
		return CP_TUNNEL_STOPCCN;
	case LC_MSG_SCCRQ:
		return CP_TUNNEL_SCCRQ; /* for a tunnel that is there already */
	case LC_MSG_SCCRP:
		if (turn->tunnel->state != CP_TUNNEL_WAIT_CTL_REPLY)
			return CP_TUNNEL_SCCRP;
		cp_tunnel_learn(turn); /* the StopCCN needs the peer's ID too */
		return cp_tunnel_acceptable(turn) && is_wanted(turn) ? CP_TUNNEL_SCCRP
								     : CP_TUNNEL_SCCRP_BAD;
	case LC_MSG_SCCCN:
		if (turn->tunnel->state != CP_TUNNEL_WAIT_CTL_CONN)
			return CP_TUNNEL_SCCCN;
		return cp_tunnel_acceptable(turn) && is_wanted(turn) ? CP_TUNNEL_SCCCN
								     : CP_TUNNEL_SCCCN_BAD;
	case LC_MSG_HELLO:
	case LC_MSG_ZLB:
		return CP_TUNNEL_HELLO;
	default:
		if (turn->verdict != CP_CLEAR_TUNNEL)
			return CP_TUNNEL_CALL_MESSAGE;
		cp_end_set(&turn->end, CP_STOPCCN_ERROR, m->fault.error, "%s", m->fault.text);
		return CP_TUNNEL_INVALID;
	}
}
