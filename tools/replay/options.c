/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"

enum { WINDOW_DEFAULT = 256 };

static const char help[] =
    "usage: warmline-replay --access IFACE --core IFACE --lac LAC.json --lns LNS.json [options] FILE\n"
    "\n"
    "Replays a capture (pcap or pcapng of IP traffic) through an L2TP LAC and LNS, in both directions,\n"
    "and checks at the other end that each packet arrived once, in order, unharmed.\n"
    "\n"
    "  --access IFACE       kernel interface opposite the LAC's access port (PPPoE)\n"
    "  --core IFACE         kernel interface opposite the LNS's core port\n"
    "  --lac, --lns FILE    the configurations of the two\n"
    "  --access-port NAME   which access port of the LAC (default: its first)\n"
    "  --core-port NAME     which core port of the LNS (default: its first)\n"
    "  --access-mac MAC     MAC address of the access port (default: learned)\n"
    "  --sessions N         use N sessions (default: all)\n"
    "  --rate PPS           packets a second over both directions (default: as fast as possible,\n"
    "                       closed loop)\n"
    "  --as-captured        at the capture's own pace\n"
    "  --window N           packets in flight at most, as fast as possible (default: 256)\n"
    "  --loop N             replay the capture N times (default: 1; 0: until --duration or Ctrl-C)\n"
    "  --duration SECONDS   stop sending after that time\n"
    "  --mtu BYTES          largest IP packet to replay (default: what fits the configured ports)\n"
    "  --json FILE          write the report as JSON (-: to stdout, instead of the table)\n"
    "  --events FILE        write the running totals every 100 ms, a line of JSON each (a FIFO will do)\n"
    "\n"
    "Exit status: 0 nothing was lost, reordered, duplicated or corrupted; 1 something was; 2 could not run.\n";

enum {
	OPT_ACCESS = 256,
	OPT_CORE,
	OPT_LAC,
	OPT_LNS,
	OPT_ACCESS_PORT,
	OPT_CORE_PORT,
	OPT_ACCESS_MAC,
	OPT_SESSIONS,
	OPT_RATE,
	OPT_AS_CAPTURED,
	OPT_WINDOW,
	OPT_LOOP,
	OPT_DURATION,
	OPT_MTU,
	OPT_JSON,
	OPT_EVENTS,
	OPT_HELP
};

static const struct option known[] = {
    {"access", required_argument, NULL, OPT_ACCESS},
    {"core", required_argument, NULL, OPT_CORE},
    {"lac", required_argument, NULL, OPT_LAC},
    {"lns", required_argument, NULL, OPT_LNS},
    {"access-port", required_argument, NULL, OPT_ACCESS_PORT},
    {"core-port", required_argument, NULL, OPT_CORE_PORT},
    {"access-mac", required_argument, NULL, OPT_ACCESS_MAC},
    {"sessions", required_argument, NULL, OPT_SESSIONS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"as-captured", no_argument, NULL, OPT_AS_CAPTURED},
    {"window", required_argument, NULL, OPT_WINDOW},
    {"loop", required_argument, NULL, OPT_LOOP},
    {"duration", required_argument, NULL, OPT_DURATION},
    {"mtu", required_argument, NULL, OPT_MTU},
    {"json", required_argument, NULL, OPT_JSON},
    {"events", required_argument, NULL, OPT_EVENTS},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* A number within limits; a whole one if step is 1. */
static bool number(const char *name, const char *text, double low, double high, double step,
		   double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (end != text && *end == '\0' && errno == 0 && *value >= low && *value <= high &&
	    (step == 0 || *value == floor(*value)))
		return true;
	complain("--%s %s: want a %snumber from %.10g to %.10g", name, text,
		 step != 0 ? "whole " : "", low, high);
	return false;
}

static bool mac(const char *text, uint8_t *out)
{
	char rest;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &out[0], &out[1], &out[2],
		   &out[3], &out[4], &out[5], &rest) == 6 &&
	    !(out[0] & 1))
		return true;
	complain("--access-mac %s: want a unicast address such as 02:00:00:00:00:01", text);
	return false;
}

