"""The laws of content blocks: how each kind opens, which deltas it takes, what it must be when closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson

from .rules import GrammarError, Laws, check_id, expect

Json: TypeAlias = dict[str, Any]

_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "mcp_tool_use": {"input_json_delta"},
}
"""Deltas a block takes; a block of another kind comes whole and takes none."""

_REQUIRED: dict[str, dict[str, type | tuple[type, ...]]] = {
    "text": {"text": str},
    "thinking": {"thinking": str, "signature": str},
    "redacted_thinking": {"data": str},
    "tool_use": {"id": str, "name": str, "input": dict},
    "server_tool_use": {"id": str, "name": str, "input": dict},
    "mcp_tool_use": {"id": str, "name": str, "input": dict, "server_name": str},
    "web_search_tool_result": {"tool_use_id": str, "content": (list, dict)},
}
CUT_SHORT = frozenset({"max_tokens", "refusal", "model_context_window_exceeded"})
"""Stop reasons of answers that end where they happen to be."""

_IDS = {"tool_use": "toolu_", "server_tool_use": "srvtoolu_", "mcp_tool_use": "mcptoolu_"}
_PAYLOAD: dict[str, tuple[str, type]] = {
    "text_delta": ("text", str),
    "citations_delta": ("citation", dict),
    "thinking_delta": ("thinking", str),
    "signature_delta": ("signature", str),
    "input_json_delta": ("partial_json", str),
}


def check_shape(where: str, block: Any, laws: Laws) -> None:
    """Fields and ids of a block, open or whole. Unknown kinds must only have a ``type``."""
    expect(isinstance(block, dict), f"{where}: the block is not an object: {block!r}")
    kind = block.get("type")
    expect(isinstance(kind, str) and kind != "", f"{where}: the block's type is {kind!r}")
    for name, type_ in _REQUIRED.get(kind, {}).items():
        expect(isinstance(block.get(name), type_), f"{where}: {kind}.{name} is {block.get(name)!r}")
    if kind in _IDS:
        check_id(f"{where}: {kind}", block["id"], _IDS[kind], laws)
        expect(block["name"] != "", f"{where}: {kind}.name is empty")
    if kind == "web_search_tool_result":
        check_id(f"{where}: {kind}", block["tool_use_id"], "srvtoolu_", laws)
        _check_search_content(where, block["content"])


def _check_search_content(where: str, content: Any) -> None:
    if isinstance(content, dict):
        expect(
            content.get("type") == "web_search_tool_result_error" and isinstance(content.get("error_code"), str),
            f"{where}: a search result that is an object must be an error: {content}",
        )
        return
    for number, result in enumerate(content):
        missing = [key for key in ("type", "url", "title", "encrypted_content") if key not in result]
        expect(not missing, f"{where}: search result {number} lacks {', '.join(missing)}")
        expect(result["type"] == "web_search_result", f"{where}: search result {number} is a {result['type']!r}")


def check_block(where: str, block: Any, laws: Laws) -> None:
    """A whole block."""
    check_shape(where, block, laws)
    match block["type"]:
        case "text":
            expect(block["text"] != "", f"{where}: an empty text block")
        case "thinking":
            expect(block["signature"] != "", f"{where}: thinking without signature")
        case "redacted_thinking":
            expect(block["data"] != "", f"{where}: redacted_thinking without data")


class OpenBlock:
    """A block while it is told. ``where`` in every method is the frame, for messages."""

    def __init__(self, where: str, block: Any, laws: Laws) -> None:
        check_shape(where, block, laws)
        self._block: Json = dict(block)
        self._kind: str = block["type"]
        self._laws = laws
        self._json: list[str] = []
        self._signed = False
        empty = {"text": "text", "thinking": "thinking"}.get(self._kind)
        if empty is not None:
            expect(block[empty] == "", f"{where}: a {self._kind} block opens with text {block[empty]!r}")
        if self._kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            expect(block["input"] == {}, f"{where}: a {self._kind} block opens with input {block['input']!r}")

    def delta(self, where: str, delta: Any) -> None:
        """Take one delta."""
        if not isinstance(delta, dict):
            raise GrammarError(f"{where}: delta is not an object: {delta!r}")
        kind = str(delta.get("type"))
        legal = _DELTAS.get(self._kind, set())
        expect(kind in legal, f"{where}: {kind!r} in a {self._kind!r} block; it takes {sorted(legal) or 'no deltas'}")
        name, type_ = _PAYLOAD[kind]
        value: Any = delta.get(name)
        if not isinstance(value, type_):
            raise GrammarError(f"{where}: {kind}.{name} is {value!r}")
        match kind:
            case "text_delta" | "thinking_delta":
                expect(value != "", f"{where}: an empty {kind}")
                expect(not (self._laws.sequence and self._signed), f"{where}: {kind} after the signature")
                self._block[name] += value
            case "signature_delta":
                expect(value != "", f"{where}: an empty signature_delta")
                expect(not self._signed, f"{where}: a second signature_delta")
                self._signed = True
                self._block["signature"] = value
            case "citations_delta":
                self._block["citations"] = [*(self._block.get("citations") or []), value]
            case "input_json_delta":
                self._json.append(str(value))

    def close(self, where: str) -> Json:
        """The whole block; an input cut short is left as its text, for :func:`check_inputs` to judge."""
        if self._json:
            self._block["input"] = self._input(where, "".join(self._json))
        told: Json = {"input": {}} if isinstance(self._block.get("input"), str) else {}
        check_block(where, self._block | told, self._laws)
        return self._block

    def _input(self, where: str, text: str) -> Json | str:
        if not text:
            return {}
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        if not isinstance(value, dict):
            raise GrammarError(f"{where}: the accumulated input is not an object: {text[:200]!r}")
        return value


def check_tool_use_reason(where: str, reason: Any, content: Sequence[Json]) -> None:
    """``tool_use`` needs a ``tool_use`` block; such a block needs it too, unless the answer was cut or refused."""
    calls = [block for block in content if block["type"] == "tool_use"]
    if reason == "tool_use":
        expect(bool(calls), f"{where}: stop_reason is tool_use but there is no tool_use block")
    elif calls:
        expect(reason in CUT_SHORT, f"{where}: there are {len(calls)} tool_use blocks but stop_reason is {reason!r}")


def check_inputs(where: str, reason: Any, content: Sequence[Json]) -> None:
    """Every input is an object; only the last block of an answer that was cut short may end inside its JSON."""
    for number, block in enumerate(content):
        told = block.get("input")
        if isinstance(told, str):
            cut = reason in CUT_SHORT and number == len(content) - 1
            expect(cut, f"{where}: the input of block {number} is not JSON: {told[:200]!r}")
