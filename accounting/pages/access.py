"""Who may see which page. The rule itself is ``accounting.reports.Viewer``; here it is put before views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control

from accounting.models import Team, User
from accounting.reports import Viewer

Page = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Place:
    """A person's place in one team."""

    team_id: int
    team_name: str
    is_lead: bool

    @property
    def section(self) -> str:
        """What the navigation calls the team's pages."""
        return f"team_{self.team_id}"


@dataclass(frozen=True, slots=True)
class Standing:
    """The signed-in person's places, and what they let them see; read once per request."""

    viewer: Viewer
    places: tuple[Place, ...]

    @property
    def is_admin(self) -> bool:
        return self.viewer.is_admin

    @property
    def home(self) -> str:
        """The team that keys without a team of their own spend for; "" where there is none."""
        return self.places[0].team_name if self.places else ""

    @property
    def led(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.is_lead)


def person(request: HttpRequest) -> User:
    """The signed-in person. Behind one of the decorators below there always is one."""
    return cast(User, request.user)


def standing_of(request: HttpRequest) -> Standing:
    """The signed-in person's standing: one query, the first time it is asked for."""
    known = getattr(request, "_standing", None)
    if known is None:
        user = person(request)
        memberships = list(user.memberships.select_related("team").order_by("id"))
        places = tuple(Place(one.team_id, one.team.name, one.is_lead) for one in memberships)
        known = Standing(Viewer.of_user(user, memberships), places)
        request._standing = known  # type: ignore[attr-defined]  # a request is where Django keeps such things
    return cast(Standing, known)


def signed_in(view: Page) -> Page:
    """Anybody with an account. What they get is kept by no cache but their browser's."""
    return cache_control(private=True, no_cache=True)(login_required(view))


def for_leads(view: Page) -> Page:
    """The team's leads, and admins. The view gets the ``Team`` in place of ``team_id``."""

    @wraps(view)
    def guarded(request: HttpRequest, team_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # The same answer for a team that is not theirs and for one that does not exist.
        if not standing_of(request).viewer.answers_for(team_id):
            raise PermissionDenied
        return view(request, get_object_or_404(Team, pk=team_id), *args, **kwargs)

    return signed_in(guarded)


def for_admins(view: Page) -> Page:
    """Staff members."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not standing_of(request).is_admin:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)
