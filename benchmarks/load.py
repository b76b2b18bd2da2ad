"""The load generator: closed loop, one request at a time on each connection, as little work a request as can be.

It speaks just enough HTTP/1.1: a status line, a content-length or a chunked body that ends in its last chunk.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

from tests.support.provider.baked import STAMP

_TAIL: Final = 16_384  # bytes of an answer's end in which its last event begins: that of Responses holds all of it
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the provider. ``end``: the words that stand at the end of a complete streamed answer."""

    port: int
    path: str
    end: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def render(self, body: bytes) -> bytes:
        """The request on the wire."""
        lines = [f"POST {self.path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


@dataclass(slots=True)
class Samples:
    """What was seen. Times are in seconds: of a whole answer, until its first delta, and of each delta's way here."""

    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)
    first_deltas: list[float] = field(default_factory=list)
    delta_delays: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds if self.seconds else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], way: Way, stop_at: float, limit: int | None) -> None:
        self.samples = Samples()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._way = way
        self._stop_at = stop_at
        self._left = limit
        self._started = 0.0
        self._first = 0.0
        self._expected: int | None = None
        self._chunked = False
        self._received = 0
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.samples.failures.append("connection lost")
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if b"@" in data:
            stamps = STAMP.findall(data)
            if stamps and not self._first:
                self._first = now
            self.samples.delta_delays += [now - int(stamp) / 1e9 for stamp in stamps if int(stamp)]
        if self._expected is None and not self._chunked:
            self._head(data)
        else:
            self._received += len(data)
        self._tail = (self._tail + data)[-_TAIL:]
        if self._tail.endswith(_LAST_CHUNK) if self._chunked else self._received == self._expected:
            self._complete(now)

    def _next(self) -> None:
        if self._left is not None:
            self._left -= 1
        self._first, self._expected, self._chunked, self._received, self._tail = 0.0, None, False, 0, b""
        self._started = time.monotonic()
        self._transport.write(next(self._requests))

    def _head(self, data: bytes) -> None:
        self._tail += data
        head, blank, body = self._tail.partition(b"\r\n\r\n")
        if not blank:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(head.split(b"\r\n")[0].decode() + " " + body[:300].decode("utf-8", "replace"))
            return
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            self._chunked = True
        else:
            self._expected = int(lowered.partition(b"content-length:")[2].split(b"\r\n")[0])
        self._received = len(body)
        self._tail = b""

    def _complete(self, now: float) -> None:
        if self._chunked and self._way.end not in self._tail:
            self._fail("the answer broke off: " + self._tail.decode("utf-8", "replace"))
            return
        self.samples.answers.append(now - self._started)
        if self._first:
            self.samples.first_deltas.append(self._first - self._started)
        if now >= self._stop_at or self._left == 0:
            self._finish()
        else:
            self._next()

    def _fail(self, why: str) -> None:
        self.samples.failures.append(why)
        self._finish()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()


def _itself(connection: _Connection) -> _Connection:
    return connection


async def run(way: Way, bodies: Sequence[bytes], concurrency: int, seconds: float, limit: int | None = None) -> Samples:
    """Asks by ``way`` on ``concurrency`` connections for ``seconds``, or ``limit`` times on each.

    A connection that meets a failure stops; more than a few make the run worthless, and raise RuntimeError.
    """
    loop = asyncio.get_running_loop()
    rendered = [way.render(body) for body in bodies]
    started = time.monotonic()
    connections: list[_Connection] = []
    for number in range(concurrency):
        turn = number % len(rendered)
        requests = itertools.cycle(rendered[turn:] + rendered[:turn])

        made = _Connection(requests, way, started + seconds, limit)
        await loop.create_connection(partial(_itself, made), "127.0.0.1", way.port)
        connections.append(made)
    await asyncio.wait([connection.done for connection in connections])
    total = Samples(seconds=time.monotonic() - started)
    for connection in connections:
        total.answers += connection.samples.answers
        total.first_deltas += connection.samples.first_deltas
        total.delta_delays += connection.samples.delta_delays
        total.failures += connection.samples.failures
    if len(total.failures) > concurrency // 100:
        raise RuntimeError(f"{len(total.failures)} of {concurrency} connections failed; the first: {total.failures[0]}")
    return total
