/* SPDX-License-Identifier: BSD-3-Clause */
/* Incoming calls, of the LAC (RFC 2661 section 7.4.1) and of the LNS (7.4.2).
 *
 * IDLE is no record: a message for a session that is not there, or a record made at this moment.
 * Most of those come late, for a session that our CDN has cleared: they mean nothing. An ICRQ or
 * OCRQ that cannot be served, and an ICRP out of the blue, are answered with a CDN.
 *
 * Where 7.4 has no row: messages of outgoing calls (7.5) are out of sequence for an incoming call
 * and end it, WEN and SLI for the wrong end or too early are left alone (6.13, 6.14 ask for no
 * answer). A state that the role does not have is a damaged record: it is cleared.
 */
#include "cp_fsm.h"

#include "lc_mirror.h"

#define NOTHING(state)                                                                             \
	{                                                                                          \
		CP_SESSION_DO_NOTHING, CP_SESSION_##state                                          \
	}
#define REFUSE                                                                                     \
	{                                                                                          \
		CP_SESSION_DO_REFUSE, CP_SESSION_IDLE                                              \
	}
#define DISCONNECT                                                                                 \
	{                                                                                          \
		CP_SESSION_DO_DISCONNECT, CP_SESSION_IDLE                                          \
	}
#define CLEAR                                                                                      \
	{                                                                                          \
		CP_SESSION_DO_CLEAR, CP_SESSION_IDLE                                               \
	}
#define NO_SUCH_STATE                                                                              \
	{                                                                                          \
		[0 ... CP_N_SESSION_EVENTS - 1] = CLEAR                                            \
	}

static const struct cp_cell clear = CLEAR;

static const struct cp_cell lac[CP_N_SESSION_STATES][CP_N_SESSION_EVENTS] = {
    [CP_SESSION_IDLE] =
	{
	    [CP_SESSION_CALL] = {CP_SESSION_DO_WAIT, CP_SESSION_WAIT_TUNNEL},
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(IDLE),
	    [CP_SESSION_ICRQ] = REFUSE, /* only an LNS takes calls */
	    [CP_SESSION_ICRQ_BAD] = REFUSE,
	    [CP_SESSION_ICRP] = NOTHING(IDLE),
	    [CP_SESSION_ICRP_BAD] = NOTHING(IDLE),
	    [CP_SESSION_ICCN] = NOTHING(IDLE),
	    [CP_SESSION_ICCN_BAD] = NOTHING(IDLE),
	    [CP_SESSION_CDN] = NOTHING(IDLE),
	    [CP_SESSION_WEN] = NOTHING(IDLE),
	    [CP_SESSION_SLI] = NOTHING(IDLE),
	    [CP_SESSION_OCRQ] = REFUSE,
	    [CP_SESSION_OUTGOING] = NOTHING(IDLE),
	    [CP_SESSION_INVALID] = NOTHING(IDLE),
	    [CP_SESSION_CLOSE] = NOTHING(IDLE),
	    [CP_SESSION_TIMEOUT] = NOTHING(IDLE),
	    [CP_SESSION_LOST] = NOTHING(IDLE),
	    [CP_SESSION_UNPAIRED] = NOTHING(IDLE),
	},
    [CP_SESSION_WAIT_TUNNEL] =
	{
	    [CP_SESSION_CALL] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_TUNNEL_OPEN] = {CP_SESSION_DO_REQUEST, CP_SESSION_WAIT_REPLY},
	    [CP_SESSION_ICRQ] = NOTHING(WAIT_TUNNEL), /* no ID of it was ever told to the peer */
	    [CP_SESSION_ICRQ_BAD] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_ICRP] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_ICRP_BAD] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_ICCN] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_ICCN_BAD] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_CDN] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_WEN] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_SLI] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_OCRQ] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_OUTGOING] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_INVALID] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_CLOSE] = CLEAR,
	    [CP_SESSION_TIMEOUT] = {CP_SESSION_DO_REQUEST,
				    CP_SESSION_WAIT_REPLY}, /* the back-off is over */
	    [CP_SESSION_LOST] = NOTHING(WAIT_TUNNEL),
	    [CP_SESSION_UNPAIRED] = CLEAR,
	},
    [CP_SESSION_WAIT_REPLY] =
	{
	    [CP_SESSION_CALL] = NOTHING(WAIT_REPLY),
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(WAIT_REPLY),
	    [CP_SESSION_ICRQ] = DISCONNECT,
	    [CP_SESSION_ICRQ_BAD] = DISCONNECT,
	    [CP_SESSION_ICRP] = {CP_SESSION_DO_CONNECT, CP_SESSION_ESTABLISHED},
	    [CP_SESSION_ICRP_BAD] = DISCONNECT,
	    [CP_SESSION_ICCN] = CLEAR, /* 7.4.1: clean up, no CDN */
	    [CP_SESSION_ICCN_BAD] = CLEAR,
	    [CP_SESSION_CDN] = CLEAR,
	    [CP_SESSION_WEN] = NOTHING(WAIT_REPLY),
	    [CP_SESSION_SLI] = NOTHING(WAIT_REPLY),
	    [CP_SESSION_OCRQ] = DISCONNECT,
	    [CP_SESSION_OUTGOING] = DISCONNECT,
	    [CP_SESSION_INVALID] = DISCONNECT,
	    [CP_SESSION_CLOSE] = DISCONNECT,
	    [CP_SESSION_TIMEOUT] = DISCONNECT,
	    [CP_SESSION_LOST] = CLEAR,
	    [CP_SESSION_UNPAIRED] = CLEAR,
	},
    [CP_SESSION_WAIT_CONNECT] = NO_SUCH_STATE,
    [CP_SESSION_ESTABLISHED] =
	{
	    [CP_SESSION_CALL] = NOTHING(ESTABLISHED),
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(ESTABLISHED),
	    [CP_SESSION_ICRQ] = DISCONNECT,
	    [CP_SESSION_ICRQ_BAD] = DISCONNECT,
	    [CP_SESSION_ICRP] = DISCONNECT,
	    [CP_SESSION_ICRP_BAD] = DISCONNECT,
	    [CP_SESSION_ICCN] = DISCONNECT,
	    [CP_SESSION_ICCN_BAD] = DISCONNECT,
	    [CP_SESSION_CDN] = CLEAR,
	    [CP_SESSION_WEN] = NOTHING(ESTABLISHED), /* an LNS never sends one */
	    [CP_SESSION_SLI] = {CP_SESSION_DO_NOTE_SLI, CP_SESSION_ESTABLISHED},
	    [CP_SESSION_OCRQ] = DISCONNECT,
	    [CP_SESSION_OUTGOING] = DISCONNECT,
	    [CP_SESSION_INVALID] = DISCONNECT,
	    [CP_SESSION_CLOSE] = DISCONNECT,
	    [CP_SESSION_TIMEOUT] = DISCONNECT, /* it was marked to be closed */
	    [CP_SESSION_LOST] = NOTHING(ESTABLISHED),
	    [CP_SESSION_UNPAIRED] = CLEAR,
	},
};

