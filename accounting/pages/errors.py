"""Pages for what went wrong, in the design of all others."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from .context import theme_of


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request, 403, "This page is not yours", "You are signed in, but this belongs to another team or to admins."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        "This form is no longer good",
        "It was open for too long, or in another session. Go back, load the page again, and send it once more.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, "Nothing here", "The address may be old, or what it named is gone.")


def too_many_requests(request: HttpRequest) -> HttpResponse:
    return _page(request, 429, "Too many tries", "Wait a few minutes, then try again.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        request, 500, "Something broke on our side", "It is in the gateway's log. Requests to models are another path."
    )


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Rendered without the layout's context: an error page must not ask the database for anything."""
    context: dict[str, Any] = {"status": status, "title": title, "text": text, "theme": theme_of(request)}
    return HttpResponse(render_to_string("portal/error.html", context), status=status)
