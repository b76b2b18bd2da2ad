"""What a person gives on top of a budget, and what a reset gives back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounting.admission import changes
from accounting.models import Limit, LimitCounter

pytestmark = pytest.mark.django_db


def left(limit: Limit) -> Decimal:
    counter = LimitCounter.objects.get(limit=limit)
    room: Decimal = Decimal(limit.amount or 0) + counter.granted - counter.spent
    return room


def spend(limit: Limit, amount: int) -> None:
    counter = LimitCounter.objects.get(limit=limit)
    LimitCounter.objects.filter(pk=counter.pk).update(spent=counter.spent + amount)


def test_each_reset_gives_back_what_was_spent_since_the_last() -> None:
    limit = Limit.objects.create(scope="gateway", kind="budget", period="total", amount=20)
    changes.grant(limit, Decimal(5), None)
    spend(limit, 4)
    changes.reset(limit, None)
    assert left(limit) == 25
    spend(limit, 6)
    changes.reset(limit, None)
    assert left(limit) == 25
    assert LimitCounter.objects.get(limit=limit).spent == 10
    changes.reset(limit, None)
    assert left(limit) == 25
