"""The Gemini dialect over real HTTP, against a provider as strict as Google."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from routing.upstream import http
from routing.upstream.errors import Broken, Busy, ContextOverflow, Misconfigured, UnknownModel, UpstreamError
from routing.upstream.messages import MessagesRequest
from routing.upstream.stream import count_tokens, open_answer
from routing.upstream.target import Capabilities, Target
from tests.support.grammar import Transcript
from tests.support.provider import (
    Cut,
    ErrorEvent,
    Fail,
    Garbage,
    Reply,
    ScriptedProvider,
    Text,
    Thinking,
    ToolCall,
    Usage,
    WebSearch,
    Wire,
)
from tests.support.provider.script import Part

from ..factories import a_request, a_target
from ..transcripts import judged

THINKING = {"type": "adaptive"}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string", "format": "uri", "default": "/"},
        "format": {"const": "text"},
        "lines": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "options": {"type": "object", "additionalProperties": {"type": "string"}},
        "edits": {"type": "array", "items": {"$ref": "#/$defs/edit"}},
        "mode": {"anyOf": [{"enum": ["a", "", 1]}, {"type": "null"}]},
        "anything": {},
    },
    "required": ["path", "gone"],
    "$defs": {"edit": {"type": "object", "properties": {"of": {"$ref": "#/$defs/edit"}, "n": {"type": "integer"}}}},
}
READ = {"name": "Read", "description": "Reads", "input_schema": SCHEMA}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FAMILIES = {
    "gemini-3-pro-preview": Capabilities(reasoning="level", max_output=65_536, web_search=True),
    "gemini-2.5-flash": Capabilities(reasoning="budget", max_output=65_536, web_search=True),
    "gemini-2.0-flash": Capabilities(max_output=8_192, web_search=True),
}


@pytest.fixture(scope="module")
def running() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def provider(running: ScriptedProvider) -> AsyncIterator[ScriptedProvider]:
    running.clear()
    yield running
    await http.close()


def target(provider: ScriptedProvider, model: str = "gemini-3-pro-preview") -> Target:
    return a_target("gemini", model, base_url=provider.base_url, capabilities=FAMILIES[model])


async def asked(to: Target, request: MessagesRequest) -> Transcript:
    events = []
    async with open_answer(to, request) as answer:
        async for batch in answer:
            events += batch
    return judged(events)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", FAMILIES)
async def test_two_steps_with_parallel_calls(provider: ScriptedProvider, model: str, stream: bool) -> None:
    to = target(provider, model)
    call = ToolCall("Read", {"path": "a"})
    provider.reply(
        Reply([Thinking("Two files."), Text("I read."), call, call]),
        Reply([Text("Done.")], usage=Usage(input=500, cached=300, output=40, reasoning=30)),
    )
    fields: dict[str, Any] = {"thinking": THINKING, "tools": [READ], "max_tokens": 64_000, "stream": stream}
    first = await asked(to, a_request(**fields))
    assert first.thinking == ("Two files." if FAMILIES[model].reasoning != "none" else "")
    assert [call["input"] for call in first.tool_uses] == [{"path": "a"}, {"path": "a"}]
    results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "x"} for call in first.tool_uses]
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": list(reversed(results))},
    ]
    second = await asked(to, a_request(messages=messages, **fields))
    assert (second.text, second.stop_reason) == ("Done.", "end_turn")
    assert second.usage["input_tokens"] == 200
    assert second.usage["cache_read_input_tokens"] == 300
    assert second.usage["output_tokens"] == 40
    assert provider.refusals == []


@pytest.mark.parametrize("model", FAMILIES)
async def test_a_history_that_another_provider_wrote(provider: ScriptedProvider, model: str) -> None:
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"},
            {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
            {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "Read", "input": {"path": "a"}},
            {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq8", "name": "Gone.tool", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_01A09q90qw90lq917835lq9", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}},
            ]},
            {"type": "text", "text": "go on"},
        ]},
        {"role": "system", "content": "Be brief."},
    ]  # fmt: skip
    heard = await asked(target(provider, model), a_request(messages=messages, tools=[READ], stream=True))
    assert heard.stop_reason == "end_turn"
    assert provider.refusals == []


@pytest.mark.parametrize("stream", [True, False])
async def test_a_web_search(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([WebSearch("tollgate"), Text("Grüße: it is a gate.", cites=(0,))]))
    heard = await asked(target(provider), a_request(tools=[SEARCH], stream=stream))
    assert heard.text == "Grüße: it is a gate."
    assert heard.content[0]["citations"][0]["url"] == "https://example.com/a"
    assert [block["type"] for block in heard.content[1:]] == ["server_tool_use", "web_search_tool_result"]
    assert heard.usage["server_tool_use"] == {"web_search_requests": 1}


async def test_a_search_beside_functions_is_no_400(provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("I know.")]))
    heard = await asked(target(provider, "gemini-2.5-flash"), a_request(tools=[SEARCH, READ], stream=True))
    assert heard.content[1]["content"]["error_code"] == "unavailable"
    assert provider.refusals == []


@pytest.mark.parametrize(
    "wire", [Wire(dribble=1), Wire(bunch=9), Wire(merge=5), Wire(newline="\n"), Wire(space=False, comments=True)]
)
async def test_the_same_answer_however_it_is_cut(provider: ScriptedProvider, wire: Wire) -> None:
    parts: list[Part] = [Thinking("hm"), Text("東京 🗼 Grüße"), ToolCall("Read", {"path": "ü"})]
    provider.reply(Reply(parts, delta=2), Reply(parts, delta=2, wire=wire))
    plain, cut = [
        await asked(target(provider), a_request(tools=[READ], thinking=THINKING, stream=True)) for _ in range(2)
    ]
    assert (cut.text, cut.thinking) == (plain.text, plain.thinking) == ("東京 🗼 Grüße", "hm")
    assert cut.tool_uses[0]["input"] == {"path": "ü"}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (Fail("context", tokens=1_100_000, limit=1_048_576), ContextOverflow),
        (Fail("rate_limit", retry_after=12), Busy),
        (Fail("overloaded"), Busy),
        (Fail("auth"), Misconfigured),
        (Fail("permission"), Misconfigured),
        (Fail("model"), UnknownModel),
    ],
)
async def test_a_refusal_comes_before_any_event(
    provider: ScriptedProvider, fail: Fail, kind: type, stream: bool
) -> None:
    provider.reply(fail)
    with pytest.raises(kind) as caught:
        await asked(target(provider), a_request(stream=stream))
    error = caught.value
    assert isinstance(error, UpstreamError)
    if fail.kind == "rate_limit":
        assert error.retry_after == 12
    if fail.kind == "context":
        assert error.message == "prompt is too long: 1100000 tokens > 1048576 maximum"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply([Text("a" * 99)], fault=Cut(after=2)), Broken),
        (Reply([Text("a" * 99)], fault=Garbage(after=2)), Broken),
        (Reply([Text("a" * 99)], fault=ErrorEvent(after=2)), Busy),
        (Reply([Text("a" * 99)], stop=None), Broken),
        (Reply([Text("a" * 99)], finish="MALFORMED_FUNCTION_CALL"), Broken),
    ],
)
async def test_a_failure_in_the_middle_of_a_stream(provider: ScriptedProvider, reply: Reply, kind: type) -> None:
    provider.reply(reply)
    with pytest.raises(kind):
        await asked(target(provider), a_request(stream=True))


async def test_the_providers_own_count(provider: ScriptedProvider) -> None:
    provider.counts(4711)
    request = a_request(system="S", tools=[READ], thinking=THINKING)
    assert await count_tokens(target(provider), request) == 4711
    assert provider.refusals == []
