"""System checks of what an operator may set about money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

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
