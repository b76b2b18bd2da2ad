"""How much this worker carries: requests in flight, the most it takes, and whether it is leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounting.models import Generation

from .errors import Crowded


class Traffic:
    """One worker's count. Past ``GATEWAY_MAX_IN_FLIGHT`` a new request is told to wait; those running never notice."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.draining = False
        self._empty: asyncio.Future[None] | None = None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """A request passes. Raises Crowded."""
        if self.in_flight >= settings.GATEWAY_MAX_IN_FLIGHT:
            raise Crowded
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight and self._empty is not None and not self._empty.done():
                self._empty.set_result(None)

    async def emptied(self, seconds: float) -> None:
        """Returns when nothing passes any more, after ``seconds`` at the latest."""
        if not self.in_flight:
            return
        self._empty = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._empty], timeout=seconds)

    async def unready(self) -> str:
        """Why no request should be sent here now; "" when it may."""
        if self.draining:
            return "draining"
        try:
            await database_sync_to_async(Generation.read)()
        except (DatabaseError, InterfaceError):
            return "database unavailable"
        return ""


traffic = Traffic()
