"""What this worker carries now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from accounting.identity import Caller


class Route(Protocol):
    """Where a request goes, as ``ledger.Booking`` says it."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...


class Passing(Protocol):
    """A request in flight, as ``ledger.Entry`` is one. ``output_so_far`` is in tokens, and only grows."""

    @property
    def caller(self) -> Caller: ...

    @property
    def booking(self) -> Route: ...

    @property
    def output_so_far(self) -> int: ...


class Whose(NamedTuple):
    """Who is served, and by which model. An id of 0 stands for nobody, as in the roll-ups."""

    user_id: int
    user: str
    team_id: int
    team: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Line:
    """Of one ``Whose``: requests ``in_flight``, and output ``tokens_per_second`` since the last look."""

    whose: Whose
    in_flight: int
    tokens_per_second: float


class Tally:
    """Used on one event loop alone."""

    def __init__(self) -> None:
        self._inside: dict[Passing, int] = {}  # tokens at the last look
        self._of_the_gone: dict[Whose, int] = defaultdict(int)  # tokens since the last look

    @property
    def is_empty(self) -> bool:
        return not self._inside

    def enter(self, passing: Passing) -> None:
        self._inside[passing] = 0

    def leave(self, passing: Passing) -> None:
        seen = self._inside.pop(passing, None)
        if seen is not None:
            self._of_the_gone[_whose(passing)] += passing.output_so_far - seen

    def look(self, seconds: float) -> list[Line]:
        """Everybody with a request in flight, or with tokens since the last look ``seconds`` ago."""
        flying: dict[Whose, int] = defaultdict(int)
        tokens, self._of_the_gone = self._of_the_gone, defaultdict(int)
        for passing, seen in self._inside.items():
            whose, now = _whose(passing), passing.output_so_far
            flying[whose] += 1
            tokens[whose] += now - seen
            self._inside[passing] = now
        return [
            Line(whose, flying[whose], round(tokens[whose] / seconds, 1))
            for whose in sorted(flying.keys() | tokens.keys())
            if flying[whose] or tokens[whose]
        ]


def _whose(passing: Passing) -> Whose:
    caller, booking = passing.caller, passing.booking
    return Whose(
        caller.user_id or 0,
        caller.user_name,
        caller.team_id or 0,
        caller.team_name,
        booking.provider,
        booking.model,
    )


this_worker = Tally()
