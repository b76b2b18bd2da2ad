"""Made-up usage looks like the real thing to whatever reads it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError
from django.db.models import Sum

from accounting.models import DailyUsage, LedgerEntry, User

from .usage import run

pytestmark = pytest.mark.django_db


def test_rows_and_rollups_agree() -> None:
    printed = run("generate_usage", rows=300, days=4, people=5, teams=2)
    assert "Wrote 300 rows of 5 people over 4 days." in printed
    rows = LedgerEntry.objects.all()
    assert rows.count() == 300
    assert not rows.filter(cost=None).exists()
    assert rows.filter(state="settled").count() == 300
    assert DailyUsage.objects.aggregate(Sum("cost"))["cost__sum"] == rows.aggregate(Sum("cost"))["cost__sum"]
    assert "equal the ledger" in run("rebuild_rollups", "--check")
    assert not User.objects.filter(username__startswith="generated", is_active=True).exists()
    assert [row.pk for row in rows.order_by("pk")] == [row.pk for row in rows.order_by("started_at")]


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        run("generate_usage", rows=0)
