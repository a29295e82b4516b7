# SPDX-License-Identifier: BSD-3-Clause
"""The lab, in the network namespace that tools/lab made for it: two chassis of the demo's, to type at."""

import argparse
import pathlib
import shutil
import signal
import sys
import time

import configurations
import parts
import road
from trouble import Stopped, Trouble

RUNTIME = pathlib.Path("/run/warmline")  # where warmline looks by itself
SET_UP_S = 30


def stop_on_signals():
    def stop(number, frame):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/lab", allow_abbrev=False, add_help=False)
    parser.add_argument("--keep", type=pathlib.Path)
    # What tools/lab adds.
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--hugepages", choices=("true", "false"), default="false")
    parser.add_argument("--runtime", type=pathlib.Path, default=RUNTIME)
    return parser.parse_args(arguments)


def start(options, name):
    config = road.write(options.scratch / f"{name}.json", configurations.MAKE[name](options))
    return parts.Chassis(options.build, options.scratch, options.runtime, name, name, config)


def wait_for_sessions(chassis):
    """Until both ends have all sessions."""
    wanted, limit = configurations.SESSIONS, time.monotonic() + SET_UP_S
    while any(len(each.sessions()) < wanted for each in chassis):
        for each in chassis:
            each.check()
        if time.monotonic() > limit:
            raise Trouble(f"fewer than {wanted} sessions after {SET_UP_S} s; see --keep for the logs")
        time.sleep(0.1)


def run(options):
    road.build_links()
    chassis = []
    try:
        for name in ("lns", "lac"):
            chassis.append(start(options, name))
        wait_for_sessions(chassis)
        warmline = options.build / "tools/cli/warmline"
        where = "" if options.runtime == RUNTIME else f" --runtime-directory {options.runtime}"
        print(f"""
Two chassis run: lac, with the domains north, south and west, and lns. In another terminal:

    sudo {warmline}{where} --chassis lns

Ctrl-C here ends both.""", flush=True)
        while True:
            for each in chassis:
                each.check()
            time.sleep(0.5)
    finally:
        for each in reversed(chassis):
            each.process.end()
        if options.keep:
            shutil.copytree(options.scratch, options.keep, dirs_exist_ok=True)


def main():
    stop_on_signals()
    try:
        run(parse(sys.argv[1:]))
    except (Trouble, OSError) as trouble:
        print(f"tools/lab: {trouble}", file=sys.stderr)
        return 2
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())
