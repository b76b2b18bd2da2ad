"""The latest snapshots of all workers, put together for one viewer."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from accounting.reports import Viewer

from .carrier import Wire
from .tally import Line, Whose

STALE_SECONDS: Final = 5.0  # a worker that says nothing for so long is gone, or its words do not reach us
_NUMBERS: Final = 2  # at the end of a line on the wire: in flight, tokens per second


class Board:
    """``clock`` is in seconds, and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest: dict[str, tuple[float, list[Line]]] = {}

    def take(self, worker: str, wire: Wire) -> None:
        """A worker's word replaces its last."""
        lines = [Line(Whose(*line[:-_NUMBERS]), *line[-_NUMBERS:]) for line in wire]
        if lines:
            self._latest[worker] = self._clock(), lines
        else:
            self._latest.pop(worker, None)

    def frame(self, viewer: Viewer) -> dict[str, Any]:
        """What ``viewer`` may see of it: sums, by person and by model. ``workers`` are those that carry anything."""
        oldest = self._clock() - STALE_SECONDS
        self._latest = {worker: told for worker, told in self._latest.items() if told[0] > oldest}
        lines = [
            line
            for _, told in self._latest.values()
            for line in told
            if viewer.sees(line.whose.user_id or None, line.whose.team_id or None)
        ]
        return {
            "in_flight": sum(line.in_flight for line in lines),
            "tokens_per_second": round(sum(line.tokens_per_second for line in lines), 1),
            "workers": len(self._latest),
            "people": _grouped(lines, lambda whose: {"user": whose.user, "team": whose.team}),
            "models": _grouped(lines, lambda whose: {"provider": whose.provider, "model": whose.model}),
        }


def _grouped(lines: Iterable[Line], named: Callable[[Whose], dict[str, str]]) -> list[dict[str, Any]]:
    """The busiest first."""
    groups: dict[tuple[tuple[str, str], ...], list[float]] = defaultdict(lambda: [0, 0.0])
    for line in lines:
        group = groups[tuple(named(line.whose).items())]
        group[0] += line.in_flight
        group[1] += line.tokens_per_second
    ranked = sorted(groups.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return [
        dict(name) | {"in_flight": int(flying), "tokens_per_second": round(tokens, 1)}
        for name, (flying, tokens) in ranked
    ]
