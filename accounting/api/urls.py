"""Paths below ``/api/``. A slash at the end is met, never redirected: a redirect loses a body or a key."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from . import audit, insight, keys, limits, openapi, people, prices, records, statusline, usage


@csrf_exempt  # DRF's own views look after it: SessionAuthentication
def elsewhere(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """The same path without its slash, or 404 in the API's own shape. Whoever looks at the root is led to the docs."""
    if not rest and request.method == "GET":
        return redirect("api:docs")
    if rest.endswith("/"):
        try:
            match = resolve(request.path.rstrip("/"))
        except Resolver404:
            pass
        else:
            answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
            return answer
    detail: dict[str, Any] = {"type": "not_found_error", "message": "There is nothing here. See /api/docs."}
    return JsonResponse({"type": "error", "error": detail}, status=404)


reports = [
    path("usage", usage.UsageView.as_view(), name="usage"),
    path("usage/summary", usage.SummaryView.as_view(), name="usage-summary"),
    path("usage/series", usage.SeriesView.as_view(), name="usage-series"),
    path("usage/latency", insight.LatencyView.as_view(), name="latency"),
    path("usage/failures", insight.FailuresView.as_view(), name="failures"),
    path("usage/forecast", insight.ForecastView.as_view(), name="forecast"),
    path("usage/what-if", insight.WhatIfView.as_view(), name="what-if"),
    path("usage/unpriced", insight.UnpricedView.as_view(), name="unpriced"),
    path("usage/records", records.RecordResource.as_view({"get": "list"}), name="records"),
    path("usage/records.csv", records.ExportView.as_view(), name="records-csv"),
    re_path(
        r"^usage/records/(?P<request_id>[!-.0-~]{1,80})\Z",
        records.RecordResource.as_view({"get": "retrieve"}),
        name="record",
    ),
    path("usage/sessions", records.SessionsView.as_view(), name="sessions"),
    re_path(r"^usage/sessions/(?P<session_id>[^/\x00-\x1f]{1,100})\Z", records.SessionView.as_view(), name="session"),
    path("statusline", statusline.StatusLineView.as_view(), name="statusline"),
]
_PERSON = r"(?P<username>[\w.@+-]{1,150})"  # as Django's validator has user names
_KEY = r"(?P<public_id>[0-9A-Za-z]{1,16})"
_ONE: Any = {"get": "retrieve", "patch": "partial_update"}
_LIST: Any = {"get": "list", "post": "create"}
organisation = [
    path("me", people.MeView.as_view(), name="me"),
    path("people", people.PersonResource.as_view(_LIST), name="people"),
    re_path(
        rf"^people/{_PERSON}\Z",
        people.PersonResource.as_view(_ONE),
        name="person",
    ),
    path("teams", people.TeamResource.as_view(_LIST), name="teams"),
    path(
        "teams/<int:pk>",
        people.TeamResource.as_view(_ONE | {"delete": "destroy"}),
        name="team",
    ),
    re_path(
        rf"^teams/(?P<pk>[0-9]{{1,18}})/members/{_PERSON}\Z",
        people.TeamResource.as_view({"put": "put_member", "delete": "remove_member"}),
        name="member",
    ),
    path("keys", keys.KeyResource.as_view(_LIST), name="keys"),
    re_path(
        rf"^keys/{_KEY}\Z",
        keys.KeyResource.as_view(_ONE | {"delete": "destroy"}),
        name="key",
    ),
    path("limits", limits.LimitResource.as_view(_LIST), name="limits"),
    path("limits/<int:pk>", limits.LimitResource.as_view(_ONE | {"delete": "destroy"}), name="limit"),
    path("limits/<int:pk>/grant", limits.LimitResource.as_view({"post": "grant"}), name="limit-grant"),
    path("limits/<int:pk>/reset", limits.LimitResource.as_view({"post": "reset"}), name="limit-reset"),
    path("prices", prices.PriceResource.as_view(_LIST), name="prices"),
    path("prices/<int:pk>", prices.PriceResource.as_view(_ONE | {"delete": "destroy"}), name="price"),
    path("audit", audit.AuditResource.as_view({"get": "list"}), name="audit"),
    re_path(rf"^keys/{_KEY}/rotate\Z", keys.KeyResource.as_view({"post": "rotate"}), name="key-rotate"),
]
# Named here so that they are known before the document is made: drf-spectacular finds extensions by their class.
EXTENSIONS = (openapi.KeyScheme,)

documents = [
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]
urlpatterns = [*reports, *organisation, *documents]
fallback = [re_path(r"^(?P<rest>(?s:.*))\Z", elsewhere)]  # a path may hold a line feed
