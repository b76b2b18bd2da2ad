"""What a report page was asked for: a period, what narrows it, and how it is cut; as the address says it.

The period and the filters are the API's own (``accounting.api.parameters``), so a page and its CSV cannot disagree.
Days are the gateway's, as those of budgets and of the status line are: a report is the same for all who look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounting import replica
from accounting.api.parameters import ReportParameters
from accounting.reports import InvalidPeriod, Period, Selection
from accounting.reports.usage import Dimension

from .access import standing_of
from .scopes import Scope

PERIODS: Final = {
    "7": "Last 7 days",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "month": "This month",
    "last-month": "Last month",
    "own": "From … to …",
}
MEASURES: Final = {"cost": "Cost", "tokens": "Tokens", "requests": "Requests"}
FILTERS: Final = ("user", "team", "key", "asked_model", "tier", "provider", "model", "outcome")
TITLES: Final = {
    Dimension.MODEL: "Model",
    Dimension.ASKED_MODEL: "Asked model",
    Dimension.TIER: "Tier",
    Dimension.PROVIDER: "Provider",
    Dimension.KEY: "Key",
    Dimension.USER: "Person",
    Dimension.TEAM: "Team",
    Dimension.OUTCOME: "Outcome",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, and the address without it."""

    title: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """``complaint`` is for the person: what was asked cannot be had, and the page shows the last 30 days instead."""

    scope: Scope
    selection: Selection
    preset: str
    by: Dimension
    measure: str
    narrowed: Mapping[str, str]
    complaint: str = ""

    @classmethod
    def of(cls, request: HttpRequest, scope: Scope, *, period: Period | None = None) -> Question:
        """``period`` overrides what the address asks for."""
        asked = request.GET
        preset = asked.get("period", "own" if "since" in asked or "until" in asked else "30")
        narrowed = {name: asked[name] for name in FILTERS if asked.get(name) and name not in scope.filters}
        complaint = ""
        try:
            days = {"since": str(period.first), "until": str(period.last)} if period else _days(preset, asked)
            selection = _selection(request, {**days, **narrowed, **scope.filters})
            selection.period.previous()  # every report stands beside the period before
        except (ValidationError, InvalidPeriod) as error:
            complaint = _first(error) if isinstance(error, ValidationError) else str(error)
            preset, narrowed = "30", {}
            selection = _selection(request, {**_days(preset, asked), **scope.filters})
        by = asked.get("by", "")
        measure = asked.get("measure", "")
        return cls(
            scope,
            selection,
            preset if preset in PERIODS else "30",
            Dimension(by) if by in scope.dimensions else scope.dimensions[0],
            measure if measure in MEASURES else "cost",
            narrowed,
            complaint,
        )

    @property
    def period(self) -> Period:
        return self.selection.period

    @property
    def asked(self) -> dict[str, str]:
        """The address's parameters that say the same."""
        if self.preset == "own":
            days = {"since": self.period.first.isoformat(), "until": self.period.last.isoformat()}
        else:
            days = {"period": self.preset}
        return {**days, "by": self.by.value, "measure": self.measure, **self.narrowed}

    def address(self, **changes: str | None) -> str:
        """The query string with ``changes``; None takes a parameter away."""
        return "?" + urlencode({name: value for name, value in {**self.asked, **changes}.items() if value is not None})

    @property
    def chips(self) -> list[Chip]:
        return [
            Chip(TITLES[Dimension(name)], value, self.address(**{name: None})) for name, value in self.narrowed.items()
        ]

    def api(self, path: str, **more: str) -> str:
        """The same question to the API."""
        period = self.period
        days = {"since": period.first.isoformat(), "until": period.last.isoformat(), "tz": period.tz.key}
        return f"/api/{path}?" + urlencode({**days, **self.scope.filters, **self.narrowed, **more})


def frame(question: Question, page: str) -> dict[str, Any]:
    """What the head of every report shows."""
    return {
        "scope": question.scope,
        "section": f"{question.scope.kind}_{question.scope.team.pk}" if question.scope.team else question.scope.kind,
        "question": question,
        "page": page,
        "periods": PERIODS,
        "other_days": question.period.tz.key != timezone.get_current_timezone_name(),
        "measures": MEASURES,
        "dimensions": [(one.value, TITLES[one]) for one in question.scope.dimensions],
        "as_of": timezone.now() - behind if (behind := replica.replica.behind()) else None,
        "replica_left_out": replica.replica.is_left_out(),
    }


def _selection(request: HttpRequest, asked: Mapping[str, str]) -> Selection:
    parameters = ReportParameters(data=dict(asked))
    parameters.is_valid(raise_exception=True)
    return parameters.selection(standing_of(request).viewer)


def _days(preset: str, asked: Mapping[str, str]) -> dict[str, str]:
    today = Period.today().last
    this_month = today.replace(day=1)
    if preset == "own":
        return {name: asked[name] for name in ("since", "until") if asked.get(name)}
    if preset == "month":
        return _span(this_month, today)
    if preset == "last-month":
        last = this_month - timedelta(days=1)
        return _span(last.replace(day=1), last)
    days = int(preset) if preset in ("7", "30", "90") else 30
    return _span(today - timedelta(days=days - 1), today)


def _span(first: date, last: date) -> dict[str, str]:
    return {"since": first.isoformat(), "until": last.isoformat()}


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, for people."""
    detail: Any = error.detail
    while isinstance(detail, dict | list) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)
