"""Gemini, ``POST /v1beta/models/{model}:generateContent`` and ``:streamGenerateContent``.

Shapes: ai.google.dev/api/generate-content (GenerateContentResponse, Candidate, UsageMetadata, GroundingMetadata);
thought signatures as ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from .. import failures
from ..dialect import Asked, Conversation, Frame, Json, Turn, Whole
from ..pieces import Piece, arguments_text, pieces
from ..rules import gemini as rules
from ..script import ErrorEvent, Fail, Refusal, Text, Thinking, ToolCall, Usage, WebSearch
from ..seal import Seal
from .citing import cited, results

_FINISH = {"end": "STOP", "length": "MAX_TOKENS", "tool": "STOP", "refusal": "SAFETY", "stop_sequence": "STOP"}


def usage_object(usage: Usage) -> Json:
    """``usageMetadata``: thoughts are counted apart from candidates, members at zero are left out."""
    counted: Json = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }
    if usage.cached:
        counted["cachedContentTokenCount"] = usage.cached
        counted["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": usage.cached}]
    if usage.reasoning:
        counted["thoughtsTokenCount"] = usage.reasoning
    return counted | {"serviceTier": "standard"}


class _Parts:
    """Words the pieces of one reply as ``parts``."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        config = turn.body.get("generationConfig") or {}
        self._shows_thoughts = (config.get("thinkingConfig") or {}).get("includeThoughts") is True
        self._signed = False
        self._signs = rules.is_gemini_3(turn.model) or any(isinstance(p, Thinking) for p in turn.reply.parts)

    def part(self, piece: Piece) -> Json | None:
        """One part, or None for what is not told (hidden thoughts, all but the first piece of a call)."""
        match piece.part:
            case Text() | Refusal():
                return {"text": piece.text} if piece.text else None
            case Thinking():
                return {"text": piece.text, "thought": True} if self._shows_thoughts and piece.text else None
            case ToolCall():
                return self._call(piece.part, piece.index) if piece.first else None
            case WebSearch():
                return None

    def tail(self) -> Json | None:
        """The empty text part that carries the signature of an answer without calls."""
        return None if self._signed or not self._signs else {"text": "", "thoughtSignature": self._sign("tail")}

    def _sign(self, content: str) -> str:
        self._signed = True
        return self._turn.seal.write("gemini-thought", content)

    def _call(self, call: ToolCall, index: int) -> Json:
        function: Json = {"name": call.name, "args": orjson.loads(arguments_text(call) or "{}")}
        if self._turn.reply.wire.tool_ids and rules.is_gemini_3(self._turn.model):
            function = {"id": call.id or self._turn.ident(f"call{index}", 8), **function}
        part: Json = {"functionCall": function}
        if self._signs and not self._signed:
            part["thoughtSignature"] = self._sign(call.name)
        return part


def _grounding(turn: Turn) -> Json | None:
    searches = [part for part in turn.reply.parts if isinstance(part, WebSearch)]
    if not searches:
        return None
    found = results(turn.reply.parts)
    return {
        "searchEntryPoint": {"renderedContent": '<div class="container"></div>'},
        "groundingChunks": [{"web": {"uri": one.url, "title": one.title}} for one in found],
        "groundingSupports": [_support(turn, cite.start, cite.text, cite.result) for cite in cited(turn.reply.parts)],
        "webSearchQueries": [part.query for part in searches],
    }


def _support(turn: Turn, start: int, text: str, result: int) -> Json:
    """A citation; Google counts segments in UTF-8 bytes and leaves a zero start out."""
    joined = "".join(part.text for part in turn.reply.parts if isinstance(part, Text))
    at = len(joined[:start].encode())
    segment: Json = {"endIndex": at + len(text.encode()), "text": text}
    if at:
        segment = {"startIndex": at, **segment}
    return {"segment": segment, "groundingChunkIndices": [result]}


