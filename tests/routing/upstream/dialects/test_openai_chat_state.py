"""Reasoning of chat completions: shown, carried, and returned to who wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.upstream.dialects.openai_chat_request import chat_body
from tests.routing.upstream.factories import a_request, a_target

from .completions import DONE, JSON, TARGET, THINKING, TOOLS, chunk, message, piece, whole


def round_trip(found: JSON, target: Any = TARGET) -> JSON:
    """The assistant message that goes back to the provider after the client returned ``found``."""
    history = [{"role": "user", "content": "go"}, {"role": "assistant", "content": found["content"]}]
    history += [{"role": "user", "content": "more"}]
    sent: JSON = chat_body(target, a_request(messages=history))["messages"][1]
    return sent


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_thinking_and_comes_back(field: str) -> None:
    found = message(
        chunk(**{field: "Let me"}),
        chunk(**{field: " see"}),
        chunk(content="So."),
        chunk("stop"),
        request=a_request(thinking=THINKING),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "text"]
    assert found["content"][0]["thinking"] == "Let me see"
    assert round_trip(found)[field] == "Let me see"
    assert field not in round_trip(found, a_target("openai_chat", provider="another"))


def test_openrouters_details_come_back_whole() -> None:
    def detail(**fields: Any) -> list[JSON]:
        return [{"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1", **fields}]

    encrypted = {"type": "reasoning.encrypted", "index": 1, "data": "E1", "id": "rs_1"}
    found = message(
        chunk(reasoning="Let", reasoning_details=detail(text="Let")),
        chunk(reasoning=" me", reasoning_details=detail(text=" me")),
        chunk(reasoning_details=detail(signature="SIG", text=None)),
        chunk(reasoning_details=[encrypted]),
        chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments="{}")]),
        chunk("tool_calls"),
        request=a_request(thinking=THINKING, tools=TOOLS),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "tool_use"]
    sent = round_trip(found)
    assert sent["reasoning_details"] == [*detail(text="Let me", signature="SIG"), encrypted]
    assert "reasoning" not in sent


def encrypted(call_id: str, data: str) -> JSON:
    """As OpenRouter hands on the signature of one of Gemini's calls."""
    return {"type": "reasoning.encrypted", "id": call_id, "data": data, "format": "google-gemini-v1", "index": 0}


CALL_IDS = ("tool_Bash_v31GM7CftUoMaFZEmVfP", "tool_Read_k0aPqM7CftUoMaFZEmVf")


@pytest.mark.parametrize("asked", [THINKING, None])
@pytest.mark.parametrize("when", ["with the calls", "before them", "after them", "whole"])
def test_the_signatures_of_parallel_calls_come_back_one_by_one(when: str, asked: JSON | None) -> None:
    details = [encrypted(name, data) for name, data in zip(CALL_IDS, ("AAA=", "BBB="), strict=True)]
    calls = [piece(n, id=name, name="Bash", arguments="{}") for n, name in enumerate(CALL_IDS)]
    if when == "with the calls":
        pairs = zip(details, calls, strict=True)
        said = [chunk(reasoning_details=[detail], tool_calls=[call]) for detail, call in pairs]
    elif when == "before them":
        said = [*(chunk(reasoning_details=[detail]) for detail in details), chunk(tool_calls=calls)]
    elif when == "after them":
        said = [chunk(tool_calls=calls), *(chunk(reasoning_details=[detail]) for detail in details)]
    else:
        said = [whole({"content": None, "reasoning_details": details, "tool_calls": calls}, "tool_calls")]
    fields: JSON = {"thinking": asked} if asked else {}
    found = message(*said, *([] if when == "whole" else [chunk("tool_calls"), DONE]), request=a_request(**fields))
    sent = round_trip(found)
    assert sent["reasoning_details"] == details
    assert [call["id"] for call in sent["tool_calls"]] == list(CALL_IDS)


def test_details_without_a_text_beside_them_are_shown_all_the_same() -> None:
    summary = [{"type": "reasoning.summary", "summary": text, "index": 0} for text in ("Let ", "me")]
    said = [chunk(reasoning_details=[each]) for each in summary]
    found = message(*said, chunk(content="So."), chunk("stop"), request=a_request(thinking=THINKING))
    assert found["content"][0]["thinking"] == "Let me"
    assert round_trip(found)["reasoning_details"] == [summary[0] | {"summary": "Let me"}]


