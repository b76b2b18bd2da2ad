"""``manage.py route MODEL``: where a request would go, and why."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounting.management.base import PlainCommand
from accounting.models import User
from routing import standin
from routing.errors import RoutingError
from routing.resolution import resolve
from routing.table import load


class Command(PlainCommand):
    help = "Print where a request for MODEL would go, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="the name as a client would ask for it")
        parser.add_argument("--user", help="as whom: overrides of the person and of their team apply")

    def handle(self, *args: Any, **options: Any) -> None:
        caller = None
        if name := options["user"]:
            user = User.objects.filter(username=name).first()
            if user is None:
                raise CommandError(f"There is no user '{name}'.")
            caller = standin.for_user(user)
        try:
            found = resolve(load(), caller, options["model"])
        except RoutingError as error:
            raise CommandError(error.message) from error
        target = found.target
        self.stdout.write(f"{options['model']} → {target.provider}/{target.model}")
        self.stdout.write(f"  dialect  {target.dialect}" + (f" at {target.base_url}" if target.base_url else ""))
        self.stdout.write(f"  tier     {found.tier or '(none)'}")
        for number, reason in enumerate(found.reasons):
            self.stdout.write(f"  {'because ' if not number else '        '} {reason}")
