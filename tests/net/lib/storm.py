# SPDX-License-Identifier: BSD-3-Clause
"""SIGKILLs at random moments."""

import threading
import time

from chassis import CONTROL, DATA


class Storm(threading.Thread):
    """with Storm(...): all that happens inside is under fire; the block ends when the last kill has been made."""

    def __init__(self, chassis, random, control, data, least=0.02, most=0.2):
        super().__init__(daemon=True)
        self.chassis = chassis
        self.plan = [CONTROL] * control + [DATA] * data
        random.shuffle(self.plan)
        self.pauses = [random.uniform(least, most) for _ in self.plan]
        self.error = None

    def run(self):
        try:
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
