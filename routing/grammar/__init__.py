"""The judge of Anthropic's event grammar: what the gateway answers must pass here, whatever stood behind it.

Conformance runs and every test of a translator stand on it.

Source: docs.anthropic.com/en/api/messages-streaming, docs.anthropic.com/en/api/messages (response), the event models
of anthropic-sdk-python, and what Claude Code was seen to need.

:func:`check_stream` for a stream's bytes, :func:`check_message` for a plain answer; both raise
:class:`GrammarError` (an ``AssertionError``) that says where and what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from .blocks import OpenBlock, check_block, check_inputs, check_tool_use_reason
from .rules import STOP_REASONS, GrammarError, Laws, check_error, check_id, check_usage, expect

__all__ = ["Event", "GrammarError", "Laws", "Transcript", "check_message", "check_stream", "parse_frames"]

Json: TypeAlias = dict[str, Any]

_RELAXED = Laws(ids=False, sequence=True)


@dataclass(frozen=True, slots=True)
class Event:
    """One SSE frame: its place among the frames, its name, its JSON."""

    number: int
    name: str
    data: Json


@dataclass(slots=True)
class Transcript:
    """A legal stream, accumulated.

    ``message`` is what a plain answer would have been (None if the stream failed before ``message_start``); ``error``
    is the ``error`` object of a stream that ended in one. ``pings`` are frame numbers; ``deltas`` counts
    ``content_block_delta`` events.
    """

    message: Json | None = None
    events: list[Event] = field(default_factory=list)
    pings: list[int] = field(default_factory=list)
    error: Json | None = None
    start_usage: Json = field(default_factory=dict)
    deltas: int = 0

    @property
    def content(self) -> list[Json]:
        """The blocks."""
        return [] if self.message is None else list(self.message["content"])

    @property
    def text(self) -> str:
        """All text blocks joined."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def thinking(self) -> str:
        """All thinking joined."""
        return "".join(block["thinking"] for block in self.content if block["type"] == "thinking")

    @property
    def tool_uses(self) -> list[Json]:
        """The ``tool_use`` blocks."""
        return [block for block in self.content if block["type"] == "tool_use"]

    @property
    def stop_reason(self) -> str | None:
        """Why it stopped; None in a stream that failed."""
        return None if self.message is None else self.message["stop_reason"]

    @property
    def usage(self) -> Json:
        """The final usage: that of ``message_start`` overlaid by that of ``message_delta``."""
        return {} if self.message is None else dict(self.message["usage"])

    @property
    def pinged_before_start(self) -> bool:
        """Whether a ping came before ``message_start``: legal here, worth knowing."""
        return bool(self.events) and self.events[0].name == "ping"

    @property
    def names(self) -> list[str]:
        """Event names in order, pings left out."""
        return [event.name for event in self.events if event.name != "ping"]


def parse_frames(stream: bytes) -> list[Event]:
    """Split a stream into events, insisting on exactly ``event: X\\ndata: {json}\\n\\n`` for each."""
    try:
        text = stream.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GrammarError(f"the stream is not UTF-8: {error}") from error
    if not text:
        raise GrammarError("the stream is empty")
    expect("\r" not in text, "the stream has a carriage return; frames end with \\n")
    expect(text.endswith("\n\n"), f"the stream ends inside a frame: …{text[-80:]!r}")
    return [_frame(number, frame) for number, frame in enumerate(text[:-2].split("\n\n"))]


def _frame(number: int, frame: str) -> Event:
    where = f"frame {number}"
    lines = frame.split("\n")
    expect(
        len(lines) == 2 and lines[0].startswith("event: ") and lines[1].startswith("data: "),
        f"{where}: want 'event: X' and 'data: {{…}}', got {frame[:200]!r}",
    )
    name, payload = lines[0].removeprefix("event: "), lines[1].removeprefix("data: ")
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise GrammarError(f"{where}: data is not JSON ({error}): {payload[:200]!r}") from error
    expect(isinstance(data, dict), f"{where}: data is not an object: {payload[:200]!r}")
    expect(data.get("type") == name, f"{where}: event is {name!r} but data.type is {data.get('type')!r}")
    return Event(number, name, data)


