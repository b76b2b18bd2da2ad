"""Which entry of the list a model is, and when that is not certain."""

from __future__ import annotations

import pytest

from accounting import pricelist


@pytest.mark.parametrize(
    ("family", "model", "entry"),
    [
        ("openai", "gpt-4o", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("gemini", "gemini-2.5-pro", "gemini/gemini-2.5-pro"),
        ("vertex_ai", "gemini-2.5-pro", "gemini-2.5-pro"),
        ("openai", "o3-mini-2025-01-31", "o3-mini-2025-01-31"),
        ("openai", "o3-mini-2031-01-31", "o3-mini"),
        ("openai", "o1-mini", "o1-mini"),
        ("gemini", "gemini-2.0-flash", "gemini/gemini-2.0-flash"),
    ],
)
def test_a_model_is_found_as_its_family_serves_it(family: str, model: str, entry: str) -> None:
    found = pricelist.find(family, model)
    assert found is not None
    assert found.name == entry


@pytest.mark.parametrize(
    ("family", "model"),
    [
        ("", "gpt-4o"),
        ("openai", ""),
        ("openai", "claude-sonnet-4-5"),  # another family's model under a borrowed name
        ("openai", "no-such-model"),
        ("openai", "gpt-4o-2031-01-01"),  # snapshots of gpt-4o have had different prices
    ],
)
def test_what_is_not_certain_is_not_found(family: str, model: str) -> None:
    assert pricelist.find(family, model) is None


def test_a_retired_model_takes_the_fields_of_the_one_it_became() -> None:
    preview = pricelist.find("gemini", "gemini-2.5-pro-preview-03-25")
    current = pricelist.find("gemini", "gemini-2.5-pro")
    assert preview is not None
    assert current is not None
    for field in ("input_cost_per_token", "output_cost_per_token_above_200k_tokens", "max_input_tokens"):
        assert preview.data[field] == current.data[field]


def test_the_source_names_its_version() -> None:
    assert pricelist.source().startswith("litellm 1.")
