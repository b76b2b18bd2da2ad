"""Forms that act once: a page that shows a secret must not make a second one when it is loaded again."""

from __future__ import annotations

import secrets
from typing import Final

from django.http import HttpRequest

_SESSION_KEY: Final = "forms"
_OPEN_FORMS: Final = 20  # a person's, in all their windows; the oldest go first


def issue(request: HttpRequest) -> str:
    """A ticket to put into a form as the hidden field ``once``."""
    ticket = secrets.token_urlsafe(12)
    request.session[_SESSION_KEY] = [*request.session.get(_SESSION_KEY, []), ticket][-_OPEN_FORMS:]
    return ticket


def redeem(request: HttpRequest) -> bool:
    """Whether the posted form's ticket is good; it is not a second time."""
    tickets: list[str] = request.session.get(_SESSION_KEY, [])
    ticket = request.POST.get("once", "")
    if ticket not in tickets:
        return False
    request.session[_SESSION_KEY] = [other for other in tickets if other != ticket]
    return True
