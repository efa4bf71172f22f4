"""How often the control may be asked. The windows are those that users of the control have found (2026-11): five queries and five
orders a second, and for queries longer windows as well."""

import asyncio
import collections
import time

QUERY_WINDOWS = ((5, 1.0), (25, 90.0), (50, 180.0), (1000, 3600.0))
ORDER_WINDOWS = ((5, 1.0),)
QUERY_WAIT_SECONDS_MAX = 20.0
ORDER_WAIT_SECONDS_MAX = 2.0


class Limited(Exception):
    """There is no turn in time."""

    def __init__(self, seconds):
        super().__init__(f"asked too often; again after {seconds:.0f} s")
        self.seconds = max(1, round(seconds))


class Limiter:
    """Turns within several sliding windows at once."""

    def __init__(self, windows, patience_seconds, clock=time.monotonic):
        self.windows, self.patience_seconds, self.clock = windows, patience_seconds, clock
        self.turns = collections.deque(maxlen=max((count for count, _ in windows), default=1))

    def wait_seconds(self):
        """How long until there is a turn."""
        now, wait = self.clock(), 0.0
        for count, seconds in self.windows:
            if len(self.turns) >= count:
                wait = max(wait, self.turns[-count] + seconds - now)
        return wait

    async def turn(self):
        """Waits for a turn and takes it."""
        deadline = self.clock() + self.patience_seconds
        while True:
            wait = self.wait_seconds()
            if wait <= 0:
                self.turns.append(self.clock())
                return
            if self.clock() + wait > deadline:
                raise Limited(wait)
            await asyncio.sleep(wait)
