"""Gemini says of no stop sequence that it stopped there: it is told of none, and its text is cut here."""

from __future__ import annotations

import orjson
import pytest

from routing.upstream.events import JSON

from ..factories import a_request
from .test_gemini_answer import GEMINI, READ, SEARCH, TARGET, THINKING, answer, chunk

STOPS: JSON = {"stop_sequences": ["1", "2", "3", "4", "5", "END"], "tools": [READ]}


def test_one_cuts_here() -> None:
    pieces = [chunk({"text": "one E"}), chunk({"text": "ND two"}, {"text": "three"}), chunk(finish="STOP")]
    heard = answer(*pieces, stream=True, **STOPS)
    assert (heard.text, heard.stop_reason) == ("one ", "stop_sequence")
    assert heard.message is not None
    assert heard.message["stop_sequence"] == "END"


def test_a_whole_answer_keeps_its_usage() -> None:
    used = {"promptTokenCount": 7, "candidatesTokenCount": 9, "totalTokenCount": 16}
    heard = answer(chunk({"text": "one END two"}, finish="STOP", usageMetadata=used), **STOPS)
    assert (heard.text, heard.stop_reason) == ("one ", "stop_sequence")
    assert heard.usage["output_tokens"] == 9


def test_what_could_have_become_one_is_told_before_a_call() -> None:
    call = {"functionCall": {"name": "Read", "args": {}}}
    heard = answer(chunk({"text": "one EN"}), chunk(call, finish="STOP"), stream=True, **STOPS)
    assert heard.text == "one EN"
    assert heard.stop_reason == "tool_use"


@pytest.mark.parametrize(("finish", "output", "estimated"), [("STOP", 4, False), (None, 13, True)])
def test_the_count_is_googles_at_the_end_and_ours_before_it(finish: str | None, output: int, estimated: bool) -> None:
    translator = GEMINI.translator(TARGET, a_request(stream=True, **STOPS))
    used = {"promptTokenCount": 7, "cachedContentTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 11}
    translator.feed("", chunk({"text": "one END"}, usageMetadata=used))
    assert translator.feed("", chunk({"text": "x" * 45}, finish=finish, usageMetadata=used)) == []
    told = translator.finish()
    assert told[-2].data["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    usage = told[-2].data["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (4, 3, output)
    assert ("tollgate_estimated" in usage) is estimated
    assert translator.finish() == []


def test_a_stream_that_is_cut_says_no_more_whatever_comes() -> None:
    translator = GEMINI.translator(TARGET, a_request(stream=True, thinking=THINKING, **STOPS))
    translator.feed("", chunk({"text": "one END"}))
    call = {"functionCall": {"name": "Read", "args": {}}, "thoughtSignature": "s"}
    assert translator.feed("", chunk({"text": "hm", "thought": True}, {"text": "END"}, call)) == []
    told = translator.finish()
    assert [event.type for event in told] == ["content_block_stop", "message_delta", "message_stop"]
    assert told[1].data["delta"]["stop_sequence"] == "END"


def test_a_search_is_told_of_before_the_end() -> None:
    found = {"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}], "webSearchQueries": ["q"]}
    used = {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9}
    heard = answer(
        chunk({"text": "one END"}, usageMetadata=used),
        orjson.dumps({"candidates": [{"finishReason": "STOP", "groundingMetadata": found}]}),
        stream=True,
        tools=[SEARCH],
        stop_sequences=["END"],
    )
    assert (heard.text, heard.stop_reason) == ("one ", "stop_sequence")
    assert heard.usage["server_tool_use"] == {"web_search_requests": 1}
