"""The knobs of a request."""

from __future__ import annotations

from tests.support.provider import Answer, Reply, Seen, Text

from ..asking import THINKING, text, user
from .cells import Cell, Check, Exchange, Feature, Section, absent, degraded, foreign, native, openai, theirs

_MANY = 10_000_000
_MANY_STOPS = ["<1>", "<2>", "<3>", "<4>", "<5>", "END"]
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
_CUT_HERE = "cut here, the request streamed"
_USER = '{"device_id":"d1","account_uuid":"someone","session_id":"s1"}'
_EDITS = {"edits": [{"type": "clear_tool_uses_20250919"}]}
_NOT_TAKEN = "left out: this model takes none"
_NO_THINKING = degraded("left out: this model does not reason", lambda x: "reason" not in x.said and x.heard.text)
_PSEUDONYM = native(
    lambda x: len(x.at("safety_identifier") or "") == 32 and "someone" not in x.said,
    "as a pseudonym, where the host takes it",
)

_TIER = native(lambda x: x.at("service_tier") == "default", "`default`, where the host takes it")
_CACHE_KEY = native(lambda x: len(x.at("prompt_cache_key") or "") == 32, "`prompt_cache_key`")


def _clamped(*path: str) -> Check:
    return lambda x: 1000 < x.at(*path) < _MANY


def _thinks(x: Exchange) -> dict[str, object]:
    return dict(x.at("generationConfig", "thinkingConfig"))


def _matched(x: Exchange) -> bool:
    assert x.heard.message is not None
    return x.heard.stop_reason == "stop_sequence" and x.heard.message["stop_sequence"] == "END"


def _stopped(seen: Seen) -> Answer:
    """What is told up to END: without it by Anthropic, which stops there."""
    words = "one " if seen.dialect == "anthropic" else "one END two"
    return Reply([Text(words)], stop="stop_sequence", stop_sequence="END")


def _cut(x: Exchange) -> bool:
    return x.heard.text == "one " and _matched(x)


def _left_out(word: str, why: str) -> Cell:
    return degraded(f"left out: {why}", lambda x: word not in x.said and x.heard.text)


