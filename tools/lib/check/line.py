# SPDX-License-Identifier: BSD-3-Clause
"""One line a check, and for those that failed what they said."""

TAIL = 60  # lines of it


def show(result, name, seconds):
    print(f"{result:<7} {seconds:7.2f} s  {name}", flush=True)


def tail(name, output, log=None):
    lines = output.strip().splitlines()
    print(f"---- {name}:")
    if len(lines) > TAIL:
        print(f"... the last {TAIL} of {len(lines)} lines" + (f"; all are in {log}" if log else ""))
    print("\n".join(lines[-TAIL:]), flush=True)
