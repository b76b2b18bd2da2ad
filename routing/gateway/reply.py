"""How an answer leaves: as a stream of events, or gathered into one message. The line writes to either alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import orjson
from django.conf import settings

from routing.upstream.events import JSON, PING, Event

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would otherwise gather the events
]


class Reply(Protocol):
    """Where the line writes the events of an answer, a batch at a time."""

    async def write(self, events: Sequence[Event]) -> None: ...

    async def close(self) -> None:
        """The answer is complete."""
        ...

    def abandon(self) -> None:
        """Nothing more is written, whatever the reason: what ran beside the line ends. Harmless after ``close``."""
        ...


def open_reply(send: Send, headers: Headers, *, stream: bool, opening: Callable[[], list[Event]]) -> Reply:
    """The reply to a request. ``opening``: see ``upstream.dialect.Translator``."""
    if stream:
        return EventStream(send, headers, opening, settings.GATEWAY_PING_SECONDS)
    return Message(send, headers)


async def send_response(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """One whole HTTP response."""
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class EventStream:
    """Server-sent events, with a ``ping`` in every silence of ``ping_seconds``, the one before the first event too.

    A model may think long before its first word; then the response begins with what ``opening`` gives, so its status is
    200 and a later failure is an event. One lock orders the line's writes and the pings.
    """

    def __init__(self, send: Send, headers: Headers, opening: Callable[[], list[Event]], ping_seconds: float) -> None:
        self._send = send
        self._headers = [*_STREAM_HEADERS, *headers]
        self._opening = opening
        self._ping_seconds = ping_seconds
        self._begun = False
        self._lock = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer = self._loop.call_later(ping_seconds, self._on_timer)
        self._ping: asyncio.Task[None] | None = None

    async def write(self, events: Sequence[Event]) -> None:
        data = b"".join([event.encode() for event in events])
        async with self._lock:
            if not self._begun:
                self._begun = True
                await self._send({"type": "http.response.start", "status": 200, "headers": self._headers})
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._last_write = self._loop.time()

    async def close(self) -> None:
        self._timer.cancel()
        if self._ping is not None:
            await self._ping
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def abandon(self) -> None:
        self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()

    def _on_timer(self) -> None:
        quiet = self._loop.time() - self._last_write
        if quiet >= self._ping_seconds:
            if self._ping is None or self._ping.done():
                self._ping = self._loop.create_task(self._send_ping())
            quiet = 0.0
        self._timer = self._loop.call_later(self._ping_seconds - quiet, self._on_timer)

    async def _send_ping(self) -> None:
        await self.write([PING] if self._begun else [*self._opening(), PING])


class Message:
    """One JSON message, gathered from the events and sent when it is complete."""

    def __init__(self, send: Send, headers: Headers) -> None:
        self._send = send
        self._headers = [(b"content-type", b"application/json"), *headers]
        self._accumulator = Accumulator()

    async def write(self, events: Sequence[Event]) -> None:
        for event in events:
            if (body := self._accumulator.feed(event)) is not None:
                await send_response(self._send, 200, self._headers, body)

    async def close(self) -> None:
        """The message went out whole, with its last event."""

    def abandon(self) -> None:
        """Nothing runs beside the line."""


class Accumulator:
    """Gathers a stream's events into the message that the same request without ``stream`` is answered with."""

    def __init__(self) -> None:
        self._message: JSON = {}
        self._pieces: list[str] = []  # of the open block: text, thinking or partial JSON

    def feed(self, event: Event) -> bytes | None:
        """The message's JSON once the event that completes it has come, else None."""
        if event.type == "message":
            return event.json
        data = event.data
        if event.type == "content_block_delta":
            self._delta(data["delta"])
        elif event.type == "content_block_start":
            self._message["content"].append(dict(data["content_block"]))
            self._pieces = []
        elif event.type == "content_block_stop":
            self._finish_block(self._message["content"][-1])
        elif event.type == "message_start":
            self._message = dict(data["message"])
            self._message["content"] = []
        elif event.type == "message_delta":
            self._message.update(data["delta"])
            self._message["usage"] = {**self._message.get("usage", {}), **data["usage"]}
        elif event.type == "message_stop":
            return orjson.dumps(self._message)
        return None

    def _delta(self, delta: JSON) -> None:
        kind = delta["type"]
        if kind == "text_delta":
            self._pieces.append(delta["text"])
        elif kind == "input_json_delta":
            self._pieces.append(delta["partial_json"])
        elif kind == "thinking_delta":
            self._pieces.append(delta["thinking"])
        elif kind == "signature_delta":
            self._message["content"][-1]["signature"] = delta["signature"]
        elif kind == "citations_delta":
            self._message["content"][-1].setdefault("citations", []).append(delta["citation"])

    def _finish_block(self, block: JSON) -> None:
        gathered = "".join(self._pieces)
        kind = block["type"]
        if kind == "text":
            block["text"] += gathered
        elif kind == "thinking":
            block["thinking"] += gathered
        elif kind in ("tool_use", "server_tool_use") and gathered:
            block["input"] = _tool_input(gathered)


def _tool_input(arguments: str) -> Any:
    """The parsed arguments; a model's broken JSON is handed on as text under ``_raw``, so nothing is lost."""
    try:
        return orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {"_raw": arguments}
