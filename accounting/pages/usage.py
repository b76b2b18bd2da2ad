"""Reports: spend, speed and errors, other models' prices, the month. One's own, a team's, or everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounting.api.parameters import MAX_GROUPS
from accounting.models import Key, Limit
from accounting.reports import Period, Selection, Totals
from accounting.reports.forecast import forecast
from accounting.reports.limits import Fill, fills, own_budgets
from accounting.reports.repricing import Candidate, unpriced, what_if
from accounting.reports.samples import failures, latency
from accounting.reports.usage import Breakdown, Dimension, breakdown, compare, layers, totals

from .access import standing_of
from .charts import NAMELESS, stacked
from .question import TITLES, Question, frame
from .scopes import Scope

_ROWS = 12
_REPORT_ROWS = 200
_MAX_CANDIDATES = 40
_ALL = str(MAX_GROUPS)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a breakdown: ``share`` is its part of the whole cost, 0 to 100; ``url`` narrows the page to it."""

    name: str
    totals: Totals
    share: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    dimension: Dimension
    title: str
    lines: tuple[Line, ...]
    truncated: bool
    csv: str
    json: str


@require_safe
def spend(request: HttpRequest, scope: Scope) -> HttpResponse:
    question = Question.of(request, scope)
    selection = question.selection
    found = layers(selection, question.by)
    compared = _compared(selection)
    whole = compared["comparison"].now.cost
    context = {
        **frame(question, "spend"),
        **compared,
        "forecast": forecast(selection),
        "chart": stacked(found, question.measure),
        "chart_csv": question.api("usage", group_by=f"day,{question.by}", limit=_ALL, format="csv"),
        "chart_json": question.api("usage/series", by=question.by),
        "tables": [_table(question, dimension, whole) for dimension in _told(question)],
        "budgets": _budgets(request, scope),
        "unpriced": unpriced(selection, limit=5),
    }
    if scope.kind == "my":
        today = Period.today(selection.period.tz)
        context["today"] = totals(selection.during(today))
        context["this_month"] = totals(selection.during(Period.month(today.tz)))
    return render(request, "portal/spend.html", context)


@require_safe
def speed(request: HttpRequest, scope: Scope) -> HttpResponse:
    question = Question.of(request, scope)
    context = {
        **frame(question, "speed"),
        "latency": latency(question.selection),
        "failures": failures(question.selection),
        "latency_json": question.api("usage/latency"),
        "latency_csv": question.api("usage/latency", format="csv"),
        "failures_csv": question.api("usage/failures", format="csv"),
        "failures_json": question.api("usage/failures"),
    }
    return render(request, "portal/speed.html", context)


@require_safe
def what_if_page(request: HttpRequest, scope: Scope) -> HttpResponse:
    question = Question.of(request, scope)
    asked, complaint = request.GET.get("candidates", "").strip(), ""
    parsed = [Candidate.parse(name) for name in asked.split(",")[:_MAX_CANDIDATES]] if asked else []
    candidates = [one for one in parsed if one is not None]
    if len(candidates) < len(parsed):
        candidates, complaint = [], "Write models as provider/model, separated by commas."
    named = {"candidates": asked} if candidates else {}
    context = {
        **frame(question, "what_if"),
        "found": what_if(question.selection, candidates),
        "candidates": asked,
        "candidates_complaint": complaint,
        "what_if_json": question.api("usage/what-if", **named),
        "what_if_csv": question.api("usage/what-if", **named, format="csv"),
    }
    return render(request, "portal/what_if.html", context)


@require_safe
def month(request: HttpRequest, scope: Scope, year: int | None = None, number: int | None = None) -> HttpResponse:
    """A month on paper: by default the last one that is over."""
    today = Period.today().last
    try:
        first = date(year, number, 1) if year and number else (today.replace(day=1) - timedelta(days=1)).replace(day=1)
        period = Period.month(of=first)
        earlier = period.previous()
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    question = Question.of(request, scope, period=period)
    selection = question.selection
    following = period.last + timedelta(days=1)
    compared = _compared(selection)
    whole = compared["comparison"].now.cost
    context = {
        **frame(question, "month"),
        **compared,
        "chart": stacked(layers(selection, scope.dimensions[0], top=5), "cost"),
        "tables": [_table(question, dimension, whole, _REPORT_ROWS) for dimension in scope.dimensions[:3]],
        "csv": question.api("usage", limit=_ALL, format="csv"),
        "json": question.api("usage", limit=_ALL),
        "made_at": timezone.now(),
        "is_over": period.last < today,
        "before": scope.url("month", *_numbers(earlier.first)),
        "after": scope.url("month", *_numbers(following)) if following <= today else "",
    }
    return render(request, "portal/month.html", context)


def _numbers(day: date) -> tuple[int, int]:
    return day.year, day.month


def _compared(selection: Selection) -> dict[str, Any]:
    found = compare(selection)
    measures = ("cost", "requests", "total_input_tokens", "output_tokens")
    return {"comparison": found, "changes": {name: found.change(name) for name in measures}}


def _told(question: Question) -> tuple[Dimension, ...]:
    """The dimensions that have a table: what the chart is cut by, and the first of the scope's."""
    return tuple(dict.fromkeys((question.by, *question.scope.dimensions[:3])))


def _table(question: Question, dimension: Dimension, whole: Decimal, limit: int = _ROWS) -> Table:
    """``whole`` is the cost that each line's share is of."""
    found = breakdown(question.selection, (dimension,), limit=limit)
    names = _filter_values(found, dimension)
    return Table(
        dimension,
        TITLES[dimension],
        tuple(
            Line(
                str(group.labels[dimension].name) or NAMELESS,
                group.totals,
                float(100 * group.totals.cost / whole) if whole else 0.0,
                question.address(**{dimension.value: value}) if (value := names[n]) else "",
            )
            for n, group in enumerate(found.groups)
        ),
        found.truncated,
        question.api("usage", group_by=dimension.value, limit=_ALL, format="csv"),
        question.api("usage", group_by=dimension.value, limit=_ALL),
    )


def _filter_values(found: Breakdown, dimension: Dimension) -> list[str]:
    """What narrows a page to each of the groups; "" where nothing does. A key is named by its public id."""
    labels = [group.labels[dimension] for group in found.groups]
    if dimension is not Dimension.KEY:
        return [str(label.name) for label in labels]
    public = dict(Key.objects.filter(pk__in=[label.id for label in labels]).values_list("pk", "public_id"))
    return [public.get(label.id, "") for label in labels]


def _budgets(request: HttpRequest, scope: Scope) -> tuple[Fill, ...]:
    viewer = standing_of(request).viewer
    if scope.kind == "my":
        return own_budgets(viewer)
    budgets = Limit.objects.filter(kind=Limit.Kind.BUDGET, enabled=True).select_related("user", "team", "key")
    if scope.team is not None:
        return fills(viewer, limits=budgets.filter(team=scope.team))
    return fills(viewer, limits=budgets.filter(scope__in=[Limit.Scope.GATEWAY, Limit.Scope.TEAM]).order_by("scope"))
