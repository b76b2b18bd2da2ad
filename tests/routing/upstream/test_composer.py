from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream import websearch
from routing.upstream.carried import UNSIGNED
from routing.upstream.composer import Composer, tool_use_id
from routing.upstream.errors import Broken
from tests.routing.upstream.factories import MESSAGE_ID, a_request
from tests.routing.upstream.transcripts import judged
from tests.support.grammar import Transcript

A, B = "toolu_aaaaaaaaaaaa", "toolu_bbbbbbbbbbbb"


def _composed(tell: Callable[[Composer], None], stop_reason: str = "end_turn") -> Transcript:
    composer = Composer(a_request())
    tell(composer)
    composer.end("tool_use" if composer.called_tools and stop_reason == "end_turn" else stop_reason)
    return judged(composer.take())


def test_start_names_the_asked_model_and_the_estimate() -> None:
    composer = Composer(a_request(model="claude-opus-4-8", estimate=1234))
    composer.start()
    composer.start()
    (event,) = composer.take()
    message = event.data["message"]
    assert (message["id"], message["model"]) == (MESSAGE_ID, "claude-opus-4-8")
    assert message["usage"]["input_tokens"] == 1234


def test_an_empty_answer_is_legal() -> None:
    assert _composed(lambda _: None).content == []


def test_blocks_come_one_after_another() -> None:
    def tell(composer: Composer) -> None:
        composer.thinking("hm")
        composer.text("")
        composer.text("yes")
        composer.thinking("wait")
        composer.text("no")

    assert [block["type"] for block in _composed(tell).content] == ["thinking", "text", "thinking", "text"]


def test_thinking_always_has_a_signature() -> None:
    def tell(composer: Composer) -> None:
        composer.thinking("one")
        composer.sign("own")
        composer.thinking("two")
        composer.text("x")
        composer.sign("alone")
        composer.thinking("last")

    blocks = _composed(tell).content
    signatures = [(block["thinking"], block["signature"]) for block in blocks if block["type"] == "thinking"]
    assert signatures == [("one", "own"), ("two", UNSIGNED), ("", "alone"), ("last", UNSIGNED)]


def test_arguments_go_out_as_they_come() -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "Bash")
    composer.take()
    for piece in ('{"a', '": "', "1", '"}'):
        composer.arguments(0, piece)
        (event,) = composer.take()
        assert event.data["delta"]["partial_json"] == piece


def test_interleaved_calls_stay_apart() -> None:
    def tell(composer: Composer) -> None:
        composer.tool(0, A, "One")
        composer.tool(1, B, "Two")
        for first, second in zip('{"n":1}', '{"n":2}', strict=True):
            composer.arguments(0, first)
            composer.arguments(1, second)

    calls = _composed(tell).tool_uses
    assert [(call["id"], call["name"], call["input"]) for call in calls] == [(A, "One", {"n": 1}), (B, "Two", {"n": 2})]


def test_the_next_call_opens_when_the_first_is_whole() -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "One")
    composer.tool(1, B, "Two")
    composer.arguments(1, '{"n":')
    composer.take()
    composer.arguments(0, "{}")
    assert [event.type for event in composer.take()] == [
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_a_call_announced_twice_is_one() -> None:
    def tell(composer: Composer) -> None:
        for piece in ("{", "}"):
            composer.tool(0, A, "One")
            composer.arguments(0, piece)
        composer.tool(1, B, "Two")
        composer.tool(0, A, "One")
        composer.arguments(0, " ")

    assert [call["id"] for call in _composed(tell).tool_uses] == [A, B]


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "One")
    composer.end("tool_use")
    assert [event.data["delta"] for event in composer.take() if event.type == "content_block_delta"] == [
        {"type": "input_json_delta", "partial_json": "{}"}
    ]


def test_text_beside_an_open_call_waits_until_it_is_whole() -> None:
    def tell(composer: Composer) -> None:
        composer.tool(0, A, "One")
        composer.arguments(0, '{"n"')
        composer.text("be")
        composer.text("side")
        composer.arguments(0, ":1}")
        composer.text("!")

    transcript = _composed(tell)
    assert transcript.text == "beside!"
    assert [block["type"] for block in transcript.content] == ["tool_use", "text"]
    assert transcript.tool_uses[0]["input"] == {"n": 1}


def test_a_call_said_to_be_whole_holds_nothing_up() -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "One")
    composer.text("after")
    composer.take()
    composer.whole(0)
    assert [event.type for event in composer.take()] == [
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


@pytest.mark.parametrize("arguments", ['{"n": ', "[1]", "7", "null", '"text"', "{}{}"])
def test_arguments_that_are_no_object_end_in_an_error(arguments: str) -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "One")
    composer.arguments(0, arguments)
    with pytest.raises(Broken):
        composer.end("tool_use")
    assert not composer.ended


def test_an_answer_cut_short_may_end_inside_arguments() -> None:
    def tell(composer: Composer) -> None:
        composer.tool(0, A, "One")
        composer.arguments(0, '{"n": ')

    assert _composed(tell, "max_tokens").stop_reason == "max_tokens"


def test_an_answer_cut_short_may_not_break_an_earlier_call() -> None:
    composer = Composer(a_request())
    composer.tool(0, A, "One")
    composer.arguments(0, '{"n": ')
    composer.text("and more")
    with pytest.raises(Broken):
        composer.end("max_tokens")