static bool take_number(struct options *options, int option, const char *name, const char *text)
{
	double value;
	bool fine;

	switch (option) {
	case OPT_RATE:
		fine = number(name, text, 0.001, 1e8, 0, &options->rate);
		options->pace = PACE_RATE;
		return fine;
	case OPT_DURATION:
		fine = number(name, text, 0.001, 1e9, 0, &value);
		options->duration_ns = fine ? (uint64_t)(value * 1e9) : 0;
		return fine;
	case OPT_LOOP:
		fine = number(name, text, 0, 1e15, 1, &value);
		options->loops = fine ? (uint64_t)value : 0;
		return fine;
	case OPT_SESSIONS:
		fine = number(name, text, 1, 65535, 1, &value);
		options->sessions = fine ? (uint32_t)value : 0;
		return fine;
	case OPT_WINDOW:
		fine = number(name, text, 1, 32768, 1, &value);
		options->window = fine ? (uint32_t)value : 0;
		return fine;
	default: /* OPT_MTU */
		fine = number(name, text, 68, 65535, 1, &value);
		options->mtu = fine ? (uint32_t)value : 0;
		return fine;
	}
}

static bool take(struct options *options, int option, const char *name, const char *text)
{
	const char **strings[] = {
	    [OPT_ACCESS - OPT_ACCESS] = &options->access,
	    [OPT_CORE - OPT_ACCESS] = &options->core,
	    [OPT_LAC - OPT_ACCESS] = &options->lac,
	    [OPT_LNS - OPT_ACCESS] = &options->lns,
	    [OPT_ACCESS_PORT - OPT_ACCESS] = &options->access_port,
	    [OPT_CORE_PORT - OPT_ACCESS] = &options->core_port,
	};

	switch (option) {
	case OPT_ACCESS ... OPT_CORE_PORT:
		*strings[option - OPT_ACCESS] = text;
		return true;
	case OPT_ACCESS_MAC:
		return options->has_access_mac = mac(text, options->access_mac);
	case OPT_AS_CAPTURED:
		options->pace = PACE_CAPTURED;
		return true;
	case OPT_JSON:
		options->json = text;
		return true;
	case OPT_EVENTS:
		options->events = text;
		return true;
	default:
		return take_number(options, option, name, text);
	}
}

static bool complete(const struct options *options)
{
	const struct {
		const char *name, *value;
	} needed[] = {
	    {"--access IFACE", options->access}, {"--core IFACE", options->core},
	    {"--lac FILE", options->lac},        {"--lns FILE", options->lns},
	    {"a capture FILE", options->file},
	};

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (needed[i].value == NULL) {
			complain("%s is missing; see --help", needed[i].name);
			return false;
		}
	return true;
}

int options_parse(struct options *options, int argc, char **argv)
{
	bool rate = false, captured = false;
	int option, index;

	*options = (struct options){.window = WINDOW_DEFAULT, .loops = 1};
	optind = 0; /* a fresh start, also when called again */
	while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
		if (option == OPT_HELP) {
			fputs(help, stdout);
			return 1;
		}
		if (option == '?') {
			complain("see --help");
			return -EINVAL;
		}
		if (!take(options, option, known[index].name, optarg))
			return -EINVAL;
		rate |= option == OPT_RATE;
		captured |= option == OPT_AS_CAPTURED;
	}
	if (rate && captured) {
		complain("--rate and --as-captured: want one of them");
		return -EINVAL;
	}
	if (argc - optind > 1) {
		complain("%s: one capture at a time", argv[optind + 1]);
		return -EINVAL;
	}
	options->file = optind < argc ? argv[optind] : NULL;
	return complete(options) ? 0 : -EINVAL;
}
