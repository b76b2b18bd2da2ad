"""Revisions of the mapping: who, when, why, what; and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounting.admin.page import Page, actor
from routing import mapping
from routing.models import Revision

from .overview import effects


class RollbackView(Page):
    """What going back would change, and the button that does it."""

    title = "Roll back"
    permission_required = ("routing.change_tier",)
    template_name = "admin/routing/rollback.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        revision = get_object_or_404(Revision, pk=self.kwargs["pk"])
        try:
            changes = mapping.preview(lambda: mapping.restore(revision.snapshot))
            kwargs |= {"effects": effects(changes)}
        except mapping.CannotRestore as error:
            kwargs |= {"problem": error.message}
        diff = mapping.difference(mapping.snapshot(), revision.snapshot)
        return super().get_context_data(revision=revision, diff=diff, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        revision = get_object_or_404(Revision, pk=pk)
        try:
            mapping.rollback(revision, actor(request), request.POST.get("reason", "").strip()[:500])
        except mapping.CannotRestore as error:
            messages.error(request, error.message)
            return redirect("admin:routing_revision_rollback", pk=pk)
        messages.success(request, f"The mapping of revision {revision.pk} is in force again.")
        return redirect("admin:routing_tier_changelist")


@admin.register(Revision)
class RevisionAdmin(ModelAdmin):
    """Read-only: history is not edited."""

    list_display = ("number", "created_at", "who", "reason", "changes")
    list_display_links = ("number", "created_at")
    list_filter = ("actor_name",)
    search_fields = ("reason", "actor_name", "diff")
    fields = ("created_at", "who", "reason", "changes", "names", "tiers", "overrides")
    readonly_fields = fields
    change_form_template = "admin/routing/revision.html"
    list_per_page = 50

    @display(description="Revision", ordering="id")
    def number(self, revision: Revision) -> int:
        return int(revision.pk)

    @display(description="By", ordering="actor_name")
    def who(self, revision: Revision) -> str:
        return revision.actor_name or "the gateway"

    @display(description="What changed")
    def changes(self, revision: Revision) -> SafeString:
        return _lines(revision.diff)

    @display(description="Names, first match first")
    def names(self, revision: Revision) -> SafeString:
        return _lines([f"{pattern} → {tier}" for pattern, tier in revision.snapshot["patterns"]])

    @display(description="Tiers")
    def tiers(self, revision: Revision) -> SafeString:
        tiers = revision.snapshot["tiers"].items()
        return _lines([f"{name} → {goal['provider']}/{goal['model'] or '(the name as asked)'}" for name, goal in tiers])

    @display(description="Overrides")
    def overrides(self, revision: Revision) -> SafeString:
        rows = revision.snapshot["overrides"]
        return _lines(
            [
                f"{row['tier'] or row['pattern']} for {row['user'] or 'team ' + row['team']} → "
                f"{row['provider']}/{row['model'] or '(the name as asked)'}"
                for row in rows
            ]
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(RollbackView.as_view(model_admin=self))
        return [path("<int:pk>/rollback/", view, name="routing_revision_rollback"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Revision | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Revision | None = None) -> bool:
        return False


def _lines(lines: list[str]) -> SafeString:
    return format_html_join("", '<div class="font-mono text-sm">{}</div>', ((line,) for line in lines)) or SafeString(
        "–"
    )
