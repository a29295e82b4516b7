/* SPDX-License-Identifier: BSD-3-Clause */
/* What every start of the control plane did: the starts that are remembered, and their tunnels, the newest first. */
#include "cp_show_internal.h"

#include "cp_history.h"

enum { N_OUTCOMES = LC_OUTCOME_INTERRUPTED + 1 };

struct tally {
	uint32_t by_outcome[LC_STARTS][N_OUTCOMES];
};

/* ms since 1970 of a moment; null where the control plane has not told yet what the clock was. */
static json_t *show_clock(const struct cp_show *show, uint64_t when)
{
	uint64_t start = show->mirror->header->realtime_ms;

	return start && when ? json_integer((json_int_t)(start + when)) : json_null();
}

/* The start of a life; false: it is not remembered. */
static bool read_start(const struct lc_mirror *m, uint32_t life, struct lc_start *start)
{
	const struct lc_start *place = &m->starts[life % LC_STARTS];

	if (life == 0 || __atomic_load_n(&place->life, __ATOMIC_ACQUIRE) != life)
		return false;
	*start = *place;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&place->life, __ATOMIC_RELAXED) == life;
}

static uint64_t newest_line(const struct lc_mirror *m)
{
	return __atomic_load_n(&m->header->history_number, __ATOMIC_ACQUIRE);
}

/* Lines that may be there: [oldest, newest]. */
static uint64_t oldest_line(const struct lc_mirror *m, uint64_t newest)
{
	uint64_t size = m->header->geometry.history;

	return newest > size ? newest - size + 1 : 1;
}

/* Over the whole ring, which is twice as long as a mirror has tunnels. */
static void count_lines(const struct lc_mirror *m, struct tally *tally)
{
	uint64_t newest = newest_line(m);

	for (uint64_t n = oldest_line(m, newest); n <= newest; n++) {
		struct lc_history line;
		struct lc_start start;

		if (cp_history_read(m, n, &line) && line.outcome < N_OUTCOMES &&
		    read_start(m, line.life, &start))
			tally->by_outcome[line.life % LC_STARTS][line.outcome]++;
	}
}

static json_t *show_start(const struct cp_show *show, const struct lc_start *start,
			  const struct tally *tally)
{
	json_t *object = json_object(), *outcomes = json_object();

	for (unsigned i = 0; i < N_OUTCOMES; i++)
		cp_put_int(outcomes, cp_outcome_name((enum lc_outcome)i),
			   tally->by_outcome[start->life % LC_STARTS][i]);
	cp_put_int(object, "life", start->life);
	cp_put_flag(object, "warm", start->life > 1);
	cp_put(object, "began", show_clock(show, start->began));
	cp_put_int(object, "began_ms_ago", cp_show_since(show, start->began));
	cp_put(object, "ready_ms",
	       start->ready >= start->began && start->ready
		   ? json_integer((json_int_t)(start->ready - start->began))
		   : json_null());
	cp_put_int(object, "tunnels", start->tunnels);
	cp_put_int(object, "sessions", start->sessions);
	cp_put(object, "outcomes", outcomes);
	return object;
}

static json_t *show_starts(const struct cp_show *show, uint32_t life)
{
	json_t *starts = json_array();
	struct tally tally = {0};

	count_lines(show->mirror, &tally);
	for (uint32_t i = 0; i < LC_STARTS && i < life; i++) {
		struct lc_start start;

		if (read_start(show->mirror, life - i, &start))
			json_array_append_new(starts, show_start(show, &start, &tally));
	}
	return starts;
}

static json_t *show_line(const struct cp_show *show, const struct lc_history *line)
{
	json_t *object = json_object();

	cp_put_int(object, "number", line->number);
	cp_put_int(object, "life", line->life);
	cp_put_int(object, "tunnel", line->tunnel_id);
	cp_put_name(object, "role", line->role == LC_ROLE_LAC ? "lac" : "lns");
	cp_put(object, "peer_address", cp_show_ipv4(line->peer_address));
	cp_put(object, "peer_host", cp_show_text(line->peer_host, sizeof(line->peer_host)));
	cp_put_name(object, "method", cp_show_method(line->method));
	cp_put_name(object, "outcome", cp_outcome_name((enum lc_outcome)line->outcome));
	cp_put(object, "reason", cp_show_text(line->reason, sizeof(line->reason)));
	cp_put(object, "when", show_clock(show, line->when));
	cp_put_int(object, "when_ms_ago", cp_show_since(show, line->when));
	cp_put(object, "took_ms",
	       line->outcome == LC_OUTCOME_RECOVERING ? json_null() : json_integer(line->took_ms));
	cp_put_int(object, "sessions_before", line->sessions_before);
	cp_put_int(object, "sessions_after", line->sessions_after);
	cp_put_int(object, "queried", line->n_queried);
	cp_put_int(object, "confirmed", line->n_confirmed);
	cp_put_int(object, "cleared", line->n_cleared);
	return object;
}

json_t *cp_show_failover(const struct cp_show *show, const struct cp_show_page *page)
{
	const struct lc_mirror *m = show->mirror;
	uint64_t newest = newest_line(m), oldest = oldest_line(m, newest);
	uint64_t number = page->from && page->from < newest ? page->from : newest;
	json_t *document = json_object(), *lines = json_array();

	cp_put_int(document, "life", lc_control_life(m));
	cp_put_int(document, "control_pid", m->header->control.pid);
	if (page->from == 0)
		cp_put(document, "starts", show_starts(show, lc_control_life(m)));
	for (unsigned scanned = 0;
	     number >= oldest && scanned < CP_SHOW_SCAN && json_array_size(lines) < CP_SHOW_PAGE;
	     number--, scanned++) {
		struct lc_history line;

		if (cp_history_read(m, number, &line))
			json_array_append_new(lines, show_line(show, &line));
	}
	cp_put(document, "lines", lines);
	if (number >= oldest && number <= UINT32_MAX - 1)
		cp_put_int(document, "next", number);
	return document;
}
