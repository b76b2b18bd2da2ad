"""The API of providers' models: those known here, and those that the provider's own list has beside them."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.api.base import Resource
from accounting.api.permissions import IsAdmin
from accounting.api.serializers import Shape
from routing import discovery
from routing.models import Model, Provider

_MOST = 1000  # names taken over at once


class ProviderFailed(APIException):
    """A provider that was asked on somebody's behalf did not answer as it should."""

    status_code = 502
    default_code = "provider"


class ModelSerializer(serializers.ModelSerializer[Model]):
    """Empty sizes are those of LiteLLM's list."""

    class Meta:
        model = Model
        fields = ("name", "display_name", "enabled", "dialect", "context_window", "max_output", "created_at")


class ListedSerializer(Shape):
    """A model as the provider's list has it."""

    name = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    context_window = serializers.IntegerField(allow_null=True)
    max_output = serializers.IntegerField(allow_null=True)


class DiscoverySerializer(Shape):
    new = ListedSerializer(many=True, help_text="On the provider's list alone.")
    aside = ListedSerializer(many=True, help_text="The same, of models that hold no conversation.")
    known = serializers.ListField(child=serializers.CharField(), help_text="On both lists.")
    gone = serializers.ListField(child=serializers.CharField(), help_text="Known and on, and not on the provider's.")
    added = serializers.IntegerField(default=0)
    switched_off = serializers.IntegerField(default=0)


class TakeOverSerializer(Shape):
    """What of it to take over; names that are not on the lists are passed over. Empty: only tell."""

    add = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=_MOST, default=list, help_text="Of `new` and `aside`."
    )
    switch_off = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=_MOST, default=list, help_text="Of `gone`."
    )


class ModelResource(Resource):
    also = [IsAdmin]
    serializer_class = ModelSerializer

    def get_queryset(self) -> QuerySet[Model]:
        return Model.objects.filter(provider=self._provider())

    def _provider(self) -> Provider:
        found: Provider = get_object_or_404(Provider, name=self.kwargs.get("name"))
        return found

    @extend_schema(
        operation_id="provider_discover",
        summary="Ask a provider for its list of models",
        request=TakeOverSerializer,
        responses={
            200: DiscoverySerializer,
            502: OpenApiResponse(description="The provider gave no list; why, in its own words."),
        },
    )
    def discover(self, request: Request, name: str) -> Response:
        """The lists are as they were before anything was taken over."""
        provider = self._provider()
        wanted = TakeOverSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            found = discovery.discover(provider)
        except discovery.NotListed as error:
            raise ProviderFailed(error.message) from error
        added, gone = discovery.apply(provider, found, **wanted.validated_data)
        told = DiscoverySerializer(found).data
        return Response(told | {"added": added, "switched_off": gone})
