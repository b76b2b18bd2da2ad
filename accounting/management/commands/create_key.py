"""``manage.py create_key USER``: a new key for a person, shown once."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounting.identity import mint
from accounting.management.base import PlainCommand
from accounting.models import User

_DURATION = re.compile(r"(\d{1,5})\s*([hdwmy])")
_DAYS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}


def expiry(text: str) -> datetime:
    """``2027-01-31`` (to the end of that day, UTC), an ISO time, or a duration: 12h, 30d, 8w, 6m, 1y.

    Raises ArgumentTypeError for anything else, and for what is past.
    """
    try:
        if match := _DURATION.fullmatch(text.strip().lower()):
            return timezone.now() + timedelta(days=int(match[1]) * _DAYS[match[2]])
        if (day := parse_date(text)) is not None:
            moment = datetime.combine(day, time.max, UTC)
        elif (moment_ := parse_datetime(text)) is not None:
            moment = moment_ if moment_.tzinfo else moment_.replace(tzinfo=UTC)
        else:
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"'{text}' is no date (2027-01-31) and no duration (12h, 30d, 8w, 6m, 1y)") from None
    if moment <= timezone.now():
        raise ArgumentTypeError(f"'{text}' is past")
    return moment


class Command(PlainCommand):
    help = "Make a key for a person and print its token, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the person's user name")
        parser.add_argument("--name", default="default", help="what the key is for")
        parser.add_argument("--expires", type=expiry, help="a date (2027-01-31) or a duration (12h, 30d, 8w, 6m, 1y)")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["user"]
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user '{name}'. Make one in the admin, or with: manage.py createsuperuser")
        if not user.is_active:
            raise CommandError(f"The user '{name}' is not active, so a key of theirs would be refused.")
        if len(options["name"]) > 100:
            raise CommandError("--name takes at most 100 characters.")
        key, token = mint(user, name=options["name"], expires_at=options["expires"])
        until = f", until {key.expires_at:%Y-%m-%d %H:%M %Z}" if key.expires_at else ""
        self.stderr.write(f"Key '{key.name}' of {user}{until}. Its token is shown this once:")
        self.stdout.write(token)
