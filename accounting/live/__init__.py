"""Live: requests in flight and tokens per second, across all workers, to those who may see them.

::

    tally      what this worker carries: a request enters, is looked at once a second, and leaves
    beat       once a second while there is anything to say, this worker's snapshot goes out
    carrier    how snapshots reach the other workers: the channel layer where that is Redis, else the database
    board      the latest snapshots of all workers, put together for one viewer
    consumer   the WebSocket: a frame a second, where something has changed

Nothing is added to what a request does for each event: its entry counts anyway, and the tally looks there.
"""

from .beat import pulse
from .tally import Passing, this_worker

__all__ = ["Passing", "enter", "leave", "stop"]


def enter(passing: Passing) -> None:
    """A request is on its way. Called on the event loop."""
    this_worker.enter(passing)
    pulse.wake()


def leave(passing: Passing) -> None:
    """It has ended, however; a second call does nothing."""
    this_worker.leave(passing)


async def stop() -> None:
    """Nothing more is said by this worker."""
    await pulse.stop()
