"""``manage.py load_mapping``: BIG_MODEL, SMALL_MODEL and PREFERRED_PROVIDER from the environment, once more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from accounting.management.base import PlainCommand
from routing import environment
from routing.first_start import UnknownProvider, load_mapping


class Command(PlainCommand):
    help = "Apply BIG_MODEL, SMALL_MODEL and PREFERRED_PROVIDER from the environment to the mapping again."

    def handle(self, *args: Any, **options: Any) -> None:
        given = environment.read()
        if given.preferred and given.preferred not in environment.PREFERENCES:
            raise CommandError(f"PREFERRED_PROVIDER is '{given.preferred}': google, openai or anthropic is wanted.")
        try:
            applied = load_mapping(given, None, "manage.py load_mapping")
        except UnknownProvider as error:
            raise CommandError(f"{error} Run manage.py first_start, or add it in the admin.") from error
        for tier, goal in applied.items():
            self.stdout.write(f"{tier} → {goal}")
