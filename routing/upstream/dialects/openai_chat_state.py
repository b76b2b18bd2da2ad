"""Reasoning that a chat completions host wants to see again, carried in what the client returns.

OpenAI's own chat completions show no reasoning. Others do, each in a field of its own, and some demand it back in
the turns that called tools: DeepSeek ``reasoning_content``, vLLM ``reasoning``, OpenRouter ``reasoning_details`` with
signatures and encrypted items, LiteLLM ``thinking_blocks`` for Claude at other clouds.

Source: https://api-docs.deepseek.com/guides/thinking_mode, https://openrouter.ai/docs/use-cases/reasoning-tokens
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any, Final

import orjson

from ..carried import MAX_ID, seal, seal_id, short_id, split_id, tag, unseal
from ..composer import tool_use_id
from ..events import JSON
from ..target import Target

FIELDS: Final = ("reasoning_content", "reasoning")  # plain text, by the first that a host uses
_DETAILS: Final = "reasoning_details"
BLOCKS: Final = "thinking_blocks"
_APPENDED: Final = ("text", "summary")  # parts of a detail that come in pieces; encrypted ones come whole
_ENCRYPTED: Final = "reasoning.encrypted"
_MIN_UNIQUE: Final = 16  # a provider's id this long is its own; a shorter one comes again next turn
_ID_PREFIX: Final = "toolu_"
_EXTRA: Final = "extra_content"


class Reasoning:
    """The reasoning since the last signature, as ``model`` said it."""

    __slots__ = ("_blocks", "_details", "_field", "_model", "_texts")

    def __init__(self, model: str) -> None:
        self._model = model
        self._field = ""
        self._texts: list[str] = []
        self._details: list[JSON] = []
        self._blocks: list[JSON] = []

    def __bool__(self) -> bool:
        return bool(self._texts or self._details or self._blocks)

    @property
    def is_read(self) -> bool:
        """Whether any of it is text that a person may read."""
        return bool(self._texts)

    def add(self, delta: JSON, *, whole: bool) -> str:
        """Takes the reasoning of one delta, or of a ``whole`` message; gives the text that a person may read."""
        details = delta.get(_DETAILS)
        details = [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
        for detail in details:
            self._detail(detail, whole=whole)
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
        said = "".join(str(detail.get("text") or detail.get("summary") or "") for detail in details)
        if said:
            self._texts.append(said)
        return said

    def seal(self, tag: str, *, shown: bool) -> str:
        """The signature that brings this reasoning back; what the client holds as thinking is not said twice."""
        state: JSON = {"field": self._field}
        if self._details:
            state |= {_DETAILS: self._details, "model": self._model}
        elif self._blocks:
            state |= {BLOCKS: self._blocks, "model": self._model}
        elif not shown:
            state["text"] = "".join(self._texts)
        self._field, self._texts, self._details, self._blocks = "", [], [], []
        return seal(tag, orjson.dumps(state))

    def _detail(self, detail: JSON, *, whole: bool) -> None:
        """Details come in pieces, told apart by index and type; a signature comes with the last.

        Encrypted ones are whole, one for each call, and parallel calls' may share an index (Gemini).
        """
        kind, index = detail.get("type"), detail.get("index")
        held = None
        if not whole and kind != _ENCRYPTED:
            same = (known for known in reversed(self._details) if known.get("type") == kind)
            held = next((known for known in same if known.get("index") == index), None)
        if held is None:
            self._details.append(dict(detail))
            return
        for name, value in detail.items():
            if name in _APPENDED and isinstance(value, str):
                held[name] = str(held.get(name) or "") + value
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


def is_own(target: Target, block: JSON) -> bool:
    """Whether a ``thinking`` or ``redacted_thinking`` block holds state of this provider, that ``target`` can read."""
    return _state(target, block) is not None


def _state(target: Target, block: JSON) -> JSON | None:
    """What is signed or encrypted only the model that wrote it can read; plain text any of the provider's."""
    sealed = unseal(tag(target), block.get("signature") or block.get("data"))
    state: JSON = {} if sealed is None else orjson.loads(sealed)
    return state if state and state.get("model", target.model) == target.model else None


def returned(target: Target, blocks: Iterable[JSON]) -> JSON:
    """The fields of an assistant message that hold what its thinking blocks carried."""
    fields: JSON = {}
    for block in blocks:
        if (state := _state(target, block)) is None:
            continue
        if whole := next((name for name in (_DETAILS, BLOCKS) if name in state), None):
            fields.setdefault(whole, []).extend(state[whole])
        elif state["field"]:
            text = state.get("text", block.get("thinking", ""))
            fields[state["field"]] = fields.get(state["field"], "") + text
    return fields


def client_id(tag: str, provider_id: Any, extra: Any = None) -> str:
    """The id under which the client sees a call.

    Unique in the conversation, which some hosts' ids are not (``call_0`` each turn, ``functions.Bash:0``): such an id
    travels sealed behind a new one, for chat templates that write ids into the prompt want theirs back. So does
    ``extra``, the call's ``extra_content``: Gemini's thought signature, where it speaks chat completions.
    """
    if isinstance(extra, dict) and extra:
        sealed = seal_id(tag, tool_use_id(), orjson.dumps({"id": provider_id or "", _EXTRA: extra}))
        if len(sealed) <= MAX_ID:
            return sealed
    if not isinstance(provider_id, str) or not provider_id:
        return tool_use_id()
    if len(provider_id) >= _MIN_UNIQUE and short_id(provider_id) == provider_id:
        return provider_id if provider_id.startswith(_ID_PREFIX) else _ID_PREFIX + provider_id
    return seal_id(tag, tool_use_id(), provider_id)


def provider_id(tag: str, client_id: str, length: int = 0) -> str:
    """The id as the provider wrote it, else one that it takes: ``length`` letters and digits, or at most 40 characters.

    A host with a ``length`` of its own takes no other (Mistral), wherever the conversation began.
    """
    plain, state = split_id(tag, client_id)
    found = _with_extra(state)
    own = str(found["id"]) if found else (state or b"").decode("utf-8", "replace")
    if own or not length:
        return own or short_id(plain.removeprefix(_ID_PREFIX) or plain)
    return blake2s(client_id.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def extra_content(tag: str, client_id: str) -> JSON:
    """The ``extra_content`` that a call came with, as fields of the call that goes back."""
    found = _with_extra(split_id(tag, client_id)[1])
    return {_EXTRA: found[_EXTRA]} if found else {}


def _with_extra(state: bytes | None) -> JSON:
    """What ``client_id`` sealed beside an id; {} where there was nothing beside it, and ``state`` is the id itself."""
    try:
        found = orjson.loads(state or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) and found.keys() == {"id", _EXTRA} else {}
