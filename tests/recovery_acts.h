/* SPDX-License-Identifier: BSD-3-Clause */
/* What the far end of recovery_puppet.h does in most tests: tunnels and calls set up, a failure of the
 * engine and its recovery, a recovery of its own. */
#pragma once

#include "recovery_records.h"

#define FAR_METHOD   "\"failover_resync\":\"failover-protocol\","
#define FAR_FALLBACK "\"failover_resync\":\"failover-protocol-fallback-to-silent-failover\","

static const uint8_t far_challenge[16] = "the far end asks";

/* ---- set-up ---- */

static inline char *far_json(const struct far_options *o)
{
	char policy[512];
	snprintf(policy, sizeof(policy), "%s%s%s%s", o->policy != NULL ? o->policy : "",
		 o->secret != NULL ? "\"password\":\"" : "", o->secret != NULL ? o->secret : "",
		 o->secret != NULL ? "\"," : "");
	char *json = (o->lac ? lab_lac_json : lab_lns_json)(o->l2tp != NULL ? o->l2tp : FAR_METHOD,
							    policy, o->subscribers);
	const char *port = strstr(json, "\"facing\":\"peer\"");
	char *with_mtu = NULL;
	assert_true(asprintf(&with_mtu, "%.*s\"mtu\":%u,%s", (int)(port - json), json,
			     o->mtu != 0 ? o->mtu : 1500, port) > 0);
	free(json);
	return with_mtu;
}

/* An engine, and no tunnel yet. */
static inline struct far *far_new(const struct far_options *o)
{
	struct far *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->queue = calloc(FAR_QUEUE, sizeof(*f->queue));
	assert_non_null(f->queue);
	char *json = far_json(o);
	f->end = o->lac ? LAC : LNS;
	f->lab = lab_new(o->lac ? json : NULL, o->lac ? NULL : json);
	f->e = &f->lab->end[f->end];
	f->secret = o->secret;
	f->source = lab_address[!f->end];
	f->recovery_id = FAR_RECOVERY;
	free(json);
	return f;
}

static inline void far_put_ourselves(struct far *f, uint16_t id)
{
	const char *host = f->end == LNS ? "lac" : "lns";
	raw_u16(&f->out, CP_AVP_PROTOCOL_VERSION, CP_PROTOCOL_VERSION);
	far_put(f, CP_AVP_M, CP_AVP_HOST_NAME, host, strlen(host));
	far_put32(f, CP_AVP_M, CP_AVP_FRAMING_CAPABILITIES, 3);
	raw_u16(&f->out, CP_AVP_ASSIGNED_TUNNEL_ID, id);
	raw_u16(&f->out, CP_AVP_RECEIVE_WINDOW_SIZE, FAR_WINDOW);
}

static inline void far_put_challenge(struct far *f)
{
	if (f->secret != NULL)
		far_put(f, CP_AVP_M, CP_AVP_CHALLENGE, far_challenge, sizeof(far_challenge));
}

/* The answer to the challenge in the message taken last, with any secret. */
static inline void far_put_response(struct far *f, uint8_t type, const char *secret)
{
	uint8_t response[CP_RESPONSE_SIZE];
	if (secret == NULL)
		return;
	assert_true(cp_message_has(&f->message, CP_AVP_CHALLENGE));
	assert_int_equal(cp_auth_respond(response, type, secret, f->message.challenge.bytes,
					 f->message.challenge.length),
			 0);
	far_put(f, CP_AVP_M, CP_AVP_CHALLENGE_RESPONSE, response, sizeof(response));
}

/* The message taken last answers the far end's challenge with this secret. */
static inline void far_expect_response(struct far *f, uint8_t type, const char *secret)
{
	if (secret == NULL) {
		assert_false(cp_message_has(&f->message, CP_AVP_CHALLENGE_RESPONSE));
		return;
	}
	assert_true(cp_auth_verify(f->message.challenge_response.bytes,
				   f->message.challenge_response.length, type, secret,
				   far_challenge, sizeof(far_challenge)));
}

/* The far end opens a tunnel on a new channel, with this ID; SCCRP taken. */
static inline unsigned far_open_tunnel(struct far *f, const struct far_options *o, uint16_t id)
{
	unsigned channel = f->n_channels;
	far_add(f, id, 0);
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, id);
	far_put_challenge(f);
	if (o->offer != 0)
		far_put_capability(f, o->offer, o->recovery_ms);
	far_send(f, channel);
	far_expect(f, channel, LC_MSG_SCCRP);
	far_expect_response(f, LC_MSG_SCCRP, f->secret);
	return channel;
}

static inline void far_connect_tunnel(struct far *f, unsigned channel)
{
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, f->secret);
	far_send(f, channel);
}

