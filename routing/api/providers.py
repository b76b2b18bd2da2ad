"""The API of providers and their credentials, which go in and never come out."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.api.base import Resource
from accounting.api.errors import Conflict
from accounting.api.permissions import IsAdmin, IsAdminOrReads
from routing import credentials
from routing.models import Provider


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    """What everybody may know of a provider."""

    class Meta:
        model = Provider
        fields = ("name", "dialect", "enabled")


class ProviderDetailSerializer(serializers.ModelSerializer[Provider]):
    """For admins. `api_key` goes in and never comes out; `credential` is what may be shown of the one in use."""

    api_key = serializers.CharField(write_only=True, required=False, max_length=10_000)
    credential = serializers.SerializerMethodField()

    class Meta:
        model = Provider
        fields = (
            "name",
            "dialect",
            "reasoning_dialect",
            "base_url",
            "enabled",
            "litellm_provider",
            "price_family",
            "quirks",
            "created_at",
            "api_key",
            "credential",
        )

    def get_credential(self, provider: Provider) -> str:
        # In Python, on what was fetched for the whole list; the newest is the first.
        return next((one.hint for one in provider.credentials.all() if one.is_live), "")


@extend_schema_view(
    list=extend_schema(operation_id="providers", summary="Providers", responses=ProviderSerializer(many=True)),
    retrieve=extend_schema(operation_id="provider", summary="One provider", responses=ProviderDetailSerializer),
)
class ProviderResource(Resource):
    lookup_field = "name"
    also = [IsAdminOrReads]
    serializer_class = ProviderSerializer

    def get_permissions(self) -> list[Any]:
        return [*super().get_permissions(), *([IsAdmin()] if self.action == "retrieve" else [])]

    def get_queryset(self) -> QuerySet[Provider]:
        return Provider.objects.prefetch_related("credentials")

    def get_serializer_class(self) -> type[serializers.ModelSerializer[Provider]]:
        return ProviderSerializer if self.action == "list" else ProviderDetailSerializer

    @extend_schema(operation_id="provider_create", summary="Add a provider", responses={201: ProviderDetailSerializer})
    def create(self, request: Request) -> Response:
        wanted = ProviderDetailSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return self._saved(Provider(), dict(wanted.validated_data), 201)

    @extend_schema(operation_id="provider_change", summary="Change a provider", responses=ProviderDetailSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """A new `api_key` is in use at once; the one before it can be put back for a day."""
        provider = self.get_object()
        wanted = ProviderDetailSerializer(provider, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        return self._saved(provider, dict(wanted.validated_data))

    @extend_schema(operation_id="provider_delete", summary="Remove a provider", responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Refused while the mapping leads there. Its usage stays on the ledger by name."""
        try:
            self.get_object().delete()
        except ProtectedError as error:
            raise Conflict("The mapping leads to this provider: change that first.") from error
        return Response(status=204)

    def _saved(self, provider: Provider, given: dict[str, Any], status: int = 200) -> Response:
        api_key = given.pop("api_key", None)
        for name, value in given.items():
            setattr(provider, name, value)
        provider.full_clean()
        with transaction.atomic():
            provider.save()
            if api_key:
                credentials.store(provider, api_key)
        return Response(ProviderDetailSerializer(self.get_queryset().get(pk=provider.pk)).data, status=status)
