"""The whole way over real HTTP, against a provider that refuses what OpenAI refuses."""

from __future__ import annotations

from typing import Any

import pytest

from routing.upstream import stream
from routing.upstream.errors import (
    Broken,
    Busy,
    ContextOverflow,
    Misconfigured,
    Refused,
    TooLarge,
    Unavailable,
    UnknownModel,
    UpstreamError,
)
from routing.upstream.events import Event
from routing.upstream.target import Capabilities, Quirks, Target
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript
from tests.support.provider import (
    Cut,
    ErrorEvent,
    Fail,
    Found,
    Garbage,
    Refusal,
    Reply,
    ScriptedProvider,
    Text,
    Thinking,
    ToolCall,
    Usage,
    WebSearch,
    Wire,
)

pytestmark = pytest.mark.usefixtures("no_leaks")

REASONS = Capabilities(
    context_window=400_000,
    max_output=128_000,
    reasoning="effort",
    efforts=("none", "low", "medium", "high"),
    sampling=False,
    web_search=True,
)
PLAIN = Capabilities(context_window=1_000_000, max_output=32_768)
THINKING = {"type": "adaptive"}
BASH = {"name": "Bash", "description": "Runs it", "input_schema": {"type": "object", "properties": {"command": {}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


def _target(running: ScriptedProvider, model: str = "gpt-5.1", **fields: Any) -> Target:
    fields = {"capabilities": REASONS, "base_url": f"{running.base_url}/v1", "provider": "openai"} | fields
    return a_target("openai_responses", model, **fields)


async def _events(target: Target, **body: Any) -> list[Event]:
    async with stream.open_answer(target, a_request(**({"stream": True} | body))) as answer:
        return [event async for batch in answer for event in batch]


async def _told(target: Target, **body: Any) -> Transcript:
    return judged(await _events(target, **body))


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


class TestAnswers:
    async def test_text(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("Hello, \U0001f30d!")], usage=Usage(input=120, cached=100, output=24)))
        told = await _told(_target(provider), stream=streamed, system="Be brief.")
        assert (told.text, told.stop_reason) == ("Hello, \U0001f30d!", "end_turn")
        assert told.usage == {
            "input_tokens": 20,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 0,
            "output_tokens": 24,
            "service_tier": "standard",
        }
        (seen,) = provider.requests
        assert seen.path == "/v1/responses"
        assert seen.headers["authorization"] == "Bearer key-of-acme"
        assert seen.body["instructions"] == "Be brief."
        assert seen.body["store"] is False

    async def test_parallel_calls(self, provider: ScriptedProvider, streamed: bool) -> None:
        calls = [ToolCall("Bash", arguments) for arguments in ({"command": "ls"}, {"command": "pwd"}, {})]
        provider.reply(Reply((Text("Looking."), *calls), delta=3, wire=Wire(interleave=True)))
        told = await _told(_target(provider), stream=streamed, tools=[BASH])
        assert [call["input"] for call in told.tool_uses] == [{"command": "ls"}, {"command": "pwd"}, {}]
        assert len({call["id"] for call in told.tool_uses}) == 3
        assert told.stop_reason == "tool_use"

    async def test_a_refusal(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Refusal("I cannot help with that.")]))
        told = await _told(_target(provider), stream=streamed)
        assert (told.text, told.stop_reason) == ("I cannot help with that.", "refusal")

    async def test_a_cut_at_the_limit(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("and then")], stop="length"))
        assert (await _told(_target(provider), stream=streamed)).stop_reason == "max_tokens"

    async def test_a_content_filter(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("and")], finish="content_filter"))
        assert (await _told(_target(provider), stream=streamed)).stop_reason == "refusal"

    async def test_an_answer_of_nothing(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([]))
        told = await _told(_target(provider), stream=streamed)
        assert (told.content, told.stop_reason) == ([], "end_turn")

    async def test_without_usage_it_is_estimated(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("four")], usage=None))
        told = await _told(_target(provider), stream=streamed)
        assert told.usage["output_tokens"] == 1
        assert told.usage["tollgate_estimated"] is True

    @pytest.mark.parametrize("wire", [Wire(dribble=1), Wire(bunch=100), Wire(newline="\r\n"), Wire(comments=True)])
    async def test_however_the_bytes_fall(self, provider: ScriptedProvider, wire: Wire) -> None:
        thinking, text, call = Thinking("Hmm…"), Text("für \U0001f98a"), ToolCall("Bash", {"command": "ls"})
        provider.reply(Reply([thinking, text, call], wire=wire))
        told = await _told(_target(provider), thinking=THINKING, tools=[BASH])
        assert (told.thinking, told.text) == ("Hmm…", "für \U0001f98a")
        assert told.tool_uses[0]["input"] == {"command": "ls"}


