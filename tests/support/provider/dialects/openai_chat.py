"""OpenAI chat completions, ``POST /v1/chat/completions``.

Shapes: platform.openai.com/docs/api-reference/chat (object, streaming), checked against the models of openai-python;
``reasoning_content`` as api-docs.deepseek.com/guides/reasoning_model, ``reasoning_details`` as
openrouter.ai/docs/use-cases/reasoning-tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from .. import failures
from ..dialect import CREATED, Asked, Conversation, Frame, Json, Turn, Whole
from ..pieces import Piece, arguments_text, pieces
from ..rules import openai_chat as rules
from ..script import ErrorEvent, Fail, Refusal, Text, Thinking, ToolCall, Usage, WebSearch
from ..seal import Seal
from .citing import cited

_FINISH = {
    "end": "stop",
    "length": "length",
    "tool": "tool_calls",
    "refusal": "content_filter",
    "stop_sequence": "stop",
}


def usage_object(usage: Usage) -> Json:
    """The ``usage`` object of chat completions."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def finish_reason(turn: Turn) -> str | None:
    """The vendor's word for how the reply ended; a spoken refusal ends with ``stop``, as OpenAI's do."""
    reply = turn.reply
    if reply.finish is not None or reply.ending is None:
        return reply.finish
    if reply.ending == "refusal" and any(isinstance(part, Refusal) for part in reply.parts):
        return "stop"
    return _FINISH[reply.ending]


def call_id(turn: Turn, call: ToolCall, index: int) -> str:
    """The call's scripted id, or one in OpenAI's shape."""
    return call.id if call.id is not None else f"call_{turn.ident(f'call{index}')}"


def citations(turn: Turn) -> list[Json]:
    """``url_citation`` annotations of all text, offsets in characters of the joined content."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": cite.start,
                "end_index": cite.end,
                "title": cite.found.title,
                "url": cite.found.url,
            },
        }
        for cite in cited(turn.reply.parts)
    ]


class _Teller:
    """Words pieces as ``delta`` objects; counts tool calls."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._calls: dict[int, int] = {}

    def delta(self, piece: Piece) -> Json | None:
        """The delta of one piece; None for what this dialect does not tell."""
        match piece.part:
            case Text():
                return {"content": piece.text}
            case Refusal():
                return {"refusal": piece.text}
            case Thinking():
                return self._reasoning(piece)
            case ToolCall():
                return {"tool_calls": [self._call(piece, piece.part)]}
            case WebSearch():
                return None

    def _reasoning(self, piece: Piece) -> Json | None:
        place = self._turn.reply.wire.reasoning
        if place == "auto":
            place = "none" if rules.is_openai_model(self._turn.model) else "reasoning_content"
        if place == "none":
            return None
        if place != "openrouter":
            return {place: piece.text}
        detail: Json = {"type": "reasoning.text", "text": piece.text, "format": "unknown", "index": 0}
        return {"reasoning": piece.text, "reasoning_details": [detail]}

    def _call(self, piece: Piece, call: ToolCall) -> Json:
        wire = self._turn.reply.wire
        number = self._calls.setdefault(piece.index, len(self._calls))
        told: Json = {"index": number} if wire.tool_index else {}
        function: Json = {"arguments": piece.text}
        if piece.first or wire.repeat_tool_head:
            if wire.tool_ids:
                told["id"] = call_id(self._turn, call, piece.index)
            told["type"] = "function"
            function = {"name": call.name, **function}
        told["function"] = function
        return told


def _merge(into: Json, more: Json) -> None:
    """Join two deltas: text is appended, lists are extended."""
    for key, value in more.items():
        into[key] = into[key] + value if key in into else value


