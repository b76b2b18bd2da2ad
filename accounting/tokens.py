"""What a request used, in disjoint counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

_MAX_COUNT: Final = 2**31 - 1  # more tokens than any answer has


@dataclass(slots=True)
class Tokens:
    """Tokens of one request. ``reasoning`` alone is a part of ``output``, not beside it; searches are no tokens."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    web_searches: int = 0

    @property
    def total_input(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        return self.total_input + self.output

    def read(self, usage: Mapping[str, Any]) -> None:
        """Takes over the figures an Anthropic ``usage`` object has; they are cumulative, and later ones win.

        Source: https://docs.anthropic.com/en/api/messages#response-usage. ``cache_creation`` splits
        ``cache_creation_input_tokens`` by lifetime; what it does not name has the default lifetime of five minutes.
        """
        self.input = _count(usage, "input_tokens", self.input)
        self.cache_read = _count(usage, "cache_read_input_tokens", self.cache_read)
        self.output = _count(usage, "output_tokens", self.output)
        written = _count(usage, "cache_creation_input_tokens", self.cache_write_5m + self.cache_write_1h)
        split = usage.get("cache_creation")
        if isinstance(split, Mapping):
            hourly = _count(split, "ephemeral_1h_input_tokens", self.cache_write_1h)
            written = max(written, hourly + _count(split, "ephemeral_5m_input_tokens", 0))
            self.cache_write_1h = hourly
        self.cache_write_5m = max(written - self.cache_write_1h, 0)
        details = usage.get("output_tokens_details")
        if isinstance(details, Mapping):
            self.reasoning = min(_count(details, "thinking_tokens", self.reasoning), self.output)
        searches = usage.get("server_tool_use")
        if isinstance(searches, Mapping):
            self.web_searches = _count(searches, "web_search_requests", self.web_searches)


def is_count(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a figure that the ledger can hold and price, for a provider may send anything."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COUNT


def _count(usage: Mapping[str, Any], name: str, known: int) -> int:
    value = usage.get(name)
    return value if is_count(value) else known
