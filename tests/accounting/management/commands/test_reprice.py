"""A price that changes rewrites history on request alone, and then everywhere at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounting.models import LedgerEntry, Limit, LimitCounter, Price, RateCard

from .usage import fill, run

pytestmark = pytest.mark.django_db

SINCE = f"{timezone.localdate() - timedelta(days=30)}"


def total() -> Decimal:
    cost: Decimal = LedgerEntry.objects.aggregate(Sum("cost"))["cost__sum"]
    return cost


def test_nothing_changes_where_prices_have_not() -> None:
    fill()
    before = total()
    assert "0 rows changed" in run("reprice", "--since", SINCE)
    assert total() == before


def test_a_dry_run_says_what_would_change_and_changes_nothing() -> None:
    fill()
    before = total()
    Price.objects.create(model="gpt-4.1", input=1, output=2, effective_from=timezone.now() - timedelta(days=30))
    printed = run("reprice", "--since", SINCE, "--dry-run")
    assert "openai/gpt-4.1: " in printed
    assert "rows would change" in printed
    assert total() == before


def test_rows_sums_and_budgets_change_together() -> None:
    fill()
    limit = Limit.objects.create(scope="gateway", kind="budget", period="total", amount=10**6)
    counter = LimitCounter.objects.create(limit=limit, window=0, spent=total())
    change = timezone.now() - timedelta(days=3)
    Price.objects.create(model="gpt-4.1", input=1000, output=2000, effective_from=change)
    before = {row.pk: row.cost for row in LedgerEntry.objects.all()}
    run("reprice", "--since", SINCE)
    for row in LedgerEntry.objects.select_related("rate_card"):
        repriced = row.model == "gpt-4.1" and row.started_at >= change and row.outcome != "upstream_error"
        assert (row.cost != before[row.pk]) == repriced
        if repriced:
            tokens = row.input_tokens + row.cache_read_tokens + 2 * row.output_tokens
            assert row.cost == tokens * Decimal("0.001")
            assert row.rate_card is not None
            assert row.rate_card.source.startswith("price ")
    counter.refresh_from_db()
    assert counter.spent == total()
    assert "equal the ledger" in run("rebuild_rollups", "--check")
    assert "0 rows changed" in run("reprice", "--since", SINCE)


def test_unpriced_rows_are_priced_once_there_is_a_price() -> None:
    fill()
    LedgerEntry.objects.filter(model="gemini-2.5-pro").update(model="house-model", price_family="", cost=None)
    run("rebuild_rollups")
    unpriced = LedgerEntry.objects.filter(cost=None).count()
    assert unpriced
    Price.objects.create(model="house-*", input=0, output=0, effective_from=timezone.now() - timedelta(days=30))
    run("reprice", "--since", SINCE, "--unpriced")
    assert not LedgerEntry.objects.filter(cost=None).exists()
    assert RateCard.objects.filter(source__startswith="price ").count() == 1
    assert "equal the ledger" in run("rebuild_rollups", "--check")


def test_other_providers_and_days_are_left_alone() -> None:
    fill()
    before = total()
    Price.objects.create(model="*", input=1000, output=1000, effective_from=timezone.now() - timedelta(days=30))
    run("reprice", "--since", SINCE, "--provider", "nobody")
    run("reprice", "--since", SINCE, "--model", "nothing")
    run("reprice", "--since", SINCE, "--until", f"{timezone.localdate() - timedelta(days=20)}")
    assert total() == before
