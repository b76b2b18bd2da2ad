"""Raising limits, granting budgets extra and beginning them anew: one page each, for one limit or for many."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounting.admission import changes
from accounting.models import Limit, User
from accounting.reports.limits import Fill, measure

from .many import Line, ManyView

_MOST: Final = Decimal(10**8)


def meter(fill: Fill) -> SafeString:
    """How full a limit is, as a bar and in words."""
    percent = round(100 * (fill.used + fill.held) / fill.allowed) if fill.allowed else 100
    if fill.is_budget:
        said = f"${fill.used + fill.held:,.2f} of ${fill.allowed:,.2f}"
    else:
        said = f"{fill.used:,.0f} of {fill.allowed:,.0f}"
    mood = "full" if percent >= 100 else "soft" if percent >= fill.limit.soft_percent else ""
    return format_html(
        '<div class="tg-meter" role="img" aria-label="{} % filled"><span class="{}" style="width: {}%"></span></div>'
        '<span class="tg-moment">{}</span>',
        percent,
        mood,
        min(percent, 100),
        said,
    )


class ReasonForm(forms.Form):
    """What every change of a limit asks for."""

    reason = forms.CharField(max_length=500, widget=forms.TextInput({"placeholder": "Why? Kept with the change."}))


class GrantForm(ReasonForm):
    amount = forms.DecimalField(
        label="US dollars, each", max_digits=16, decimal_places=6, min_value=-_MOST, max_value=_MOST
    )
    field_order = ("amount", "reason")


class RaiseForm(ReasonForm):
    """A new measure: US dollars of a budget, else requests or tokens."""

    how = forms.ChoiceField(label="Change", choices=[("to", "to"), ("by", "by"), ("percent", "by per cent")])
    value = forms.DecimalField(label="Value", max_digits=16, decimal_places=6, min_value=-_MOST, max_value=_MOST)
    field_order = ("how", "value", "reason")

    def measure(self, limit: Limit) -> Decimal:
        """What the limit is to allow. Raises ValidationError where that is nothing a limit can allow."""
        how, value = self.cleaned_data["how"], self.cleaned_data["value"]
        now = Decimal(limit.amount if limit.amount is not None else limit.count or 0)
        wanted: Decimal = {"to": value, "by": now + value, "percent": now * (100 + value) / 100}[how]
        if not 0 <= wanted <= _MOST:
            raise ValidationError(f"{limit} cannot be {wanted.normalize():f}.")
        return wanted


class ChangeView(ManyView):
    """Shows the chosen limits with their fill, and changes all of them or none."""

    permission_required = ("accounting.change_limit",)
    form_class: type[forms.Form] = ReasonForm
    budgets_only = True
    columns = ("Limit", "Whose", "How much", "Filled")

    def chosen(self) -> QuerySet[Limit]:
        return super().chosen().select_related("user", "team", "key")

    def lines(self, rows: Iterable[Limit]) -> Iterable[Line]:
        return [
            Line(
                fill.limit,
                (fill.limit.subject, changes.told(fill.limit), meter(fill)),
                "" if self._fits(fill.limit) else "not a budget",
            )
            for fill in measure(list(rows))
        ]

    def change_all(self, form: Any, rows: list[Limit], by: User) -> str:
        fitting = [limit for limit in rows if self._fits(limit)]
        for limit in fitting:
            self.change(form, limit, by)
        return f"{len(fitting)} limit(s) changed, for the next request."

    def change(self, form: Any, limit: Limit, by: User) -> None:
        """Raises ValidationError."""
        raise NotImplementedError

    def _fits(self, limit: Limit) -> bool:
        return not self.budgets_only or limit.kind == Limit.Kind.BUDGET


class RaiseView(ChangeView):
    title = "Raise or lower"
    form_class = RaiseForm
    budgets_only = False
    lead = "In US dollars for a budget, else in requests or tokens. In force for the next request, and from then on."
    button = "Change"

    def change(self, form: RaiseForm, limit: Limit, by: User) -> None:
        wanted = form.measure(limit)
        if limit.kind == Limit.Kind.BUDGET:
            limit.amount = wanted
        else:
            limit.count = int(wanted)
        changes.save(limit, by, form.cleaned_data["reason"])

    def change_all(self, form: Any, rows: list[Limit], by: User) -> str:
        if form.cleaned_data["how"] != "percent" and len({limit.kind for limit in rows}) > 1:
            raise ValidationError("Limits of several kinds count different things: change them by per cent.")
        return super().change_all(form, rows, by)


class GrantView(ChangeView):
    title = "Grant extra"
    form_class = GrantForm
    lead = "On top of each budget, in its current period alone; a negative amount takes away."
    button = "Grant"

    def change(self, form: GrantForm, limit: Limit, by: User) -> None:
        changes.grant(limit, form.cleaned_data["amount"], by, form.cleaned_data["reason"])


class ResetView(ChangeView):
    title = "Begin the period anew"
    lead = "Gives back what the current period has cost so far. What was spent stays on the ledger."
    button = "Begin anew"

    def change(self, form: ReasonForm, limit: Limit, by: User) -> None:
        changes.reset(limit, by, form.cleaned_data["reason"])
