/* SPDX-License-Identifier: BSD-3-Clause */
/* Every cell of the state tables (RFC 2661 sections 7.2.1, 7.4.1, 7.4.2), written down a second time
 * from the RFC, one letter a cell; and every cell that a peer's message can reach, tried on an engine. */
#include "engine_puppet.h"

#include "cp_fsm.h"

struct letter {
	char letter;
	uint8_t action;
	int next; /* SAME: the state stays */
};

enum { SAME = -1 };

static void check_table(const char *const rows[], unsigned n_states, unsigned n_events,
			const struct letter *letters,
			const struct cp_cell *(*cell)(unsigned state, unsigned event))
{
	for (unsigned s = 0; s < n_states; s++) {
		assert_int_equal(strlen(rows[s]), n_events);
		for (unsigned e = 0; e < n_events; e++) {
			const struct letter *l = letters;
			while (l->letter != rows[s][e])
				assert_int_not_equal((++l)->letter, 0);
			int next = l->next == SAME ? (int)s : l->next;
			if (cell(s, e)->action != l->action || cell(s, e)->next != next)
				fail_msg("state %u, event %u: action %u, next %u instead of %c", s,
					 e, cell(s, e)->action, cell(s, e)->next, l->letter);
		}
	}
}

/* ---- 7.2.1 ----
 *  the local Open request; a recovery (RFC 4951 section 3.2.1); SCCRQ acceptable, not; tie lost; SCCRP acceptable, not; SCCCN acceptable, not;
 *  StopCCN; HELLO; a call's message; an invalid one; Close; deadline; all acknowledged; dead channel; lost channel */
static const char *const tunnel_rows[CP_N_TUNNEL_STATES] = {
    [CP_TUNNEL_IDLE] = /*           */ "qrpS.SSDDL.SSDq.D.",
    [CP_TUNNEL_WAIT_CTL_REPLY] = /* */ "..SSDcSSSL.SSSS.DD",
    [CP_TUNNEL_WAIT_CTL_CONN] = /*  */ "..SS.SSaSL.SSSS.DD",
    [CP_TUNNEL_ESTABLISHED] = /*    */ "..SS.SSSSL.CSS..WD",
    [CP_TUNNEL_STOPPING] = /*       */ ".........L....FFFF",
    [CP_TUNNEL_STOPPED] = /*        */ "..............F.FF",
};

static const struct letter tunnel_letters[] = {
    {'.', CP_TUNNEL_DO_NOTHING, SAME},
    {'q', CP_TUNNEL_DO_REQUEST, CP_TUNNEL_WAIT_CTL_REPLY},
    {'r', CP_TUNNEL_DO_RECOVER, CP_TUNNEL_WAIT_CTL_REPLY},
    {'W', CP_TUNNEL_DO_FAREWELL, CP_TUNNEL_STOPPED},
    {'p', CP_TUNNEL_DO_REPLY, CP_TUNNEL_WAIT_CTL_CONN},
    {'c', CP_TUNNEL_DO_CONNECT, CP_TUNNEL_ESTABLISHED},
    {'a', CP_TUNNEL_DO_ACCEPT, CP_TUNNEL_ESTABLISHED},
    {'C', CP_TUNNEL_DO_CALL, CP_TUNNEL_ESTABLISHED},
    {'S', CP_TUNNEL_DO_STOP, CP_TUNNEL_STOPPING},
    {'L', CP_TUNNEL_DO_LINGER, CP_TUNNEL_STOPPED},
    {'D', CP_TUNNEL_DO_DISCARD, CP_TUNNEL_STOPPED},
    {'F', CP_TUNNEL_DO_FINISH, SAME},
    {0, 0, 0},
};

static const struct cp_cell *tunnel_cell(unsigned state, unsigned event)
{
	return cp_fsm_tunnel(state, (enum cp_tunnel_event)event);
}

