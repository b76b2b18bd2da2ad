"""Made-up usage, to try a ledger at the size it will have: rows as the writer would have left them, in bulk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction

from accounting.identity import Caller
from accounting.models import LedgerEntry, Team, User
from accounting.pricing import PriceBook, Rates
from accounting.tokens import Tokens
from accounting.uuids import uuid7

from . import cards, partitions, rows
from .booking import Booking, End, Row

BATCH: Final = 5000
_MODELS: Final = (
    # tier, asked model, provider, real model, share, usual output
    ("sonnet", "claude-sonnet-4-5", "openai", "gpt-4.1", 50, 400),
    ("haiku", "claude-haiku-4-5", "openai", "gpt-4.1-mini", 25, 120),
    ("opus", "claude-opus-4-6", "gemini", "gemini-2.5-pro", 15, 900),
    ("sonnet", "claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5", 10, 500),
)
_OUTCOMES: Final = (
    (LedgerEntry.Outcome.COMPLETE, 95),
    (LedgerEntry.Outcome.INTERRUPTED, 3),
    (LedgerEntry.Outcome.UPSTREAM_ERROR, 2),
)
_AGENTS: Final = 4  # a session's, its main one included


@dataclass(frozen=True, slots=True)
class Plan:
    """How much usage to make up: ``rows`` over ``days`` up to ``until``, of ``people`` in ``teams``."""

    rows: int
    days: int
    people: int
    teams: int
    seed: int
    until: datetime


def people_of(plan: Plan) -> list[Caller]:
    """The people who seem to have called, made where they are missing; their names say that they are made up."""
    teams = [Team.objects.get_or_create(name=f"generated team {number}")[0] for number in range(plan.teams)]
    callers: list[Caller] = []
    for number in range(plan.people):
        user, _ = User.objects.get_or_create(username=f"generated-{number:05}", defaults={"is_active": False})
        team = teams[number % len(teams)]
        callers.append(Caller(0, "generated", user.pk, user.username, team.pk, team.name))
    return callers


def generate(plan: Plan, callers: Sequence[Caller]) -> Iterator[int]:
    """Writes the rows, in order of time, and yields how many each batch took."""
    first = plan.until - timedelta(days=plan.days)
    partitions.make(first.date(), plan.until.date())
    source = _Source(plan, callers, first)
    made = iter(source)
    while batch := list(islice(made, BATCH)):
        with transaction.atomic():
            cards.write(source.cards.values(), plan.until)
            _write(batch)
        yield len(batch)


class _Source:
    """Made-up rows, the same ones for the same seed."""

    def __init__(self, plan: Plan, callers: Sequence[Caller], first: datetime) -> None:
        self._plan = plan
        self._callers = callers
        self._first = first
        self._random = random.Random(plan.seed)  # noqa: S311 (not a secret)
        self._prices = PriceBook()
        self.cards: dict[str, Rates] = {}

    def __iter__(self) -> Iterator[Row]:
        chance = self._random
        step = timedelta(days=self._plan.days) / self._plan.rows
        shares = [model[4] for model in _MODELS]
        for number in range(self._plan.rows):
            (model,) = chance.choices(_MODELS, shares)
            yield self._row(self._first + number * step, model)

    def _row(self, moment: datetime, of: tuple[str, str, str, str, int, int]) -> Row:
        chance = self._random
        tier, asked, provider, model, _, usual = of
        caller = self._callers[min(int(chance.paretovariate(0.7)) - 1, len(self._callers) - 1)]
        session = f"{caller.user_id}-{moment:%j-%H}"
        agent = chance.randrange(_AGENTS)
        booking = Booking(
            request_id="req_" + f"{chance.getrandbits(96):024x}",
            asked_model=asked,
            tier=tier,
            provider=provider,
            model=model,
            price_family=provider,
            streamed=True,
            session_id=session,
            agent_id=f"{session}-{agent}" if agent else "",
            client="generated",
        )
        row = Row(caller, booking, uuid7(moment), moment)
        row.end(self._end(usual))
        rates = row.price(self._prices)
        if rates is not None:
            self.cards[rates.digest] = rates
        return row

    def _end(self, usual: int) -> End:
        chance = self._random
        (outcome,) = chance.choices([each[0] for each in _OUTCOMES], [each[1] for each in _OUTCOMES])
        if outcome == LedgerEntry.Outcome.UPSTREAM_ERROR:
            return End(outcome, Tokens(), error="Unavailable", duration_ms=chance.randrange(50, 900))
        whole = int(chance.lognormvariate(9.5, 0.8))
        cached = int(whole * chance.random())
        output = int(chance.expovariate(1 / usual)) + 1
        first_byte = int(chance.lognormvariate(6.3, 0.5))
        return End(
            outcome=outcome,
            tokens=Tokens(input=whole - cached, cache_read=cached, output=output),
            exact=outcome == LedgerEntry.Outcome.COMPLETE,
            first_byte_ms=first_byte,
            duration_ms=first_byte + output * 12,
        )


def _write(batch: Sequence[Row]) -> None:
    if connection.vendor != "postgresql":
        rows.insert(batch, None)
        return
    with connection.cursor() as cursor, cursor.copy(rows.COPY) as copy:
        copy.write("".join([_line(values) for values in rows.values(batch, None)]))


def _line(values: Sequence[Any]) -> str:
    """One row in COPY's text format. None of the made-up texts needs escaping."""
    return "\t".join(["\\N" if value is None else str(value) for value in values]) + "\n"
