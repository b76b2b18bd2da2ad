"""The ledger against a provider's own count: usage exports of OpenAI, Anthropic and Google, by day and model.

Providers' days are UTC's, and so are those compared here. A provider counts a dated snapshot where a request named its
base name; both are folded into the base name.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.db.models import Sum

from .models import HourlyUsage

MEASURES: Final = ("requests", "input", "cache_read", "cache_write", "output", "web_searches", "cost")
Figures = dict[str, Decimal]
Key = tuple[date, str]  # day of UTC, model

_SNAPSHOT = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


class Unreadable(Exception):
    """The file is no usage export that is known here; the message says why."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one provider writes its export. ``sums`` maps a measure to the columns that are added up to it.

    ``inclusive_input``: the input column counts cached tokens too.
    """

    provider: str
    day: tuple[str, ...]
    model: tuple[str, ...]
    sums: Mapping[str, tuple[str, ...]]
    inclusive_input: bool = False


FORMATS: Final = (
    # Console -> Usage -> Export, and Cost -> Export. https://support.anthropic.com/en/articles/9534590
    Format(
        "anthropic",
        day=("usage_date_utc",),
        model=("model_version", "model"),
        sums={
            "input": ("usage_input_tokens_no_cache",),
            "cache_read": ("usage_input_tokens_cache_read",),
            "cache_write": ("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h"),
            "output": ("usage_output_tokens",),
            "web_searches": ("web_search_count",),
            "cost": ("cost_usd",),
        },
    ),
    # Usage -> Export: the fields of https://platform.openai.com/docs/api-reference/usage/completions_object
    Format(
        "openai",
        day=("start_time_iso", "start_time"),
        model=("model", "line_item"),
        sums={
            "requests": ("num_model_requests",),
            "input": ("input_tokens",),
            "cache_read": ("input_cached_tokens",),
            "output": ("output_tokens",),
            "cost": ("amount_value",),
        },
        inclusive_input=True,
    ),
)
_GOOGLE_DAY: Final = ("Usage start date", "Usage start time", "usage_start_time")
_GOOGLE_SKU: Final = ("SKU description", "sku.description", "sku_description")
_GOOGLE_AMOUNT: Final = ("Usage amount", "usage.amount", "usage_amount")
_GOOGLE_COST: Final = ("Cost ($)", "Cost (USD)", "Cost", "cost")
_GOOGLE_MODEL = re.compile(r"gemini[ -](\d[\d.]*)[ -](pro|flash(?:[ -]lite)?)(?:[ -](preview))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one day and model, as the provider and as the ledger has it."""

    day: date
    model: str
    measure: str
    theirs: Decimal
    ours: Decimal

    @property
    def amount(self) -> Decimal:
        return self.ours - self.theirs

    @property
    def percent(self) -> Decimal | None:
        """Of the provider's figure; None where that is zero."""
        return self.amount * 100 / self.theirs if self.theirs else None


@dataclass(slots=True)
class Export:
    """What a provider says. ``measures`` are those that its file has at all."""

    provider: str
    measures: frozenset[str]
    figures: dict[Key, Figures] = field(default_factory=dict)

    def add(self, key: Key, measure: str, value: Decimal) -> None:
        figures = self.figures.setdefault(key, dict.fromkeys(MEASURES, Decimal(0)))
        figures[measure] += value


def read(lines: Iterable[str]) -> Export:
    """A provider's export, recognised by its columns. Raises Unreadable."""
    table = csv.DictReader(lines)
    columns = [name.strip().lstrip("\ufeff") for name in table.fieldnames or ()]
    table.fieldnames = columns
    for known in FORMATS:
        if _first(columns, known.day) and _first(columns, known.model):
            return _read_columns(table, columns, known)
    if _first(columns, _GOOGLE_DAY) and _first(columns, _GOOGLE_SKU):
        return _read_google(table, columns)
    raise Unreadable(f"These columns are of no usage export that is known: {', '.join(columns) or 'none'}.")


def compare(export: Export, provider: str) -> Iterator[Difference]:
    """Every figure in which the ledger's rows of ``provider`` and the export differ, by day and model."""
    if not export.figures:
        return
    days = [day for day, _ in export.figures]
    ours = ledger_figures(provider, min(days), max(days))
    for key in sorted(export.figures.keys() | ours.keys()):
        theirs = export.figures.get(key, {})
        for measure in MEASURES:
            if measure not in export.measures:
                continue
            difference = Difference(*key, measure, theirs.get(measure, Decimal(0)), ours[key][measure])
            if difference.amount:
                yield difference


