"""What the provider has seen: every request, and how it ended. Safe to read from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

Purpose: TypeAlias = Literal["inference", "count", "models", "other"]


@dataclass(slots=True)
class Seen:
    """One request. Times are ``time.monotonic()`` seconds of this process; header names are lower case."""

    index: int
    dialect: str | None
    purpose: Purpose
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any
    """The JSON of the request; None if it had none or it did not parse."""
    arrived: float
    status: int | None = None
    """Status answered; None while none has been sent."""
    refusal: str | None = None
    """The body of the vendor's refusal, if a rule was broken."""
    finished: float | None = None
    """When the answer had been sent whole (or cut, where the script says so)."""
    disconnected: float | None = None
    """When the client left before that."""


class Record:
    """The requests in order of arrival. ``log`` is a file that gets one JSON line for each when it ends."""

    def __init__(self, log: Path | None = None) -> None:
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._log = log

    def add(self, **fields: Any) -> Seen:
        """Record an arrival; ``fields`` are those of :class:`Seen` without index and arrival."""
        with self._changed:
            seen = Seen(index=len(self._seen), arrived=time.monotonic(), **fields)
            self._seen.append(seen)
            self._changed.notify_all()
        return seen

    def answered(self, seen: Seen, status: int, refusal: str | None = None) -> None:
        """A status has been chosen."""
        with self._changed:
            seen.status, seen.refusal = status, refusal
            self._changed.notify_all()

    def ended(self, seen: Seen, *, disconnected: bool) -> None:
        """The exchange is over; the first word on how counts."""
        with self._changed:
            if seen.finished is not None or seen.disconnected is not None:
                return
            if disconnected:
                seen.disconnected = time.monotonic()
            else:
                seen.finished = time.monotonic()
            self._changed.notify_all()
        if self._log is not None:
            with self._log.open("ab") as file:
                file.write(_line(seen))

    def all(self) -> list[Seen]:
        """A copy of the list; its members go on changing."""
        with self._changed:
            return list(self._seen)

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            self._seen.clear()

    def wait(self, index: int, done: Callable[[Seen], bool], timeout: float, what: str) -> Seen:
        """Block until request ``index`` is there and ``done``; raises ``TimeoutError`` that says what was missing."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self._seen) > index and done(self._seen[index]), timeout)
            if arrived:
                return self._seen[index]
            state = self._seen[index] if len(self._seen) > index else f"only {len(self._seen)} requests arrived"
        raise TimeoutError(f"request {index} {what} within {timeout} s: {state}")


def _line(seen: Seen) -> bytes:
    fields = {name: getattr(seen, name) for name in Seen.__slots__ if name != "raw"}
    fields |= {"query": dict(seen.query), "headers": dict(seen.headers)}
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
