"""What LiteLLM carries: the calls of its library that are relied on, against the scripted provider.

These are contract tests too: a new version of LiteLLM must pass them before it is pinned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import httpx
import orjson
import pytest

from routing.upstream import errors
from routing.upstream.dialects import litellm
from routing.upstream.dialects.litellm import LiteLLM, credentials, failure, model_name
from routing.upstream.events import Event
from routing.upstream.stream import count_tokens, open_answer
from routing.upstream.target import Capabilities, Quirks, Target
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript
from tests.support.provider import (
    Cut,
    ErrorEvent,
    Fail,
    Hang,
    Reply,
    ScriptedProvider,
    Text,
    Thinking,
    ToolCall,
    Usage,
    Wire,
)

# LiteLLM 1.106.2 uses pydantic in ways that pydantic 2.11 warns of; these are not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211"),
    pytest.mark.filterwarnings("ignore:Item .* on TypedDict class .* is using the `ReadOnly` qualifier:UserWarning"),
]

JSON = dict[str, Any]
TOOLS = [{"name": name, "description": "d", "input_schema": {"type": "object"}} for name in ("Bash", "Read")]
CALLS = (ToolCall("Bash", {"x": "ls ✓"}), ToolCall("Read", {}))


@pytest.fixture(scope="module")
def library() -> ModuleType:
    return litellm._imported()  # seconds: outside the tests' own time


@pytest.fixture(scope="module")
def _running(library: ModuleType) -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="key-of-acme") as provider:
        yield provider


@pytest.fixture
async def provider(_running: ScriptedProvider, library: ModuleType) -> AsyncIterator[ScriptedProvider]:
    _running.clear()
    yield _running
    await library.close_litellm_async_clients()


@pytest.fixture(params=[True, False], ids=["streamed", "plain"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def target(provider: ScriptedProvider, model: str = "qwen3-32b", **fields: Any) -> Target:
    fields = {"litellm_provider": "hosted_vllm", "base_url": provider.base_url + "/v1"} | fields
    return a_target("litellm", model=model, **fields)


def claude(provider: ScriptedProvider) -> Target:
    """Anthropic's own API by way of LiteLLM: stands for Claude at Bedrock and Vertex."""
    return target(
        provider,
        "claude-sonnet-4-5",
        litellm_provider="anthropic",
        base_url=provider.base_url,
        capabilities=Capabilities(reasoning="budget", max_output=64_000, cache_control=True),
    )


async def answered(provider: ScriptedProvider, goal: Target | None = None, **fields: Any) -> Transcript:
    events: list[Event] = []
    async with open_answer(goal or target(provider), a_request(**fields)) as answer:
        async for batch in answer:
            events += batch
    return judged(events)


# --- what is asked --------------------------------------------------------------------------------------------------


def test_the_call_is_chat_completions_under_litellms_name() -> None:
    goal = a_target("litellm", model="anthropic.claude-x", litellm_provider="bedrock")
    made = LiteLLM().call(
        goal, a_request(system=[{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}])
    )
    assert orjson.loads(made.body) == {
        "model": "bedrock/anthropic.claude-x",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "hi"}],
        "max_tokens": 1024,
    }
    assert model_name(a_target("litellm", model="cohere/command-r")) == "cohere/command-r"


def test_whatever_way_a_model_reasons_litellm_is_told_an_effort() -> None:
    goal = a_target("litellm", capabilities=Capabilities(reasoning="budget"))
    body = orjson.loads(LiteLLM().call(goal, a_request(thinking={"type": "enabled", "budget_tokens": 31999})).body)
    assert (body["reasoning_effort"], body["max_tokens"]) == ("high", 1024)


def test_one_secret_holds_whatever_a_cloud_wants() -> None:
    def found(secret: str) -> JSON:
        return credentials(a_target("litellm", api_key=secret))

    assert found("sk-x") == {"api_key": "sk-x"}
    assert found("") == {}
    assert found('{"aws_access_key_id": "a", "aws_region_name": "r"}') == {
        "aws_access_key_id": "a",
        "aws_region_name": "r",
    }
    account = '{"type": "service_account", "project_id": "p"}'
    assert found(account) == {"vertex_credentials": account}
    with pytest.raises(errors.Misconfigured) as caught:
        found('{"aws_access_key_id": "secret')
    assert "secret" not in str(caught.value)


def test_the_request_outranks_the_providers_row() -> None:
    goal = a_target(
        "litellm",
        model="m",
        api_key='{"model": "x", "vertex_project": "secret"}',
        quirks=Quirks(litellm_params={"messages": "x", "vertex_location": "eu"}),
    )
    arguments = litellm._arguments(LiteLLM(), goal, a_request())
    assert (arguments["model"], arguments["vertex_location"]) == ("m", "eu")
    assert arguments["messages"] == [{"role": "user", "content": "hi"}]
    assert (arguments["max_retries"], arguments["num_retries"], arguments["drop_params"]) == (0, 0, True)