static const struct cp_cell lns[CP_N_SESSION_STATES][CP_N_SESSION_EVENTS] = {
    [CP_SESSION_IDLE] =
	{
	    [CP_SESSION_CALL] = NOTHING(IDLE),
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(IDLE),
	    [CP_SESSION_ICRQ] = {CP_SESSION_DO_REPLY, CP_SESSION_WAIT_CONNECT},
	    [CP_SESSION_ICRQ_BAD] = REFUSE,
	    [CP_SESSION_ICRP] = REFUSE,
	    [CP_SESSION_ICRP_BAD] = REFUSE,
	    [CP_SESSION_ICCN] =
		NOTHING(IDLE), /* of a call that we have cleared: our CDN is under way */
	    [CP_SESSION_ICCN_BAD] = NOTHING(IDLE),
	    [CP_SESSION_CDN] = NOTHING(IDLE),
	    [CP_SESSION_WEN] = NOTHING(IDLE),
	    [CP_SESSION_SLI] = NOTHING(IDLE),
	    [CP_SESSION_OCRQ] = REFUSE,
	    [CP_SESSION_OUTGOING] = NOTHING(IDLE),
	    [CP_SESSION_INVALID] = NOTHING(IDLE),
	    [CP_SESSION_CLOSE] = NOTHING(IDLE),
	    [CP_SESSION_TIMEOUT] = NOTHING(IDLE),
	    [CP_SESSION_LOST] = NOTHING(IDLE),
	    [CP_SESSION_UNPAIRED] = NOTHING(IDLE),
	},
    [CP_SESSION_WAIT_TUNNEL] = NO_SUCH_STATE,
    [CP_SESSION_WAIT_REPLY] = NO_SUCH_STATE,
    [CP_SESSION_WAIT_CONNECT] =
	{
	    [CP_SESSION_CALL] = NOTHING(WAIT_CONNECT),
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(WAIT_CONNECT),
	    [CP_SESSION_ICRQ] = DISCONNECT,
	    [CP_SESSION_ICRQ_BAD] = DISCONNECT,
	    [CP_SESSION_ICRP] = DISCONNECT,
	    [CP_SESSION_ICRP_BAD] = DISCONNECT,
	    [CP_SESSION_ICCN] = {CP_SESSION_DO_ACCEPT, CP_SESSION_ESTABLISHED},
	    [CP_SESSION_ICCN_BAD] = DISCONNECT,
	    [CP_SESSION_CDN] = CLEAR,
	    [CP_SESSION_WEN] = NOTHING(WAIT_CONNECT), /* only a call that is up has errors */
	    [CP_SESSION_SLI] = NOTHING(WAIT_CONNECT),
	    [CP_SESSION_OCRQ] = DISCONNECT,
	    [CP_SESSION_OUTGOING] = DISCONNECT,
	    [CP_SESSION_INVALID] = DISCONNECT,
	    [CP_SESSION_CLOSE] = DISCONNECT,
	    [CP_SESSION_TIMEOUT] = DISCONNECT,
	    [CP_SESSION_LOST] = CLEAR,
	    [CP_SESSION_UNPAIRED] = CLEAR,
	},
    [CP_SESSION_ESTABLISHED] =
	{
	    [CP_SESSION_CALL] = NOTHING(ESTABLISHED),
	    [CP_SESSION_TUNNEL_OPEN] = NOTHING(ESTABLISHED),
	    [CP_SESSION_ICRQ] = DISCONNECT,
	    [CP_SESSION_ICRQ_BAD] = DISCONNECT,
	    [CP_SESSION_ICRP] = DISCONNECT,
	    [CP_SESSION_ICRP_BAD] = DISCONNECT,
	    [CP_SESSION_ICCN] = DISCONNECT,
	    [CP_SESSION_ICCN_BAD] = DISCONNECT,
	    [CP_SESSION_CDN] = CLEAR,
	    [CP_SESSION_WEN] = {CP_SESSION_DO_NOTE_WEN, CP_SESSION_ESTABLISHED},
	    [CP_SESSION_SLI] = NOTHING(ESTABLISHED), /* a LAC never sends one */
	    [CP_SESSION_OCRQ] = DISCONNECT,
	    [CP_SESSION_OUTGOING] = DISCONNECT,
	    [CP_SESSION_INVALID] = DISCONNECT,
	    [CP_SESSION_CLOSE] = DISCONNECT,
	    [CP_SESSION_TIMEOUT] = DISCONNECT, /* it was marked to be closed */
	    [CP_SESSION_LOST] = NOTHING(ESTABLISHED),
	    [CP_SESSION_UNPAIRED] = CLEAR,
	},
};

