"""The translator alone, on payloads; ``test_openai_responses`` goes the whole way."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.dialects.openai_responses import OpenAIResponses
from routing.upstream.errors import Broken, UpstreamError
from routing.upstream.events import JSON, Event
from routing.upstream.target import Capabilities
from tests.routing.upstream.factories import a_request, a_target, told
from tests.routing.upstream.recordings import expected, heard, names, settled, wire_text
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript

DIALECT = OpenAIResponses()
TARGET = a_target(
    "openai_responses", "gpt-5.1", capabilities=Capabilities(reasoning="effort", sampling=False, web_search=True)
)
THINKING = {"type": "adaptive"}
READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
# What every recording is taken for the answer to.
ASKED: JSON = {"thinking": THINKING, "tools": [READ, SEARCH]}
RECORDED = names("openai_responses")


def _translator(**body: Any) -> Any:
    return DIALECT.translator(TARGET, a_request(**({"stream": True} | body)))


def _answer(*events: JSON, **body: Any) -> Transcript:
    return judged(told(_translator(**body), *map(orjson.dumps, events)))


def _end(status: str = "completed", **fields: Any) -> JSON:
    return {"type": f"response.{status}", "response": {"object": "response", "status": status, "output": []} | fields}


class TestRecorded:
    @pytest.mark.parametrize("name", RECORDED)
    def test_a_stream_becomes_the_events_beside_it(self, name: str) -> None:
        events, error = heard(_translator(**ASKED), wire_text("openai_responses", name))
        assert settled(events, error) == expected("openai_responses", name)
        if error is None:
            judged(events)

    @given(st.data())
    def test_it_may_be_cut_anywhere(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(RECORDED))
        stream = wire_text("openai_responses", name)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
        assert settled(*heard(_translator(**ASKED), stream, *cuts)) == expected("openai_responses", name)

    @given(st.data())
    def test_an_early_end_is_legal_so_far_and_never_pretends_to_be_one(self, data: st.DataObject) -> None:
        stream = wire_text("openai_responses", data.draw(st.sampled_from(RECORDED)))
        end = stream.rindex(b"data:")
        events, error = heard(_translator(**ASKED), stream[: data.draw(st.integers(0, end))])
        assert error is not None
        said = {"type": "error", "error": {"type": "api_error", "message": error.message}}
        assert judged([*events, Event("error", said)]).error == said["error"]

    @pytest.mark.parametrize("name", RECORDED)
    def test_the_whole_response_says_the_same(self, name: str) -> None:
        """What a stream tells in deltas, and the response object at its end as a whole answer."""
        stream = wire_text("openai_responses", name)
        streamed, error = heard(_translator(**ASKED), stream)
        last = orjson.loads(stream.strip().rpartition(b"data: ")[2])["response"]
        whole, whole_error = heard(_translator(**ASKED, stream=False), b"data: " + orjson.dumps(last) + b"\n\n")
        assert type(whole_error) is type(error)
        if error is None:
            assert _message(judged(whole)) == _message(judged(streamed))


def _message(transcript: Transcript) -> Any:
    """A message without what is random in it."""
    found = [
        {key: value for key, value in block.items() if key not in ("id", "tool_use_id", "signature")}
        for block in transcript.content
    ]
    return found, transcript.stop_reason, transcript.usage


class TestHosts:
    """Departures from OpenAI's own stream, as compatible hosts are known for."""

    def test_no_deltas_at_all(self) -> None:
        message = {"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}
        call = {"type": "function_call", "call_id": "call_1", "name": "Read", "arguments": '{"path":"a"}'}
        done = [{"type": "response.output_item.done", "item": item} for item in (message | {"id": "m"}, call)]
        answer = _answer(*done, _end(), tools=[READ])
        assert answer.text == "Hi."
        assert answer.tool_uses[0]["input"] == {"path": "a"}

    def test_everything_at_the_end(self) -> None:
        message = {"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}
        assert _answer(_end(output=[message])).text == "Hi."

    def test_deltas_of_a_message_that_was_not_announced(self) -> None:
        delta = {"type": "response.output_text.delta", "delta": "Hi."}
        message = {"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}
        assert _answer(delta, _end(output=[message])).text == "Hi."

    def test_deltas_of_a_call_that_was_not_announced(self) -> None:
        delta = {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '{"path":'}
        call = {"type": "function_call", "call_id": "c", "name": "Read", "arguments": '{"path":"a"}'}
        answer = _answer(delta, {"type": "response.output_item.done", "output_index": 0, "item": call}, _end())
        assert answer.tool_uses[0]["input"] == {"path": "a"}

    def test_one_place_for_all_items(self) -> None:
        items = [
            {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Hi."}]},
            {"type": "function_call", "id": "f", "call_id": "c", "name": "Read", "arguments": "{}"},
        ]
        answer = _answer(
            *({"type": "response.output_item.done", "output_index": 0, "item": item} for item in items), _end()
        )
        assert [block["type"] for block in answer.content] == ["text", "tool_use"]

    def test_reasoning_in_the_clear(self) -> None:
        reasoning = {
            "type": "reasoning",
            "id": "r",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        }
        answer = _answer(
            {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "Hm."},
            {"type": "response.output_item.done", "output_index": 0, "item": reasoning},
            {"type": "response.output_text.delta", "output_index": 1, "delta": "Hi."},
            _end(),
            thinking=THINKING,
        )
        assert (answer.thinking, answer.text) == ("Hm.", "Hi.")

    def test_done_at_the_end(self) -> None:
        translator = _translator()
        events = translator.feed("", orjson.dumps(_end())) + translator.feed("", b" [DONE]") + translator.finish()
        assert judged(events).stop_reason == "end_turn"

    def test_a_failed_search_is_not_counted(self) -> None:
        search = {
            "type": "web_search_call",
            "id": "w",
            "status": "failed",
            "action": {"type": "search", "query": "tea"},
        }
        answer = _answer(
            {"type": "response.output_item.done", "output_index": 0, "item": search}, _end(), tools=[SEARCH]
        )
        assert answer.content[1]["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
        assert "server_tool_use" not in answer.usage

    def test_words_from_memory_do_not_pass_for_a_search(self) -> None:
        """Of a model that cannot search: asked for nothing else, it says that the search failed."""
        item = {"type": "message", "content": [{"type": "output_text", "text": "From memory."}]}
        said = orjson.dumps({"object": "response", "status": "completed", "output": [item]})
        target = a_target("openai_responses", capabilities=Capabilities(web_search=False))
        heard = judged(told(DIALECT.translator(target, a_request(tools=[SEARCH])), said))
        assert [block["type"] for block in heard.content] == ["text", "server_tool_use", "web_search_tool_result"]
        assert heard.content[-1]["content"]["error_code"] == "unavailable"
        beside = judged(told(DIALECT.translator(target, a_request(tools=[SEARCH, READ])), said))
        assert [block["type"] for block in beside.content] == ["text"]

    @pytest.mark.parametrize("kind", ["image_generation_call", "mcp_call", "an_item_of_tomorrow"])
    def test_items_nobody_asked_for_say_nothing(self, kind: str) -> None:
        item = {"type": kind, "id": "x", "status": "completed"}
        assert _answer({"type": "response.output_item.done", "output_index": 0, "item": item}, _end()).content == []

    @pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b'{"object":"response","status":"queued"}'])
    def test_what_is_no_answer_is_broken(self, payload: bytes) -> None:
        with pytest.raises(Broken):
            _translator().feed("", payload)

    def test_a_call_without_a_name_is_broken(self) -> None:
        item = {"type": "function_call", "call_id": "c", "arguments": "{}"}
        with pytest.raises(Broken):
            _answer({"type": "response.output_item.done", "output_index": 0, "item": item})

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_a_failure_without_a_reason(self, status: str) -> None:
        with pytest.raises(UpstreamError):
            _answer(_end(status, error=None))


@pytest.mark.parametrize("pieces", [[], ['{"path":'], ['{"path":', '"a"}']])
def test_arguments_that_are_told_whole_when_they_are_done(pieces: list[str]) -> None:
    place = {"output_index": 0, "item_id": "fc_1"}
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Read", "arguments": ""}
    said = [{"type": "response.function_call_arguments.delta", "delta": each, **place} for each in pieces]
    done = {"type": "response.function_call_arguments.done", "arguments": '{"path":"a"}', **place}
    added = {"type": "response.output_item.added", "item": item, **place}
    for last in ([], [{"type": "response.output_item.done", "item": {**item, "arguments": '{"path":"a"}'}, **place}]):
        answer = _answer(added, *said, done, *last, _end(), tools=[READ])
        assert [call["input"] for call in answer.tool_uses] == [{"path": "a"}]


def test_the_opening_is_not_repeated() -> None:
    translator = _translator()
    opening = translator.opening()
    assert [event.type for event in opening] == ["message_start"]
    delta = {"type": "response.output_text.delta", "delta": "Hi."}
    assert judged(opening + told(translator, orjson.dumps(delta), orjson.dumps(_end()))).text == "Hi."


def test_long_and_foreign_tool_names_come_back_as_they_were() -> None:
    name = "mcp__a.server__" + "x" * 80
    tool = READ | {"name": name}
    wire = orjson.loads(DIALECT.call(TARGET, a_request(tools=[tool])).body)["tools"][0]["name"]
    assert len(wire) <= 64
    item = {"type": "function_call", "call_id": "c", "name": wire, "arguments": "{}"}
    answer = _answer({"type": "response.output_item.done", "output_index": 0, "item": item}, _end(), tools=[tool])
    assert answer.tool_uses[0]["name"] == name


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)
FIELDS = ("id", "name", "arguments", "call_id", "content", "summary", "action", "encrypted_content", "status")
ITEMS = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "reasoning", "function_call", "web_search_call", "x"])},
    optional=dict.fromkeys(FIELDS, VALUES),
)
ANY_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                [
                    *("response.created", "response.output_item.added", "response.output_item.done", "keepalive"),
                    *("response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta"),
                    *("response.reasoning_summary_text.delta", "response.function_call_arguments.delta"),
                    *("response.output_text.annotation.added", "response.completed", "response.incomplete"),
                ]
            )
        },
        optional={
            "output_index": st.integers(0, 2) | VALUES,
            "item": ITEMS | VALUES,
            "delta": VALUES,
            "annotation": VALUES,
            "content_index": VALUES,
            "summary_index": VALUES,
            "response": VALUES
            | st.fixed_dictionaries({}, optional=dict.fromkeys(("status", "usage", "output", "error"), VALUES)),
        },
    ),
    max_size=8,
)


@given(ANY_EVENTS)
def test_whatever_comes_the_stream_is_legal_or_an_error_of_ours(events: list[JSON]) -> None:
    try:
        transcript = _answer(*events, _end(), thinking=THINKING, stop_sequences=["ba"])
    except UpstreamError:
        return
    assert transcript.stop_reason
