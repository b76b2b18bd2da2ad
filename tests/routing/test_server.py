"""The server turns away who says nothing, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from django.conf import LazySettings

from routing import server
from tests.support.gateway import free_port

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Answers ``/slow`` after longer than anybody may be silent here."""
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def _serving() -> AsyncIterator[int]:
    port = free_port()
    running = server.Server(uvicorn.Config(_app, port=port, http="httptools", lifespan="off", log_config=None))
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        running.should_exit = True
        await task


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.5)
    monkeypatch.setattr(server, "_LOOK_TICKS", 1)
    settings.DRAIN_NOTICE_SECONDS = 0


@pytest.mark.parametrize(("before", "said"), [(0, b""), (0, REQUEST[:20]), (1, REQUEST[:20])])
async def test_a_head_that_does_not_come_ends_the_connection(before: int, said: bytes) -> None:
    async with _serving() as port, _connected(port) as (reader, writer):
        for _ in range(before):
            writer.write(REQUEST)
            await asyncio.wait_for(reader.readuntil(b"ok"), 5)
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_whoever_waits_for_an_answer_or_between_two_requests_is_let_be() -> None:
    async with _serving() as port, _connected(port) as (reader, writer):
        for path in (b"/slow", b"/"):
            writer.write(REQUEST.replace(b"/ ", path + b" ", 1))
            assert (await asyncio.wait_for(reader.readuntil(b"ok"), 5)).startswith(b"HTTP/1.1 200 OK")
            await asyncio.sleep(1.0)
        assert not reader.at_eof()
