"""Paths below ``/api/`` that are about where requests go."""

from __future__ import annotations

from django.urls import path, re_path

from . import conformance, explain, mapping, models, providers

_PROVIDER = r"(?P<name>[\w.-]{1,60})"
urlpatterns = [
    path("providers", providers.ProviderResource.as_view({"get": "list", "post": "create"}), name="providers"),
    re_path(
        rf"^providers/{_PROVIDER}\Z",
        providers.ProviderResource.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="provider",
    ),
    re_path(rf"^providers/{_PROVIDER}/models\Z", models.ModelResource.as_view({"get": "list"}), name="models"),
    re_path(rf"^providers/{_PROVIDER}/discover\Z", models.ModelResource.as_view({"post": "discover"}), name="discover"),
    path("mapping", mapping.MappingView.as_view(), name="mapping"),
    path("mapping/revisions", mapping.RevisionResource.as_view({"get": "list"}), name="revisions"),
    path("mapping/revisions/<int:pk>", mapping.RevisionResource.as_view({"get": "retrieve"}), name="revision"),
    path(
        "mapping/revisions/<int:pk>/rollback", mapping.RevisionResource.as_view({"post": "rollback"}), name="rollback"
    ),
    path(
        "conformance",
        conformance.ConformanceResource.as_view({"get": "list", "post": "create"}),
        name="conformance",
    ),
    path("conformance/<int:pk>", conformance.ConformanceResource.as_view({"get": "retrieve"}), name="conformance-run"),
    path("explain", explain.ExplainView.as_view(), name="explain"),
]
