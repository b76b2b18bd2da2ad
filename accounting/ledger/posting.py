"""One transaction: everything a batch of requests needs written, decided and settled together.

Locks are taken in the same order by every worker, so that none waits for another in a circle: ledger rows by id,
counters of limits by (limit, window), roll-ups by id, statistics by model.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounting import meters
from accounting.admission.counters import Counters
from accounting.admission.gate import Gate, Refusal, Soft, Wanted
from accounting.admission.policies import Policies, Policy
from accounting.calibration import calibration
from accounting.models import Generation, LedgerEntry, ModelStatistics, Price
from accounting.models.money import from_units, to_units
from accounting.pricing import PriceBook, Rates
from accounting.rollups import Rollups
from accounting.tokens import Tokens

from . import cards, rows, statistics
from .booking import End, Row

Headers = list[tuple[bytes, bytes]]


class Stale(Exception):
    """What the request was decided on has changed since: ``generation`` is the one to read anew."""

    def __init__(self, generation: int) -> None:
        super().__init__(f"the generation is {generation} now")
        self.generation = generation


@dataclass(slots=True, eq=False)
class Opening:
    """A row to open, if the generation is still ``generation`` (None: whatever it is) and its limits allow."""

    row: Row
    generation: int | None
    result: Headers | Stale | Refusal | None = None


@dataclass(slots=True, eq=False)
class Settlement:
    """A row to settle as it ended: once, whoever says it how often. A row that was never opened is let be."""

    row: Row
    end: End


@dataclass(slots=True, eq=False)
class Rejection:
    """A request refused before it had a target: a settled row, and nothing else."""

    row: Row


Work = Opening | Settlement | Rejection


@dataclass(slots=True)
class Known:
    """What the writer remembers between transactions; read anew when the generation moves."""

    worker: uuid.UUID | None
    generation: int = -1
    policies: Policies = field(default_factory=Policies)
    prices: PriceBook = field(default_factory=PriceBook)
    cards: set[str] = field(default_factory=set)

    def refresh(self, generation: int) -> None:
        if generation != self.generation:
            self.policies = Policies.load()
            self.prices = PriceBook(Price.objects.all())
            calibration.learn(ModelStatistics.objects.all())
            self.generation = generation


def post(known: Known, batch: Sequence[Work], *, forced: bool = False) -> list[Soft]:
    """Writes ``batch`` in one transaction, and each opening's ``result``; returns the budgets that became filled.

    ``forced`` (a journal that is replayed): rows are opened whatever the limits say, for they have been served.
    Raises django.db.Error; then nothing was written, and the same batch may be posted again. Only the word of a commit
    may have been lost with the connection: see ``unwritten``.
    """
    posting = _Posting(known, batch, forced=forced)
    with transaction.atomic():
        posting.run()
    known.cards.update(posting.cards)
    meters.count(posting.ended)
    return posting.gate.soft


def unwritten(batch: Iterable[Work]) -> list[Work]:
    """``batch`` without the rows that an earlier try has written: they would be counted again.

    Settlements stay, for they are counted once by themselves. Raises django.db.Error.
    """
    works = list(batch)
    new = [work.row.id for work in works if not isinstance(work, Settlement)]
    there = set(LedgerEntry.objects.filter(pk__in=new).values_list("pk", flat=True)) if new else set()
    return [work for work in works if isinstance(work, Settlement) or work.row.id not in there]


class _Posting:
    def __init__(self, known: Known, batch: Sequence[Work], *, forced: bool) -> None:
        self.known = known
        self.forced = forced
        self.openings = [work for work in batch if isinstance(work, Opening)]
        # The first word on how a row ended counts, hence the reversal.
        self.settlements = {work.row.id: work for work in reversed(batch) if isinstance(work, Settlement)}
        self.inserted = [work.row for work in batch if isinstance(work, Rejection)]
        self.updated: list[Row] = []
        self.ended: list[Row] = []
        self.cards: dict[str, Rates] = {}
        self.now = datetime.now(UTC)
        self.counters = Counters()
        self.gate = Gate(self.counters, self.now)
        self.rollups = Rollups()

    def run(self) -> None:
        generation = Generation.read()
        self.known.refresh(generation)
        openings = [work for work in self.openings if not self._is_stale(work, generation)]
        opening = {work.row.id for work in openings}
        earlier = {key: work for key, work in self.settlements.items() if key not in opening}
        held = rows.lock_open(earlier)
        lost = rows.lock_lost(earlier.keys() - held.keys())
        concerned = [work.row for work in openings] + [earlier[key].row for key in (*held, *lost)]
        rated = {row.id: self.known.policies.of(row.caller, row.booking) for row in concerned}
        keys = {(policy.id, policy.window(row.started_at)) for row in concerned for policy in rated[row.id]}
        keys.update((hold.limit_id, hold.window) for holds in held.values() for hold in holds)
        self.counters.lock(keys, self.known.policies)
        for key, holds in held.items():
            earlier[key].row.holds = holds
            self._settle(earlier[key].row, earlier[key].end, rated[key])
            self.updated.append(earlier[key].row)
        for key, estimate in lost.items():
            self._correct(earlier[key], estimate, rated[key])
        for work in openings:
            work.result = self._open(work.row, rated[work.row.id])
        self._write()

    def _is_stale(self, work: Opening, generation: int) -> bool:
        if work.generation is None or work.generation == generation or self.forced:
            return False
        work.result = Stale(generation)
        return True

    # --- opening ------------------------------------------------------------------------------------------------

    def _open(self, row: Row, policies: list[Policy]) -> Headers | Refusal:
        """Inserts the row: open, or rejected, or settled at once where its end is already known."""
        wanted = self._estimate(row)
        self.inserted.append(row)
        refusal = self.gate.admit(row, policies, wanted, forced=self.forced)
        if refusal is not None:
            row.end(
                End(LedgerEntry.Outcome.REJECTED, Tokens(), exact=True, error=type(refusal).__name__, duration_ms=0)
            )
            row.cost, row.rate_card, row.reserved = Decimal(0), None, Decimal(0)
            self.settlements.pop(row.id, None)
            return refusal
        row.reserved = from_units(wanted.money)
        headers = self.gate.headers(policies, row)
        settlement = self.settlements.get(row.id)
        if settlement is not None:
            # Opened and ended within one batch, by a client that left at once: written once, as settled.
            self._settle(row, settlement.end, policies)
        return headers

    def _estimate(self, row: Row) -> Wanted:
        """Fills the row with what the request is expected to use, and says what to reserve for it."""
        booking = row.booking
        typical = min(booking.max_tokens, calibration.typical_output(booking.model_key))
        row.end(End("", Tokens(input=booking.input_estimate, output=typical)))  # anew, if the batch is posted again
        rates = self._price(row)
        most = Tokens(input=booking.input_estimate, output=booking.max_tokens)
        reserve = most if settings.BUDGET_RESERVATION == "strict" else row.tokens
        money = rates.cost(reserve) if rates is not None else None
        return Wanted(0 if money is None else to_units(money), reserve.total)

    def _price(self, row: Row) -> Rates | None:
        """Sets the row's cost and its card, which is kept; returns the rates."""
        rates = row.price(self.known.prices)
        if rates is not None:
            self.cards[rates.digest] = rates
        return rates

    # --- settling -----------------------------------------------------------------------------------------------

    def _settle(self, row: Row, end: End, policies: list[Policy]) -> None:
        row.end(end)
        self._price(row)
        self.gate.release(row, policies)
        self.gate.book(row, policies, _units(row))

    def _correct(self, work: Settlement, lost: Row, policies: list[Policy]) -> None:
        """The truth about a row whose worker was taken for dead replaces the estimate that it was closed with."""
        row = work.row
        row.end(work.end)
        self._price(row)
        self.gate.book(row, policies, _units(row) - _units(lost))
        self.rollups.add(lost, -1)
        self.updated.append(row)

    def _write(self) -> None:
        self.ended = [row for row in (*self.inserted, *self.updated) if row.outcome]
        for row in self.ended:
            self.rollups.add(row)
        self.counters.write()
        cards.write((rates for digest, rates in self.cards.items() if digest not in self.known.cards), self.now)
        rows.insert(self.inserted, self.known.worker)
        rows.update(self.updated, self.known.worker)
        self.rollups.write()
        statistics.write(row for row in self.ended if row.exact and row.outcome == LedgerEntry.Outcome.COMPLETE)


def _units(row: Row) -> int:
    return 0 if row.cost is None else to_units(row.cost)