def ledger_figures(provider: str, first: date, last: date) -> defaultdict[Key, Figures]:
    """The ledger's own figures of whole UTC days, from the hourly roll-ups."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    hours = HourlyUsage.objects.filter(
        provider=provider, hour__gte=start, hour__lt=start + (last - first + timedelta(days=1))
    )
    found: defaultdict[Key, Figures] = defaultdict(lambda: dict.fromkeys(MEASURES, Decimal(0)))
    sums = (
        hours.exclude(outcome="rejected")
        .order_by()
        .values("hour", "model")
        .annotate(
            total_requests=Sum("requests"),
            total_input=Sum("input_tokens"),
            total_cache_read=Sum("cache_read_tokens"),
            total_cache_write_5m=Sum("cache_write_5m_tokens"),
            total_cache_write_1h=Sum("cache_write_1h_tokens"),
            total_output=Sum("output_tokens"),
            total_web_searches=Sum("web_searches"),
            total_cost=Sum("cost"),
        )
    )
    for found_sums in sums:
        each: dict[str, Any] = dict(found_sums)
        figures = found[each["hour"].astimezone(UTC).date(), base_name(each["model"])]
        figures["cache_write"] += each["total_cache_write_5m"] + each["total_cache_write_1h"]
        for measure in MEASURES:
            if measure != "cache_write":
                figures[measure] += each[f"total_{measure}"]
    return found


def base_name(model: str) -> str:
    """A model's name without family and date."""
    return _SNAPSHOT.sub("", model.rpartition("/")[2].strip().lower())


def _read_columns(table: csv.DictReader[str], columns: list[str], known: Format) -> Export:
    day, model = _first(columns, known.day), _first(columns, known.model)
    sums = {measure: [name for name in names if name in columns] for measure, names in known.sums.items()}
    export = Export(known.provider, frozenset(measure for measure, names in sums.items() if names))
    for row in table:
        if not row.get(model):
            continue  # a day without use, or a total
        key = (_day(row[day]), base_name(row[model].partition(",")[0]))
        for measure, names in sums.items():
            for name in names:
                export.add(key, measure, _number(row[name]))
        if known.inclusive_input and "cache_read" in export.measures:
            export.add(key, "input", -sum((_number(row[name]) for name in sums["cache_read"]), Decimal(0)))
    return export


def _read_google(table: csv.DictReader[str], columns: list[str]) -> Export:
    """Cloud Billing's cost table: one line a day and SKU; the SKU's text names model and kind of token."""
    day, sku = _first(columns, _GOOGLE_DAY), _first(columns, _GOOGLE_SKU)
    amount, cost = _first(columns, _GOOGLE_AMOUNT), _first(columns, _GOOGLE_COST)
    measures = {"input", "cache_read", "output"} if amount else set()
    export = Export("gemini", frozenset(measures | ({"cost"} if cost else set())))
    for row in table:
        found = _GOOGLE_MODEL.search(row.get(sku) or "")
        if found is None:
            continue  # another product on the same bill
        key = (
            _day(row[day]),
            "-".join(["gemini", *(part for part in found.groups() if part)]).lower().replace(" ", "-"),
        )
        if cost:
            export.add(key, "cost", _number(row[cost]))
        measure = _google_measure(row[sku].lower())
        if amount and measure:
            export.add(key, measure, _number(row[amount]))
    return export


def _google_measure(sku: str) -> str:
    if "storage" in sku:
        return ""
    if "cach" in sku:
        return "cache_read"
    return "output" if "output" in sku else "input" if "input" in sku else ""


def _first(columns: Iterable[str], names: Iterable[str]) -> str:
    present = set(columns)
    return next((name for name in names if name in present), "")


def _day(text: str) -> date:
    """A day as ISO text, with or without time, or in seconds since 1970. Raises Unreadable."""
    try:
        if text.strip().isdigit():
            return datetime.fromtimestamp(int(text), UTC).date()
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Unreadable(f"{text!r} is no day.") from error
    return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()


def _number(text: str | None) -> Decimal:
    """A figure; empty is zero. Raises Unreadable."""
    cleaned = (text or "").strip().replace(",", "").lstrip("$")
    try:
        return Decimal(cleaned or 0)
    except InvalidOperation as error:
        raise Unreadable(f"{text!r} is no figure.") from error
