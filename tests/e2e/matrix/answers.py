"""What comes back: words, counters, silence and errors."""

from __future__ import annotations

import re

import httpx

from tests.support.provider import ErrorEvent, Fail, Hang, Refusal, Reply, Text, Thinking, ToolCall, Usage

from ..asking import THINKING, TOOLS, text, user
from .cells import Asking, Cell, Exchange, Feature, Section, absent, degraded, foreign, native, openai

_USAGE = Usage(input=1000, cached=600, output=100)
_NO_REASONING = absent("this model does not reason")


def _count(asking: Asking) -> httpx.Response:
    body = {"model": asking.model, "messages": [user(text("word " * 400))], "system": "be kind", "tools": TOOLS}
    return asking.ask.count(body)


def _counted(x: Exchange) -> object:
    return x.response.json()["input_tokens"] > 400 and x.sent is not None


def _estimated(x: Exchange) -> object:
    return x.response.json()["input_tokens"] > 400 and x.sent is None


def _disjoint(x: Exchange) -> object:
    names = ("input_tokens", "cache_read_input_tokens", "output_tokens")
    return tuple(x.heard.usage[name] for name in names) == (400, 600, 100)


def _first(x: Exchange) -> object:
    start = next(event for event in x.heard.events if event.name == "message_start")
    return start.data["message"]["usage"]["input_tokens"] > 0


def _piecemeal(x: Exchange) -> object:
    """The arguments came as they were written, not when they were whole."""
    deltas = [event.data["delta"] for event in x.heard.events if event.name == "content_block_delta"]
    return len([delta for delta in deltas if delta["type"] == "input_json_delta" and delta["partial_json"]]) > 3


def _pinged(x: Exchange) -> object:
    return len(x.heard.pings) >= 1 and x.heard.text


def _failed(status: int, kind: str, words: str = "") -> Cell:
    def check(x: Exchange) -> object:
        error = x.response.json()["error"]
        return (x.response.status_code, error["type"]) == (status, kind) and words in error["message"]

    return native(check, f"{status} `{kind}`")


def _waits(status: int = 429) -> Cell:
    return native(
        lambda x: x.response.status_code == status and x.response.headers["retry-after"] == "7", f"{status}, its time"
    )


def _overflowed(x: Exchange) -> object:
    message = x.response.json()["error"]["message"]
    return x.response.status_code == 400 and re.fullmatch(r"prompt is too long: \d+ tokens > \d+ maximum", message)


def _ended(x: Exchange) -> object:
    return x.heard.error is not None and "message_stop" not in x.heard.names


