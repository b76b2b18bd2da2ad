"""The mapping board: each tier with what it costs, how much it takes and how it has fared in the last hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from accounting.models import HourlyUsage, LedgerEntry, Price
from accounting.pricing import PriceBook, Rates, Sale

from . import conformance
from .errors import RoutingError
from .models import Conformance
from .resolution import Resolution, resolve
from .table import Goal, RoutingTable
from .upstream.target import Target

_MILLION = Decimal(1_000_000)
_FAILED = (LedgerEntry.Outcome.UPSTREAM_ERROR, LedgerEntry.Outcome.GATEWAY_ERROR, LedgerEntry.Outcome.LOST)


@dataclass(frozen=True, slots=True)
class Health:
    """How a tier or provider fared since the beginning of the last full hour. ``first_byte_ms`` is a mean."""

    requests: int = 0
    failed: int = 0
    first_byte_ms: int | None = None

    @property
    def mood(self) -> str:
        """``good``, ``warn`` or ``bad``; "" where nothing was asked."""
        if not self.requests:
            return ""
        share = self.failed / self.requests
        return "good" if share < 0.02 else "warn" if share < 0.2 else "bad"


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens, as people write them; "not known" where a price is not."""

    input: str
    output: str
    cache_read: str
    source: str

    @classmethod
    def of(cls, rates: Rates) -> Prices:
        return cls(_dollars(rates.input), _dollars(rates.output), _dollars(rates.cache_read), rates.source)


def _dollars(rate: Decimal | None) -> str:
    if rate is None:
        return "not known"
    price = (rate * _MILLION).normalize()
    places = max(2, -int(price.as_tuple().exponent))
    return f"${price:,.{places}f}"


@dataclass(frozen=True, slots=True)
class Line:
    """One tier on the board. ``problem`` says why it leads nowhere, "" where it does not.

    ``conformance`` is the newest run of the checks against where it leads.
    """

    name: str
    goal: Goal
    patterns: list[str]
    target: Target | None
    prices: Prices | None
    health: Health
    problem: str
    conformance: Conformance | None = None


def lines(table: RoutingTable) -> list[Line]:
    """The board's tiers, in their order."""
    book, health, runs = PriceBook(Price.objects.all()), health_by("tier"), conformance.latest()
    found = [
        _line(table, book, health.get(name, Health()), name, [p for p, tier in table.patterns if tier == name])
        for name in table.tiers
    ]
    return [
        replace(line, conformance=runs.get((line.target.provider, line.target.model))) if line.target else line
        for line in found
    ]


def _line(table: RoutingTable, book: PriceBook, health: Health, name: str, patterns: list[str]) -> Line:
    goal = table.tiers[name]
    target = prices = None
    problem = ""
    if goal.model:
        try:
            found = resolve(table, None, f"{goal.provider}/{goal.model}")
            target, prices = found.target, price_of(found, book)
        except RoutingError as error:
            problem = error.message
    elif not table.hosts[goal.provider].enabled:
        problem = f"The provider '{goal.provider}' is switched off, or has no key yet."
    return Line(name, goal, patterns, target, prices, health, problem)


def price_of(found: Resolution, book: PriceBook) -> Prices | None:
    """What the target costs today on the standard service tier; None where it is not priced."""
    target = found.target
    rates = book.rates(Sale(target.provider, found.price_family, target.model, "", 0, timezone.now()))
    return Prices.of(rates) if rates is not None else None


def health_by(dimension: str) -> dict[str, Health]:
    """``Health`` by a dimension of the hourly roll-ups (``tier``, ``provider``): no row of the ledger is read."""
    since = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    sums: Iterable[dict[str, int | str]] = (
        HourlyUsage.objects.filter(hour__gte=since)
        .exclude(outcome=LedgerEntry.Outcome.REJECTED)
        .values(dimension, "outcome")
        .annotate(n=Sum("requests"), ms=Sum("first_byte_ms"), timed=Sum("first_bytes"))
        .order_by()
    )
    totals: dict[str, list[int]] = {}
    for row in sums:
        total = totals.setdefault(str(row[dimension]), [0, 0, 0, 0])
        total[0] += int(row["n"])
        total[1] += int(row["n"]) if row["outcome"] in _FAILED else 0
        total[2] += int(row["ms"])
        total[3] += int(row["timed"])
    return {
        name: Health(requests, failed, round(ms / timed) if timed else None)
        for name, (requests, failed, ms, timed) in totals.items()
    }
