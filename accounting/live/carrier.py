"""How a worker's snapshot reaches the live pages of every worker.

A channel layer that workers share (Redis) carries it. The in-memory layer ends at the process: there the database
carries it, one small row a worker, which workers with a live page open read once a second. So what a page shows is of
all workers, with Redis and without, and nobody has to say how many workers there are.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from channels.db import database_sync_to_async
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from redis.exceptions import RedisError

from accounting.models import LiveSnapshot

from .ending import end
from .tally import Line

GROUP: Final = "live"
POLL_SECONDS = 1.0
_FRESH: Final = timedelta(seconds=30)
_KEPT: Final = timedelta(days=1)
_log = logging.getLogger(__name__)

Wire = list[list[Any]]


async def publish(worker: UUID, serial: int, lines: list[Line]) -> None:
    """Tells all workers' live pages. Redis or the database being away is logged, and the next beat tries again."""
    wire = [[*line.whose, line.in_flight, line.tokens_per_second] for line in lines]
    layer = get_channel_layer()
    if not isinstance(layer, InMemoryChannelLayer):
        try:
            await layer.group_send(GROUP, message(worker, wire))
        except (RedisError, OSError, RuntimeError) as error:  # RuntimeError: uvloop's, for a connection that is closed
            _log.warning("What is live stays unsaid, for Redis does not answer: %s", error)
        return
    try:
        await database_sync_to_async(_store)(worker, serial, wire)
    except (DatabaseError, InterfaceError) as error:
        _log.warning("What is live stays unsaid, for the database does not answer: %s", error)


def message(worker: UUID | str, wire: Wire) -> dict[str, Any]:
    """As channels hands it to ``LiveConsumer.live_snapshot``."""
    return {"type": "live.snapshot", "worker": str(worker), "lines": wire}


def _store(worker: UUID, serial: int, wire: Wire) -> None:
    now = timezone.now()
    LiveSnapshot.objects.update_or_create(worker=worker, defaults={"serial": serial, "at": now, "lines": wire})
    if serial == 1:
        LiveSnapshot.objects.filter(at__lt=now - _KEPT).delete()


class Relay:
    """Brings the database's snapshots to this process's live pages, while there are any."""

    def __init__(self) -> None:
        self._watchers = 0
        self._task: asyncio.Task[None] | None = None

    def join(self) -> None:
        """A live page is open here. Starts reading, where the channel layer does not bring snapshots itself."""
        self._watchers += 1
        if self._task is None and isinstance(get_channel_layer(), InMemoryChannelLayer):
            self._task = asyncio.get_running_loop().create_task(self._read(), name="live relay")

    async def leave(self) -> None:
        self._watchers -= 1
        if self._watchers == 0 and self._task is not None:
            task, self._task = self._task, None
            await end(task)

    async def _read(self) -> None:
        layer = get_channel_layer()
        told: dict[UUID, int] = {}
        while True:
            try:
                rows = await database_sync_to_async(_fresh)()
            except (DatabaseError, InterfaceError) as error:
                _log.warning("Live pages wait, for the database does not answer: %s", error)
                rows = []
            for worker, serial, wire in rows:
                # Told by its number and not by its time: hosts' clocks differ.
                if told.get(worker) != serial:
                    told[worker] = serial
                    await layer.group_send(GROUP, message(worker, wire))
            await asyncio.sleep(POLL_SECONDS)


def _fresh() -> list[tuple[UUID, int, Wire]]:
    rows = LiveSnapshot.objects.filter(at__gte=timezone.now() - _FRESH)
    return list(rows.values_list("worker", "serial", "lines"))


relay = Relay()
