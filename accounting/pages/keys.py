"""My keys: make, rotate, revoke. A token is in one answer, to the request that made it, and never again."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounting import rotation
from accounting.identity import mint
from accounting.models import Key

from . import once
from .access import person, signed_in, standing_of
from .forms import KeyForm, RotateForm
from .snippets import base_url, snippets

MADE_ALREADY = "That form was sent before. A token is shown only once: make another key if you missed it."


@require_safe
@signed_in
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    keys = _own(request).annotate(successors=Count("replaced_by", filter=Q(replaced_by__revoked_at=None)))
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=now)
    context = {"live": keys.exclude(ended), "ended": keys.filter(ended)[:50]}
    return render(request, "portal/keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    form = KeyForm(standing_of(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not once.redeem(request):
            messages.warning(request, MADE_ALREADY)
            return redirect("keys")
        key, token = mint(
            person(request), team=form.chosen_team, name=form.cleaned_data["name"], expires_at=form.expires_at
        )
        return _shown_once(request, key, token)
    return render(request, "portal/key_form.html", {"form": form, "once": once.issue(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@never_cache
def rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(_own(request), pk=key_id)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not once.redeem(request):
            messages.warning(request, MADE_ALREADY)
            return redirect("keys")
        try:
            new, token = rotation.rotate(key, form.grace)
        except rotation.NotRotatable as refusal:
            messages.error(request, str(refusal))
            return redirect("keys")
        return _shown_once(request, new, token)
    return render(request, "portal/key_rotate.html", {"key": key, "form": form, "once": once.issue(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(_own(request), pk=key_id)
    if request.method != "POST":
        return render(request, "portal/key_revoke.html", {"key": key})
    rotation.revoke(key)
    messages.success(request, f"{key.name} is revoked: no request passes with it any more.")
    return redirect("keys")


@require_POST
@signed_in
@never_cache
def create_first(request: HttpRequest) -> HttpResponse:
    """The start page's one button: a first key with everything as it usually is."""
    if not once.redeem(request):
        messages.warning(request, MADE_ALREADY)
        return redirect("keys")
    key, token = mint(person(request), name="first key")
    return _shown_once(request, key, token)


def _own(request: HttpRequest) -> QuerySet[Key]:
    keys: QuerySet[Key] = Key.objects.filter(user=person(request)).select_related("team")
    return keys


@sensitive_variables("token")
def _shown_once(request: HttpRequest, key: Key, token: str) -> HttpResponse:
    context = {"key": key, "token": token, "snippets": snippets(base_url(request), token)}
    return render(request, "portal/key_made.html", context)
