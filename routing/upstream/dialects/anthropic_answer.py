"""Anthropic's answer, handed on byte for byte as long as a client can follow it.

An event that no client can place (a delta without its block, a text in a call, a second beginning) ends the answer as
Broken: an SDK would fail on it in its own way ("Content block is not a text block", sglang#24293), or show a wrong
answer for a right one. Anthropic's events of tomorrow pass: kinds of events, blocks and deltas that are not known here,
further fields, other stop reasons. So does a tool's input that is no JSON, which fine-grained streaming may give.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming, .../errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ..errors import Broken, UpstreamError, Verbatim
from ..events import JSON, Event
from ..messages import MessagesRequest
from ..target import Target

_STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_NONE: Final[Mapping[str, str]] = {}
_INPUT: Final = {"input_json_delta": "partial_json"}
# The deltas that a block of each known kind takes, and the text in each; a citation is an object.
_TAKES: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"text_delta": "text", "citations_delta": "citation"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "redacted_thinking": _NONE,
    "tool_use": _INPUT,
    "server_tool_use": _INPUT,
    "mcp_tool_use": _INPUT,
}
_KNOWN: Final = frozenset(delta for taken in _TAKES.values() for delta in taken)
# What a block of each known kind has from its start, as text.
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "server_tool_use": ("id", "name"),
    "mcp_tool_use": ("id", "name"),
}


class PassThrough:
    """The state of one answer. A usual delta costs two look-ups beside the reading of its JSON."""

    __slots__ = ("_asked", "_ended", "_index", "_kind", "_started", "_stopped", "_stream", "_takes", "_target")
    cut = False  # Anthropic stops by itself, and says at which sequence

    def __init__(self, target: Target, request: MessagesRequest) -> None:
        self._target = target
        self._asked = request.model  # the name that the client reads, mapped or dated as the answer's may be
        self._stream = request.stream
        self._started = False
        self._index = 0  # of the open block, or of the next
        self._kind = ""  # of the open block
        self._takes = _NONE  # the deltas that the open block takes
        self._stopped = False  # a message_delta has come
        self._ended = False

    def opening(self) -> list[Event]:
        return []  # Anthropic begins at once, with the true message_start

    def feed(self, name: str, payload: bytes) -> list[Event]:
        if self._ended:
            return []
        try:
            data = orjson.loads(payload)
            kind = data["type"]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            raise Broken("The provider sent an event that is not one of Anthropic's.") from None
        if kind == "content_block_delta" and self._is_usual(data) and b"\n" not in payload:
            return [Event(kind, data, payload)]
        if kind == "error":
            return self._error(data, payload)
        if not self._stream:
            return self._whole(kind, data, payload)
        if not self._started and kind == "ping":
            return []  # nothing has begun: the status is still open
        self._follow(kind, data)
        if kind == "message_start" and (message := data["message"]).get("model", self._asked) != self._asked:
            message["model"] = self._asked
            return [Event(kind, data, _written(data))]
        return [Event(kind, data, _one_line(payload))]

    def finish(self) -> list[Event]:
        if not self._ended:
            raise Broken("The provider ended its answer too early.")
        return []

    def _is_usual(self, data: JSON) -> bool:
        """Whether a delta adds text to the block that is open, in a way that this kind of block takes."""
        try:
            delta = data["delta"]
            return data["index"] == self._index and isinstance(delta[self._takes[delta["type"]]], str)
        except (KeyError, TypeError):
            return False

    def _follow(self, kind: Any, data: JSON) -> None:
        """Raises Broken for an event that cannot stand where it does."""
        if not isinstance(kind, str) or not kind.isprintable():
            raise _misplaced("an event without a kind")
        if self._started == (kind == "message_start"):
            raise _misplaced(kind)
        if kind == "message_start":
            _check_message(data.get("message"), streamed=True)
            self._started = True
        elif kind == "content_block_start":
            self._open(data)
        elif kind == "content_block_delta":
            self._check_delta(data)
        elif kind == "content_block_stop":
            if not self._kind or data.get("index") != self._index:
                raise _misplaced(kind)
            self._index, self._kind, self._takes = self._index + 1, "", _NONE
        elif kind == "message_delta":
            if self._kind or not isinstance(data.get("delta"), dict) or not isinstance(data.get("usage"), dict):
                raise _misplaced(kind)
            self._stopped = True
        elif kind == "message_stop":
            if not self._stopped:
                raise _misplaced(kind)
            self._ended = True

    def _open(self, data: JSON) -> None:
        block: Any = data.get("content_block")
        if self._kind or self._stopped or data.get("index") != self._index or not _is_block(block):
            raise _misplaced("content_block_start")
        self._kind = block["type"]
        self._takes = _TAKES.get(self._kind, _NONE)

    def _check_delta(self, data: JSON) -> None:
        """Of a delta that is not of the usual kind: a citation, or something of tomorrow."""
        delta: Any = data.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not self._kind or data.get("index") != self._index or not isinstance(kind, str):
            raise _misplaced("content_block_delta")
        of_tomorrow = kind not in _KNOWN or self._kind not in _TAKES
        if not (of_tomorrow or self._is_usual(data) or (kind in self._takes and _is_citation(delta))):
            raise _misplaced(kind)

    def _whole(self, kind: Any, data: JSON, payload: bytes) -> list[Event]:
        if kind != "message":
            raise Broken("The provider's answer is not a message.")
        _check_message(data, streamed=False)
        self._ended = True
        if data.get("model", self._asked) != self._asked:
            data["model"] = self._asked
            return [Event("message", data, _written(data))]
        return [Event("message", data, payload)]

    def _error(self, data: JSON, payload: bytes) -> list[Event]:
        """An error said with a 200: a status while there is none yet, afterwards the stream's own last event."""
        error = data.get("error")
        if (
            not isinstance(error, dict)
            or not isinstance(error.get("type"), str)
            or not isinstance(error.get("message"), str)
        ):
            raise Broken("The provider gave up its answer without saying why.")
        self._ended = True
        if self._started:
            return [Event("error", data, _one_line(payload))]
        raise refused(self._target, data, _STATUSES.get(error["type"], 500), {}, payload)


