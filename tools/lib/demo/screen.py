# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees while it runs: events that stay, and below them the present state: in place on
a terminal, otherwise a line now and then."""

import shutil
import sys
import time

EVERY_S = 0.2  # on a terminal
EVERY_LOG_S = 5.0  # elsewhere
BAR = 10


class Screen:
    def __init__(self, out=sys.stdout):
        self._out = out
        self._live = out.isatty()
        self._start = self._next = time.monotonic()
        self._line = ""

    def event(self, text):
        self._clear()
        print(f"{self._seconds():7.1f} s  {text}", file=self._out)
        self._draw()

    def status(self, make):
        """make: called for the text, when it is time for it."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (EVERY_S if self._live else EVERY_LOG_S)
        if self._live:
            self._clear()
            self._line = make()
            self._draw()
        else:
            print(f"{self._seconds():7.1f} s  {make()}", file=self._out, flush=True)

    def end(self):
        self._clear()
        self._line = ""

    def _seconds(self):
        return time.monotonic() - self._start

    def _clear(self):
        if self._live and self._line:
            print("\r\033[K", end="", file=self._out)

    def _draw(self):
        if self._live and self._line:
            columns = shutil.get_terminal_size().columns - 1
            print(f"{self._seconds():7.1f} s  {self._line}"[:columns], end="", file=self._out)
        self._out.flush()


def bar(part):
    filled = int(max(0.0, min(1.0, part)) * BAR)
    return "[" + "#" * filled + " " * (BAR - filled) + "]"
