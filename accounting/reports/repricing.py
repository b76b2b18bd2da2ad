"""What usage would have cost on other models, and what has no known price at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from accounting.models import Price
from accounting.pricing import PriceBook, Sale
from accounting.tokens import Tokens

from .measures import Totals
from .selection import Selection
from .usage import Dimension, breakdown, totals


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as the price list names it: ``family`` is LiteLLM's provider."""

    family: str
    model: str

    @classmethod
    def parse(cls, name: str) -> Candidate | None:
        """From ``family/model``; None for anything else."""
        family, slash, model = name.strip().partition("/")
        return cls(family, model) if family and slash and model else None


@dataclass(frozen=True, slots=True)
class Alternative:
    """``cost`` is what the same tokens cost there, in US dollars; None where a price is not known."""

    candidate: Candidate
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same tokens elsewhere. Models count tokens differently, cache differently and answer at different length:
    this is a first guess, at today's prices of the standard tier and of a request of average size.
    """

    actual: Totals
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A model, and how many of its requests have no known cost."""

    provider: str
    model: str
    requests: int


def what_if(selection: Selection, candidates: Sequence[Candidate] = ()) -> WhatIf:
    """The cheapest first, those without a price last; by default the models in use."""
    used = totals(selection)
    if not candidates:
        groups = breakdown(selection, (Dimension.PROVIDER, Dimension.MODEL), limit=20).groups
        named = [[str(group.labels[one].name) for one in (Dimension.PROVIDER, Dimension.MODEL)] for group in groups]
        candidates = [Candidate(provider, model) for provider, model in named if provider and model]
    book, now = PriceBook(Price.objects.all()), timezone.now()
    found = [Alternative(one, _cost(book, one, used, now)) for one in dict.fromkeys(candidates)]
    return WhatIf(used, tuple(sorted(found, key=lambda one: (one.cost is None, one.cost or 0))))


def unpriced(selection: Selection, *, limit: int = 100) -> tuple[Unpriced, ...]:
    """Where a price is missing, the most requests first."""
    found: Counter[tuple[str, str]] = Counter()
    for part in selection.parts(("provider", "model")):
        rows = part.filter(unpriced__gt=0).values_list("provider", "model").annotate(Sum("unpriced"))
        for provider, model, requests in rows:
            found[provider, model] += int(requests)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Unpriced(*name, requests) for name, requests in ranked[:limit])


def _cost(book: PriceBook, candidate: Candidate, used: Totals, now: datetime) -> Decimal | None:
    if not used.requests:
        return Decimal(0)
    mean_input = used.total_input_tokens // used.requests
    rates = book.rates(Sale(candidate.family, candidate.family, candidate.model, "", mean_input, now))
    return None if rates is None else rates.cost(_tokens(used))


def _tokens(used: Totals) -> Tokens:
    return Tokens(
        input=used.input_tokens,
        cache_read=used.cache_read_tokens,
        cache_write_5m=used.cache_write_5m_tokens,
        cache_write_1h=used.cache_write_1h_tokens,
        output=used.output_tokens,
        reasoning=used.reasoning_tokens,
        web_searches=used.web_searches,
    )