static void test_control_connection_table_7_2_1(void **state)
{
	(void)state;
	check_table(tunnel_rows, CP_N_TUNNEL_STATES, CP_N_TUNNEL_EVENTS, tunnel_letters,
		    tunnel_cell);
	/* A damaged record is cleared. */
	assert_int_equal(cp_fsm_tunnel(200, CP_TUNNEL_SCCRP)->action, CP_TUNNEL_DO_DISCARD);
}

/* ---- 7.4.1, 7.4.2 ----
 *  a subscriber to be called; the tunnel is open; ICRQ acceptable, not; ICRP acceptable, not; ICCN
 *  acceptable, not; CDN; WEN; SLI; OCRQ; OCRP or OCCN; an invalid message; Close; deadline;
 *  reset of the tunnel, no counterpart (RFC 4951 section 3.3) */
static const char *const lac_rows[CP_N_SESSION_STATES] = {
    [CP_SESSION_IDLE] = /*         */ "W.RR.......R......",
    [CP_SESSION_WAIT_TUNNEL] = /*  */ ".Q............xQ.x",
    [CP_SESSION_WAIT_REPLY] = /*   */ "..XXCXxxx..XXXXXxx",
    [CP_SESSION_WAIT_CONNECT] = /* */ "xxxxxxxxxxxxxxxxxx",
    [CP_SESSION_ESTABLISHED] = /*  */ "..XXXXXXx.sXXXXX.x",
};

static const char *const lns_rows[CP_N_SESSION_STATES] = {
    [CP_SESSION_IDLE] = /*         */ "..PRRR.....R......",
    [CP_SESSION_WAIT_TUNNEL] = /*  */ "xxxxxxxxxxxxxxxxxx",
    [CP_SESSION_WAIT_REPLY] = /*   */ "xxxxxxxxxxxxxxxxxx",
    [CP_SESSION_WAIT_CONNECT] = /* */ "..XXXXAXx..XXXXXxx",
    [CP_SESSION_ESTABLISHED] = /*  */ "..XXXXXXxw.XXXXX.x",
};

static const struct letter session_letters[] = {
    {'.', CP_SESSION_DO_NOTHING, SAME},
    {'W', CP_SESSION_DO_WAIT, CP_SESSION_WAIT_TUNNEL},
    {'Q', CP_SESSION_DO_REQUEST, CP_SESSION_WAIT_REPLY},
    {'P', CP_SESSION_DO_REPLY, CP_SESSION_WAIT_CONNECT},
    {'C', CP_SESSION_DO_CONNECT, CP_SESSION_ESTABLISHED},
    {'A', CP_SESSION_DO_ACCEPT, CP_SESSION_ESTABLISHED},
    {'R', CP_SESSION_DO_REFUSE, CP_SESSION_IDLE},
    {'X', CP_SESSION_DO_DISCONNECT, CP_SESSION_IDLE},
    {'x', CP_SESSION_DO_CLEAR, CP_SESSION_IDLE},
    {'w', CP_SESSION_DO_NOTE_WEN, SAME},
    {'s', CP_SESSION_DO_NOTE_SLI, SAME},
    {0, 0, 0},
};

static const struct cp_cell *lac_cell(unsigned state, unsigned event)
{
	return cp_fsm_session(LC_ROLE_LAC, state, (enum cp_session_event)event);
}

static const struct cp_cell *lns_cell(unsigned state, unsigned event)
{
	return cp_fsm_session(LC_ROLE_LNS, state, (enum cp_session_event)event);
}

static void test_lac_table_7_4_1(void **state)
{
	(void)state;
	check_table(lac_rows, CP_N_SESSION_STATES, CP_N_SESSION_EVENTS, session_letters, lac_cell);
	assert_int_equal(cp_fsm_session(LC_ROLE_LAC, 99, CP_SESSION_SLI)->action,
			 CP_SESSION_DO_CLEAR);
}

static void test_lns_table_7_4_2(void **state)
{
	(void)state;
	check_table(lns_rows, CP_N_SESSION_STATES, CP_N_SESSION_EVENTS, session_letters, lns_cell);
}

