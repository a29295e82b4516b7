/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_json.h"

static void set(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_real(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, json_real(value));
}

static json_t *direction_json(const struct tracker *tracker, enum direction direction)
{
	const struct tracker_totals *totals = tracker_totals(tracker, direction);
	json_t *object = json_object();

	set(object, "sent", totals->sent);
	set(object, "received", totals->received);
	set(object, "lost", tracker_lost(tracker, direction));
	set(object, "reordered", totals->reordered);
	set(object, "duplicated", totals->duplicated);
	set(object, "corrupted", totals->corrupted);
	set(object, "foreign", totals->foreign);
	set_real(object, "traffic_gap_ms", (double)totals->longest_gap_ns / 1e6);
	return object;
}

/* What the event and the report share. */
static json_t *totals_json(const struct tracker *tracker)
{
	json_t *object = json_object();

	json_object_set_new(object, "upstream", direction_json(tracker, UPSTREAM));
	json_object_set_new(object, "downstream", direction_json(tracker, DOWNSTREAM));
	return object;
}

json_t *report_event_json(const struct report *report, uint64_t now_ns)
{
	json_t *object = totals_json(report->tracker);

	set_real(object, "seconds", (double)(now_ns - report->started_ns) / 1e9);
	set(object, "in_flight",
	    tracker_totals(report->tracker, UPSTREAM)->in_flight +
		tracker_totals(report->tracker, DOWNSTREAM)->in_flight);
	json_object_set_new(object, "sending", json_boolean(report->ended_ns == 0));
	return object;
}

static json_t *latency_json(const struct histogram *latency)
{
	json_t *object = json_object();

	set_real(object, "min", (double)latency->min / 1e3);
	set_real(object, "p50", (double)histogram_quantile(latency, 0.5) / 1e3);
	set_real(object, "p99", (double)histogram_quantile(latency, 0.99) / 1e3);
	set_real(object, "p99.9", (double)histogram_quantile(latency, 0.999) / 1e3);
	set_real(object, "p99.99", (double)histogram_quantile(latency, 0.9999) / 1e3);
	set_real(object, "max", (double)latency->max / 1e3);
	return object;
}

static json_t *skipped_json(const struct capture *capture)
{
	json_t *object = json_object();

	for (int i = 1; i < SKIP_REASONS; i++)
		if (capture->skipped[i] > 0)
			set(object, skip_key((enum skip)i), capture->skipped[i]);
	return object;
}

/* The longer of the two directions' gaps, and when it began. */
static void set_gap(json_t *object, const struct report *report)
{
	const struct tracker_totals *longest = tracker_totals(report->tracker, UPSTREAM);
	const struct tracker_totals *down = tracker_totals(report->tracker, DOWNSTREAM);

	if (down->longest_gap_ns > longest->longest_gap_ns)
		longest = down;
	set_real(object, "traffic_gap_ms", (double)longest->longest_gap_ns / 1e6);
	if (longest->longest_gap_ns > 0)
		set_real(object, "traffic_gap_at_ms",
			 (double)(longest->longest_gap_at - report->started_ns) / 1e6);
}

json_t *report_json(const struct report *report)
{
	const struct tracker *tracker = report->tracker;
	struct tracker_summary summary = tracker_summarize(tracker);
	uint64_t sent =
	    tracker_totals(tracker, UPSTREAM)->sent + tracker_totals(tracker, DOWNSTREAM)->sent;
	double seconds = (double)(report->ended_ns - report->started_ns) / 1e9;
	json_t *object = totals_json(tracker);

	set(object, "packets_in_capture", report->capture->n_frames);
	set(object, "packets_replayed", report->capture->n_packets);
	json_object_set_new(object, "skipped", skipped_json(report->capture));
	set(object, "sessions", summary.sessions);
	set(object, "sessions_with_loss", summary.sessions_with_loss);
	set_gap(object, report);
	json_object_set_new(
	    object, "first_loss_at_ms",
	    summary.first_loss_at == 0
		? json_null()
		: json_real((double)(summary.first_loss_at - report->started_ns) / 1e6));
	json_object_set_new(object, "latency_us", latency_json(tracker_latency(tracker)));
	set_real(object, "seconds", seconds);
	set_real(object, "pps", seconds > 0 ? (double)sent / seconds : 0);
	set(object, "replayer_dropped", report->own_drops);
	json_object_set_new(object, "clean", json_boolean(report_is_clean(report)));
	return object;
}
