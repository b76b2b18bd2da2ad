"""The mapping board: seen, edited, previewed and saved on one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.admin import ModelAdmin

from accounting.admin.page import Page, actor
from accounting.models import Key, Team, User
from routing import board, mapping, table
from routing.models import Model, Revision, Tier

from .board_forms import BoardForm
from .conforming import ConformanceView
from .trying import ExplainView, TestView

_RECENT = 5  # revisions on the board
_SUGGESTED = 500  # people offered by name; any other can be typed


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of a preview: for whom these names lead elsewhere."""

    whom: str
    names: list[str]
    before: str
    after: str


def effects(changes: Iterable[mapping.Change]) -> list[Effect]:
    """Changes with the names that fare alike put together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        together.setdefault((change.whom, change.before, change.after), []).append(change.name)
    return [Effect(whom, names, before, after) for (whom, before, after), names in together.items()]


class BoardView(Page):
    title = "Mapping board"
    permission_required = ("routing.view_tier",)
    template_name = "admin/routing/board.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {
            "lines": board.lines(table.load()),
            "overrides": mapping.snapshot()["overrides"],
            "revisions": Revision.objects.all()[:_RECENT],
            "may_change": self.request.user.has_perm("routing.change_tier"),
        }
        return super().get_context_data(**context | kwargs)


class EditView(Page):
    title = "Change the mapping"
    permission_required = ("routing.view_tier", "routing.change_tier")
    template_name = "admin/routing/board_edit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if "form" not in kwargs:
            kwargs["form"] = BoardForm(mapping.snapshot())
            kwargs["seen"] = _latest()
        now = timezone.now()
        live = Key.objects.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))
        return super().get_context_data(
            known=Model.objects.filter(enabled=True).values_list("name", flat=True).distinct().order_by("name"),
            people=[
                *(f"team {name}" for name in Team.objects.values_list("name", flat=True)[:_SUGGESTED]),
                *User.objects.filter(is_active=True).values_list("username", flat=True)[:_SUGGESTED],
            ],
            tiers=Tier.objects.all(),
            live_keys=live.count(),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Shows what the form would change, or, asked to save, changes it."""
        taken = mapping.snapshot()
        form = BoardForm(taken, request.POST)
        seen = request.POST.get("seen", "")
        if not form.is_valid():
            return self._again(form=form, seen=seen)
        wanted = form.snapshot()
        if seen != _latest():
            form.problems.append(
                "Somebody else has changed the mapping meanwhile. This is your version: preview it again."
            )
            return self._again(form=form, seen=_latest())
        try:
            if "save" in request.POST:
                return self._save(request, form, wanted)
            changes = mapping.preview(lambda: mapping.restore(wanted))
        except mapping.CannotRestore as error:
            form.problems.append(error.message)
            return self._again(form=form, seen=seen)
        return self._again(
            form=form, seen=seen, previewed=True, effects=effects(changes), diff=mapping.difference(taken, wanted)
        )

    def _save(self, request: HttpRequest, form: BoardForm, wanted: mapping.Snapshot) -> HttpResponse:
        reason = form.names.cleaned_data["reason"].strip()
        if not reason:
            form.problems.append("Say why: the reason is kept with the revision.")
            return self._again(form=form, seen=_latest())
        with mapping.revising(actor(request), reason):
            mapping.restore(wanted)
        messages.success(request, "The mapping is in force, for the next request of every worker.")
        return redirect("admin:routing_tier_changelist")

    def _again(self, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context))


def _latest() -> str:
    return str(Revision.objects.values_list("pk", flat=True).first() or 0)


@admin.register(Tier)
class TierAdmin(ModelAdmin):
    """Tiers have no pages of their own: the board is where they are seen and changed."""

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: type[Page], name: str) -> URLPattern:
            pattern: URLPattern = path(route, self.admin_site.admin_view(view.as_view(model_admin=self)), name=name)
            return pattern

        return [
            page("", BoardView, "routing_tier_changelist"),
            page("edit/", EditView, "routing_tier_edit"),
            page("explain/", ExplainView, "routing_tier_explain"),
            page("test/", TestView, "routing_tier_test"),
            page("conformance/", ConformanceView, "routing_tier_conformance"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