def refused(target: Target, data: JSON, status: int, headers: dict[str, str], body: bytes) -> UpstreamError:
    """Anthropic's own error. The log is told its type alone: its words are the client's, and may quote the prompt."""
    error = data.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return Verbatim(f"Provider {target.provider} refused: {kind}.", status=status, headers=headers, body=body)


def _misplaced(kind: str) -> Broken:
    return Broken(f"The provider's answer is damaged: {kind[:60]} cannot stand where it does.")


def _check_message(message: Any, *, streamed: bool) -> None:
    """Raises Broken for what a client could not begin with, or not read as a whole answer."""
    content = message.get("content") if isinstance(message, dict) else None
    if (
        not isinstance(content, list)
        or (streamed and content)
        or not all(map(_is_block, content))
        or not isinstance(message.get("id"), str)
        or not isinstance(message.get("usage"), dict)
    ):
        raise Broken("The provider's answer is damaged: its message is not one of Anthropic's.")


def _is_block(block: Any) -> bool:
    kind = block.get("type") if isinstance(block, dict) else None
    return isinstance(kind, str) and all(isinstance(block.get(field), str) for field in _FIELDS.get(kind, ()))


def _is_citation(delta: JSON) -> bool:
    return delta["type"] == "citations_delta" and isinstance(delta.get("citation"), dict)


def _one_line(payload: bytes) -> bytes:
    """``payload`` fit for one ``data:`` line: a host that spreads its JSON over several gets it written anew."""
    return _written(orjson.loads(payload)) if b"\n" in payload else payload


def _written(data: JSON) -> bytes:
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError:
        raise Broken("The provider's answer is nested too deeply.") from None
