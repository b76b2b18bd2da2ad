"""Gemini's answers as Anthropic's events: wire text, single rules, and streams cut anywhere.

The wire text in ``tests/recorded/gemini`` is composed after the answers that Google's documentation shows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from routing.upstream.dialects.gemini import Gemini
from routing.upstream.dialects.gemini_content import Signatures
from routing.upstream.errors import Broken, Busy, ContextOverflow, TimedOut, Unavailable
from routing.upstream.events import JSON
from routing.upstream.sse import Decoder
from routing.upstream.target import Capabilities
from tests.support.grammar import Transcript

from ..factories import a_request, a_target, told
from ..transcripts import judged

GEMINI = Gemini()
TARGET = a_target("gemini", capabilities=Capabilities(reasoning="level", web_search=True))
RECORDED = Path(__file__).parents[3] / "recorded" / "gemini"
THINKING = {"type": "adaptive"}
READ = {"name": "Read", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
# What each recording was the answer to.
ASKED: dict[str, JSON] = {
    "text": {},
    "thinking_and_calls": {"thinking": THINKING, "tools": [READ]},
    "search": {"tools": [SEARCH]},
    "blocked": {},
}


def chunk(*parts: JSON, finish: str | None = None, **fields: Any) -> bytes:
    candidate: JSON = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return orjson.dumps({"candidates": [candidate], **fields})


def answer(*payloads: bytes, **fields: Any) -> Transcript:
    return judged(told(GEMINI.translator(TARGET, a_request(**fields)), *payloads))


def decoded(stream: bytes, *cuts: int) -> list[bytes]:
    """The payloads of a stream that comes in pieces."""
    decoder = Decoder()
    pairs = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        pairs += decoder.feed(stream[start:end])
    return [payload for _, payload in pairs + decoder.finish()]


def settled(events: list[Any]) -> list[Any]:
    """Events with random ids numbered and seals opened."""
    text = orjson.dumps([event.data for event in events]).decode()
    text = re.sub(r"tg1-[A-Za-z0-9_-]+", "SEALED", text)
    ids = list(dict.fromkeys(re.findall(r"(?:srv)?toolu_[0-9a-f]{24}", text)))
    for number, found in enumerate(ids, 1):
        text = text.replace(found, f"{found.partition('_')[0]}_{number}")
    return list(orjson.loads(text))


@pytest.mark.parametrize("name", ASKED)
def test_a_recorded_stream_becomes_the_events_beside_it(name: str) -> None:
    payloads = decoded((RECORDED / f"{name}.sse").read_bytes())
    events = told(GEMINI.translator(TARGET, a_request(**ASKED[name])), *payloads)
    judged(events)
    assert settled(events) == orjson.loads((RECORDED / f"{name}.events.json").read_bytes())


@pytest.mark.parametrize("name", ASKED)
def test_a_stream_may_be_cut_at_every_byte(name: str) -> None:
    stream = (RECORDED / f"{name}.sse").read_bytes()
    whole = decoded(stream)
    for cut in range(len(stream) + 1):
        assert decoded(stream, cut) == whole


@pytest.mark.parametrize("name", ASKED)
def test_a_stream_that_breaks_off_is_broken_wherever_it_does(name: str) -> None:
    payloads = decoded((RECORDED / f"{name}.sse").read_bytes())
    for count in range(len(payloads) - 1):
        with pytest.raises(Broken):
            told(GEMINI.translator(TARGET, a_request(**ASKED[name])), *payloads[:count])


class TestBlocks:
    def test_text_as_it_comes(self) -> None:
        translator = GEMINI.translator(TARGET, a_request())
        assert [event.type for event in translator.feed("", chunk({"text": "Hé"}))] == [
            "message_start",
            "content_block_start",
            "content_block_delta",
        ]
        assert [event.type for event in translator.feed("", chunk({"text": "llo"}))] == ["content_block_delta"]
        assert translator.feed("", chunk(finish="STOP")) == []
        assert [event.type for event in translator.finish()] == ["content_block_stop", "message_delta", "message_stop"]

    def test_the_opening_is_not_repeated(self) -> None:
        translator = GEMINI.translator(TARGET, a_request())
        opened = translator.opening()
        heard = judged([*opened, *told(translator, chunk({"text": "a"}, finish="STOP"))])
        assert heard.text == "a"

    def test_several_parts_in_one_chunk(self) -> None:
        # LiteLLM merged two functionCall parts of one chunk into one
        calls = [{"functionCall": {"name": "Read", "args": {"path": path}}} for path in ("a", "a", "b")]
        heard = answer(chunk({"text": "Reading."}, *calls, finish="STOP"), tools=[READ])
        assert [block["type"] for block in heard.content] == ["text", "tool_use", "tool_use", "tool_use"]
        assert [call["input"] for call in heard.tool_uses] == [{"path": "a"}, {"path": "a"}, {"path": "b"}]
        assert len({call["id"] for call in heard.tool_uses}) == 3
        assert heard.stop_reason == "tool_use"

    def test_a_call_that_a_chunk_repeats_is_one_call(self) -> None:
        part = {"functionCall": {"id": "c1", "name": "Read", "args": {}}}
        assert len(answer(chunk(part), chunk(part, finish="STOP"), tools=[READ]).tool_uses) == 1

    def test_a_call_without_arguments(self) -> None:
        heard = answer(chunk({"functionCall": {"name": "Read"}}, finish="STOP"), tools=[READ])
        assert heard.tool_uses[0]["input"] == {}

    def test_a_shortened_name_is_restored(self) -> None:
        name = "mcp__server.name__" + "x" * 80
        request = a_request(tools=[{**READ, "name": name}])
        sent = orjson.loads(GEMINI.call(TARGET, request).body)["tools"][0]["functionDeclarations"][0]["name"]
        part = {"functionCall": {"name": sent, "args": {}}}
        heard = judged(told(GEMINI.translator(TARGET, request), chunk(part, finish="STOP")))
        assert heard.tool_uses[0]["name"] == name

    def test_thoughts_are_shown_to_who_asked_for_them(self) -> None:
        parts = ({"text": "hm", "thought": True}, {"text": "Yes."})
        assert answer(chunk(*parts, finish="STOP"), thinking=THINKING).thinking == "hm"
        assert [block["type"] for block in answer(chunk(*parts, finish="STOP")).content] == ["text"]

    def test_an_image_is_named_for_there_is_no_block_for_it(self) -> None:
        heard = answer(chunk({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, finish="STOP"))
        assert "image/png" in heard.text


class TestSignatures:
    def test_a_call_carries_its_own(self) -> None:
        part = {"functionCall": {"id": "c1", "name": "Read", "args": {}}, "thoughtSignature": "c2ln"}
        heard = answer(chunk(part, finish="STOP"), tools=[READ])
        assert [block["type"] for block in heard.content] == ["tool_use"]
        assert Signatures(TARGET).of_id(heard.tool_uses[0]["id"]) == ("c1", "c2ln")
        assert re.fullmatch(r"toolu_[a-zA-Z0-9_-]+", heard.tool_uses[0]["id"])

    def test_a_long_one_comes_in_a_block_before_the_call(self) -> None:
        part = {"functionCall": {"id": "c1", "name": "Read", "args": {}}, "thoughtSignature": "c2ln" * 2000}
        thought, call = answer(chunk(part, finish="STOP"), tools=[READ]).content
        assert Signatures(TARGET).of_thinking(thought) == ("call", "c2ln" * 2000)
        assert Signatures(TARGET).of_id(call["id"]) == ("c1", "")

    def test_a_thought_and_a_text_carry_theirs_in_thinking_blocks(self) -> None:
        heard = answer(
            chunk({"text": "hm", "thought": True, "thoughtSignature": "dGhvdWdodA=="}),
            chunk({"text": "Yes."}),
            chunk({"text": "", "thoughtSignature": "dGV4dA=="}),
            chunk({"functionCall": {"name": "Read", "args": {}}}, finish="STOP"),
            thinking=THINKING,
            tools=[READ],
        )
        assert [block["type"] for block in heard.content] == ["thinking", "text", "thinking", "tool_use"]
        assert Signatures(TARGET).of_thinking(heard.content[0]) == ("thought", "dGhvdWdodA==")
        assert Signatures(TARGET).of_thinking(heard.content[2]) == ("text", "dGV4dA==")

    def test_no_answer_ends_in_a_signature(self) -> None:
        heard = answer(chunk({"text": "Yes.", "thoughtSignature": "dGV4dA=="}, finish="STOP"), thinking=THINKING)
        assert [block["type"] for block in heard.content] == ["text"]

    def test_a_texts_signature_is_no_block_for_who_wants_no_thinking(self) -> None:
        heard = answer(chunk({"text": "Yes.", "thoughtSignature": "dGV4dA=="}, finish="STOP"))
        assert [block["type"] for block in heard.content] == ["text"]

    def test_what_was_answered_goes_back_as_it_came(self) -> None:
        parts: list[JSON] = [
            {"text": "hm", "thought": True, "thoughtSignature": "MQ=="},
            {"text": "I read.", "thoughtSignature": "Mg=="},
            {"functionCall": {"id": "c1", "name": "Read", "args": {"path": "a"}}, "thoughtSignature": "Mw=="},
            {"functionCall": {"id": "c2", "name": "Read", "args": {"path": "a"}}},
        ]
        heard = answer(chunk(*parts, finish="STOP"), thinking=THINKING, tools=[READ])
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "x"} for call in heard.tool_uses]
        again = a_request(
            messages=[
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": heard.content},
                {"role": "user", "content": results},
            ],
            tools=[READ],
        )
        assert orjson.loads(GEMINI.call(TARGET, again).body)["contents"][1]["parts"] == parts


class TestEndings:
    @pytest.mark.parametrize(
        ("finish", "stop_reason"),
        [
            ("STOP", "end_turn"),
            ("MAX_TOKENS", "max_tokens"),
            ("SAFETY", "refusal"),
            ("RECITATION", "refusal"),
            ("BLOCKLIST", "refusal"),
            ("PROHIBITED_CONTENT", "refusal"),
            ("SPII", "refusal"),
            ("LANGUAGE", "refusal"),
        ],
    )
    def test_the_finish_reason(self, finish: str, stop_reason: str) -> None:
        assert answer(chunk({"text": "a"}, finish=finish)).stop_reason == stop_reason
        assert answer(orjson.dumps({"candidates": [{"finishReason": finish}]})).stop_reason == stop_reason

    @pytest.mark.parametrize(
        ("finish", "error"),
        [
            ("MALFORMED_FUNCTION_CALL", Broken),
            ("UNEXPECTED_TOOL_CALL", Broken),
            ("OTHER", Broken),
            ("A_NEW_ONE", Broken),
            ("TIMEOUT", TimedOut),
        ],
    )
    def test_what_the_model_could_not_finish_is_an_error_and_no_silent_end(self, finish: str, error: type) -> None:
        with pytest.raises(error):
            answer(chunk({"text": "a"}, finish=finish))

    def test_a_blocked_prompt_is_a_refusal(self) -> None:
        heard = answer(orjson.dumps({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
        assert (heard.content, heard.stop_reason) == ([], "refusal")

    @pytest.mark.parametrize("payloads", [[], [chunk({"text": "a"})], [b"{}"]])
    def test_no_finish_reason_is_an_answer_that_broke_off(self, payloads: list[bytes]) -> None:
        with pytest.raises(Broken):
            answer(*payloads)

    @pytest.mark.parametrize("payload", [b"", b"<html>", b"3", b"[3]", b'"text"'])
    def test_what_is_no_chunk_is_broken(self, payload: bytes) -> None:
        with pytest.raises(Broken):
            answer(payload)

    def test_the_list_form_is_read_too(self) -> None:
        heard = answer(b"[" + chunk({"text": "a"}) + b"," + chunk({"text": "b"}, finish="STOP") + b"]")
        assert heard.text == "ab"

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            ({"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}, Busy),
            ({"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}, Busy),
            ({"message": "Internal error", "status": "INTERNAL"}, Unavailable),
            ({"status": "DEADLINE_EXCEEDED"}, TimedOut),
            (
                {"code": 400, "message": "The input token count exceeds the maximum number of tokens allowed 1048576."},
                ContextOverflow,
            ),
        ],
    )
    @pytest.mark.parametrize("form", ["object", "list"])
    def test_an_error_in_the_middle_of_a_stream(self, error: JSON, kind: type, form: str) -> None:
        said: Any = {"error": error}
        translator = GEMINI.translator(TARGET, a_request())
        translator.feed("", chunk({"text": "a"}))
        with pytest.raises(kind):
            translator.feed("", orjson.dumps([said] if form == "list" else said))


class TestUsage:
    def test_disjoint_counters(self) -> None:
        # litellm#11364: cached tokens billed twice
        counted = {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "toolUsePromptTokenCount": 7,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 30,
            "totalTokenCount": 157,
        }
        usage = answer(chunk({"text": "a"}, finish="STOP", usageMetadata=counted)).usage
        assert usage["input_tokens"] == 47
        assert usage["cache_read_input_tokens"] == 60
        assert usage["output_tokens"] == 50
        assert usage["output_tokens_details"] == {"thinking_tokens": 30}
        assert "tollgate_estimated" not in usage

    def test_the_last_word_counts(self) -> None:
        heard = answer(
            chunk({"text": "a"}, usageMetadata={"promptTokenCount": 9}),
            chunk(finish="STOP", usageMetadata={"promptTokenCount": 9, "totalTokenCount": 12}),
            orjson.dumps({"usageMetadata": {"trafficType": "ON_DEMAND"}}),
        )
        assert (heard.usage["input_tokens"], heard.usage["output_tokens"]) == (9, 3)

    def test_none_is_an_estimate_that_says_so(self) -> None:
        usage = answer(chunk({"text": "abcdefgh"}, finish="STOP"), max_tokens=10).usage
        assert usage["output_tokens"] == 2
        assert usage["input_tokens"] == 10
        assert usage["tollgate_estimated"] is True


class TestSearch:
    metadata = {
        "webSearchQueries": ["first", "second"],
        "groundingChunks": [{"web": {"uri": "https://a.example/1", "title": "A"}}, {"retrievedContext": {}}],
        "groundingSupports": [{"segment": {"endIndex": 3, "text": "abc"}, "groundingChunkIndices": [0, 1, 9]}, {}],
    }

    def finished(self, metadata: Any) -> bytes:
        return orjson.dumps({"candidates": [{"finishReason": "STOP", "groundingMetadata": metadata}]})

    def test_searches_are_told_and_counted(self) -> None:
        heard = answer(chunk({"text": "abc"}), self.finished(self.metadata), tools=[SEARCH])
        text, first, found, second, none = heard.content
        assert text["citations"] == [
            {
                "type": "web_search_result_location",
                "url": "https://a.example/1",
                "title": "A",
                "encrypted_index": "",
                "cited_text": "abc",
            }
        ]
        assert (first["type"], first["input"]) == ("server_tool_use", {"query": "first"})
        assert [result["url"] for result in found["content"]] == ["https://a.example/1"]
        assert (second["input"], none["content"]) == ({"query": "second"}, [])
        assert heard.usage["server_tool_use"] == {"web_search_requests": 2}

    def test_a_search_that_did_not_happen_is_an_error_and_no_silent_zero(self) -> None:
        # CLIProxyAPI#364, hebo-platform#451
        heard = answer(chunk({"text": "I know."}, finish="STOP"), tools=[SEARCH])
        assert heard.content[-1]["content"] == {
            "type": "web_search_tool_result_error",
            "error_code": "unavailable",
        }
        assert "server_tool_use" not in heard.usage

    def test_beside_functions_the_answer_says_once_a_turn_that_there_is_no_search(self) -> None:
        heard = answer(chunk({"text": "I know."}, finish="STOP"), tools=[SEARCH, READ])
        assert [block["type"] for block in heard.content] == ["server_tool_use", "web_search_tool_result", "text"]
        results = [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]},
        ]
        heard = answer(chunk({"text": "I know."}, finish="STOP"), tools=[SEARCH, READ], messages=results)
        assert [block["type"] for block in heard.content] == ["text"]
