"""The shapes that several answers share. Money is a decimal string in US dollars; times are ISO 8601 in UTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

Shape = serializers.Serializer[Any]


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$", "example": "0.0123"})
class Dollars(serializers.DecimalField):
    """US dollars as a decimal string: exact, without exponent or trailing zeros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=19, decimal_places=10, **options)

    def to_representation(self, value: Decimal | int) -> str:
        return plain(Decimal(value))


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class PeriodSerializer(Shape):
    since = serializers.DateField(source="first")
    until = serializers.DateField(source="last", help_text="Included.")
    tz = serializers.CharField(source="tz.key")


class TotalsSerializer(Shape):
    """Sums over settled requests; token counts are disjoint, but for the reasoning part of the output."""

    requests = serializers.IntegerField()
    input_tokens = serializers.IntegerField(help_text="Without what a cache held or took.")
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    reasoning_tokens = serializers.IntegerField(help_text="Part of output_tokens.")
    total_tokens = serializers.IntegerField()
    web_searches = serializers.IntegerField()
    cost = Dollars(help_text="US dollars, without the unpriced requests.")
    unpriced = serializers.IntegerField(help_text="Requests whose cost is not known.")
    estimated = serializers.IntegerField(help_text="Requests whose figures are an estimate.")
    streamed = serializers.IntegerField()
    cache_hit_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null without input.")
    mean_first_byte_ms = serializers.FloatField(allow_null=True)
    mean_duration_ms = serializers.FloatField(allow_null=True)
    output_tokens_per_second = serializers.FloatField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """As the fields above say. An answer has thousands of these: field by field they cost more than their query."""
        values = {name: getattr(instance, name) for name in TOTALS}
        values["cost"] = plain(instance.cost)
        return values


TOTALS = tuple(TotalsSerializer._declared_fields)


@extend_schema_field(OpenApiTypes.STR)
class Slot(serializers.Field[Any, Any, Any, Any]):
    """A day as a date, or the beginning of an hour as a time in UTC."""

    def to_representation(self, value: Any) -> str:
        return str(value.isoformat()).replace("+00:00", "Z")
