from __future__ import annotations

from dataclasses import dataclass

from accounting.identity import Caller
from accounting.ledger import Booking
from accounting.live.tally import Line, Tally, Whose


@dataclass(eq=False)
class Passing:
    caller: Caller
    booking: Booking
    output_so_far: int = 0


BOB = Caller(1, "k", 7, "bob", 3, "red")
SERVICE = Caller(2, "ci", None, "", 3, "red")
BOOKING = Booking("req", provider="openai", model="gpt-4o")
BOBS = Whose(7, "bob", 3, "red", "openai", "gpt-4o")


def test_requests_and_their_tokens_since_the_last_look() -> None:
    tally = Tally()
    one, two = Passing(BOB, BOOKING), Passing(BOB, BOOKING)
    tally.enter(one)
    tally.enter(two)
    one.output_so_far, two.output_so_far = 30, 10
    assert tally.look(2) == [Line(BOBS, 2, 20.0)]
    two.output_so_far = 15
    tally.leave(one)
    assert tally.look(1) == [Line(BOBS, 1, 5.0)]


def test_what_came_between_the_last_look_and_the_end_counts() -> None:
    tally = Tally()
    short = Passing(SERVICE, BOOKING)
    tally.enter(short)
    short.output_so_far = 8
    tally.leave(short)
    tally.leave(short)
    assert tally.look(1) == [Line(Whose(0, "", 3, "red", "openai", "gpt-4o"), 0, 8.0)]
    assert tally.look(1) == []
