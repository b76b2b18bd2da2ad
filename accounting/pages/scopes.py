"""Whose usage a report is about: one's own, a team's, or all of it. The same pages serve all three."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from accounting.models import Team
from accounting.reports.usage import Dimension

from .access import Page, for_admins, for_leads, person, signed_in

_OWN: Final = (Dimension.MODEL, Dimension.ASKED_MODEL, Dimension.TIER, Dimension.PROVIDER, Dimension.KEY)
_TEAM: Final = (Dimension.MODEL, Dimension.USER, *_OWN[1:])
_ALL: Final = (Dimension.MODEL, Dimension.TEAM, Dimension.USER, *_OWN[1:])


@dataclass(frozen=True, slots=True)
class Scope:
    """``kind`` begins the names of its pages' addresses; ``filters`` are what the API calls them."""

    kind: str
    title: str
    dimensions: tuple[Dimension, ...]
    filters: dict[str, str] = field(default_factory=dict)
    team: Team | None = None

    def url(self, page: str, *args: Any) -> str:
        return reverse(f"{self.kind}_{page}", args=[*([self.team.pk] if self.team else []), *args])

    @property
    def pages(self) -> list[tuple[str, str, str]]:
        """Name, title and address of each of its pages."""
        titles = {"spend": "Spend", "sessions": "Sessions", "requests": "Requests", "speed": "Speed and errors"}
        titles["what_if"] = "What if"
        titles["month"] = "Month"
        return [(name, title, self.url(name)) for name, title in titles.items()]


def mine(view: Page) -> Page:
    @wraps(view)
    def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        scope = Scope("my", "My usage", _OWN, {"user": person(request).get_username()})
        return view(request, scope, *args, **kwargs)

    return signed_in(scoped)


def of_team(view: Page) -> Page:
    @wraps(view)
    def scoped(request: HttpRequest, team: Team, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, Scope("team", team.name, _TEAM, {"team": team.name}, team), *args, **kwargs)

    return for_leads(scoped)


def of_gateway(view: Page) -> Page:
    @wraps(view)
    def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, Scope("all", "Whole gateway", _ALL), *args, **kwargs)

    return for_admins(scoped)
