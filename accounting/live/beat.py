"""The beat: while this worker carries anything, its snapshot goes out once a second; a last, empty one ends it."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

from . import carrier
from .ending import end
from .tally import this_worker

BEAT_SECONDS = 1.0


class Pulse:
    """Starts with a request and ends by itself, so that no server's start or stop has to know of it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Beats, if it does not already. Called on the event loop."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._beat(), name="live pulse")

    async def stop(self) -> None:
        """Ends the beat, for a worker that is leaving."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def _beat(self) -> None:
        worker, serial, looked = uuid4(), 0, time.monotonic()  # a name for as long as it beats
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            lines, looked = this_worker.look(now - looked), now
            serial += 1
            await carrier.publish(worker, serial, lines)
            # A request may have come while that went out, and found this beat still going.
            if not lines and this_worker.is_empty:
                return


pulse = Pulse()
