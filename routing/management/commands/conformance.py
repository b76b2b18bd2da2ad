"""``manage.py conformance TARGET``: the translation checks against a live tier or model."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounting.management.base import PlainCommand
from accounting.models import User
from routing import conformance, standin
from routing.errors import RoutingError
from routing.table import load


class Command(PlainCommand):
    help = "Run the conformance checks against TARGET: real calls, which cost money and stand on the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", help="a tier (BIG) or a model's name (claude-opus-4-8, openai/gpt-5.1)")
        parser.add_argument("--user", help="as whom: their overrides apply, and the money is theirs")

    def handle(self, *args: Any, **options: Any) -> None:
        user: User | None = None
        if name := options["user"]:
            user = User.objects.filter(username=name).first()
            if user is None:
                raise CommandError(f"There is no user '{name}'.")
        caller = standin.for_user(user) if user else standin.NOBODY
        try:
            found = conformance.target_of(load(), caller, options["target"])
        except RoutingError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{options['target']} → {found.target.provider}/{found.target.model}")
        try:
            run = conformance.run(found, caller, user)
        except conformance.UnderWay as error:
            raise CommandError(str(error)) from error
        for result in run.results:
            self.stdout.write(f"  {result['outcome']:<8}{result['said']:<29}{result['detail']}")
        cost = "cost not known" if run.cost is None else f"${run.cost.normalize():f}"
        self.stdout.write(f"{run.passed} passed, {run.failed} failed, {run.skipped} skipped; {cost}")
        if run.failed:
            raise CommandError("Not every check has passed.")
