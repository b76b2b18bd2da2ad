"""``manage.py generate_usage``: a ledger full of made-up rows, to try what ten million of them do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from accounting import rebuilding
from accounting.ledger.generating import Plan, generate, people_of
from accounting.management.base import PlainCommand


class Command(PlainCommand):
    help = "Fills the ledger with made-up usage of made-up people, roll-ups included. Not for a ledger in use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=10_000_000)
        parser.add_argument("--days", type=int, default=365, help="Spread over the days up to today.")
        parser.add_argument("--people", type=int, default=200)
        parser.add_argument("--teams", type=int, default=10)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = {name: int(options[name]) for name in ("rows", "days", "people", "teams", "seed")}
        if min(numbers["rows"], numbers["days"], numbers["people"], numbers["teams"]) < 1:
            raise CommandError("--rows, --days, --people and --teams take at least 1.")
        plan = Plan(**numbers, until=datetime.now(UTC))
        with tqdm(total=plan.rows, unit="row", unit_scale=True, disable=None) as bar:
            for written in generate(plan, people_of(plan)):
                bar.update(written)
        first = (plan.until - timedelta(days=plan.days + 1)).date()
        for day in tqdm(rebuilding.windows(first), unit="day", disable=None):
            rebuilding.rebuild(day)
        rebuilding.seal()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as time would: a database without statistics plans as if tables were empty
        self.stdout.write(f"Wrote {plan.rows:,} rows of {plan.people} people over {plan.days} days.")
