# SPDX-License-Identifier: BSD-3-Clause
"""The measurements; tools/bench has made everything ready."""

import argparse
import importlib
import json
import os
import pathlib
import platform
import signal
import sys

import report
import roads
from trouble import Loss, Trouble


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
    parser.add_argument("--compare")
    parser.add_argument("--only", choices=groups())
    parser.add_argument("--runs", type=number(int, 1, 1000))
    parser.add_argument("--seconds", type=number(float, 0.1, 600))
    # What tools/bench adds.
    parser.add_argument("--only-check", action="store_true")
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--hugepages", type=lambda text: text == "true", default=False)
    options = parser.parse_args(arguments)
    options.runs = options.runs or (1 if options.quick else 5)
    options.seconds = options.seconds or (0.5 if options.quick else 1.0)
    options.nodes = {}
    if options.compare:
        report.load(options.compare)
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


def groups():
    """Each a module with show(options, file), which prints and returns rows; in this order."""
    here = pathlib.Path(__file__).parent
    return [name for name in ("forwarding", "scale", "restart") if (here / f"{name}.py").exists()]


def bench(options):
    """Whether no row is worse than then."""
    show = sys.stderr if options.json else sys.stdout
    earlier = report.load(options.compare) if options.compare else {}
    rows = []
    print(f"{machine()}\n", file=show)
    for name in [options.only] if options.only else groups():
        rows += importlib.import_module(name).show(options, show)
    if options.json:
        print(json.dumps({"machine": machine(), "rows": rows, "nodes": options.nodes}, indent=1))
    return not (options.compare and report.compare(rows, earlier, show))


def stop(number, frame):
    sys.exit(128 + number)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        options = parse(sys.argv[1:])
        if not options.only_check and not bench(options):
            return 1
    except Trouble as trouble:
        print(f"tools/bench: {trouble}", file=sys.stderr)
        return 2
    except Loss as loss:
        print(f"tools/bench: {loss}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
