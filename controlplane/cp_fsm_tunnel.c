/* SPDX-License-Identifier: BSD-3-Clause */
/* The control connection (RFC 2661 section 7.2.1).
 *
 * The RFC's "Send StopCCN, clean up -> idle" takes time here: the StopCCN must arrive (7.1), and
 * sessions are freed in batches. So "clean up" is STOPPING (we sent StopCCN) or STOPPED (the peer
 * did, or nobody will be told), which the record leaves by being freed. IDLE is a configured tunnel
 * that waits for its (next) try, or one that an SCCRQ creates at this moment.
 *
 * Where 7.2.1 has no row: a message that is out of sequence clears the control connection (7.1);
 * what arrives after a StopCCN means nothing any more.
 *
 * A recovery tunnel (RFC 4951 section 3.2.1) is a tunnel like any other here; what becomes of the old one
 * at its steps is in cp_recover.c.
 */
#include "cp_fsm.h"

#define NOTHING(state)                                                                             \
	{                                                                                          \
		CP_TUNNEL_DO_NOTHING, CP_TUNNEL_##state                                            \
	}
#define STOP                                                                                       \
	{                                                                                          \
		CP_TUNNEL_DO_STOP, CP_TUNNEL_STOPPING                                              \
	}
#define LINGER                                                                                     \
	{                                                                                          \
		CP_TUNNEL_DO_LINGER, CP_TUNNEL_STOPPED                                             \
	}
#define DISCARD                                                                                    \
	{                                                                                          \
		CP_TUNNEL_DO_DISCARD, CP_TUNNEL_STOPPED                                            \
	}
#define FAREWELL                                                                                   \
	{                                                                                          \
		CP_TUNNEL_DO_FAREWELL, CP_TUNNEL_STOPPED                                           \
	}
#define FINISH(state)                                                                              \
	{                                                                                          \
		CP_TUNNEL_DO_FINISH, CP_TUNNEL_##state                                             \
	}

static const struct cp_cell discard = DISCARD;

