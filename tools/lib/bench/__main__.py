# SPDX-License-Identifier: BSD-3-Clause
"""The measurements; tools/bench has made everything ready."""

import argparse
import json
import os
import pathlib
import platform
import signal
import sys

import forwarders
import report
import roads
import scale
from trouble import Loss, Trouble


QUIET = 0.98  # share of its core that a forwarding thread should have had


def number(kind, low, high):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"want {what} from {low} to {high}, not {text!r}")
        return value

    return parse


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Trouble(f"{message}; see tools/bench --help")


def parse(arguments):
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=number(int, 1, 1000))
    parser.add_argument("--seconds", type=number(float, 0.1, 600))
    # What tools/bench adds.
    parser.add_argument("--only-check", action="store_true")
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--hugepages", type=lambda text: text == "true", default=False)
    options = parser.parse_args(arguments)
    options.runs = options.runs or (1 if options.quick else 3)
    options.seconds = options.seconds or (0.5 if options.quick else 1.0)
    wanted = {roads.MAIN_CORE, roads.WORKER_CORE}
    if not wanted <= os.sched_getaffinity(0):
        raise Trouble(f"wants cores {sorted(wanted)}, may use {sorted(os.sched_getaffinity(0))}")
    return options


def machine():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            models = [text.split(":", 1)[1].strip() for text in file if text.startswith("model name")]
    except OSError:
        models = []
    return f"{models[0] if models else platform.machine()}, Linux {platform.release()}"


def measure(options, road, octets):
    """One after the other in each run, so that what slows the machine down for a while slows down both."""
    runs, shares = [], []
    for _ in range(options.runs):
        ours, our_share, hz, octets = forwarders.warmline(options, road, octets)
        theirs, their_share = forwarders.testpmd(options)
        runs.append((ours, theirs, hz))
        shares += [our_share, their_share]
    return octets, runs, min(shares)


def bench(options):
    show = sys.stderr if options.json else sys.stdout
    pages = "hugepages" if options.hugepages else "ordinary pages"
    print(
        f"warmline-dataplane beside dpdk-testpmd io: one worker, {roads.SESSIONS} sessions in {roads.TUNNELS}"
        f" tunnels, {pages};\nmedian of {options.runs} runs of {options.seconds:g} s; {machine()}\n",
        file=show,
    )
    print(report.COLUMNS, file=show, flush=True)
    rows, least = [], 1.0
    for size, target in ((roads.SMALL, roads.TARGET), (roads.LARGE, None)):
        for road in roads.ROADS:
            if options.quick and target is None:
                continue
            octets, runs, share = measure(options, road, size)
            least = min(least, share)
            of_road = report.rows(road, octets, runs, target)
            print(report.line(road, octets, of_road), file=show, flush=True)
            rows += of_road
    rows += scale.show(options, show)
    if least < QUIET:
        print(f"\nOther processes took up to {1 - least:.0%} of the worker's core: rates are per second of the time"
              " that was left, and low.", file=show)  # fmt: skip
    if options.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=1))


def stop(number, frame):
    sys.exit(128 + number)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        options = parse(sys.argv[1:])
        if not options.only_check:
            bench(options)
    except Trouble as trouble:
        print(f"tools/bench: {trouble}", file=sys.stderr)
        return 2
    except Loss as loss:
        print(f"tools/bench: {loss}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
