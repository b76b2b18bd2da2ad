"""One real call through a mapping or a provider, for the admin's Test page; it stands on the ledger like any other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from accounting.identity import Caller
from accounting.models import LedgerEntry

from . import calls
from .resolution import Resolution
from .upstream.events import JSON, Event

_MAX_TOKENS: Final = 1024
# A black square of 16 x 16 pixels: some providers refuse an image of a single one.
IMAGE: Final = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAEElEQVR42mNgGAWjYBTAAAADEAAB1y2EYwAAAABJRU5ErkJggg=="
WEATHER: Final = {
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
    called = calls.run(calls.call(resolution, caller, _body(kind), client="Tollgate admin, Test"))
    report = Report(
        resolution,
        kind,
        error=called.error,
        provider_status=called.provider_status,
        first_byte_ms=called.first_byte_ms,
        duration_ms=called.duration_ms,
        row=LedgerEntry.objects.filter(request_id=called.request_id).first(),
    )
    _read(report, called.events)
    return report


def _body(kind: str) -> JSON:
    content: list[JSON] = [{"type": "text", "text": "Answer with the single word: ready."}]
    body: JSON = {"max_tokens": _MAX_TOKENS, "stream": kind == "stream"}
    if kind == "tool":
        content = [{"type": "text", "text": "What is the weather in Paris? Use the tool."}]
        body |= {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": WEATHER["name"]}}
    elif kind == "image":
        source = {"type": "base64", "media_type": "image/png", "data": IMAGE}
        content = [
            {"type": "image", "source": source},
            {"type": "text", "text": "Which colour is this? Answer with one word."},
        ]
    return body | {"messages": [{"role": "user", "content": content}]}


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


def _open(report: Report, block: dict[str, Any]) -> None:
    if block.get("type") == "text":
        report.answer += str(block.get("text", ""))
    elif block.get("type") == "tool_use":
        given = block.get("input") or ""
        report.tool_calls.append(f"{block.get('name')} {given}")
