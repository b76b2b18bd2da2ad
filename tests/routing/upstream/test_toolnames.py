"""Tool names: legal for the provider, stable, apart, and restored (litellm#17904)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.toolnames import ToolNames

LONG = "mcp__" + "a-very-long-server-name__" * 4


def test_legal_names_stay_as_they_are() -> None:
    names = ToolNames(["Bash", "mcp__a__b-c"])
    assert (names.wire("Bash"), names.original("Bash")) == ("Bash", "Bash")


def test_long_names_keep_their_beginning_and_differ_by_their_end() -> None:
    names = ToolNames([LONG + "x", LONG + "y"])
    first, second = names.wire(LONG + "x"), names.wire(LONG + "y")
    assert len(first) == len(second) == 64
    assert first.startswith("mcp__a-very-long")
    assert first != second
    assert names.original(second) == LONG + "y"


def test_the_same_name_is_the_same_in_every_request() -> None:
    assert ToolNames([LONG]).wire(LONG) == ToolNames(["other.tool", LONG]).wire(LONG) == ToolNames().wire(LONG)


def test_a_declared_name_that_looks_shortened_keeps_its_own() -> None:
    taken = ToolNames([LONG]).wire(LONG)
    names = ToolNames([LONG, taken])
    assert names.wire(taken) == taken
    assert names.wire(LONG) != taken
    assert names.original(names.wire(LONG)) == LONG
    assert names.original(taken) == taken


def test_gemini_wants_a_letter_first() -> None:
    assert ToolNames(["1st"]).wire("1st") == "1st"
    assert ToolNames(["1st"], letter_first=True).wire("1st").startswith("_1st_")


@given(st.lists(st.text(max_size=130), unique=True, max_size=6), st.booleans())
def test_any_names_are_legal_apart_and_restored(declared: list[str], letter_first: bool) -> None:
    names = ToolNames(declared, letter_first=letter_first)
    wires = [names.wire(name) for name in declared]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wire) for wire in wires)
    assert len(set(wires)) == len(declared)
    assert [names.original(wire) for wire in wires] == declared
    if letter_first:
        assert all(re.match(r"[a-zA-Z_]", wire) for wire in wires)
