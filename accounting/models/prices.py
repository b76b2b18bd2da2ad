"""Prices an admin sets, over those of the price list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .freshness import Announcing


def _per_million(help_text: str = "") -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        max_digits=14,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=help_text,
    )


class Price(Announcing):
    """US dollars per million tokens, for the models that match, from a day on.

    ``provider`` and ``model`` are shell patterns of the provider's name (or its family in LiteLLM's list) and of the
    provider's model name. Of several prices that match, the most literal pattern wins, then the highest
    ``above_tokens`` that the request's whole input exceeds, then the latest ``effective_from``. A price that is left
    empty is not known, except that cached input and reasoning cost what input and output cost.
    """

    provider = models.CharField(max_length=100, default="*")
    model = models.CharField(max_length=200)
    service_tier = models.CharField(max_length=30, blank=True, help_text="Empty: the provider's standard tier.")
    above_tokens = models.PositiveIntegerField(default=0, help_text="Applies where the whole input is larger.")
    effective_from = models.DateTimeField(default=timezone.now)
    effective_until = models.DateTimeField(null=True, blank=True)
    input = _per_million()
    output = _per_million()
    cache_read = _per_million("Empty: as input.")
    cache_write_5m = _per_million("Empty: as input.")
    cache_write_1h = _per_million("Empty: as a five-minute write.")
    reasoning = _per_million("Empty: as output.")
    per_thousand_searches = _per_million()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["provider", "model", "above_tokens", "-effective_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gt=F("effective_from")),
                name="price_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} from {self.effective_from:%Y-%m-%d}"