# --- what comes back ------------------------------------------------------------------------------------------------


async def test_text_and_usage(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("Hello, wörld ✓")], usage=Usage(input=100, cached=40, output=7)))
    found = await answered(provider, stream=stream)
    assert found.text == "Hello, wörld ✓"
    assert found.message is not None
    usage = found.message["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (60, 40, 7)
    assert "tollgate_estimated" not in usage
    (seen,) = provider.inferences
    assert seen.headers["authorization"] == "Bearer key-of-acme"
    assert seen.body["model"] == "qwen3-32b"


async def test_usage_the_provider_did_not_send_is_an_estimate(provider: ScriptedProvider, stream: bool) -> None:
    """LiteLLM makes figures up and does not say so."""
    provider.reply(Reply([Text("Hello")], usage=None))
    found = await answered(provider, stream=stream, estimate=321)
    assert found.message is not None
    assert found.message["usage"]["input_tokens"] == 321
    assert found.message["usage"]["tollgate_estimated"] is True


@pytest.mark.parametrize("wire", [Wire(), Wire(merge=4), Wire(interleave=True), Wire(repeat_tool_head=True)])
async def test_parallel_calls(provider: ScriptedProvider, wire: Wire) -> None:
    provider.reply(Reply([Text("I look."), *CALLS], delta=3, wire=wire))
    found = await answered(provider, stream=True, tools=TOOLS)
    assert [(call["name"], call["input"]) for call in found.tool_uses] == [("Bash", {"x": "ls ✓"}), ("Read", {})]


async def test_a_tool_turn_with_its_reasoning(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Thinking("Let me think."), *CALLS]), Reply([Text("Done.")]))
    asked: JSON = {"stream": stream, "tools": TOOLS, "thinking": {"type": "adaptive"}}
    first = await answered(provider, **asked)
    assert first.thinking == "Let me think."
    results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "x"} for call in first.tool_uses]
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    assert (await answered(provider, **asked | {"messages": history})).text == "Done."
    sent = provider.inferences[1].body["messages"]
    assert sent[1]["reasoning_content"] == "Let me think."
    assert [call["id"] for call in sent[1]["tool_calls"]] == [message["tool_call_id"] for message in sent[2:]]
    assert provider.refusals == []


async def test_claude_by_way_of_litellm_gets_its_signed_thinking_back(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Thinking("Let me think."), *CALLS[:1]]), Reply([Text("Done.")]))
    thinking = {"type": "enabled", "budget_tokens": 2000}
    asked: JSON = {"stream": stream, "tools": TOOLS, "thinking": thinking, "max_tokens": 8000}
    first = await answered(provider, claude(provider), **asked)
    assert first.thinking == "Let me think."
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": first.tool_uses[0]["id"], "content": "x"}],
        },
    ]
    assert (await answered(provider, claude(provider), **asked | {"messages": history})).text == "Done."
    assert provider.refusals == []
    sent = provider.inferences[1].body["messages"][1]["content"][0]
    assert (sent["type"], sent["thinking"]) == ("thinking", "Let me think.")
    assert sent["signature"]


async def test_claude_by_way_of_litellm_caches_up_to_the_breakpoints(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("ok")], usage=Usage(input=3000, cached=1000, cache_write=500)))
    control = {"type": "ephemeral", "ttl": "1h"}
    marked = [{"type": "text", "text": "long", "cache_control": control | {"scope": "global"}}]
    found = await answered(
        provider, claude(provider), stream=stream, system=marked, messages=[{"role": "user", "content": marked}]
    )
    sent = provider.inferences[-1].body
    assert sent["system"][0]["cache_control"] == control
    assert sent["messages"][0]["content"][-1]["cache_control"] == control
    usage = found.usage
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (1500, 1000)
    assert usage["cache_creation_input_tokens"] == 500
    assert usage["cache_creation"] in (
        {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 0},
        {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 500},
    )
    assert provider.refusals == []


async def test_claude_by_way_of_litellm_goes_on_after_anothers_call(provider: ScriptedProvider, stream: bool) -> None:
    """Older models refuse to think in the middle of a turn that began without thinking."""
    provider.reply(Reply([Thinking("Let me think."), Text("First.")]), Reply([Text("Done.")]))
    asked: JSON = {"stream": stream, "tools": TOOLS, "max_tokens": 8000}
    asked["thinking"] = {"type": "enabled", "budget_tokens": 2000}
    first = await answered(provider, claude(provider), **asked)
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": "and now"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_of_another", "name": "Read", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_of_another", "content": "x"}]},
    ]
    assert (await answered(provider, claude(provider), **asked | {"messages": history})).text == "Done."
    assert provider.refusals == []
    assert "thinking" not in str(provider.inferences[-1].body)


