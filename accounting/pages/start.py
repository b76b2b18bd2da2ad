"""My start page: the lines to paste, and a lamp that turns green when the first request arrives."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounting.models import Key, LedgerEntry

from . import once
from .access import person, signed_in
from .snippets import base_url, snippets


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    url = base_url(request)
    context = {
        "base_url": url,
        "snippets": snippets(url),
        "live_keys": _live_keys(request),
        "entry": _latest(request),
        "once": once.issue(request),
    }
    return render(request, "portal/start.html", context)


@require_safe
@signed_in
def connection(request: HttpRequest) -> HttpResponse:
    """The lamp alone, as the start page asks for it anew."""
    return render(request, "portal/parts/connection.html", {"entry": _latest(request)})


def _latest(request: HttpRequest) -> LedgerEntry | None:
    """This person's latest request that is over: an open one has nothing to say yet."""
    entries = LedgerEntry.objects.filter(user=person(request), state=LedgerEntry.State.SETTLED)
    return entries.order_by("-started_at").first()


def _live_keys(request: HttpRequest) -> int:
    keys = Key.objects.filter(user=person(request), revoked_at=None)
    return keys.exclude(expires_at__lte=timezone.now()).count()
