"""``manage.py start``: what ``make run`` runs, in one process, since each start of Python costs a newcomer a second."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Bring the database up to date, do the first-start set-up where it is due, then serve."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        call_command("first_start")
        call_command("serve")
