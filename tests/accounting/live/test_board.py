from __future__ import annotations

import pytest

from accounting.live.board import STALE_SECONDS, Board
from accounting.reports import Viewer

BOB = [7, "bob", 3, "red", "openai", "gpt-4o"]
CARL = [8, "carl", 4, "blue", "gemini", "gemini-2.5-pro"]
CI = [0, "", 3, "red", "openai", "gpt-4o"]


@pytest.mark.parametrize(
    ("viewer", "in_flight", "people"),
    [
        (Viewer(7), 3, ["bob"]),
        (Viewer(9), 0, []),
        (Viewer(9, frozenset({3})), 4, ["bob", ""]),
        (Viewer(9, is_admin=True), 9, ["carl", "bob", ""]),
        (Viewer(None, frozenset({4})), 5, ["carl"]),
        (Viewer(None), 0, []),
    ],
)
def test_a_frame_is_of_all_workers_and_of_what_the_viewer_may_see(
    viewer: Viewer, in_flight: int, people: list[str]
) -> None:
    board = Board()
    board.take("one", [[*BOB, 1, 10.0], [*CARL, 5, 0.0]])
    board.take("two", [[*BOB, 2, 2.5], [*CI, 1, 0.0]])
    frame = board.frame(viewer)
    assert frame["in_flight"] == in_flight
    assert [person["user"] for person in frame["people"]] == people
    assert frame["workers"] == 2


def test_groups_add_up() -> None:
    board = Board()
    board.take("one", [[*BOB, 1, 10.0]])
    board.take("two", [[*BOB, 2, 2.5], [*CI, 1, 0.5]])
    frame = board.frame(Viewer(9, is_admin=True))
    assert frame["tokens_per_second"] == 13.0
    assert frame["people"][0] == {"user": "bob", "team": "red", "in_flight": 3, "tokens_per_second": 12.5}
    assert frame["models"] == [{"provider": "openai", "model": "gpt-4o", "in_flight": 4, "tokens_per_second": 13.0}]


def test_a_word_replaces_the_last_and_silence_is_an_end() -> None:
    now = 0.0
    board = Board(lambda: now)
    admin = Viewer(9, is_admin=True)
    board.take("one", [[*BOB, 5, 0.0]])
    board.take("one", [[*BOB, 2, 0.0]])
    board.take("two", [[*BOB, 1, 0.0]])
    assert board.frame(admin)["in_flight"] == 3
    board.take("two", [])
    assert board.frame(admin)["in_flight"] == 2
    now = STALE_SECONDS + 0.1
    assert board.frame(admin)["in_flight"] == 0
