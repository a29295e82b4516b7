/* SPDX-License-Identifier: BSD-3-Clause */
#include "tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RING_MIN = 64, RING_MAX = 65536, FLIGHT_MIN = 1024 };
#define REMEMBER_NS 10000000000u
#define FORGOTTEN   0 /* a slot's sending time: there is no packet in it */

enum slot_state {
	SLOT_IN_FLIGHT,
	SLOT_EXPIRED, /* left the window unanswered */
	SLOT_DAMAGED, /* arrived, but not as it was sent */
	SLOT_RECEIVED,
};

struct slot {
	uint64_t sent_ns;
	uint32_t packet;
	uint32_t state; /* enum slot_state */
};

struct stream {
	uint64_t next;  /* number of the next packet */
	uint64_t after; /* the highest number that arrived, plus one */
	uint64_t received;
	struct slot *ring; /* packet n is at n mod capacity while n + capacity >= next */
	uint32_t capacity; /* a power of two, or 0 */
};

/* One packet in the order of sending, to let it leave the window in time. */
struct flight {
	uint64_t number;
	uint32_t stream;
};

struct tracker {
	struct tracker_totals totals[DIRECTIONS];
	uint64_t due_since[DIRECTIONS]; /* since when an arrival is due; 0: none is */
	uint64_t last_sent[DIRECTIONS];
	uint64_t first_loss; /* among packets that are no longer remembered; 0: none */
	uint64_t clock;      /* every packet has a sending time of its own */
	struct histogram latency;
	struct flight *flights; /* a ring: head is the oldest */
	uint64_t head, tail;
	uint64_t n_flights; /* its capacity, a power of two */
	uint32_t n_streams;
	struct stream stream[]; /* 2 * session + direction */
};

struct tracker *tracker_new(uint32_t n_sessions)
{
	uint32_t n = n_sessions * DIRECTIONS;
	struct tracker *tracker = calloc(1, sizeof *tracker + n * sizeof(struct stream));

	if (tracker == NULL)
		return NULL;
	tracker->n_streams = n;
	tracker->n_flights = FLIGHT_MIN;
	tracker->flights = calloc(FLIGHT_MIN, sizeof *tracker->flights);
	if (tracker->flights == NULL) {
		tracker_free(tracker);
		return NULL;
	}
	return tracker;
}

void tracker_free(struct tracker *tracker)
{
	if (tracker == NULL)
		return;
	for (uint32_t i = 0; i < tracker->n_streams; i++)
		free(tracker->stream[i].ring);
	free(tracker->flights);
	free(tracker);
}

static uint32_t stream_index(uint32_t session, enum direction direction)
{
	return session * DIRECTIONS + (uint32_t)direction;
}

static struct slot *slot_of(const struct stream *stream, uint64_t number)
{
	return &stream->ring[number & (stream->capacity - 1)];
}

static bool remembered(const struct stream *stream, uint64_t number)
{
	return number < stream->next && stream->next - number <= stream->capacity;
}

uint64_t tracker_next(const struct tracker *tracker, uint32_t session, enum direction direction)
{
	return tracker->stream[stream_index(session, direction)].next;
}

static void note_loss(uint64_t *first, const struct slot *slot)
{
	if (slot->state != SLOT_RECEIVED && (*first == 0 || slot->sent_ns < *first))
		*first = slot->sent_ns;
}

static int ring_grow(struct stream *stream)
{
	uint32_t capacity = stream->capacity ? stream->capacity * 2 : RING_MIN;
	struct stream grown = {.capacity = capacity};

	grown.ring = malloc(capacity * sizeof *grown.ring);
	if (grown.ring == NULL)
		return -ENOMEM;
	/* Half of a ring that has gone round already stays without packets: as if forgotten. */
	for (uint32_t i = 0; i < capacity; i++)
		grown.ring[i] = (struct slot){.sent_ns = FORGOTTEN, .state = SLOT_RECEIVED};
	for (uint64_t n = stream->next - stream->capacity; n < stream->next; n++)
		*slot_of(&grown, n) = *slot_of(stream, n);
	free(stream->ring);
	stream->ring = grown.ring;
	stream->capacity = capacity;
	return 0;
}

/* Room for one more: the oldest is forgotten if it is old enough or the ring as large as numbers
 * allow. */
static int ring_room(struct tracker *tracker, struct stream *stream, enum direction direction,
		     uint64_t now_ns)
{
	if (stream->next < stream->capacity)
		return 0;
	if (stream->capacity > 0) {
		struct slot *oldest = slot_of(stream, stream->next);

		if (stream->capacity == RING_MAX || now_ns - oldest->sent_ns > REMEMBER_NS) {
			note_loss(&tracker->first_loss, oldest);
			tracker->totals[direction].in_flight -= oldest->state == SLOT_IN_FLIGHT;
			return 0;
		}
	}
	return ring_grow(stream);
}

static int flight_room(struct tracker *tracker)
{
	if (tracker->tail - tracker->head < tracker->n_flights)
		return 0;

	uint64_t size = tracker->n_flights * 2;
	struct flight *grown = malloc(size * sizeof *grown);
	if (grown == NULL)
		return -ENOMEM;
	for (uint64_t i = tracker->head; i < tracker->tail; i++)
		grown[i & (size - 1)] = tracker->flights[i & (tracker->n_flights - 1)];
	free(tracker->flights);
	tracker->flights = grown;
	tracker->n_flights = size;
	return 0;
}