def test_claude_may_be_told_not_to_think() -> None:
    for reasoning, effort in (("budget", "none"), ("adaptive", "none"), ("effort", "low")):
        goal = a_target("litellm", capabilities=Capabilities(reasoning=reasoning))  # type: ignore[arg-type]
        body = orjson.loads(LiteLLM().call(goal, a_request(thinking={"type": "disabled"})).body)
        assert body["reasoning_effort"] == effort


async def test_nothing_counts_tokens_here(provider: ScriptedProvider) -> None:
    assert await count_tokens(target(provider), a_request()) is None


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (Fail("rate_limit", retry_after=3), errors.Busy),
        (Fail("quota"), errors.Misconfigured),
        (Fail("overloaded"), errors.Busy),
        (Fail("context", tokens=210_000, limit=200_000), errors.ContextOverflow),
        (Fail("auth"), errors.Misconfigured),
        (Fail("permission"), errors.Misconfigured),
        (Fail("model"), errors.UnknownModel),
        (Fail("bad_request"), errors.Refused),
        (Fail("server"), errors.Unavailable),
        (Fail("html"), errors.Unavailable),
    ],
)
async def test_refusals(provider: ScriptedProvider, fail: Fail, kind: type[errors.UpstreamError], stream: bool) -> None:
    provider.reply(fail)
    with pytest.raises(kind) as caught:
        await answered(provider, stream=stream)
    assert type(caught.value) is kind
    assert len(provider.inferences) == 1  # LiteLLM's own retries are off
    if fail.kind == "rate_limit":
        assert caught.value.retry_after == 3
    if fail.kind == "context":
        assert caught.value.message == "prompt is too long: 210000 tokens > 200000 maximum"


async def test_a_host_that_is_not_there(provider: ScriptedProvider) -> None:
    with pytest.raises(errors.Unavailable):
        await answered(provider, target(provider, base_url="http://127.0.0.1:9/v1"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply([Text("Hello, this is long.")], delta=4, fault=Cut(after=2)), errors.UpstreamError),
        (Reply([Text("Hello, this is long.")], delta=4, stop=None, wire=Wire(done=False)), errors.Broken),
        (Reply([Text("Hello")], delta=4, fault=ErrorEvent(Fail("overloaded"), after=1)), errors.UpstreamError),
    ],
)
async def test_an_answer_that_breaks_off_is_never_a_success(
    provider: ScriptedProvider, reply: Reply, kind: type[errors.UpstreamError]
) -> None:
    provider.reply(reply)
    with pytest.raises(kind):
        await answered(provider, stream=True)


@pytest.mark.parametrize("way", ["hosted_vllm", "anthropic"])
async def test_leaving_closes_the_connection(provider: ScriptedProvider, way: str) -> None:
    """With some providers LiteLLM's own ``aclose`` leaves the connection open; the end of its task does not."""
    provider.reply(Reply([Text("Hello, this is long.")], delta=4, fault=Hang(after=2)))
    goal = claude(provider) if way == "anthropic" else target(provider)
    async with open_answer(goal, a_request(stream=True)) as answer:
        async for _ in answer:
            break
    (seen,) = provider.inferences
    for _ in range(100):
        if seen.disconnected is not None:
            break
        await asyncio.sleep(0.02)
    assert seen.disconnected is not None


class TestFailure:
    """What is raised inside LiteLLM, in the one tree."""

    def told(self, error: BaseException) -> errors.UpstreamError:
        return failure(a_target("litellm"), a_request(), error)

    def test_an_error_of_ours_stays(self) -> None:
        error = errors.Unsupported("image")
        assert self.told(error) is error

    def test_a_missing_package_is_the_admins(self) -> None:
        assert type(self.told(ModuleNotFoundError("No module named 'boto3'"))) is errors.Misconfigured

    def test_an_unknown_exception_shows_its_class_alone(self) -> None:
        told = self.told(ValueError("the prompt"))
        assert type(told) is errors.Unavailable
        assert "ValueError" in told.message
        assert "prompt" not in told.message

    def test_a_timeout(self) -> None:
        assert type(self.told(TimeoutError())) is errors.TimedOut

    def test_an_error_in_the_middle_of_a_stream_is_the_one_behind_it(self, library: ModuleType) -> None:
        response = httpx.Response(429, headers={"Retry-After": "7"}, request=httpx.Request("POST", "http://x.test"))
        behind = library.RateLimitError("slow down", llm_provider="x", model="m", response=response)
        told = self.told(library.exceptions.MidStreamFallbackError("m", "m", "x", original_exception=behind))
        assert type(told) is errors.Busy
        assert told.retry_after == 7

    def test_context_overflow_by_its_class(self, library: ModuleType) -> None:
        told = self.told(library.ContextWindowExceededError("BedrockException - no", model="m", llm_provider="x"))
        assert type(told) is errors.ContextOverflow
