"""What usage means: latency, failures, the month's forecast, other models' prices, missing prices."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.reports.forecast import forecast
from accounting.reports.repricing import Candidate, unpriced, what_if
from accounting.reports.samples import failures, latency

from .base import View
from .parameters import ReportParameters
from .renderers import WITH_CSV
from .serializers import Dollars, PeriodSerializer, Shape, TotalsSerializer


class PercentilesSerializer(Shape):
    """Milliseconds."""

    p50 = serializers.FloatField()
    p90 = serializers.FloatField()
    p95 = serializers.FloatField()
    p99 = serializers.FloatField()


class LatencySerializer(Shape):
    provider = serializers.CharField(help_text="Empty, with an empty model: all together.")
    model = serializers.CharField()
    requests = serializers.IntegerField()
    first_byte = PercentilesSerializer(allow_null=True)
    duration = PercentilesSerializer(allow_null=True)


class LatencyListSerializer(Shape):
    period = PeriodSerializer()
    results = LatencySerializer(many=True)


class LatencyView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="latency",
        summary="Latency percentiles by model",
        parameters=[ReportParameters],
        responses=LatencyListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Of the complete ones among the period's latest 10,000 requests."""
        selection = ReportParameters.of(request).selection(self.viewer)
        return Response(LatencyListSerializer({"period": selection.period, "results": latency(selection)}).data)


class FailureSerializer(Shape):
    outcome = serializers.CharField()
    error = serializers.CharField()
    provider = serializers.CharField()
    requests = serializers.IntegerField()


class FailureListSerializer(Shape):
    period = PeriodSerializer()
    sampled = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null of nothing.")
    results = FailureSerializer(source="failures", many=True)


class FailuresView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="failures",
        summary="Failures by class",
        parameters=[ReportParameters],
        responses=FailureListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Among the period's latest 10,000 requests."""
        selection = ReportParameters.of(request).selection(self.viewer)
        found = failures(selection)
        answer = {
            "period": selection.period,
            "sampled": found.sampled,
            "rate": found.rate,
            "failures": found.failures,
        }
        return Response(FailureListSerializer(answer).data)


class ForecastSerializer(Shape):
    month = PeriodSerializer()
    so_far = Dollars()
    expected = Dollars()
    low = Dollars(help_text="With `high`: where the month ends in about four cases of five.")
    high = Dollars()
    days_known = serializers.IntegerField(help_text="Days of history that it stands on, 28 at most.")


class ForecastView(View):
    @extend_schema(
        operation_id="forecast",
        summary="What this month is going to cost",
        parameters=[ReportParameters],
        responses=ForecastSerializer,
    )
    def get(self, request: Request) -> Response:
        """Days to come cost what the same weekday has cost of late. `since` and `until` have no say."""
        return Response(ForecastSerializer(forecast(ReportParameters.of(request).selection(self.viewer))).data)


class Candidates(serializers.CharField):
    """Models as the price list names them, separated by commas."""

    def to_internal_value(self, data: Any) -> Any:
        names = super().to_internal_value(data).split(",")
        found = [Candidate.parse(name) for name in names]
        if None in found:
            raise serializers.ValidationError("Write models as provider/model, separated by commas.")
        return found


class WhatIfParameters(ReportParameters):
    candidates = Candidates(
        required=False, max_length=2000, help_text="provider/model, separated by commas. Default: the models in use."
    )


class AlternativeSerializer(Shape):
    provider = serializers.CharField(source="candidate.family")
    model = serializers.CharField(source="candidate.model")
    cost = Dollars(allow_null=True, help_text="null: its price is not known.")


class WhatIfSerializer(Shape):
    period = PeriodSerializer()
    actual = TotalsSerializer()
    results = AlternativeSerializer(source="alternatives", many=True)


class WhatIfView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="what_if",
        summary="What the same tokens would cost on other models",
        parameters=[WhatIfParameters],
        responses=WhatIfSerializer,
    )
    def get(self, request: Request) -> Response:
        """A first guess: models count tokens, cache and answer differently."""
        parameters = WhatIfParameters.of(request)
        selection = parameters.selection(self.viewer)
        found = what_if(selection, parameters.validated_data.get("candidates", ()))
        answer = {"period": selection.period, "actual": found.actual, "alternatives": found.alternatives}
        return Response(WhatIfSerializer(answer).data)


class UnpricedSerializer(Shape):
    provider = serializers.CharField()
    model = serializers.CharField()
    requests = serializers.IntegerField(help_text="Without a known cost.")


class UnpricedListSerializer(Shape):
    period = PeriodSerializer()
    results = UnpricedSerializer(many=True)


class UnpricedView(View):
    renderer_classes = WITH_CSV

    @extend_schema(
        operation_id="unpriced",
        summary="Models whose price is not known",
        parameters=[ReportParameters],
        responses=UnpricedListSerializer,
    )
    def get(self, request: Request) -> Response:
        selection = ReportParameters.of(request).selection(self.viewer)
        return Response(UnpricedListSerializer({"period": selection.period, "results": unpriced(selection)}).data)