class _Judge:
    """Walks the events once. State: the message as told so far, the open block, how far the end has come."""

    def __init__(self, laws: Laws) -> None:
        self._laws = laws
        self.transcript = Transcript()
        self._open: OpenBlock | None = None
        self._next_index = 0
        self._delta_seen = False
        self._over = False
        self._where = ""

    def event(self, event: Event) -> None:
        """Judge one event."""
        self._where = f"frame {event.number} ({event.name})"
        self.transcript.events.append(event)
        self._expect(not self._over, "comes after the end of the message")
        match event.name:
            case "ping":
                self._expect(event.data == {"type": "ping"}, f"a ping has no fields: {event.data}")
                self.transcript.pings.append(event.number)
            case "error":
                check_error(self._where, event.data, self._laws)
                self.transcript.error = event.data["error"]
                self._over = True
            case "message_start":
                self._start(event.data)
            case "content_block_start" | "content_block_delta" | "content_block_stop":
                self._block(event)
            case "message_delta":
                self._delta(event.data)
            case "message_stop":
                self._stop(event.data)
            case _:
                raise GrammarError(f"{self._where}: unknown event")

    def finish(self) -> Transcript:
        """Judge the end of the stream."""
        self._where = "end of stream"
        self._expect(self._over, "neither message_stop nor error came")
        return self.transcript

    def _expect(self, holds: bool, message: str) -> None:
        expect(holds, f"{self._where}: {message}")

    def _keys(self, data: Json, *keys: str) -> None:
        missing = [key for key in keys if key not in data]
        self._expect(not missing, f"lacks {', '.join(missing)}: {data}")

    def _started(self) -> Json:
        message = self.transcript.message
        if message is None:
            raise GrammarError(f"{self._where}: comes before message_start")
        return message

    def _start(self, data: Json) -> None:
        self._expect(self.transcript.message is None, "message_start comes a second time")
        self._keys(data, "message")
        message = data["message"]
        _check_head(self._where, message, self._laws)
        self._expect(message.get("content") == [], f"content must be [], is {message.get('content')!r}")
        self._keys(message, "stop_reason", "stop_sequence")
        self._expect(message["stop_reason"] is None, "stop_reason must be null")
        self._expect(message["stop_sequence"] is None, "stop_sequence must be null")
        check_usage(self._where, message["usage"], opening=True)
        own = message["usage"]["input_tokens"]
        self._expect(own > 0 or not self._laws.ids, "usage.input_tokens is 0: the client shows an empty context")
        self.transcript.start_usage = dict(message["usage"])
        self.transcript.message = {**message, "content": [], "usage": dict(message["usage"])}

    def _block(self, event: Event) -> None:
        message = self._started()
        self._expect(not self._delta_seen, "comes after message_delta")
        self._keys(event.data, "index")
        index = event.data["index"]
        if event.name == "content_block_start":
            self._expect(self._open is None, f"opens block {index} while block {self._next_index} is open")
            self._expect(index == self._next_index, f"index is {index}, the next one is {self._next_index}")
            self._keys(event.data, "content_block")
            self._open = OpenBlock(self._where, event.data["content_block"], self._laws)
            return
        if self._open is None:
            raise GrammarError(f"{self._where}: no block is open")
        self._expect(index == self._next_index, f"index is {index}, the open block is {self._next_index}")
        if event.name == "content_block_delta":
            self._keys(event.data, "delta")
            self.transcript.deltas += 1
            self._open.delta(self._where, event.data["delta"])
            return
        message["content"].append(self._open.close(self._where))
        self._open = None
        self._next_index += 1

    def _delta(self, data: Json) -> None:
        message = self._started()
        self._expect(not self._delta_seen, "message_delta comes a second time")
        self._expect(self._open is None, f"block {self._next_index} is still open")
        self._keys(data, "delta", "usage")
        delta = data["delta"]
        self._keys(delta, "stop_reason", "stop_sequence")
        _check_stop(self._where, delta["stop_reason"], delta["stop_sequence"])
        check_tool_use_reason(self._where, delta["stop_reason"], message["content"])
        check_inputs(self._where, delta["stop_reason"], message["content"])
        check_usage(self._where, data["usage"], opening=False)
        self._delta_seen = True
        message |= delta
        message["usage"] |= {key: value for key, value in data["usage"].items() if value is not None}

    def _stop(self, data: Json) -> None:
        self._started()
        self._expect(self._delta_seen, "message_stop without message_delta")
        self._expect(set(data) <= {"type", "amazon-bedrock-invocationMetrics"}, f"has fields: {data}")
        self._over = True


def _check_stop(where: str, reason: Any, sequence: Any) -> None:
    expect(reason in STOP_REASONS, f"{where}: stop_reason {reason!r} is not one of {sorted(STOP_REASONS)}")
    if reason == "stop_sequence":
        expect(isinstance(sequence, str) and sequence != "", f"{where}: stop_sequence is {sequence!r}")
    else:
        expect(sequence is None, f"{where}: stop_sequence is {sequence!r} though stop_reason is {reason!r}")


def _check_head(where: str, message: Any, laws: Laws) -> None:
    """What a message has in both modes: type, role, model, id, usage."""
    expect(isinstance(message, dict), f"{where}: the message is not an object: {message!r}")
    missing = [key for key in ("id", "type", "role", "model", "content", "usage") if key not in message]
    expect(not missing, f"{where}: the message lacks {', '.join(missing)}")
    expect(message["type"] == "message", f"{where}: type is {message['type']!r}")
    expect(message["role"] == "assistant", f"{where}: role is {message['role']!r}")
    model = message["model"]
    expect(isinstance(model, str) and model != "", f"{where}: model is {model!r}")
    check_id(where, message["id"], "msg_", laws)


def check_stream(stream: bytes | Sequence[bytes], *, relaxed: bool = False, laws: Laws | None = None) -> Transcript:
    """Judge a whole stream; chunks are joined first. ``relaxed`` lets a passed-through provider's ids be."""
    whole = stream if isinstance(stream, bytes) else b"".join(stream)
    judge = _Judge(laws or (_RELAXED if relaxed else Laws()))
    for event in parse_frames(whole):
        judge.event(event)
    return judge.finish()


def check_message(message: Any, *, relaxed: bool = False, laws: Laws | None = None) -> Transcript:
    """Judge a plain answer; returns a transcript without events."""
    laws = laws or (_RELAXED if relaxed else Laws())
    where = "message"
    _check_head(where, message, laws)
    missing = [key for key in ("stop_reason", "stop_sequence") if key not in message]
    expect(not missing, f"{where}: lacks {', '.join(missing)}")
    expect(isinstance(message["content"], list), f"{where}: content is not a list")
    for index, block in enumerate(message["content"]):
        check_block(f"{where}.content[{index}]", block, laws)
    _check_stop(where, message["stop_reason"], message["stop_sequence"])
    check_tool_use_reason(where, message["stop_reason"], message["content"])
    check_usage(where, message["usage"], opening=True)
    return Transcript(message=message, start_usage=dict(message["usage"]))