/* The next SCCRQ of the engine is taken; a new channel with this ID goes with it. */
static inline unsigned far_expect_call(struct far *f, uint16_t id)
{
	unsigned channel = f->n_channels;
	far_expect(f, FAR_CALLING, LC_MSG_SCCRQ);
	far_add(f, id, f->message.assigned_tunnel_id);
	return channel;
}

/* Takes the engine's SCCRQ and answers it on a new channel. */
static inline unsigned far_answer_tunnel(struct far *f, const struct far_options *o, uint16_t id)
{
	unsigned channel = far_expect_call(f, id);
	far_begin(f, LC_MSG_SCCRP);
	far_put_ourselves(f, id);
	far_put_challenge(f);
	far_put_response(f, LC_MSG_SCCRP, f->secret);
	if (o->offer != 0)
		far_put_capability(f, o->offer, o->recovery_ms);
	far_send(f, channel);
	far_expect(f, channel, LC_MSG_SCCCN);
	far_expect_response(f, LC_MSG_SCCCN, f->secret);
	return channel;
}

/* An engine with an established tunnel, channel 0. */
static inline struct far *far_establish(const struct far_options *o)
{
	struct far *f = far_new(o);
	far_settle(f);
	if (o->lac)
		far_answer_tunnel(f, o, FAR_TUNNEL);
	else
		far_connect_tunnel(f, far_open_tunnel(f, o, FAR_TUNNEL));
	far_settle(f);
	assert_non_null(far_old(f));
	assert_int_equal(far_old(f)->state, CP_TUNNEL_ESTABLISHED);
	return f;
}

/* Both ends offer all that there is. */
static inline struct far *far_establish_plain(void)
{
	return far_establish(&(struct far_options){.offer = FAR_C | FAR_D});
}

/* ---- calls ---- */

static inline void far_put_icrq(struct far *f, uint16_t session)
{
	far_begin(f, LC_MSG_ICRQ);
	raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, session);
	far_put32(f, CP_AVP_M, CP_AVP_CALL_SERIAL_NUMBER, 1);
}

/* A call to an LNS, up to its ICRP. Returns the engine's session ID. */
static inline uint16_t far_ring(struct far *f, uint16_t session)
{
	far_put_icrq(f, session);
	far_send(f, FAR_OLD);
	far_expect(f, FAR_OLD, LC_MSG_ICRP);
	assert_int_equal(f->message.session_id, session);
	return f->message.assigned_session_id;
}

static inline uint16_t far_call_with(struct far *f, uint16_t session, bool sequenced)
{
	uint16_t id = far_ring(f, session);
	far_begin(f, LC_MSG_ICCN);
	far_put32(f, CP_AVP_M, CP_AVP_TX_CONNECT_SPEED, 1000000);
	far_put32(f, CP_AVP_M, CP_AVP_FRAMING_TYPE, CP_FRAMING_SYNC);
	if (sequenced)
		far_put(f, CP_AVP_M, CP_AVP_SEQUENCING_REQUIRED, NULL, 0);
	far_send_to(f, FAR_OLD, id);
	far_expect_none(f, FAR_OLD);
	assert_true(far_established(f, id));
	return id;
}

/* A whole call to an LNS. */
static inline uint16_t far_call(struct far *f, uint16_t session)
{
	return far_call_with(f, session, false);
}

/* The next call of a LAC, answered. Returns its session ID. */
static inline uint16_t far_answer_call(struct far *f, uint16_t session)
{
	far_expect(f, FAR_OLD, LC_MSG_ICRQ);
	uint16_t id = f->message.assigned_session_id;
	far_begin(f, LC_MSG_ICRP);
	raw_u16(&f->out, CP_AVP_ASSIGNED_SESSION_ID, session);
	far_send_to(f, FAR_OLD, id);
	far_find(f, FAR_OLD, LC_MSG_ICCN);
	assert_true(far_established(f, id));
	return id;
}

/* ---- the engine fails and recovers ---- */

/* Its control plane dies: nothing is left of its memory, and nothing is there for now. */
static inline void far_kill(struct far *f)
{
	f->e->away = true;
	lc_control_lost(&f->e->mirror, lc_control_life(&f->e->mirror));
	far_settle(f);
}

static inline void far_return(struct far *f)
{
	lab_restart(f->e);
	f->e->away = false;
	far_settle(f);
}

/* ... under another configuration. */
static inline void far_return_with(struct far *f, const struct far_options *o)
{
	struct cfg_errors errors;
	char *json = far_json(o);
	lab_stop_control(f->e);
	cfg_free(f->e->cfg);
	f->e->cfg = cfg_parse(json, strlen(json), "lab", &errors);
	assert_non_null(f->e->cfg);
	cfg_errors_free(&errors);
	free(json);
	lab_start_control(f->e);
	f->e->away = false;
	far_settle(f);
}