class TestStopSequences:
    async def test_cuts_where_anthropic_would(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("one two END three"), Text("four")], delta=4))
        told = await _told(_target(provider), stream=streamed, stop_sequences=["END", "XX"])
        assert (told.text, told.stop_reason) == ("one two ", "stop_sequence")
        assert told.message is not None
        assert told.message["stop_sequence"] == "END"

    async def test_gives_back_what_was_none(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("one EN"), Text("D two E")], delta=2))
        told = await _told(_target(provider), stream=streamed, stop_sequences=["END"])
        assert (told.text, told.stop_reason) == ("one END two E", "end_turn")

    async def test_does_not_break_off_calls(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([ToolCall("Bash", {"command": "END"}), Text("a END b")], delta=2))
        told = await _told(_target(provider), stream=streamed, stop_sequences=["END"], tools=[BASH])
        assert (told.text, told.stop_reason) == ("a ", "tool_use")

    async def test_in_a_stream_the_rest_is_not_waited_for(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text("ab END " + "x" * 1000)], delta=4, pace=0.02))
        told = await _told(_target(provider), stop_sequences=["END"])
        assert told.usage["tollgate_estimated"] is True
        await provider.disconnected(timeout=1)


class TestReasoning:
    async def test_comes_back_to_the_model_that_wrote_it(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Thinking("First, look."), ToolCall("Bash", {"command": "ls"})]), Reply([Text("Done.")]))
        target = _target(provider)
        told = await _told(target, stream=streamed, thinking=THINKING, tools=[BASH])
        assert [block["type"] for block in told.content] == ["thinking", "tool_use"]
        assert told.thinking == "First, look."

        results = [{"type": "tool_result", "tool_use_id": told.tool_uses[0]["id"], "content": "a.txt"}]
        history = [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": told.content},
            {"role": "user", "content": results},
        ]
        await _told(target, stream=streamed, thinking=THINKING, tools=[BASH], messages=history)
        items = provider.requests[1].body["input"]
        assert [item["type"] for item in items] == ["message", "reasoning", "function_call", "function_call_output"]
        assert items[1]["summary"] == [{"type": "summary_text", "text": "First, look."}]
        assert items[2]["call_id"] == items[3]["call_id"]
        assert provider.refusals == []

    @pytest.mark.parametrize("other", [{"model": "gpt-5.1-mini"}, {"provider": "azure"}])
    async def test_is_dropped_for_any_other(self, provider: ScriptedProvider, other: dict[str, str]) -> None:
        provider.reply(Reply([Thinking("Hm."), Text("Yes.")]))
        told = await _told(_target(provider), thinking=THINKING)
        history = [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": told.content},
            {"role": "user", "content": "on"},
        ]
        await _told(_target(provider, **other), thinking=THINKING, messages=history)
        assert [item["type"] for item in provider.requests[1].body["input"]] == ["message"] * 3

    async def test_is_carried_without_a_summary(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Thinking("secret", redacted=True), Text("Yes.")]), Reply([Text("ok")]))
        told = await _told(_target(provider), stream=streamed, thinking=THINKING)
        assert [block["type"] for block in told.content] == ["thinking", "text"]
        assert told.thinking == ""
        history = [{"role": "assistant", "content": told.content}, {"role": "user", "content": "on"}]
        await _told(_target(provider), thinking=THINKING, messages=history)
        assert [item["type"] for item in provider.requests[1].body["input"]] == ["reasoning", "message", "message"]

    async def test_stays_out_of_sight_where_nobody_asked_for_it(
        self, provider: ScriptedProvider, streamed: bool
    ) -> None:
        provider.reply(Reply([Thinking("Hm."), Text("Yes.")]))
        told = await _told(_target(provider), stream=streamed)
        assert [block["type"] for block in told.content] == ["text"]

    async def test_out_of_sight_it_still_comes_back_with_its_call(
        self, provider: ScriptedProvider, streamed: bool
    ) -> None:
        provider.reply(Reply([Thinking("Hm."), ToolCall("Bash", {})]), Reply([Text("ok")]))
        told = await _told(_target(provider), stream=streamed, tools=[BASH])
        assert [block["type"] for block in told.content] == ["redacted_thinking", "tool_use"]
        history = [{"role": "user", "content": "go"}, {"role": "assistant", "content": told.content}]
        await _told(_target(provider), tools=[BASH], messages=history)
        items = provider.requests[1].body["input"]
        assert [item["type"] for item in items] == ["message", "reasoning", "function_call", "function_call_output"]
        assert provider.refusals == []


