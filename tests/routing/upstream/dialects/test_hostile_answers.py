"""Answers of a provider that breaks its own rules: recorded wire text with one value replaced by anything.

Whatever comes is a legal stream or one of ``UpstreamError``'s tree, in every dialect and both modes; and what the
ledger reads of it are counts it can hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects import DIALECTS
from routing.upstream.errors import UpstreamError
from routing.upstream.events import Event
from routing.upstream.sse import Decoder
from routing.upstream.target import Capabilities

from ..factories import a_request, a_target
from ..transcripts import judged

RECORDED = Path(__file__).parents[3] / "recorded"
NAMES = ("gemini", "openai_chat", "openai_responses")
HUGE = 2**64 - 1
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 7, 0.5, HUGE, -(2**63), 1e300, "", "x", "\ud7ff\U0001f600", "__proto__", "500"),
    *([], {}, [None], [[]], [{}], [1], {"": None}, {"x": []}, [{"x": {}}], {"text": 1, "type": 2, "index": []}),
)
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("Read", "Bash", "get_weather")]
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
MOST = 2**63 - 1


def payloads(dialect: str) -> list[list[tuple[str, Any]]]:
    """Every recorded stream of a dialect, as event names and their parsed data."""
    streams = []
    for path in sorted((RECORDED / dialect).glob("*.[st][sx][et]")):
        decoder = Decoder()
        found = [*decoder.feed(path.read_bytes()), *decoder.finish()]
        streams.append([(name, orjson.loads(data)) for name, data in found if data != b"[DONE]"][:40])
    assert streams
    return streams


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON value, the value itself left out."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, below in pairs for found in ((*path, key), *paths(below, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


STREAMS = {name: payloads(name) for name in NAMES}


def answered(dialect: str, stream: list[tuple[str, Any]], **asked: Any) -> list[Event]:
    target = a_target(dialect, capabilities=Capabilities(reasoning="effort", web_search=True))
    translator = DIALECTS[dialect].translator(target, a_request(stream=True, **asked))
    events: list[Event] = []
    try:
        for name, data in stream:
            events += translator.feed(name, orjson.dumps(data))
        events += translator.finish()
    except UpstreamError as error:
        if events:  # as the line tells of it
            events.append(Event("error", {"type": "error", "error": {"type": "api_error", "message": error.message}}))
    return events


@pytest.mark.parametrize("dialect", NAMES)
@settings(max_examples=250)
@given(data=st.data())
def test_any_value_anywhere(dialect: str, data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from(STREAMS[dialect]))
    number = data.draw(st.integers(0, len(stream) - 1))
    name, payload = stream[number]
    path = data.draw(st.sampled_from([(), *paths(payload)]))
    other = data.draw(st.sampled_from(HOSTILE))
    broken = [*stream[:number], (name, replaced(payload, path, other)), *stream[number + 1 :]]
    tools = data.draw(st.sampled_from([[], TOOLS, [SEARCH], [*TOOLS, SEARCH]]))
    thinking = data.draw(st.sampled_from([{"type": "enabled", "budget_tokens": 2000}, {"type": "disabled"}]))
    events = answered(dialect, broken, tools=tools, thinking=thinking)
    if events:
        transcript = judged(events)
        for key, value in transcript.usage.items():
            if key.endswith("_tokens"):
                assert 0 <= value <= MOST, f"{key}: the ledger cannot hold {value}"
