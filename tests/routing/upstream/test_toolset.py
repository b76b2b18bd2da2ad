"""Tools known again by their bytes: what comes out is always what parsing the whole body would give."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.messages import MessagesRequest
from routing.upstream.tools import declared
from routing.upstream.toolset import Toolset, Toolsets

SCHEMA = {"type": "object", "properties": {"tools": {"type": "array"}}, "required": ["tools"]}
TOOLS = [{"name": "Read", "input_schema": SCHEMA}, {"name": "Grép", "description": '"tools":[', "input_schema": SCHEMA}]
ME = (1, "session")


def _body(tools: list[Any], **more: Any) -> bytes:
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tools, **more})


def _known() -> tuple[Toolsets, Toolset]:
    toolsets = Toolsets()
    shared = toolsets.shared(TOOLS, ME)
    assert isinstance(shared, Toolset)
    return toolsets, shared


def test_the_senders_tools_are_shared_and_the_rest_is_parsed() -> None:
    toolsets, shared = _known()
    raw = _body(TOOLS, stream=True)
    body = toolsets.read(raw, ME)
    assert body == orjson.loads(raw)
    assert body is not None
    assert body["tools"] is shared
    assert list(body) == list(orjson.loads(raw))  # the same order: a provider's cache lives off it
    assert orjson.dumps(body) == raw


def test_equal_tools_of_another_sender_are_the_same_set() -> None:
    toolsets, shared = _known()
    assert toolsets.read(_body(TOOLS), (2, "")) is None
    assert toolsets.shared(orjson.loads(orjson.dumps(TOOLS)), (2, "")) is shared
    assert toolsets.read(_body(TOOLS), (2, "")) is not None


@pytest.mark.parametrize(
    "raw",
    [
        _body([*TOOLS, {"name": "Write", "input_schema": {}}]),
        _body(TOOLS[:1]),
        orjson.dumps(orjson.loads(_body(TOOLS)), option=orjson.OPT_INDENT_2),
        _body(TOOLS)[:-1],  # not JSON
        b'{"tools":' + orjson.dumps(TOOLS),
        orjson.dumps([{"tools": TOOLS}]),
        b"",
    ],
)
def test_anything_else_is_left_to_the_parser(raw: bytes) -> None:
    toolsets, _ = _known()
    assert toolsets.read(raw, ME) is None


@pytest.mark.parametrize(
    "raw",
    [
        # The same bytes elsewhere: in a call's arguments, in a text, behind an escaped quote, twice at the top.
        orjson.dumps({"messages": [{"input": {"tools": TOOLS}}], "tools": TOOLS}),
        orjson.dumps({"tools": TOOLS, "messages": [{"input": {"tools": TOOLS}}]}),
        orjson.dumps({"messages": _body(TOOLS).decode(), "tools": TOOLS}),
        b'{"an \\"tools":%b,"tools":%b}' % (orjson.dumps(TOOLS), orjson.dumps(TOOLS)),
        b'{"tools":[1],"tools":%b}' % orjson.dumps(TOOLS),
    ],
)
def test_the_outermost_tools_are_found_among_others(raw: bytes) -> None:
    toolsets, shared = _known()
    body = toolsets.read(raw, ME)
    assert body == orjson.loads(raw)
    assert body is not None
    assert body["tools"] is shared


@pytest.mark.parametrize(
    "raw",
    [
        orjson.dumps({"messages": [{"input": {"tools": TOOLS}}]}),
        orjson.dumps({"messages": [{"input": {"tools": TOOLS}}], "tools": None}),
        b'{"tools":%b,"tools":[1]}' % orjson.dumps(TOOLS),
        b'{"an \\"tools":%b}' % orjson.dumps(TOOLS),
    ],
)
def test_tools_that_only_look_like_the_outermost_are_not_taken_for_them(raw: bytes) -> None:
    toolsets, _ = _known()
    assert toolsets.read(raw, ME) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["tools", '"tools":[', "\\", '"', "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tools", '"tools', "a"]), inner),
    max_leaves=12,
)


@given(st.lists(st.lists(_JSON, min_size=1, max_size=3), min_size=1, max_size=3), st.lists(_JSON, max_size=4))
def test_whatever_comes_is_read_as_the_parser_reads_it(sets: list[list[Any]], beside: list[Any]) -> None:
    toolsets = Toolsets()
    for tools in sets:
        toolsets.shared(tools, ME)
    for tools in sets:
        raw = orjson.dumps({"a": beside, "b": {"tools": tools}, "tools": tools, "z": [beside, {"tools": tools}]})
        assert toolsets.read(raw, ME) in (None, orjson.loads(raw))


def test_bytes_stay_bounded_and_the_longest_unsent_go_first() -> None:
    toolsets = Toolsets(max_bytes=10_000)
    first = toolsets.shared(["first" * 20], ME)
    for number in range(500):
        toolsets.shared([f"{number:03d}" + "-" * 80], (number, ""))
        assert toolsets.read(_body(["first" * 20]), ME) is not None  # in use all the time
    assert toolsets.bytes <= 10_000
    assert toolsets.shared(["first" * 20], (501, "")) is first
    gc.collect()
    assert toolsets.read(_body(["000" + "-" * 80]), (0, "")) is None


def test_a_set_that_would_push_out_the_rest_is_not_kept() -> None:
    toolsets = Toolsets(max_bytes=1_000)
    tools = ["x" * 400]
    assert toolsets.shared(tools, ME) is tools
    assert toolsets.bytes == 0


def test_tools_nested_beyond_measure_are_left_alone() -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    assert Toolsets().shared([deep], ME) == [deep]


def test_what_is_kept_has_its_true_size() -> None:
    # orjson's own results hold on to the buffer they were written in
    toolsets = Toolsets()
    tracemalloc.start()
    for number in range(500):
        toolsets.shared([number], ME)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


def test_what_a_dialect_makes_of_a_set_is_made_once() -> None:
    _, shared = _known()
    first, second = (
        declared(MessagesRequest({"tools": shared}, b"", "m", stream=False, max_tokens=1)) for _ in range(2)
    )
    assert first is second
    made = [first.once("a form", object), second.once("a form", object)]
    assert made[0] is made[1]
    assert first.once("another", object) is not made[0]
    assert [function.name for function in first.functions] == ["Read", "Grép"]
