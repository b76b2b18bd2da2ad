"""Requests of clients that break Anthropic's rules: one value of a rich request replaced by anything, in every dialect.

Whatever comes, it is refused by the gateway's own check or by ``UpstreamError``'s tree, or it is written; nothing else
is raised, and the token counters see the same.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.gateway.errors import InvalidRequest
from routing.gateway.parsing import parse
from routing.upstream.dialect import said
from routing.upstream.dialects import DIALECTS
from routing.upstream.errors import UpstreamError
from routing.upstream.messages import MessagesRequest
from routing.upstream.target import Capabilities, Quirks, Reasoning
from routing.upstream.tokens import estimate
from tests.e2e.asking import PNG, TOOLS, assistant, call, result, text, user

from ..factories import a_target
from .test_hostile_answers import HOSTILE, paths, replaced

EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
SEARCHED = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "url": "https://x", "title": "X", "encrypted_content": "e"}],
    },
]
BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 4096,
    "system": [text("be kind") | EPHEMERAL, text("be brief")],
    "tools": [
        *TOOLS,
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "user_location": {"city": "Bern"}},
        {"type": "bash_20250124", "name": "bash"},
    ],
    "tool_choice": {"type": "tool", "name": "Read", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "metadata": {"user_id": '{"account_uuid":"a"}'},
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "messages": [
        user(text("hi"), IMAGE, {"type": "document", "title": "T", "source": {"type": "text", "data": "words"}}),
        assistant({"type": "thinking", "thinking": "t", "signature": "tg1-xx"}, call("toolu_1"), call("toolu_2")),
        user(result("toolu_1", [text("a"), IMAGE]), result("toolu_2", "b") | EPHEMERAL),
        {"role": "system", "content": "a note"},
        assistant(
            *SEARCHED, text("found") | {"citations": [{"type": "web_search_result_location", "url": "https://x"}]}
        ),
        user({"type": "search_result", "source": "s", "title": "t", "content": [text("r")]}, text("go on")),
    ],
}
PLACES = paths(BODY)
QUIRKS = Quirks(
    cache_control=True, top_k=True, strict_tools=True, prompt_cache_key=True, end_user_field="user", max_tools=4
)
KINDS: tuple[Reasoning, ...] = ("effort", "budget", "level", "none")


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"demo"}))
@settings(max_examples=300)
@given(data=st.data())
def test_any_value_anywhere(dialect: str, data: st.DataObject) -> None:
    body: Any = BODY
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(PLACES))
        try:
            body = replaced(body, path, data.draw(st.sampled_from(HOSTILE)))
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # the first replacement took this place away
    kind = data.draw(st.sampled_from(KINDS))
    target = a_target(dialect, capabilities=Capabilities(reasoning=kind, web_search=True), quirks=QUIRKS)
    raw = orjson.dumps(body)
    try:
        parsed = parse(raw)
    except InvalidRequest:
        return
    request = MessagesRequest(parsed.body, raw, parsed.model, parsed.stream, parsed.max_tokens, session_id="s")
    estimate(parsed.body, parsed.media_tokens)
    try:
        said(DIALECTS[dialect].call, target, request)
        said(DIALECTS[dialect].count_call, target, request)
        DIALECTS[dialect].translator(target, request)
    except UpstreamError:
        return
