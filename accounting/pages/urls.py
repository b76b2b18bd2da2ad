"""Addresses of the pages."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from . import account, keys, ledger, live, start, usage
from .access import Page
from .scopes import mine, of_gateway, of_team


def _reports(kind: str, prefix: str, scoped: Any) -> list[URLPattern]:
    """The addresses of one scope's reports."""
    pages: list[tuple[str, str, Page]] = [
        ("spend", "", usage.spend),
        ("speed", "speed/", usage.speed),
        ("what_if", "what-if/", usage.what_if_page),
        ("sessions", "sessions/", ledger.session_list),
        ("requests", "requests/", ledger.requests),
        ("month", "month/", usage.month),
        ("month", "month/<int:year>-<int:number>/", usage.month),
    ]
    return [path(prefix + route, scoped(view), name=f"{kind}_{name}") for name, route, view in pages]


urlpatterns = [
    path("", start.index, name="start"),
    path("connection/", start.connection, name="connection"),
    path("keys/", keys.index, name="keys"),
    path("keys/new/", keys.create, name="keys_create"),
    path("keys/first/", keys.create_first, name="keys_first"),
    path("keys/<int:key_id>/rotate/", keys.rotate, name="keys_rotate"),
    path("keys/<int:key_id>/revoke/", keys.revoke, name="keys_revoke"),
    path("live/", live.index, name="live"),
    path("account/", account.index, name="account"),
    path("requests/<str:request_id>/", ledger.request_detail, name="request"),
    path("sessions/<str:session_id>/", ledger.session_detail, name="session"),
    *_reports("my", "usage/", mine),
    *_reports("team", "teams/<int:team_id>/", of_team),
    *_reports("all", "everything/", of_gateway),
]
