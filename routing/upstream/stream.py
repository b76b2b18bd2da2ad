"""The one loop between a provider and a client: every dialect, streamed or not, goes through ``open``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from . import http
from .dialect import Dialect, Payloads, Translator, said
from .dialects import DIALECTS, SHELLS
from .errors import UpstreamError
from .events import Event
from .messages import MessagesRequest
from .target import Target

_LAST: Final = frozenset({"message_stop", "error", "message"})
# After the last event: the time in which an HTTP answer may end, so that its connection can be used again.
_END_SECONDS: Final = 0.25
# After a cut: the time in which the provider may say by itself what it has used, before it is hung up on.
_USAGE_SECONDS: Final = 1.0


class Answer:
    """A provider's answer under way: iterate it for its events, a list for what came in one read.

    Nothing is sent to the provider before the first event is asked for. ``opening()`` gives what may be shown to the
    client while the provider is still silent.
    """

    def __init__(self, translator: Translator, events: AsyncIterator[list[Event]]) -> None:
        self._translator = translator
        self._events = events

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self._events

    def opening(self) -> list[Event]:
        return self._translator.opening()


@asynccontextmanager
async def open_answer(target: Target, request: MessagesRequest) -> AsyncIterator[Answer]:
    """The answer of ``target`` to ``request``; leaving the context closes the connection to the provider.

    Iterating raises an UpstreamError; the first event is asked for before a status is chosen, so whatever can still
    be a status code is raised there.
    """
    dialect = DIALECTS[target.dialect]
    if not request.stream and dialect.streams(target, request):
        request = replace(request, stream=True)
    translator = dialect.translator(target, request)
    async with aclosing(_events(dialect, translator, target, request)) as events:
        yield Answer(translator, events)


async def _events(
    dialect: Dialect, translator: Translator, target: Target, request: MessagesRequest
) -> AsyncGenerator[list[Event], None]:
    begun = False
    async with SHELLS[target.dialect](dialect, target, request) as payloads:
        async for pairs in payloads:
            events, failure = _read(translator, pairs)
            # What came before an error in the same read is told first, unless the error can still be a status.
            if events and (begun or failure is None or translator.cut):
                begun = True
                yield events
                if events[-1].type in _LAST:
                    if not translator.cut:
                        await _drain(payloads)
                    return
            if translator.cut:
                yield [*await _read_on(translator, payloads), *translator.finish()]
                return
            if failure is not None:
                raise failure
    if events := translator.finish():
        yield events


def _read(translator: Translator, pairs: list[tuple[str, bytes]]) -> tuple[list[Event], UpstreamError | None]:
    """The events of what came in one read, up to the error that it may hold."""
    events: list[Event] = []
    try:
        for name, payload in pairs:
            events += translator.feed(name, payload)
    except UpstreamError as failure:
        return events, failure
    return events, None


async def _read_on(translator: Translator, payloads: Payloads) -> list[Event]:
    """What becomes of the rest of an answer that was cut: its end and true usage, if they come soon.

    For the client the answer is complete, so no failure of the provider's is one any more.
    """
    events: list[Event] = []
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_USAGE_SECONDS):
            async for pairs in payloads:
                for name, payload in pairs:
                    events += translator.feed(name, payload)
                if events:
                    break
    return events


async def _drain(payloads: Payloads) -> None:
    """Reads on to the end of the HTTP answer, but does not wait for a provider that leaves it open."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in payloads:
                pass


async def count_tokens(target: Target, request: MessagesRequest) -> int | None:
    """The provider's own count of the input's tokens; None where it has no counter. Raises UpstreamError."""
    dialect = DIALECTS[target.dialect]
    call = said(dialect.count_call, target, request)
    return dialect.count(await http.fetch(dialect, target, request, call)) if call else None
