"""Answers of chat completions, streamed and whole, as Anthropic's events."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream import errors
from routing.upstream.dialects.openai_chat_answer import ChatAnswer
from routing.upstream.events import Event
from routing.upstream.target import Capabilities, Quirks
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.transcripts import judged

from .completions import DONE, JSON, SEARCH, TARGET, THINKING, TOOLS, chunk, feed, message, piece, told, usage, whole

# --- text -----------------------------------------------------------------------------------------------------------


def test_text() -> None:
    found = message(
        chunk(role="assistant", content=""),
        chunk(content="Hel"),
        chunk(content="lo ✓"),
        chunk("stop"),
        usage(prompt_tokens=120, completion_tokens=24, prompt_tokens_details={"cached_tokens": 100}),
        DONE,
    )
    assert found["content"] == [{"type": "text", "text": "Hello ✓"}]
    assert found["stop_reason"] == "end_turn"
    assert found["model"] == "claude-opus-4-8"
    assert (found["usage"]["input_tokens"], found["usage"]["cache_read_input_tokens"]) == (20, 100)
    assert found["usage"]["output_tokens"] == 24
    assert "tollgate_estimated" not in found["usage"]


def test_a_whole_body() -> None:
    found = message(
        whole(
            {
                "content": "I look.",
                "reasoning_content": "Hm",
                "tool_calls": [piece(None, id="call_1", name="Bash", arguments='{"a":1}'), piece(None, name="Read")],
            },
            "tool_calls",
            usage={"prompt_tokens": 7, "completion_tokens": 3},
        ),
        request=a_request(tools=TOOLS, thinking=THINKING),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block["input"] for block in found["content"][2:]] == [{"a": 1}, {}]
    assert found["stop_reason"] == "tool_use"


def test_nothing_is_said_before_the_first_words_so_an_error_can_still_be_a_status() -> None:
    answer = ChatAnswer(TARGET, a_request())
    assert answer.feed("", chunk(role="assistant", content="")) == []
    with pytest.raises(errors.Unavailable):
        answer.feed("", orjson.dumps({"error": {"message": "Provider disconnected", "code": 502}}))


def test_the_opening_is_not_repeated() -> None:
    answer = ChatAnswer(TARGET, a_request())
    events = [
        *answer.opening(),
        *answer.feed("", chunk(content="a")),
        *answer.feed("", chunk("stop")),
        *answer.finish(),
    ]
    assert judged(events).text == "a"


def test_an_empty_answer_is_an_empty_message() -> None:
    assert message(chunk(content=""), chunk("stop"), DONE)["content"] == []


def test_deltas_come_out_as_they_come_in() -> None:
    answer = ChatAnswer(TARGET, a_request(tools=TOOLS))
    answer.feed("", chunk(tool_calls=[piece(id="call_1", name="Bash", arguments="")]))
    (event,) = answer.feed("", chunk(tool_calls=[piece(arguments='{"comm')]))
    assert event.data["delta"] == {"type": "input_json_delta", "partial_json": '{"comm'}


# --- how it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("tool_calls", "end_turn"),
        ("eos", "end_turn"),
        ("model_length", "max_tokens"),
    ],
)
def test_stop_reasons(finish: str, reason: str) -> None:
    assert message(chunk(content="a"), chunk(finish))["stop_reason"] == reason
    assert message(whole({"content": "a"}, finish))["stop_reason"] == reason


def test_a_spoken_refusal() -> None:
    found = message(chunk(content=None, refusal="I can"), chunk(refusal="not."), chunk("stop"), DONE)
    assert (found["stop_reason"], found["content"][0]["text"]) == ("refusal", "I cannot.")


def test_a_call_cut_short_keeps_what_came() -> None:
    cut = told(chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments='{"a')]), chunk("length"), DONE)
    assert cut.message is not None
    assert cut.message["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("field", ["stop_reason", "matched_stop"])
def test_the_stop_sequence_where_the_host_names_it(field: str) -> None:
    request = a_request(stop_sequences=["END"])
    found = message(chunk(content="a"), chunk("stop", choice={field: "END"}), request=request)
    assert (found["stop_reason"], found["stop_sequence"]) == ("stop_sequence", "END")
    found = message(chunk(content="a"), chunk("stop", choice={field: 151645}), request=request)
    assert (found["stop_reason"], found["stop_sequence"]) == ("end_turn", None)


def test_the_only_stop_sequence_where_the_host_says_that_there_was_one() -> None:
    stopped = chunk("stop", choice={"native_finish_reason": "stop_sequence"})
    found = message(chunk(content="a"), stopped, request=a_request(stop_sequences=["END"]))
    assert (found["stop_reason"], found["stop_sequence"]) == ("stop_sequence", "END")
    found = message(chunk(content="a"), chunk("stop_sequence"), request=a_request(stop_sequences=["END"]))
    assert found["stop_sequence"] == "END"
    found = message(chunk(content="a"), stopped, request=a_request(stop_sequences=["END", "FIN"]))
    assert (found["stop_reason"], found["stop_sequence"]) == ("end_turn", None), "nobody says which"


def test_a_stop_sequence_that_the_host_does_not_heed_cuts_here() -> None:
    request = a_request(stop_sequences=["1", "2", "3", "4", "END"], tools=TOOLS)
    pieces = [chunk(content="one E"), chunk(content="ND two"), chunk(content=" three"), chunk("stop"), DONE]
    found = message(*pieces, request=request)
    assert [block["text"] for block in found["content"]] == ["one "]
    assert (found["stop_reason"], found["stop_sequence"]) == ("stop_sequence", "END")
    spent = {"prompt_tokens": 9, "completion_tokens": 5}
    found = message(whole({"content": "one END two"}, usage=spent), request=request)
    assert [block["text"] for block in found["content"]] == ["one "]
    assert (found["stop_reason"], found["usage"]["output_tokens"]) == ("stop_sequence", 5)


def test_a_stream_that_is_cut_says_no_more_but_what_it_cost() -> None:
    request = a_request(stop_sequences=["END"], tools=TOOLS, thinking={"type": "adaptive"})
    answer = ChatAnswer(TARGET, request)
    assert answer.feed("", chunk(content="one END two"))[-1].data["delta"]["text"] == "one "
    assert answer.cut
    call = chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments='{"a')])
    for late in (chunk(content="three END"), chunk(reasoning_content="hm"), call, chunk("length")):
        assert answer.feed("", late) == []
    told = answer.feed("", usage(prompt_tokens=9, completion_tokens=5))
    assert [event.type for event in told] == ["content_block_stop", "message_delta", "message_stop"]
    assert told[1].data["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert (told[1].data["usage"]["output_tokens"], "tollgate_estimated" in told[1].data["usage"]) == (5, False)
    assert answer.finish() == []


def test_a_stream_that_is_cut_and_left_is_reckoned_with_what_was_not_told() -> None:
    answer = ChatAnswer(TARGET, a_request(stop_sequences=["END"]))
    answer.feed("", chunk(content="one END two"))
    answer.feed("", chunk(content="x" * 29))
    told = answer.finish()
    assert told[-2].data["usage"]["output_tokens"] == 10
    assert told[-2].data["usage"]["tollgate_estimated"] is True


def test_what_could_have_become_a_stop_sequence_is_told_in_its_place() -> None:
    request = a_request(stop_sequences=["END"], tools=TOOLS)
    call = chunk(tool_calls=[piece(id="call_1", name="Bash", arguments="{}")])
    found = message(chunk(content="one EN"), call, chunk("tool_calls"), DONE, request=request)
    assert [block["type"] for block in found["content"]] == ["text", "tool_use"]
    assert found["content"][0]["text"] == "one EN"
    assert message(chunk(content="one EN"), chunk("stop"), DONE, request=request)["content"][0]["text"] == "one EN"


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("STOP", "end_turn"),
        ("MAX_TOKENS", "max_tokens"),
        ("sensitive", "refusal"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
        ("eos", "end_turn"),
    ],
)
def test_other_hosts_words_for_the_end(finish: str, reason: str) -> None:
    assert message(chunk(content="a"), chunk(finish), DONE)["stop_reason"] == reason


def test_a_whole_copy_at_the_end_of_a_stream_is_not_told_again() -> None:
    """MiniMax's last chunk."""
    copy = whole({"content": "So.", "reasoning_content": "Hm"}, usage={"prompt_tokens": 9, "completion_tokens": 5})
    request = a_request(thinking=THINKING)
    found = message(chunk(reasoning_content="Hm"), chunk(content="So."), copy, DONE, request=request)
    assert [block.get("text", block.get("thinking")) for block in found["content"]] == ["Hm", "So."]
    assert found["usage"]["output_tokens"] == 5


