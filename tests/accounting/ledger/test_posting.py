"""The transaction: whatever the order of open, settle, crash and expiry, the counters say what the ledger says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.identity import Caller
from accounting.ledger import rows
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.leases import expire
from accounting.ledger.posting import Known, Opening, Rejection, Settlement, Work, post
from accounting.models import DailyUsage, HourlyUsage, LedgerEntry, Limit, LimitCounter, Team, User, Worker
from accounting.models.rollups import MEASURES
from accounting.tokens import Tokens

pytestmark = pytest.mark.django_db

_numbers = count(1)


def booking(**changes: Any) -> Booking:
    values: dict[str, Any] = {
        "request_id": f"req_{next(_numbers)}",
        "asked_model": "claude-sonnet-4-5",
        "provider": "openai",
        "model": "gpt-4o",
        "price_family": "openai",
        "input_estimate": 1000,
        "max_tokens": 100,
    }
    return Booking(**{**values, **changes})


def people() -> list[Caller]:
    team = Team.objects.create(name=f"team {next(_numbers)}")
    users = [User.objects.create(username=f"user {next(_numbers)}") for _ in range(2)]
    return [
        Caller(key_id=0, key_name="", user_id=user.pk, user_name=user.username, team_id=team.pk, team_name=team.name)
        for user in users
    ]


def assert_books_balance(limits: list[Limit]) -> None:
    """Counters equal the ledger, to the last unit, for every budget and every concurrency limit."""
    for limit in limits:
        held = LedgerEntry.objects.all()
        if limit.scope == Limit.Scope.USER:
            held = held.filter(user=limit.user)
        if limit.scope == Limit.Scope.TEAM:
            held = held.filter(team=limit.team)
        if limit.model_pattern:
            held = held.filter(model=limit.model_pattern)
        opened, settled = held.filter(state="open"), held.filter(state="settled")
        sums = LimitCounter.objects.filter(limit=limit).aggregate(
            spent=Sum("spent"), reserved=Sum("reserved"), calls=Sum("in_flight")
        )
        if limit.kind == Limit.Kind.BUDGET:
            assert (sums["spent"] or 0) == (settled.aggregate(Sum("cost"))["cost__sum"] or 0)
            assert (sums["reserved"] or 0) == (opened.aggregate(Sum("reserved"))["reserved__sum"] or 0)
        else:
            assert (sums["calls"] or 0) == opened.count()


def assert_rollups_equal_the_ledger() -> None:
    settled = LedgerEntry.objects.filter(state="settled")
    expected = settled.aggregate(
        cost=Sum("cost"), input=Sum("input_tokens"), output=Sum("output_tokens"), duration=Sum("duration_ms")
    )
    for rollup in (HourlyUsage, DailyUsage):
        sums = rollup.objects.aggregate(**{name: Sum(name) for name in MEASURES})
        assert (sums["requests"] or 0) == settled.count()
        assert (sums["unpriced"] or 0) == settled.filter(cost=None).count()
        assert (sums["estimated"] or 0) == settled.filter(exact=False).count()
        assert (sums["cost"] or 0) == (expected["cost"] or 0)
        assert (sums["input_tokens"] or 0) == (expected["input"] or 0)
        assert (sums["output_tokens"] or 0) == (expected["output"] or 0)
        assert (sums["duration_ms"] or 0) == (expected["duration"] or 0)


class Office:
    """Two workers on one ledger, and the rows they have opened."""

    def __init__(self) -> None:
        for model in (LedgerEntry, HourlyUsage, DailyUsage, Limit, Worker):
            model.objects.all().delete()
        self.callers = people()
        self.workers = [self.employ(), self.employ()]
        self.open: list[tuple[int, Row]] = []
        user = User.objects.get(username=self.callers[0].user_name)
        team = Team.objects.get(name=self.callers[0].team_name)
        budget, monthly = Limit.Kind.BUDGET, Limit.Period.MONTH
        self.limits = [
            Limit.objects.create(scope="user", user=user, kind=budget, period="day", amount=Decimal("0.02")),
            Limit.objects.create(scope="team", team=team, kind=budget, period=monthly, amount=Decimal("0.05")),
            Limit.objects.create(scope="gateway", kind=budget, period="total", amount=1, model_pattern="gpt-4o"),
            Limit.objects.create(scope="user", user=user, kind=Limit.Kind.CONCURRENT_REQUESTS, count=2),
            Limit.objects.create(scope="gateway", kind=Limit.Kind.CONCURRENT_REQUESTS, count=5),
        ]

    def employ(self) -> Known:
        worker = Worker.objects.create(
            id=uuid.uuid4(), host="h", pid=1, started_at=datetime.now(UTC), seen_at=datetime.now(UTC)
        )
        return Known(worker=worker.pk)

    def do(self, action: tuple[Any, ...]) -> None:
        match action:
            case ("open", int(worker), int(who), str(model)):
                opening = Opening(Row.new(self.callers[who], booking(model=model)), None)
                post(self.workers[worker], [opening])
                if isinstance(opening.result, list):
                    self.open.append((worker, opening.row))
            case ("settle", int(which), int(used)) if self.open:
                worker, row = self.open.pop(which % len(self.open))
                post(self.workers[worker], [self.end(row, used)])
            case ("settle twice", int(which), int(used)) if self.open:
                worker, row = self.open.pop(which % len(self.open))
                post(self.workers[worker], [self.end(row, used), self.end(row, used)])
                post(self.workers[worker], [self.end(row, used + 1)])
            case ("open and leave", int(worker), int(who)):
                row = Row.new(self.callers[who], booking())
                post(self.workers[worker], [Opening(row, None), self.end(row, 0)])
            case ("crash", int(worker)):
                Worker.objects.filter(pk__in=[self.workers[worker].worker]).delete()
                self.workers[worker] = self.employ()
                self.open = [(owner, row) for owner, row in self.open if owner != worker]
                expire(self.workers[1 - worker], rows.OF_NOBODY)
            case ("sleep", int(worker)):
                asleep = self.workers[worker].worker
                assert asleep is not None
                expire(self.workers[1 - worker], rows.OF_WORKER, [asleep])

    @staticmethod
    def end(row: Row, used: int) -> Settlement:
        return Settlement(row, End("complete", Tokens(input=used, output=used // 3), exact=True, duration_ms=used))


ACTIONS = st.one_of(
    st.tuples(
        st.just("open"), st.integers(0, 1), st.integers(0, 1), st.sampled_from(["gpt-4o", "gpt-4.1", "unpriced"])
    ),
    st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 3000)),
    st.tuples(st.just("settle twice"), st.integers(0, 9), st.integers(0, 3000)),
    st.tuples(st.just("open and leave"), st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.just("crash"), st.integers(0, 1)),
    st.tuples(st.just("sleep"), st.integers(0, 1)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, max_size=25))
def test_books_balance_after_every_action(actions: list[tuple[Any, ...]]) -> None:
    office = Office()
    for action in actions:
        office.do(action)
        assert_books_balance(office.limits)
        assert_rollups_equal_the_ledger()


def test_a_late_truth_replaces_the_estimate_once() -> None:
    office = Office()
    office.do(("open", 0, 0, "gpt-4o"))
    _, row = office.open[0]
    office.do(("sleep", 0))
    lost = LedgerEntry.objects.get()
    assert (lost.outcome, lost.exact, lost.input_tokens) == ("lost", False, 1000)
    office.do(("settle twice", 0, 300))
    known = LedgerEntry.objects.get()
    assert (known.outcome, known.exact, known.input_tokens) == ("complete", True, 300)
    assert_books_balance(office.limits)
    assert_rollups_equal_the_ledger()
    assert row.id == known.pk


def test_a_refused_request_reserves_nothing_and_is_a_row() -> None:
    office = Office()
    Limit.objects.filter(pk=office.limits[0].pk).update(amount=Decimal("0.000001"))
    work: list[Work] = [Opening(Row.new(office.callers[0], booking()), None)]
    post(office.workers[0], work)
    row = LedgerEntry.objects.get()
    assert (row.outcome, row.error, row.cost, row.holds, row.reserved) == ("rejected", "BudgetSpent", 0, None, 0)
    assert_books_balance(office.limits)


def test_a_batch_may_be_posted_again_after_a_rollback() -> None:
    office = Office()
    left = Row.new(office.callers[0], booking())
    kept = Row.new(office.callers[0], booking())
    batch: list[Work] = [Opening(kept, None), Opening(left, None), office.end(left, 30), Rejection(_rejected(office))]
    post(office.workers[0], batch)
    LedgerEntry.objects.all().delete()  # as after a rollback: nothing of it is there
    LimitCounter.objects.all().delete()
    HourlyUsage.objects.all().delete()
    DailyUsage.objects.all().delete()
    post(office.workers[0], batch)
    assert sorted(LedgerEntry.objects.values_list("outcome", flat=True)) == ["", "complete", "rejected"]
    assert_books_balance(office.limits)
    assert_rollups_equal_the_ledger()


def test_a_new_budget_counts_what_its_period_has_cost_already() -> None:
    office = Office()
    office.do(("open", 0, 0, "gpt-4o"))
    office.do(("settle", 0, 3000))
    spent = LedgerEntry.objects.get().cost
    late = Limit.objects.create(scope="gateway", kind="budget", period="week", amount=1)
    office.do(("open", 1, 1, "gpt-4o"))
    assert LimitCounter.objects.get(limit=late).spent == spent
    assert_books_balance([*office.limits, late])


def _rejected(office: Office) -> Row:
    row = Row.new(office.callers[0], booking())
    row.end(End("rejected", Tokens(), exact=True, error="ModelUnknown", duration_ms=0))
    row.cost = Decimal(0)
    return row
