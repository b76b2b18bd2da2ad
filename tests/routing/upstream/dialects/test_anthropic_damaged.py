"""Anthropic's wire text, damaged on its way: a client gets a stream it can follow, or its beginning and an error.

The judges are the order of events in Anthropic's documentation, and its SDK. What is not damaged passes byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects.anthropic import Anthropic
from routing.upstream.errors import Broken
from routing.upstream.events import JSON, Event

from ..factories import a_request, a_target
from ..recordings import heard, names, wire_text
from .test_hostile_wire import DAMAGES, PLACES, WIRE, told

# The SDK reads values of another kind, but warns of them.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

RECORDED = [wire_text("anthropic", name) for name in names("anthropic")]
LETTERS = {
    "message_start": "s",
    "content_block_start": "b",
    "content_block_delta": "d",
    "content_block_stop": "e",
    "message_delta": "m",
    "message_stop": "t",
    "error": "x",
}
WHOLE_OR_FAILED = re.compile("s(bd*e)*(m+t|(bd*|m+)?x)")


def follow(events: Sequence[Event]) -> None:
    """As a client does: the frames, the order, the places of blocks, and the SDK's own reading."""
    order, blocks, message, inputs = "", 0, None, dict[int, bytes]()
    for event in events:
        name, data, rest = event.encode().split(b"\n", 2)
        assert (name, rest) == (b"event: " + event.type.encode(), b"\n"), "one frame, and nothing that breaks it"
        said: JSON = orjson.loads(data.removeprefix(b"data: "))
        assert said["type"] == event.type
        letter = LETTERS.get(event.type, "")
        order += letter
        if letter in ("b", "d", "e"):
            assert said["index"] == blocks
            blocks += letter == "e"
        if letter and letter != "x" and not is_input(said):
            message = accumulate_event(event=said, current_snapshot=message, json_bufs=inputs)  # type: ignore[arg-type]
    assert WHOLE_OR_FAILED.fullmatch(order), order


def is_input(data: JSON) -> bool:
    """A tool's input may be no JSON even where Anthropic writes it: what a client makes of that is its own business."""
    return "delta" in data and data["delta"].get("type") == "input_json_delta"


@settings(max_examples=500)
@given(data=st.data())
def test_whatever_is_damaged_a_client_can_follow(data: st.DataObject) -> None:
    wire = data.draw(st.sampled_from(WIRE["anthropic"]))[:20_000]
    for _ in range(data.draw(st.integers(1, 4))):
        wire = data.draw(st.sampled_from(DAMAGES))(wire, data.draw(PLACES), data.draw(PLACES))
    if events := told("anthropic", wire, data.draw(st.lists(PLACES, max_size=3)), {}):
        follow(events)


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_is_lost_doubled_or_moved_a_client_can_follow(data: st.DataObject) -> None:
    frames = data.draw(st.sampled_from(RECORDED)).strip().split(b"\n\n")
    if len(frames) < 2:
        return
    for _ in range(data.draw(st.integers(1, 4))):
        first, second = data.draw(PLACES) % len(frames), data.draw(PLACES) % len(frames)
        change = data.draw(st.sampled_from(["lose", "double", "move", "shuffle"]))
        if change == "double":
            frames.insert(second, frames[first])
        elif change == "shuffle":
            frames = data.draw(st.permutations(frames))
        elif len(frames) > 1:
            frame = frames.pop(first)
            if change == "move":
                frames.insert(second, frame)
    if events := told("anthropic", b"\n\n".join(frames) + b"\n\n", [], {}):
        follow(events)


@pytest.mark.parametrize("name", names("anthropic"))
def test_cut_off_anywhere(name: str) -> None:
    wire = wire_text("anthropic", name)
    step = max(1, len(wire) // 2_000)  # every byte of the short ones
    for length in range(0, len(wire), step):
        if events := told("anthropic", wire[:length], [], {}):
            follow(events)


START = {"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": {}}}
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}


