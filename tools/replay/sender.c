/* SPDX-License-Identifier: BSD-3-Clause */
#include "sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEHIND_NS 20000000u /* as much of a delay is made up for */
#define ROUND_MIN 1000000u  /* as captured: the shortest round */
#define RETRY_NS  1000000u  /* when the kernel was short of buffers */

int sender_init(struct sender *sender, struct road *road, const struct options *options,
		uint64_t now_ns)
{
	const struct capture *capture = road->capture;
	size_t size = (size_t)road->topology->max_packet + FRAME_HEADERS + 64;

	*sender = (struct sender){.road = road, .options = options, .started_ns = now_ns};
	/* one more usual spacing between the last packet of a round and the first of the next */
	sender->round_ns = capture->span_ns + capture->span_ns / capture->n_packets;
	if (sender->round_ns < ROUND_MIN)
		sender->round_ns = ROUND_MIN;
	sender->buffers = malloc(size * SENDER_BATCH * DIRECTIONS);
	if (sender->buffers == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < SENDER_BATCH * DIRECTIONS; i++)
		sender->queue[i / SENDER_BATCH].frames[i % SENDER_BATCH].bytes =
		    sender->buffers + i * size;
	return 0;
}

void sender_clear(struct sender *sender)
{
	free(sender->buffers);
	sender->buffers = NULL;
}

bool sender_is_done(const struct sender *sender)
{
	return sender->options->loops != 0 && sender->round >= sender->options->loops;
}

bool sender_is_queued(const struct sender *sender)
{
	return sender->queue[UPSTREAM].n + sender->queue[DOWNSTREAM].n > 0;
}

/* When the next packet is due, since started_ns. */
static uint64_t next_due(const struct sender *sender)
{
	switch (sender->options->pace) {
	case PACE_RATE:
		return (uint64_t)((double)sender->count * 1e9 / sender->options->rate);
	case PACE_CAPTURED:
		return sender->round * sender->round_ns +
		       sender->road->capture->packets[sender->next].time_ns;
	default:
		return 0;
	}
}

static uint64_t in_flight(const struct sender *sender)
{
	return tracker_totals(sender->road->tracker, UPSTREAM)->in_flight +
	       tracker_totals(sender->road->tracker, DOWNSTREAM)->in_flight;
}

static bool may_send(const struct sender *sender, uint64_t now_ns)
{
	if (sender_is_done(sender))
		return false;
	if (sender->options->pace == PACE_WINDOW)
		return in_flight(sender) < sender->options->window;
	return now_ns >= sender->started_ns + next_due(sender);
}

static int queue_next(struct sender *sender, uint64_t now_ns)
{
	const struct capture *capture = sender->road->capture;
	const struct packet *packet = &capture->packets[sender->next];
	struct sender_queue *queue = &sender->queue[packet->direction];
	struct link_frame *frame = &queue->frames[queue->n];
	uint32_t session =
	    topology_assign(sender->road->topology, packet->family, packet->conversation,
			    capture->n_conversations, sender->round);
	uint64_t number = tracker_next(sender->road->tracker, session, packet->direction);

	frame->length = road_frame(sender->road, packet, session, number, frame->bytes);
	int error = tracker_sent(sender->road->tracker, session, packet->direction,
				 (uint32_t)sender->next, now_ns);
	if (error != 0)
		return error;
	queue->n++;
	sender->count++;
	if (++sender->next == capture->n_packets) {
		sender->next = 0;
		sender->round++;
	}
	return 0;
}

int sender_flush(struct sender *sender)
{
	struct link *links[] = {
	    [UPSTREAM] = sender->road->access, [DOWNSTREAM] = sender->road->core};

	for (int i = 0; i < DIRECTIONS; i++) {
		struct sender_queue *queue = &sender->queue[i];

		if (queue->n == 0)
			continue;
		int taken =
		    link_send(links[i], queue->frames + queue->first, queue->n - queue->first);
		if (taken < 0)
			return taken;
		queue->first += (unsigned)taken;
		if (queue->first == queue->n)
			queue->first = queue->n = 0;
	}
	return 0;
}

int sender_send(struct sender *sender, uint64_t now_ns)
{
	int n = 0;

	if (!sender_is_queued(sender)) {
		if (sender->options->pace != PACE_WINDOW && !sender_is_done(sender)) {
			uint64_t due = sender->started_ns + next_due(sender);

			if (now_ns > due + BEHIND_NS)
				sender->started_ns += now_ns - due - BEHIND_NS;
		}
		for (; n < SENDER_BATCH && may_send(sender, now_ns); n++) {
			int error = queue_next(sender, now_ns);
			if (error != 0)
				return error;
		}
	}
	int error = sender_flush(sender);
	return error != 0 ? error : n;
}

uint64_t sender_pause(const struct sender *sender, uint64_t now_ns)
{
	if (sender_is_queued(sender))
		return RETRY_NS;
	if (sender_is_done(sender) || sender->options->pace == PACE_WINDOW)
		return UINT64_MAX;
	uint64_t due = sender->started_ns + next_due(sender);
	return due > now_ns ? due - now_ns : 0;
}
