"""Stop sequences over real HTTP: what the client reads, and what the provider is asked, waited and paid for."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from routing.upstream.stream import open_answer
from routing.upstream.target import Capabilities, Quirks, Reasoning, Target
from tests.support.grammar import Transcript
from tests.support.provider import Cut, Reply, ScriptedProvider, Text, Thinking, ToolCall, Usage, Wire

from ..factories import a_request, a_target
from ..transcripts import judged

pytestmark = pytest.mark.usefixtures("no_leaks")

MODELS: Final = {"openai_chat": "gpt-4o", "openai_responses": "gpt-5.1", "gemini": "gemini-2.5-pro"}
REASONING: Final[dict[str, Reasoning]] = {"openai_chat": "none", "openai_responses": "effort", "gemini": "budget"}
BASH: Final = {"name": "Bash", "description": "Runs", "input_schema": {"type": "object", "properties": {"command": {}}}}
USAGE: Final = Usage(input=120, cached=100, output=24)


@pytest.fixture(params=list(MODELS))
def target(request: pytest.FixtureRequest, provider: ScriptedProvider) -> Target:
    dialect = request.param
    return a_target(
        dialect,
        MODELS[dialect],
        base_url=provider.base_url + ("" if dialect == "gemini" else "/v1"),
        capabilities=Capabilities(reasoning=REASONING[dialect]),
    )


@pytest.fixture(params=[True, False], ids=["streamed", "plain"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def asked(target: Target, *sequences: str, **fields: Any) -> Transcript:
    events = []
    async with open_answer(target, a_request(stop_sequences=list(sequences), **fields)) as answer:
        async for batch in answer:
            events += batch
    return judged(events)


def ended(told: Transcript) -> tuple[str, str | None, Any]:
    assert told.message is not None
    return told.text, told.stop_reason, told.message["stop_sequence"]


@pytest.mark.parametrize("delta", [1, 5, 64])
async def test_the_text_ends_before_the_sequence_that_is_named(
    provider: ScriptedProvider, target: Target, stream: bool, delta: int
) -> None:
    provider.reply(Reply([Text("one two</block> three END")], usage=USAGE, delta=delta))
    told = await asked(target, "END", "</block>", stream=stream)
    assert ended(told) == ("one two", "stop_sequence", "</block>")
    assert provider.refusals == []


async def test_an_answer_without_one_ends_of_itself(provider: ScriptedProvider, target: Target, stream: bool) -> None:
    provider.reply(Reply([Text("one EN D</bloc")], usage=USAGE, delta=3))
    told = await asked(target, "END", "</block>", stream=stream)
    assert ended(told) == ("one EN D</bloc", "end_turn", None)
    assert told.usage["output_tokens"] == USAGE.output


async def test_the_cost_is_the_providers_own_where_it_ends_soon(
    provider: ScriptedProvider, target: Target, stream: bool
) -> None:
    provider.reply(Reply([Text("one END two three")], usage=USAGE, delta=2))
    told = await asked(target, "END", stream=stream)
    assert ended(told) == ("one ", "stop_sequence", "END")
    usage = told.usage
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (20, 100)
    assert "tollgate_estimated" not in usage


async def test_a_long_rest_is_neither_waited_nor_paid_for(
    provider: ScriptedProvider, target: Target, stream: bool
) -> None:
    provider.reply(Reply([Text("one END " + "x" * 400)], usage=USAGE, delta=2, pace=0.05))
    began = time.monotonic()
    told = await asked(target, "END", stream=stream)
    assert ended(told) == ("one ", "stop_sequence", "END")
    assert time.monotonic() - began < 2.5
    await provider.disconnected(timeout=1)
    assert told.usage["tollgate_estimated"] is True
    assert 2 < told.usage["output_tokens"] < 100
    if target.dialect == "gemini":
        assert told.usage["cache_read_input_tokens"] == 100, "Google tells of the input with every chunk"


async def test_a_failure_after_the_cut_is_no_failure(provider: ScriptedProvider, target: Target) -> None:
    provider.reply(Reply([Text("one END " + "x" * 40)], delta=2, pace=0.01, fault=Cut(after=10)))
    assert ended(await asked(target, "END", stream=True)) == ("one ", "stop_sequence", "END")


async def test_arguments_and_thinking_are_never_cut(provider: ScriptedProvider, target: Target, stream: bool) -> None:
    wire = Wire(reasoning="reasoning_content")
    provider.reply(Reply([Thinking("the END"), Text("so"), ToolCall("Bash", {"command": "END"})], wire=wire, delta=2))
    thinking = {"type": "enabled", "budget_tokens": 2048}
    told = await asked(target, "END", stream=stream, tools=[BASH], thinking=thinking)
    assert ended(told) == ("so", "tool_use", None)
    assert told.thinking == "the END"
    assert told.tool_uses[0]["input"] == {"command": "END"}


async def test_a_host_that_names_them_is_told_of_them(provider: ScriptedProvider, stream: bool) -> None:
    provider.reply(Reply([Text("one ")], usage=USAGE))
    host = a_target("openai_chat", "qwen3", base_url=f"{provider.base_url}/v1", quirks=Quirks(stop_sequences=True))
    assert ended(await asked(host, "END", stream=stream)) == ("one ", "end_turn", None)
    sent = provider.inferences[-1].body
    assert (sent["stop"], sent.get("stream", False)) == (["END"], stream)
