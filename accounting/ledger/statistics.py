"""What settled rows teach about their models, added up in the transaction that settles them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db.models import F

from accounting.models import ModelStatistics
from accounting.statements import Upsert

from .booking import Row

_TABLE: Final = ModelStatistics._meta.db_table
_MANY: Final = 2000
_LONGEST: Final = 1_000_000  # tokens: a longer answer is some provider's mistake, and its square would break the sum
_SUMS: Final = ("requests", "request_bytes", "input_tokens", "output_tokens", "output_squares")
_UPSERT: Final = Upsert(_TABLE, ("model_key", *_SUMS), conflict=("model_key",), sums=_SUMS)


def fade() -> None:
    """Halves the sums of models with many requests, so that what is new counts for more than what was long ago."""
    ModelStatistics.objects.filter(requests__gt=_MANY).update(**{name: F(name) / 2 for name in _SUMS})


def write(rows: Iterable[Row]) -> None:
    """Adds what exact, complete rows show. A row without ``input_bytes`` teaches only of output."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        total = sums.setdefault(row.booking.model_key, [0] * len(_SUMS))
        measured = bool(row.booking.input_bytes)
        output = min(row.tokens.output, _LONGEST)
        total[0] += 1
        total[1] += row.booking.input_bytes
        total[2] += row.tokens.total_input if measured else 0
        total[3] += output
        total[4] += output**2
    _UPSERT.write([(model_key, *total) for model_key, total in sorted(sums.items())])
