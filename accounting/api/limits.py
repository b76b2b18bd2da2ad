"""Limits and budgets: how full they are; for admins, to make, change, grant and reset."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.admission import changes
from accounting.models import Key, Limit, Team, User
from accounting.reports.limits import measure, seen_limits

from .base import Resource
from .permissions import IsAdminOrReads
from .serializers import Dollars, Shape


class FillSerializer(Shape):
    """Now, in US dollars for a budget, else in requests or tokens."""

    used = Dollars()
    held = Dollars(help_text="Reserved by requests in flight.")
    allowed = Dollars(help_text="With what was granted on top.")
    left = Dollars()
    percent = serializers.FloatField()
    is_soft = serializers.BooleanField(help_text="Filled to its soft threshold.")
    resets_at = serializers.DateTimeField(allow_null=True)


class LimitSerializer(serializers.ModelSerializer[Limit]):
    """Whose limit it is stands in `scope` and in `user`, `team` or `key` (its public id)."""

    user = serializers.SlugRelatedField("username", queryset=User.objects.all(), required=False, allow_null=True)
    team = serializers.SlugRelatedField("name", queryset=Team.objects.all(), required=False, allow_null=True)
    key = serializers.SlugRelatedField("public_id", queryset=Key.objects.all(), required=False, allow_null=True)
    amount = Dollars(required=False, allow_null=True, min_value=Decimal(0), max_value=Decimal(10**8))
    reason = serializers.CharField(write_only=True, required=False, max_length=500, help_text="For the record.")

    class Meta:
        model = Limit
        fields = (
            "id",
            "name",
            "scope",
            "user",
            "team",
            "key",
            "kind",
            "period",
            "amount",
            "count",
            "model_pattern",
            "tier",
            "soft_percent",
            "enabled",
            "created_at",
            "reason",
        )


class LimitStateSerializer(LimitSerializer):
    fill = FillSerializer(read_only=True)

    class Meta(LimitSerializer.Meta):
        fields = (*LimitSerializer.Meta.fields, "fill")  # type: ignore[assignment]  # one more than in the base


class LimitChangeSerializer(Shape):
    """What may change of a limit; what it counts is fixed at its making."""

    name = serializers.CharField(required=False, max_length=100, allow_blank=True)
    amount = Dollars(required=False, min_value=Decimal(0), max_value=Decimal(10**8))
    count = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    soft_percent = serializers.IntegerField(required=False, min_value=1, max_value=100)
    enabled = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, max_length=500)


class GrantSerializer(Shape):
    amount = Dollars(help_text="US dollars, for the current period alone; negative takes away.")
    reason = serializers.CharField(required=False, max_length=500)


class ResetSerializer(Shape):
    reason = serializers.CharField(required=False, max_length=500)


@extend_schema_view(
    list=extend_schema(operation_id="limits", summary="Limits one may see, and how full they are"),
    retrieve=extend_schema(operation_id="limit", summary="One limit"),
)
class LimitResource(Resource):
    serializer_class = LimitStateSerializer
    also = [IsAdminOrReads]

    def get_queryset(self) -> QuerySet[Limit]:
        return seen_limits(self.viewer)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([_told(fill) for fill in measure(list(page or ()))])

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object())

    @extend_schema(
        operation_id="limit_create",
        summary="Set a limit",
        request=LimitSerializer,
        responses={201: LimitStateSerializer},
    )
    def create(self, request: Request) -> Response:
        wanted = LimitSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        reason = given.pop("reason", "")
        return self._answer(changes.save(Limit(**given), self.person, reason), 201)

    @extend_schema(
        operation_id="limit_change",
        summary="Raise, lower or switch a limit",
        request=LimitChangeSerializer(partial=True),
        responses=LimitStateSerializer,
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        limit = self.get_object()
        wanted = LimitChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        reason = given.pop("reason", "")
        for name, value in given.items():
            setattr(limit, name, value)
        return self._answer(changes.save(limit, self.person, reason))

    @extend_schema(operation_id="limit_delete", summary="Remove a limit", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        changes.delete(self.get_object(), self.person)
        return Response(status=204)

    @extend_schema(
        operation_id="limit_grant",
        summary="Grant a budget extra",
        request=GrantSerializer,
        responses=LimitStateSerializer,
    )
    def grant(self, request: Request, pk: int) -> Response:
        limit = self.get_object()
        wanted = GrantSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changes.grant(limit, wanted.validated_data["amount"], self.person, wanted.validated_data.get("reason", ""))
        return self._answer(limit)

    @extend_schema(
        operation_id="limit_reset",
        summary="Begin a budget anew",
        request=ResetSerializer,
        responses=LimitStateSerializer,
    )
    def reset(self, request: Request, pk: int) -> Response:
        """Gives back what the current period has cost so far."""
        limit = self.get_object()
        wanted = ResetSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changes.reset(limit, self.person, wanted.validated_data.get("reason", ""))
        return self._answer(limit)

    def _answer(self, limit: Limit, status: int = 200) -> Response:
        (fill,) = measure([limit])
        return Response(_told(fill), status=status)


def _told(fill: Any) -> dict[str, Any]:
    return {**LimitSerializer(fill.limit).data, "fill": FillSerializer(fill).data}
