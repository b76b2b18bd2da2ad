"""System checks of what an operator may set about money, networks and mail."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from . import secrets

RESERVATIONS: Final = ("typical", "strict")


@register
def money(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E005: an unknown way of reserving; E006: a lease that ends at once; E007: a webhook that is no HTTP address."""
    found: list[CheckMessage] = []
    if settings.BUDGET_RESERVATION not in RESERVATIONS:
        found.append(
            Error(
                f"BUDGET_RESERVATION is '{settings.BUDGET_RESERVATION}'.",
                hint="Set it to typical (a usual answer is held back) or strict (all of max_tokens is).",
                id="tollgate.E005",
            )
        )
    if settings.LEDGER_LEASE_SECONDS < 1:
        found.append(
            Error(
                f"LEDGER_LEASE_SECONDS is {settings.LEDGER_LEASE_SECONDS:g}: living workers would be taken for dead.",
                hint="Set it to some tens of seconds.",
                id="tollgate.E006",
            )
        )
    if settings.BUDGET_WEBHOOK_URL and urlsplit(settings.BUDGET_WEBHOOK_URL).scheme not in ("http", "https"):
        found.append(
            Error(
                "BUDGET_WEBHOOK_URL is no HTTP address.",
                hint="Write it with its scheme: https://…",
                id="tollgate.E007",
            )
        )
    return found


@register
def networks(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E008: an address or a network that is none; every request would fail on it."""
    return [
        Error(
            f"{name} names '{given}', which is no network.",
            hint="Write addresses and CIDR blocks, separated by commas: 10.0.0.0/8,192.0.2.7",
            id="tollgate.E008",
        )
        for name in ("TRUSTED_PROXIES", "METRICS_NETWORKS")
        for given in getattr(settings, name)
        if not _is_network(given)
    ]


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


@register
def keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E009: secrets without their numbers; every sign-in and every request would fail on them."""
    try:
        secrets.verify()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="2:new secret,1:old secret", id="tollgate.E009")]
    return []


@register
def mail(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W007: links in mails that lead where whoever asked for the mail wants."""
    if not settings.MAIL_IS_SENT or settings.PUBLIC_URL or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "Mail is sent, PUBLIC_URL is not set, and every host is allowed: a link that resets a password leads to"
            " whatever host a stranger asked by.",
            hint="Set PUBLIC_URL to where people reach the gateway.",
            id="tollgate.W007",
        )
    ]
