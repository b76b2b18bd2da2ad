"""What is going on right now. The page is a frame; what moves in it comes over ``/ws/live/`` (``accounting.live``)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .access import signed_in, standing_of


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/live.html", {"whose": _whose(request)})


def _whose(request: HttpRequest) -> str:
    """Whose requests this viewer sees, in words."""
    standing = standing_of(request)
    if standing.is_admin:
        return "everybody's requests"
    if standing.led:
        return "your requests, and those of " + " and ".join(place.team_name for place in standing.led)
    return "your requests"
