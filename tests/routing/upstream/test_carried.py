"""Provider state in what the client returns: opened only by its writer, and never a cause of failure."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.carried import PREFIX, is_sealed, seal, seal_id, short_id, split_id, tag, unseal
from routing.upstream.target import Target


@given(st.text(max_size=20), st.binary(max_size=200))
def test_only_the_writer_opens_a_seal(tag: str, payload: bytes) -> None:
    sealed = seal(tag, payload)
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", sealed)
    assert unseal(tag, sealed) == payload
    assert unseal(tag + "2", sealed) is None


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_damaged_seal_is_nothing(payload: bytes, data: st.DataObject) -> None:
    sealed = seal("a:b", payload)
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters())
    for damaged in (sealed[:place], sealed[:place] + other + sealed[place + 1 :], sealed + other):
        assert damaged == sealed or unseal("a:b", damaged) is None


@given(st.one_of(st.text(), st.none(), st.integers(), st.text().map(lambda text: PREFIX + text)))
def test_anything_else_is_nothing(text: object) -> None:
    assert unseal("a:b", text) is None


def test_anthropic_signatures_are_not_ours() -> None:
    assert not is_sealed("EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk")
    assert is_sealed(seal("a:b", ""))


def test_a_tool_id_carries_state_and_gives_both_back() -> None:
    tool_id = seal_id("a:b", "toolu_0123456789abcdef", b"\x00state")
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", tool_id)
    assert split_id("a:b", tool_id) == ("toolu_0123456789abcdef", b"\x00state")
    assert split_id("a:c", tool_id) == ("toolu_0123456789abcdef", None)
    assert split_id("a:b", "toolu_1") == ("toolu_1", None)
    assert short_id(tool_id) == "toolu_0123456789abcdef"


@given(st.text(max_size=80))
def test_a_short_id_is_always_legal_and_the_same(tool_id: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", short_id(tool_id))
    assert short_id(tool_id) == short_id(tool_id)


def test_a_long_id_stays_apart_from_its_neighbour() -> None:
    assert short_id("x" * 41) != short_id("x" * 42)
    assert short_id("call_abc") == "call_abc"


def test_state_belongs_to_a_provider_and_a_dialect() -> None:
    assert tag(Target("deepseek", "openai_chat", "m")) != tag(Target("openai", "openai_chat", "m"))
    assert tag(Target("openai", "openai_chat", "m")) != tag(Target("openai", "openai_responses", "m"))
