"""What usage costs: a table reckoned by hand from the providers' prices, and the rules of an admin's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounting.models import Price
from accounting.pricing import PriceBook, Sale
from accounting.tokens import Tokens

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def used(
    input: int = 0,
    output: int = 0,
    *,
    read: int = 0,
    write: int = 0,
    hourly: int = 0,
    thinking: int = 0,
    searches: int = 0,
) -> dict[str, Any]:
    """An Anthropic usage object, as the dialects make it of what each provider says."""
    usage: dict[str, Any] = {"input_tokens": input, "output_tokens": output, "cache_read_input_tokens": read}
    if write or hourly:
        usage["cache_creation_input_tokens"] = write + hourly
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": write, "ephemeral_1h_input_tokens": hourly}
    if thinking:
        usage["output_tokens_details"] = {"thinking_tokens": thinking}
    if searches:
        usage["server_tool_use"] = {"web_search_requests": searches}
    return usage


def cost(book: PriceBook, family: str, model: str, tier: str, usage: dict[str, Any], at: datetime = NOW) -> Any:
    tokens = Tokens()
    tokens.read(usage)
    rates = book.rates(Sale("the provider", family, model, tier, tokens.total_input, at))
    return None if rates is None else rates.cost(tokens)


# family, model, service tier, usage, US dollars. The comment is the sum, in dollars per million tokens.
GOLDEN: list[tuple[str, str, str, dict[str, Any], str | None]] = [
    # OpenAI, https://platform.openai.com/docs/pricing
    ("openai", "gpt-4o", "", used(1000, 500), "0.0075"),  # 1000 x 2.50 + 500 x 10
    ("openai", "gpt-4o", "", used(200, 100, read=800), "0.0025"),  # 200 x 2.50 + 800 x 1.25 + 100 x 10
    ("openai", "gpt-4o", "", used(1), "0.0000025"),
    ("openai", "gpt-4o", "priority", used(1000, 1000, read=1000), "0.023375"),  # 4.25, 2.125, 17
    ("openai", "gpt-4o", "batch", used(1000, 1000), "0.00625"),  # 1.25, 5
    ("openai", "gpt-4o", "batch", used(1000, 1000, read=1), None),  # no batch price of cached input is published
    ("openai", "gpt-5.1", "", used(10_000, 2000, read=5000, thinking=1500), "0.033125"),  # 1.25, 0.125, 10
    ("openai", "gpt-5.1", "flex", used(10_000, 2000, read=5000, thinking=1500), "0.0165625"),  # half of it
    ("openai", "gpt-5.1", "priority", used(10_000, 2000, read=5000), "0.06625"),  # 2.50, 0.25, 20
    ("openai", "gpt-5.1", "", used(1000, 100, searches=3), "0.03225"),  # and 3 x $10 per thousand
    ("openai", "gpt-5.1", "default", used(1000), "0.00125"),
    ("openai", "gpt-5.5", "", used(272_000, 1000), "1.39"),  # 5, 30: not above 272,000 yet
    ("openai", "gpt-5.5", "", used(272_001, 1000), "2.76501"),  # 10, 45: the whole request
    ("openai", "gpt-5.5", "", used(72_001, read=200_000), "0.92001"),  # 10, 1: cached input counts to the size
    ("openai", "gpt-5.5", "flex", used(300_000, 1000), "1.5225"),  # 5, 22.50
    ("openai", "gpt-5.5", "priority", used(300_000, 1000), "3.825"),  # 12.50, 75: no other price for long input
    ("openai", "o3", "", used(1000, 1000, thinking=900), "0.01"),  # 2, 8: reasoning is output
    ("openai", "o3", "flex", used(0, 10, read=4000), "0.00104"),  # 0.25, 4
    ("openai", "gpt-4.1-mini", "", used(3, 7, searches=1), "0.0250124"),  # 0.40, 1.60, $25 per thousand
    ("openai", "o1-pro", "", used(100, 100, read=900), "0.21"),  # 150, 600: no cache price, so input
    ("openai", "o3-mini-2031-01-31", "", used(1000, 1000), "0.0055"),  # as o3-mini: 1.10, 4.40
    ("openai", "o1-mini", "", used(1000, 1000), "0.0055"),
    ("openai", "chatgpt-4o-latest", "", used(1000, 1000), "0.02"),  # 5, 15
    ("openai", "gpt-4.5-preview", "", used(100, 10, read=100), "0.01275"),  # 75, 37.50, 150
    ("openai", "no-such-model", "", used(1), None),
    # Anthropic, https://docs.anthropic.com/en/docs/about-claude/pricing
    ("anthropic", "claude-sonnet-4-5", "", used(1000, 1000), "0.018"),  # 3, 15
    ("anthropic", "claude-sonnet-4-5", "standard", used(10, 200, read=100_000), "0.03303"),  # 0.30
    ("anthropic", "claude-sonnet-4-5", "", used(4, 50, write=20_000), "0.075762"),  # 3.75
    ("anthropic", "claude-sonnet-4-5", "", used(4, 50, hourly=20_000), "0.120762"),  # 6
    ("anthropic", "claude-sonnet-4-5", "", used(5, 6, read=3000, write=1000, hourly=2000), "0.016755"),
    ("anthropic", "claude-sonnet-4-5", "", {"cache_creation_input_tokens": 1000}, "0.00375"),
    ("anthropic", "claude-sonnet-4-5", "", used(500, 100, searches=2), "0.023"),  # $10 per thousand
    ("anthropic", "claude-sonnet-4-5", "batch", used(1000, 1000), "0.009"),  # half
    ("anthropic", "claude-sonnet-4-5", "batch", used(write=1000), "0.001875"),
    ("anthropic", "claude-sonnet-4-5", "batch", used(hourly=1000), None),  # not on the list
    ("anthropic", "claude-sonnet-4-5", "priority", used(1), None),  # a matter of each contract
    ("anthropic", "claude-opus-4-6", "", used(1000, 2000, read=10, hourly=100), "0.056005"),  # 5, 25, 0.50, 10
    ("anthropic", "claude-haiku-4-5", "", used(999, 1), "0.001004"),  # 1, 5
    # Claude on Vertex AI: prices double above 200,000 tokens
    ("vertex_ai", "claude-sonnet-4-5", "", used(200_000), "0.6"),
    ("vertex_ai", "claude-sonnet-4-5", "", used(200_001, 100), "1.202256"),  # 6, 22.50
    ("vertex_ai", "claude-sonnet-4-5", "", used(1, 10, read=150_000, write=50_000, hourly=10_000), "0.585231"),
    # Gemini, https://ai.google.dev/gemini-api/docs/pricing
    ("gemini", "gemini-2.5-pro", "", used(1000, 1000, thinking=700), "0.01125"),  # 1.25, 10
    ("gemini", "gemini-2.5-pro", "", used(200_000, 1), "0.25001"),
    ("gemini", "gemini-2.5-pro", "", used(100_001, 1000, read=100_000), "0.2900025"),  # 2.50, 0.25, 15
    ("gemini", "gemini-2.5-pro", "priority", used(200_001, 1000), "0.9270045"),  # 4.50, 27
    ("gemini", "gemini-2.5-pro", "flex", used(1000, 100, read=1000), "0.00125"),  # 0.625, 0.125, 5
    ("gemini", "gemini-2.5-pro", "", used(100, 100, searches=1), "0.036125"),  # $35 per thousand
    ("gemini", "gemini-2.5-flash", "", used(1000, 1000, thinking=500), "0.0028"),  # 0.30, 2.50
    ("gemini", "gemini-2.5-flash", "flex", used(1000, 1000, thinking=500), "0.0014"),  # 0.15, 1.25
    ("gemini", "gemini-2.5-flash", "", used(10 + 258, 5), "0.0000929"),  # an image is 258 tokens of input
    ("gemini", "gemini-2.0-flash", "", used(1000, 1000, read=1000), "0.000525"),  # 0.10, 0.025, 0.40
    ("gemini", "gemini-2.5-pro-preview-03-25", "", used(300_000, 100), "0.7515"),
    # What LiteLLM knows besides
    ("deepseek", "deepseek-chat", "", used(100, 10, read=900, write=100), "0.0000574"),  # 0.28, 0.028, 0.42; writes 0
    ("perplexity", "sonar-deep-research", "", used(100, 1000, thinking=800, searches=1), "0.0092"),  # 2, 8, 3, $5
    ("dashscope", "qwen-plus-2025-07-28", "", used(1000, 1000, thinking=600), "0.00328"),  # 0.40, 1.20, 4
    ("dashscope", "qwen-plus-2025-07-28", "", used(256_001, 100), "0.3075612"),  # 1.20, 3.60
]


@pytest.mark.parametrize(("family", "model", "tier", "usage", "dollars"), GOLDEN)
def test_golden(family: str, model: str, tier: str, usage: dict[str, Any], dollars: str | None) -> None:
    assert cost(PriceBook(), family, model, tier, usage) == (None if dollars is None else Decimal(dollars))


def price(**values: Any) -> Price:
    defaults = {"model": "gpt-4o", "effective_from": NOW - timedelta(days=1), "input": Decimal(1), "output": Decimal(2)}
    return Price(**{**defaults, **values})


def test_an_admins_price_comes_before_the_list() -> None:
    book = PriceBook([price()])
    assert cost(book, "openai", "gpt-4o", "", used(1_000_000, 1_000_000)) == 3
    assert cost(book, "openai", "gpt-4o-mini", "", used(1_000_000)) == Decimal("0.15")


@pytest.mark.parametrize(
    ("prices", "dollars"),
    [
        ([price(), price(model="gpt-*", input=Decimal(9))], 1),  # the more literal pattern
        ([price(), price(provider="openai", input=Decimal(9))], 9),  # likewise of the provider
        ([price(), price(provider="the provider", input=Decimal(9))], 9),
        ([price(), price(provider="azure", input=Decimal(9))], 1),
        ([price(), price(effective_from=NOW - timedelta(hours=1), input=Decimal(9))], 9),  # the later one
        ([price(), price(effective_from=NOW + timedelta(hours=1), input=Decimal(9))], 1),  # not yet
        ([price(), price(effective_from=NOW - timedelta(hours=2), effective_until=NOW, input=Decimal(9))], 1),
        ([price(), price(above_tokens=999_999, input=Decimal(9))], 9),
        ([price(), price(above_tokens=1_000_000, input=Decimal(9))], 1),
        ([price(), price(service_tier="flex", input=Decimal(9))], 1),
    ],
)
def test_which_of_several_prices_counts(prices: list[Price], dollars: int) -> None:
    for book in (PriceBook(prices), PriceBook(reversed(prices))):
        assert cost(book, "openai", "gpt-4o", "", used(1_000_000)) == dollars


def test_a_price_for_a_tier_is_for_that_tier() -> None:
    book = PriceBook([price(service_tier="scale")])
    assert cost(book, "openai", "gpt-4o", "scale", used(1_000_000)) == 1
    assert cost(book, "openai", "gpt-4o", "", used(1_000_000)) == Decimal("2.5")


def test_what_an_admin_leaves_empty() -> None:
    book = PriceBook([price(cache_write_5m=Decimal(3))])
    million = 1_000_000
    assert cost(book, "", "gpt-4o", "", used(read=million)) == 1  # as input
    assert cost(book, "", "gpt-4o", "", used(write=million)) == 3
    assert cost(book, "", "gpt-4o", "", used(hourly=million)) == 3  # as a five-minute write
    assert cost(book, "", "gpt-4o", "", used(output=million, thinking=million)) == 2  # as output
    assert cost(book, "", "gpt-4o", "", used(searches=1)) is None  # not known


def test_a_free_model_costs_nothing_which_is_not_unknown() -> None:
    book = PriceBook([price(model="llama*", input=Decimal(0), output=Decimal(0))])
    assert cost(book, "", "llama-4", "", used(10, 10)) == 0


def test_the_card_says_what_was_charged_and_where_it_comes_from() -> None:
    rates = PriceBook().rates(Sale("p", "openai", "gpt-5.5", "flex", 300_000, NOW))
    assert rates is not None
    assert Decimal(rates.card["input"]) == Decimal("0.000005")
    assert "above 272000" in rates.source
    assert "flex" in rates.source
    same = PriceBook().rates(Sale("q", "openai", "gpt-5.5", "flex", 300_001, NOW))
    assert same is not None
    assert same.digest == rates.digest
    other = PriceBook().rates(Sale("q", "openai", "gpt-5.5", "", 300_001, NOW))
    assert other is not None
    assert other.digest != rates.digest
