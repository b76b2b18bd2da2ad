"""``GET /api/usage`` and what belongs to it: sums, series, comparisons; always of what the asker may see."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.reports.usage import Dimension, Group, Label, breakdown, compare, layers, series, totals

from .base import View
from .parameters import BreakdownParameters, ReportParameters, SeriesParameters
from .renderers import WITH_CSV
from .serializers import PeriodSerializer, Shape, Slot, TotalsSerializer


class GroupSerializer(TotalsSerializer):
    """One group: a value for each dimension that was asked for, then the sums."""

    day = serializers.DateField(required=False)
    user = serializers.CharField(required=False)
    user_id = serializers.IntegerField(required=False, allow_null=True)
    team = serializers.CharField(required=False)
    team_id = serializers.IntegerField(required=False, allow_null=True)
    key = serializers.CharField(required=False, help_text="The key's name.")
    key_id = serializers.IntegerField(required=False, allow_null=True)
    asked_model = serializers.CharField(required=False)
    tier = serializers.CharField(required=False)
    provider = serializers.CharField(required=False)
    model = serializers.CharField(required=False)
    outcome = serializers.CharField(required=False)

    def to_representation(self, instance: Group) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for dimension, label in instance.labels.items():
            flat[dimension.value] = label.name.isoformat() if not isinstance(label.name, str) else label.name
            if dimension in (Dimension.USER, Dimension.TEAM, Dimension.KEY):
                flat[f"{dimension}_id"] = label.id
        return flat | super().to_representation(instance.totals)


class UsageSerializer(Shape):
    period = PeriodSerializer()
    totals = TotalsSerializer()
    results = GroupSerializer(many=True)
    truncated = serializers.BooleanField(help_text="There are more groups than 'limit'; 'totals' counts them all.")


class UsageView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="usage",
        summary="Usage, grouped",
        parameters=[BreakdownParameters],
        responses=UsageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Sums by day, person, asked model, provider and real model, or by what `group_by` names."""
        parameters = BreakdownParameters.of(request)
        selection = parameters.selection(self.viewer)
        found = breakdown(selection, parameters.validated_data["group_by"], limit=parameters.validated_data["limit"])
        answer = {
            "period": selection.period,
            "totals": totals(selection),
            "results": found.groups,
            "truncated": found.truncated,
        }
        return Response(UsageSerializer(answer).data)


class SummarySerializer(Shape):
    period = PeriodSerializer()
    totals = TotalsSerializer()
    before = TotalsSerializer(help_text="The period before: as many days, or the month before a whole month.")
    cost_change = serializers.FloatField(allow_null=True, help_text="0.25: a quarter more than before.")
    requests_change = serializers.FloatField(allow_null=True)


class SummaryView(View):
    @extend_schema(
        operation_id="usage_summary",
        summary="Totals, beside the period before",
        parameters=[ReportParameters],
        responses=SummarySerializer,
    )
    def get(self, request: Request) -> Response:
        parameters = ReportParameters.of(request)
        selection = parameters.selection(self.viewer)
        found = compare(selection)
        answer = {
            "period": selection.period,
            "totals": found.now,
            "before": found.before,
            "cost_change": found.change("cost"),
            "requests_change": found.change("requests"),
        }
        return Response(SummarySerializer(answer).data)


_AT: Final = Slot()


class PointSerializer(TotalsSerializer):
    at = Slot(help_text="A date, or the beginning of an hour in UTC.")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"at": _AT.to_representation(instance.at), **super().to_representation(instance.totals)}


class LayerSerializer(Shape):
    name = serializers.CharField(allow_null=True, help_text="null: all that are not told apart.")
    id = serializers.IntegerField(allow_null=True)
    points = PointSerializer(many=True)


class SeriesSerializer(Shape):
    period = PeriodSerializer()
    interval = serializers.ChoiceField(choices=["day", "hour"])
    series = LayerSerializer(many=True)


class SeriesView(View):
    @extend_schema(
        operation_id="usage_series",
        summary="Usage over time",
        parameters=[SeriesParameters],
        responses=SeriesSerializer,
    )
    def get(self, request: Request) -> Response:
        """One series, or with `by` one for each of the costliest and one for the rest; every day or hour is there."""
        parameters = SeriesParameters.of(request)
        given = parameters.validated_data
        selection = parameters.selection(self.viewer)
        hourly = given["interval"] == "hour"
        if "by" in given:
            found = layers(selection, Dimension(given["by"]), top=given["top"], hourly=hourly)
            parts = [_layer(layer.label, layer.points) for layer in found]
        else:
            parts = [_layer(None, series(selection, hourly=hourly))]
        answer = {"period": selection.period, "interval": given["interval"], "series": parts}
        return Response(SeriesSerializer(answer).data)


def _layer(label: Label | None, points: Any) -> dict[str, Any]:
    return {"name": label and str(label.name), "id": label and label.id, "points": points}
