"""What a request for a report may ask: period, filters, grouping. Checked here, turned into a ``Selection``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from accounting.models import LedgerEntry
from accounting.reports import Filters, InvalidPeriod, Period, Selection, Viewer
from accounting.reports.period import zone
from accounting.reports.usage import Dimension

from .serializers import Shape

DEFAULT_DAYS: Final = 30
MAX_GROUPS: Final = 100_000


def _name(help_text: str = "") -> serializers.CharField:
    return serializers.CharField(required=False, max_length=200, help_text=help_text)


class ReportParameters(Shape):
    """A period and what narrows it. ``paging`` are parameters that belong to the list and not to the report."""

    paging: ClassVar[frozenset[str]] = frozenset()

    since = serializers.DateField(required=False, help_text="The first day. Default: 29 days before the last.")
    until = serializers.DateField(required=False, help_text="The last day, included. Default: today.")
    tz = serializers.CharField(
        required=False, max_length=64, help_text="IANA time zone of the days, as Europe/Berlin. Default: the gateway's."
    )
    user = _name("A person's user name.")
    team = _name("A team's name.")
    key = _name("A key's public id: the twelve characters after tg_.")
    asked_model = _name("The model's name as the client asked for it.")
    tier = _name()
    provider = _name()
    model = _name("The provider's model that answered.")
    outcome = serializers.ChoiceField(choices=LedgerEntry.Outcome.choices, required=False)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises ValidationError. A parameter that is given twice counts by its last value."""
        parameters = cls(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        return parameters

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields) - self.paging - {"format"})
        if unknown:
            raise serializers.ValidationError({name[:64]: ["There is no such parameter."] for name in unknown})
        return super().to_internal_value(data)

    def selection(self, viewer: Viewer) -> Selection:
        """Raises ValidationError where a name is unknown, or not the viewer's to see, which is told alike."""
        return Selection(viewer, self._period(), self._filters(viewer))

    def _period(self) -> Period:
        given = self.validated_data
        try:
            tz = zone(given["tz"]) if "tz" in given else None
            today = Period.today(tz)
            last = given.get("until") or max(today.last, given.get("since") or today.last)
            return Period(given.get("since") or last - timedelta(days=DEFAULT_DAYS - 1), last, today.tz)
        except (InvalidPeriod, OverflowError) as error:
            raise serializers.ValidationError({"since": [str(error)]}) from error

    def _filters(self, viewer: Viewer) -> Filters:
        given = self.validated_data
        ids: dict[str, Any] = {}
        for name, rows, field in (
            ("user", viewer.seen_people(), "username"),
            ("team", viewer.seen_teams(), "name"),
            ("key", viewer.seen_keys(), "public_id"),
        ):
            if name not in given:
                continue
            found = rows.filter(**{field: given[name]}).values_list("pk", flat=True).first()
            if found is None:
                raise serializers.ValidationError({name: [f"There is no such {name}, or not for you."]})
            ids[f"{name}_id"] = found
        exact = ("asked_model", "tier", "provider", "model", "outcome")
        return Filters(**ids, **{name: given[name] for name in exact if name in given})


class Dimensions(serializers.CharField):
    """Names of dimensions, separated by commas, into a tuple of them."""

    def to_internal_value(self, data: Any) -> Any:
        names = [name.strip() for name in super().to_internal_value(data).split(",")]
        unknown = [name[:40] for name in names if name not in list(Dimension)]
        if unknown:
            raise serializers.ValidationError(f"Not among {', '.join(Dimension)}: {', '.join(unknown)}.")
        return tuple(dict.fromkeys(Dimension(name) for name in names))


def _default_groups() -> Any:
    """By day, person, asked model and real model."""
    return (Dimension.DAY, Dimension.USER, Dimension.ASKED_MODEL, Dimension.PROVIDER, Dimension.MODEL)


class BreakdownParameters(ReportParameters):
    group_by = Dimensions(
        default=_default_groups,
        max_length=200,
        help_text=f"Any of {', '.join(Dimension)}, separated by commas. Default: day,user,asked_model,provider,model.",
    )
    limit = serializers.IntegerField(
        default=1000, min_value=1, max_value=MAX_GROUPS, help_text="At most so many groups."
    )


class SeriesParameters(ReportParameters):
    interval = serializers.ChoiceField(choices=["day", "hour"], default="day")
    by = serializers.ChoiceField(
        choices=[one.value for one in Dimension if one is not Dimension.DAY],
        required=False,
        help_text="A series for each of the costliest, and one for the rest.",
    )
    top = serializers.IntegerField(default=6, min_value=1, max_value=20, help_text="How many are told apart.")

    _MAX_HOURLY_DAYS = 31

    def validate(self, attrs: Any) -> Any:
        since, until = attrs.get("since"), attrs.get("until") or timezone.now().date()
        if attrs["interval"] == "hour" and since and (until - since).days > self._MAX_HOURLY_DAYS:
            raise serializers.ValidationError({"interval": [f"By the hour, at most {self._MAX_HOURLY_DAYS} days."]})
        return attrs
