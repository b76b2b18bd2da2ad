"""Paths below ``/api/`` that are about where requests go."""

from __future__ import annotations

from django.urls import path, re_path

from . import api, api_conformance, api_models

_PROVIDER = r"(?P<name>[\w.-]{1,60})"
urlpatterns = [
    path("providers", api.ProviderResource.as_view({"get": "list", "post": "create"}), name="providers"),
    re_path(
        rf"^providers/{_PROVIDER}\Z",
        api.ProviderResource.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="provider",
    ),
    re_path(rf"^providers/{_PROVIDER}/models\Z", api_models.ModelResource.as_view({"get": "list"}), name="models"),
    re_path(
        rf"^providers/{_PROVIDER}/discover\Z", api_models.ModelResource.as_view({"post": "discover"}), name="discover"
    ),
    path("mapping", api.MappingView.as_view(), name="mapping"),
    path("mapping/revisions", api.RevisionResource.as_view({"get": "list"}), name="revisions"),
    path("mapping/revisions/<int:pk>", api.RevisionResource.as_view({"get": "retrieve"}), name="revision"),
    path("mapping/revisions/<int:pk>/rollback", api.RevisionResource.as_view({"post": "rollback"}), name="rollback"),
    path(
        "conformance",
        api_conformance.ConformanceResource.as_view({"get": "list", "post": "create"}),
        name="conformance",
    ),
    path("explain", api.ExplainView.as_view(), name="explain"),
]
