"""What the layout of every page needs."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from .access import standing_of

THEMES: Final = frozenset({"light", "dark"})


def theme_of(request: HttpRequest) -> str:
    """``light``, ``dark`` or "": as the viewer chose, else as their system says."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else ""


def portal(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    match = request.resolver_match
    return {
        "theme": theme_of(request),
        "standing": standing_of(request) if user is not None and user.is_authenticated else None,
        "section": (match.url_name or "").split("_")[0] if match else "",
        "time_zone": timezone.get_current_timezone_name(),
        "mail_is_sent": settings.MAIL_IS_SENT,
    }