class Gemini:
    """Generate content."""

    name = "gemini"
    newline = "\r\n"

    def asked(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Json) -> Asked:
        """Model and method are in the path."""
        model, _, method = path.rpartition("/models/")[2].rpartition(":")
        return Asked(path, query, headers, body, model, method == "streamGenerateContent")

    def check(self, asked: Asked, seal: Seal) -> None:
        """Apply Google's rules."""
        rules.check(asked, seal)

    def conversation(self, asked: Asked) -> Conversation:
        """Tool results are ``functionResponse`` parts."""
        contents = asked.body.get("contents") or []
        said = [p for c in contents if c.get("role", "user") == "user" for p in c.get("parts") or []]
        texts = [part["text"] for part in said if "text" in part]
        tools = asked.body.get("tools") or []
        return Conversation(
            model=asked.model,
            tools=tuple(f["name"] for tool in tools for f in tool.get("functionDeclarations") or []),
            searches=any("googleSearch" in tool or "google_search" in tool for tool in tools),
            last_user_text=texts[-1] if texts else "",
            results=tuple(_plain(part["functionResponse"]) for part in said if "functionResponse" in part),
        )

    def frames(self, turn: Turn) -> Iterator[Frame]:
        """Chunks of parts; the finish reason and grounding ride on the last one. There is no end mark."""
        if _blocked(turn):
            yield Frame.json(self._blocked_prompt(turn))
            return
        batches = list(self._batches(turn))
        tail = self._last(turn)
        if not tail:
            yield from (Frame.json(self._chunk(turn, batch), delta=True) for batch in batches)
            return
        if batches and "functionCall" in batches[-1][-1]:
            # A call never carries the finish reason: an empty text after it does.
            batches.append([{"text": ""}])
        for batch in batches[:-1]:
            yield Frame.json(self._chunk(turn, batch), delta=True)
        chunk = self._chunk(turn, batches[-1] if batches else [])
        chunk["candidates"][0] |= tail
        if turn.reply.usage is not None:
            chunk["usageMetadata"] = usage_object(turn.reply.usage)
        yield Frame.json(chunk, delta=bool(batches))

    def whole(self, turn: Turn) -> Json:
        """A ``GenerateContentResponse``: neighbouring texts of one kind are one part."""
        if _blocked(turn):
            return self._blocked_prompt(turn)
        parts: list[Json] = []
        for part in self._parts(turn):
            if parts and _joins(parts[-1], part):
                parts[-1]["text"] += part["text"]
                parts[-1] |= {key: value for key, value in part.items() if key != "text"}
            else:
                parts.append(part)
        answer = self._chunk(turn, parts)
        answer["candidates"][0] |= self._last(turn)
        if turn.reply.usage is not None:
            answer["usageMetadata"] = usage_object(turn.reply.usage)
        return answer

    def fail(self, fail: Fail, model: str) -> Whole:
        """``{"error": {code, message, status, details}}``."""
        return failures.gemini(fail, model)

    def error_frames(self, error: ErrorEvent, turn: Turn, sent: int) -> list[Frame]:
        """An ``error`` object as data."""
        return [Frame.json({"error": failures.gemini_error(error.fail, turn.model)})]

    def _parts(self, turn: Turn) -> Iterator[Json]:
        words = _Parts(turn)
        for piece in pieces(turn.reply):
            if (part := words.part(piece)) is not None:
                yield part
        if (tail := words.tail()) is not None:
            yield tail

    def _batches(self, turn: Turn) -> Iterator[list[Json]]:
        parts = self._parts(turn)
        while batch := list(islice(parts, turn.reply.wire.merge)):
            yield batch

    def _blocked_prompt(self, turn: Turn) -> Json:
        """No candidate at all: the prompt itself was refused."""
        blocked: Json = {"promptFeedback": {"blockReason": turn.reply.finish or "PROHIBITED_CONTENT"}}
        if turn.reply.usage is not None:
            blocked["usageMetadata"] = usage_object(Usage(turn.reply.usage.input, 0, 0))
        return blocked | {"modelVersion": turn.model, "responseId": turn.ident("response", 22)}

    def _last(self, turn: Turn) -> Json:
        """What only the last chunk says of its candidate."""
        reply = turn.reply
        finish = reply.finish or (None if reply.ending is None else _FINISH[reply.ending])
        last: Json = {} if finish is None else {"finishReason": finish}
        if (grounding := _grounding(turn)) is not None:
            last["groundingMetadata"] = grounding
        return last

    def _chunk(self, turn: Turn, parts: list[Json]) -> Json:
        content: Json = {"parts": parts, "role": "model"} if parts else {"role": "model"}
        chunk: Json = {"candidates": [{"content": content, "index": 0}]}
        if turn.reply.usage is not None:
            # Running counts: the prompt is known from the start, the answer only at the end.
            chunk["usageMetadata"] = usage_object(Usage(turn.reply.usage.input, turn.reply.usage.cached, 1))
        return chunk | {"modelVersion": turn.model, "responseId": turn.ident("response", 22)}


def _blocked(turn: Turn) -> bool:
    return turn.reply.ending == "refusal" and not turn.reply.parts


def _joins(before: Json, part: Json) -> bool:
    return (
        "text" in before
        and "text" in part
        and before.get("thought") == part.get("thought")
        and "thoughtSignature" not in before
    )


def _plain(response: Any) -> str:
    payload = response.get("response") or {}
    for key in ("output", "result", "content", "error"):
        if isinstance(payload.get(key), str):
            return str(payload[key])
    return orjson.dumps(payload).decode()
