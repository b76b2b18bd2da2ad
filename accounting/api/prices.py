"""Prices that admins set, before those of LiteLLM's list."""

from __future__ import annotations

from copy import copy
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import CreateModelMixin, DestroyModelMixin, UpdateModelMixin

from accounting.models import Price

from .base import Resource
from .permissions import IsAdmin

_RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "per_thousand_searches")


class PriceSerializer(serializers.ModelSerializer[Price]):
    """US dollars per million tokens (searches: per thousand). What is empty is LiteLLM's, or not known."""

    class Meta:
        model = Price
        fields = (
            *("id", "provider", "model", "service_tier", "above_tokens", "effective_from", "effective_until"),
            *(*_RATES, "note"),
        )


@extend_schema_view(
    list=extend_schema(operation_id="prices", summary="Prices that admins have set"),
    retrieve=extend_schema(operation_id="price", summary="One price"),
    create=extend_schema(operation_id="price_create", summary="Set a price"),
    partial_update=extend_schema(operation_id="price_change", summary="Change a price"),
    destroy=extend_schema(operation_id="price_delete", summary="Remove a price"),
)
class PriceResource(CreateModelMixin, UpdateModelMixin, DestroyModelMixin, Resource):
    """No price rewrites history: what is settled keeps its own, until `manage.py reprice` is asked to."""

    serializer_class = PriceSerializer
    also = [IsAdmin]
    queryset = Price.objects.all()

    def perform_create(self, serializer: Any) -> None:
        self._save(Price(), serializer)

    def perform_update(self, serializer: Any) -> None:
        self._save(copy(serializer.instance), serializer)

    def _save(self, wanted: Price, serializer: Any) -> None:
        """By the model's own rules, so that the admin and the API say the same."""
        for name, value in serializer.validated_data.items():
            setattr(wanted, name, value)
        wanted.full_clean()
        serializer.save()
