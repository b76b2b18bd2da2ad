"""The environment, read strictly: what cannot be meant is refused by its variable's name, before anything starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

_WORDS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_DATABASES: Final = ("postgres", "postgresql", "sqlite")

Number = TypeVar("Number", int, float)


class Variables(FileAwareMapping):
    """The environment, ``NAME_FILE`` included. A variable that is set to nothing, as compose files do, is not set."""

    def __getitem__(self, name: str) -> str:
        try:
            value = str(super().__getitem__(name)).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {reason}.") from None
        if not value:
            raise KeyError(name)
        return value


class Env(environ.Env):
    """Reads variables. Each method raises ImproperlyConfigured, which names the variable and what is wanted."""

    ENVIRON = Variables()

    def flag(self, name: str, *, default: bool) -> bool:
        given = self.str(name, default="")
        if given and given.lower() not in _WORDS:
            raise ImproperlyConfigured(f"{name} is '{given}': true or false is wanted.")
        return _WORDS[given.lower()] if given else default

    def number(self, name: str, default: Number, *, least: Number, most: Number | None = None) -> Number:
        """``default``'s type says whether a whole number is wanted."""
        given = self.str(name, default="")
        if not given:
            return default
        kind = type(default)
        try:
            value = kind(given)
        except ValueError:
            value = None
        if value is None or not math.isfinite(value) or value < least or (most is not None and value > most):
            wanted = f"{'a whole number' if kind is int else 'a number'} of at least {least}"
            raise ImproperlyConfigured(
                f"{name} is '{given}': {wanted}{f', at most {most},' if most else ''} is wanted."
            )
        return value

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        given: str = self.str(name, default=default)
        found = next((one for one in choices if one.lower() == given.lower()), None)
        if found is None:
            raise ImproperlyConfigured(f"{name} is '{given}': one of {', '.join(choices)} is wanted.")
        return found

    def time_zone(self, name: str, default: str) -> str:
        given: str = self.str(name, default=default)
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ImproperlyConfigured(f"{name} is '{given}': a name like Europe/Berlin is wanted.") from None
        return given

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings of a database. The URL is not shown: a password may stand in it."""
        given = self.str(name, default=default)
        try:
            if urlsplit(given).scheme in _DATABASES:
                return dict(self.db_url_config(given))
        except (ImproperlyConfigured, ValueError):
            pass  # a port that is none, and the like: told below
        raise ImproperlyConfigured(f"{name}: postgres://user:password@host/name or sqlite:////path is wanted.")

    def redis(self, name: str) -> str:
        """A Redis URL, "" where there is none."""
        given: str = self.str(name, default="")
        if given and urlsplit(given).scheme not in ("redis", "rediss", "unix"):
            raise ImproperlyConfigured(f"{name}: redis://host:6379/0 is wanted.")
        return given
