"""``/ws/live/``: what is going on, once a second, to people who are signed in, each what they may see."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import Any, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest

from accounting.reports import NOBODY, Viewer

from .board import Board
from .carrier import GROUP, relay
from .ending import end

FRAME_SECONDS = 1.0
CHECK_SECONDS = 30.0  # how soon somebody who has lost a right, or signed out, is shown nothing more
NOT_SIGNED_IN: Final = 4401
NO_SUCH_PATH: Final = 4404
TRY_AGAIN_LATER: Final = 1013  # RFC 6455's registry; the page does
_log = logging.getLogger(__name__)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Sends frames (``Board.frame``), the first at once, then where something has changed. Hears nothing."""

    async def connect(self) -> None:
        self._frames: asyncio.Task[None] | None = None
        self._viewer = await database_sync_to_async(_viewer)(self.scope)
        if self._viewer == NOBODY:
            await self.close(NOT_SIGNED_IN)
            return
        self._board = Board()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        relay.join()
        self._frames = asyncio.create_task(self._keep_telling(), name="live frames")

    async def disconnect(self, code: int) -> None:
        frames, self._frames = self._frames, None
        if frames is not None:
            await end(frames)
            await self.channel_layer.group_discard(GROUP, self.channel_name)
            await relay.leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """What a browser sends is of no interest."""

    async def live_snapshot(self, event: dict[str, Any]) -> None:
        self._board.take(event["worker"], event["lines"])

    async def _keep_telling(self) -> None:
        try:
            await self._send_frames()
        except (DatabaseError, InterfaceError) as error:
            # A page whose frames have stopped would show the last one for ever.
            _log.warning("A live page is closed, for the database does not answer: %s", error)
            await self.close(TRY_AGAIN_LATER)

    async def _send_frames(self) -> None:
        shown: dict[str, Any] | None = None
        clock = asyncio.get_running_loop().time
        check_at = clock() + CHECK_SECONDS
        while True:
            if clock() >= check_at:
                check_at = clock() + CHECK_SECONDS
                self._viewer = await database_sync_to_async(_viewer)(self.scope)
                if self._viewer == NOBODY:
                    await self.close(NOT_SIGNED_IN)
                    return
            frame = self._board.frame(self._viewer)
            if frame != shown:
                shown = frame
                await self.send_json(frame)
            await asyncio.sleep(FRAME_SECONDS)


class NowhereConsumer(AsyncWebsocketConsumer):
    """Every other path."""

    async def connect(self) -> None:
        await self.close(NO_SUCH_PATH)


def _viewer(scope: dict[str, Any]) -> Viewer:
    """Whoever the session is of now: read anew, for a session ends and rights change while a socket is open."""
    store: Any = import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = store.SessionStore(scope["session"].session_key)
    return Viewer.of_user(get_user(request))