/* It fails, and calls to recover the tunnel: its SCCRQ is taken, channel made. */
static inline void far_fail(struct far *f)
{
	lab_restart(f->e);
	far_settle(f);
	f->fresh = far_expect_call(f, f->recovery_id);
}

/* The numbers of the old tunnel's control channel, as the far end has them after the reset. */
static inline void far_reset(struct far *f, uint16_t ns, uint16_t nr)
{
	f->channel[FAR_OLD].ns = ns;
	f->channel[FAR_OLD].nr = nr;
}

/* Begins an SCCRP on the recovery tunnel. */
static inline void far_begin_sccrp(struct far *f)
{
	const char *secret = f->secret;
	far_begin(f, LC_MSG_SCCRP);
	far_put_ourselves(f, f->recovery_id);
	far_put_challenge(f);
	far_put_response(f, LC_MSG_SCCRP, secret);
}

/* Accepts the engine's recovery tunnel, suggesting its Ns and Nr. */
static inline void far_grant(struct far *f, uint16_t ns, uint16_t nr)
{
	far_begin_sccrp(f);
	far_put_sequence(f, ns, nr);
	far_reset(f, nr, ns);
	far_send(f, f->fresh);
	far_expect(f, f->fresh, LC_MSG_SCCCN);
}

/* Fails and recovers: what the engine asks after that waits on channel 0. */
static inline void far_fail_and_grant(struct far *f)
{
	far_fail(f);
	far_grant(f, 3000, 100);
	far_expect(f, f->fresh, LC_MSG_STOPCCN);
}

/* ---- the far end fails and recovers ---- */

/* An SCCRQ to recover a tunnel: begun, with all that belongs into it. */
static inline void far_begin_recovery(struct far *f, uint16_t tunnel, uint16_t remote,
				      const char *tie)
{
	far_begin(f, LC_MSG_SCCRQ);
	far_put_ourselves(f, f->recovery_id);
	far_put_recovery(f, tunnel, remote);
	if (tie != NULL)
		far_put(f, 0, CP_AVP_TIE_BREAKER, tie, 8);
	far_put_challenge(f);
}

/* Asks to recover the tunnel of channel 0, on a new channel. */
static inline void far_ask(struct far *f)
{
	far_begin_recovery(f, FAR_TUNNEL, f->channel[FAR_OLD].to, "tie-tie-");
	f->fresh = f->n_channels;
	far_add(f, f->recovery_id, 0);
	far_send(f, f->fresh);
}

/* ... and takes the SCCRP with the numbers suggested: they are the old channel's from here on. */
static inline void far_ask_and_learn(struct far *f)
{
	far_ask(f);
	far_expect(f, f->fresh, LC_MSG_SCCRP);
	const uint8_t *value = far_expect_avp(f, 78, 0, 6);
	far_reset(f, lc_get16(value + 2), lc_get16(value + 4));
}

/* ... and confirms: the recovery is whole. */
static inline void far_recover(struct far *f)
{
	far_ask_and_learn(f);
	far_begin(f, LC_MSG_SCCCN);
	far_put_response(f, LC_MSG_SCCCN, f->secret);
	far_send(f, f->fresh);
}

/* ---- queries ---- */

/* Answers the FSQ taken last as one that knows all its sessions. */
static inline void far_confirm(struct far *f)
{
	const struct far_message *m = f->got;
	const uint8_t *avp;
	far_begin(f, LC_MSG_FSR);
	for (unsigned n = 0; (avp = far_avp_of(m, 79, n)) != NULL; n++)
		far_put_state(f, lc_get16(avp + 6 + 8), lc_get16(avp + 6 + 4));
	far_send(f, FAR_OLD);
}

/* The FSS AVP number n of the message taken last. */
static inline void far_expect_state(const struct far *f, unsigned n, uint16_t session,
				    uint16_t remote)
{
	const uint8_t *avp = far_avp(f, 79, n);
	const uint8_t zero[4] = {0};
	assert_non_null(avp);
	assert_int_equal(lc_get16(avp), CP_AVP_M | 16);
	assert_memory_equal(avp + 6, zero, 4);
	assert_int_equal(lc_get16(avp + 10), session);
	assert_memory_equal(avp + 12, zero, 2);
	assert_int_equal(lc_get16(avp + 14), remote);
}

static inline void far_query(struct far *f, uint16_t session, uint16_t remote)
{
	far_begin(f, LC_MSG_FSQ);
	far_put_state(f, session, remote);
	far_send(f, FAR_OLD);
}
