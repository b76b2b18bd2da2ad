"""Writes a legal Anthropic stream, whatever the provider's order of saying things.

Every translator but the pass-through speaks through this: blocks are opened and closed here and nowhere else, so one
``message_start``, strictly sequential indices and one open block at a time hold by construction (litellm#13373,
#14315, #30765, #32357).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson

from .carried import UNSIGNED
from .errors import Broken
from .events import JSON, Event
from .ids import fresh_id
from .messages import MessagesRequest

# More tokens than any answer has: a larger figure is none, and the ledger could not hold its price.
_MAX_COUNT: Final = 2**31 - 1


def count(holder: Any, *names: str) -> int:
    """The first of the counters ``names`` in a provider's usage object that is there and not zero; else 0.

    Only whole numbers that tokens can be count: providers are known to send null, and a hostile one sends anything.
    """
    for name in names if isinstance(holder, dict) else ():
        value = holder.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _MAX_COUNT:
            return int(value)
    return 0


@dataclass(slots=True)
class Usage:
    """Disjoint counters of one answer, in tokens; ``reasoning`` alone is a part of ``output``, not beside it.

    ``exact`` is False while the figures are the gateway's estimate and not the provider's word. ``service_tier`` is
    the tier the provider says it billed, "" where it does not say.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    web_searches: int = 0
    service_tier: str = ""
    exact: bool = False

    def anthropic(self) -> JSON:
        """As the ``usage`` object of ``message_delta``; an estimate carries ``tollgate_estimated``."""
        usage: JSON = {
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_read_input_tokens": self.cache_read,
            "output_tokens": self.output,
        }
        if self.cache_write_5m or self.cache_write_1h:
            usage["cache_creation"] = {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            }
        if self.reasoning:
            usage["output_tokens_details"] = {"thinking_tokens": self.reasoning}
        if self.web_searches:
            usage["server_tool_use"] = {"web_search_requests": self.web_searches}
        if self.service_tier:
            usage["service_tier"] = self.service_tier
        if not self.exact:
            usage["tollgate_estimated"] = True
        return usage


# Stop reasons of answers that end where they happen to be, in the middle of a call's arguments if need be.
_CUT_SHORT: Final = frozenset({"max_tokens", "refusal", "model_context_window_exceeded"})


@dataclass(slots=True)
class _Tool:
    """A client tool call under way: what has come, and what of it waits for its turn."""

    id: str
    name: str
    waiting: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    whole: bool = False  # the provider says that nothing more comes


def tool_use_id() -> str:
    return fresh_id("toolu_")


