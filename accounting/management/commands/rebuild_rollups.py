"""``manage.py rebuild_rollups``: the hourly and daily sums, and the budgets', against the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from accounting import rebuilding
from accounting.management.base import PlainCommand


class Command(PlainCommand):
    help = "Compares roll-ups and budgets with the ledger and mends them. Safe while the gateway runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--check", action="store_true", help="Only compare; fail where anything differs.")

    def handle(self, *args: Any, since: date | None, until: date | None, check: bool, **options: Any) -> None:
        days = rebuilding.windows(since, until)
        different = sum(rebuilding.rebuild(day, write=not check) for day in tqdm(days, unit="day", disable=None))
        if not check:
            rebuilding.seal()
        budgets = rebuilding.recount(write=not check)
        if check and (different or budgets):
            raise CommandError(f"{different} sums differ from the ledger, and {budgets} budgets from the sums.")
        if different or budgets:
            self.stdout.write(f"Mended {different} sums and {budgets} budgets.")
        else:
            self.stdout.write(f"All sums of {len(days) // 2} days equal the ledger, and all budgets equal the sums.")
