"""A real call that the gateway makes by itself, for a test or a conformance run; on the ledger like any other."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import orjson

from accounting import calibration, ledger
from accounting.errors import AccountingError
from accounting.identity import Caller
from accounting.models import LedgerEntry

from .booking import booking
from .gateway.parsing import parse
from .resolution import Resolution
from .upstream import http
from .upstream.errors import UpstreamError
from .upstream.events import JSON, Event
from .upstream.ids import fresh_id
from .upstream.messages import MessagesRequest
from .upstream.stream import open_answer
from .upstream.words import own_words

SECONDS: Final = 60.0
T = TypeVar("T")


@dataclass(slots=True)
class Called:
    """What came of a call, in milliseconds. ``error`` is in the provider's own words, "" where all is well."""

    request_id: str
    events: list[Event] = field(default_factory=list)
    error: str = ""
    provider_status: int | None = None
    first_byte_ms: int | None = None
    duration_ms: int = 0


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs calls to their end, in an event loop of their own. Blocking: for a thread, never for an event loop's."""

    async def whole() -> T:
        try:
            return await work
        finally:
            await http.close()
            await ledger.drain()

    return asyncio.run(whole())


def message_request(resolution: Resolution, body: JSON) -> MessagesRequest:
    """``body`` (all but its model) as a request for what was resolved. Raises InvalidRequest."""
    body = {"model": resolution.asked_model, **body}
    raw = orjson.dumps(body)
    parsed = parse(raw)
    target = resolution.target
    estimate = calibration.estimate_input(f"{target.provider}/{target.model}", parsed.text_bytes)
    return MessagesRequest(
        body=parsed.body,
        raw=raw,
        model=parsed.model,
        stream=parsed.stream,
        max_tokens=parsed.max_tokens,
        headers={"anthropic-version": "2023-06-01"},
        message_id=fresh_id("msg_"),
        input_estimate=estimate + parsed.media_tokens,
    )


async def call(resolution: Resolution, caller: Caller, body: JSON, *, client: str) -> Called:
    """Makes one call, within SECONDS. ``client`` is what the ledger names as the program that asked."""
    called = Called(f"req_test_{secrets.token_hex(8)}")
    began = time.perf_counter()
    try:
        async with asyncio.timeout(SECONDS):
            await _call(called, resolution, caller, message_request(resolution, body), client, began)
    except UpstreamError as error:
        called.error, called.provider_status = own_words(error, resolution.target), error.provider_status
    except AccountingError as error:
        called.error = error.message
    except TimeoutError:
        called.error = f"No complete answer within {SECONDS:.0f} seconds."
    called.duration_ms = round((time.perf_counter() - began) * 1000)
    return called


async def _call(
    called: Called, resolution: Resolution, caller: Caller, request: MessagesRequest, client: str, began: float
) -> None:
    booked = booking(called.request_id, resolution, request, client=client)
    async with ledger.entry(caller, booked, generation=None, is_live=False) as entry:
        try:
            async with open_answer(resolution.target, request) as answer:
                async for events in answer:
                    if called.first_byte_ms is None:
                        called.first_byte_ms = round((time.perf_counter() - began) * 1000)
                    entry.observe(events)
                    called.events += events
            await entry.settle()
        except UpstreamError as error:
            entry.fail(LedgerEntry.Outcome.UPSTREAM_ERROR, type(error).__name__)
            raise
    last = called.events[-1] if called.events else None
    if last is not None and last.type == "error":
        said = str(last.data.get("error", {}).get("message", ""))
        called.error = said or "The provider reported an error."
