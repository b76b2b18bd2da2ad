"""What a wire dialect is made of: two pure functions, a state machine, and nothing that waits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import orjson

from .errors import Unsupported, UpstreamError
from .events import Event
from .messages import MessagesRequest
from .target import Target

T = TypeVar("T")

# What has come in one read: (SSE event name, payload) pairs. Not streamed: one pair, with the whole body.
Payloads = AsyncGenerator[list[tuple[str, bytes]], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to a provider. ``headers`` may hold a credential: it is never shown."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as the provider's own list names it. Sizes are in tokens, None where the list gives none.

    ``converses`` is False where the list says that the model holds no conversation (an embedding, an image model).
    """

    name: str
    display_name: str = ""
    context_window: int | None = None
    max_output: int | None = None
    converses: bool = True


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a provider's list; ``after`` asks for the next one, "" on the last."""

    models: tuple[Listed, ...]
    after: str = ""


class Translator(Protocol):
    """Turns a provider's answer into Anthropic's events: a plain state machine, one per answer.

    It serves both modes. Streamed, ``feed`` takes the payload of one server-sent event at a time; not streamed, it
    takes the whole JSON body once. Either way the events it returns, with those of ``finish``, are one legal Anthropic
    stream (or a single ``message`` event where the provider's own body is passed on).
    """

    def opening(self) -> list[Event]:
        """Events that may go out before the provider has said anything: ``message_start``, or nothing.

        Called at most once, and only when the provider is silent for long; ``feed`` then does not repeat them.
        """
        ...

    def feed(self, name: str, payload: bytes) -> list[Event]:
        """``name`` is the SSE event's name ("" where the provider names none), ``payload`` its data.

        Raises Broken where the payload is not what the dialect allows, and another UpstreamError where it is the
        provider's own error, said in the middle of a stream.
        """
        ...

    def finish(self) -> list[Event]:
        """The provider has ended its answer. Raises Broken where it ended too early."""
        ...

    @property
    def cut(self) -> bool:
        """Whether the text was cut here, at a stop sequence: all that still matters is what the provider has used."""
        ...


class Dialect(Protocol):
    """One wire dialect. Stateless; one instance serves every request."""

    def call(self, target: Target, request: MessagesRequest) -> Call:
        """The request in this dialect. Raises Unsupported, naming the block, where it cannot be said."""
        ...

    def streams(self, target: Target, request: MessagesRequest) -> bool:
        """Whether the provider is to stream: as the client wants it, and where the text may have to be cut here."""
        ...

    def translator(self, target: Target, request: MessagesRequest) -> Translator: ...

    def refusal(
        self, target: Target, request: MessagesRequest, status: int, headers: Mapping[str, str], body: bytes
    ) -> UpstreamError:
        """The error that a non-2xx answer stands for. ``headers`` are lower case."""
        ...

    def count_call(self, target: Target, request: MessagesRequest) -> Call | None:
        """The request to the provider's own token counter, None where it has none."""
        ...

    def count(self, payload: bytes) -> int:
        """The number of input tokens in the counter's answer. Raises Broken."""
        ...

    def list_call(self, target: Target, after: str) -> Call | None:
        """The request for the provider's list of models, from ``after`` on ("": the first page); None: it has none."""
        ...

    def listed(self, payload: bytes) -> ListPage:
        """One page of the list. Raises Broken."""
        ...


class Shell(Protocol):
    """Carries a request to a provider and its answer back: HTTP for most dialects, a library for LiteLLM's.

    Raises, before the first payload, every UpstreamError that can still become a status code. Leaving the context
    closes the connection, whatever is left unread.
    """

    def __call__(
        self, dialect: Dialect, target: Target, request: MessagesRequest
    ) -> AbstractAsyncContextManager[Payloads]: ...


def said(translate: Callable[[Target, MessagesRequest], T], target: Target, request: MessagesRequest) -> T:
    """What ``translate`` (a dialect's ``call`` or ``count_call``) makes of a request.

    Raises Unsupported for a schema or an input nested hundreds of levels deep: walking it outgrows the stack, writing
    it orjson's own limit (254), and no provider takes it either.
    """
    try:
        return translate(target, request)
    except (RecursionError, orjson.JSONEncodeError):
        raise Unsupported("The request is nested too deeply.") from None