static const struct cp_cell table[CP_N_TUNNEL_STATES][CP_N_TUNNEL_EVENTS] =
    {
	[CP_TUNNEL_IDLE] =
	    {
		[CP_TUNNEL_OPEN] = {CP_TUNNEL_DO_REQUEST, CP_TUNNEL_WAIT_CTL_REPLY},
		[CP_TUNNEL_RECOVER] = {CP_TUNNEL_DO_RECOVER, CP_TUNNEL_WAIT_CTL_REPLY},
		[CP_TUNNEL_SCCRQ] = {CP_TUNNEL_DO_REPLY, CP_TUNNEL_WAIT_CTL_CONN},
		[CP_TUNNEL_SCCRQ_BAD] = STOP,
		[CP_TUNNEL_TIE_LOST] = NOTHING(IDLE), /* no SCCRQ of ours is out */
		[CP_TUNNEL_SCCRP] = STOP,
		[CP_TUNNEL_SCCRP_BAD] = STOP,
		[CP_TUNNEL_SCCCN] = DISCARD,
		[CP_TUNNEL_SCCCN_BAD] = DISCARD,
		[CP_TUNNEL_STOPCCN] = LINGER,
		[CP_TUNNEL_HELLO] = NOTHING(IDLE),
		[CP_TUNNEL_CALL_MESSAGE] = STOP,
		[CP_TUNNEL_INVALID] = STOP,
		[CP_TUNNEL_CLOSE] = DISCARD,
		[CP_TUNNEL_TIMEOUT] = {CP_TUNNEL_DO_REQUEST, CP_TUNNEL_WAIT_CTL_REPLY},
		[CP_TUNNEL_DRAINED] = NOTHING(IDLE),
		[CP_TUNNEL_DEAD] = DISCARD,
		[CP_TUNNEL_LOST] = NOTHING(IDLE), /* it waits for its try: nothing to lose */
	    },
	[CP_TUNNEL_WAIT_CTL_REPLY] =
	    {
		[CP_TUNNEL_OPEN] = NOTHING(WAIT_CTL_REPLY),
		[CP_TUNNEL_RECOVER] = NOTHING(WAIT_CTL_REPLY),
		[CP_TUNNEL_SCCRQ] = STOP, /* for this very tunnel; a collision comes as TIE_LOST */
		[CP_TUNNEL_SCCRQ_BAD] = STOP,
		[CP_TUNNEL_TIE_LOST] = DISCARD,
		[CP_TUNNEL_SCCRP] = {CP_TUNNEL_DO_CONNECT, CP_TUNNEL_ESTABLISHED},
		[CP_TUNNEL_SCCRP_BAD] = STOP,
		[CP_TUNNEL_SCCCN] = STOP,
		[CP_TUNNEL_SCCCN_BAD] = STOP,
		[CP_TUNNEL_STOPCCN] = LINGER,
		[CP_TUNNEL_HELLO] = NOTHING(WAIT_CTL_REPLY),
		[CP_TUNNEL_CALL_MESSAGE] = STOP,
		[CP_TUNNEL_INVALID] = STOP,
		[CP_TUNNEL_CLOSE] = STOP,
		[CP_TUNNEL_TIMEOUT] = STOP,
		[CP_TUNNEL_DRAINED] = NOTHING(WAIT_CTL_REPLY),
		[CP_TUNNEL_DEAD] = DISCARD,
		[CP_TUNNEL_LOST] = DISCARD,
	    },
	[CP_TUNNEL_WAIT_CTL_CONN] =
	    {
		[CP_TUNNEL_OPEN] = NOTHING(WAIT_CTL_CONN),
		[CP_TUNNEL_RECOVER] = NOTHING(WAIT_CTL_CONN),
		[CP_TUNNEL_SCCRQ] = STOP,
		[CP_TUNNEL_SCCRQ_BAD] = STOP,
		[CP_TUNNEL_TIE_LOST] = NOTHING(WAIT_CTL_CONN),
		[CP_TUNNEL_SCCRP] = STOP,
		[CP_TUNNEL_SCCRP_BAD] = STOP,
		[CP_TUNNEL_SCCCN] = {CP_TUNNEL_DO_ACCEPT, CP_TUNNEL_ESTABLISHED},
		[CP_TUNNEL_SCCCN_BAD] = STOP,
		[CP_TUNNEL_STOPCCN] = LINGER,
		[CP_TUNNEL_HELLO] = NOTHING(WAIT_CTL_CONN),
		[CP_TUNNEL_CALL_MESSAGE] = STOP,
		[CP_TUNNEL_INVALID] = STOP,
		[CP_TUNNEL_CLOSE] = STOP,
		[CP_TUNNEL_TIMEOUT] = STOP,
		[CP_TUNNEL_DRAINED] = NOTHING(WAIT_CTL_CONN),
		[CP_TUNNEL_DEAD] = DISCARD,
		[CP_TUNNEL_LOST] = DISCARD,
	    },
	[CP_TUNNEL_ESTABLISHED] =
	    {
		[CP_TUNNEL_OPEN] = NOTHING(ESTABLISHED), /* its calls are made as room allows */
		[CP_TUNNEL_RECOVER] = NOTHING(ESTABLISHED),
		[CP_TUNNEL_SCCRQ] = STOP,
		[CP_TUNNEL_SCCRQ_BAD] = STOP,
		[CP_TUNNEL_TIE_LOST] = NOTHING(ESTABLISHED),
		[CP_TUNNEL_SCCRP] = STOP,
		[CP_TUNNEL_SCCRP_BAD] = STOP,
		[CP_TUNNEL_SCCCN] = STOP,
		[CP_TUNNEL_SCCCN_BAD] = STOP,
		[CP_TUNNEL_STOPCCN] = LINGER,
		[CP_TUNNEL_HELLO] = NOTHING(ESTABLISHED),
		[CP_TUNNEL_CALL_MESSAGE] = {CP_TUNNEL_DO_CALL, CP_TUNNEL_ESTABLISHED},
		[CP_TUNNEL_INVALID] = STOP,
		[CP_TUNNEL_CLOSE] = STOP,
		[CP_TUNNEL_TIMEOUT] = NOTHING(ESTABLISHED), /* it has no deadline */
		[CP_TUNNEL_DRAINED] = NOTHING(ESTABLISHED),
		[CP_TUNNEL_DEAD] = FAREWELL,
		[CP_TUNNEL_LOST] = DISCARD,
	    },
	[CP_TUNNEL_STOPPING] =
	    {
		[CP_TUNNEL_OPEN] = NOTHING(STOPPING),
		[CP_TUNNEL_RECOVER] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCRQ] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCRQ_BAD] = NOTHING(STOPPING),
		[CP_TUNNEL_TIE_LOST] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCRP] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCRP_BAD] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCCN] = NOTHING(STOPPING),
		[CP_TUNNEL_SCCCN_BAD] = NOTHING(STOPPING),
		[CP_TUNNEL_STOPCCN] =
		    LINGER, /* the two crossed: the peer's must be acknowledged too */
		[CP_TUNNEL_HELLO] = NOTHING(STOPPING),
		[CP_TUNNEL_CALL_MESSAGE] = NOTHING(STOPPING),
		[CP_TUNNEL_INVALID] = NOTHING(STOPPING),
		[CP_TUNNEL_CLOSE] = NOTHING(STOPPING),
		[CP_TUNNEL_TIMEOUT] = FINISH(STOPPING),
		[CP_TUNNEL_DRAINED] = FINISH(STOPPING),
		[CP_TUNNEL_DEAD] = FINISH(STOPPING),
		[CP_TUNNEL_LOST] = FINISH(STOPPING),
	    },
	[CP_TUNNEL_STOPPED] =
	    {
		[CP_TUNNEL_OPEN] = NOTHING(STOPPED),
		[CP_TUNNEL_RECOVER] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCRQ] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCRQ_BAD] = NOTHING(STOPPED),
		[CP_TUNNEL_TIE_LOST] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCRP] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCRP_BAD] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCCN] = NOTHING(STOPPED),
		[CP_TUNNEL_SCCCN_BAD] = NOTHING(STOPPED),
		[CP_TUNNEL_STOPCCN] = NOTHING(STOPPED),
		[CP_TUNNEL_HELLO] = NOTHING(STOPPED),
		[CP_TUNNEL_CALL_MESSAGE] = NOTHING(STOPPED),
		[CP_TUNNEL_INVALID] = NOTHING(STOPPED),
		[CP_TUNNEL_CLOSE] = NOTHING(STOPPED),
		[CP_TUNNEL_TIMEOUT] = FINISH(STOPPED),
		[CP_TUNNEL_DRAINED] = NOTHING(STOPPED), /* it lives on to acknowledge (5.7) */
		[CP_TUNNEL_DEAD] = FINISH(STOPPED),
		[CP_TUNNEL_LOST] = FINISH(STOPPED),
	    },
};