static void test_every_state_and_event_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CP_N_TUNNEL_STATES; i++)
		assert_string_not_equal(cp_tunnel_state_name((enum cp_tunnel_state)i), "?");
	for (unsigned i = 0; i < CP_N_TUNNEL_EVENTS; i++)
		assert_non_null(cp_tunnel_event_name((enum cp_tunnel_event)i));
	for (unsigned i = 0; i < CP_N_SESSION_STATES; i++)
		assert_string_not_equal(cp_session_state_name((enum cp_session_state)i), "?");
	for (unsigned i = 0; i < CP_N_SESSION_EVENTS; i++)
		assert_non_null(cp_session_event_name((enum cp_session_event)i));
}

/* ---- the same cells, alive ---- */

static void put_message(struct puppet *p, enum lc_message_type type, uint16_t session_id)
{
	static const struct cp_accm accm = {1, 2};
	static const struct cp_call_errors errors = {1, 2, 3, 4, 5, 6};
	struct cp_builder *b = puppet_begin(p, type, session_id);

	switch (type) {
	case LC_MSG_SCCRQ:
	case LC_MSG_SCCRP:
		puppet_put_control(b, "lac", PUPPET_TUNNEL);
		break;
	case LC_MSG_STOPCCN:
		cp_builder_u16(b, CP_AVP_ASSIGNED_TUNNEL_ID, PUPPET_TUNNEL);
		cp_builder_result(b, CP_STOPCCN_GENERAL, 0, NULL);
		break;
	case LC_MSG_OCRQ:
		cp_builder_u32(b, CP_AVP_MINIMUM_BPS, 1);
		cp_builder_u32(b, CP_AVP_MAXIMUM_BPS, 2);
		cp_builder_u32(b, CP_AVP_FRAMING_TYPE, 1);
		cp_builder_string(b, CP_AVP_CALLED_NUMBER, "1");
		cp_builder_u32(b, CP_AVP_BEARER_TYPE, 1);
		cp_builder_u32(b, CP_AVP_CALL_SERIAL_NUMBER, 1);
		cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, PUPPET_SESSION);
		break;
	case LC_MSG_ICRQ:
		cp_builder_u32(b, CP_AVP_CALL_SERIAL_NUMBER, 1);
		cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, PUPPET_SESSION);
		break;
	case LC_MSG_ICRP:
	case LC_MSG_OCRP:
		cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, PUPPET_SESSION);
		break;
	case LC_MSG_ICCN:
	case LC_MSG_OCCN:
		cp_builder_u32(b, CP_AVP_TX_CONNECT_SPEED, 1000);
		cp_builder_u32(b, CP_AVP_FRAMING_TYPE, 1);
		break;
	case LC_MSG_CDN:
		cp_builder_u16(b, CP_AVP_ASSIGNED_SESSION_ID, PUPPET_SESSION);
		cp_builder_result(b, CP_CDN_CARRIER_LOST, 0, NULL);
		break;
	case LC_MSG_WEN:
		cp_builder_call_errors(b, &errors);
		break;
	case LC_MSG_SLI:
		cp_builder_accm(b, &accm);
		break;
	default:
		break;
	}
}

static struct lab *new_lns(struct puppet *p)
{
	char *json = lab_lns_json("", "", 3);
	struct lab *lab = lab_new(NULL, json);
	free(json);
	puppet_open(p, lab, LNS);
	puppet_connect(p);
	return lab;
}

/* The LAC with its tunnel up and its one call at ICRQ; returns its session ID. */
static struct lab *new_lac(struct puppet *p, uint16_t *session_id)
{
	char *json = lab_lac_json("", "", 1);
	struct lab *lab = lab_new(json, NULL);
	free(json);
	puppet_open(p, lab, LAC);
	puppet_settle(p);
	assert_int_equal(puppet_take(p), LC_MSG_SCCRQ);
	p->tunnel_id = p->got.assigned_tunnel_id;
	put_message(p, LC_MSG_SCCRP, 0);
	assert_int_equal(puppet_send(p), LC_MSG_ICRQ);
	*session_id = p->got.assigned_session_id;
	return lab;
}