class OpenAIChat:
    """Chat completions."""

    name = "openai_chat"
    newline = "\n"

    def asked(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Json) -> Asked:
        """Model and mode are in the body."""
        return Asked(path, query, headers, body, str(body.get("model", "")), body.get("stream") is True)

    def check(self, asked: Asked, seal: Seal) -> None:
        """Apply OpenAI's rules."""
        rules.check(asked)

    def conversation(self, asked: Asked) -> Conversation:
        """Tool results are messages of role ``tool``."""
        messages = asked.body.get("messages") or []
        said = [_plain(message.get("content")) for message in messages if message.get("role") == "user"]
        tools = asked.body.get("tools") or []
        return Conversation(
            model=asked.model,
            tools=tuple(tool["function"]["name"] for tool in tools if tool.get("type") == "function"),
            searches="web_search_options" in asked.body,
            last_user_text=said[-1] if said else "",
            results=tuple(_plain(m.get("content")) for m in messages if m.get("role") == "tool"),
        )

    def frames(self, turn: Turn) -> Iterator[Frame]:
        """Role chunk, deltas, finish chunk, usage chunk, ``[DONE]``."""
        reply, wire = turn.reply, turn.reply.wire
        padded = rules.is_openai_model(turn.model)
        asked_usage = (turn.body.get("stream_options") or {}).get("include_usage") is True
        null_usage: Json = {"usage": None} if asked_usage else {}
        only_tools = bool(reply.parts) and all(isinstance(part, ToolCall) for part in reply.parts)
        opening = {"role": "assistant", "content": None if only_tools else "", "refusal": None}
        yield Frame.json(self._chunk(turn, opening) | null_usage)
        for number, delta in enumerate(self._deltas(turn)):
            padding = turn.padding(f"delta{number}") if padded else {}
            yield Frame.json(self._chunk(turn, delta) | null_usage | padding, delta=True)
        if notes := citations(turn):
            yield Frame.json(self._chunk(turn, {"annotations": notes}) | null_usage)
        finish = finish_reason(turn)
        usage = usage_object(reply.usage) if reply.usage is not None and asked_usage else None
        if finish is not None:
            beside = {"usage": usage} if usage is not None and wire.usage_in_finish else null_usage
            yield Frame.json(self._chunk(turn, {}, finish) | beside)
        if usage is not None and not wire.usage_in_finish:
            yield Frame.json(self._chunk(turn, {}) | {"choices": [], "usage": usage})
        if wire.done:
            yield Frame(b"[DONE]")

    def whole(self, turn: Turn) -> Json:
        """A ``chat.completion``."""
        reply = turn.reply
        message: Json = {"role": "assistant", "content": None, "refusal": None}
        if notes := citations(turn):
            message["annotations"] = notes
        calls: list[Json] = []
        teller = _Teller(turn)
        for piece in pieces(reply):
            if isinstance(piece.part, ToolCall):
                if piece.first:
                    calls.append(self._whole_call(turn, piece.part, piece.index))
            elif told := teller.delta(piece):
                _merge(message, {key: value for key, value in told.items() if message.get(key) is not None})
                message |= {key: value for key, value in told.items() if message.get(key) is None}
        if calls:
            message["tool_calls"] = calls
        answer = self._chunk(turn, {}, finish_reason(turn))
        answer["object"] = "chat.completion"
        choice = answer["choices"][0]
        del choice["delta"]
        answer["choices"] = [{"index": 0, "message": message, **choice}]
        if reply.usage is not None:
            answer["usage"] = usage_object(reply.usage)
        return answer

    def fail(self, fail: Fail, model: str) -> Whole:
        """``{"error": {message, type, param, code}}``."""
        return failures.openai(fail, model, responses=False)

    def error_frames(self, error: ErrorEvent, turn: Turn, sent: int) -> list[Frame]:
        """An ``error`` object as data, without ``[DONE]``."""
        return [Frame.json({"error": failures.openai_error(error.fail, turn.model, responses=False)})]

    def _deltas(self, turn: Turn) -> Iterator[Json]:
        teller = _Teller(turn)
        told = (teller.delta(piece) for piece in pieces(turn.reply, interleave=turn.reply.wire.interleave))
        deltas = (delta for delta in told if delta is not None)
        while batch := list(islice(deltas, turn.reply.wire.merge)):
            merged: Json = {}
            for delta in batch:
                _merge(merged, delta)
            yield merged

    def _chunk(self, turn: Turn, delta: Json, finish: str | None = None) -> Json:
        return {
            "id": f"chatcmpl-{turn.ident('chat', 29)}",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": turn.model,
            "service_tier": "default",
            "system_fingerprint": "fp_5cripted00",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        }

    def _whole_call(self, turn: Turn, call: ToolCall, index: int) -> Json:
        told: Json = {"id": call_id(turn, call, index)} if turn.reply.wire.tool_ids else {}
        return told | {"type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}


def _plain(content: Any) -> str:
    """The text of a message's content, whichever of its two forms it has."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or [])
