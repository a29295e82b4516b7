/* SPDX-License-Identifier: BSD-3-Clause */
/* One thread, one loop: receive from both ends, send what may go, sleep until something is due. It
 * shares two cores with the processes under test, so it sleeps whenever it can; and as nothing runs
 * beside it, nothing here is locked. */
#include "replay.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "capture.h"
#include "complain.h"
#include "options.h"
#include "report.h"
#include "road.h"
#include "sender.h"
#include "topology.h"
#include "tracker.h"

enum { EXIT_CLEAN, EXIT_DAMAGE, EXIT_CANNOT };

#define GATHER_NS    50000u    /* a wake-up for every frame would cost the cores under test more */
#define LINGER_NS    50000000u /* after the last arrival, for copies that come behind */
#define STRAGGLER_NS 1000000000u /* after the last packet sent, for those that are missing */

struct replay {
	struct options options;
	struct topology *topology;
	struct capture capture;
	struct tracker *tracker;
	struct road road;
	struct sender sender;
	struct report report;
};

static volatile int stop;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool is_over(const struct replay *replay, uint64_t now_ns)
{
	const struct options *options = &replay->options;

	return stop || sender_is_done(&replay->sender) ||
	       (options->duration_ns != 0 &&
		now_ns >= replay->report.started_ns + options->duration_ns);
}

static bool is_settled(const struct replay *replay, uint64_t now_ns)
{
	const struct tracker_totals *up = tracker_totals(replay->tracker, UPSTREAM);
	const struct tracker_totals *down = tracker_totals(replay->tracker, DOWNSTREAM);

	if (now_ns >= replay->report.ended_ns + STRAGGLER_NS)
		return up->in_flight + down->in_flight == 0;
	return up->received == up->sent && down->received == down->sent &&
	       now_ns >= replay->road.last_arrival_ns + LINGER_NS;
}

static uint64_t pause_for(const struct replay *replay, uint64_t next_report_ns, uint64_t now_ns)
{
	uint64_t until_report = next_report_ns > now_ns ? next_report_ns - now_ns : 0;
	uint64_t pause =
	    replay->report.ended_ns ? LINGER_NS / 5 : sender_pause(&replay->sender, now_ns);

	return pause < until_report ? pause : until_report;
}

/* Sends until it is over, then waits for what is still out. 0 or -errno. */
static int run(struct replay *replay)
{
	struct report *report = &replay->report;
	uint64_t now = report->started_ns, next_report = now + REPORT_EVERY_NS;
	int sent = 0;

	for (;;) {
		unsigned received = road_receive(&replay->road);

		now = link_clock();
		tracker_expire(replay->tracker, now);
		if (report->ended_ns == 0 && is_over(replay, now))
			report->ended_ns = now;
		sent = report->ended_ns ? sender_flush(&replay->sender)
					: sender_send(&replay->sender, now);
		if (sent < 0)
			return sent;
		if (now >= next_report) {
			report_progress(report, now);
			next_report = now + REPORT_EVERY_NS;
		}
		if (report->ended_ns != 0 && is_settled(replay, now))
			return 0;
		if (received == 0 && sent == 0)
			road_wait(&replay->road, pause_for(replay, next_report, now), GATHER_NS);
	}
}

/* Reads everything that can be wrong before an interface is touched. */
static int load(struct replay *replay)
{
	struct options *options = &replay->options;

	replay->topology = topology_load(options->lac, options->lns, options->access_port,
					 options->core_port, options->sessions);
	if (replay->topology == NULL)
		return -EINVAL;
	if (options->mtu != 0)
		replay->topology->max_packet = (uint16_t)options->mtu;
	return capture_read(&replay->capture, options->file);
}

/* An interface may carry less than the ports that the configurations describe. */
static void limit_packets(struct replay *replay)
{
	const struct netdev *access = link_netdev(replay->road.access);
	const struct netdev *core = link_netdev(replay->road.core);
	unsigned fits = core->mtu < access->mtu - 8 ? core->mtu : access->mtu - 8;

	if (fits >= replay->topology->max_packet)
		return;
	complain(
	    "%s and %s carry IP packets of at most %u bytes, the ports in the configurations %u: "
	    "larger ones are skipped (ip link set ... mtu ...)",
	    link_name(replay->road.access), link_name(replay->road.core), fits,
	    replay->topology->max_packet);
	replay->topology->max_packet = (uint16_t)fits;
}

static int select_packets(struct replay *replay)
{
	struct capture *capture = &replay->capture;
	int error = capture_filter(capture, topology_admits, replay->topology);

	if (error != 0 || capture->n_packets > 0)
		return error;
	complain("%s: no packet of use among %llu", replay->options.file,
		 (unsigned long long)capture->n_frames);
	for (int i = 1; i < SKIP_REASONS; i++)
		if (capture->skipped[i] > 0)
			complain("%s: %llu skipped: %s", replay->options.file,
				 (unsigned long long)capture->skipped[i], skip_text((enum skip)i));
	return -ENODATA;
}

static int prepare(struct replay *replay)
{
	int error = load(replay);

	if (error != 0)
		return error;
	replay->tracker = tracker_new(replay->topology->n_sessions);
	if (replay->tracker == NULL)
		return -ENOMEM;
	error = report_open(&replay->report, &replay->options, &replay->capture, replay->tracker);
	if (error == 0)
		error = road_open(&replay->road, &replay->options, replay->topology,
				  &replay->capture, replay->tracker, &stop);
	if (error != 0)
		return error;
	limit_packets(replay);
	error = select_packets(replay);
	if (error != 0)
		return error;
	replay->report.started_ns = link_clock();
	return sender_init(&replay->sender, &replay->road, &replay->options,
			   replay->report.started_ns);
}

static int finish(struct replay *replay)
{
	struct report *report = &replay->report;

	tracker_finish(replay->tracker, report->ended_ns);
	report->own_drops = link_drops(replay->road.access) + link_drops(replay->road.core);
	if (report_finish(report, link_clock()) != 0)
		return EXIT_CANNOT;
	return report_is_clean(report) ? EXIT_CLEAN : EXIT_DAMAGE;
}

int replay_main(int argc, char **argv)
{
	struct replay replay = {.report.events = -1};
	int status = EXIT_CANNOT, error = options_parse(&replay.options, argc, argv);

	if (error != 0)
		return error > 0 ? EXIT_CLEAN : EXIT_CANNOT;
	catch_signals();
	error = prepare(&replay);
	if (error == 0)
		error = run(&replay);
	if (error == 0)
		status = finish(&replay);
	else if (error == -ENOMEM)
		complain("out of memory");
	sender_clear(&replay.sender);
	report_close(&replay.report);
	road_close(&replay.road);
	tracker_free(replay.tracker);
	capture_clear(&replay.capture);
	topology_free(replay.topology);
	return status;
}
