/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complain.h"
#include "report_json.h"

enum { BAR_WIDTH = 24 };

int report_open(struct report *report, const struct options *options, const struct capture *capture,
		const struct tracker *tracker)
{
	struct stat stat_;

	*report = (struct report){.options = options,
				  .capture = capture,
				  .tracker = tracker,
				  .events = -1,
				  .bar = isatty(STDERR_FILENO) == 1};
	if (options->events == NULL)
		return 0;
	/* A FIFO is opened for both, so that it needs no reader yet; nobody is waited for when it
	 * is full. */
	bool fifo = stat(options->events, &stat_) == 0 && S_ISFIFO(stat_.st_mode);
	int flags = fifo ? O_RDWR | O_NONBLOCK : O_WRONLY | O_CREAT | O_TRUNC;
	report->events = open(options->events, flags | O_CLOEXEC, 0644);
	if (report->events >= 0)
		return 0;
	int error = -errno;
	complain("%s: cannot write events: %s", options->events, strerror(-error));
	return error;
}

void report_close(struct report *report)
{
	if (report->events >= 0)
		close(report->events);
	report->events = -1;
}

bool report_is_clean(const struct report *report)
{
	uint64_t sent = 0, bad = 0;

	for (int i = 0; i < DIRECTIONS; i++) {
		const struct tracker_totals *totals = tracker_totals(report->tracker, i);

		sent += totals->sent;
		bad += (totals->sent - totals->received) | totals->reordered | totals->duplicated |
		       totals->corrupted;
	}
	return sent > 0 && bad == 0;
}

static void write_event(const struct report *report, uint64_t now_ns)
{
	json_t *event = report_event_json(report, now_ns);
	char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(6));

	if (text != NULL) {
		size_t length = strlen(text);

		text[length] = '\n'; /* one write a line: what reads a FIFO sees whole lines */
		if (write(report->events, text, length + 1) < 0 && errno != EAGAIN)
			complain("%s: cannot write events: %s", report->options->events,
				 strerror(errno));
		free(text);
	}
	json_decref(event);
}

/* How far it is, 0 to 1; below 0: without end. */
static double part_done(const struct report *report, uint64_t sent, uint64_t now_ns)
{
	const struct options *options = report->options;
	double by_count = -1, by_time = -1;

	if (options->loops != 0)
		by_count =
		    (double)sent / ((double)report->capture->n_packets * (double)options->loops);
	if (options->duration_ns != 0)
		by_time = (double)(now_ns - report->started_ns) / (double)options->duration_ns;
	double part = by_count > by_time ? by_count : by_time;
	return part > 1 ? 1 : part;
}

static void draw_bar(const struct report *report, uint64_t now_ns)
{
	const struct tracker_totals *up = tracker_totals(report->tracker, UPSTREAM);
	const struct tracker_totals *down = tracker_totals(report->tracker, DOWNSTREAM);
	uint64_t sent = up->sent + down->sent;
	uint64_t lost =
	    tracker_lost(report->tracker, UPSTREAM) + tracker_lost(report->tracker, DOWNSTREAM);
	double part = part_done(report, sent, now_ns),
	       seconds = (double)(now_ns - report->started_ns) / 1e9;
	char bar[BAR_WIDTH + 1];

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', part > 0 ? (size_t)(part * BAR_WIDTH) : 0);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r\033[K");
	if (part >= 0)
		fprintf(stderr, "[%s] %3.0f %% ", bar, part * 100);
	fprintf(stderr, "%.1f s  %llu sent  %.0f/s  %llu lost%s", seconds, (unsigned long long)sent,
		seconds > 0 ? (double)sent / seconds : 0, (unsigned long long)lost,
		report->ended_ns ? "  (waiting for the last)" : "");
	fflush(stderr);
}

void report_progress(struct report *report, uint64_t now_ns)
{
	if (report->events >= 0)
		write_event(report, now_ns);
	if (report->bar)
		draw_bar(report, now_ns);
}