const struct cp_cell *cp_fsm_session(unsigned role, unsigned state, enum cp_session_event event)
{
	if (state >= CP_N_SESSION_STATES)
		return &clear;
	return role == LC_ROLE_LAC ? &lac[state][event] : &lns[state][event];
}

const char *cp_session_state_name(enum cp_session_state state)
{
	static const char *const names[CP_N_SESSION_STATES] = {
	    [CP_SESSION_IDLE] = "idle",
	    [CP_SESSION_WAIT_TUNNEL] = "wait-tunnel",
	    [CP_SESSION_WAIT_REPLY] = "wait-reply",
	    [CP_SESSION_WAIT_CONNECT] = "wait-connect",
	    [CP_SESSION_ESTABLISHED] = "established",
	};
	return (unsigned)state < CP_N_SESSION_STATES ? names[state] : "?";
}

const char *cp_session_event_name(enum cp_session_event event)
{
	static const char *const names[CP_N_SESSION_EVENTS] = {
	    [CP_SESSION_CALL] = "call",
	    [CP_SESSION_TUNNEL_OPEN] = "tunnel open",
	    [CP_SESSION_ICRQ] = "ICRQ",
	    [CP_SESSION_ICRQ_BAD] = "unacceptable ICRQ",
	    [CP_SESSION_ICRP] = "ICRP",
	    [CP_SESSION_ICRP_BAD] = "unacceptable ICRP",
	    [CP_SESSION_ICCN] = "ICCN",
	    [CP_SESSION_ICCN_BAD] = "unacceptable ICCN",
	    [CP_SESSION_CDN] = "CDN",
	    [CP_SESSION_WEN] = "WEN",
	    [CP_SESSION_SLI] = "SLI",
	    [CP_SESSION_OCRQ] = "OCRQ",
	    [CP_SESSION_OUTGOING] = "outgoing-call message",
	    [CP_SESSION_INVALID] = "invalid message",
	    [CP_SESSION_CLOSE] = "close",
	    [CP_SESSION_TIMEOUT] = "timeout",
	    [CP_SESSION_LOST] = "reset of the tunnel",
	    [CP_SESSION_UNPAIRED] = "no counterpart",
	};
	return (unsigned)event < CP_N_SESSION_EVENTS ? names[event] : "?";
}
