"""What other providers left in a conversation, taken out before Anthropic reads it.

Anthropic refuses a whole request for one thinking block, search result or citation that it did not seal itself
("Invalid `signature` in `thinking` block": sub2api#2380, CLIProxyAPI#2172). The gateway's own seals (``carried``) tell
them apart from Anthropic's, which stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ..blocks import cleaned
from ..carried import PREFIX, is_sealed, short_id
from ..events import JSON

_MAX_ID: Final = 64


def without_foreign(body: JSON) -> JSON:
    """The fields of ``body`` that must be different, {} where none must."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return {}
    if not any(map(_holds_foreign, messages)):
        return _thinking(body, messages)
    kept = [own for message in messages if (own := _message(message)) is not None]
    return {"messages": kept} | _thinking(body, kept)


def _holds_foreign(message: Any) -> bool:
    """Whether a message must change at all: nearly none must, and every request asks of its whole history."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return False
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind in _SIGNS and _SIGNS[kind](block):
            return True
    return False


def _message(message: Any) -> Any:
    """The message itself where nothing in it is foreign, None where all of it is."""
    if not _holds_foreign(message):
        return message
    content = message["content"]
    searches = frozenset(_foreign_searches(content))
    kept = [own for block in content for own in _own(block, searches)]
    return message | {"content": kept} if kept else None


def _own(block: Any, searches: frozenset[str]) -> Iterator[Any]:
    """``block`` as Anthropic may see it; nothing for thinking that is not its own."""
    kind = block.get("type") if isinstance(block, dict) else None
    if searches and str(block.get("id", block.get("tool_use_id"))) in searches:
        yield from cleaned(block)  # what was asked and found, in words
    elif not isinstance(kind, str) or kind not in _SIGNS or not _SIGNS[kind](block):
        yield block
    elif kind == "text":
        yield _with_own_citations(block)
    elif kind in ("tool_use", "tool_result"):
        # A call and its result lose the same state in the same way, so they stay a pair.
        key = "id" if kind == "tool_use" else "tool_use_id"
        yield block | {key: short_id(block[key], _MAX_ID)}


def _with_own_citations(block: JSON) -> JSON:
    own = [each for each in block["citations"] if not _is_foreign(each, "encrypted_index")]
    rest = {key: value for key, value in block.items() if key != "citations"}
    return rest | {"citations": own} if own else rest


def _foreign_searches(content: list[Any]) -> Iterator[str]:
    """The ids of searches whose results another provider found."""
    for block in content:
        if _is_block(block, "web_search_tool_result") and _any_foreign(block, "content", "encrypted_content"):
            yield str(block.get("tool_use_id"))


def _carries(block: JSON, key: str) -> bool:
    """Whether the id under ``key`` has state behind it."""
    value = block.get(key)
    return isinstance(value, str) and "-" + PREFIX in value


def _any_foreign(block: JSON, key: str, name: str) -> bool:
    found = block.get(key)
    return isinstance(found, list) and any(_is_foreign(each, name) for each in found)


def _is_foreign(block: Any, name: str) -> bool:
    """Whether ``block`` has a seal under ``name`` that Anthropic did not write: one of ours, or an empty one."""
    return isinstance(block, dict) and name in block and (not block[name] or is_sealed(block[name]))


# By which sign a block of each type is known to hold what another provider left.
_SIGNS: Final[dict[str, Callable[[JSON], bool]]] = {
    "thinking": lambda block: _is_foreign(block, "signature"),
    "redacted_thinking": lambda block: _is_foreign(block, "data"),
    "tool_use": lambda block: _carries(block, "id"),
    "tool_result": lambda block: _carries(block, "tool_use_id"),
    "text": lambda block: "citations" in block and _any_foreign(block, "citations", "encrypted_index"),
    "web_search_tool_result": lambda block: _any_foreign(block, "content", "encrypted_content"),
}


def _thinking(body: JSON, messages: list[Any]) -> JSON:
    """Thinking as far as it can go on in the middle of a call that another provider began.

    With ``enabled``, the assistant's last turn must begin with thinking if its results are what is being answered:
    without it, thinking rests until the person speaks again. ``adaptive`` has no such rule.
    Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking (preserving thinking blocks)
    """
    thinking = body.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled" or not _open_without_thinking(messages):
        return {}
    changed: JSON = {"thinking": {"type": "disabled"}}
    management = body.get("context_management")
    if isinstance(management, dict) and isinstance(edits := management.get("edits"), list):
        # An edit that clears thinking is refused while there is none.
        left = [edit for edit in edits if not (isinstance(edit, dict) and _clears_thinking(edit))]
        changed["context_management"] = management | {"edits": left}
    return changed


def _clears_thinking(edit: JSON) -> bool:
    return str(edit.get("type", "")).startswith("clear_thinking")


def _open_without_thinking(messages: list[Any]) -> bool:
    """Whether the answer goes on after calls that no thinking stands before."""
    if not messages or not any(_is_block(block, "tool_result") for block in _blocks(messages[-1])):
        return False
    said = (message for message in reversed(messages) if isinstance(message, dict))
    last = next((message for message in said if message.get("role") == "assistant"), None)
    first = next(iter(_blocks(last)), None)
    return not (_is_block(first, "thinking") or _is_block(first, "redacted_thinking"))


def _blocks(message: Any) -> list[Any]:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, list) else []


def _is_block(block: Any, kind: str) -> bool:
    return isinstance(block, dict) and block.get("type") == kind
