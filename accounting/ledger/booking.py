"""What the ledger is told of a request, and the row it becomes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from accounting.identity import Caller
from accounting.models import LedgerEntry
from accounting.pricing import PriceBook, Rates, Sale
from accounting.tokens import Tokens
from accounting.uuids import uuid7

_TEXTS: Final = {
    name: getattr(LedgerEntry._meta.get_field(name), "max_length") or 0  # noqa: B009 (mypy: not every field has it)
    for name in (
        "request_id",
        "asked_model",
        "tier",
        "provider",
        "model",
        "price_family",
        "session_id",
        "agent_id",
        "parent_agent_id",
        "client",
        "service_tier",
    )
}


def fit(value: str, width: int) -> str:
    """``value`` as every database can hold it: cut, and without NULs and lone surrogates."""
    if value.isascii() and "\0" not in value:
        return value[:width]
    return value[:width].replace("\0", "").encode(errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Booking:
    """What is known before the first byte, in plain names.

    ``price_family`` is LiteLLM's name of the provider, for the price list; empty: only an admin's price counts.
    ``input_estimate`` and ``max_tokens`` are tokens. ``input_bytes`` is the size of the JSON that the estimate was
    made from, without media; 0 where nothing is to be learned from it. Texts are cut to what the ledger keeps.
    """

    request_id: str
    asked_model: str = ""
    tier: str = ""
    provider: str = ""
    model: str = ""
    price_family: str = ""
    streamed: bool = False
    input_estimate: int = 0
    max_tokens: int = 0
    session_id: str = ""
    agent_id: str = ""
    parent_agent_id: str = ""
    client: str = ""
    service_tier: str = ""
    input_bytes: int = 0

    def __post_init__(self) -> None:
        for name, width in _TEXTS.items():
            value = getattr(self, name)
            if (fitting := fit(value, width)) != value:
                object.__setattr__(self, name, fitting)

    @property
    def model_key(self) -> str:
        return f"{self.provider}/{self.model}"


class Hold(NamedTuple):
    """What an open row keeps of one limit: ``money`` (units of 1e-10 dollars), ``tokens``, ``calls`` in flight."""

    limit_id: int
    window: int
    money: int = 0
    tokens: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """How a request ended: the figures its row is settled with. Times are in milliseconds from its start."""

    outcome: str
    tokens: Tokens
    exact: bool = False
    error: str = ""
    service_tier: str = ""
    attempts: int = 1
    first_byte_ms: int | None = None
    duration_ms: int | None = None


@dataclass(slots=True)
class Row:
    """One row of the ledger, while this process knows it.

    Made by the request's ``Entry``; from then on the writer's thread alone touches it. Until it is settled, ``tokens``
    and ``cost`` are the estimate that its reservation was made from. ``reserved`` is in dollars.
    """

    caller: Caller
    booking: Booking
    id: uuid.UUID
    started_at: datetime
    tokens: Tokens = field(default_factory=Tokens)
    outcome: str = ""
    error: str = ""
    exact: bool = False
    service_tier: str = ""
    attempts: int = 1
    first_byte_ms: int | None = None
    duration_ms: int | None = None
    cost: Decimal | None = None
    rate_card: str | None = None
    reserved: Decimal = Decimal(0)
    holds: tuple[Hold, ...] = ()

    @classmethod
    def new(cls, caller: Caller, booking: Booking) -> Row:
        """The row of a request that begins now."""
        now = datetime.now(UTC)
        return cls(caller, booking, uuid7(now), now)

    def end(self, end: End) -> None:
        self.outcome = end.outcome
        self.tokens = end.tokens
        self.exact = end.exact
        self.error = fit(end.error, 80)
        self.service_tier = fit(end.service_tier, 30)
        self.attempts = end.attempts
        self.first_byte_ms = end.first_byte_ms
        self.duration_ms = end.duration_ms

    def price(self, prices: PriceBook) -> Rates | None:
        """Sets ``cost`` and ``rate_card`` by the prices in force when it began; returns the rates."""
        booking, tokens = self.booking, self.tokens
        rates = prices.rates(
            Sale(
                provider=booking.provider,
                family=booking.price_family,
                model=booking.model,
                service_tier=self.service_tier or booking.service_tier,
                total_input=tokens.total_input,
                at=self.started_at,
            )
        )
        if rates is not None:
            self.cost, self.rate_card = rates.cost(tokens), rates.digest
        else:  # nothing used costs nothing, whatever the price
            self.cost, self.rate_card = None if tokens.total or tokens.web_searches else Decimal(0), None
        return rates
