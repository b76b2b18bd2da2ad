from __future__ import annotations

import pytest

from routing.upstream import stream
from tests.routing.upstream.factories import a_request, a_target

TARGET = a_target("demo")


@pytest.mark.parametrize("streamed", [True, False])
async def test_answers_with_a_label_in_both_modes(streamed: bool) -> None:
    request = a_request(stream=streamed, tools=[{"name": "Bash", "input_schema": {"type": "object"}}])
    async with stream.open_answer(TARGET, request) as answer:
        events = [event async for batch in answer for event in batch]

    text = "".join(event.data["delta"]["text"] for event in events if event.type == "content_block_delta")
    assert text.startswith("Tollgate demo provider: no model is behind this answer.")
    assert "model claude-opus-4-8, about 10 input tokens, 1 tools" in text
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    assert events[-2].data["delta"]["stop_reason"] == "end_turn"
    assert events[-2].data["usage"]["output_tokens"] == -(-len(text) // 4)
    assert events[-2].data["usage"]["tollgate_estimated"] is True


async def test_streams_in_several_deltas() -> None:
    async with stream.open_answer(TARGET, a_request(stream=True)) as answer:
        batches = [batch async for batch in answer]
    assert len(batches) == 9


async def test_has_no_counter() -> None:
    assert await stream.count_tokens(TARGET, a_request()) is None
