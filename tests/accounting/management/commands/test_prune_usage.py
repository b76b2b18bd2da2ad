"""Old rows go, their sums stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db.models import Sum
from django.utils import timezone

from accounting.ledger import retention
from accounting.models import DailyUsage, LedgerEntry

from .usage import fill, run

pytestmark = pytest.mark.django_db


def test_rows_before_the_day_go_and_sums_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 7)
    fill()
    sums = DailyUsage.objects.aggregate(Sum("requests"), Sum("cost"))
    assert "rows began before" in run("prune_usage", "--keep-days", "3", "--dry-run")
    assert LedgerEntry.objects.count() == 120
    run("prune_usage", "--keep-days", "3")
    oldest = LedgerEntry.objects.order_by("started_at")[0]
    day = timezone.localdate() - timedelta(days=3)
    assert timezone.localdate(oldest.started_at) == day
    assert 60 <= LedgerEntry.objects.count() < 120
    assert DailyUsage.objects.aggregate(Sum("requests"), Sum("cost")) == sums


def test_rebuilding_leaves_the_sums_of_what_was_pruned() -> None:
    fill()
    run("prune_usage", "--keep-days", "3")
    before = set(DailyUsage.objects.values_list("pk", "requests"))
    assert "equal the ledger" in run("rebuild_rollups")
    assert set(DailyUsage.objects.values_list("pk", "requests")) == before


def test_an_open_row_is_not_pruned() -> None:
    fill()
    oldest = LedgerEntry.objects.order_by("started_at")[0]
    LedgerEntry.objects.filter(pk=oldest.pk).update(state="open", outcome="")
    run("prune_usage", "--keep-days", "3")
    assert LedgerEntry.objects.filter(pk=oldest.pk).exists()


def test_to_keep_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        run("prune_usage", "--keep-days", "0")
