/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the client of a conversation is may be known only from a later packet (the SYN of a
 * connection that was reopened), and the template of a packet depends on it. So a file is read in
 * two steps: first every packet is kept as it is, with its view, while the conversations gather
 * evidence; then the templates are made. */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "decap.h"

/* A packet between the two steps. */
struct found {
	struct packet_view view;
	uint64_t time_ns;
	uint8_t *bytes;
	uint32_t captured;
	uint32_t flow;
	uint8_t from;
};

struct reader {
	struct capture *capture;
	struct found *found;
	size_t n_found, capacity;
	int link_type;
	uint64_t first_ns; /* time of the first packet; later ones never count as earlier */
};

static int keep(struct reader *reader, const struct packet_view *view, uint64_t time_ns,
		const uint8_t *bytes, size_t captured)
{
	if (reader->n_found == reader->capacity) {
		size_t capacity = reader->capacity ? reader->capacity * 2 : 1024;
		struct found *grown = realloc(reader->found, capacity * sizeof *grown);

		if (grown == NULL)
			return -ENOMEM;
		reader->found = grown;
		reader->capacity = capacity;
	}
	struct found *found = &reader->found[reader->n_found];
	*found = (struct found){.view = *view, .captured = (uint32_t)captured};
	if (reader->n_found == 0)
		reader->first_ns = time_ns;
	found->time_ns = time_ns > reader->first_ns ? time_ns - reader->first_ns : 0;
	found->bytes = malloc(captured);
	if (found->bytes == NULL)
		return -ENOMEM;
	memcpy(found->bytes, bytes, captured);
	reader->n_found++;
	return flow_add(&reader->capture->flows, view, &found->flow, &found->from);
}

static int take(struct reader *reader, const struct pcap_pkthdr *header, const uint8_t *frame)
{
	struct packet_view view;
	size_t offset = 0, captured;
	enum skip reason = decap_find_ip(reader->link_type, frame, header->caplen, &offset);

	reader->capture->n_frames++;
	captured = header->caplen - offset;
	if (reason == SKIP_NO)
		reason = packet_inspect(frame + offset, captured, &view);
	if (reason != SKIP_NO) {
		reader->capture->skipped[reason]++;
		return 0;
	}
	if (captured > view.length)
		captured = view.length; /* Ethernet padding */
	uint64_t time_ns = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;
	return keep(reader, &view, time_ns, frame + offset, captured);
}

static int read_packets(struct reader *reader, pcap_t *pcap, const char *path)
{
	struct pcap_pkthdr *header;
	const uint8_t *frame;
	int more, error = 0;

	while (error == 0 && (more = pcap_next_ex(pcap, &header, &frame)) == 1)
		error = take(reader, header, frame);
	if (error != 0) {
		complain("%s: no memory for more than %zu packets", path, reader->n_found);
	} else if (more == PCAP_ERROR) {
		complain("%s: packet %llu: %s; %s", path,
			 (unsigned long long)reader->capture->n_frames + 1, pcap_geterr(pcap),
			 reader->n_found ? "using what comes before it" : "nothing to replay");
		error = reader->n_found ? 0 : -EINVAL;
	}
	return error;
}

static int make_templates(struct reader *reader)
{
	struct capture *capture = reader->capture;

	capture->packets = calloc(reader->n_found ? reader->n_found : 1, sizeof *capture->packets);
	if (capture->packets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < reader->n_found; i++) {
		struct found *found = &reader->found[i];
		struct packet *packet = &capture->packets[capture->n_packets];
		bool up = capture->flows.flows[found->flow].client == found->from;

		packet->time_ns = found->time_ns;
		packet->conversation = found->flow;
		if (packet_prepare(packet, &found->view, found->bytes, found->captured,
				   up ? UPSTREAM : DOWNSTREAM) != 0)
			return -ENOMEM;
		capture->n_packets++;
		free(found->bytes);
		found->bytes = NULL;
	}
	return 0;
}

int capture_read(struct capture *capture, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	struct reader reader = {.capture = capture};

	memset(capture, 0, sizeof *capture);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		int error = -errno;

		complain("%s: %s", path, strerror(-error));
		return error;
	}
	pcap_t *pcap =
	    pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (pcap == NULL) {
		complain("%s: not a capture that can be read (pcap or pcapng): %s", path, why);
		fclose(file);
		return -EINVAL;
	}
	int error = 0;
	reader.link_type = pcap_datalink(pcap);
	if (decap_supports(reader.link_type)) {
		error = read_packets(&reader, pcap, path);
	} else {
		const char *name = pcap_datalink_val_to_name(reader.link_type);

		complain(
		    "%s: link type %s is not supported (Ethernet, Linux cooked and raw IP are)",
		    path, name ? name : "unknown");
		error = -EINVAL;
	}
	pcap_close(pcap);
	if (error == 0 && (error = make_templates(&reader)) != 0)
		complain("%s: no memory for %zu packets", path, reader.n_found);
	for (size_t i = 0; i < reader.n_found; i++)
		free(reader.found[i].bytes);
	free(reader.found);
	return error;
}

/* numbers: one for each flow, 0 where it has none yet. */
static void renumber(struct capture *capture, uint32_t *numbers)
{
	uint64_t first_ns = capture->n_packets ? capture->packets[0].time_ns : 0;

	capture->span_ns = 0;
	for (size_t i = 0; i < capture->n_packets; i++) {
		struct packet *packet = &capture->packets[i];
		uint32_t *number = &numbers[packet->conversation];

		if (*number == 0)
			*number = ++capture->n_conversations;
		packet->conversation = *number - 1;
		packet->time_ns = packet->time_ns > first_ns ? packet->time_ns - first_ns : 0;
		if (packet->time_ns > capture->span_ns)
			capture->span_ns = packet->time_ns;
	}
}

int capture_filter(struct capture *capture,
		   enum skip (*keep_or_skip)(const struct packet *, const struct flow *, void *),
		   void *context)
{
	uint32_t *numbers = calloc(capture->flows.n_flows + 1, sizeof *numbers);
	size_t kept = 0;

	if (numbers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < capture->n_packets; i++) {
		struct packet *packet = &capture->packets[i];
		const struct flow *flow = &capture->flows.flows[packet->conversation];
		enum skip reason = keep_or_skip(packet, flow, context);

		if (reason == SKIP_NO) {
			capture->packets[kept++] = *packet;
		} else {
			capture->skipped[reason]++;
			packet_clear(packet);
		}
	}
	capture->n_packets = kept;
	renumber(capture, numbers);
	free(numbers);
	flow_table_clear(&capture->flows);
	return 0;
}

void capture_clear(struct capture *capture)
{
	for (size_t i = 0; i < capture->n_packets; i++)
		packet_clear(&capture->packets[i]);
	free(capture->packets);
	flow_table_clear(&capture->flows);
	memset(capture, 0, sizeof *capture);
}
