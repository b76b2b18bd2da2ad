"""Anthropic messages, ``POST /v1/messages``.

Shapes: docs.anthropic.com/en/api/messages-streaming and the event models of anthropic-sdk-python; web search as
docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from .. import failures
from ..dialect import Asked, Conversation, Frame, Json, Turn, Whole
from ..pieces import Piece, arguments_text, pieces, told
from ..rules import anthropic as rules
from ..script import ErrorEvent, Fail, Found, Refusal, Text, Thinking, ToolCall, Usage, WebSearch
from ..seal import Seal
from .citing import results

_STOP = {
    "end": "end_turn",
    "length": "max_tokens",
    "tool": "tool_use",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}


def usage_object(usage: Usage | None, searches: int = 0) -> Json:
    """``usage`` of a whole message; input, cache read and cache write are disjoint."""
    usage = usage or Usage(1, 0, 0)
    counted: Json = {
        "input_tokens": usage.input - usage.cached - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": usage.output,
        "service_tier": "standard",
    }
    if usage.reasoning:
        counted["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if searches:
        counted["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
    return counted


def _result(found: Found, seal: Seal) -> Json:
    return {
        "type": "web_search_result",
        "title": found.title,
        "url": found.url,
        "encrypted_content": seal.write("anthropic-search", found.url),
        "page_age": None,
    }


def _citation(found: Found, seal: Seal) -> Json:
    return {
        "type": "web_search_result_location",
        "cited_text": found.snippet,
        "url": found.url,
        "title": found.title,
        "encrypted_index": seal.write("anthropic-cite", found.url),
    }


class _Blocks:
    """Words the parts of one reply as content blocks and their deltas."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.found = results(turn.reply.parts)
        thinking = turn.body.get("thinking") or {}
        self.thinks = thinking.get("type") in ("enabled", "adaptive")

    def signature(self, part: Thinking) -> str:
        """The sealed thinking."""
        return self.turn.seal.write("anthropic-thinking", part.text)

    def tool_id(self, call: ToolCall, index: int) -> str:
        """The scripted id, or one in Anthropic's shape."""
        return call.id if call.id is not None else f"toolu_01{self.turn.ident(f'tool{index}', 22)}"

    def search_id(self, index: int) -> str:
        """Id of a search."""
        return f"srvtoolu_01{self.turn.ident(f'search{index}', 22)}"

    def opening(self, piece: Piece) -> Json:
        """``content_block`` of the start event."""
        match piece.part:
            case Text() | Refusal():
                cited: Json = {"citations": []} if isinstance(piece.part, Text) and piece.part.cites else {}
                return cited | {"type": "text", "text": ""}
            case Thinking(redacted=True):
                return {"type": "redacted_thinking", "data": self.signature(piece.part)}
            case Thinking():
                return {"type": "thinking", "thinking": "", "signature": ""}
            case ToolCall():
                return {
                    "type": "tool_use",
                    "id": self.tool_id(piece.part, piece.index),
                    "name": piece.part.name,
                    "input": {},
                }
            case WebSearch():
                return {
                    "type": "server_tool_use",
                    "id": self.search_id(piece.index),
                    "name": "web_search",
                    "input": {},
                }

    def deltas(self, piece: Piece) -> Iterator[Json]:
        """The deltas of one piece, citations and signature included."""
        match piece.part:
            case Text() | Refusal():
                if piece.first and isinstance(piece.part, Text):
                    yield from ({"type": "citations_delta", "citation": cite} for cite in self.citations(piece.part))
                if piece.text:
                    yield {"type": "text_delta", "text": piece.text}
            case Thinking(redacted=False):
                if piece.text:
                    yield {"type": "thinking_delta", "thinking": piece.text}
                if piece.last:
                    yield {"type": "signature_delta", "signature": self.signature(piece.part)}
            case ToolCall() | WebSearch():
                if piece.first:
                    yield {"type": "input_json_delta", "partial_json": ""}
                # The API spells an input without members as no text at all, not as "{}".
                if piece.text and told(piece.part) != "{}":
                    yield {"type": "input_json_delta", "partial_json": piece.text}

    def citations(self, part: Text) -> list[Json]:
        """The citations of a text."""
        return [_citation(self.found[index], self.turn.seal) for index in part.cites]

    def result_block(self, part: WebSearch, index: int) -> Json:
        """``web_search_tool_result`` of a search."""
        return {
            "type": "web_search_tool_result",
            "tool_use_id": self.search_id(index),
            "content": [_result(found, self.turn.seal) for found in part.results],
        }

    def whole(self, piece: Piece) -> list[Json]:
        """The complete blocks of a part, from its first piece."""
        block = self.opening(piece)
        match piece.part:
            case Text(text=text, cites=cites):
                block["text"] = text
                if cites:
                    block["citations"] = self.citations(piece.part)
            case Refusal(text=text):
                block["text"] = text
            case Thinking(redacted=False):
                block |= {"thinking": piece.part.text, "signature": self.signature(piece.part)}
            case ToolCall():
                block["input"] = orjson.loads(arguments_text(piece.part))
            case WebSearch(query=query):
                block["input"] = {"query": query}
                return [block, self.result_block(piece.part, piece.index)]
        return [block]


