"""``manage.py backup PATH``: a copy of the SQLite database, whole and consistent, while the gateway serves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection


class Command(BaseCommand):
    help = "Copy the SQLite database into a new file, while the gateway serves. On PostgreSQL, pg_dump does that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the new file")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The database is PostgreSQL: pg_dump --format=custom makes its copy.")
        try:
            path.touch(mode=0o600, exist_ok=False)  # it holds people's names and sealed keys
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        connection.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            # In one step: in pieces it would begin anew with every commit. Readers hold no writer up here.
            connection.connection.backup(copy)
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise CommandError(f"{path} is not whole: {verdict}")
        self.stdout.write(f"{path}: {path.stat().st_size} bytes, whole")
