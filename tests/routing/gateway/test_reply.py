"""A stream and the message gathered from the same events say the same."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from routing.gateway.reply import Accumulator, EventStream, Message
from routing.upstream.composer import Composer
from routing.upstream.events import Event
from routing.upstream.messages import MessagesRequest


def _composer() -> Composer:
    return Composer(MessagesRequest(body={}, raw=b"", model="claude-x", stream=True, max_tokens=9, input_estimate=7))


class Wire:
    """What a server was sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.arrived.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    def starts(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == "http.response.start"]


def _gather(events: list[Event]) -> dict[str, Any]:
    accumulator = Accumulator()
    found = [body for event in events if (body := accumulator.feed(event)) is not None]
    assert len(found) == 1
    message: dict[str, Any] = orjson.loads(found[0])
    return message


def test_blocks_are_gathered_in_order() -> None:
    composer = _composer()
    composer.thinking("I ")
    composer.thinking("think")
    composer.sign("sig")
    composer.text("Hällo ")
    composer.text("wörld")
    composer.citation({"type": "web_search_result_location", "url": "https://example.org"})
    composer.tool(0, "toolu_1", "Bash")
    composer.arguments(0, '{"a"')
    composer.arguments(0, ": 1}")
    composer.tool(1, "toolu_2", "Read")
    composer.end("tool_use")
    message = _gather(composer.take())
    assert message["content"] == [
        {"type": "thinking", "thinking": "I think", "signature": "sig"},
        {
            "type": "text",
            "text": "Hällo wörld",
            "citations": [{"type": "web_search_result_location", "url": "https://example.org"}],
        },
        {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "Read", "input": {}},
    ]
    assert message["stop_reason"] == "tool_use"
    assert message["stop_sequence"] is None
    assert message["model"] == "claude-x"
    assert message["usage"]["input_tokens"] == 7


def test_a_whole_message_passes_untouched() -> None:
    raw = b'{ "id":"msg_1",  "odd spacing": true }'
    assert Accumulator().feed(Event("message", raw=raw)) == raw


def test_broken_arguments_are_not_lost() -> None:
    composer = _composer()
    composer.tool(0, "toolu_1", "Bash")
    composer.arguments(0, '{"a": ')
    composer.end("max_tokens")
    assert _gather(composer.take())["content"][0]["input"] == {"_raw": '{"a": '}


async def test_silence_before_the_first_event_is_bridged() -> None:
    wire = Wire()
    composer = _composer()

    def opening() -> list[Event]:
        composer.start()
        return composer.take()

    reply = EventStream(wire.send, [(b"request-id", b"req_1")], opening, 0.02)
    async with asyncio.timeout(5):
        while wire.body.count(b"event: ping") < 2:
            await wire.arrived.wait()
            wire.arrived.clear()
    assert wire.body.startswith(b"event: message_start\n")
    assert wire.body.count(b"event: message_start") == 1
    composer.text("hi")
    composer.end("end_turn")
    await reply.write(composer.take())
    await reply.close()
    assert len(wire.starts()) == 1
    assert (b"request-id", b"req_1") in wire.starts()[0]["headers"]
    assert wire.messages[-1]["more_body"] is False
    said = len(wire.messages)
    await asyncio.sleep(0.06)
    assert len(wire.messages) == said, "a ping followed the end"


async def test_an_abandoned_stream_says_nothing_more() -> None:
    wire = Wire()
    reply = EventStream(wire.send, [], list, 0.01)
    reply.abandon()
    await asyncio.sleep(0.03)
    assert wire.messages == []


@pytest.mark.parametrize("count", [1, 5])
async def test_a_message_goes_out_once_and_whole(count: int) -> None:
    wire = Wire()
    composer = _composer()
    composer.text("x" * count)
    composer.end("end_turn")
    reply = Message(wire.send, [])
    for event in composer.take():
        await reply.write([event])
    await reply.close()
    assert len(wire.starts()) == 1
    assert orjson.loads(wire.body)["content"][0]["text"] == "x" * count
