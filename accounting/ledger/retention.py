"""Forgetting old rows. The roll-ups keep what they added up to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from django.utils import timezone

from accounting.models import LedgerEntry, Retention
from accounting.models.ledger import LedgerQuerySet
from accounting.uuids import first_of

from . import partitions

BATCH: Final = 5000


def older_than(day: date) -> LedgerQuerySet:
    """The settled rows that began before ``day``, in the time zone of the settings."""
    return LedgerEntry.objects.filter(pk__lt=first_of(_midnight(day)), state=LedgerEntry.State.SETTLED)


def prune(day: date) -> Iterator[int]:
    """Deletes what ``older_than`` finds, a transaction a batch, and yields how many rows each took.

    On PostgreSQL months that lie wholly before ``day`` are dropped first, which takes no time (and yields nothing).
    """
    known = Retention.objects.first()
    if known is None or known.complete_since < day:
        Retention.objects.update_or_create(pk=known.pk if known else 1, defaults={"complete_since": day})
    partitions.drop_before(_midnight(day).astimezone(UTC).date())
    old = older_than(day).order_by("pk")
    while keys := list(old.values_list("pk", flat=True)[:BATCH]):
        deleted, _ = older_than(day).filter(pk__lte=keys[-1]).delete()
        yield deleted


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