def test_an_answer_in_several_choices_is_one() -> None:
    """GitHub's Copilot, for Claude."""
    call = {"id": "call_1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    choices = [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "I look."}},
        {"index": 1, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}},
    ]
    found = message(orjson.dumps({"choices": choices}), request=a_request(tools=TOOLS))
    assert [block["type"] for block in found["content"]] == ["text", "tool_use"]
    assert found["stop_reason"] == "tool_use"


def test_without_a_finish_reason_the_end_mark_decides() -> None:
    assert message(chunk(content="a"), DONE)["stop_reason"] == "end_turn"
    call = chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments="{}")])
    assert message(call, DONE)["stop_reason"] == "tool_use"
    assert message(whole({"content": "a"}, None))["stop_reason"] == "end_turn"
    with pytest.raises(errors.Broken):
        feed(chunk(content="a"))
    with pytest.raises(errors.Broken):
        feed(chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments='{"a')]), DONE)


@pytest.mark.parametrize("payloads", [[], [b""], [b"not json"], [b"7"], [b'{"choices": []}'], [DONE]])
def test_what_is_no_answer_is_broken(payloads: list[bytes]) -> None:
    with pytest.raises(errors.Broken):
        feed(*payloads)


@pytest.mark.parametrize(
    ("finish", "kind"),
    [
        ("insufficient_system_resource", errors.Busy),
        ("error", errors.Unavailable),
        ("abort", errors.Broken),
    ],
)
def test_an_answer_the_host_gave_up_is_no_success(finish: str, kind: type[errors.UpstreamError]) -> None:
    with pytest.raises(kind):
        feed(chunk(content="a"), chunk(finish), DONE)


