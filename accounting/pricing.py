"""What a request costs: an admin's prices where there are any, else the price list's, else it is not known.

Exact: prices are decimals per token, and a cost is rounded once, where it is written (1e-10 dollars). A price that is
missing makes the cost unknown (None), never zero.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any, Final

import orjson

from . import pricelist
from .models import Price
from .tokens import Tokens

# What providers call their tiers -> the suffix of LiteLLM's price fields. A tier that is not here is its own suffix.
_SUFFIXES: Final = {
    "": "",
    "auto": "",
    "default": "",
    "standard": "",
    "standard_only": "",
    "on_demand": "",
    "batch": "batches",
}
_ABOVE = re.compile(r"_above_(\d+)k_tokens")
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True)
class Rates:
    """US dollars per token (``per_search``: per web search) that apply to one request; None is not known.

    ``reasoning`` is None where reasoning costs what other output costs.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    per_search: Decimal | None = None
    source: str = ""

    def cost(self, tokens: Tokens) -> Decimal | None:
        """US dollars, unrounded; None if anything that was used has no known price."""
        reasoning = tokens.reasoning if self.reasoning is not None else 0
        total = Decimal(0)
        for amount, rate in (
            (tokens.input, self.input),
            (tokens.output - reasoning, self.output),
            (reasoning, self.reasoning),
            (tokens.cache_read, self.cache_read),
            (tokens.cache_write_5m, self.cache_write_5m),
            (tokens.cache_write_1h, self.cache_write_1h),
            (tokens.web_searches, self.per_search),
        ):
            if amount:
                if rate is None:
                    return None
                total += amount * rate
        return total

    @cached_property
    def card(self) -> dict[str, str]:
        """The known prices as decimal strings, for the record."""
        return {name: str(value) for name, value in asdict(self).items() if isinstance(value, Decimal)}

    @cached_property
    def digest(self) -> str:
        """Names the card: same prices from the same source, same digest."""
        text = orjson.dumps([self.source, self.card], option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(text, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Sale:
    """What decides about a price: who served which model on which tier, when, and the size of the whole input."""

    provider: str
    family: str
    model: str
    service_tier: str
    total_input: int
    at: datetime


class PriceBook:
    """All prices in force, in memory; made anew when an admin's prices change."""

    def __init__(self, prices: Iterable[Price] = ()) -> None:
        # The most literal pattern first, then the largest threshold, then the latest.
        self._prices = sorted(
            prices,
            key=lambda price: (
                _literal(price.model),
                _literal(price.provider),
                price.above_tokens,
                price.effective_from,
            ),
            reverse=True,
        )

    def rates(self, sale: Sale) -> Rates | None:
        """The rates a sale is charged at, None where the model is not priced at all."""
        suffix = _SUFFIXES.get(sale.service_tier.lower(), sale.service_tier.lower())
        for price in self._prices:
            if _applies(price, sale, suffix):
                return _set_rates(price)
        return listed_rates(sale.family, sale.model, suffix, sale.total_input)


def _literal(pattern: str) -> tuple[bool, int]:
    return not any(sign in pattern for sign in "*?["), len(pattern)


def _applies(price: Price, sale: Sale, suffix: str) -> bool:
    tier = price.service_tier.lower()
    return (
        price.effective_from <= sale.at
        and (price.effective_until is None or sale.at < price.effective_until)
        and (sale.total_input > price.above_tokens or not price.above_tokens)
        and _SUFFIXES.get(tier, tier) == suffix
        and fnmatchcase(sale.model, price.model)
        and (fnmatchcase(sale.provider, price.provider) or fnmatchcase(sale.family, price.provider))
    )


def _set_rates(price: Price) -> Rates:
    def per_token(value: Decimal | None) -> Decimal | None:
        return None if value is None else value / _MILLION

    searches = price.per_thousand_searches
    hourly = price.cache_write_5m if price.cache_write_1h is None else price.cache_write_1h
    return _with_fallbacks(
        Rates(
            input=per_token(price.input),
            output=per_token(price.output),
            cache_read=per_token(price.cache_read),
            cache_write_5m=per_token(price.cache_write_5m),
            cache_write_1h=per_token(hourly),
            reasoning=per_token(price.reasoning),
            per_search=None if searches is None else searches / 1000,
            source=f"price {price.pk}",
        )
    )


def listed_rates(family: str, model: str, suffix: str, total_input: int) -> Rates | None:
    """The price list's rates. ``suffix`` is LiteLLM's name of a service tier, "" for the standard one."""
    listed = pricelist.find(family, model)
    if listed is None:
        return None
    above = max((limit for limit in _thresholds(listed.name) if total_input > limit), default=0)
    return _listed_rates(listed.name, suffix, above)


@lru_cache(maxsize=1024)
def _thresholds(name: str) -> tuple[int, ...]:
    """The input sizes, in tokens, above which an entry's prices change."""
    data = pricelist.entries()[name]
    suffixed = {int(found[1]) * 1000 for field in data if "_per_token" in field and (found := _ABOVE.search(field))}
    ranges = {int(step["range"][0]) for step in data.get("tiered_pricing", ()) if "range" in step}
    return tuple(sorted((suffixed | ranges) - {0}))


@lru_cache(maxsize=1024)
def _listed_rates(name: str, suffix: str, above: int) -> Rates | None:
    data = _step(pricelist.entries()[name], above)

    def rate(field: str) -> Decimal | None:
        tier = f"_{suffix}" if suffix else ""
        value = data.get(f"{field}_above_{above // 1000}k_tokens{tier}") if above else None
        return _decimal(value if value is not None else data.get(f"{field}{tier}"))

    searches = data.get("search_context_cost_per_query")
    rates = Rates(
        input=rate("input_cost_per_token"),
        output=rate("output_cost_per_token"),
        cache_read=rate("cache_read_input_token_cost"),
        cache_write_5m=rate("cache_creation_input_token_cost"),
        cache_write_1h=rate("cache_creation_input_token_cost_above_1hr"),
        reasoning=rate("output_cost_per_reasoning_token"),
        per_search=_decimal(searches.get("search_context_size_medium")) if isinstance(searches, Mapping) else None,
        source=f"{pricelist.source()} {name}{f' above {above}' if above else ''}{f' {suffix}' if suffix else ''}",
    )
    if rates.input is None or rates.output is None:
        return None
    return _with_fallbacks(rates, cached_apart=_names_caching(data), reasoning_apart=_names_reasoning(data))


def _step(data: Mapping[str, Any], above: int) -> Mapping[str, Any]:
    """The entry with the prices of its range, where its tiers are a list of ranges."""
    for step in data.get("tiered_pricing", ()):
        if "range" in step and int(step["range"][0]) == above:
            return {**data, **step}
    return data


def _names_caching(data: Mapping[str, Any]) -> frozenset[str]:
    named = {
        "cache_read": "cache_read_input_token_cost",
        "cache_write_5m": "cache_creation_input_token_cost",
        "cache_write_1h": "cache_creation_input_token_cost",
    }
    return frozenset(rate for rate, field in named.items() if any(name.startswith(field) for name in data))


def _names_reasoning(data: Mapping[str, Any]) -> bool:
    """Whether reasoning is listed at a price of its own."""
    reasoning = data.get("output_cost_per_reasoning_token")
    return reasoning is not None and reasoning != data.get("output_cost_per_token")


def _with_fallbacks(
    rates: Rates, cached_apart: frozenset[str] = frozenset(), *, reasoning_apart: bool = False
) -> Rates:
    """``rates`` with what costs the same as something else filled in.

    A model for which no cache price is listed on any tier charges cached input as input (OpenAI bills o1-pro so). One
    that has a cache price, only not on this tier, has none that is known: ``cached_apart`` names those.
    """
    values: dict[str, Any] = {field.name: getattr(rates, field.name) for field in fields(rates)}
    for name in ("cache_read", "cache_write_5m", "cache_write_1h"):
        if values[name] is None and name not in cached_apart:
            values[name] = rates.input
    if not reasoning_apart and rates.reasoning == rates.output:
        values["reasoning"] = None
    return Rates(**values)


def _decimal(value: object) -> Decimal | None:
    """A listed price, exactly as it is written in the list."""
    return Decimal(repr(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
