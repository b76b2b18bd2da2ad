"""The judge lets legal answers pass and names what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.support.grammar import GrammarError, check_message, check_stream

Json = dict[str, Any]

USAGE = {"input_tokens": 10, "output_tokens": 1}
START = {
    "type": "message_start",
    "message": {
        "id": "msg_01abcdefgh",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    },
}
STOP = {"type": "message_stop"}
TOOL = {"type": "tool_use", "id": "toolu_01abcdefgh", "name": "Bash", "input": {}}


def block(index: int, opening: Json, *deltas: Json) -> list[Json]:
    told = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    opened = {"type": "content_block_start", "index": index, "content_block": opening}
    return [opened, *told, {"type": "content_block_stop", "index": index}]


def text(index: int, *words: str) -> list[Json]:
    return block(index, {"type": "text", "text": ""}, *[{"type": "text_delta", "text": word} for word in words])


def tool(index: int, *pieces: str) -> list[Json]:
    return block(index, TOOL, *[{"type": "input_json_delta", "partial_json": piece} for piece in pieces])


def thinking(index: int, *deltas: Json) -> list[Json]:
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def end(reason: str = "end_turn", **more: Any) -> Json:
    delta = {"stop_reason": reason, "stop_sequence": None, **more}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}


def wire(events: list[Json]) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events)


GOOD = [START, *text(0, "a", "b"), end(), STOP]
PING = {"type": "ping"}
THOUGHT = {"type": "thinking_delta", "thinking": "hm"}
SIGNATURE = {"type": "signature_delta", "signature": "s"}
ERROR = {"type": "error", "error": {"type": "api_error", "message": "x"}}


def test_a_legal_stream_is_accumulated() -> None:
    parts = [*thinking(0, THOUGHT, SIGNATURE), *text(1, "a", "ü"), *tool(2, "", '{"a"', ": 1}"), *tool(3)]
    told = check_stream(wire([PING, START, PING, *parts, end("tool_use"), STOP]))
    assert (told.thinking, told.text, told.stop_reason) == ("hm", "aü", "tool_use")
    assert [call["input"] for call in told.tool_uses] == [{"a": 1}, {}]
    assert told.usage == {"input_tokens": 10, "output_tokens": 5}
    assert told.pinged_before_start
    assert told.pings == [0, 2]
    assert told.message is not None
    check_message(told.message)


def test_an_error_ends_a_stream() -> None:
    told = check_stream(wire([START, *text(0, "a")[:2], ERROR]))
    assert told.error == {"type": "api_error", "message": "x"}
    assert check_stream(wire([ERROR])).message is None


def test_an_input_may_be_cut_short_by_the_limit() -> None:
    check_stream(wire([START, *tool(0, '{"a'), end("max_tokens"), STOP]))


def test_chunks_are_joined() -> None:
    stream = wire(GOOD)
    assert check_stream([stream[:7], stream[7:]]).text == "ab"


def changed(path: str, value: Any) -> Json:
    """``message_start`` with one field of the message replaced; ``usage.x`` one of usage."""
    message: Json = {**START["message"], "usage": dict(USAGE)}  # type: ignore[dict-item]
    holder = message["usage"] if path.startswith("usage.") else message
    holder[path.removeprefix("usage.")] = value
    return {"type": "message_start", "message": message}


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([START, *GOOD], "message_start comes a second time"),
        ([*text(0, "a"), end(), STOP], "comes before message_start"),
        ([START, *text(1, "a"), end(), STOP], "index is 1, the next one is 0"),
        ([START, text(0, "a")[0], *text(1, "a"), end(), STOP], "opens block 1 while block 0 is open"),
        ([START, text(0, "a")[0], text(1, "a")[1]], "index is 1, the open block is 0"),
        ([START, text(0, "a")[1]], "no block is open"),
        ([START, *text(0, "a")[:2], end(), STOP], "block 0 is still open"),
        ([START, *text(0), end(), STOP], "an empty text block"),
        ([START, *text(0, "a", ""), end(), STOP], "an empty text_delta"),
        ([START, *block(0, {"type": "text", "text": "a"}), end(), STOP], "a text block opens with text 'a'"),
        ([START, *block(0, {"type": "text", "text": ""}, THOUGHT)], "'thinking_delta' in a 'text' block"),
        ([START, *thinking(0, THOUGHT), end(), STOP], "thinking without signature"),
        ([START, *thinking(0, SIGNATURE, THOUGHT)], "thinking_delta after the signature"),
        ([START, *tool(0, '{"a'), end("tool_use"), STOP], "the input of block 0 is not JSON"),
        ([START, *tool(0, "[1]"), end("tool_use"), STOP], "the accumulated input is not an object"),
        ([START, *tool(0), end(), STOP], "there are 1 tool_use blocks but stop_reason is 'end_turn'"),
        ([START, *text(0, "a"), end("tool_use"), STOP], "but there is no tool_use block"),
        ([START, *block(0, {**TOOL, "id": "call_1"})], "id 'call_1' has not the shape toolu_"),
        ([START, *text(0, "a"), end("stop"), STOP], "stop_reason 'stop' is not one of"),
        ([START, *text(0, "a"), end(stop_sequence="x"), STOP], "stop_sequence is 'x' though"),
        ([START, *text(0, "a"), end("stop_sequence"), STOP], "stop_sequence is None"),
        ([START, end(), *text(0, "a"), STOP], "comes after message_delta"),
        ([START, end(), end(), STOP], "message_delta comes a second time"),
        ([START, *text(0, "a"), STOP], "message_stop without message_delta"),
        ([START, *text(0, "a"), end()], "neither message_stop nor error came"),
        ([*GOOD, PING], "comes after the end of the message"),
        ([START, ERROR, STOP], "comes after the end of the message"),
        ([*GOOD[:-1], {"type": "done"}], "unknown event"),
        ([changed("id", "chatcmpl-1"), *GOOD[1:]], "has not the shape msg_"),
        ([changed("usage.input_tokens", 0), *GOOD[1:]], "the input counts zero tokens"),
        ([changed("usage.output_tokens", -1), *GOOD[1:]], "usage.output_tokens is -1"),
        ([changed("usage.output_tokens", None), *GOOD[1:]], "usage.output_tokens is None"),
        ([changed("content", [{}]), *GOOD[1:]], "content must be []"),
    ],
)
def test_illegal_streams(events: list[Json], complaint: str) -> None:
    with pytest.raises(GrammarError) as caught:
        check_stream(wire(events))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda stream: stream + b"data: [DONE]\n\n", "want 'event: X' and 'data: {…}', got 'data: [DONE]'"),
        (lambda stream: stream.replace(b"\n", b"\r\n"), "carriage return"),
        (lambda stream: stream[:-1], "ends inside a frame"),
        (lambda stream: stream.replace(b"event: message_stop", b"event: ping"), "data.type is 'message_stop'"),
        (lambda stream: stream.replace(b"data: {", b"data:{"), "got 'event: message_start\\ndata:{"),
        (lambda stream: b": hello\n\n" + stream, "got ': hello'"),
        (lambda stream: stream.replace(b'"a"', b'"\xff"'), "not UTF-8"),
        (lambda stream: b"", "the stream is empty"),
    ],
)
def test_framing_is_exact(spoil: Callable[[bytes], bytes], complaint: str) -> None:
    with pytest.raises(GrammarError) as caught:
        check_stream(spoil(wire(GOOD)))
    assert complaint in str(caught.value)


def test_relaxed_lets_a_providers_ids_be() -> None:
    events = [changed("id", "chatcmpl-1"), *block(0, {**TOOL, "id": "call_1"}), end("tool_use"), STOP]
    check_stream(wire(events), relaxed=True)


def test_plain_answers() -> None:
    message = {
        **START["message"],  # type: ignore[dict-item]
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "end_turn",
    }
    assert check_message(message).text == "a"
    for key in ("stop_sequence", "id", "usage"):
        with pytest.raises(GrammarError, match=key):
            check_message({name: value for name, value in message.items() if name != key})
    with pytest.raises(GrammarError, match="empty text block"):
        check_message({**message, "content": [{"type": "text", "text": ""}]})
