"""Wire text that was damaged on its way: lines lost, doubled and moved, values of another kind, an end anywhere.

Whatever comes, nothing is raised but ``UpstreamError``'s tree, and what was told is a legal stream up to there. What
holds of Anthropic's own events, which are handed on as they are, is in ``test_anthropic_damaged``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.upstream.dialects import DIALECTS
from routing.upstream.events import Event
from routing.upstream.target import Capabilities

from ..factories import a_request, a_target
from ..recordings import heard
from ..transcripts import judged

RECORDED = Path(__file__).parents[3] / "recorded"
NAMES = ("anthropic", "gemini", "openai_chat", "openai_responses")
WIRE = {name: [path.read_bytes() for path in sorted((RECORDED / name).glob("*.[st][sx][et]"))] for name in NAMES}
SCALAR = re.compile(rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null)(?=[,\]}])')
OTHERS = (b"null", b"1e400", b"-1", b"99999999999999999999999", b'""', b'"\\ud800"', b"[]", b"{}", b"true", b"[[{}]]")
JUNK = (
    b"data: [DONE]\n\n",
    b"data:\n\n",
    b": ping\n\n",
    b"data: {}\n\n",
    b"event: error\n",
    b"\xff\xfe\n\n",
    b"data: 7\n\n",
)
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("Read", "Bash", "get_weather")]
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"tools": TOOLS, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    {"tools": [*TOOLS, SEARCH], "stop_sequences": [" the ", "e", "\n\n"]},
)

Damage = Callable[[bytes, int, int], bytes]


def _lines(change: Callable[[list[bytes], int, int], object]) -> Damage:
    """A damage to whole lines; the two numbers are places among them."""

    def damage(wire: bytes, first: int, second: int) -> bytes:
        lines = wire.splitlines(keepends=True) or [b"\n"]
        change(lines, first % len(lines), second % len(lines))
        return b"".join(lines)

    return damage


def _other_value(wire: bytes, place: int, which: int) -> bytes:
    values = list(SCALAR.finditer(wire))
    if not values:
        return wire
    found = values[place % len(values)]
    return wire[: found.start(1)] + OTHERS[which % len(OTHERS)] + wire[found.end(1) :]


def _end(wire: bytes, place: int) -> int:
    return place % (len(wire) + 1)


def _swapped(lines: list[bytes], first: int, second: int) -> None:
    lines[first], lines[second] = lines[second], lines[first]


DAMAGES: tuple[Damage, ...] = (
    _lines(lambda lines, first, _: lines.pop(first)),
    _lines(lambda lines, first, _: lines.insert(first, lines[first])),
    _lines(lambda lines, first, second: lines.insert(second, lines.pop(first))),
    _lines(_swapped),
    _lines(lambda lines, first, second: lines.insert(first, JUNK[second % len(JUNK)])),
    _lines(lambda lines, first, second: lines.insert(first, lines[second][: len(lines[second]) // 2] + b"\n")),
    _other_value,
    lambda wire, first, _: wire[: first % (len(wire) + 1)],
    lambda wire, first, second: wire[: (cut := first % (len(wire) + 1))] + wire[cut + second % 40 :],
    lambda wire, first, second: (
        wire[: first % (len(wire) + 1)] + bytes([second % 256]) + wire[first % (len(wire) + 1) :]
    ),
)


def told(dialect: str, wire: bytes, cuts: list[int], asked: dict[str, Any]) -> list[Event]:
    """What the line would tell of it: the events, and an error in the middle as one more."""
    target = a_target(dialect, capabilities=Capabilities(reasoning="effort", web_search=True))
    translator = DIALECTS[dialect].translator(target, a_request(stream=True, **asked))
    events, error = heard(translator, wire, *sorted(_end(wire, cut) for cut in cuts))
    if error is not None and events and events[-1].type != "error":
        events.append(Event("error", {"type": "error", "error": {"type": "api_error", "message": error.message}}))
    return events


PLACES = st.integers(0, 2**20)


@pytest.mark.parametrize("dialect", NAMES)
@settings(max_examples=300)
@given(data=st.data())
def test_damaged_on_its_way(dialect: str, data: st.DataObject) -> None:
    wire = data.draw(st.sampled_from(WIRE[dialect]))[:20_000]
    for _ in range(data.draw(st.integers(1, 4))):
        wire = data.draw(st.sampled_from(DAMAGES))(wire, data.draw(PLACES), data.draw(PLACES))
    cuts = data.draw(st.lists(PLACES, max_size=3))
    events = told(dialect, wire, cuts, dict(data.draw(st.sampled_from(ASKED))))
    if events and dialect != "anthropic":
        judged(events)


@pytest.mark.parametrize("dialect", NAMES)
@settings(max_examples=150)
@given(data=st.data())
def test_a_whole_body_damaged_on_its_way(dialect: str, data: st.DataObject) -> None:
    """Not streamed: any event of a stream, damaged, in the place of a whole answer."""
    payloads = [
        line[5:].strip() for line in data.draw(st.sampled_from(WIRE[dialect])).splitlines() if line[:5] == b"data:"
    ]
    body = data.draw(st.sampled_from(payloads or [b"{}"]))
    for _ in range(data.draw(st.integers(0, 3))):
        body = data.draw(st.sampled_from(DAMAGES))(body, data.draw(PLACES), data.draw(PLACES))
    target = a_target(dialect, capabilities=Capabilities(reasoning="effort", web_search=True))
    translator = DIALECTS[dialect].translator(target, a_request(**data.draw(st.sampled_from(ASKED))))
    wire = b"data: " + body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n"
    events, error = heard(translator, wire)
    if events and error is None and dialect != "anthropic":
        judged(events)