static struct lc_tunnel *the_tunnel(struct lab_end *e)
{
	return (struct lc_tunnel *)(uintptr_t)lab_tunnel(e, 0);
}

static struct lc_session *the_session(struct lab_end *e)
{
	return (struct lc_session *)(uintptr_t)lab_session(e, 0);
}

static void try_tunnel_cell(unsigned from, enum lc_message_type type, char letter)
{
	struct puppet p;
	struct lab *lab = new_lns(&p);
	struct lab_end *e = &lab->end[LNS];
	struct lc_tunnel *t = the_tunnel(e);

	if (from == CP_TUNNEL_STOPPING) {
		cp_engine_close_tunnel(e->engine, t->door.id, CP_STOPCCN_SHUTDOWN, "", lab->now);
		puppet_settle(&p);
		assert_int_equal(puppet_take(&p), LC_MSG_STOPCCN);
		p.nr--; /* not acknowledged yet */
	} else {
		t->state = (uint8_t)from; /* as a commit would have left it */
		t->deadline = from == CP_TUNNEL_STOPPED ? lab->now + 5000 : 0;
	}
	put_message(&p, type, 0);
	int answer = puppet_send(&p);
	t = the_tunnel(e);
	if (letter == 'S') {
		assert_int_equal(answer, LC_MSG_STOPCCN);
		assert_int_equal(p.got.result.code, CP_STOPCCN_FSM);
		assert_int_equal(t->state, CP_TUNNEL_STOPPING);
	} else if (letter == 'L') {
		assert_int_equal(answer, 0);
		assert_int_equal(t->state, CP_TUNNEL_STOPPED);
	} else if (letter == 'D') {
		assert_int_equal(answer, 0);
		assert_null(t); /* gone at once */
	} else {
		assert_int_equal(answer, 0);
		assert_int_equal(t->state, from);
	}
	lab_free(lab);
}

static void test_control_messages_in_every_state(void **state)
{
	(void)state;
	static const struct {
		enum lc_message_type type;
		enum cp_tunnel_event event;
	} tries[] = {
	    {LC_MSG_SCCRQ, CP_TUNNEL_SCCRQ},       {LC_MSG_SCCRP, CP_TUNNEL_SCCRP},
	    {LC_MSG_SCCCN, CP_TUNNEL_SCCCN},       {LC_MSG_STOPCCN, CP_TUNNEL_STOPCCN},
	    {LC_MSG_ICRQ, CP_TUNNEL_CALL_MESSAGE}, {LC_MSG_CDN, CP_TUNNEL_CALL_MESSAGE},
	    {LC_MSG_WEN, CP_TUNNEL_CALL_MESSAGE},
	};

	for (unsigned s = 0; s < CP_N_TUNNEL_STATES; s++) {
		for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
			char letter = tunnel_rows[s][tries[i].event];
			if (strchr("SLD.", letter) != NULL) /* the others: test_engine */
				try_tunnel_cell(s, tries[i].type, letter);
		}
	}
}

static void expect_session(struct puppet *p, int answer, char letter, unsigned from, bool again)
{
	struct lab_end *e = &p->lab->end[p->end];
	const struct lc_session *s = the_session(e);

	switch (letter) {
	case 'X':
	case 'R':
		assert_int_equal(answer, LC_MSG_CDN);
		assert_int_equal(p->got.session_id, PUPPET_SESSION);
		assert_int_not_equal(p->got.assigned_session_id, 0);
		break;
	default:
		assert_int_equal(answer, 0);
	}
	if (letter == 'X' || letter == 'x') {
		if (again) /* the LAC's next call waits for its back-off */
			assert_int_equal(s->state, CP_SESSION_WAIT_TUNNEL);
		else
			assert_null(s);
	} else if (s != NULL) {
		assert_int_equal(s->state, from);
	}
	assert_int_equal(lab_tunnels(e, CP_TUNNEL_ESTABLISHED), 1);
}