int tracker_sent(struct tracker *tracker, uint32_t session, enum direction direction,
		 uint32_t packet, uint64_t now_ns)
{
	uint32_t index = stream_index(session, direction);
	struct stream *stream = &tracker->stream[index];

	tracker->clock = now_ns > tracker->clock ? now_ns : tracker->clock + 1;
	if (flight_room(tracker) != 0 || ring_room(tracker, stream, direction, tracker->clock) != 0)
		return -ENOMEM;
	*slot_of(stream, stream->next) = (struct slot){tracker->clock, packet, SLOT_IN_FLIGHT};
	tracker->flights[tracker->tail++ & (tracker->n_flights - 1)] =
	    (struct flight){stream->next, index};
	stream->next++;
	tracker->totals[direction].sent++;
	tracker->totals[direction].in_flight++;
	tracker->last_sent[direction] = tracker->clock;
	if (tracker->due_since[direction] == 0)
		tracker->due_since[direction] = tracker->clock;
	return 0;
}

bool tracker_find(const struct tracker *tracker, uint32_t session, enum direction direction,
		  uint32_t carried, unsigned bits, uint64_t *number, uint32_t *packet)
{
	const struct stream *stream = &tracker->stream[stream_index(session, direction)];
	uint32_t mask = ((uint32_t)1 << bits) - 1;
	uint64_t back = ((uint32_t)(stream->next - 1) - carried) & mask;

	if (back >= stream->next || !remembered(stream, stream->next - 1 - back))
		return false;
	*number = stream->next - 1 - back;
	*packet = slot_of(stream, *number)->packet;
	return slot_of(stream, *number)->sent_ns != FORGOTTEN;
}

/* An arrival ends the wait that began with the one before it, or, if nothing was due then, with the
 * next packet sent. So a slow rate is no gap, and a silence during which packets were on their way
 * is one, in full. */
static void end_gap(struct tracker *tracker, enum direction direction, uint64_t sent_ns,
		    uint64_t now_ns)
{
	struct tracker_totals *totals = &tracker->totals[direction];
	uint64_t since = tracker->due_since[direction];

	if (since != 0 && now_ns > since && now_ns - since > totals->longest_gap_ns) {
		totals->longest_gap_ns = now_ns - since;
		totals->longest_gap_at = since;
	}
	tracker->due_since[direction] = tracker->last_sent[direction] > sent_ns ? now_ns : 0;
}

void tracker_arrived(struct tracker *tracker, uint32_t session, enum direction direction,
		     uint64_t number, bool intact, uint64_t now_ns)
{
	struct stream *stream = &tracker->stream[stream_index(session, direction)];
	struct tracker_totals *totals = &tracker->totals[direction];
	struct slot *slot = slot_of(stream, number);
	uint32_t before = slot->state;

	if (before == SLOT_IN_FLIGHT)
		totals->in_flight--;
	if (!intact) {
		totals->corrupted++;
		if (before == SLOT_IN_FLIGHT || before == SLOT_EXPIRED) {
			totals->damaged++;
			slot->state = SLOT_DAMAGED;
		}
		return;
	}
	if (before == SLOT_RECEIVED) {
		totals->duplicated++;
		return;
	}
	if (before == SLOT_DAMAGED)
		totals->damaged--;
	slot->state = SLOT_RECEIVED;
	totals->received++;
	stream->received++;
	if (number + 1 < stream->after)
		totals->reordered++;
	else
		stream->after = number + 1;
	histogram_add(&tracker->latency, now_ns > slot->sent_ns ? now_ns - slot->sent_ns : 0);
	end_gap(tracker, direction, slot->sent_ns, now_ns);
}

void tracker_foreign(struct tracker *tracker, enum direction direction)
{
	tracker->totals[direction].foreign++;
}

void tracker_expire(struct tracker *tracker, uint64_t now_ns)
{
	for (; tracker->head < tracker->tail; tracker->head++) {
		const struct flight *flight =
		    &tracker->flights[tracker->head & (tracker->n_flights - 1)];
		struct stream *stream = &tracker->stream[flight->stream];
		struct slot *slot;

		if (!remembered(stream, flight->number))
			continue; /* 65536 more within half a second: its place is taken */
		slot = slot_of(stream, flight->number);
		if (slot->state != SLOT_IN_FLIGHT)
			continue;
		if (now_ns < slot->sent_ns + TRACKER_GIVE_UP_NS)
			return;
		slot->state = SLOT_EXPIRED;
		tracker->totals[flight->stream % DIRECTIONS].in_flight--;
	}
}

void tracker_finish(struct tracker *tracker, uint64_t sending_ended_ns)
{
	for (int direction = 0; direction < DIRECTIONS; direction++)
		end_gap(tracker, (enum direction)direction, UINT64_MAX, sending_ended_ns);
}

const struct tracker_totals *tracker_totals(const struct tracker *tracker, enum direction direction)
{
	return &tracker->totals[direction];
}

const struct histogram *tracker_latency(const struct tracker *tracker)
{
	return &tracker->latency;
}

uint64_t tracker_lost(const struct tracker *tracker, enum direction direction)
{
	const struct tracker_totals *totals = &tracker->totals[direction];

	return totals->sent - totals->received - totals->damaged - totals->in_flight;
}

struct tracker_summary tracker_summarize(const struct tracker *tracker)
{
	struct tracker_summary summary = {.first_loss_at = tracker->first_loss};

	for (uint32_t i = 0; i < tracker->n_streams; i += DIRECTIONS) {
		bool used = false, loss = false;

		for (uint32_t j = i; j < i + DIRECTIONS; j++) {
			const struct stream *stream = &tracker->stream[j];
			uint64_t first =
			    stream->next > stream->capacity ? stream->next - stream->capacity : 0;

			used |= stream->next > 0;
			loss |= stream->received < stream->next;
			for (uint64_t n = first; n < stream->next; n++)
				note_loss(&summary.first_loss_at, slot_of(stream, n));
		}
		summary.sessions += used;
		summary.sessions_with_loss += loss;
	}
	return summary;
}
