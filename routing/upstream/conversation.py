"""A client's messages, put in order for providers that are stricter, or poorer, than Anthropic.

Every dialect but the pass-through starts from ``normalise``. What it guarantees is in ``Conversation``; how single
blocks become plain text is in ``blocks``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from .blocks import cleaned, is_blank, text_block, without_cache_control
from .errors import Refused, Unsupported
from .events import JSON
from .messages import MessagesRequest

Role = Literal["user", "assistant", "system"]

# Said for a call whose result never came: the person pressed Esc, or the client lost it (litellm#19061, #22946).
INTERRUPTED: Final = "The tool call was interrupted before it gave a result."
# Said where a provider has no assistant prefill of its own.
CONTINUE_PREFILL: Final = "Continue your last message exactly where it stops, without repeating any of it."
# Said first where a provider wants the person to speak first.
OPENING: Final = "Go on with the conversation."
# A thread's turns hold only what is new in them; who has not kept the rest must not answer. In these words Anthropic's
# SDK understands that it must send the whole conversation (its tool runner, from 2.12, begins every run in a thread).
# Source: anthropic-sdk-python, types/thread_unsupported_request_error_details.py
_NO_THREADS: Final = "thread: this model's provider keeps none. Send the full conversation without `thread`."
_ATTRIBUTION: Final = "x-anthropic-billing-header"
_INTERRUPTED_RESULT: Final[JSON] = {"type": "tool_result", "content": INTERRUPTED, "is_error": True}
_ORPHAN: Final = "[Result of a tool call that is not part of this conversation]"


@dataclass(frozen=True, slots=True)
class Turn:
    """Blocks that one side says in one go; never empty.

    A ``user`` turn holds ``tool_result``, ``text``, ``image`` and ``document`` blocks, in which order the results
    come first; an ``assistant`` turn ``text``, ``thinking``, ``redacted_thinking`` and ``tool_use``; a ``system`` turn
    only ``text``. An image's or document's ``source`` is of type ``base64`` or ``url``; a document that is text has
    become text. The blocks are the client's own objects where nothing had to change: read them, never write them.
    """

    role: Role
    blocks: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, with these guarantees:

    - no empty text, no ``cache_control``, no attribution line (claude-code-router#1372), no server tool block;
    - two turns in a row never have the same role;
    - the turn after an assistant turn with calls is a user turn that begins with one result for each call, in the
      order of the calls, and results stand nowhere else;
    - each call has an id of its own; an id used twice is told apart by a suffix.

    ``system`` is the system prompt's texts in their order. System turns in the middle stay where they were said,
    save that none stands between calls and their results.
    """

    system: tuple[str, ...]
    turns: tuple[Turn, ...]

    @property
    def prefilled(self) -> bool:
        """Whether the client wrote the beginning of the answer itself."""
        return bool(self.turns) and self.turns[-1].role == "assistant"

    @property
    def opens_with_assistant(self) -> bool:
        """Whether the first turn that is not the system's is the assistant's; see ``OPENING``."""
        return next((turn.role for turn in self.turns if turn.role != "system"), "user") == "assistant"


def normalise(request: MessagesRequest, *, keep_thinking: Callable[[JSON], bool] | None = None) -> Conversation:
    """The request's system prompt and messages as a ``Conversation``.

    ``keep_thinking`` says of a ``thinking`` or ``redacted_thinking`` block whether the dialect has a use for it; all
    others, and all without it, are dropped. Raises Unsupported for a block that cannot be said outside Anthropic's
    API, by name, and Refused where nothing is left to answer.
    """
    if request.body.get("thread") is not None:
        raise Unsupported(_NO_THREADS, details={"error_code": "thread_unsupported_request"})
    said = _merged(_said(request.body.get("messages"), keep_thinking))
    turns = tuple(_paired(said))
    if not turns:
        raise Refused("messages: at least one message with content that is not blank is required")
    return Conversation(tuple(_system(request.body.get("system"))), turns)


def _system(system: Any) -> Iterator[str]:
    blocks = [text_block(system)] if isinstance(system, str) else system
    for block in blocks if isinstance(blocks, list) else []:
        text = block.get("text") if isinstance(block, dict) else block
        if isinstance(text, str) and not is_blank(text) and not text.startswith(_ATTRIBUTION):
            yield text


def _said(messages: Any, keep_thinking: Callable[[JSON], bool] | None) -> Iterator[tuple[Role, list[JSON]]]:
    """Each message's role and usable blocks."""
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict):
            continue
        asked = message.get("role")
        role: Role = "assistant" if asked == "assistant" else "system" if asked in ("system", "developer") else "user"
        content = message.get("content")
        if isinstance(content, str):
            blocks = [] if is_blank(content) else [text_block(content)]
        else:
            blocks = list(_usable(role, content if isinstance(content, list) else [], keep_thinking))
        if blocks:
            yield role, blocks


