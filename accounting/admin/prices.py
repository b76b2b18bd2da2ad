"""The prices an admin sets: which are in force, and what is done to many of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounting.models import Price, User

from .many import Line, ManyView, ask
from .page import moment

_PER_MILLION: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
_RATES: Final = (*_PER_MILLION, "per_thousand_searches")
_SHOWN: Final = 40  # characters of a note, in the list
_PLACES: Final = Decimal("0.000001")


class InForceFilter(admin.SimpleListFilter):
    """Whether a price counts now."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "In force"), ("later", "To come"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> QuerySet[Price]:
        now = timezone.now()
        ended = Q(effective_until__lte=now)
        match self.value():
            case "now":
                return queryset.filter(effective_from__lte=now).exclude(ended)
            case "later":
                return queryset.filter(effective_from__gt=now)
            case "ended":
                return queryset.filter(ended)
        return queryset


class PercentForm(forms.Form):
    """By how much, and from when on."""

    percent = forms.DecimalField(
        label="Per cent",
        max_digits=7,
        decimal_places=3,
        min_value=-100,
        max_value=1000,
        help_text="10 is a tenth dearer, -25 a quarter cheaper.",
    )
    since = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty: from now on.",
    )
    note = forms.CharField(max_length=200, required=False, help_text="Kept with the new prices. Empty: the old note.")

    def clean_since(self) -> datetime:
        """What was reckoned stays as it is, so there is no use in a time that is past."""
        now = timezone.now()
        since: datetime = self.cleaned_data["since"] or now
        if (now - since).total_seconds() > _MINUTE:
            raise forms.ValidationError("The time is past: what is settled keeps its cost.")
        return since


_MINUTE: Final = 60  # the field has minutes: "now" as a person enters it is up to one ago


class PercentView(ManyView):
    """Prices change by per cent from a time on: new rows beside the old ones, which say what was charged until then."""

    title = "Change by per cent"
    permission_required = ("accounting.change_price", "accounting.add_price")
    form_class = PercentForm
    columns = ("Price", "Input", "Output", "Cached input", "State")
    lead = (
        "Each price is written anew, to be in force from a time on; the old one stands as the record of what was"
        " charged before. A price that is still to come is changed itself."
    )
    button = "Change"

    def lines(self, rows: Iterable[Price]) -> Iterable[Line]:
        now = timezone.now()
        return [
            Line(
                price,
                (*map(_dollars, (price.input, price.output, price.cache_read)), _badge(state_of(price, now))),
                why,
            )
            for price in rows
            for why in [_why_not(price, now)]
        ]

    def change_all(self, form: PercentForm, rows: list[Price], by: User) -> str:
        since, factor = form.cleaned_data["since"], 1 + form.cleaned_data["percent"] / 100
        fitting = [price for price in rows if not _why_not(price, since)]
        for price in fitting:
            for name in _RATES:
                if (rate := getattr(price, name)) is not None:
                    setattr(price, name, (rate * factor).quantize(_PLACES))
            price.note = form.cleaned_data["note"] or price.note
            if price.effective_from < since:
                price.pk, price.effective_from = None, since
                price._state.adding = True
            price.full_clean()
            price.save()
        left = f" {len(rows) - len(fitting)} left as they are." if len(fitting) < len(rows) else ""
        return f"{len(fitting)} price(s) changed by {form.cleaned_data['percent'].normalize():f} %.{left}"


def state_of(price: Price, now: datetime) -> str:
    if price.effective_until is not None and price.effective_until <= now:
        return "ended"
    return "in force" if price.effective_from <= now else "to come"


def _why_not(price: Price, when: datetime) -> str:
    """Why a price is not to be changed from ``when`` on, "" where it is."""
    if state_of(price, when) == "ended":
        return "it has ended by then"
    same = Price.objects.filter(
        provider=price.provider, model=price.model, service_tier=price.service_tier, above_tokens=price.above_tokens
    )
    newer = same.filter(effective_from__gt=price.effective_from, effective_from__lte=when)
    if newer.exclude(effective_until__lte=when).exists():
        return "a newer one is in its place"
    return ""


def _badge(state: str) -> SafeString:
    return format_html('<span class="tg-badge">{}</span>', state)


def _dollars(rate: Decimal | None) -> str:
    return "–" if rate is None else f"${rate.normalize():f}"


@admin.register(Price)
class PriceAdmin(ModelAdmin):
    list_display = ("__str__", "state", "paid_in", "paid_out", "paid_cached", "of_what", "until", "why")
    list_filter = (InForceFilter, "provider", "service_tier", "effective_from")
    search_fields = ("provider", "model", "note")
    list_per_page = 50
    actions = ("change_by_percent", "end_now")
    fieldsets = (
        (None, {"fields": ("provider", "model", "service_tier", "above_tokens")}),
        ("In force", {"fields": ("effective_from", "effective_until")}),
        ("US dollars per million tokens", {"fields": _PER_MILLION}),
        ("US dollars per thousand", {"fields": ("per_thousand_searches",)}),
        (None, {"fields": ("note",)}),
    )

    @display(description="State", label={"in force": "success", "to come": "info", "ended": "warning"})
    def state(self, price: Price) -> str:
        return state_of(price, timezone.now())

    @display(description="Input", ordering="input")
    def paid_in(self, price: Price) -> str:
        return _dollars(price.input)

    @display(description="Output", ordering="output")
    def paid_out(self, price: Price) -> str:
        return _dollars(price.output)

    @display(description="Cached input", ordering="cache_read")
    def paid_cached(self, price: Price) -> str:
        return _dollars(price.cache_read)

    @display(description="Of what")
    def of_what(self, price: Price) -> str:
        above = f"above {price.above_tokens:,} tokens" if price.above_tokens else ""
        return ", ".join(filter(None, (price.service_tier, above))) or "everything"

    @display(description="Until", ordering="effective_until")
    def until(self, price: Price) -> SafeString | str:
        return moment(price.effective_until) if price.effective_until else "–"

    @display(description="Note", ordering="note")
    def why(self, price: Price) -> str:
        return Truncator(price.note).chars(_SHOWN) or "–"

    @admin.action(description="Change by per cent…", permissions=["change", "add"])
    def change_by_percent(self, request: HttpRequest, queryset: QuerySet[Price]) -> HttpResponse | None:
        return ask(self, request, queryset, "accounting_price_percent")

    @admin.action(description="End now: the list's own price counts again", permissions=["change"])
    @transaction.atomic
    def end_now(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        now = timezone.now()
        ended, waiting = 0, 0
        for price in queryset:
            state = state_of(price, now)
            if state == "in force":
                price.effective_until = now
                price.save(update_fields=["effective_until"])
                ended += 1
            waiting += state == "to come"
        self.message_user(request, f"{ended} price(s) ended, for the next request.")
        if waiting:
            self.message_user(request, f"{waiting} have not begun yet: delete them instead.", messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        percent = self.admin_site.admin_view(PercentView.as_view(model_admin=self))
        return [path("percent/", percent, name="accounting_price_percent"), *super().get_urls()]
