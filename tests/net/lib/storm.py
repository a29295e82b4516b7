# SPDX-License-Identifier: BSD-3-Clause
"""SIGKILLs at random moments."""

import threading
import time

from chassis import CONTROL, DATA


class Storm(threading.Thread):
    """with Storm(...): all that happens inside is under fire; the block ends when the last kill has been made. wait: begin
    only when this returns."""

    def __init__(self, chassis, random, control, data, pauses, wait=None):
        super().__init__(daemon=True)
        self.chassis = chassis
        self.plan = [CONTROL] * control + [DATA] * data
        random.shuffle(self.plan)
        self.pauses = [random.uniform(*pauses) for _ in self.plan]
        self.wait = wait
        self.error = None

    def run(self):
        try:
            if self.wait:
                self.wait()
            for key, pause in zip(self.plan, self.pauses):
                time.sleep(pause)
                self.chassis.kill(key)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.join()
        if self.error:
            raise self.error
