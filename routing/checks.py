"""Numbered system checks: mistakes of set-up that would otherwise be found by a person's request.

===== ==============================================================
E001  BIG_MODEL or SMALL_MODEL names a provider without a key
E002  a provider's base URL is malformed
E003  PREFERRED_PROVIDER is none of the three
E004  ANTHROPIC_API_BASE points at this gateway
W001  as E001, where no provider has a key and the demo answers
W002  a tier leads to a provider that is off or has no key
W003  a stored credential opens with no encryption key
W004  DEBUG is on and every host is allowed
W005  BIG_MODEL or SMALL_MODEL is set, and PREFERRED_PROVIDER=anthropic maps nothing
W006  a base URL has a path where it is the host's root that is wanted, or none where the version is
===== ==============================================================

E001, W001 and W005 are about a first start; once a database is set up it rules, and W002 and W003 tell of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.db import DatabaseError, InterfaceError

from accounting.secrets import Unsealable, unseal

from . import environment as env
from .environment import PRESETS, Environment
from .first_start import is_set_up
from .models import Credential, Dialect, Tier
from .validators import validate_url

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104 - compared, not bound to


@register()
def check_environment(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """What the environment says, by itself; and of the database, where there is one."""
    given = env.read()
    found = [*_urls(given), *_preference(given), *_debug()]
    if not any(message.is_serious() for message in found):
        found += _database(given)
    return found


def _urls(given: Environment) -> Iterator[CheckMessage]:
    for name, base in given.bases.items():
        variable = PRESETS[name].base
        if not base:
            continue
        if not _is_url(base):
            yield Error(
                f"{variable} is '{base}', which is no URL.",
                hint=f"Write it with its scheme, such as {variable}={PRESETS[name].host}",
                id="tollgate.E002",
            )
        elif bool(urlsplit(base).path.strip("/")) != bool(urlsplit(PRESETS[name].host).path):
            yield Warning(
                f"{variable} is '{base}', and the usual form is that of {PRESETS[name].host}.",
                hint="OPENAI_BASE_URL includes the version (/v1); GEMINI_API_BASE and ANTHROPIC_API_BASE are the "
                "host's root. Leave it if this host is different, and silence tollgate.W006.",
                id="tollgate.W006",
            )
        elif name == "anthropic" and _is_here(base):
            yield Error(
                f"ANTHROPIC_API_BASE is '{base}', which is this gateway itself: requests would go in circles.",
                hint="It is Anthropic's own host; unset it for https://api.anthropic.com. The client's variable for "
                "the gateway's address is ANTHROPIC_BASE_URL.",
                id="tollgate.E004",
            )


def _is_url(text: str) -> bool:
    try:
        validate_url(text)
    except ValidationError:
        return False
    return True


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.port == settings.PORT and (parts.hostname in _LOOPBACK or parts.hostname == settings.HOST)


def _preference(given: Environment) -> Iterator[CheckMessage]:
    if given.preferred and given.preferred not in env.PREFERENCES:
        yield Error(
            f"PREFERRED_PROVIDER is '{given.preferred}'.",
            hint="Set it to google, openai or anthropic; unset, it follows from the keys that are there.",
            id="tollgate.E003",
        )


def _debug() -> Iterator[CheckMessage]:
    if settings.DEBUG and "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "DEBUG is on and ALLOWED_HOSTS is '*': any page of an error shows settings to whoever can reach it.",
            hint="Unset DEBUG, or set ALLOWED_HOSTS to the names this gateway is reached by.",
            id="tollgate.W004",
        )


def _database(given: Environment) -> list[CheckMessage]:
    try:
        return [*_tiers(), *_credentials()] if is_set_up() else list(_first_start(given))
    except (DatabaseError, InterfaceError):  # not there yet, or not migrated: the environment is all there is
        return list(_first_start(given))


def _first_start(given: Environment) -> Iterator[CheckMessage]:
    usable = given.usable
    if env.preference(given, usable) == "anthropic" and (given.big or given.small):
        yield Warning(
            "BIG_MODEL or SMALL_MODEL is set, but PREFERRED_PROVIDER is anthropic, which maps nothing.",
            hint="Unset them, or set PREFERRED_PROVIDER to google or openai.",
            id="tollgate.W005",
        )
    if not usable and not (given.big or given.small or given.preferred):
        return  # nothing is said, so nothing is wrong: the demo answers
    for tier, goal in env.goals(given, usable, env.KNOWN_GEMINI).items():
        preset = PRESETS.get(goal.provider)
        if preset is None or goal.provider in usable or not (usable or given.asked(tier)):
            continue
        kind, number = (Error, "E001") if usable else (Warning, "W001")
        yield kind(
            f"{tier}_MODEL leads to {goal}, but there is no key for the provider '{goal.provider}'.",
            hint=f"Set {preset.key}, or set {tier}_MODEL to a model of a provider with a key"
            + (f" ({', '.join(usable)}), such as {tier}_MODEL={_example(usable[0], tier)}" if usable else "")
            + ". PREFERRED_PROVIDER decides whose a name without a prefix is.",
            id=f"tollgate.{number}",
        )


def _example(provider: str, tier: str) -> str:
    preset = PRESETS[provider]
    model = preset.big if tier == env.BIG else preset.small
    return f"{provider}/{model or 'claude-opus-4-8'}"


def _tiers() -> Iterator[CheckMessage]:
    for tier in Tier.objects.select_related("provider"):
        provider = tier.provider
        wants_key = provider.base_url == getattr(PRESETS.get(provider.name), "host", None)
        lacks_key = wants_key and not any(one.is_live for one in provider.credentials.all())
        if provider.enabled and not lacks_key:
            continue
        lack = "has no key" if lacks_key else "is switched off"
        yield Warning(
            f"The tier {tier} leads to the provider '{provider}', which {lack}.",
            hint="In the admin: give the provider a key and enable it (Providers), or let the tier lead elsewhere "
            "(Mapping board).",
            id="tollgate.W002",
        )


def _credentials() -> Iterator[CheckMessage]:
    for credential in Credential.objects.select_related("provider").exclude(provider__dialect=Dialect.DEMO):
        try:
            unseal(credential.sealed)
        except Unsealable:
            yield Warning(
                f"The key of the provider '{credential.provider}' opens with no encryption key at hand.",
                hint="Put the old value back into ENCRYPTION_KEYS (or SECRET_KEY), after the new one; or enter the "
                "provider's key anew in the admin.",
                id="tollgate.W003",
            )
