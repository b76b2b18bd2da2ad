"""Pricing settled rows anew, on request: history is never rewritten by a price that changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from accounting.admission.counters import Counters
from accounting.admission.gate import Gate
from accounting.admission.policies import Policies
from accounting.models import LedgerEntry, Price
from accounting.models.ledger import LedgerQuerySet
from accounting.models.money import to_units
from accounting.pricing import PriceBook, Rates
from accounting.rollups import Rollups

from . import cards, rows
from .booking import Row

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """A row whose cost is not what the prices in force at its time say."""

    before: Row
    after: Row

    @property
    def difference(self) -> Decimal:
        return (self.after.cost or Decimal(0)) - (self.before.cost or Decimal(0))


def reprice(which: LedgerQuerySet, *, write: bool) -> Iterator[list[Change]]:
    """Reprices the settled rows of ``which``, and yields what changes, a list a transaction, empty ones too.

    Costs, rate cards, roll-ups and the budgets of the rows' periods change together.
    """
    prices = PriceBook(Price.objects.all())
    policies = Policies.load()
    settled = which.filter(state=LedgerEntry.State.SETTLED).order_by("pk")
    after = None
    while True:
        page = settled if after is None else settled.filter(pk__gt=after)
        keys = list(page.values_list("pk", flat=True)[:_BATCH])
        if not keys:
            return
        after = keys[-1]
        with transaction.atomic():
            entries = LedgerEntry.objects.select_for_update().filter(pk__in=keys).order_by("pk")
            used: dict[str, Rates] = {}
            changes = list(_changes(entries, prices, used))
            if write and changes:
                _write(changes, policies, used)
        yield changes


def _changes(entries: Iterable[LedgerEntry], prices: PriceBook, used: dict[str, Rates]) -> Iterator[Change]:
    for entry in entries:
        before = rows.restore(entry)
        if before.outcome == LedgerEntry.Outcome.REJECTED:
            continue
        after = replace(before)
        rates = after.price(prices)
        if _units(after.cost) != _units(before.cost):
            if rates is not None:
                used[rates.digest] = rates
            yield Change(before, after)


def _write(changes: list[Change], policies: Policies, used: dict[str, Rates]) -> None:
    now = datetime.now(UTC)
    rated = [policies.of(change.after.caller, change.after.booking) for change in changes]
    counters, rollups = Counters(), Rollups()
    counters.lock(
        {
            (policy.id, policy.window(change.after.started_at))
            for change, concerned in zip(changes, rated, strict=True)
            for policy in concerned
            if policy.is_budget
        },
        policies,
    )
    gate = Gate(counters, now)
    for change, concerned in zip(changes, rated, strict=True):
        gate.book(change.after, concerned, (_units(change.after.cost) or 0) - (_units(change.before.cost) or 0))
        rollups.add(change.before, -1)
        rollups.add(change.after)
    counters.write()
    cards.write(used.values(), now)
    rows.update([change.after for change in changes], None)
    rollups.write()


def _units(cost: Decimal | None) -> int | None:
    return None if cost is None else to_units(cost)