class TestWebSearch:
    FOUND = (Found("https://a.test", "A", "tea is green"), Found("https://b.test", "B"))

    async def test_a_search_and_its_citations(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Thinking("Hm."), WebSearch("tea", self.FOUND), Text("Green.", cites=(1,))]))
        told = await _told(_target(provider), stream=streamed, tools=[SEARCH], thinking=THINKING)
        thinking, call, result, text = told.content
        assert (thinking["type"], call["input"]) == ("thinking", {"query": "tea"})
        assert [page["url"] for page in result["content"]] == ["https://a.test", "https://b.test"]
        assert [(each["url"], each["title"]) for each in text["citations"]] == [("https://b.test", "B")]
        assert told.usage["server_tool_use"] == {"web_search_requests": 1}
        sent = provider.requests[0].body
        assert sent["tools"] == [{"type": "web_search"}]
        assert sent["max_tool_calls"] == 8
        assert "web_search_call.action.sources" in sent["include"]

    async def test_the_conversation_goes_on_after_it(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Thinking("Hm."), WebSearch("tea", self.FOUND), Text("Green.", cites=(0,))]))
        provider.reply(Reply([Text("Yes.")]))
        told = await _told(_target(provider), tools=[SEARCH], thinking=THINKING)
        history = [
            {"role": "user", "content": "tea?"},
            {"role": "assistant", "content": told.content},
            {"role": "user", "content": "sure?"},
        ]
        await _told(_target(provider), tools=[SEARCH], thinking=THINKING, messages=history)
        said = provider.requests[1].body["input"][1]
        assert said["role"] == "assistant"
        assert "https://a.test" in "".join(part["text"] for part in said["content"])
        assert provider.refusals == []

    async def test_a_model_that_cannot_search_says_so(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([ToolCall("web_search", {"query": "tea"})]))
        target = _target(provider, "gpt-4.1", capabilities=PLAIN)
        told = await _told(target, stream=streamed, tools=[SEARCH])
        call, failure = told.content
        assert call["input"] == {"query": "tea"}
        assert failure["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
        assert told.stop_reason == "end_turn"
        assert "server_tool_use" not in told.usage


class TestErrors:
    @pytest.mark.parametrize(
        ("fail", "kind"),
        [
            (Fail("rate_limit", retry_after=3), Busy),
            (Fail("overloaded"), Busy),
            (Fail("context"), ContextOverflow),
            (Fail("auth"), Misconfigured),
            (Fail("quota"), Misconfigured),
            (Fail("permission"), Misconfigured),
            (Fail("model"), UnknownModel),
            (Fail("bad_request"), Refused),
            (Fail("too_large"), TooLarge),
            (Fail("server"), Unavailable),
            (Fail("html"), Unavailable),
        ],
        ids=lambda value: getattr(value, "kind", getattr(value, "__name__", "")),
    )
    async def test_a_status(
        self, provider: ScriptedProvider, streamed: bool, fail: Fail, kind: type[UpstreamError]
    ) -> None:
        provider.reply(fail)
        with pytest.raises(UpstreamError) as caught:
            await _events(_target(provider), stream=streamed)
        assert type(caught.value) is kind
        assert caught.value.retry_after == fail.retry_after

    @pytest.mark.parametrize("flat", [True, False])
    @pytest.mark.parametrize(
        ("fail", "kind"),
        [
            (Fail("overloaded"), Busy),
            (Fail("rate_limit"), Busy),
            (Fail("server"), Unavailable),
            (Fail("context"), ContextOverflow),
        ],
        ids=lambda value: getattr(value, "kind", ""),
    )
    @pytest.mark.parametrize("after", [0, 2])
    async def test_an_error_in_a_stream(
        self, provider: ScriptedProvider, fail: Fail, kind: type[UpstreamError], after: int, flat: bool
    ) -> None:
        fault = ErrorEvent(fail, after=after)
        provider.reply(Reply([Text("x" * 100)], fault=fault, wire=Wire(flat_error=flat)))
        seen: list[str] = []
        with pytest.raises(kind):
            await _collect(_target(provider), seen)
        assert after or not seen, "before the first word the error can still be a status"

    async def test_a_quiet_end(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text("x")], stop=None))
        with pytest.raises(Broken):
            await _events(_target(provider))

    async def test_a_cut(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([Text("x" * 100)], fault=Cut(after=2)))
        with pytest.raises(Broken):
            await _events(_target(provider), stream=streamed)

    async def test_garbage(self, provider: ScriptedProvider) -> None:
        provider.reply(Reply([Text("x" * 100)], fault=Garbage(after=2)))
        with pytest.raises(Broken):
            await _events(_target(provider))

    async def test_arguments_that_are_no_json(self, provider: ScriptedProvider, streamed: bool) -> None:
        provider.reply(Reply([ToolCall("Bash", '{"command": ')]))
        with pytest.raises(Broken):
            await _events(_target(provider), stream=streamed, tools=[BASH])


async def _collect(target: Target, seen: list[str]) -> None:
    async with stream.open_answer(target, a_request(stream=True)) as answer:
        async for batch in answer:
            seen += [event.type for event in batch]


async def test_a_model_that_does_not_reason_is_asked_for_none(provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("ok")]))
    target = _target(provider, "gpt-4.1", capabilities=PLAIN, quirks=Quirks(query={"api-version": "1"}))
    await _told(target, thinking={"type": "enabled", "budget_tokens": 9000}, temperature=0.5, top_p=0.9, top_k=3)
    (seen,) = provider.requests
    assert "reasoning" not in seen.body
    assert "include" not in seen.body
    assert (seen.body["temperature"], seen.body["top_p"]) == (0.5, 0.9)
    assert seen.query == {"api-version": "1"}


async def test_there_is_no_counter(provider: ScriptedProvider) -> None:
    assert await stream.count_tokens(_target(provider), a_request()) is None
