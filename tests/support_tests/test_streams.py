"""Every dialect's answers, read by the vendors' own clients where they are installed, and by eye where not."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.support.grammar import check_message, check_stream
from tests.support.provider import (
    Found,
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
from tests.support_tests.asking import Ask, events

WORDS = "Grüße, 世界! 🚀 Ein längerer Text, damit mehrere Deltas daraus werden."
CALLS = (ToolCall("Bash", {"command": "ls -la"}, id="call_aaaaaaaa"), ToolCall("Read", {"file_path": "/ä/世"}))
TURN = Reply([Text(WORDS), *CALLS], usage=Usage(input=100, cached=60, output=30, reasoning=10), delta=7)
SEARCH = Reply([WebSearch("weather", (Found("https://a.example/", "A", "sunny"),)), Text("Sunny.", cites=(0,))])


@pytest.fixture
def gpt(provider: ScriptedProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=f"{provider.base_url}/v1", max_retries=0) as made:
        yield made


@pytest.fixture
def claude(provider: ScriptedProvider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k", base_url=provider.base_url, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("wire", [Wire(), Wire(dribble=3), Wire(bunch=4)], ids=["frames", "dribble", "bunch"])
def test_anthropics_client_reads_messages(claude: anthropic.Anthropic, provider: ScriptedProvider, wire: Wire) -> None:
    provider.reply(Reply([Thinking("hm"), *TURN.parts], usage=TURN.usage, wire=wire))
    with claude.messages.stream(
        model="claude-sonnet-5",
        max_tokens=4_096,
        thinking={"type": "adaptive"},
        messages=[{"role": "user", "content": "hi"}],
    ) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[1].type == "text"
    assert message.content[1].text == WORDS
    assert message.content[3].type == "tool_use"
    assert message.content[3].input == {"file_path": "/ä/世"}
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 30)


def test_anthropics_streams_keep_the_grammar(ask: Ask, provider: ScriptedProvider) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    shapes = [
        Reply([Thinking("hm"), Thinking("x", redacted=True), Text(WORDS), *CALLS]),
        SEARCH,
        Reply([Text("x")], stop="length"),
        Reply([Text("x")], stop="stop_sequence", stop_sequence="END"),
        Reply([ToolCall("Bash", {})]),
        Reply([Refusal("I cannot.")]),
        Reply([]),
    ]
    for shape in shapes:
        provider.reply(shape, shape)
        streamed = check_stream(ask.stream("anthropic", thinking=thinking), relaxed=True)
        plain = check_message(ask.accepted("anthropic", thinking=thinking), relaxed=True)
        assert streamed.stop_reason == plain.stop_reason
        assert [block["type"] for block in streamed.content] == [block["type"] for block in plain.content]
        assert streamed.text == plain.text


@pytest.mark.parametrize(
    "wire",
    [Wire(), Wire(dribble=2), Wire(merge=3), Wire(interleave=True), Wire(repeat_tool_head=True), Wire(comments=True)],
    ids=["plain", "dribble", "merge", "interleave", "repeat", "comments"],
)
def test_openais_client_reads_chat(gpt: openai.OpenAI, provider: ScriptedProvider, wire: Wire) -> None:
    provider.reply(Reply(TURN.parts, usage=TURN.usage, delta=7, wire=wire))
    text, calls, finish, usage = "", dict[int, list[str]](), None, None
    for chunk in gpt.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                assert call.function is not None
                calls.setdefault(call.index, []).append(call.function.arguments or "")
    assert (text, finish) == (WORDS, "tool_calls")
    assert {index: "".join(said) for index, said in calls.items()} == {
        0: '{"command":"ls -la"}',
        1: '{"file_path":"/ä/世"}',
    }
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.completion_tokens) == (100, 60, 30)


def test_chat_without_stream(gpt: openai.OpenAI, provider: ScriptedProvider) -> None:
    provider.reply(TURN)
    answer = gpt.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "hi"}])
    message = answer.choices[0].message
    assert message.content == WORDS
    assert message.tool_calls is not None
    assert next(call.id for call in message.tool_calls) == "call_aaaaaaaa"


def test_chat_reasoning_of_other_servers(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Text("x")]), Reply([Thinking("hm"), Text("x")]))
    provider.reply(Reply([Thinking("hm"), Text("x")], wire=Wire(reasoning="openrouter")))
    assert b"hm" not in ask.stream("openai_chat")
    assert b'"reasoning_content":"hm"' in ask.stream("openai_chat", "deepseek-chat")
    assert b'"reasoning_details":[{"type":"reasoning.text","text":"hm"' in ask.stream("openai_chat")


def test_chat_usage_only_where_asked_for(ask: Ask, provider: ScriptedProvider) -> None:
    assert b"usage" not in ask.stream("openai_chat")
    told = events(ask.stream("openai_chat", stream_options={"include_usage": True}))
    assert [event["usage"] is None for event in told] == [True] * (len(told) - 1) + [False]
    assert told[-1]["choices"] == []
    provider.reply(Reply([Text("x")], wire=Wire(usage_in_finish=True)))
    told = events(ask.stream("openai_chat", stream_options={"include_usage": True}))
    assert told[-1]["choices"][0]["finish_reason"] == "stop"
    assert told[-1]["usage"]["total_tokens"] == 144


@pytest.mark.parametrize("wire", [Wire(), Wire(dribble=5), Wire(interleave=True)], ids=["plain", "dribble", "turns"])
def test_openais_client_reads_responses(gpt: openai.OpenAI, provider: ScriptedProvider, wire: Wire) -> None:
    provider.reply(Reply([Thinking("hm"), *TURN.parts], usage=TURN.usage, delta=7, wire=wire))
    with gpt.responses.stream(
        model="gpt-5.1",
        input="hi",
        store=False,
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
    ) as stream:
        numbers = [event.sequence_number for event in stream]
        final = stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call", "function_call"]
    assert final.output_text == WORDS
    assert final.output[3].type == "function_call"
    assert final.output[3].arguments == '{"file_path":"/ä/世"}'
    assert final.usage is not None
    assert final.usage.output_tokens_details.reasoning_tokens == 10


def test_responses_search(gpt: openai.OpenAI, provider: ScriptedProvider) -> None:
    provider.reply(SEARCH)
    stream = gpt.responses.create(model="gpt-4.1", input="hi", tools=[{"type": "web_search"}], stream=True)
    names = [event.type for event in stream]
    searched = [name for name in names if "web_search" in name]
    assert searched == [f"response.web_search_call.{state}" for state in ("in_progress", "searching", "completed")]
    assert "response.output_text.annotation.added" in names


@pytest.mark.parametrize(
    ("reply", "last", "reason"),
    [
        (Reply([Text("x")]), "response.completed", None),
        (Reply([Text("x")], stop="length"), "response.incomplete", "max_output_tokens"),
        (Reply([Text("x")], stop="refusal"), "response.incomplete", "content_filter"),
        (Reply([Refusal("no")]), "response.completed", None),
        (Reply([Text("x")], stop=None), "response.output_item.done", None),
    ],
)
def test_responses_endings(ask: Ask, provider: ScriptedProvider, reply: Reply, last: str, reason: str | None) -> None:
    provider.reply(reply)
    final = events(ask.stream("openai_responses"))[-1]
    assert final["type"] == last
    if reason is not None:
        assert final["response"]["incomplete_details"] == {"reason": reason}


def test_gemini_chunks(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), *TURN.parts], usage=TURN.usage))
    config = {"thinkingConfig": {"includeThoughts": True}}
    stream = ask.stream("gemini", generationConfig=config)
    assert b"\r\n\r\n" in stream
    chunks = events(stream)
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"].get("parts", [])]
    assert "".join(part["text"] for part in parts if part.get("thought")) == "hm"
    assert "".join(part["text"] for part in parts if "text" in part and not part.get("thought")) == WORDS
    assert [part["functionCall"]["name"] for part in parts if "functionCall" in part] == ["Bash", "Read"]
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks][-2:] == [None, "STOP"]
    counted = chunks[-1]["usageMetadata"]
    assert (counted["promptTokenCount"], counted["cachedContentTokenCount"]) == (100, 60)
    assert (counted["candidatesTokenCount"], counted["thoughtsTokenCount"], counted["totalTokenCount"]) == (20, 10, 130)


def test_gemini_search_counts_bytes(ask: Ask, provider: ScriptedProvider) -> None:
    found = (Found("https://a.example/", "A"),)
    provider.reply(Reply([WebSearch("q", found), Text("Grüße. "), Text("Da.", cites=(0,))]))
    grounding = ask.accepted("gemini", tools=[{"googleSearch": {}}])["candidates"][0]["groundingMetadata"]
    assert grounding["webSearchQueries"] == ["q"]
    assert grounding["groundingSupports"][0]["segment"] == {"startIndex": 9, "endIndex": 12, "text": "Da."}


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ("length", {"openai_chat": "length", "gemini": "MAX_TOKENS", "anthropic": "max_tokens"}),
        ("refusal", {"openai_chat": "content_filter", "gemini": "SAFETY", "anthropic": "refusal"}),
        (None, {"openai_chat": None, "gemini": None, "anthropic": None}),
    ],
)
def test_stop_reasons(ask: Ask, provider: ScriptedProvider, stop: str | None, words: dict[str, str | None]) -> None:
    for dialect, word in words.items():
        provider.reply(Reply([Text("x")], stop=stop))  # type: ignore[arg-type]
        answer = ask.accepted(dialect)
        found = {
            "openai_chat": lambda answer=answer: answer["choices"][0]["finish_reason"],
            "gemini": lambda answer=answer: answer["candidates"][0].get("finishReason"),
            "anthropic": lambda answer=answer: answer["stop_reason"],
        }[dialect]()
        assert found == word


def test_a_vendors_own_word(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Text("x")], finish="MALFORMED_FUNCTION_CALL"))
    assert ask.accepted("gemini")["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_models_are_listed(claude: anthropic.Anthropic, gpt: openai.OpenAI, ask: Ask) -> None:
    assert [model.id for model in claude.models.list()] == ["claude-sonnet-5", "claude-haiku-4-5"]
    assert "gpt-5.1" in [model.id for model in gpt.models.list()]
    listed = ask.client.get("/v1beta/models").json()["models"]
    assert "models/gemini-2.5-flash" in [model["name"] for model in listed]


def test_tokens_are_counted(claude: anthropic.Anthropic, provider: ScriptedProvider) -> None:
    provider.counts(42)
    asked = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}]}
    assert claude.messages.count_tokens(**asked).input_tokens == 42  # type: ignore[arg-type]
    assert claude.messages.count_tokens(**asked).input_tokens > 0  # type: ignore[arg-type]


def test_gemini_tells_a_blocked_prompt_without_a_candidate(ask: Ask, provider: ScriptedProvider) -> None:
    blocked = Reply([], stop="refusal")
    provider.reply(blocked, blocked)
    assert ask.accepted("gemini")["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in events(ask.stream("gemini"))[0]


def test_gemini_finishes_after_a_call(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply(CALLS))
    last = events(ask.stream("gemini"))[-1]["candidates"][0]
    assert last["content"]["parts"] == [{"text": ""}]
    assert last["finishReason"] == "STOP"


def test_padding_can_be_declined(ask: Ask) -> None:
    assert b"obfuscation" in ask.stream("openai_responses")
    assert b"obfuscation" not in ask.stream("openai_responses", stream_options={"include_obfuscation": False})


def test_only_the_finished_reasoning_is_valid(ask: Ask, provider: ScriptedProvider) -> None:
    provider.reply(Reply([Thinking("hm"), Text("x")]))
    told = events(ask.stream("openai_responses", include=["reasoning.encrypted_content"]))
    early, late = (
        next(event["item"] for event in told if event["type"] == f"response.output_item.{state}")
        for state in ("added", "done")
    )
    user, said = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "x"}
    ask.accepted("openai_responses", input=[user, late, said, user])
    assert "could not be verified" in ask.refused("openai_responses", input=[user, early, said, user])
