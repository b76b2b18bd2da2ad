"""Limits and budgets with their fill."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounting.admission import changes
from accounting.models import Limit, LimitChange
from accounting.reports.limits import Fill, measure

from .limit_changes import ChangeView, GrantView, RaiseView, ResetView, meter
from .many import ask
from .page import actor, moment

_FIXED: Final = ("scope", "user", "team", "key", "kind", "period", "model_pattern", "tier")


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes no parameter when it runs
    """A limit, and why it is set or changed."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="Kept with the change.")

    class Meta:
        model = Limit
        fields = ("name", "enabled", *_FIXED, "count", "amount", "soft_percent")


class LimitChangeInline(TabularInline):
    """The record of who changed the limit."""

    model = LimitChange
    verbose_name_plural = "who changed it"
    fields = readonly_fields = ("at", "by_name", "action", "before", "after", "reason")
    extra = 0
    max_num = 0
    can_delete = False


@admin.register(Limit)
class LimitAdmin(ModelAdmin):
    """Every change goes through ``admission.changes``, as the API's do: with who made it and why."""

    form = LimitForm
    list_display = ("__str__", "subject", "measure", "of_what", "fill", "resets", "on")
    list_filter = ("enabled", "scope", "kind", "period", "team")
    search_fields = ("name", "user__username", "team__name", "key__name", "key__public_id", "model_pattern", "tier")
    list_select_related = ("user", "team", "key")
    list_per_page = 50
    autocomplete_fields = ("user", "team", "key")
    actions = ("raise_selected", "grant_selected", "reset_selected", "switch_on", "switch_off")
    inlines = (LimitChangeInline,)
    change_form_template = "admin/accounting/limit.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        for limit, filled in zip(listed.result_list, measure(list(listed.result_list)), strict=True):
            limit.filled = filled
        return listed

    def get_fieldsets(self, request: HttpRequest, obj: Limit | None = None) -> Any:
        return (
            *(((None, {"fields": ("fill", "resets")}),) if obj else ()),
            (None, {"fields": ("name", "enabled")}),
            ("Whose", {"fields": ("scope", "user", "team", "key")}),
            ("How much", {"fields": ("kind", "count", "amount", "period", "soft_percent")}),
            ("Of what", {"fields": ("model_pattern", "tier")}),
            ("For the record", {"fields": ("reason",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Limit | None = None) -> tuple[str, ...]:
        return ("fill", "resets", *_FIXED) if obj else ()

    @display(description="Whose")
    def subject(self, limit: Limit) -> str:
        return limit.subject

    @display(description="How much")
    def measure(self, limit: Limit) -> str:
        if limit.amount is not None:
            return (
                f"${limit.amount:,.2f} in all"
                if limit.period == "total"
                else f"${limit.amount:,.2f} per {limit.period}"
            )
        return f"{limit.count:,} {limit.get_kind_display().lower()}"

    @display(description="Of what")
    def of_what(self, limit: Limit) -> str:
        return ", ".join(filter(None, (limit.tier, limit.model_pattern))) or "everything"

    @display(description="Filled")
    def fill(self, limit: Limit) -> SafeString:
        return meter(_filled(limit))

    @display(description="Begins anew")
    def resets(self, limit: Limit) -> SafeString | str:
        resets_at = _filled(limit).resets_at
        return moment(resets_at) if resets_at else "–"

    @display(description="State", ordering="enabled", label={"on": "success", "off": "warning"})
    def on(self, limit: Limit) -> str:
        return "on" if limit.enabled else "off"

    @admin.action(description="Raise or lower…", permissions=["change"])
    def raise_selected(self, request: HttpRequest, queryset: QuerySet[Limit]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_limit_raise")

    @admin.action(description="Grant extra…", permissions=["change"])
    def grant_selected(self, request: HttpRequest, queryset: QuerySet[Limit]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_limit_grant")

    @admin.action(description="Begin the period anew…", permissions=["change"])
    def reset_selected(self, request: HttpRequest, queryset: QuerySet[Limit]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_limit_reset")

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        self._switch(request, queryset.filter(enabled=False), True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        self._switch(request, queryset.filter(enabled=True), False)

    @transaction.atomic
    def _switch(self, request: HttpRequest, queryset: QuerySet[Limit], on: bool) -> None:
        limits = list(queryset)
        for limit in limits:
            limit.enabled = on
            changes.save(limit, actor(request))
        self.message_user(request, f"{len(limits)} limit(s) switched {'on' if on else 'off'}.")

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        changes.save(obj, actor(request), form.cleaned_data["reason"])

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        changes.delete(obj, actor(request))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        for limit in queryset:
            self.delete_model(request, limit)

    def get_urls(self) -> list[URLPattern]:
        def page(what: str, view: type[ChangeView]) -> URLPattern:
            found: URLPattern = path(
                f"{what}/", self.admin_site.admin_view(view.as_view(model_admin=self)), name=f"accounting_limit_{what}"
            )
            return found

        return [
            page("raise", RaiseView),
            page("grant", GrantView),
            page("reset", ResetView),
            *super().get_urls(),
        ]


def _filled(limit: Limit) -> Fill:
    """As measured for the whole list, or, on a limit's own page, now."""
    filled: Fill = getattr(limit, "filled", None) or measure([limit])[0]
    return filled