def test_what_comes_after_the_end_is_ignored() -> None:
    assert told(chunk(content="a"), chunk("stop"), DONE, chunk(content="b"), DONE).text == "a"


# --- web search -----------------------------------------------------------------------------------------------------


def test_a_search_the_host_did() -> None:
    target = a_target("openai_chat", capabilities=Capabilities(web_search=True), quirks=Quirks(web_search_options=True))
    cited = {"type": "url_citation", "url_citation": {"url": "https://x.test", "title": "X", "start_index": 0}}
    for payloads in (
        [chunk(content="Found."), chunk(annotations=[cited]), chunk("stop"), DONE],
        [whole({"content": "Found.", "annotations": [cited]})],
    ):
        found = message(*payloads, request=a_request(tools=[SEARCH]), target=target)
        kinds = [block["type"] for block in found["content"]]
        assert kinds == ["text", "server_tool_use", "web_search_tool_result"]
        assert found["content"][0]["citations"][0]["url"] == "https://x.test"
        assert found["content"][2]["content"][0]["url"] == "https://x.test"
        assert found["usage"]["server_tool_use"] == {"web_search_requests": 1}


def test_a_search_the_host_cannot_do_fails_aloud() -> None:
    call = [piece(0, id="call_a", name="web_search", arguments='{"query":"news"}')]
    found = message(chunk(tool_calls=call), chunk("tool_calls"), DONE, request=a_request(tools=[SEARCH, *TOOLS]))
    used, failed = found["content"]
    assert (used["type"], used["input"]) == ("server_tool_use", {"query": "news"})
    assert failed["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert failed["tool_use_id"] == used["id"]
    assert found["stop_reason"] == "end_turn"
    assert "server_tool_use" not in found["usage"]


def test_words_from_memory_do_not_pass_for_a_search() -> None:
    """Asked for nothing but a search that it cannot do, answered as if it had: the failure is said anyway."""
    said = [chunk(content="From memory."), chunk("stop"), DONE]
    found = message(*said, request=a_request(tools=[SEARCH]))
    assert [block["type"] for block in found["content"]] == ["text", "server_tool_use", "web_search_tool_result"]
    assert found["content"][-1]["content"]["error_code"] == "unavailable"
    assert "server_tool_use" not in found["usage"]
    beside = message(*said, request=a_request(tools=[SEARCH, *TOOLS]))
    assert [block["type"] for block in beside["content"]] == ["text"], "with other tools it is the model's to choose"


def test_a_clients_own_tool_of_that_name_is_the_clients() -> None:
    own = {"name": "web_search", "input_schema": {"type": "object"}}
    call = [piece(0, id="call_a", name="web_search", arguments="{}")]
    found = message(chunk(tool_calls=call), chunk("tool_calls"), request=a_request(tools=[own]))
    assert found["content"][0]["type"] == "tool_use"


# --- anything -------------------------------------------------------------------------------------------------------

_texts = st.sampled_from(["", " ", "a", "ü✓", "\n\n"])
_items = st.builds(
    piece,
    st.sampled_from([None, 0, 1, 2]),
    id=st.sampled_from([None, "", "call_a", "call_b"]),
    name=st.sampled_from([None, "", "Bash", "Read", "web_search"]),
    arguments=st.sampled_from([None, "", "{", '{"a":', "1}", "{}", {"a": 1}, "[1]"]),
)
_deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": st.one_of(st.none(), _texts, st.just([{"type": "text", "text": "p"}, 3])),
        "reasoning_content": st.one_of(st.none(), _texts),
        "reasoning_details": st.one_of(st.none(), st.just([{"type": "reasoning.text", "text": "r", "index": 0}, "x"])),
        "refusal": st.one_of(st.none(), _texts),
        "tool_calls": st.lists(_items, max_size=3),
        "annotations": st.just([{"url_citation": {"url": "https://x.test"}}, None]),
    },
)
_finishes = st.sampled_from([None, None, None, "stop", "length", "tool_calls", "content_filter"])
_payloads = st.one_of(
    st.builds(lambda delta, finish: chunk(finish, **delta), _deltas, _finishes),
    st.builds(lambda delta, finish: whole(delta, finish), _deltas, _finishes),
    st.just(DONE),
    st.just(usage(prompt_tokens=3, completion_tokens=2)),
    st.recursive(
        st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=3)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(
                st.sampled_from(["choices", "delta", "message", "usage", "tool_calls", "content", "index"]), inner
            ),
        ),
    ).map(orjson.dumps),
    st.binary(max_size=5),
)


@given(
    st.lists(_payloads, max_size=10),
    st.sampled_from([{}, {"thinking": THINKING}, {"tools": [SEARCH, *TOOLS]}, {"tools": TOOLS}]),
)
def test_whatever_comes_the_stream_is_legal_and_fails_only_within_the_tree(payloads: list[bytes], fields: JSON) -> None:
    answer = ChatAnswer(TARGET, a_request(**fields))
    events: list[Event] = []
    try:
        for payload in payloads:
            events += answer.feed("", payload)
        events += answer.finish()
    except errors.UpstreamError as error:
        failure = {"type": "error", "error": {"type": "api_error", "message": error.message}}
        events.append(Event("error", failure))
    judged(events)