def opened(kind: str, index: int = 0, **fields: Any) -> JSON:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(kind: str, index: int = 0, **fields: Any) -> JSON:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index: int = 0) -> JSON:
    return {"type": "content_block_stop", "index": index}


def passed(*events: JSON) -> list[Event]:
    translator = Anthropic().translator(a_target("anthropic"), a_request(stream=True))
    return [event for each in events for event in translator.feed("", orjson.dumps(each))]


TEXT = opened("text", text="")
CALL = opened("tool_use", id="toolu_1", name="Bash", input={})


@pytest.mark.parametrize(
    "events",
    [
        [START, START],
        [START, delta("text_delta", text="a")],
        [START, closed()],
        [START, {"type": "message_stop"}],
        [START, opened("text", 1, text="")],
        [START, TEXT, TEXT],
        [START, TEXT, STOP],
        [START, TEXT, closed(1)],
        [START, TEXT, delta("text_delta", 1, text="a")],
        [START, TEXT, delta("input_json_delta", partial_json="{")],
        [START, TEXT, delta("text_delta", text=None)],
        [START, TEXT, delta("citations_delta", citation=[])],
        [START, CALL, delta("text_delta", text="Content block is not a text block")],
        [START, opened("redacted_thinking", data="x"), delta("text_delta", text="a")],
        [START, opened("tool_use", id="toolu_1", input={})],
        [START, STOP, TEXT],
        [START, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}],
        [START, {"type": "a\nb"}],
        [START, {"type": "error", "error": "overloaded"}],
        [{"type": "message_start", "message": {"id": "msg_1", "content": None, "usage": {}}}],
    ],
)
def test_what_no_client_can_place_is_broken(events: list[JSON]) -> None:
    assert len(passed(*events[:-1])) == len(events) - 1
    with pytest.raises(Broken):
        passed(*events)


@pytest.mark.parametrize(
    "events",
    [
        [opened("text", text="a"), delta("text_delta", text=""), closed()],
        [opened("thinking", thinking=""), delta("thinking_delta", thinking="a"), closed()],
        [opened("of_tomorrow"), delta("text_delta", text=1), delta("later", x={}), closed()],
        [TEXT, delta("later"), delta("citations_delta", citation={}), {"type": "between", "x": 1}, closed(), STOP],
        [CALL, delta("input_json_delta", partial_json="no JSON"), closed()],
        [{**STOP, "delta": {"stop_reason": "of_tomorrow"}}],
    ],
)
def test_what_anthropic_may_say_tomorrow_passes_as_it_is(events: list[JSON]) -> None:
    events = [START, *events, STOP, {"type": "message_stop"}]
    assert [event.json for event in passed(*events)] == [orjson.dumps(event) for event in events]


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_body_is_a_message_or_an_error(data: st.DataObject) -> None:
    """Not streamed."""
    body = orjson.dumps({"type": "message", "id": "msg_1", "content": [TEXT["content_block"]], "usage": {"a": 1}})
    for _ in range(data.draw(st.integers(1, 4))):
        body = data.draw(st.sampled_from(DAMAGES))(body, data.draw(PLACES), data.draw(PLACES))
    translator = Anthropic().translator(a_target("anthropic"), a_request())
    wire = b"data: " + body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n"
    events, error = heard(translator, wire)
    if error is None:
        message = events[0].data
        assert isinstance(message["usage"], dict)
        assert all(isinstance(block["type"], str) for block in message["content"])


def test_nested_too_deeply_to_be_written_anew() -> None:
    deep = b'{"type":\n"ping","x":' + b"[" * 300 + b"]" * 300 + b"}"
    translator = Anthropic().translator(a_target("anthropic"), a_request(stream=True))
    translator.feed("", orjson.dumps(START))
    with pytest.raises(Broken):
        translator.feed("", deep)
