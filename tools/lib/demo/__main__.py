# SPDX-License-Identifier: BSD-3-Clause
"""The demo, in the network namespace that tools/demo made for it."""

import json
import shutil
import signal
import sys

import options as command_line
import report as reports
import text
from run import Run
from screen import Screen
from trouble import Stopped, Trouble

PASS, FAIL, CANNOT = 0, 1, 2


def stop_on_signals():
    """The first one ends the run; what follows it may not disturb the cleaning up."""

    def stop(number, frame):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def keep(options):
    try:
        shutil.copytree(
            options.scratch, options.keep, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("run", "*.events", "apt.log"),
        )  # fmt: skip
        print(f"kept in {options.keep}: configurations, logs, captures")
    except (OSError, shutil.Error) as error:
        print(f"tools/demo: --keep {options.keep}: {error}", file=sys.stderr)


def demo(options):
    screen = Screen()
    run = Run(options, screen)
    try:
        facts = run.go()
    finally:
        screen.end()
        run.stop()
        if options.keep:
            keep(options)
    report = reports.make(facts)
    print("\n".join(text.text(facts, report)))
    if options.report:
        options.report.write_text(json.dumps(report, indent=2) + "\n")
    return PASS if report["verdict"] == "pass" else FAIL


def main():
    stop_on_signals()
    try:
        options = command_line.parse(sys.argv[1:])
        return PASS if options.only_check else demo(options)
    except (Trouble, OSError) as trouble:
        print(f"tools/demo: {trouble}", file=sys.stderr)
        return CANNOT
    except Stopped:
        print("tools/demo: stopped", file=sys.stderr)
        return CANNOT


if __name__ == "__main__":
    sys.exit(main())
