"""What is told of one request when it is over: to the log, to Prometheus, to a trace. Filled in as it passes.

Nothing here holds a prompt, a header or a credential, so nothing here can let one out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from accounting.identity import Caller
from accounting.ledger import Entry
from accounting.tokens import Tokens
from routing.resolution import Resolution
from routing.upstream.errors import UpstreamError

from .errors import answer_for, kind_of


@dataclass(slots=True)
class Passage:
    """``began`` is ``time.perf_counter()``. ``status`` is 0 until one is sent, and stays so where a client leaves."""

    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    caller: Caller | None = None
    resolution: Resolution | None = None
    entry: Entry | None = None
    upstream_began: float = 0.0
    upstream_failure: str = ""
    failure: Exception | None = None
    total_ms: int = 0

    def fail(self, error: Exception) -> None:
        """It ends in ``error``, whoever is to blame."""
        self.failure = error
        if isinstance(error, UpstreamError):
            self.upstream_failure = kind_of(error)

    def finish(self) -> None:
        self.total_ms = round((time.perf_counter() - self.began) * 1000)

    @property
    def outcome(self) -> str:
        """In the ledger's words, where it has a row and where it has none."""
        if self.entry is not None and self.entry.end is not None:
            return str(self.entry.end.outcome)
        if self.failure is not None:
            return answer_for(self.failure).outcome
        return "complete" if self.status else "interrupted"

    @property
    def provider(self) -> str:
        return self.resolution.target.provider if self.resolution else ""

    @property
    def model(self) -> str:
        return self.resolution.target.model if self.resolution else ""

    @property
    def dialect(self) -> str:
        return self.resolution.target.dialect if self.resolution else ""

    @property
    def tier(self) -> str:
        return self.resolution.tier if self.resolution else ""

    @property
    def first_byte_ms(self) -> int | None:
        return self.entry.end.first_byte_ms if self.entry and self.entry.end else None

    @property
    def tokens(self) -> Tokens | None:
        return self.entry.end.tokens if self.entry and self.entry.end else None
