# SPDX-License-Identifier: BSD-3-Clause
"""All checks, a line each, and the count at the end. Everything is built already."""

import pathlib
import signal
import sys

import own
import suites

SUITES = ("unit", "simulate", "eal", "net", "demo")
SANITIZED = ("unit", "simulate")  # these also in the tree that is built with sanitizers


class Stopped(Exception):
    pass


def stop(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def run(top, names):
    """(passed, failed, skipped), added up as they come."""
    for check in own.CHECKS if names == SUITES else ():
        yield own.run(check, top)
    for name in names:
        yield suites.run(top / "build", name)
    sanitized = [name for name in names if name in SANITIZED]
    if sanitized:
        print("with sanitizers (address, undefined behaviour):", flush=True)
    for name in sanitized:
        yield suites.run(top / "build-asan", name, sanitized=True)


def main():
    top, names = pathlib.Path(sys.argv[1]), tuple(sys.argv[2:]) or SUITES
    unknown = set(names) - set(SUITES)
    if unknown:
        print(f"tools/check: no such suite: {', '.join(unknown)}; there are: {', '.join(SUITES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, stop)
    passed = failed = skipped = 0
    try:
        for counts in run(top, names):
            passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), counts))
    except Stopped:
        print("tools/check: stopped", file=sys.stderr)
        failed += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
