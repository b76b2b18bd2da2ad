"""Clients that people use, unmodified, in front of every dialect: Anthropic's SDK with its helpers, and pydantic-ai."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolReturnPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from tests.support.gateway import Gateway
from tests.support.provider import ErrorEvent, Fail, Reply, ScriptedProvider, Text, Thinking, ToolCall

from .asking import DIALECTS, FOREIGN_DIALECTS, MODELS

HI: list[Any] = [{"role": "user", "content": "What is the weather in Rome and in Oslo?"}]
WEATHER = (
    Reply([Text("I look."), ToolCall("weather", {"city": "Rome"}), ToolCall("weather", {"city": "Oslo"})], delta=3),
    Reply([Text("Warm in Rome, "), Text("cold in Oslo.")], delta=3),
)


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.token, max_retries=0) as client:
        yield client


@DIALECTS
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
def test_the_sdks_tool_runner(stream: bool, model: str, sdk: anthropic.Anthropic, provider: ScriptedProvider) -> None:
    asked: list[str] = []

    @beta_tool
    def weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return {"Rome": "25 °C", "Oslo": "-3 °C"}[city]

    provider.reply(*WEATHER)
    runner = sdk.beta.messages.tool_runner(model=model, max_tokens=1000, tools=[weather], messages=HI, stream=stream)
    last = runner.until_done()
    assert asked == ["Rome", "Oslo"]
    assert "".join(block.text for block in last.content if block.type == "text") == "Warm in Rome, cold in Oslo."
    refusals = provider.refusals
    assert len(refusals) == (1 if model == MODELS["anthropic"] else 0), "of the thread alone, in its own words"
    assert all("thread_unsupported_request" in refusal for refusal in refusals)
    first, second = provider.inferences[-2:]
    assert b"What is the weather" in first.raw
    assert b"What is the weather" in second.raw, "the whole conversation, not only a thread's new turn"


@DIALECTS
def test_the_sdks_streaming_helpers(model: str, sdk: anthropic.Anthropic, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Text("Grüße aus Köln"), ToolCall("weather", {"city": "Köln"})], delta=2))
    tools: list[anthropic.types.ToolParam] = [
        {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    ]
    kinds: list[str] = []
    with sdk.messages.stream(
        model=model,
        max_tokens=4000,
        messages=HI,
        tools=tools,
        thinking={"type": "enabled", "budget_tokens": 2000},
    ) as stream:
        kinds += [event.type for event in stream]
        message = stream.get_final_message()
    assert {"text", "input_json", "content_block_stop", "message_stop"} <= set(kinds)
    assert [block.text for block in message.content if block.type == "text"] == ["Grüße aus Köln"]
    assert [block.input for block in message.content if block.type == "tool_use"] == [{"city": "Köln"}]
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens == 24


@FOREIGN_DIALECTS
def test_the_sdks_typed_errors(model: str, sdk: anthropic.Anthropic, provider: ScriptedProvider) -> None:
    def ask(fail: Fail) -> None:
        provider.reply(fail)
        sdk.messages.create(model=model, max_tokens=10, messages=HI)

    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        ask(Fail("context"))
    with pytest.raises(anthropic.RateLimitError) as limited:
        ask(Fail("rate_limit", retry_after=3))
    assert limited.value.response.headers["retry-after"] == "3"
    with pytest.raises(anthropic.NotFoundError):
        ask(Fail("model"))
    with pytest.raises(anthropic.InternalServerError) as failed:
        ask(Fail("server"))
    assert failed.value.request_id == failed.value.response.headers["request-id"]
    with pytest.raises(anthropic.AuthenticationError):
        sdk.with_options(api_key="wrong").messages.create(model=model, max_tokens=10, messages=HI)


@DIALECTS
def test_the_sdk_hears_of_a_stream_that_fails(model: str, sdk: anthropic.Anthropic, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("one two three four")], delta=4, pace=0.05, fault=ErrorEvent(after=2)))
    heard: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError),
        sdk.messages.stream(model=model, max_tokens=10, messages=HI) as stream,
    ):
        heard += list(stream.text_stream)


@DIALECTS
async def test_an_agent_of_pydantic_ai(model: str, gateway: Gateway, provider: ScriptedProvider) -> None:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.token, max_retries=0) as client:
        agent = Agent(AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client)))

        @agent.tool_plain
        def weather(city: str) -> str:
            """The weather of a city."""
            return {"Rome": "25 °C", "Oslo": "-3 °C"}[city]

        provider.reply(*WEATHER)
        plain = await agent.run("What is the weather?")
        assert plain.output.replace("\n", "") == "Warm in Rome, cold in Oslo."
        assert _returned(plain.all_messages()) == ["25 °C", "-3 °C"]
        provider.reply(Reply(WEATHER[0].parts[1:], delta=3), WEATHER[1])  # words would end the run's stream
        async with agent.run_stream("What is the weather?", message_history=plain.all_messages()) as streamed:
            assert "".join([piece async for piece in streamed.stream_text(delta=True)])
        assert isinstance(streamed.all_messages()[-1], ModelResponse)
    assert provider.refusals == []
    assert len(provider.inferences) == 4


def _returned(messages: list[ModelMessage]) -> list[str]:
    return [str(part.content) for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]


def test_models_are_listed_for_a_picker(sdk: anthropic.Anthropic) -> None:
    listed = list(sdk.models.list(limit=1000))
    assert all(model.display_name for model in listed)
    assert any("claude" in model.id for model in listed), "Claude Code shows no others"
    assert set(MODELS.values()) - {model.id for model in listed}, "names with a provider's prefix are not offered"