def _usable(role: Role, content: list[Any], keep_thinking: Callable[[JSON], bool] | None) -> Iterator[JSON]:
    for block in content:
        if not isinstance(block, dict):
            if isinstance(block, str) and not is_blank(block):
                yield text_block(block)
            continue
        kind = block.get("type")
        if kind in ("thinking", "redacted_thinking"):
            if role == "assistant" and keep_thinking is not None and keep_thinking(block):
                yield block
        elif (kind == "tool_use" and role == "assistant") or (kind == "tool_result" and role == "user"):
            yield without_cache_control(block)
        else:
            for part in cleaned(block):
                if role != "user" and part["type"] != "text":
                    raise Unsupported(
                        f"A content block of type `{part['type']}` cannot stand in a turn of role `{role}`."
                    )
                yield part


def _merged(said: Iterable[tuple[Role, list[JSON]]]) -> list[tuple[Role, list[JSON]]]:
    merged: list[tuple[Role, list[JSON]]] = []
    for role, blocks in said:
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((role, blocks))
    return merged


def _paired(said: list[tuple[Role, list[JSON]]]) -> Iterator[Turn]:
    """The turns, with every call answered once and every result behind its call."""
    ids = _Ids()
    position = 0
    while position < len(said):
        role, blocks = said[position]
        calls: dict[str, str] = {}
        if role == "assistant":
            position += 1
            blocks = [ids.claim(block, calls) if block.get("type") == "tool_use" else block for block in blocks]
            yield Turn("assistant", tuple(blocks))
        # All that is said before the assistant speaks again may hold results of its calls.
        end = position
        while end < len(said) and said[end][0] != "assistant":
            end += 1
        yield from _answered(calls, said[position:end])
        position = end


class _Ids:
    """The ids of all calls so far: an id that comes again gets a suffix."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, call: JSON, calls: dict[str, str]) -> JSON:
        """``call`` under an id of its own, for which ``calls`` notes the id by which its result will name it."""
        asked = call.get("id")
        asked = asked if isinstance(asked, str) else ""
        own, number = asked or "toolu_unnamed", 1
        while own in self._taken:
            number += 1
            own = f"{asked or 'toolu_unnamed'}_{number}"
        self._taken.add(own)
        calls[own] = asked
        return call if own == asked else {**call, "id": own}


def _answered(calls: dict[str, str], said: list[tuple[Role, list[JSON]]]) -> Iterator[Turn]:
    """Turns of what is said after ``calls``: their results together and first, the rest in its order."""
    wanted = {own: _INTERRUPTED_RESULT | {"tool_use_id": own} for own in calls}
    open_calls: dict[str, list[str]] = {}
    for own, asked in calls.items():
        open_calls.setdefault(asked, []).append(own)
    rest: list[tuple[Role, list[JSON]]] = []
    for role, blocks in said:
        others: list[JSON] = []
        for block in blocks:
            if block.get("type") != "tool_result":
                others.append(block)
            elif waiting := open_calls.get(str(block.get("tool_use_id", ""))):
                own = waiting.pop(0)
                wanted[own] = block if block.get("tool_use_id") == own else {**block, "tool_use_id": own}
            else:
                others += _orphan(block)
        if others:
            rest.append((role, others))
    if wanted:
        rest.insert(0, ("user", list(wanted.values())))
    for role, blocks in _merged(rest):
        yield Turn(role, tuple(blocks))


def _orphan(block: JSON) -> list[JSON]:
    """A result without its call, as what a person might have pasted."""
    found = tool_result(block)
    text = f"{_ORPHAN}\n{found.text}" if found.text else _ORPHAN
    return [text_block(text), *found.media]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A ``tool_result`` in the form most providers take: one text, and the images and documents beside it."""

    text: str
    media: tuple[JSON, ...] = ()
    is_error: bool = False

    @property
    def said(self) -> str:
        """The text for a provider that has no field for failure and refuses an empty result."""
        text = self.text or ("(see what follows)" if self.media else "(no output)")
        return f"The tool call failed:\n{text}" if self.is_error else text


def tool_result(block: JSON) -> ToolResult:
    """Flattens a ``tool_result`` block: texts joined by line breaks, images and documents kept (litellm#6953).

    Raises Unsupported for a block inside it that cannot be said outside Anthropic's API.
    """
    content = block.get("content")
    is_error = block.get("is_error") is True
    if isinstance(content, str):
        return ToolResult(content, (), is_error)
    texts: list[str] = []
    media: list[JSON] = []
    for inner in content if isinstance(content, list) else []:
        if isinstance(inner, str):
            texts.append(inner)
        elif isinstance(inner, dict):
            for part in cleaned(inner):
                if part["type"] == "text":
                    texts.append(part["text"])
                else:
                    media.append(part)
    return ToolResult("\n".join(texts), tuple(media), is_error)
