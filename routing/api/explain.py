"""The API that says why a name leads where it does, for whom."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.admission.policies import Policies
from accounting.api.base import View
from accounting.api.limits import FillSerializer
from accounting.api.serializers import Shape
from accounting.identity import Caller
from accounting.ledger import Booking
from accounting.reports.limits import Fill, measure, seen_limits
from routing import standin
from routing.errors import RoutingError
from routing.models import Dialect
from routing.resolution import Resolution, resolve
from routing.table import load


class ExplainParameters(Shape):
    model = serializers.CharField(max_length=256)
    user = serializers.CharField(required=False, max_length=150, help_text="Somebody one may see. Default: oneself.")


class TargetSerializer(Shape):
    provider = serializers.CharField()
    model = serializers.CharField()
    dialect = serializers.ChoiceField(choices=Dialect.choices)


class LimitFillSerializer(Shape):
    id = serializers.IntegerField(source="limit.pk")
    name = serializers.CharField(source="limit")
    kind = serializers.CharField(source="limit.kind")
    fill = FillSerializer(source="*")


class ExplanationSerializer(Shape):
    asked_model = serializers.CharField()
    target = TargetSerializer(allow_null=True, help_text="null: it leads nowhere, and `error` says why.")
    tier = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="The rules, the first first.")
    error = serializers.CharField(allow_null=True)
    limits = LimitFillSerializer(many=True, help_text="What holds such a request, as far as one may see it.")


class ExplainView(View):
    @extend_schema(
        operation_id="explain",
        summary="Where a request for a model would go, and why",
        parameters=[ExplainParameters],
        responses=ExplanationSerializer,
    )
    def get(self, request: Request) -> Response:
        parameters = ExplainParameters(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        asked = parameters.validated_data["model"]
        caller = self._caller(parameters.validated_data.get("user"))
        found: Resolution | None = None
        error: str | None = None
        try:
            found = resolve(load(), caller, asked)
        except RoutingError as refused:
            error = refused.message
        answer = {
            "asked_model": asked,
            "target": found and found.target,
            "tier": found.tier if found else "",
            "reasons": found.reasons if found else (),
            "error": error,
            "limits": self._limits(caller, asked, found),
        }
        return Response(ExplanationSerializer(answer).data)

    def _caller(self, username: str | None) -> Caller:
        """Oneself by the key that asks; anybody else as with a key without restrictions."""
        if username is None and self.caller is not None:
            return self.caller
        person = self.person
        if username is not None:
            person = self.viewer.seen_people().filter(username=username).first()
        if person is None:
            raise serializers.ValidationError({"user": ["There is no such person, or not for you."]})
        return standin.for_user(person)

    def _limits(self, caller: Caller, asked: str, found: Resolution | None) -> tuple[Fill, ...]:
        tier, model = (found.tier, found.target.model) if found else ("", "")
        policies = Policies.load().of(caller, Booking("", asked_model=asked, tier=tier, model=model))
        held = seen_limits(self.viewer).filter(enabled=True, pk__in=[policy.id for policy in policies])
        return measure(list(held))
