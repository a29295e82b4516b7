/* SPDX-License-Identifier: BSD-3-Clause */
/* The state machines of RFC 2661 section 7, as constant tables: [state][event] gives what to do and
 * the state that follows once it is done. Every cell is filled on purpose. Pure data: any thread.
 */
#pragma once

#include <stdint.h>

#include "cp_engine.h"

/* ---- the control connection (7.2.1) ---- */

enum cp_tunnel_event {
	CP_TUNNEL_OPEN,    /* a configured tunnel is to be opened */
	CP_TUNNEL_RECOVER, /* an old tunnel is to be recovered by this one (RFC 4951 section 3.2.1) */
	CP_TUNNEL_SCCRQ,   /* acceptable */
	CP_TUNNEL_SCCRQ_BAD, /* not acceptable */
	CP_TUNNEL_TIE_LOST,  /* the peer's SCCRQ beats the one that we sent (4.4.3) */
	CP_TUNNEL_SCCRP,     /* acceptable */
	CP_TUNNEL_SCCRP_BAD,
	CP_TUNNEL_SCCCN, /* acceptable */
	CP_TUNNEL_SCCCN_BAD,
	CP_TUNNEL_STOPCCN,
	CP_TUNNEL_HELLO,        /* the line card answers those: one seen here means nothing */
	CP_TUNNEL_CALL_MESSAGE, /* ICRQ to SLI */
	CP_TUNNEL_INVALID,      /* unknown and mandatory, or malformed (4.2, 4.4.1, 7.1) */
	CP_TUNNEL_CLOSE,        /* the operator's wish */
	CP_TUNNEL_TIMEOUT,      /* the deadline of the state */
	CP_TUNNEL_DRAINED,      /* the peer has acknowledged all that we sent */
	CP_TUNNEL_DEAD,         /* retransmissions ran out (5.8), and so did the recovery time */
	CP_TUNNEL_LOST, /* its channel is lost and not to be recovered (RFC 4951 section 3.2.1) */
	CP_N_TUNNEL_EVENTS,
};

enum cp_tunnel_action {
	CP_TUNNEL_DO_NOTHING,
	CP_TUNNEL_DO_REQUEST,  /* send SCCRQ */
	CP_TUNNEL_DO_RECOVER,  /* send the SCCRQ of a recovery tunnel */
	CP_TUNNEL_DO_REPLY,    /* send SCCRP */
	CP_TUNNEL_DO_CONNECT,  /* send SCCCN; calls may begin */
	CP_TUNNEL_DO_ACCEPT,   /* SCCCN came; calls may begin */
	CP_TUNNEL_DO_CALL,     /* a call's message: to the sessions */
	CP_TUNNEL_DO_STOP,     /* send StopCCN */
	CP_TUNNEL_DO_LINGER,   /* StopCCN came: acknowledge for a retransmission cycle (5.7) */
	CP_TUNNEL_DO_DISCARD,  /* clear silently */
	CP_TUNNEL_DO_FAREWELL, /* clear; one StopCCN, as nobody acknowledges any more */
	CP_TUNNEL_DO_FINISH,   /* free it as soon as its sessions are gone */
	CP_N_TUNNEL_ACTIONS,
};

/* ---- incoming calls (7.4.1 of the LAC, 7.4.2 of the LNS) ---- */

enum cp_session_event {
	CP_SESSION_CALL,        /* LAC: a subscriber is there (7.4.1: bearer ring) */
	CP_SESSION_TUNNEL_OPEN, /* LAC: the tunnel is established */
	CP_SESSION_ICRQ,        /* acceptable */
	CP_SESSION_ICRQ_BAD,
	CP_SESSION_ICRP,
	CP_SESSION_ICRP_BAD,
	CP_SESSION_ICCN,
	CP_SESSION_ICCN_BAD,
	CP_SESSION_CDN,
	CP_SESSION_WEN,
	CP_SESSION_SLI,
	CP_SESSION_OCRQ,     /* an outgoing call: not supported */
	CP_SESSION_OUTGOING, /* OCRP, OCCN: we never sent an OCRQ */
	CP_SESSION_INVALID,  /* another message with an AVP that clears the session (4.2) */
	CP_SESSION_CLOSE,    /* the operator's wish */
	CP_SESSION_TIMEOUT,  /* the deadline of the state */
	CP_SESSION_LOST,     /* its tunnel was reset (RFC 4951 section 3.3, step I) */
	CP_SESSION_UNPAIRED, /* the peer says that it has no such session (3.3, FSR) */
	CP_N_SESSION_EVENTS,
};

enum cp_session_action {
	CP_SESSION_DO_NOTHING,
	CP_SESSION_DO_WAIT,       /* wait for the tunnel */
	CP_SESSION_DO_REQUEST,    /* send ICRQ */
	CP_SESSION_DO_REPLY,      /* send ICRP */
	CP_SESSION_DO_CONNECT,    /* send ICCN, open the door */
	CP_SESSION_DO_ACCEPT,     /* ICCN came: open the door */
	CP_SESSION_DO_REFUSE,     /* no session: send CDN to the ID that the peer assigned */
	CP_SESSION_DO_DISCONNECT, /* send CDN, clean up */
	CP_SESSION_DO_CLEAR,      /* clean up */
	CP_SESSION_DO_NOTE_WEN,
	CP_SESSION_DO_NOTE_SLI,
	CP_N_SESSION_ACTIONS,
};

struct cp_cell {
	uint8_t action;
	uint8_t next; /* state; with CP_SESSION_IDLE the session is gone */
};

/* state: any value, also one that a damaged record gives (then: clear it silently). */
const struct cp_cell *cp_fsm_tunnel(unsigned state, enum cp_tunnel_event event);
const struct cp_cell *cp_fsm_session(unsigned role, unsigned state, enum cp_session_event event);

const char *cp_tunnel_event_name(enum cp_tunnel_event event);
const char *cp_session_event_name(enum cp_session_event event);