const struct cp_cell *cp_fsm_tunnel(unsigned state, enum cp_tunnel_event event)
{
	return state < CP_N_TUNNEL_STATES ? &table[state][event] : &discard;
}

const char *cp_tunnel_state_name(enum cp_tunnel_state state)
{
	static const char *const names[CP_N_TUNNEL_STATES] = {
	    [CP_TUNNEL_IDLE] = "idle",
	    [CP_TUNNEL_WAIT_CTL_REPLY] = "wait-ctl-reply",
	    [CP_TUNNEL_WAIT_CTL_CONN] = "wait-ctl-conn",
	    [CP_TUNNEL_ESTABLISHED] = "established",
	    [CP_TUNNEL_STOPPING] = "stopping",
	    [CP_TUNNEL_STOPPED] = "stopped",
	};
	return (unsigned)state < CP_N_TUNNEL_STATES ? names[state] : "?";
}

const char *cp_tunnel_event_name(enum cp_tunnel_event event)
{
	static const char *const names[CP_N_TUNNEL_EVENTS] = {
	    [CP_TUNNEL_OPEN] = "open",
	    [CP_TUNNEL_RECOVER] = "recover",
	    [CP_TUNNEL_SCCRQ] = "SCCRQ",
	    [CP_TUNNEL_SCCRQ_BAD] = "unacceptable SCCRQ",
	    [CP_TUNNEL_TIE_LOST] = "lost tie",
	    [CP_TUNNEL_SCCRP] = "SCCRP",
	    [CP_TUNNEL_SCCRP_BAD] = "unacceptable SCCRP",
	    [CP_TUNNEL_SCCCN] = "SCCCN",
	    [CP_TUNNEL_SCCCN_BAD] = "unacceptable SCCCN",
	    [CP_TUNNEL_STOPCCN] = "StopCCN",
	    [CP_TUNNEL_HELLO] = "HELLO",
	    [CP_TUNNEL_CALL_MESSAGE] = "call message",
	    [CP_TUNNEL_INVALID] = "invalid message",
	    [CP_TUNNEL_CLOSE] = "close",
	    [CP_TUNNEL_TIMEOUT] = "timeout",
	    [CP_TUNNEL_DRAINED] = "all acknowledged",
	    [CP_TUNNEL_DEAD] = "dead channel",
	    [CP_TUNNEL_LOST] = "lost channel",
	};
	return (unsigned)event < CP_N_TUNNEL_EVENTS ? names[event] : "?";
}