SECTION = Section(
    "Parameters",
    (
        Feature(
            "`max_tokens` above the model's limit",
            {
                "anthropic": native(_clamped("max_tokens"), "clamped where the mapping chose the model"),
                "gemini": native(_clamped("generationConfig", "maxOutputTokens"), "clamped"),
                **openai(
                    native(_clamped("max_tokens"), "clamped, as `max_tokens` or `max_completion_tokens`"),
                    native(_clamped("max_output_tokens"), "clamped"),
                    native(lambda x: x.at("max_tokens") == _MANY, "clamped where the model's limit is known"),
                ),
            },
            body={"max_tokens": _MANY},
        ),
        Feature(
            "`temperature`",
            {
                "anthropic": native(lambda x: x.at("temperature") == 0.5),
                "gemini": native(lambda x: x.at("generationConfig", "temperature") == 0.5),
                **openai(
                    native(lambda x: x.at("temperature") == 0.5),
                    degraded(_NOT_TAKEN, lambda x: "temperature" not in x.sent),
                ),
            },
            body={"temperature": 0.5},
        ),
        Feature(
            "`top_p`",
            {
                "anthropic": native(lambda x: x.at("top_p") == 0.5),
                "gemini": native(lambda x: x.at("generationConfig", "topP") == 0.5),
                **openai(native(lambda x: x.at("top_p") == 0.5), degraded(_NOT_TAKEN, lambda x: "top_p" not in x.sent)),
            },
            body={"top_p": 0.5},
        ),
        Feature(
            "`top_k`",
            {
                "anthropic": native(lambda x: x.at("top_k") == 5),
                "gemini": native(lambda x: x.at("generationConfig", "topK") == 5),
                **openai(
                    degraded("left out, unless the host is said to take it", lambda x: "top_k" not in x.sent),
                    degraded(_NOT_TAKEN, lambda x: "top_k" not in x.sent),
                ),
            },
            body={"top_k": 5},
        ),
        Feature(
            "`stop_sequences`",
            {
                "anthropic": native(lambda x: x.at("stop_sequences") == _MANY_STOPS),
                "gemini": native(_cut, _CUT_HERE),
                **openai(native(_cut, f"{_CUT_HERE}, unless the host says where it stopped"), native(_cut, _CUT_HERE)),
            },
            body={"stop_sequences": _MANY_STOPS},
            replies=(Reply([Text("one END two")]),),
        ),
        Feature(
            "`stop_sequence` in the answer",
            {"anthropic": native(_matched), "gemini": native(_matched), **openai(native(_matched), native(_matched))},
            body={"stop_sequences": ["END"]},
            hook=_stopped,
        ),
        Feature(
            "thinking with a budget",
            {
                "anthropic": native(
                    lambda x: x.at("thinking", "type") == "adaptive", "as `adaptive` for models that take no budget"
                ),
                "gemini": native(
                    lambda x: _thinks(x) == {"thinkingBudget": 2048, "includeThoughts": True},
                    "as budget, or level for models that think in levels",
                ),
                **openai(
                    _NO_THINKING,
                    native(lambda x: x.at("reasoning") == {"effort": "low", "summary": "auto"}, "as effort"),
                ),
            },
            body={"thinking": THINKING},
        ),
        Feature(
            "thinking adaptive",
            {
                "anthropic": native(lambda x: x.at("thinking", "type") == "adaptive"),
                "gemini": native(lambda x: _thinks(x) == {"thinkingBudget": -1, "includeThoughts": True}),
                **openai(_NO_THINKING, native(lambda x: x.at("reasoning", "effort") == "high")),
            },
            body={"thinking": {"type": "adaptive"}},
        ),
        Feature(
            "thinking disabled",
            {
                "anthropic": native(lambda x: x.at("thinking", "type") == "disabled"),
                "gemini": degraded(
                    "the least that the model can think", lambda x: _thinks(x) == {"thinkingBudget": 128}
                ),
                **openai(_NO_THINKING, native(lambda x: x.at("reasoning") == {"effort": "none"}, "or the least")),
            },
            body={"thinking": {"type": "disabled"}},
        ),
        Feature(
            "`output_config.effort`",
            {
                "anthropic": native(lambda x: x.at("output_config", "effort") == "medium"),
                "gemini": native(lambda x: _thinks(x)["thinkingBudget"] == 8192, "as budget or level"),
                **openai(_NO_THINKING, native(lambda x: x.at("reasoning", "effort") == "medium")),
            },
            body={"output_config": {"effort": "medium"}, "thinking": {"type": "adaptive"}},
        ),
        Feature(
            "structured output",
            {
                "anthropic": native(lambda x: x.at("output_config", "format", "schema") == _SCHEMA),
                "gemini": native(lambda x: x.at("generationConfig", "responseSchema", "required") == ["name"]),
                **openai(
                    native(lambda x: x.at("response_format", "json_schema", "schema") == _SCHEMA),
                    native(lambda x: x.at("text", "format", "schema") == _SCHEMA),
                ),
            },
            body={"output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}}},
            replies=(Reply([Text('{"name":"x"}')]),),
        ),
        Feature(
            "`metadata.user_id`",
            {
                "anthropic": native(lambda x: x.at("metadata", "user_id") == _USER),
                "gemini": _left_out("someone", "Gemini has no field for it"),
                **openai(_PSEUDONYM, _PSEUDONYM, _left_out("someone", "unless the host is said to take it")),
            },
            body={"metadata": {"user_id": _USER}},
        ),
        Feature(
            "`service_tier: standard_only`",
            {
                "anthropic": native(lambda x: x.at("service_tier") == "standard_only"),
                "gemini": _left_out("service", "Gemini has no field for it"),
                **openai(
                    _TIER,
                    _TIER,
                    _left_out("service_tier", "unless the host is said to take it"),
                ),
            },
            body={"service_tier": "standard_only"},
        ),
        Feature(
            "`cache_control`",
            {
                "anthropic": native(lambda x: x.at("system", 0, "cache_control", "type") == "ephemeral"),
                "gemini": _left_out("cache_control", "Gemini caches by itself"),
                **openai(
                    _left_out("cache_control", "OpenAI caches by itself; a host that takes it may be said to"),
                    _left_out("cache_control", "OpenAI caches by itself"),
                    _left_out("cache_control", "but for Claude and Nova, and where the host is said to take it"),
                ),
            },
            body={"system": [text("be kind") | {"cache_control": {"type": "ephemeral"}}]},
        ),
        Feature(
            "a session's prompt cache",
            {
                "anthropic": absent("by `cache_control`"),
                "gemini": absent("by the request's beginning alone"),
                **openai(
                    _CACHE_KEY,
                    _CACHE_KEY,
                    _left_out("prompt_cache_key", "unless the host is said to take it"),
                ),
            },
            headers={"x-claude-code-session-id": "session-1"},
        ),
        Feature(
            "`context_management` and other betas",
            foreign(degraded("left out, fields and header", lambda x: "context_management" not in x.said))
            | {"anthropic": native(lambda x: x.at("context_management") == _EDITS)},
            body={"context_management": _EDITS},
            headers={"anthropic-beta": "context-management-2025-06-27"},
        ),
        Feature(
            "fields of tomorrow",
            foreign(degraded("left out", lambda x: "of_tomorrow" not in x.said and x.heard.text))
            | {"anthropic": theirs("of_tomorrow")},
            messages=(user(text("hi")),),
            body={"of_tomorrow": [1]},
        ),
    ),
)