static void print_row(const char *name, const struct tracker_totals *totals, uint64_t lost)
{
	printf("%-11s%12llu%12llu%10llu%11llu%12llu%11llu%10.1f\n", name,
	       (unsigned long long)totals->sent, (unsigned long long)totals->received,
	       (unsigned long long)lost, (unsigned long long)totals->reordered,
	       (unsigned long long)totals->duplicated, (unsigned long long)totals->corrupted,
	       (double)totals->longest_gap_ns / 1e6);
}

static void print_skipped(const struct capture *capture)
{
	uint64_t all = 0;

	for (int i = 1; i < SKIP_REASONS; i++)
		all += capture->skipped[i];
	printf("capture    %llu packets, %zu replayed, %llu skipped\n",
	       (unsigned long long)capture->n_frames, capture->n_packets, (unsigned long long)all);
	for (int i = 1; i < SKIP_REASONS; i++)
		if (capture->skipped[i] > 0)
			printf("           %12llu %s\n", (unsigned long long)capture->skipped[i],
			       skip_text((enum skip)i));
}

static void print_latency(const struct histogram *latency)
{
	static const struct {
		const char *name;
		double part;
	} columns[] = {{"median", 0.5}, {"99 %", 0.99}, {"99.9 %", 0.999}, {"99.99 %", 0.9999}};

	printf("latency    min %.0f us", (double)latency->min / 1e3);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		printf(", %s %.0f us", columns[i].name,
		       (double)histogram_quantile(latency, columns[i].part) / 1e3);
	printf(", max %.0f us\n", (double)latency->max / 1e3);
}

static void print_table(const struct report *report)
{
	static const char *const names[] = {[UPSTREAM] = "upstream", [DOWNSTREAM] = "downstream"};
	struct tracker_summary summary = tracker_summarize(report->tracker);
	double seconds = (double)(report->ended_ns - report->started_ns) / 1e9;
	uint64_t sent = 0, foreign = 0;

	print_skipped(report->capture);
	printf("\n%-11s%12s%12s%10s%11s%12s%11s%10s\n", "", "sent", "received", "lost", "reordered",
	       "duplicated", "corrupted", "gap ms");
	for (int i = 0; i < DIRECTIONS; i++) {
		const struct tracker_totals *totals = tracker_totals(report->tracker, i);

		print_row(names[i], totals, tracker_lost(report->tracker, i));
		sent += totals->sent;
		foreign += totals->foreign;
	}
	printf("\nrate       %.0f packets/s over %.2f s\n",
	       seconds > 0 ? (double)sent / seconds : 0, seconds);
	printf("sessions   %u carried traffic, %u lost some of it\n", summary.sessions,
	       summary.sessions_with_loss);
	if (summary.first_loss_at != 0)
		printf("first loss %.3f s after the start\n",
		       (double)(summary.first_loss_at - report->started_ns) / 1e9);
	print_latency(tracker_latency(report->tracker));
	if (foreign > 0)
		printf("foreign    %llu IP packets arrived that are none of ours\n",
		       (unsigned long long)foreign);
	if (report->own_drops > 0)
		printf(
		    "CAUTION    the replayer itself missed %llu frames: it was too slow, the road was not\n",
		    (unsigned long long)report->own_drops);
	printf("\n%s\n", report_is_clean(report)
			     ? "Every packet arrived once, in order, unharmed."
			     : "NOT every packet arrived once, in order, unharmed.");
}

int report_finish(struct report *report, uint64_t now_ns)
{
	const char *path = report->options->json;

	if (report->events >= 0)
		write_event(report, now_ns);
	if (report->bar)
		fprintf(stderr, "\r\033[K");
	if (path == NULL || strcmp(path, "-") != 0)
		print_table(report);
	if (path == NULL)
		return 0;
	json_t *json = report_json(report);
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	int error = file == NULL ? -errno : 0;
	if (file != NULL) {
		if (json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 ||
		    fputc('\n', file) == EOF || fflush(file) != 0)
			error = -EIO;
		if (file != stdout)
			fclose(file);
	}
	if (error != 0)
		complain("%s: cannot write the report: %s", path, strerror(-error));
	json_decref(json);
	return error;
}
