"""One real call through a mapping or a provider, for the admin's Test page; it stands on the ledger like any other."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from accounting import calibration, ledger
from accounting.errors import AccountingError
from accounting.identity import Caller
from accounting.models import LedgerEntry

from .resolution import Resolution
from .upstream import http
from .upstream.errors import UpstreamError
from .upstream.events import Event
from .upstream.messages import MessagesRequest
from .upstream.stream import open_answer
from .upstream.words import own_words

SECONDS: Final = 60.0
_MAX_TOKENS: Final = 1024
# A black square of 16 x 16 pixels: some providers refuse an image of a single one.
_IMAGE: Final = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAEElEQVR42mNgGAWjYBTAAAADEAAB1y2EYwAAAABJRU5ErkJggg=="
_WEATHER: Final = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
KINDS: Final = {
    "text": "Text, in one piece",
    "stream": "Text, streamed",
    "tool": "A tool call",
    "image": "An image",
}


@dataclass(slots=True)
class Report:
    """What came of a trial. Times are in milliseconds; ``row`` is its place on the ledger, None where it has none."""

    resolution: Resolution
    kind: str
    answer: str = ""
    tool_calls: list[str] = field(default_factory=list)
    stop_reason: str = ""
    error: str = ""
    provider_status: int | None = None
    first_byte_ms: int | None = None
    duration_ms: int = 0
    row: LedgerEntry | None = None

    @property
    def verdict(self) -> str:
        """ "" where all is well, else what is missing of what was asked for."""
        if self.error:
            return "The call failed."
        if self.kind == "tool" and not self.tool_calls:
            return "The model answered without calling the tool it was told to call."
        return "" if self.answer or self.tool_calls else "The answer is empty."


def run(resolution: Resolution, caller: Caller, kind: str) -> Report:
    """Makes the call and waits for its end. Blocking: for a thread of its own, never for an event loop's."""
    report = Report(resolution, kind)
    request_id = f"req_test_{secrets.token_hex(8)}"
    asyncio.run(_run(report, caller, request_id))
    report.row = LedgerEntry.objects.filter(request_id=request_id).first()
    return report


async def _run(report: Report, caller: Caller, request_id: str) -> None:
    """Fills ``report`` in; its own event loop has its own connections, closed at the end."""
    request = _request(report.resolution, report.kind)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(SECONDS):
            await _call(report, caller, request, request_id, began)
    except UpstreamError as error:
        report.error = own_words(error, report.resolution.target)
        report.provider_status = error.provider_status
    except AccountingError as error:
        report.error = error.message
    except TimeoutError:
        report.error = f"No complete answer within {SECONDS:.0f} seconds."
    finally:
        report.duration_ms = round((time.perf_counter() - began) * 1000)
        await http.close()
    await ledger.drain()


async def _call(report: Report, caller: Caller, request: MessagesRequest, request_id: str, began: float) -> None:
    resolution = report.resolution
    booking = ledger.Booking(
        request_id=request_id,
        asked_model=resolution.asked_model,
        tier=resolution.tier,
        provider=resolution.target.provider,
        model=resolution.target.model,
        price_family=resolution.price_family,
        streamed=request.stream,
        input_estimate=request.input_estimate,
        max_tokens=request.max_tokens,
        client="Tollgate admin, Test",
    )
    async with ledger.entry(caller, booking, generation=None) as entry:
        try:
            async with open_answer(resolution.target, request) as answer:
                async for events in answer:
                    if report.first_byte_ms is None:
                        report.first_byte_ms = round((time.perf_counter() - began) * 1000)
                    entry.observe(events)
                    _read(report, events)
            await entry.settle()
        except UpstreamError as error:
            entry.fail(LedgerEntry.Outcome.UPSTREAM_ERROR, type(error).__name__)
            raise


def _request(resolution: Resolution, kind: str) -> MessagesRequest:
    content: list[dict[str, Any]] = [{"type": "text", "text": "Answer with the single word: ready."}]
    body: dict[str, Any] = {"model": resolution.asked_model, "max_tokens": _MAX_TOKENS, "stream": kind == "stream"}
    if kind == "tool":
        content = [{"type": "text", "text": "What is the weather in Paris? Use the tool."}]
        body |= {"tools": [_WEATHER], "tool_choice": {"type": "tool", "name": _WEATHER["name"]}}
    elif kind == "image":
        source = {"type": "base64", "media_type": "image/png", "data": _IMAGE}
        content = [
            {"type": "image", "source": source},
            {"type": "text", "text": "Which colour is this? Answer with one word."},
        ]
    body["messages"] = [{"role": "user", "content": content}]
    target = resolution.target
    return MessagesRequest(
        body=body,
        raw=b"",
        model=resolution.asked_model,
        stream=kind == "stream",
        max_tokens=_MAX_TOKENS,
        headers={"anthropic-version": "2023-06-01"},
        message_id="msg_" + secrets.token_hex(12),
        input_estimate=calibration.estimate_input(f"{target.provider}/{target.model}", 400),
    )


def _read(report: Report, events: Iterable[Event]) -> None:
    """Gathers text and tool calls, from a stream's events or from a whole message."""
    for event in events:
        data = event.data
        if event.type == "message":
            for block in data.get("content", ()):
                _open(report, block)
            report.stop_reason = str(data.get("stop_reason") or "")
        elif event.type == "content_block_start":
            _open(report, data.get("content_block", {}))
        elif event.type == "content_block_delta":
            report.answer += str(data.get("delta", {}).get("text", ""))
            if report.tool_calls:
                report.tool_calls[-1] += str(data.get("delta", {}).get("partial_json", ""))
        elif event.type == "message_delta":
            report.stop_reason = str(data.get("delta", {}).get("stop_reason") or "")
        elif event.type == "error":
            report.error = str(data.get("error", {}).get("message", "")) or "The provider reported an error."


def _open(report: Report, block: dict[str, Any]) -> None:
    if block.get("type") == "text":
        report.answer += str(block.get("text", ""))
    elif block.get("type") == "tool_use":
        given = block.get("input") or ""
        report.tool_calls.append(f"{block.get('name')} {given}")
