"""The fast provider for benchmarks: every dialect's answer encoded once, then only written.

Nothing is parsed but what decides the form of the answer: the path, and whether ``"stream":true`` is in the body. Every
text delta begins with the moment it was written (``STAMP``), so that a reader on this machine can tell how long it has
been under way.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

import httptools

from .dialect import Dialect, Turn, Whole
from .dialects import DIALECTS
from .script import Reply, Text, Usage, Wire
from .wire import Send, actions

STAMP = re.compile(rb"@(\d{16})")
"""``time.monotonic_ns()`` of a delta's writing. Only the first of a burst is stamped anew."""

_UNSTAMPED: Final = b"@" + b"0" * 16
_DELTA: Final = _UNSTAMPED.decode() + " lorem ipsum dolor "
_ASKED: Final = {"stream_options": {"include_usage": True}}
_STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_WHOLE_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_END: Final = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class _Baked:
    """One dialect's answers on the wire: ``writes`` of the streamed one, a single one where there is no pace."""

    writes: list[bytes]
    whole: bytes


def _bake(dialect: Dialect, model: str, deltas: int, pace: float) -> _Baked:
    reply = Reply([Text(_DELTA * deltas)], usage=Usage(1_000, 0, deltas * 10), delta=len(_DELTA), wire=Wire())
    turn = Turn(reply, dict(_ASKED), model, 0)
    frames = [action.data for action in actions(dialect, turn) if isinstance(action, Send)]
    chunks = [b"%x\r\n%b\r\n" % (len(data), data) for data in (frames if pace else [b"".join(frames)])]
    chunks[0] = _STREAM_HEAD + chunks[0]
    chunks[-1] += _END
    whole = Whole.json(200, dialect.whole(turn)).body
    return _Baked(chunks, _WHOLE_HEAD % len(whole) + whole)


class _Menu:
    """Which answer a request gets."""

    def __init__(self, deltas: int, pace: float) -> None:
        baked = {name: _bake(dialect, "baked-model", deltas, pace) for name, dialect in DIALECTS.items()}
        self.pace = pace
        self._gemini = baked["gemini"]
        self._by_path = {
            b"/v1/chat/completions": baked["openai_chat"],
            b"/v1/responses": baked["openai_responses"],
            b"/v1/messages": baked["anthropic"],
        }

    def writes(self, url: bytes, body: bytes) -> list[bytes]:
        path = url.partition(b"?")[0]
        found = self._by_path.get(path)
        if found is None:
            streamed, found = path.endswith(b":streamGenerateContent"), self._gemini
        else:
            streamed = b'"stream":true' in body or b'"stream": true' in body
        return found.writes if streamed else [found.whole]


class _Connection(asyncio.Protocol):
    """One connection, kept alive; an answer is written as its pace says, whoever reads it."""

    def __init__(self, menu: _Menu) -> None:
        self._menu = menu
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []
        self._left: list[bytes] = []  # still to be written, the next one last
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = []

    # --- httptools' callbacks ---------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._left = self._menu.writes(self._url, b"".join(self._body))[::-1]
        self._url, self._body = b"", []
        self._due = self._loop.time()
        self._write()

    def _write(self) -> None:
        if not self._left or self._transport.is_closing():
            return
        stamp = b"@%016d" % time.monotonic_ns()
        self._transport.write(self._left.pop().replace(_UNSTAMPED, stamp, 1))
        if self._left:
            self._due += self._menu.pace
            self._loop.call_at(self._due, self._write)


@asynccontextmanager
async def serve_baked(port: int, deltas: int, pace: float) -> AsyncIterator[int]:
    """``async with serve_baked(port, deltas, pace) as port``: ``deltas`` text deltas, ``pace`` seconds apart."""
    menu = _Menu(deltas, pace)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(menu), "127.0.0.1", port, backlog=4096)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