_OVERFLOW = _failed(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
_BROKEN = (native(_ended, "an `error` event, no `message_stop`"), absent("there is no middle"))
_PINGS = (native(_pinged, "every 15 s of silence"), absent("no events"))

SECTION = Section(
    "Answers",
    (
        Feature(
            "text, in any script",
            {"anthropic": native(lambda x: x.heard.text == "Grüße, 世界 🚀")}
            | foreign(native(lambda x: x.heard.text == "Grüße, 世界 🚀")),
            replies=(Reply([Text("Grüße, 世界 🚀")], delta=2),),
        ),
        Feature(
            "parallel calls",
            {"anthropic": native(lambda x: len(x.heard.tool_uses) == 2)}
            | foreign(native(lambda x: len(x.heard.tool_uses) == 2)),
            body={"tools": TOOLS},
            replies=(Reply([ToolCall("Read", {"path": "a"}), ToolCall("Read", {"path": "b"})]),),
        ),
        Feature(
            "arguments as they are written",
            {"anthropic": (native(_piecemeal), absent("whole"))}
            | dict.fromkeys(("openai_chat", "openai_responses", "litellm"), (native(_piecemeal), absent("whole")))
            | {"gemini": (degraded("whole: Gemini writes no pieces", lambda x: x.heard.tool_uses), absent("whole"))},
            body={"tools": TOOLS},
            replies=(Reply([ToolCall("Read", {"path": "a" * 80})], delta=8),),
        ),
        Feature(
            "thinking",
            {
                "anthropic": native(lambda x: x.heard.thinking == "hm"),
                "gemini": native(lambda x: x.heard.thinking == "hm", "Google's summary"),
                **openai(
                    _NO_REASONING,
                    native(lambda x: x.heard.thinking == "hm", "OpenAI's summary"),
                    native(lambda x: x.heard.thinking == "hm", "the host's reasoning"),
                ),
            },
            body={"thinking": THINKING},
            replies=(Reply([Thinking("hm"), Text("so")]),),
        ),
        Feature(
            "refusal",
            foreign(native(lambda x: x.heard.stop_reason == "refusal"))
            | {
                "anthropic": native(lambda x: x.heard.stop_reason == "refusal"),
                "litellm": degraded("an empty answer: LiteLLM drops the words", lambda x: x.heard.content == []),
            },
            replies=(Reply([Refusal("I cannot.")]),),
        ),
        Feature(
            "cut at `max_tokens`",
            {"anthropic": native(lambda x: x.heard.stop_reason == "max_tokens")}
            | foreign(native(lambda x: x.heard.stop_reason == "max_tokens")),
            replies=(Reply([Text("and so")], stop="length"),),
        ),
        Feature(
            "usage: disjoint counters",
            {"anthropic": native(_disjoint)} | foreign(native(_disjoint)),
            replies=(Reply([Text("hello")], usage=_USAGE),),
        ),
        Feature(
            "usage in `message_start`",
            {"anthropic": (native(_first), absent("one message"))}
            | dict.fromkeys(foreign(_NO_REASONING), (native(_first, "an estimate"), absent("one message"))),
        ),
        Feature(
            "`count_tokens`",
            {
                "anthropic": native(_counted, "Anthropic's counter"),
                "gemini": native(_counted, "Google's counter"),
                **openai(*[degraded("OpenAI's tokenizer, rounded up", _estimated)] * 2),
            },
            way=_count,
        ),
        Feature(
            "`ping`",
            {"anthropic": _PINGS} | dict.fromkeys(foreign(_NO_REASONING), _PINGS),
            replies=(Reply([Text("one two three")], delta=4, fault=Hang(after=1, seconds=0.7)),),
        ),
        Feature(
            "overflow",
            foreign(_OVERFLOW)
            | {
                "anthropic": _OVERFLOW,
                "openai_responses": degraded("in those words, with the gateway's own figures", _overflowed),
            },
            replies=(Fail("context", tokens=210_000, limit=200_000),),
        ),
        Feature(
            "rate limit",
            {"anthropic": _failed(429, "rate_limit_error")} | foreign(_failed(429, "rate_limit_error")),
            replies=(Fail("rate_limit"),),
        ),
        Feature(
            "`retry-after`",
            {"anthropic": _waits()} | foreign(_waits()),
            replies=(Fail("rate_limit", retry_after=7),),
        ),
        Feature(
            "overload",
            {"anthropic": _failed(529, "overloaded_error")} | foreign(_failed(429, "rate_limit_error")),
            replies=(Fail("overloaded"),),
        ),
        Feature(
            "the gateway's key refused",
            {"anthropic": _failed(401, "authentication_error")} | foreign(_failed(502, "api_error")),
            replies=(Fail("auth"),),
        ),
        Feature(
            "no such model there",
            {"anthropic": _failed(404, "not_found_error")} | foreign(_failed(404, "not_found_error")),
            replies=(Fail("model"),),
        ),
        Feature(
            "the provider fails",
            {"anthropic": _failed(500, "api_error")} | foreign(_failed(503, "api_error")),
            replies=(Fail("server"),),
        ),
        Feature(
            "error in the middle",
            {"anthropic": _BROKEN} | dict.fromkeys(foreign(_NO_REASONING), _BROKEN),
            replies=(Reply([Text("one two three four")], delta=4, pace=0.05, fault=ErrorEvent(after=2)),),
        ),
    ),
)