def test_what_a_model_signed_is_for_that_model_alone() -> None:
    signed = {"type": "reasoning.text", "text": "Hm", "signature": "SIG", "index": 0}
    said = [chunk(reasoning="Hm", reasoning_details=[signed]), chunk(content="So."), chunk("stop")]
    found = message(*said, request=a_request(thinking=THINKING))
    assert round_trip(found)["reasoning_details"] == [signed]
    another = replace(TARGET, model="another")
    assert round_trip(found, another).keys() == {"role", "content"}
    plain = message(chunk(reasoning="Hm"), chunk(content="So."), chunk("stop"), request=a_request(thinking=THINKING))
    assert round_trip(plain, another)["reasoning"] == "Hm"


def test_reasoning_nobody_asked_for_is_not_shown() -> None:
    found = message(chunk(reasoning_content="Hm"), chunk(content="So."), chunk("stop"))
    assert found["content"] == [{"type": "text", "text": "So."}]


def test_but_comes_back_where_a_call_followed() -> None:
    found = message(
        chunk(reasoning_content="Hm"),
        chunk(content="I look."),
        chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments="{}")]),
        chunk("tool_calls"),
    )
    assert [block["type"] for block in found["content"]] == ["text", "redacted_thinking", "tool_use"]
    assert round_trip(found)["reasoning_content"] == "Hm"


def test_mistrals_content_in_parts() -> None:
    thoughts = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    found = message(
        chunk(content=[thoughts]),
        chunk(content=[{"type": "text", "text": "So."}]),
        chunk("stop"),
        request=a_request(thinking=THINKING),
    )
    assert [block["type"] for block in found["content"]] == ["thinking", "text"]


@pytest.mark.parametrize("call_id", ["function-call-17", "", "call_" + "a" * 60])
@pytest.mark.parametrize("streamed", [True, False])
def test_geminis_signatures_in_chat_completions_come_back_with_their_calls(call_id: str, streamed: bool) -> None:
    """router-for-me/CLIProxyAPI#2098: "Function call is missing a thought_signature in functionCall parts"."""
    extra = {"google": {"thought_signature": "S" * 900}}
    calls = [piece(0, id=call_id, name="Bash", arguments="{}"), piece(1, id="other_1", name="Bash", arguments="{}")]
    calls[0]["extra_content"] = extra
    said = [chunk(tool_calls=calls), chunk("tool_calls")] if streamed else [whole({"tool_calls": calls}, "tool_calls")]
    found = message(*said, request=a_request(tools=TOOLS))
    results = [{"type": "tool_result", "tool_use_id": each["id"], "content": "x"} for each in found["content"]]
    history = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": found["content"]},
        {"role": "user", "content": results},
    ]
    _, sent, first, second = chat_body(TARGET, a_request(messages=history))["messages"]
    assert [call.get("extra_content") for call in sent["tool_calls"]] == [extra, None]
    ids = [call["id"] for call in sent["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    assert all(ids)
    assert not call_id or ids[0] == call_id
    elsewhere = chat_body(a_target("openai_chat", provider="another"), a_request(messages=history))["messages"][1]
    assert "extra_content" not in str(elsewhere)
    assert all(len(call["id"]) <= 40 for call in elsewhere["tool_calls"])


def test_a_signature_too_long_for_an_id_stays_here() -> None:
    call = piece(0, id="call_a", name="Bash", arguments="{}") | {"extra_content": {"google": {"x": "S" * 5000}}}
    found = message(chunk(tool_calls=[call]), chunk("tool_calls"))
    assert len(found["content"][0]["id"]) < 200


@pytest.mark.parametrize("name", ['{"id":', '{"id":1}', "[]", "null", "17"])
def test_an_id_that_looks_like_something_else_is_an_id(name: str) -> None:
    call = chunk(tool_calls=[piece(0, id=name, name="Bash", arguments="{}")])
    sent = round_trip(message(call, chunk("tool_calls"), request=a_request(tools=TOOLS)))
    assert sent["tool_calls"][0]["id"] == name