static const struct {
	enum lc_message_type type;
	enum cp_session_event event;
} call_messages[] = {
    {LC_MSG_ICRQ, CP_SESSION_ICRQ},     {LC_MSG_ICRP, CP_SESSION_ICRP},
    {LC_MSG_ICCN, CP_SESSION_ICCN},     {LC_MSG_CDN, CP_SESSION_CDN},
    {LC_MSG_WEN, CP_SESSION_WEN},       {LC_MSG_SLI, CP_SESSION_SLI},
    {LC_MSG_OCRQ, CP_SESSION_OCRQ},     {LC_MSG_OCRP, CP_SESSION_OUTGOING},
    {LC_MSG_OCCN, CP_SESSION_OUTGOING},
};

enum { N_CALL_MESSAGES = sizeof(call_messages) / sizeof(call_messages[0]) };

static void test_call_messages_in_every_state_of_the_lns(void **state)
{
	(void)state;
	for (unsigned s = 0; s < CP_N_SESSION_STATES; s++) {
		for (unsigned i = 0; i < N_CALL_MESSAGES; i++) {
			char letter = lns_rows[s][call_messages[i].event];
			uint16_t id = 0;
			struct puppet p;
			if (strchr("PAws", letter) != NULL)
				continue; /* these are tried in test_engine */
			struct lab *lab = new_lns(&p);
			if (s != CP_SESSION_IDLE) {
				id = puppet_call(&p, PUPPET_SESSION, "user1");
				the_session(&lab->end[LNS])->state = (uint8_t)s;
			}
			put_message(&p, call_messages[i].type, s == CP_SESSION_IDLE ? 9 : id);
			expect_session(&p, puppet_send(&p), letter, s, false);
			lab_free(lab);
		}
	}
}

static void test_call_messages_in_every_state_of_the_lac(void **state)
{
	(void)state;
	for (unsigned s = 1; s < CP_N_SESSION_STATES; s++) {
		for (unsigned i = 0; i < N_CALL_MESSAGES; i++) {
			char letter = lac_rows[s][call_messages[i].event];
			struct puppet p;
			uint16_t id;
			if (strchr("Cs", letter) != NULL)
				continue;
			struct lab *lab = new_lac(&p, &id);
			put_message(&p, LC_MSG_ICRP, id);
			assert_int_equal(puppet_send(&p), LC_MSG_ICCN);
			the_session(&lab->end[LAC])->state = (uint8_t)s;
			put_message(&p, call_messages[i].type, id);
			expect_session(&p, puppet_send(&p), letter, s, true);
			lab_free(lab);
		}
	}
}

/* No session: an ICRQ is refused by the LAC's end, an OCRQ by any; what comes late means nothing. */
static void test_call_messages_without_a_session_at_the_lac(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_CALL_MESSAGES; i++) {
		struct puppet p;
		uint16_t id;
		struct lab *lab = new_lac(&p, &id);
		put_message(&p, call_messages[i].type, 999);
		int answer = puppet_send(&p);
		if (lac_rows[CP_SESSION_IDLE][call_messages[i].event] == 'R') {
			assert_int_equal(answer, LC_MSG_CDN);
			assert_int_equal(p.got.session_id, PUPPET_SESSION);
			assert_int_equal(p.got.result.code, CP_CDN_NO_FACILITIES_EVER);
		} else {
			assert_int_equal(answer, 0);
		}
		assert_int_equal(the_session(&lab->end[LAC])->state, CP_SESSION_WAIT_REPLY);
		lab_free(lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_control_connection_table_7_2_1),
	    cmocka_unit_test(test_lac_table_7_4_1),
	    cmocka_unit_test(test_lns_table_7_4_2),
	    cmocka_unit_test(test_every_state_and_event_has_a_name),
	    cmocka_unit_test(test_control_messages_in_every_state),
	    cmocka_unit_test(test_call_messages_in_every_state_of_the_lns),
	    cmocka_unit_test(test_call_messages_in_every_state_of_the_lac),
	    cmocka_unit_test(test_call_messages_without_a_session_at_the_lac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
