"""The API of conformance: runs of the translation checks, and making one."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.api.base import Pages, Resource
from accounting.api.permissions import IsAdmin
from accounting.api.serializers import Dollars, Shape
from routing import conformance, standin
from routing.errors import RoutingError
from routing.models import Conformance
from routing.table import load


class ResultSerializer(Shape):
    name = serializers.CharField()
    said = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["waiting", "running", "passed", "failed", "skipped"])
    detail = serializers.CharField(allow_blank=True)
    duration_ms = serializers.IntegerField()
    cost = serializers.CharField(allow_blank=True, help_text="US dollars; empty where not known.")


class ConformanceSerializer(serializers.ModelSerializer[Conformance]):
    by = serializers.CharField(source="by_name")
    cost = Dollars(allow_null=True)
    results = ResultSerializer(many=True)

    class Meta:
        model = Conformance
        fields = (
            *("id", "at", "state", "provider", "model", "asked_model", "tier", "by"),
            *("duration_ms", "cost", "passed", "failed", "skipped", "results"),
        )


class ConformanceTarget(Shape):
    target = serializers.CharField(max_length=256, help_text="A tier (BIG) or a model's name.")


class RunPages(Pages):
    ordering = ("-id",)


@extend_schema_view(
    list=extend_schema(operation_id="conformance", summary="Conformance runs, the latest first"),
    retrieve=extend_schema(operation_id="conformance_one", summary="A conformance run, and how far it has come"),
)
class ConformanceResource(Resource):
    serializer_class = ConformanceSerializer
    pagination_class = RunPages
    also = [IsAdmin]

    def get_queryset(self) -> QuerySet[Conformance]:
        conformance.bury()
        return Conformance.objects.all()

    @extend_schema(
        operation_id="conformance_run",
        summary="Run the conformance checks",
        request=ConformanceTarget,
        responses={202: ConformanceSerializer},
    )
    def create(self, request: Request) -> Response:
        """About a dozen real calls in one's own name; they cost money and stand on the ledger.

        The answer does not wait for them: ask for the run by its `id` until its `state` is not `running`. A model that
        is being checked already is not checked twice at once: the answer is the run that is under way.
        """
        wanted = ConformanceTarget(data=request.data)
        wanted.is_valid(raise_exception=True)
        person = self.person
        if person is None:
            raise serializers.ValidationError("The checks are run in a person's name.")
        caller = standin.for_user(person)
        try:
            found = conformance.target_of(load(), caller, wanted.validated_data["target"])
        except RoutingError as error:
            raise serializers.ValidationError({"target": [error.message]}) from error
        return Response(ConformanceSerializer(conformance.start(found, caller, person)).data, status=202)
