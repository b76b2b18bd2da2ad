"""Any conversation a client may send becomes a request that Google's rules let pass, or is refused by name."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects.gemini import Gemini
from routing.upstream.errors import Refused
from routing.upstream.target import Capabilities
from tests.support.provider import Seal
from tests.support.provider.dialect import Asked
from tests.support.provider.rules import gemini as rules

from ..factories import a_request, a_target
from .test_gemini_schema import SCHEMAS

IDS = st.sampled_from(["toolu_1", "toolu_2", "toolu_3", "", "call.with:strange/characters", "toolu_1-tg1-AAAA"])
NAMES = st.sampled_from(["Read", "mcp__a.b__c", "x" * 90, "9lives", "ünï", ""])
TEXTS = st.sampled_from(["", " ", "words", "東京 🗼", "x-anthropic-billing-header: a"])
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}}
PDF = {"type": "document", "title": "T", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
WORDS = TEXTS.map(lambda text: {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}})
FOUND = WORDS.map(lambda words: {"type": "search_result", "title": "T", "source": "s", "content": [words]})
SAID = WORDS | st.sampled_from([PNG, PDF]) | FOUND
RESULTS = st.fixed_dictionaries(
    {"type": st.just("tool_result"), "tool_use_id": IDS, "content": TEXTS | st.lists(SAID, max_size=2)},
    optional={"is_error": st.booleans()},
)
CALLS = st.fixed_dictionaries({"type": st.just("tool_use"), "id": IDS, "name": NAMES, "input": st.just({"a": 1})})
THOUGHTS = st.sampled_from(
    [
        {"type": "thinking", "thinking": "hm", "signature": "EqQBCg"},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "a_new_block", "content": "words"},
    ]
)


def said_by(role: str, *blocks: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"role": st.just(role), "content": TEXTS | st.lists(st.one_of(*blocks), max_size=4)})


MESSAGES = st.lists(
    said_by("user", SAID, RESULTS) | said_by("assistant", SAID, CALLS, THOUGHTS) | said_by("system", WORDS),
    min_size=1,
    max_size=6,
)
TOOLS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["Read", "mcp__a.b__c", "x" * 90, "9lives"]), "input_schema": SCHEMAS},
        optional={"description": TEXTS},
    ),
    max_size=3,
    unique_by=lambda tool: str(tool["name"]),
)
FIELDS = st.fixed_dictionaries(
    {"messages": MESSAGES, "max_tokens": st.sampled_from([1, 64_000, 200_000])},
    optional={
        "tools": TOOLS | st.just([{"type": "web_search_20260209", "name": "web_search"}]),
        "system": TEXTS | st.lists(TEXTS.map(lambda text: {"type": "text", "text": text}), max_size=3),
        "thinking": st.sampled_from(
            [{"type": "adaptive"}, {"type": "disabled"}, {"type": "enabled", "budget_tokens": 31_999}]
        ),
        "output_config": st.sampled_from([{"effort": "low"}, {"effort": "max"}])
        | SCHEMAS.map(lambda schema: {"format": {"type": "json_schema", "schema": schema}}),
        "stop_sequences": st.lists(TEXTS, max_size=8),
        "tool_choice": st.sampled_from([{"type": "auto"}, {"type": "none"}]),
        "temperature": st.sampled_from([0, 1]),
    },
)
MODELS = {
    "gemini-3-pro-preview": Capabilities(reasoning="level", max_output=65_536, web_search=True),
    "gemini-2.5-pro": Capabilities(reasoning="budget", max_output=65_536, thinking_budget=(128, 32_768)),
    "gemini-2.5-flash": Capabilities(reasoning="budget", max_output=65_536, web_search=True),
    "gemini-2.0-flash": Capabilities(max_output=8_192),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MODELS)), FIELDS)
def test_any_request_keeps_googles_rules(model: str, fields: dict[str, Any]) -> None:
    to = a_target("gemini", model, capabilities=MODELS[model])
    try:
        call = Gemini().call(to, a_request(**fields))
    except Refused:
        return
    path = f"/v1beta/models/{model}:generateContent"
    rules.check(Asked(path, {}, dict(call.headers), orjson.loads(call.body), model, stream=False), Seal())
