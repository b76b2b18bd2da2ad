"""Explain and Test: where a person's request would go and why, and one real call there."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from accounting.admin.page import Page, actor
from accounting.admission.policies import Policies
from accounting.identity import Caller
from accounting.ledger import Booking
from accounting.models import Limit, Price, User
from accounting.pricing import PriceBook
from accounting.reports.limits import Fill, measure
from routing import board, standin, trial
from routing.errors import ModelUnknown, RoutingError
from routing.models import Model
from routing.resolution import Resolution, resolve
from routing.table import RoutingTable, load
from routing.upstream.target import Capabilities

_SAID = {
    "context_window": "Context window, tokens",
    "max_output": "Longest answer, tokens",
    "reasoning": "Takes thinking as",
    "efforts": "Efforts",
    "thinking_budget": "Thinking budget, tokens",
    "sampling": "Takes temperature, top_p, stop",
    "vision": "Reads images",
    "pdf": "Reads PDF",
    "tools": "Calls tools",
    "parallel_tools": "Calls several tools at once",
    "structured_output": "Structured output",
    "web_search": "Searches the web",
    "cache_control": "Takes cache_control",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that is known of a target, and where from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A limit that the request would meet. ``filled`` is in percent, None for what is counted by the minute."""

    limit: Limit
    measure: str
    filled: int | None


class AskForm(forms.Form):
    """Who asks for which name."""

    user = forms.CharField(max_length=150, required=False, label="Person")
    model = forms.CharField(max_length=256, label="Model, as the client asks for it")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].widget.attrs |= {"list": "people", "placeholder": "(nobody in particular)"}
        self.fields["model"].widget.attrs |= {"list": "models", "placeholder": "claude-opus-4-8"}

    def clean_user(self) -> User | None:
        name: str = self.cleaned_data["user"].strip()
        if not name:
            return None
        user: User | None = User.objects.filter(username=name).first()
        if user is None:
            raise forms.ValidationError(f"There is no user '{name}'.")
        return user


class TestForm(AskForm):
    """... and what for."""

    __test__ = False  # not a test case, whatever pytest makes of its name

    kind = forms.ChoiceField(choices=list(trial.KINDS.items()), label="What to try", initial="text")


class _AskView(Page):
    permission_required = ("routing.view_tier",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = Model.objects.filter(enabled=True).values_list("name", flat=True).distinct()
        return super().get_context_data(
            people=User.objects.filter(is_active=True).values_list("username", flat=True)[:500],
            models=sorted(names, key=lambda name: ("claude" not in name, name)),
            **kwargs,
        )


class ExplainView(_AskView):
    """The rule, the target, the parameters, the price and the limits, each with its reason."""

    title = "Explain"
    template_name = "admin/routing/explain.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = AskForm(self.request.GET or None)
        if form.is_valid():
            kwargs |= _explained(load(), form.cleaned_data["user"], form.cleaned_data["model"])
        return super().get_context_data(form=form, **kwargs)


class TestView(_AskView):
    """One real call, with what it took, used and cost, or the provider's own error."""

    __test__ = False

    title = "Test"
    template_name = "admin/routing/test.html"
    permission_required = ("routing.change_tier",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("form", TestForm(initial={"model": self.request.GET.get("model", ""), "kind": "text"}))
        return super().get_context_data(**kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TestForm(request.POST)
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            user = form.cleaned_data["user"] or actor(request)
            caller = standin.for_user(user)
            try:
                found = resolve(load(), caller, form.cleaned_data["model"])
            except RoutingError as error:
                context["failure"] = error.message
            else:
                context["report"] = trial.run(found, caller, form.cleaned_data["kind"])
        return self.render_to_response(self.get_context_data(**context))


def _explained(table: RoutingTable, user: User | None, model: str) -> dict[str, Any]:
    caller = standin.for_user(user) if user else None
    try:
        found = resolve(table, caller, model)
    except ModelUnknown:
        return {"failure": f"'{model}' leads nowhere: no pattern, model or provider knows it. Clients are told 404."}
    except RoutingError as error:
        return {"failure": error.message}
    return {
        "found": found,
        "parameters": _parameters(table, found),
        "prices": board.price_of(found, PriceBook(Price.objects.all())),
        "holds": _holds(caller, found),
    }


def _parameters(table: RoutingTable, found: Resolution) -> list[Parameter]:
    target = found.target
    known = table.hosts[target.provider].known.get(target.model)
    facts = known.facts if known else {}
    listed = Capabilities()
    lines = []
    for field in fields(Capabilities):
        value = getattr(target.capabilities, field.name)
        if field.name in facts:
            source = "set on the model's row"
        elif value != getattr(listed, field.name):
            source = "LiteLLM's list"
        else:
            source = "LiteLLM's list, or assumed where it says nothing"
        lines.append(Parameter(_SAID.get(field.name, field.name), _words(value), source))
    return lines


def _words(value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _holds(caller: Caller | None, found: Resolution) -> list[Hold]:
    """The limits of the gateway, the team and the person, as admission finds them; a key's own depend on the key."""
    booking = Booking("", asked_model=found.asked_model, tier=found.tier, model=found.target.model)
    policies = Policies.load().of(caller or standin.NOBODY, booking)
    limits = Limit.objects.filter(pk__in=[policy.id for policy in policies], enabled=True)
    return [_hold(fill) for fill in measure(list(limits.select_related("user", "team", "key")))]


def _hold(fill: Fill) -> Hold:
    if not fill.is_budget:
        return Hold(fill.limit, f"{fill.allowed:,.0f}", None)
    used = fill.used + fill.held
    percent = round(100 * used / fill.allowed) if fill.allowed else 100
    return Hold(fill.limit, f"${used:,.2f} of ${fill.allowed:,.2f}", percent)
