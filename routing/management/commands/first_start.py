"""``manage.py first_start``: what ``make run`` does before it serves. Running it again changes nothing."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from accounting.identity import mint
from accounting.management.base import PlainCommand
from accounting.models import Generation, User
from routing import environment
from routing.first_start import UnknownProvider, fill
from routing.models import Dialect, Provider, Tier

_ADMIN = "admin"


class Command(PlainCommand):
    help = "Migrate, and set up a fresh database: an admin with a key, providers and mapping from the environment."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        try:
            fill(environment.read())
        except UnknownProvider as error:
            raise CommandError(f"{error} Mend BIG_MODEL or SMALL_MODEL.") from error
        host = settings.HOST if settings.HOST not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104 - compared
        address = settings.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"
        made = _first_admin()
        write = self.stdout.write
        write("")
        if made is None:
            write(f"Tollgate    {address}")
            write(f"Admin       {address}/admin/")
        else:
            password, token = made
            write("Tollgate is set up. The password and the key below are shown this once.")
            write("")
            write(f"Admin       {address}/admin/")
            write(f"Sign in as  {_ADMIN}   password  {password}")
            write("")
            write("Paste this where you want to work in Claude Code:")
            write("")
            write(f"  export ANTHROPIC_BASE_URL={address} ANTHROPIC_AUTH_TOKEN={token}")
            write("  claude")
            write("")
        for tier in Tier.objects.select_related("provider"):
            write(f"{tier.name:<11} {tier.provider}/{tier.model or '(the name as asked)'}")
        if Provider.objects.filter(dialect=Dialect.DEMO, enabled=True).exists():
            write("")
            write("No provider has a key yet, so the built-in demo answers. Put OPENAI_API_KEY, GEMINI_API_KEY or")
            write("ANTHROPIC_API_KEY into .env and start again, or add a key in the admin.")
        write("")
        self.stdout.flush()  # `start` serves on in this process, and a log file would not see the key before its end


def _first_admin() -> tuple[str, str] | None:
    """The first admin's password and token; None where there is an account already."""
    with transaction.atomic():
        Generation.objects.select_for_update().get(pk=1)  # two replicas may start at once
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(_ADMIN, "", password)
        _, token = mint(user, name="first key")
    return password, token
