"""The script: what the provider answers, in words that belong to no dialect.

An :data:`Answer` is one of

* :class:`Reply`: a turn of the model, made of parts, told in whatever dialect the request came in;
* :class:`Fail`: an HTTP error in the vendor's own status, headers and wording;
* :class:`Hang` / :class:`Cut`: silence, or a closed connection, before any response header;
* :class:`Raw`: recorded bytes, sent as they are.

Faults in the middle of a stream are a :class:`Reply` with ``fault=``; oddities of framing are ``wire=``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Stop: TypeAlias = Literal["auto", "end", "length", "tool", "refusal", "stop_sequence"]
FailKind: TypeAlias = Literal[
    "rate_limit",
    "quota",
    "overloaded",
    "context",
    "context_with_max_tokens",
    "auth",
    "permission",
    "model",
    "bad_request",
    "too_large",
    "server",
    "timeout",
    "html",
]


@dataclass(frozen=True, slots=True)
class Text:
    """Visible text. ``cites`` are indices into the results of all :class:`WebSearch` parts before it."""

    text: str
    cites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning. Like the vendors, a dialect shows its text only where the request asked for it.

    ``redacted`` is Anthropic's ``redacted_thinking``; elsewhere it is state without text.
    """

    text: str
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function call. A ``str`` as arguments goes out as it is: broken or empty JSON can be scripted."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One web search result."""

    url: str
    title: str
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class WebSearch:
    """A search that the provider runs itself."""

    query: str
    results: tuple[Found, ...] = (Found("https://example.com/a", "Example A", "First example."),)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in words: OpenAI's ``refusal`` part; plain text elsewhere."""

    text: str


Part: TypeAlias = Text | Thinking | ToolCall | WebSearch | Refusal


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, in OpenAI's sense: parts are contained in their total.

    ``cached`` and ``cache_write`` are contained in ``input``, ``reasoning`` in ``output``. A dialect that counts
    apart (Anthropic's input, Gemini's candidates) subtracts.
    """

    input: int = 120
    cached: int = 0
    output: int = 24
    reasoning: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Wire:
    """How the answer is put on the wire. The defaults are what the vendors do on a good day."""

    newline: Literal["\n", "\r\n", "\r"] | None = None
    """Line ends of the SSE frames; None is the vendor's own (CRLF for Gemini)."""
    space: bool = True
    """``data: x`` or, also legal, ``data:x``."""
    comments: bool = False
    """A comment line (``: OPENROUTER PROCESSING``, as that vendor sends) before every frame."""
    bunch: int = 1
    """SSE frames in one write."""
    dribble: int | None = None
    """Bytes in one write, cutting lines and characters anywhere; outranks ``bunch``."""
    merge: int = 1
    """Deltas in one JSON chunk, where the dialect can say that (chat completions, Gemini)."""
    interleave: bool = False
    """Parallel tool calls told in turns, one delta each (chat completions, Responses)."""
    repeat_tool_head: bool = False
    """Id, type and name repeated on every tool delta (chat completions of some servers)."""
    tool_index: bool = True
    """False leaves ``index`` out of tool deltas, as some chat completion servers do."""
    tool_ids: bool = True
    """False leaves ids out of tool calls, as Gemini 2 and some chat completion servers do."""
    usage_in_finish: bool = False
    """Usage beside the finish reason instead of in a chunk of its own (chat completions of some servers)."""
    done: bool = True
    """The end mark: ``[DONE]``, ``message_stop``."""
    reasoning: Literal["auto", "none", "reasoning_content", "reasoning", "openrouter"] = "auto"
    """Where chat completions put reasoning. ``auto``: nowhere for OpenAI's own models, else DeepSeek's field."""
    flat_error: bool = False
    """Responses: the ``error`` event as documented (flat) instead of as sent (nested under ``error``)."""
    encoding: Literal["identity", "gzip"] = "identity"
    """Content coding of a plain answer, used only if the client accepts it."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence: as an answer, before the headers; as a fault, after ``after`` deltas.

    ``seconds`` ends it (the answer then goes on); None waits until the client leaves or the provider closes.
    """

    after: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection closed without the end of the message; ``reset`` sends RST instead of FIN."""

    after: int = 0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Garbage:
    """A chunk that is not JSON, after ``after`` deltas; the stream then goes on."""

    after: int = 0
    data: bytes = b'{"id": "broken", '


@dataclass(frozen=True, slots=True)
class Fail:
    """An HTTP error as the vendor words it; every field left None is the vendor's own.

    ``retry_after`` is seconds. ``tokens`` and ``limit`` fill the wording of the two context failures. ``body``
    replaces the whole body (then ``status`` should be given too).
    """

    kind: FailKind
    retry_after: float | None = None
    status: int | None = None
    message: str | None = None
    tokens: int = 210_000
    limit: int = 200_000
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The vendor's error in the middle of a stream, after ``after`` deltas; the stream ends there."""

    fail: Fail = field(default_factory=lambda: Fail("overloaded"))
    after: int = 0


Fault: TypeAlias = Hang | Cut | Garbage | ErrorEvent


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn of the model.

    ``delta`` is the length of a delta in characters; ``chunks`` instead cuts every part into that many deltas.
    ``pace`` is seconds between deltas. ``stop=None`` leaves the finish reason (and what follows it) out, as a
    provider does that gives up quietly; ``finish`` is a vendor's own word in place of the mapped one
    (``RECITATION``, ``content_filter``); ``Reply([], stop="refusal")`` is a prompt that was blocked. ``usage=None``
    sends none. In an answer that is not streamed, ``pace`` delays the whole, and a fault strikes before the body
    (``ErrorEvent`` becomes the HTTP error).
    """

    parts: Sequence[Part]
    usage: Usage | None = field(default_factory=Usage)
    stop: Stop | None = "auto"
    finish: str | None = None
    stop_sequence: str | None = None
    delta: int = 16
    chunks: int | None = None
    pace: float = 0.0
    fault: Fault | None = None
    wire: Wire = field(default_factory=Wire)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ending(self) -> Literal["end", "length", "tool", "refusal", "stop_sequence"] | None:
        """The stop in the script's words, ``auto`` resolved by the parts."""
        if self.stop != "auto":
            return self.stop
        if any(isinstance(part, ToolCall) for part in self.parts):
            return "tool"
        return "refusal" if any(isinstance(part, Refusal) for part in self.parts) else "end"


@dataclass(frozen=True, slots=True)
class Raw:
    """Recorded bytes. ``cuts`` are the offsets where one write ends and the next begins."""

    body: bytes
    status: int = 200
    content_type: str = "text/event-stream"
    cuts: tuple[int, ...] = ()
    pace: float = 0.0
    cut: bool = False
    """Close without the end of the HTTP message."""
    headers: Mapping[str, str] = field(default_factory=dict)


Answer: TypeAlias = Reply | Fail | Hang | Cut | Raw
