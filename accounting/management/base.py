"""What Tollgate's own commands have in common: they end well, or with one clear line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError


class PlainCommand(BaseCommand):
    """A command whose database may be absent or not migrated: then it says so, without a traceback."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (DatabaseError, InterfaceError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database cannot be used ({reason}). Check DATABASE_URL, then run: manage.py migrate"
            ) from error
