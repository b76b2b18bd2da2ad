"""Chat completions over real HTTP, against the scripted provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from routing.upstream import errors, http
from routing.upstream.events import Event
from routing.upstream.stream import count_tokens, open_answer
from routing.upstream.target import Quirks
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript
from tests.support.provider import (
    Cut,
    ErrorEvent,
    Fail,
    Garbage,
    Refusal,
    Reply,
    ScriptedProvider,
    Text,
    Thinking,
    ToolCall,
    Usage,
    Wire,
)

JSON = dict[str, Any]
TOOLS = [
    {"name": name, "description": "d", "input_schema": {"type": "object", "properties": {"x": {"type": "string"}}}}
    for name in ("Bash", "Read")
]
PLAIN = Quirks()
CALLS = (ToolCall("Bash", {"x": "ls ✓"}), ToolCall("Read", {}))


@pytest.fixture(scope="module")
def _running() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="key-of-acme") as provider:
        yield provider


@pytest.fixture
def provider(_running: ScriptedProvider) -> ScriptedProvider:
    _running.clear()
    return _running


@pytest.fixture(params=[True, False], ids=["streamed", "plain"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def answered(
    provider: ScriptedProvider, model: str = "gpt-4o", *, quirks: Quirks = PLAIN, **fields: Any
) -> Transcript:
    """A whole answer, judged by the grammar. Raises the UpstreamError it ends in."""
    target = a_target("openai_chat", model=model, base_url=provider.base_url + "/v1", quirks=quirks)
    events: list[Event] = []
    try:
        async with open_answer(target, a_request(**fields)) as answer:
            async for batch in answer:
                events += batch
    finally:
        await http.close()
    return judged(events)


async def test_text_and_usage(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("Hello, wörld ✓")], usage=Usage(input=100, cached=40, output=7)))
    found = await answered(provider, stream=stream)
    assert found.text == "Hello, wörld ✓"
    assert found.message is not None
    usage = found.message["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (60, 40, 7)
    assert "tollgate_estimated" not in usage
    assert provider.refusals == []


@pytest.mark.parametrize(
    "wire",
    [
        Wire(),
        Wire(dribble=1),
        Wire(dribble=7, newline="\r\n", comments=True),
        Wire(merge=4),
        Wire(bunch=9),
        Wire(interleave=True),
        Wire(interleave=True, merge=3),
        Wire(repeat_tool_head=True),
        Wire(tool_ids=False),
        Wire(tool_index=False),
        Wire(usage_in_finish=True, done=False, space=False),
    ],
)
async def test_parallel_calls_however_they_are_put_on_the_wire(provider: ScriptedProvider, wire: Wire) -> None:
    provider.reply(Reply([Text("I look."), *CALLS], delta=3, wire=wire))
    found = await answered(provider, stream=True, tools=TOOLS)
    assert [(call["name"], call["input"]) for call in found.tool_uses] == [("Bash", {"x": "ls ✓"}), ("Read", {})]
    assert found.text == "I look."
    assert found.message is not None
    assert found.message["stop_reason"] == "tool_use"


async def test_a_tool_turn_and_its_history(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("I look."), *CALLS]), Reply([Text("Done.")]))
    first = await answered(provider, stream=stream, tools=TOOLS)
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": call["name"]}
        for call in reversed(first.tool_uses)
    ]
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [*results, {"type": "text", "text": "thanks"}]},
    ]
    assert (await answered(provider, stream=stream, tools=TOOLS, messages=history)).text == "Done."
    assert provider.refusals == []
    sent = provider.inferences[1].body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user"]
    assert [message["content"] for message in sent[2:]] == ["Bash", "Read", "thanks"]


@pytest.mark.parametrize(
    ("place", "model"),
    [("reasoning_content", "deepseek-reasoner"), ("reasoning", "qwen3-32b"), ("openrouter", "z-ai/glm-4.6")],
)
async def test_reasoning_comes_back_to_who_wrote_it(
    provider: ScriptedProvider, place: Any, model: str, stream: bool
) -> None:
    thought = Reply([Thinking("Let me think."), *CALLS[:1]], wire=Wire(reasoning=place))
    provider.reply(thought, Reply([Text("Done.")]))
    asked: JSON = {"stream": stream, "tools": TOOLS, "thinking": {"type": "adaptive"}}
    first = await answered(provider, model, **asked)
    assert first.thinking == "Let me think."
    result = {"type": "tool_result", "tool_use_id": first.tool_uses[0]["id"], "content": "x"}
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    await answered(provider, model, **asked | {"messages": history})
    sent = provider.inferences[1].body["messages"][1]
    told = sent.get("reasoning_details", [{}])[0].get("text") or sent.get(place)
    assert told == "Let me think."


async def test_a_conversation_moves_to_a_host_that_demands_reasoning(provider: ScriptedProvider) -> None:
    """DeepSeek refuses a call without the reasoning behind it, and another provider's call has none to show."""
    provider.reply(Reply([Text("Done.")]))
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_01A", "name": "Bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01A", "content": "x"}]},
    ]
    quirks = Quirks(reasoning_field="reasoning_content")
    found = await answered(provider, "deepseek-reasoner", quirks=quirks, tools=TOOLS, messages=history)
    assert found.text == "Done."


