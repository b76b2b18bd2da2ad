"""A ledger with made-up usage, for the commands that keep it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.core.management import call_command

from accounting import rebuilding
from accounting.ledger.generating import Plan, generate, people_of


def fill(rows: int = 120, days: int = 6, until: datetime | None = None) -> Plan:
    """Rows of three people over the days up to ``until`` (now), with their roll-ups."""
    plan = Plan(rows=rows, days=days, people=3, teams=2, seed=7, until=until or datetime.now(UTC))
    assert sum(generate(plan, people_of(plan))) == rows
    for day in rebuilding.windows():
        rebuilding.rebuild(day)
    return plan


def run(name: str, *arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()