class Composer:
    """Collects what a provider says and gives it out as events (``take``).

    A call's block stays open until its arguments are whole. What a provider says beside it meanwhile (other calls,
    text, thinking) waits, for Anthropic's blocks come strictly one after another; nothing is lost and nothing waits
    longer than that.
    """

    def __init__(self, request: MessagesRequest) -> None:
        self._request = request
        self._events: list[Event] = []
        self._started = False
        self._ended = False
        self._index = -1
        self._open = ""  # the kind of the open block: "", "text", "thinking", "tool_use"
        self._blank = ""  # white space that a text block may yet begin with
        self._signed = False  # whether the open thinking block has its signature
        self._loose: list[str] = []  # signatures without thinking, which wait for a block to go before
        self._tools: dict[str | int, _Tool] = {}  # announced and not yet closed, in the provider's order
        self._known: set[str | int] = set()  # keys of all calls so far
        self._later: list[Callable[[], None]] = []  # what was said while a call was open, and is not a call
        self._output_bytes = 0
        self.called_tools = False
        self.usage = Usage(input=max(request.input_estimate, 1))

    # --- what a translator says ---------------------------------------------------------------------------------

    def start(self) -> None:
        """``message_start``, once. Its input is the estimate: the client's context bar reads it (litellm#24176)."""
        if self._started:
            return
        self._started = True
        message: JSON = {
            "id": self._request.message_id,
            "type": "message",
            "role": "assistant",
            "model": self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": max(self._request.input_estimate, 1),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 1,
            },
        }
        self._emit("message_start", {"type": "message_start", "message": message})

    def text(self, delta: str) -> None:
        if not delta:
            return  # an empty block is refused when it comes back as history (litellm#22930)
        if self._tools:
            self._put_off(partial(self.text, delta))
            return
        if self._open != "text":
            delta = self._blank + delta
            if delta.isspace():
                self._blank = delta  # nor is a block of white space taken back: it waits for words
                return
        self._ensure("text", {"type": "text", "text": ""})
        self._delta({"type": "text_delta", "text": delta})
        self._output_bytes += len(delta)

    def citation(self, citation: JSON) -> None:
        """A citation of the text just written; without any there is nothing to cite."""
        if self._tools:
            self._put_off(partial(self.citation, citation))
            return
        if self._open == "text":
            self._delta({"type": "citations_delta", "citation": citation})

    def thinking(self, delta: str) -> None:
        if not delta:
            return
        if self._tools:
            self._put_off(partial(self.thinking, delta))
            return
        self._ensure("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        self._delta({"type": "thinking_delta", "thinking": delta})
        self._output_bytes += len(delta)

    def sign(self, signature: str) -> None:
        """Closes the thinking block with its signature; a signature without thinking makes a block of its own.

        Such a block waits for the next one and goes before it. None ends an answer: Claude Code takes the last block
        for the result, and would show nothing (seen with 2.1.197, ``claude -p``). A block that is never signed gets
        ``UNSIGNED`` when it closes: Anthropic's own thinking always has a signature.
        """
        if self._tools:
            self._put_off(partial(self.sign, signature))
        elif self._open == "thinking":
            self._sign(signature)
            self._close_block()
        else:
            self._loose.append(signature)

    def tool(self, key: str | int, tool_id: str, name: str) -> None:
        """Announces a call. ``key`` is the provider's own handle for it; a key announced twice is one call."""
        if key in self._known:
            return
        self._known.add(key)
        self.called_tools = True
        self._tools[key] = _Tool(tool_id, name)
        self._output_bytes += len(name)
        self._advance()

    def arguments(self, key: str | int, piece: str) -> None:
        """The next piece of a call's arguments, streamed on as it comes while that call's block is open.

        Pieces for a call whose block cannot be open yet wait: Anthropic's blocks come one after another.
        """
        if not piece:
            return
        tool = self._tools.get(key)
        if tool is None:
            return  # a piece for a call already closed as complete: nothing can follow complete JSON
        self._output_bytes += len(piece)
        if tool is self._current():
            self._speak(tool, piece)
        else:
            tool.waiting.append(piece)
        if len(self._tools) > 1 or self._later:
            self._advance()

    def whole(self, key: str | int) -> None:
        """The call's arguments are complete: what waits for it need not wait any longer."""
        if (tool := self._tools.get(key)) is not None:
            tool.whole = True
            self._advance()

    def block(self, content: JSON) -> None:
        """A block that comes whole (``web_search_tool_result``, ``redacted_thinking``, ``server_tool_use``).

        The input of a ``server_tool_use`` is told in a delta, as Anthropic tells it: clients read it nowhere else.
        """
        if self._tools:
            self._put_off(partial(self.block, content))
            return
        self._close_block()
        arguments = content.get("input") if content.get("type") == "server_tool_use" else None
        self._begin(str(content.get("type")), content if arguments is None else content | {"input": {}})
        if arguments:
            self._delta({"type": "input_json_delta", "partial_json": orjson.dumps(arguments).decode()})
        self._close_block()

    def unheard(self, characters: int) -> None:
        """What the provider wrote, and bills, and the client is not told: hidden reasoning, text after a cut."""
        self._output_bytes += characters

    def close(self, *, cut_short: bool = False) -> None:
        """Closes whatever is open; what still waits is said now, calls first and in the provider's order.

        Raises Broken where a call's arguments are no JSON object, unless the answer was ``cut_short`` in the middle of
        its last block: a client can do nothing with such a call but fail.
        """
        while self._tools:
            self._close_tool(cut_short=cut_short and len(self._tools) == 1 and not self._later)
            self._open_next_tool()
        self._say_later()
        self._close_block()

    def end(self, stop_reason: str, stop_sequence: str | None = None) -> None:
        """``message_delta`` with the usage gathered in ``self.usage``, then ``message_stop``; once.

        Raises Broken as ``close`` does.
        """
        if self._ended:
            return
        self.start()
        self.close(cut_short=stop_reason in _CUT_SHORT)
        self._ended = True
        if not self.usage.exact:
            self.usage.output = max(self.usage.output, self.estimated_output)
        delta = {"stop_reason": stop_reason, "stop_sequence": stop_sequence}
        self._emit("message_delta", {"type": "message_delta", "delta": delta, "usage": self.usage.anthropic()})
        self._emit("message_stop", {"type": "message_stop"})

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def estimated_output(self) -> int:
        """Output tokens reckoned from what was written so far: about four characters a token, rounded up."""
        return -(-self._output_bytes // 4)

    # --- how it is written --------------------------------------------------------------------------------------

    def _emit(self, kind: str, data: JSON) -> None:
        self._events.append(Event(kind, data))

    def _delta(self, delta: JSON) -> None:
        self._emit("content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _begin(self, kind: str, content: JSON) -> None:
        self.start()
        loose, self._loose = self._loose, []
        for signature in loose:
            self._begin("thinking", {"type": "thinking", "thinking": "", "signature": ""})
            self._sign(signature)
            self._close_block()
        self._index += 1
        self._open = kind
        self._blank = ""
        self._signed = False
        start = {"type": "content_block_start", "index": self._index, "content_block": content}
        self._emit("content_block_start", start)

    def _ensure(self, kind: str, content: JSON) -> None:
        if self._open != kind:
            self._close_block()
            self._begin(kind, content)

    def _sign(self, signature: str) -> None:
        self._signed = True
        self._delta({"type": "signature_delta", "signature": signature})

    def _close_block(self) -> None:
        if self._open:
            if self._open == "thinking" and not self._signed:
                self._sign(UNSIGNED)
            self._open = ""
            self._emit("content_block_stop", {"type": "content_block_stop", "index": self._index})

    def _current(self) -> _Tool | None:
        """The call whose block is open: always the first that is not closed."""
        return next(iter(self._tools.values()), None) if self._open == "tool_use" else None

    def _speak(self, tool: _Tool, piece: str) -> None:
        tool.said.append(piece)
        self._delta({"type": "input_json_delta", "partial_json": piece})

    def _put_off(self, said: Callable[[], None]) -> None:
        """What cannot be said until all calls so far are whole; at once, if they are."""
        self._later.append(said)
        self._advance()

    def _say_later(self) -> None:
        later, self._later = self._later, []
        for said in later:
            said()

    def _advance(self) -> None:
        """Moves on as soon as the open call's arguments are whole: nothing is held longer than it must."""
        if self._tools and self._current() is None:
            self._open_next_tool()
        while (len(self._tools) > 1 or self._later) and (tool := self._current()) and _is_whole(tool):
            self._close_tool()
            self._open_next_tool()
        if not self._tools:
            self._say_later()

    def _open_next_tool(self) -> None:
        tool = next(iter(self._tools.values()), None)
        if tool is None:
            return
        self._close_block()
        self._begin("tool_use", {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}})
        waiting, tool.waiting = tool.waiting, []
        for piece in waiting:
            self._speak(tool, piece)

    def _close_tool(self, *, cut_short: bool = False) -> None:
        tool = self._current()
        if tool is None:
            return
        if not tool.said:
            self._speak(tool, "{}")
        if not cut_short and not _is_object(tool.said):
            raise Broken("The model called a tool with arguments that are not a JSON object.")
        del self._tools[next(iter(self._tools))]
        self._close_block()


def _is_whole(tool: _Tool) -> bool:
    return tool.whole or _is_object(tool.said)


def _is_object(pieces: list[str]) -> bool:
    if not pieces or not pieces[-1].rstrip().endswith("}"):
        return False  # most pieces: no need to parse what cannot be the end
    try:
        return isinstance(orjson.loads("".join(pieces)), dict)
    except orjson.JSONDecodeError:
        return False
