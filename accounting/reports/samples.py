"""What sums cannot tell: latency percentiles and classes of errors, from the period's latest requests.

A sample is bounded, so it costs the same however large the ledger is; it says how many requests it stands on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from accounting.models import LedgerEntry

from .selection import Selection

SAMPLE: Final = 10_000
Outcome = LedgerEntry.Outcome


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p90: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[int]) -> Percentiles | None:
        """Linear between neighbours (numpy's default); None of nothing."""
        if not values:
            return None
        if len(values) == 1:
            return cls(*[float(values[0])] * 4)
        cuts = quantiles(values, n=100, method="inclusive")
        return cls(cuts[49], cuts[89], cuts[94], cuts[98])


@dataclass(frozen=True, slots=True)
class Latency:
    """Of ``requests`` complete ones of one model; of all for an empty ``provider`` and ``model``."""

    provider: str
    model: str
    requests: int
    first_byte: Percentiles | None
    duration: Percentiles | None


@dataclass(frozen=True, slots=True)
class Failure:
    """How many of the sample ended alike; ``error`` is the class of what went wrong."""

    outcome: str
    error: str
    provider: str
    requests: int


@dataclass(frozen=True, slots=True)
class Failures:
    sampled: int
    failures: tuple[Failure, ...]

    @property
    def rate(self) -> float | None:
        """Failed requests as a part of the sample."""
        return sum(one.requests for one in self.failures) / self.sampled if self.sampled else None


def latency(selection: Selection) -> tuple[Latency, ...]:
    """All models together first, then each, the most used first. One query."""
    rows = selection.latest(SAMPLE).values_list("outcome", "provider", "model", "first_byte_ms", "duration_ms")
    by_model: dict[tuple[str, str], list[tuple[int | None, int | None]]] = defaultdict(list)
    for outcome, provider, model, first_byte, duration in rows:
        if outcome == Outcome.COMPLETE:
            by_model[provider, model].append((first_byte, duration))
    if not by_model:
        return ()
    everything = [times for group in by_model.values() for times in group]
    ranked = sorted(by_model.items(), key=lambda item: (-len(item[1]), item[0]))
    return (_latency("", "", everything), *(_latency(*name, times) for name, times in ranked))


def failures(selection: Selection) -> Failures:
    """How the latest requests failed, the most frequent first. One query."""
    rows = list(selection.latest(SAMPLE).values_list("outcome", "error", "provider"))
    counted = Counter(row for row in rows if row[0] != Outcome.COMPLETE)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return Failures(len(rows), tuple(Failure(*kind, requests) for kind, requests in ranked))


def _latency(provider: str, model: str, times: list[tuple[int | None, int | None]]) -> Latency:
    first_bytes = [first for first, _ in times if first is not None]
    durations = [duration for _, duration in times if duration is not None]
    return Latency(provider, model, len(times), Percentiles.of(first_bytes), Percentiles.of(durations))
