"""Reasoning that a chat completions host wants to see again, carried in what the client returns.

OpenAI's own chat completions show no reasoning. Others do, each in a field of its own, and some demand it back in
the turns that called tools: DeepSeek ``reasoning_content``, vLLM ``reasoning``, OpenRouter ``reasoning_details`` with
signatures and encrypted items, LiteLLM ``thinking_blocks`` for Claude at other clouds.

Source: https://api-docs.deepseek.com/guides/thinking_mode, https://openrouter.ai/docs/use-cases/reasoning-tokens
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson

from ..carried import seal, seal_id, short_id, split_id, unseal
from ..composer import tool_use_id
from ..events import JSON

FIELDS: Final = ("reasoning_content", "reasoning")  # plain text, by the first that a host uses
_DETAILS: Final = "reasoning_details"
BLOCKS: Final = "thinking_blocks"
_APPENDED: Final = ("text", "summary", "data")  # parts of a detail that come in pieces
_MIN_UNIQUE: Final = 16  # a provider's id this long is its own; a shorter one comes again next turn
_ID_PREFIX: Final = "toolu_"


class Reasoning:
    """The reasoning since the last signature, as the provider said it."""

    __slots__ = ("_blocks", "_details", "_field", "_texts")

    def __init__(self) -> None:
        self._field = ""
        self._texts: list[str] = []
        self._details: dict[tuple[str, str], JSON] = {}
        self._blocks: list[JSON] = []

    def __bool__(self) -> bool:
        return bool(self._texts or self._details or self._blocks)

    def add(self, delta: JSON) -> str:
        """Takes the reasoning of one delta or message; gives the text that a person may read."""
        details = delta.get(_DETAILS)
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict):
                self._detail(detail)
        blocks = delta.get(BLOCKS)
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, dict):
                self._block(block)
        for field in FIELDS:
            text = delta.get(field)
            if isinstance(text, str) and text:
                self._field = field
                self._texts.append(text)
                return text
        return ""

    def seal(self, tag: str, *, shown: bool) -> str:
        """The signature that brings this reasoning back; what the client holds as thinking is not said twice."""
        state: JSON = {"field": self._field}
        if self._details:
            state[_DETAILS] = list(self._details.values())
        elif self._blocks:
            state[BLOCKS] = self._blocks
        elif not shown:
            state["text"] = "".join(self._texts)
        self._field, self._texts, self._details, self._blocks = "", [], {}, []
        return seal(tag, orjson.dumps(state))

    def _detail(self, detail: JSON) -> None:
        """Details come in pieces, told apart by index and type; a signature comes with the last."""
        key = str(detail.get("index")), str(detail.get("type"))
        held = self._details.setdefault(key, {})
        for name, value in detail.items():
            if name in _APPENDED and isinstance(value, str):
                held[name] = held.get(name, "") + value
            elif value is not None or name not in held:
                held[name] = value

    def _block(self, block: JSON) -> None:
        """Anthropic's blocks, the thinking in pieces and its signature last."""
        last = self._blocks[-1] if self._blocks else {}
        if block.get("type") == last.get("type") == "thinking" and not last.get("signature"):
            last["thinking"] = str(last.get("thinking") or "") + str(block.get("thinking") or "")
            last["signature"] = block.get("signature") or ""
        else:
            self._blocks.append(dict(block))


def is_own(tag: str, block: JSON) -> bool:
    """Whether a ``thinking`` or ``redacted_thinking`` block holds state of this provider."""
    return unseal(tag, block.get("signature") or block.get("data")) is not None


def returned(tag: str, blocks: Iterable[JSON]) -> JSON:
    """The fields of an assistant message that hold what its thinking blocks carried."""
    fields: JSON = {}
    for block in blocks:
        sealed = unseal(tag, block.get("signature") or block.get("data"))
        if sealed is None:
            continue
        state: JSON = orjson.loads(sealed)
        if whole := next((name for name in (_DETAILS, BLOCKS) if name in state), None):
            fields.setdefault(whole, []).extend(state[whole])
        elif state["field"]:
            text = state.get("text", block.get("thinking", ""))
            fields[state["field"]] = fields.get(state["field"], "") + text
    return fields


def client_id(tag: str, provider_id: Any) -> str:
    """The id under which the client sees a call.

    Unique in the conversation, which some hosts' ids are not (``call_0`` each turn, ``functions.Bash:0``): such an id
    travels sealed behind a new one, for chat templates that write ids into the prompt want theirs back.
    """
    if not isinstance(provider_id, str) or not provider_id:
        return tool_use_id()
    if len(provider_id) >= _MIN_UNIQUE and short_id(provider_id) == provider_id:
        return provider_id if provider_id.startswith(_ID_PREFIX) else _ID_PREFIX + provider_id
    return seal_id(tag, tool_use_id(), provider_id)


def provider_id(tag: str, client_id: str) -> str:
    """The id as the provider wrote it, else one that it takes: at most 40 characters."""
    plain, state = split_id(tag, client_id)
    if state is not None:
        return state.decode("utf-8", "replace")
    return short_id(plain.removeprefix(_ID_PREFIX) or plain)
