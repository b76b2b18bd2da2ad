"""Recorded streams of chat completions, and beside each the events they must become: NAME.txt, NAME.events.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.dialects.openai_chat_answer import ChatAnswer
from routing.upstream.errors import Broken, UpstreamError
from routing.upstream.events import Event
from routing.upstream.sse import Decoder
from tests.routing.upstream.factories import a_request, a_target
from tests.routing.upstream.recordings import settled
from tests.routing.upstream.transcripts import judged

FOLDER = Path(__file__).parents[3] / "recorded" / "openai_chat"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def recording(name: str) -> bytes:
    return (FOLDER / f"{name}.txt").read_bytes()


def heard(stream: bytes, *cuts: int) -> tuple[list[Event], UpstreamError | None]:
    """The events of a stream that comes in pieces, and the error it ended in."""
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("Bash", "Read", "get_weather")]
    answer = ChatAnswer(a_target("openai_chat"), a_request(tools=tools, thinking={"type": "adaptive"}))
    decoder = Decoder()
    events: list[Event] = []
    try:
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            for name, payload in decoder.feed(stream[start:end]):
                events += answer.feed(name, payload)
        for name, payload in decoder.finish():
            events += answer.feed(name, payload)
        events += answer.finish()
    except UpstreamError as error:
        return events, error
    return events, None


def told(events: list[Event], error: UpstreamError | None) -> list[Any]:
    found: list[Any] = settled(events)
    return found if error is None else [*found, {"raised": type(error).__name__, "message": error.message}]


@pytest.mark.parametrize("name", NAMES)
def test_recording(name: str) -> None:
    events, error = heard(recording(name))
    assert told(events, error) == orjson.loads((FOLDER / f"{name}.events.json").read_bytes())
    if error is None:
        judged(events)


@given(st.data())
def test_wherever_the_network_cuts_it_is_the_same_answer(data: st.DataObject) -> None:
    stream = recording(data.draw(st.sampled_from(NAMES)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole, error = heard(stream)
    cut, cut_error = heard(stream, *cuts)
    assert told(cut, cut_error) == told(whole, error)


@given(st.data())
def test_a_stream_that_breaks_off_anywhere_is_legal_so_far_and_never_pretends_an_end(data: st.DataObject) -> None:
    stream = recording(data.draw(st.sampled_from(NAMES)))
    length = data.draw(st.integers(0, len(stream) - 1))
    events, error = heard(stream[:length])
    if error is not None:
        events.append(Event("error", {"type": "error", "error": {"type": "api_error", "message": error.message}}))
        assert judged(events).error is not None
    else:
        # All that was cut off is what comes after the finish reason.
        assert b'"finish_reason":"' in stream[:length]
        judged(events)
    if b'"finish_reason":"' not in stream[:length] and b'"error"' not in stream[:length]:
        assert type(error) is Broken
