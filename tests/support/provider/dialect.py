"""What a dialect of the provider has to offer, and what it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import orjson

from .script import ErrorEvent, Fail, Reply
from .seal import Seal

Json: TypeAlias = dict[str, Any]

CREATED = 1_764_000_000
"""Seconds since the epoch in every answer: a fixed day, so that answers compare equal."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request in the brain's eyes, whatever the dialect."""

    model: str
    tools: tuple[str, ...]
    """Names of the declared function tools."""
    searches: bool
    """Whether the provider's own web search is declared."""
    last_user_text: str
    results: tuple[str, ...]
    """Texts of all tool results so far, oldest first."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What an encoder works from: the script, the request it answers, and the means to write state."""

    reply: Reply
    body: Json
    model: str
    serial: int
    """Number of this request at this provider: the source of all ids."""
    seal: Seal = field(default_factory=Seal)

    def ident(self, label: str, length: int = 24) -> str:
        """Hex digits, the same for the same request number and label."""
        return hashlib.sha256(f"{self.serial}/{label}".encode()).hexdigest()[:length]

    def padding(self, label: str) -> Json:
        """OpenAI's ``obfuscation`` of a delta: 0 to 15 characters without meaning, unless the request declined."""
        if (self.body.get("stream_options") or {}).get("include_obfuscation") is False:
            return {}
        digest = self.ident(label, 17)
        return {"obfuscation": digest[2 : 2 + int(digest[:1], 16)]}


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE frame before framing. ``delta`` marks what a fault's ``after`` and the pace count."""

    data: bytes
    event: str | None = None
    delta: bool = False

    @classmethod
    def json(cls, value: object, event: str | None = None, *, delta: bool = False) -> Frame:
        """A frame whose data is compact JSON."""
        return cls(orjson.dumps(value), event, delta)


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @classmethod
    def json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> Whole:
        """An answer whose body is compact JSON."""
        return cls(status, orjson.dumps(value), headers or {})


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of an HTTP request that dialects judge. Header names are lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    model: str
    stream: bool


class Refused(Exception):
    """The request breaks a rule of the vendor; carries the vendor's answer."""

    def __init__(self, answer: Whole) -> None:
        super().__init__(answer.body.decode())
        self.answer = answer


class Dialect(Protocol):
    """One vendor's wire format, both directions."""

    name: str
    newline: str
    """Line ends of the vendor's SSE frames."""

    def asked(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Json) -> Asked:
        """The request's model and mode, wherever this dialect keeps them."""

    def check(self, asked: Asked, seal: Seal) -> None:
        """Raise :class:`Refused` with the vendor's answer if the vendor would not serve this."""

    def conversation(self, asked: Asked) -> Conversation:
        """The request in the brain's eyes."""

    def frames(self, turn: Turn) -> Iterator[Frame]:
        """The streamed answer, from its first frame to its end mark."""

    def whole(self, turn: Turn) -> Json:
        """The same answer, not streamed."""

    def fail(self, fail: Fail, model: str) -> Whole:
        """The vendor's HTTP error."""

    def error_frames(self, error: ErrorEvent, turn: Turn, sent: int) -> list[Frame]:
        """The vendor's error inside a stream, after ``sent`` frames."""
