"""What settled requests teach about the next one: tokens a byte, and how long a model's answers are.

Kept in memory for the request path, which asks a thousand times a second; the ledger's writer reads it from
``ModelStatistics``, where it adds up over all workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .models import ModelStatistics

BYTES_PER_TOKEN: Final = 3.6  # of a request's JSON, before anything is known of a model
TYPICAL_OUTPUT: Final = 1000  # tokens, likewise
ENOUGH: Final = 5  # requests, from which on what was learned counts
_LIKELY: Final = (1.0, 8.0)  # bytes a token can be: what lies outside was not text


@dataclass(frozen=True, slots=True)
class Learned:
    """Of one model. ``typical_output`` is its mean output plus one standard deviation, in tokens."""

    bytes_per_token: float
    typical_output: int

    @classmethod
    def of(cls, row: ModelStatistics) -> Learned:
        ratio = row.request_bytes / row.input_tokens if row.input_tokens else BYTES_PER_TOKEN
        mean = row.output_tokens / row.requests
        deviation = math.sqrt(max(row.output_squares / row.requests - mean * mean, 0.0))
        return cls(min(max(ratio, _LIKELY[0]), _LIKELY[1]), math.ceil(mean + deviation))


class Calibration:
    """What is known of each model, by ``provider/model``. Replaced whole by the writer, read by everyone."""

    def __init__(self) -> None:
        self._learned: dict[str, Learned] = {}

    def learn(self, rows: Iterable[ModelStatistics]) -> None:
        self._learned = {row.model_key: Learned.of(row) for row in rows if row.requests >= ENOUGH}

    def estimate_input(self, model_key: str, n_bytes: int) -> int:
        """Input tokens of a request of ``n_bytes`` bytes of JSON, rounded up and never 0."""
        known = self._learned.get(model_key)
        return max(math.ceil(n_bytes / (known.bytes_per_token if known else BYTES_PER_TOKEN)), 1)

    def typical_output(self, model_key: str) -> int:
        """Tokens that most answers of the model stay below."""
        known = self._learned.get(model_key)
        return known.typical_output if known else TYPICAL_OUTPUT


calibration = Calibration()
estimate_input = calibration.estimate_input
typical_output = calibration.typical_output
