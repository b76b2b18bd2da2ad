"""Limits and budgets with their fill, and the prices an admin sets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounting.models import Limit, LimitChange, LimitCounter, Price

from .page import actor


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
    list_display = ("__str__", "subject", "kind", "measure", "fill", "on")
    list_filter = ("enabled", "scope", "kind", "period", "team")
    search_fields = ("name", "user__username", "team__name", "key__name", "key__public_id", "model_pattern")
    autocomplete_fields = ("user", "team", "key")
    inlines = (LimitChangeInline,)
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        ("Whose", {"fields": ("scope", "user", "team", "key")}),
        ("How much", {"fields": ("kind", "count", "amount", "period", "soft_percent")}),
        ("Of what", {"fields": ("model_pattern", "tier")}),
    )
    _FIXED = ("scope", "user", "team", "key", "kind", "period", "model_pattern", "tier")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        limits: QuerySet[Limit] = super().get_queryset(request)
        newest = LimitCounter.objects.order_by("-window")
        return limits.select_related("user", "team", "key").prefetch_related(Prefetch("counters", queryset=newest))

    def get_readonly_fields(self, request: HttpRequest, obj: Limit | None = None) -> tuple[str, ...]:
        return self._FIXED if obj else ()

    @display(description="Whose")
    def subject(self, limit: Limit) -> str:
        return limit.subject

    @display(description="How much")
    def measure(self, limit: Limit) -> str:
        return f"{limit.count:,}" if limit.count is not None else f"${limit.amount:,.2f} per {limit.period}"

    @display(description="Filled")
    def fill(self, limit: Limit) -> SafeString | str:
        counter = next(iter(limit.counters.all()), None)
        if limit.kind != Limit.Kind.BUDGET or counter is None:
            return "–"
        room = (limit.amount or 0) + counter.granted
        percent = round(100 * (counter.spent + counter.reserved) / room) if room else 100
        return format_html(
            '<div class="tg-meter" role="img" aria-label="{} % filled">'
            '<span class="{}" style="width: {}%"></span></div>'
            "${} of ${}",
            percent,
            "full" if percent >= 100 else "",
            min(percent, 100),
            f"{counter.spent + counter.reserved:,.2f}",
            f"{room:,.2f}",
        )

    @display(description="State", ordering="enabled", label={"on": "success", "off": "warning"})
    def on(self, limit: Limit) -> str:
        return "on" if limit.enabled else "off"

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        before = self.measure(Limit.objects.get(pk=obj.pk)) if change else ""
        super().save_model(request, obj, form, change)
        action = LimitChange.Action.CHANGED if change else LimitChange.Action.CREATED
        self._record(request, obj, action, before, self.measure(obj))

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        self._record(request, obj, LimitChange.Action.DELETED, self.measure(obj), "")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        for limit in queryset:
            self.delete_model(request, limit)

    def _record(self, request: HttpRequest, limit: Limit, action: str, before: str, after: str) -> None:
        by = actor(request)
        LimitChange.objects.create(
            limit=limit, limit_name=str(limit)[:200], by=by, by_name=str(by), action=action, before=before, after=after
        )


@admin.register(Price)
class PriceAdmin(ModelAdmin):
    list_display = (
        "__str__",
        "input",
        "output",
        "cache_read",
        "service_tier",
        "above_tokens",
        "effective_from",
        "note",
    )
    list_filter = ("provider", "service_tier", "effective_from")
    search_fields = ("provider", "model", "note")
    fieldsets = (
        (None, {"fields": ("provider", "model", "service_tier", "above_tokens")}),
        ("In force", {"fields": ("effective_from", "effective_until")}),
        (
            "US dollars per million tokens",
            {"fields": ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")},
        ),
        ("US dollars per thousand", {"fields": ("per_thousand_searches",)}),
        (None, {"fields": ("note",)}),
    )
