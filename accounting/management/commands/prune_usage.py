"""``manage.py prune_usage``: forgets old ledger rows; the roll-ups keep their sums."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from accounting.ledger import retention
from accounting.management.base import PlainCommand


class Command(PlainCommand):
    help = "Deletes ledger rows older than so many days, in batches. Safe while the gateway runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-days", type=int, required=True, metavar="N")
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(self, *args: Any, keep_days: int, dry_run: bool, **options: Any) -> None:
        if keep_days < 1:
            raise CommandError("--keep-days takes at least 1.")
        day = timezone.localdate() - timedelta(days=keep_days)
        count = retention.older_than(day).count()
        if dry_run:
            self.stdout.write(f"{count:,} rows began before {day}.")
            return
        with tqdm(total=count, unit="row", disable=None) as bar:
            for deleted in retention.prune(day):
                bar.update(deleted)
        self.stdout.write(f"Deleted {count:,} rows that began before {day}.")
