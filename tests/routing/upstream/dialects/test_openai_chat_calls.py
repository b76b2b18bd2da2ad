"""Tool calls of chat completions, in every shape that hosts write them."""

from __future__ import annotations

import orjson
import pytest

from routing.upstream import errors
from routing.upstream.dialects.openai_chat_request import chat_body
from tests.routing.upstream.factories import a_request

from .completions import DONE, JSON, TARGET, chunk, feed, message, piece

CALLS = [{"name": "Bash", "input": {"a": 1}}, {"name": "Read", "input": {"b": 2}}]
SHAPES: dict[str, list[list[JSON]]] = {
    "by the book": [
        [piece(0, id="call_a", name="Bash", arguments="")],
        [piece(0, arguments='{"a":')],
        [piece(0, arguments="1}")],
        [piece(1, id="call_b", name="Read", arguments="")],
        [piece(1, arguments='{"b":2}')],
    ],
    "interleaved": [
        [piece(0, id="call_a", name="Bash", arguments=""), piece(1, id="call_b", name="Read", arguments="")],
        [piece(1, arguments='{"b"')],
        [piece(0, arguments='{"a":')],
        [piece(1, arguments=":2}")],
        [piece(0, arguments="1}")],
    ],
    "several in one chunk": [
        [
            piece(0, id="call_a", name="Bash", arguments='{"a":1}'),
            piece(1, id="call_b", name="Read", arguments='{"b":2}'),
        ]
    ],
    "head repeated": [
        [piece(0, id="call_a", name="Bash", arguments='{"a"')],
        [piece(0, id="call_a", name="Bash", arguments=":1}")],
        [piece(1, id="call_b", name="Read", arguments='{"b":2}')],
        [piece(1, id="call_b", name="Read", arguments="")],
    ],
    "another id each delta": [
        [piece(0, id="call_a", name="Bash", arguments='{"a"')],
        [piece(0, id="call_x", arguments=":1}")],
        [piece(1, id="call_b", name="Read", arguments='{"b":2}')],
    ],
    "index 0 for all": [
        [piece(0, id="call_a", name="Bash", arguments='{"a":1}')],
        [piece(0, id="call_b", name="Read", arguments='{"b":')],
        [piece(0, id="call_b", name="Read", arguments="2}")],
    ],
    "no index": [
        [piece(None, id="call_a", name="Bash", arguments='{"a":')],
        [piece(None, arguments="1}")],
        [piece(None, id="call_b", name="Read", arguments='{"b":2}')],
    ],
    "no index, no id": [
        [piece(None, name="Bash", arguments='{"a":')],
        [piece(None, name="Bash", arguments="1}")],
        [piece(None, name="Read", arguments='{"b":2}')],
    ],
    "name after id": [
        [piece(0, id="call_a", arguments='{"a"')],
        [piece(0, name="Bash", arguments=":1}")],
        [piece(1, id="call_b", name="Read", arguments='{"b":2}')],
    ],
    "arguments as an object": [
        [piece(0, id="call_a", name="Bash", arguments={"a": 1})],
        [piece(1, id="call_b", name="Read", arguments={"b": 2})],
    ],
    "null fields": [
        [piece(0, id="call_a", name="Bash", arguments='{"a":1}')],
        [{"index": 0, "id": None, "function": {"name": None, "arguments": None}}, {"index": 0, "function": None}],
        [piece(1, id="call_b", name="Read", arguments='{"b":2}')],
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
def test_calls_in_every_shape(shape: str, finish: str) -> None:
    found = message(*(chunk(tool_calls=items) for items in SHAPES[shape]), chunk(finish), DONE)
    assert [{"name": block["name"], "input": block["input"]} for block in found["content"]] == CALLS
    assert found["stop_reason"] == "tool_use"
    ids = [block["id"] for block in found["content"]]
    assert len(set(ids)) == 2
    assert all(tool_id.startswith("toolu_") for tool_id in ids)


def test_text_between_the_pieces_of_a_call_loses_nothing() -> None:
    found = message(
        chunk(tool_calls=[piece(0, id="call_a", name="Bash", arguments='{"a":')]),
        chunk(content="\n"),
        chunk(tool_calls=[piece(0, arguments="1}")]),
        chunk("tool_calls"),
        DONE,
    )
    assert [block["type"] for block in found["content"]] == ["tool_use"]
    assert found["content"][0]["input"] == {"a": 1}


def test_the_old_function_call() -> None:
    found = message(
        chunk(function_call={"name": "Bash", "arguments": '{"a"'}),
        chunk(function_call={"arguments": ":1}"}),
        chunk("function_call"),
    )
    assert found["content"][0]["input"] == {"a": 1}


def test_a_call_without_a_name_is_broken() -> None:
    with pytest.raises(errors.Broken, match="without a name"):
        feed(chunk(tool_calls=[piece(0, id="call_a", arguments="{}")]), chunk("tool_calls"))


def test_the_providers_own_id_comes_back_to_it() -> None:
    for provider_id in ("call_0123456789abcdefghij", "call_0", "functions.Bash:0", "x" * 60):
        found = message(chunk(tool_calls=[piece(0, id=provider_id, name="Bash", arguments="{}")]), chunk("tool_calls"))
        (block,) = found["content"]
        history = [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [block]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block["id"], "content": "x"}]},
        ]
        sent = chat_body(TARGET, a_request(messages=history))["messages"]
        assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == provider_id


def test_short_ids_that_come_again_are_new_to_the_client() -> None:
    first, second = (
        message(chunk(tool_calls=[piece(0, id="call_0", name="Bash", arguments="{}")]), chunk("tool_calls"))
        for _ in range(2)
    )
    assert first["content"][0]["id"] != second["content"][0]["id"]


def test_shortened_names_are_restored() -> None:
    name = "mcp__" + "x" * 100
    request = a_request(tools=[{"name": name, "input_schema": {"type": "object"}}])
    wire = orjson.loads(orjson.dumps(chat_body(TARGET, request)))["tools"][0]["function"]["name"]
    found = message(
        chunk(tool_calls=[piece(0, id="call_a", name=wire, arguments="{}")]), chunk("tool_calls"), request=request
    )
    assert found["content"][0]["name"] == name


@pytest.mark.parametrize("pieces", [["null"], ["", " ", "null"], [" ", '{"a":', "1}"], ["", None]])
def test_arguments_that_begin_with_nothing(pieces: list[str | None]) -> None:
    """What some models write for a tool that takes none."""
    said = [chunk(tool_calls=[piece(0, arguments=each)]) for each in pieces]
    (call,) = message(chunk(tool_calls=[piece(0, id="call_a", name="Bash")]), *said, chunk("tool_calls"))["content"]
    assert call["input"] == ({"a": 1} if "1}" in pieces else {})


def test_arguments_said_once_more_at_the_end_are_said_once() -> None:
    again = '{"a": {"b": 1}}'
    said = [chunk(tool_calls=[piece(0, arguments=each)]) for each in ('{"a": ', '{"b"', ": 1}", "}", again, " ")]
    (call,) = message(chunk(tool_calls=[piece(0, id="call_a", name="Bash")]), *said, chunk("tool_calls"))["content"]
    assert call["input"] == {"a": {"b": 1}}
