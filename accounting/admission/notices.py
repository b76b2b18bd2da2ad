"""Telling people that a budget fills: by mail to those it concerns, and to a webhook.

Sent once a period, from a thread of their own after the settling transaction, so that a slow mail server delays nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import orjson
from django.conf import settings
from django.core.mail import send_mail
from django.db import Error, connections
from django.db.models import Q

from accounting.models import Limit, Membership, User

from . import periods
from .gate import Soft

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 10.0  # seconds, of the webhook
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="budget-notices")


def announce(filled: Sequence[Soft]) -> None:
    """Sends word of each budget, and returns at once."""
    for soft in filled:
        _sender.submit(_send, soft).add_done_callback(_log_defect)


def _send(soft: Soft) -> None:
    """By every way there is: one that is blocked does not block the other."""
    try:
        for tell in (mail, post):
            try:
                tell(soft)
            except (OSError, HTTPException, ValueError, Error) as error:
                # No traceback, and of an odd URL not even its words: a webhook's address is a secret.
                why = error if isinstance(error, OSError) else type(error).__name__
                logger.error("no %s of a filled budget (limit %d): %s", tell.__name__, soft.policy.id, why)  # noqa: TRY400 (as said above)
    finally:
        connections.close_all()


def _log_defect(sent: Future[None]) -> None:
    if (error := sent.exception()) is not None:
        logger.critical("a notice of a budget met a defect", exc_info=error)


def mail(soft: Soft) -> None:
    """Mails whom the budget concerns. Raises OSError (smtplib's errors are of that class)."""
    addresses = sorted({user.email for user in concerned(soft) if user.email})
    if addresses:
        send_mail(_subject(soft), _body(soft), None, addresses)


def post(soft: Soft) -> None:
    """Posts the notice to ``BUDGET_WEBHOOK_URL``. Raises URLError."""
    url = settings.BUDGET_WEBHOOK_URL
    if not url:
        return
    if urlsplit(url).scheme not in ("http", "https"):
        raise URLError("BUDGET_WEBHOOK_URL is not an HTTP address")
    request = Request(url, data=orjson.dumps(payload(soft)), headers={"content-type": "application/json"})  # noqa: S310 (its scheme was looked at above)
    with urlopen(request, timeout=_TIMEOUT):  # noqa: S310 (its scheme was looked at above)
        pass


def payload(soft: Soft) -> dict[str, Any]:
    """The notice as JSON. Money in US dollars, as strings; ``resets_at`` is null for a total."""
    policy = soft.policy
    return {
        "event": "budget.filled",
        "limit": policy.id,
        "name": policy.name,
        "scope": policy.scope,
        "subject": policy.subject,
        "period": policy.period,
        "amount": str(soft.available),
        "spent": str(soft.spent),
        "percent": policy.soft_percent,
        "resets_at": ends.isoformat() if (ends := periods.end(policy.period, soft.at)) else None,
        "text": _body(soft),
    }


def concerned(soft: Soft) -> list[User]:
    """The person; a team's leads; for a key, its owner; for the gateway, its admins."""
    policy = soft.policy
    people = User.objects.filter(is_active=True)
    match policy.scope:
        case Limit.Scope.USER:
            return list(people.filter(pk=policy.subject_id))
        case Limit.Scope.TEAM:
            leads = Q(memberships__team_id=policy.subject_id, memberships__role=Membership.Role.LEAD)
            return list(people.filter(leads).distinct())
        case Limit.Scope.KEY:
            return list(people.filter(keys__pk=policy.subject_id))
        case _:
            return list(people.filter(is_staff=True))


def _subject(soft: Soft) -> str:
    # In one line: a name in it is people's to choose, and a mail's header ends with the line.
    return " ".join(f"Budget of {soft.policy.subject}: {soft.policy.soft_percent}% used".split())


def _body(soft: Soft) -> str:
    ends = periods.end(soft.policy.period, soft.at)
    until = "It does not reset." if ends is None else f"It resets on {ends:%Y-%m-%d %H:%M %Z}."
    named = f" '{soft.policy.name}'" if soft.policy.name else ""
    return (
        f"The budget{named} of {soft.policy.subject} is used to ${soft.spent:,.2f} of ${soft.available:,.2f}. {until}"
    )
