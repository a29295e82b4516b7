# SPDX-License-Identifier: BSD-3-Clause
"""What ends a run: one line for a person."""


class Trouble(Exception):
    """Something that keeps the demo from running: what, where, why, what to do."""


class Stopped(Exception):
    """A signal asked us to end."""
