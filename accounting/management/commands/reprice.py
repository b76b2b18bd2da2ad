"""``manage.py reprice``: settled rows at the prices now known for their time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from tqdm import tqdm

from accounting.ledger.repricing import Change, reprice
from accounting.management.base import PlainCommand
from accounting.models import LedgerEntry


class Command(PlainCommand):
    help = (
        "Reckons the cost of settled rows anew, with the prices in force at their time. Without it a price that"
        " changes never rewrites history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
        parser.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD", help="The last day, inclusive.")
        parser.add_argument("--provider", help="Rows of this provider only.")
        parser.add_argument("--model", help="Rows of this real model only.")
        parser.add_argument("--unpriced", action="store_true", help="Rows without a cost only.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would change.")

    def handle(self, *args: Any, since: date, until: date | None, dry_run: bool, **options: Any) -> None:
        end = (until or timezone.localdate()) + timedelta(days=1)
        which = LedgerEntry.objects.between(_midnight(since), _midnight(end))
        for field in ("provider", "model"):
            if options[field]:
                which = which.filter(**{field: options[field]})
        if options["unpriced"]:
            which = which.filter(cost=None)
        changed: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0), Decimal(0)])
        with tqdm(unit="row", disable=None) as bar:
            for changes in reprice(which, write=not dry_run):
                bar.update(len(changes))
                for change in changes:
                    _count(changed, change)
        for (provider, model), (rows, before, after) in sorted(changed.items()):
            self.stdout.write(f"{provider}/{model}: {rows:,} rows, ${before:,.6f} -> ${after:,.6f}")
        total = sum(int(rows) for rows, _, _ in changed.values())
        self.stdout.write(f"{total:,} rows {'would change' if dry_run else 'changed'}.")


def _count(changed: defaultdict[tuple[str, str], list[Decimal]], change: Change) -> None:
    booking = change.after.booking
    sums = changed[booking.provider, booking.model]
    sums[0] += 1
    sums[1] += change.before.cost or 0
    sums[2] += change.after.cost or 0


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
