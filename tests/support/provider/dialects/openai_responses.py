"""OpenAI Responses, ``POST /v1/responses``: requests, errors, and the response object around the output.

Shapes: platform.openai.com/docs/api-reference/responses and responses-streaming, checked against the models of
openai-python. The output items and their events are in :mod:`.responses_items`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import failures
from ..dialect import CREATED, Asked, Conversation, Frame, Json, Turn, Whole
from ..pieces import Piece, pieces
from ..rules import openai_responses as rules
from ..script import ErrorEvent, Fail, Thinking, Usage
from ..seal import Seal
from .responses_items import Items

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Request parameters that the response object repeats, with their defaults."""


def usage_object(usage: Usage) -> Json:
    """The ``usage`` object of the Responses API."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _outcome(turn: Turn) -> tuple[str, str | None]:
    """Status, and the reason if it is ``incomplete``."""
    reply = turn.reply
    if reply.finish is not None:
        return "incomplete", reply.finish
    if reply.ending == "length":
        return "incomplete", "max_output_tokens"
    if reply.ending == "refusal" and reply.stop == "refusal":
        return "incomplete", "content_filter"
    return "completed", None


def _object(turn: Turn, status: str, **fields: Any) -> Json:
    """The response object; ``fields`` are what changes as it proceeds."""
    body = turn.body
    echoed = {key: body.get(key, default) for key, default in _ECHOED.items()}
    return {
        "id": f"resp_{turn.ident('response', 48)}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "completed_at": CREATED + 2 if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "model": turn.model,
        "output": [],
        "service_tier": "default" if status in ("completed", "incomplete") else "auto",
        "usage": None,
        **echoed,
        **fields,
    }


class _Events:
    """Numbers events as they are made."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, type_: str, fields: Json, *, delta: bool = False) -> Frame:
        frame = Frame.json({"type": type_, "sequence_number": self._number} | fields, type_, delta=delta)
        self._number += 1
        return frame


class OpenAIResponses:
    """Responses."""

    name = "openai_responses"
    newline = "\n"

    def asked(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Json) -> Asked:
        """Model and mode are in the body."""
        return Asked(path, query, headers, body, str(body.get("model", "")), body.get("stream") is True)

    def check(self, asked: Asked, seal: Seal) -> None:
        """Apply OpenAI's rules."""
        rules.check(asked, seal)

    def conversation(self, asked: Asked) -> Conversation:
        """Tool results are ``function_call_output`` items."""
        given = asked.body.get("input") or []
        items: list[Json] = [{"role": "user", "content": given}] if isinstance(given, str) else given
        said = [_plain(item.get("content")) for item in items if item.get("role") == "user"]
        tools = asked.body.get("tools") or []
        return Conversation(
            model=asked.model,
            tools=tuple(tool["name"] for tool in tools if tool.get("type") == "function"),
            searches=any(str(tool.get("type", "")).startswith("web_search") for tool in tools),
            last_user_text=said[-1] if said else "",
            results=tuple(_plain(i.get("output")) for i in items if i.get("type") == "function_call_output"),
        )

    def frames(self, turn: Turn) -> Iterator[Frame]:
        """``response.created`` ... ``response.completed`` or ``response.incomplete``."""
        reply, event, items = turn.reply, _Events(), Items(turn)
        yield event("response.created", {"response": _object(turn, "in_progress")})
        yield event("response.in_progress", {"response": _object(turn, "in_progress")})
        for piece in self._pieces(turn):
            for number, told in enumerate(items.events(piece)):
                padding = turn.padding(f"{piece.index}/{piece.text}/{number}") if told.delta else {}
                yield event(told.type, told.fields | padding, delta=told.delta)
        if reply.ending is None and reply.finish is None:
            return
        final = self.whole(turn)
        yield event(f"response.{final['status']}", {"response": final})

    def whole(self, turn: Turn) -> Json:
        """The finished response object."""
        items = Items(turn)
        output = [items.item(piece.part, piece.index) for piece in self._pieces(turn) if piece.first]
        status, reason = _outcome(turn)
        fields: Json = {"output": output}
        if turn.reply.usage is not None:
            fields["usage"] = usage_object(turn.reply.usage)
        if reason is not None:
            fields["incomplete_details"] = {"reason": reason}
        return _object(turn, status, **fields)

    def fail(self, fail: Fail, model: str) -> Whole:
        """``{"error": {message, type, param, code}}``."""
        return failures.openai(fail, model, responses=True)

    def error_frames(self, error: ErrorEvent, turn: Turn, sent: int) -> list[Frame]:
        """An ``error`` event, then ``response.failed``: what live streams show."""
        worded = failures.openai_error(error.fail, turn.model, responses=True)
        flat = {key: worded[key] for key in ("code", "message", "param")}
        told: Json = flat if turn.reply.wire.flat_error else {"error": worded}
        reason = {"code": worded["code"] or "server_error", "message": worded["message"]}
        failed = _object(turn, "failed", error=reason)
        return [
            Frame.json({"type": "error", "sequence_number": sent, **told}, "error"),
            Frame.json({"type": "response.failed", "sequence_number": sent + 1, "response": failed}, "response.failed"),
        ]

    def _pieces(self, turn: Turn) -> Iterator[Piece]:
        for piece in pieces(turn.reply, interleave=turn.reply.wire.interleave):
            # A model that does not reason has no reasoning items, whatever the script says.
            if rules.is_reasoning_model(turn.model) or not isinstance(piece.part, Thinking):
                yield piece


def _plain(content: Any) -> str:
    """The text of a content value, string or list of parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or [])
