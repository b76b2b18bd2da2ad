"""The decision on one request: which limit refuses it, what is said, and what is reserved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.conf import LazySettings

from accounting.errors import BudgetSpent, LimitReached
from accounting.identity import Caller
from accounting.ledger.booking import Booking, End, Row
from accounting.ledger.posting import Known, Opening, Settlement, post
from accounting.models import LedgerEntry, Limit, LimitCounter, Team, User
from accounting.tokens import Tokens

pytestmark = pytest.mark.django_db

_numbers = count(1)


class Desk:
    """One caller at one worker."""

    def __init__(self) -> None:
        self.user = User.objects.create(username="ada")
        self.team = Team.objects.create(name="engines")
        self.caller = Caller(0, "", self.user.pk, "ada", self.team.pk, "engines")
        self.known = Known(worker=None)

    def limit(self, **values: Any) -> Limit:
        return Limit.objects.create(**{"scope": "user", "user": self.user, **values})

    def open(self, **booking: Any) -> tuple[Row, Any]:
        values: dict[str, Any] = {
            "request_id": f"req_{next(_numbers)}",
            "asked_model": "claude-sonnet-4-5",
            "tier": "sonnet",
            "provider": "openai",
            "model": "gpt-4o",  # $2.50 / $10 per million
            "price_family": "openai",
            "input_estimate": 1000,
            "max_tokens": 100,
        }
        opening = Opening(Row.new(self.caller, Booking(**{**values, **booking})), None)
        post(self.known, [opening])
        return opening.row, opening.result

    def settle(self, row: Row, **tokens: int) -> None:
        post(self.known, [Settlement(row, End("complete", Tokens(**tokens), exact=True))])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nobody_without_a_limit_is_refused_or_told_of_one(desk: Desk) -> None:
    for _ in range(20):
        _, headers = desk.open(input_estimate=10**9)
        assert headers == []


def test_a_spent_budget_is_named_with_whose_it_is_and_when_it_resets(desk: Desk) -> None:
    desk.limit(name="Starter", kind="budget", period="month", amount=Decimal("0.01"))
    row, _ = desk.open()
    desk.settle(row, input=3600)  # $0.009
    _, refusal = desk.open()
    assert isinstance(refusal, BudgetSpent)
    for word in ("monthly", "'Starter'", "$0.0100", "ada", "$0.0090", "resets on", "UTC", "$0.0035"):
        assert word in refusal.message, refusal.message
    assert refusal.retry_after is not None
    assert 0 < refusal.retry_after <= 31 * 24 * 3600


def test_a_total_budget_does_not_reset(desk: Desk) -> None:
    desk.limit(kind="budget", period="total", amount=Decimal("0.001"))
    _, refusal = desk.open()
    assert isinstance(refusal, BudgetSpent)
    assert refusal.retry_after is None
    assert "does not reset" in refusal.message


def test_typical_reservation_does_not_lock_out_a_client_that_asks_for_64000_tokens(desk: Desk) -> None:
    desk.limit(kind="budget", period="day", amount=Decimal("0.02"))
    row, headers = desk.open(max_tokens=64_000)
    assert isinstance(headers, list)
    assert row.reserved == Decimal("0.0125")  # 1000 in, 1000 out: a typical answer of a model nothing is known of


def test_strict_reservation_holds_max_tokens(desk: Desk, settings: LazySettings) -> None:
    settings.BUDGET_RESERVATION = "strict"
    desk.limit(kind="budget", period="day", amount=Decimal("0.02"))
    _, refusal = desk.open(max_tokens=64_000)
    assert isinstance(refusal, BudgetSpent)
    assert "$0.6425" in refusal.message


def test_what_is_typical_is_learned(desk: Desk) -> None:
    for _ in range(10):
        row, _ = desk.open(max_tokens=8000)
        desk.settle(row, input=1000, output=4000)
    desk.known = Known(worker=None)  # as after the next renewal of the lease
    row, _ = desk.open(max_tokens=8000)
    assert row.reserved == Decimal("0.0425")


def test_a_granted_extra_counts(desk: Desk) -> None:
    limit = desk.limit(kind="budget", period="month", amount=Decimal("0.003"))
    _, refusal = desk.open()
    assert isinstance(refusal, BudgetSpent)
    LimitCounter.objects.filter(limit=limit).update(granted=Decimal("0.001"))
    _, headers = desk.open()
    assert isinstance(headers, list)


def test_a_limit_of_other_models_does_not_count(desk: Desk) -> None:
    desk.limit(kind="budget", period="day", amount=0, model_pattern="claude-opus-*")
    desk.limit(kind="budget", period="day", amount=0, tier="opus")
    assert isinstance(desk.open()[1], list)
    assert isinstance(desk.open(asked_model="claude-opus-4-5")[1], BudgetSpent)
    assert isinstance(desk.open(tier="opus")[1], BudgetSpent)


def test_a_disabled_limit_counts_and_does_not_refuse(desk: Desk) -> None:
    limit = desk.limit(kind="budget", period="day", amount=0, enabled=False)
    row, _ = desk.open()
    desk.settle(row, input=4000)
    assert LimitCounter.objects.get(limit=limit).spent == Decimal("0.01")
    limit.enabled = True
    limit.save()
    assert isinstance(desk.open()[1], BudgetSpent)


def test_concurrent_requests_come_back_when_they_end(desk: Desk) -> None:
    desk.limit(kind="concurrent_requests", count=2)
    first, _ = desk.open()
    desk.open()
    _, refusal = desk.open()
    assert isinstance(refusal, LimitReached)
    assert "2 requests in flight" in refusal.message
    assert refusal.retry_after is not None
    desk.settle(first)
    assert isinstance(desk.open()[1], list)


def test_requests_per_minute(desk: Desk) -> None:
    desk.limit(kind="requests_per_minute", count=3)
    headers = [dict(desk.open()[1]) for _ in range(3)]
    assert [each[b"anthropic-ratelimit-requests-remaining"] for each in headers] == [b"2", b"1", b"0"]
    assert headers[0][b"anthropic-ratelimit-requests-limit"] == b"3"
    reset = datetime.fromisoformat(headers[0][b"anthropic-ratelimit-requests-reset"].decode())
    assert reset - datetime.now(UTC) < timedelta(seconds=21)
    _, refusal = desk.open()
    assert isinstance(refusal, LimitReached)
    assert refusal.retry_after is not None
    assert 19 < refusal.retry_after <= 20


def test_tokens_per_minute_are_corrected_to_what_was_used(desk: Desk) -> None:
    limit = desk.limit(kind="tokens_per_minute", count=2000)
    row, _ = desk.open()
    assert isinstance(desk.open()[1], LimitReached)  # 1100 are held
    desk.settle(row, input=100, cache_read=5000, output=100)  # what a cache gave does not count
    assert isinstance(desk.open()[1], list)
    limit.delete()


def test_a_request_larger_than_its_minute_passes_when_the_minute_is_untouched(desk: Desk) -> None:
    desk.limit(kind="tokens_per_minute", count=500)
    assert isinstance(desk.open()[1], list)
    _, refusal = desk.open()
    assert isinstance(refusal, LimitReached)
    assert refusal.retry_after is not None
    assert refusal.retry_after > 100  # what the first one borrowed comes back first


def test_a_budget_filled_to_its_threshold_is_announced_once_and_shown(desk: Desk) -> None:
    desk.limit(kind="budget", period="day", amount=Decimal("0.02"), soft_percent=50)
    row, headers = desk.open()
    assert headers == []
    soft = post(desk.known, [Settlement(row, End("complete", Tokens(input=4000), exact=True))])
    assert [(each.policy.subject, each.spent) for each in soft] == [("ada", Decimal("0.01"))]
    row, headers = desk.open()
    assert b"used to $0.0100" in dict(headers)[b"x-tollgate-budget"]
    assert post(desk.known, [Settlement(row, End("complete", Tokens(input=1), exact=True))]) == []


def test_a_refusal_by_one_limit_leaves_the_others_untouched(desk: Desk) -> None:
    team = Limit.objects.create(scope="team", team=desk.team, kind="concurrent_requests", count=5)
    desk.limit(kind="budget", period="day", amount=0)
    assert isinstance(desk.open()[1], BudgetSpent)
    assert LimitCounter.objects.get(limit=team).in_flight == 0
    assert LedgerEntry.objects.get().outcome == "rejected"


def test_a_name_of_two_lines_makes_one_header(desk: Desk) -> None:
    desk.limit(name="A\r\nset-cookie: a=b", kind="budget", period="month", amount=Decimal("0.01"), soft_percent=1)
    row, _ = desk.open(input_estimate=100)
    desk.settle(row, input=1000)
    _, headers = desk.open(input_estimate=100)
    assert b"'A  set-cookie: a=b' of $0.0100" in dict(headers)[b"x-tollgate-budget"]