def test_a_citation_needs_text() -> None:
    def tell(composer: Composer) -> None:
        composer.citation(websearch.citation("https://a.test"))
        composer.text("cited")
        composer.citation(websearch.citation("https://b.test", "B"))

    (block,) = _composed(tell).content
    assert [citation["url"] for citation in block["citations"]] == ["https://b.test"]


def test_a_search_is_told_as_anthropic_tells_it() -> None:
    def tell(composer: Composer) -> None:
        websearch.searched(composer, "weather", [websearch.result("https://a.test")])
        websearch.searched(composer, "again", [], failed=True)

    transcript = _composed(tell)
    call, result, _, failure = transcript.content
    assert call["input"] == {"query": "weather"}
    assert result["tool_use_id"] == call["id"]
    assert result["content"][0]["url"] == "https://a.test"
    assert failure["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert transcript.usage["server_tool_use"] == {"web_search_requests": 1}


def test_an_estimate_says_that_it_is_one() -> None:
    transcript = _composed(lambda composer: composer.text("x" * 9))
    assert transcript.usage["output_tokens"] == 3
    assert transcript.usage["tollgate_estimated"] is True


def test_exact_usage_is_told_apart_by_kind() -> None:
    def tell(composer: Composer) -> None:
        usage = composer.usage
        usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h = 10, 20, 3, 4
        usage.output, usage.reasoning, usage.service_tier, usage.exact = 9, 5, "standard", True

    assert _composed(tell).usage == {
        "input_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
    }


def test_it_ends_once() -> None:
    composer = Composer(a_request())
    composer.end("end_turn")
    composer.take()
    composer.end("end_turn")
    assert composer.take() == []


def test_tool_ids_have_anthropics_shape() -> None:
    assert tool_use_id().startswith("toolu_")
    assert tool_use_id() != tool_use_id()


KEYS = st.integers(0, 3)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
OBJECTS = st.dictionaries(TEXTS, st.integers(-999, 999) | TEXTS, max_size=2)
SAYINGS = st.one_of(
    st.tuples(st.sampled_from(["text", "thinking"]), TEXTS),
    st.tuples(st.just("sign"), st.just("signature")),
    st.tuples(st.just("tool"), KEYS),
    st.tuples(st.just("piece"), KEYS),
    st.tuples(st.just("whole"), KEYS),
    st.tuples(st.just("citation"), st.just("https://a.test")),
    st.tuples(st.just("search"), TEXTS),
    st.tuples(st.just("close"), st.none()),
)


class _Provider:
    """Says anything in any order, but each call's arguments rightly; knows what it has said."""

    def __init__(self, inputs: list[dict[str, Any]], cut: int) -> None:
        self.inputs = inputs
        self.rest = [orjson.dumps(each).decode() for each in inputs]
        self.cut = cut
        self.announced: list[int] = []

    def say(self, composer: Composer, verb: str, what: Any) -> None:
        match verb:
            case "text" | "thinking" | "sign":
                getattr(composer, verb)(what)
            case "tool":
                self._announce(composer, what)
            case "piece" if what in self.announced:
                piece, self.rest[what] = self.rest[what][: self.cut], self.rest[what][self.cut :]
                composer.arguments(what, piece)
            case "whole" if what in self.announced:
                self._complete(composer, what)
            case "citation":
                composer.citation(websearch.citation(what))
            case "search":
                websearch.searched(composer, what, [])
            case "close":
                self.complete(composer)
                composer.close()

    def complete(self, composer: Composer) -> None:
        for key in self.announced:
            self._complete(composer, key)

    def _announce(self, composer: Composer, key: int) -> None:
        composer.tool(key, f"toolu_number_{key}", f"tool{key}")
        if key not in self.announced:
            self.announced.append(key)

    def _complete(self, composer: Composer, key: int) -> None:
        composer.arguments(key, self.rest[key])
        self.rest[key] = ""
        composer.whole(key)


def test_white_space_alone_is_never_a_block() -> None:
    composer = Composer(a_request())
    composer.text(" \n")
    composer.tool(0, "toolu_number_0", "tool0")
    composer.arguments(0, "{}")
    composer.text("\n")
    composer.text(" words")
    composer.text(" ")
    composer.end("tool_use")
    transcript = judged(composer.take())
    assert [block["type"] for block in transcript.content] == ["tool_use", "text"]
    assert transcript.text == "\n words "


@given(st.lists(SAYINGS, max_size=40), st.lists(OBJECTS, min_size=4, max_size=4), st.integers(1, 9))
def test_any_order_of_saying_things_is_a_legal_stream(
    sayings: list[tuple[str, Any]], inputs: list[dict[str, Any]], cut: int
) -> None:
    composer, provider = Composer(a_request()), _Provider(inputs, cut)
    events = []
    for verb, what in sayings:
        provider.say(composer, verb, what)
        events += composer.take()
    provider.complete(composer)
    composer.end("tool_use" if composer.called_tools else "end_turn")
    transcript = judged(events + composer.take())

    # White space that no words follow in its block falls away; nothing else does.
    said = "".join(what for verb, what in sayings if verb == "text")
    assert "".join(transcript.text.split()) == "".join(said.split())
    assert transcript.thinking == "".join(what for verb, what in sayings if verb == "thinking")
    told = {call["id"]: call["input"] for call in transcript.tool_uses}
    assert told == {f"toolu_number_{key}": provider.inputs[key] for key in provider.announced}
    assert list(told) == [f"toolu_number_{key}" for key in provider.announced]
