"""Whatever a client legally sends, OpenAI would take what becomes of it: judged by the scripted provider's rules."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import hosts
from routing.upstream.dialects.openai_chat import OpenAIChat
from routing.upstream.errors import Refused
from routing.upstream.target import Capabilities, Quirks
from tests.routing.upstream.factories import a_request, a_target
from tests.support.provider.dialect import Asked
from tests.support.provider.rules import openai_chat as rules

JSON = dict[str, Any]
OPENAI = Quirks(**hosts.OPENAI.quirks)  # type: ignore[arg-type]
TARGETS = [
    a_target("openai_chat", "gpt-4o", capabilities=Capabilities(max_output=16_384), quirks=OPENAI),
    a_target("openai_chat", "gpt-4o", capabilities=Capabilities(max_output=16_384)),
    a_target(
        "openai_chat",
        "gpt-5.1",
        capabilities=Capabilities(
            max_output=128_000,
            reasoning="effort",
            efforts=("none", "low", "medium", "high"),
            sampling=False,
        ),
        quirks=OPENAI,
    ),
    a_target("openai_chat", "qwen3-32b"),
]
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}}
SCHEMAS = st.sampled_from(
    [
        {"type": "object"},
        {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "$schema": "s"},
        {"type": "object", "properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        {"type": "array", "items": {"type": "string"}},
        {"anyOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}]},
    ]
)
NAMES = st.sampled_from(["Bash", "mcp__" + "x" * 80, "weird name.✓", "web_search", "1st"])
TEXTS = st.sampled_from(["", " ", "a", "b\n"])
IDS = st.sampled_from(["toolu_1", "toolu_2", "call:3", "x" * 90, ""])
CONTENT = st.one_of(TEXTS, st.lists(st.sampled_from([PNG, PDF, {"type": "text", "text": "t"}]), max_size=2))
BLOCKS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}, TEXTS),
    st.builds(lambda text, by: {"type": "thinking", "thinking": text, "signature": by}, TEXTS, TEXTS),
    st.builds(lambda id, name: {"type": "tool_use", "id": id, "name": name, "input": {"x": 1}}, IDS, NAMES),
    st.builds(
        lambda id, content, failed: {"type": "tool_result", "tool_use_id": id, "content": content, "is_error": failed},
        IDS,
        CONTENT,
        st.booleans(),
    ),
    st.sampled_from([PNG, PDF, {"type": "a_block_of_tomorrow", "text": "x"}]),
)
MESSAGES = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "assistant", "system"]),
        TEXTS | st.lists(BLOCKS, max_size=4),
    ),
    max_size=8,
)
TOOLS = st.lists(
    st.one_of(
        st.builds(
            lambda name, schema, strict: {"name": name, "description": "d", "input_schema": schema, "strict": strict},
            NAMES,
            SCHEMAS,
            st.booleans(),
        ),
        st.sampled_from(
            [{"type": "web_search_20250305", "name": "web_search"}, {"type": "bash_20250124", "name": "bash"}]
        ),
    ),
    max_size=4,
    unique_by=lambda tool: tool["name"],
)
FIELDS = st.fixed_dictionaries(
    {"tools": TOOLS, "messages": MESSAGES, "stream": st.booleans(), "max_tokens": st.sampled_from([1, 64_000])},
    optional={
        "system": st.sampled_from(["S", [{"type": "text", "text": "x-anthropic-billing-header: x"}], []]),
        "tool_choice": st.builds(
            lambda kind, name, alone: {"type": kind, "name": name, "disable_parallel_tool_use": alone},
            st.sampled_from(["auto", "any", "tool", "none"]),
            NAMES,
            st.booleans(),
        ),
        "temperature": st.sampled_from([0, 0.5, 1]),
        "top_k": st.just(5),
        "stop_sequences": st.lists(TEXTS, max_size=6),
        "thinking": st.sampled_from(
            [{"type": "adaptive"}, {"type": "disabled"}, {"type": "enabled", "budget_tokens": 2048}]
        ),
        "output_config": st.fixed_dictionaries(
            {},
            optional={
                "effort": st.sampled_from(["low", "max"]),
                "format": st.builds(lambda schema: {"type": "json_schema", "schema": schema}, SCHEMAS),
            },
        ),
        "metadata": st.just({"user_id": "jane"}),
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "context_management": st.just({"edits": []}),
    },
)


@pytest.mark.parametrize("number", range(len(TARGETS)))
@given(fields=FIELDS)
def test_whatever_a_client_sends_openai_would_take_it(number: int, fields: JSON) -> None:
    target = TARGETS[number]
    try:
        sent = OpenAIChat().call(target, a_request(session_id="s", **fields)).body
    except Refused as refusal:  # ours, before anything is sent
        if "at least one message" not in refusal.message and "cannot stand in a turn" not in refusal.message:
            raise
        return
    body = orjson.loads(sent)
    rules.check(Asked("/v1/chat/completions", {}, {}, body, target.model, body.get("stream") is True))
