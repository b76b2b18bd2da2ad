"""``manage.py reconcile FILE``: the ledger against a provider's own usage export."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounting import reconciliation
from accounting.management.base import PlainCommand


class Command(PlainCommand):
    help = "Compares a usage export of OpenAI, Anthropic or Google (CSV) with the ledger, by UTC day and model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--provider", help="The provider's name here, where it is not the maker's own.")
        parser.add_argument("--tolerance", type=Decimal, default=Decimal(0), help="Percent that is let pass.")

    def handle(self, *args: Any, file: Path, provider: str | None, tolerance: Decimal, **options: Any) -> None:
        try:
            with file.open(newline="", encoding="utf-8-sig") as lines:
                export = reconciliation.read(lines)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except (reconciliation.Unreadable, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from error
        name = provider or export.provider
        differences = [
            each
            for each in reconciliation.compare(export, name)
            if each.percent is None or abs(each.percent) > tolerance
        ]
        if not differences:
            self.stdout.write(f"{name}: {len(export.figures)} days and models agree.")
            return
        self.stdout.write(f"{'day':10}  {'model':40}  {'measure':12}  {'provider':>18}  {'ledger':>18}  {'differs':>9}")
        for each in differences:
            percent = "" if each.percent is None else f"{each.percent:+.2f}%"
            theirs, ours = (f"{figure.normalize():,f}" for figure in (each.theirs, each.ours))
            self.stdout.write(f"{each.day}  {each.model:40}  {each.measure:12}  {theirs:>18}  {ours:>18}  {percent:>9}")
        raise CommandError(f"{name}: {len(differences)} figures differ.")
