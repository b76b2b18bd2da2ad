from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream.stops import StopSequences

TEXTS = st.text("ab\n", max_size=12)


def _read(sequences: list[str], pieces: list[str]) -> tuple[str, str | None]:
    stops = StopSequences(sequences)
    text = "".join([stops.feed(piece) for piece in pieces])
    return text + stops.flush(), stops.matched


@pytest.mark.parametrize(
    ("sequences", "pieces", "text", "matched"),
    [
        ([], ["all", " of it"], "all of it", None),
        (["END"], ["before EN", "D after"], "before ", "END"),
        (["END"], ["E", "N", "d", "EN"], "ENdEN", None),
        (["\n\n", "b"], ["a\n\nb"], "a", "\n\n"),
        (["abc", "b"], ["xab", "c"], "xa", "b"),
        (["aab"], ["aaab"], "a", "aab"),
        (["x"], ["", "yx", "z"], "y", "x"),
    ],
)
def test_cuts_where_anthropic_would(sequences: list[str], pieces: list[str], text: str, matched: str | None) -> None:
    assert _read(sequences, pieces) == (text, matched)


def test_holds_back_no_more_than_it_must() -> None:
    stops = StopSequences(["</answer>"])
    assert stops.feed("1 < 2") == "1 < 2"
    assert stops.feed(" </ans") == " "
    assert stops.feed("wers") == "</answers"


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=3), st.lists(TEXTS, max_size=8))
def test_the_pieces_make_no_difference(sequences: list[str], pieces: list[str]) -> None:
    whole = "".join(pieces)
    text, matched = _read(sequences, list(whole))
    assert whole.startswith(text)
    if matched is None:
        assert text == whole
        assert not any(sequence in whole for sequence in sequences)
    else:
        assert whole.startswith(text + matched)
        assert not any(sequence in (text + matched)[:-1] for sequence in sequences)
    assert _read(sequences, pieces) == (text, matched)