async def test_a_refusal_in_words(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Refusal("I cannot.")]))
    found = await answered(provider, stream=stream)
    assert found.text == "I cannot."
    assert found.message is not None
    assert found.message["stop_reason"] == "refusal"


async def test_an_estimate_where_no_usage_came(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("Hello")], usage=None))
    found = await answered(provider, stream=stream, estimate=321)
    assert found.message is not None
    assert found.message["usage"]["input_tokens"] == 321
    assert found.message["usage"]["tollgate_estimated"] is True


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (Fail("rate_limit", retry_after=3), errors.Busy),
        (Fail("quota"), errors.Misconfigured),
        (Fail("overloaded"), errors.Busy),
        (Fail("context", tokens=210_000, limit=200_000), errors.ContextOverflow),
        (Fail("context_with_max_tokens", tokens=210_000, limit=200_000), errors.ContextOverflow),
        (Fail("auth"), errors.Misconfigured),
        (Fail("permission"), errors.Misconfigured),
        (Fail("model"), errors.UnknownModel),
        (Fail("bad_request"), errors.Refused),
        (Fail("too_large"), errors.TooLarge),
        (Fail("server"), errors.Unavailable),
        (Fail("timeout"), errors.TimedOut),
        (Fail("html"), errors.Unavailable),
    ],
)
async def test_refusals(provider: ScriptedProvider, fail: Fail, kind: type[errors.UpstreamError], stream: bool) -> None:
    provider.reply(fail)
    with pytest.raises(kind) as caught:
        await answered(provider, stream=stream)
    assert type(caught.value) is kind
    if fail.kind == "rate_limit":
        assert caught.value.retry_after == 3
    if fail.kind == "context":
        assert caught.value.message == "prompt is too long: 210000 tokens > 200000 maximum"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Cut(after=2), errors.Broken),
        (Cut(after=2, reset=True), errors.Broken),
        (Garbage(after=1), errors.Broken),
        (ErrorEvent(Fail("overloaded"), after=1), errors.Busy),
        (ErrorEvent(Fail("server"), after=1), errors.Unavailable),
    ],
)
async def test_faults_in_the_middle_are_never_a_success(
    provider: ScriptedProvider, fault: Any, kind: type[errors.UpstreamError]
) -> None:
    provider.reply(Reply([Text("Hello, this is a long answer.")], delta=4, fault=fault))
    with pytest.raises(kind) as caught:
        await answered(provider, stream=True)
    assert type(caught.value) is kind


async def test_a_stream_that_ends_quietly(provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("Hello")], stop=None, wire=Wire(done=False)))
    with pytest.raises(errors.Broken):
        await answered(provider, stream=True)
    provider.reply(Reply([Text("Hello")], stop=None, wire=Wire(done=True)))
    assert (await answered(provider, stream=True)).text == "Hello"


async def test_nothing_counts_tokens_here(provider: ScriptedProvider) -> None:
    target = a_target("openai_chat", base_url=provider.base_url + "/v1")
    assert await count_tokens(target, a_request()) is None
    assert provider.requests == []