class Anthropic:
    """Messages."""

    name = "anthropic"
    newline = "\n"

    def asked(self, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Json) -> Asked:
        """Model and mode are in the body."""
        return Asked(path, query, headers, body, str(body.get("model", "")), body.get("stream") is True)

    def check(self, asked: Asked, seal: Seal) -> None:
        """Apply Anthropic's rules."""
        rules.check(asked, seal)

    def conversation(self, asked: Asked) -> Conversation:
        """Tool results are ``tool_result`` blocks of user messages."""
        blocks: list[Any] = []
        for message in asked.body.get("messages") or []:
            if message.get("role") == "user":
                content = message.get("content")
                blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        said = [block["text"] for block in blocks if block.get("type") == "text"]
        tools = asked.body.get("tools") or []
        return Conversation(
            model=asked.model,
            tools=tuple(tool["name"] for tool in tools if "input_schema" in tool),
            searches=any(str(tool.get("type", "")).startswith("web_search_") for tool in tools),
            last_user_text=said[-1] if said else "",
            results=tuple(_plain(b.get("content")) for b in blocks if b.get("type") == "tool_result"),
        )

    def frames(self, turn: Turn) -> Iterator[Frame]:
        """``message_start`` ... ``message_stop``, a ``ping`` after the first block opens."""
        blocks, reply = _Blocks(turn), turn.reply
        message = self._message(turn) | {"content": [], "stop_reason": None, "stop_sequence": None}
        message["usage"] = message["usage"] | {"output_tokens": 1}
        for key in ("server_tool_use", "output_tokens_details"):
            message["usage"].pop(key, None)
        yield self._event("message_start", message=message)
        index, pinged = -1, False
        for piece in self._pieces(blocks):
            if piece.first:
                index += 1
                yield self._event("content_block_start", index=index, content_block=blocks.opening(piece))
                if not pinged:
                    pinged = True
                    yield self._event("ping")
            for delta in blocks.deltas(piece):
                yield self._event("content_block_delta", index=index, delta=delta)
            if piece.last:
                yield self._event("content_block_stop", index=index)
                if isinstance(piece.part, WebSearch):
                    index += 1
                    result = blocks.result_block(piece.part, piece.index)
                    yield self._event("content_block_start", index=index, content_block=result)
                    yield self._event("content_block_stop", index=index)
        if (stop := self._stop(turn)) is not None:
            delta = {"stop_reason": stop, "stop_sequence": reply.stop_sequence, **self._details(stop)}
            usage = dict(self._message(turn)["usage"])
            for key in ("cache_creation", "service_tier"):
                del usage[key]
            yield self._event("message_delta", delta=delta, usage=usage)
        if reply.wire.done:
            yield self._event("message_stop")

    def whole(self, turn: Turn) -> Json:
        """A ``message``."""
        blocks = _Blocks(turn)
        content = [block for piece in self._pieces(blocks) if piece.first for block in blocks.whole(piece)]
        return self._message(turn) | {
            "content": content,
            "stop_reason": self._stop(turn),
            "stop_sequence": turn.reply.stop_sequence,
            **self._details(self._stop(turn)),
        }

    def fail(self, fail: Fail, model: str) -> Whole:
        """``{"type": "error", ...}``."""
        return failures.anthropic(fail, model)

    def error_frames(self, error: ErrorEvent, turn: Turn, sent: int) -> list[Frame]:
        """An ``error`` event."""
        return [Frame.json(failures.anthropic_error(error.fail, turn.model), "error")]

    def _pieces(self, blocks: _Blocks) -> Iterator[Piece]:
        for piece in pieces(blocks.turn.reply):
            if blocks.thinks or not isinstance(piece.part, Thinking):
                yield piece

    def _stop(self, turn: Turn) -> str | None:
        ending = turn.reply.ending
        return turn.reply.finish if turn.reply.finish is not None or ending is None else _STOP[ending]

    def _details(self, stop: str | None) -> Json:
        """``stop_details``, which newer models give with a refusal."""
        if stop != "refusal":
            return {}
        explanation = "This request was blocked under Anthropic's Usage Policy."
        return {"stop_details": {"type": "refusal", "category": None, "explanation": explanation}}

    def _message(self, turn: Turn) -> Json:
        searches = sum(isinstance(part, WebSearch) for part in turn.reply.parts)
        return {
            "model": turn.model,
            "id": f"msg_01{turn.ident('message', 22)}",
            "type": "message",
            "role": "assistant",
            "usage": usage_object(turn.reply.usage, searches),
        }

    def _event(self, type_: str, **fields: Any) -> Frame:
        return Frame.json({"type": type_, **fields}, type_, delta=type_ == "content_block_delta")


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in content or [])
