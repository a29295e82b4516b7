# SPDX-License-Identifier: BSD-3-Clause
"""What ends a run: one line for a person."""


class Trouble(Exception):
    """The measurement cannot be made: what, where, why, what to do."""


class Loss(Exception):
    """It was made and does not count: not all that came in was forwarded."""
