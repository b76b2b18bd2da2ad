"""Rate cards: the prices that costs were reckoned with, each kept once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from accounting.models import RateCard
from accounting.pricing import Rates


def write(used: Iterable[Rates], now: datetime) -> None:
    """Keeps the cards that are not kept yet, in order of their digests."""
    cards = [RateCard(digest=each.digest, source=each.source, rates=each.card, created_at=now) for each in used]
    if cards:
        RateCard.objects.bulk_create(sorted(cards, key=lambda card: card.digest), ignore_conflicts=True)
