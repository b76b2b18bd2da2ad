"""The process's one writer: started when first needed, stopped when the process ends."""

from __future__ import annotations

import asyncio
import atexit
import threading

from .writer import Writer

_lock = threading.Lock()
_writer: Writer | None = None


def current() -> Writer:
    """The writer, started if it is not running: a server without lifespan events never said when to, nor did a fork."""
    global _writer
    writer = _writer
    if writer is not None and writer.is_usable:
        return writer
    with _lock:
        if _writer is None or not _writer.is_usable:
            _writer = Writer()
            _writer.start()
        return _writer


async def start() -> None:
    """Starts the writer, and returns when it has a connection and a lease."""
    await drain()


async def drain() -> None:
    """Returns when everything ordered so far is written."""
    await current().ask(None)


async def stop() -> None:
    """Writes everything ordered so far, and ends the writer."""
    await asyncio.to_thread(close)


def close() -> None:
    """``stop``, for code without an event loop."""
    global _writer
    with _lock:
        writer, _writer = _writer, None
    if writer is not None and writer.is_usable:
        writer.stop()


def backlog() -> int:
    """Orders that wait to be written."""
    return _writer.backlog if _writer is not None else 0


atexit.register(close)
