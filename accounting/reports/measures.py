"""What is summed, and what follows from the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Q, Sum

from accounting.models.rollups import MEASURES

# Named apart from the columns they sum: Django takes an aggregate of a column's own name for that column.
SUMS: Final = {f"sum_{name}": Sum(name) for name in MEASURES}

_COLUMNS: Final = tuple((name, f"sum_{name}") for name in MEASURES if name != "cost")
_NONE: Final = Decimal(0)

_COUNTS: Final[dict[str, Any]] = {
    "requests": Count("*"),
    "estimated": Count("id", filter=Q(exact=False)),
    "unpriced": Count("id", filter=Q(cost=None)),
    "streamed": Count("id", filter=Q(streamed=True)),
    "first_bytes": Count("first_byte_ms"),
}
ENTRY_SUMS: Final = {f"sum_{name}": _COUNTS.get(name) or Sum(name) for name in MEASURES}
"""The same sums over rows of the ledger itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over settled requests. Tokens are disjoint, but for ``reasoning_tokens``, a part of ``output_tokens``.

    ``cost`` is US dollars, without the ``unpriced`` requests, whose cost is not known. ``estimated`` requests carry an
    estimate instead of the provider's figures. Times are sums of milliseconds.
    """

    requests: int = 0
    estimated: int = 0
    unpriced: int = 0
    streamed: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    web_searches: int = 0
    cost: Decimal = Decimal(0)
    first_bytes: int = 0
    first_byte_ms: int = 0
    duration_ms: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Totals:
        """From a row that has ``SUMS``; sums over nothing are NULL there."""
        counts = {name: int(row[column] or 0) for name, column in _COLUMNS}
        return cls(cost=row["sum_cost"] or _NONE, **counts)

    def __add__(self, other: Totals) -> Totals:
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in MEASURES})

    def __sub__(self, other: Totals) -> Totals:
        return Totals(**{name: getattr(self, name) - getattr(other, name) for name in MEASURES})

    @property
    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def total_input_tokens(self) -> int:
        """All that was sent: fresh, read from cache, and written to cache."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total_tokens(self) -> int:
        return self.total_input_tokens + self.output_tokens

    @property
    def cache_hit_rate(self) -> float | None:
        """The part of the input that was read from a cache, 0 to 1; None without input."""
        return self.cache_read_tokens / self.total_input_tokens if self.total_input_tokens else None

    @property
    def mean_first_byte_ms(self) -> float | None:
        return self.first_byte_ms / self.first_bytes if self.first_bytes else None

    @property
    def mean_duration_ms(self) -> float | None:
        return self.duration_ms / self.requests if self.requests else None

    @property
    def output_tokens_per_second(self) -> float | None:
        """Over the requests' whole durations, the time to first byte included."""
        return self.output_tokens * 1000 / self.duration_ms if self.duration_ms else None
