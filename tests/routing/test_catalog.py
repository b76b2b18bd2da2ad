"""What LiteLLM's list says, in the terms a dialect uses."""

from __future__ import annotations

from datetime import date

import pytest

from routing import catalog
from routing.upstream.target import Capabilities


@pytest.mark.parametrize(
    ("family", "name", "dialect", "reasoning", "efforts"),
    [
        ("openai", "gpt-4o", "openai_chat", "none", None),
        ("openai", "o3-mini", "openai_chat", "effort", ("low", "medium", "high")),
        ("openai", "gpt-5", "openai_responses", "effort", ("minimal", "low", "medium", "high")),
        ("openai", "gpt-5.1", "openai_responses", "effort", ("none", "low", "medium", "high")),
        ("openai", "gpt-5.2", "openai_responses", "effort", ("none", "low", "medium", "high", "xhigh")),
        ("gemini", "gemini-2.5-pro", "gemini", "budget", None),
        ("gemini", "gemini-2.5-pro-preview-03-25", "gemini", "budget", None),
        ("gemini", "gemini-2.0-flash", "gemini", "none", None),
        ("gemini", "gemini-3-flash-preview", "gemini", "level", ("minimal", "low", "medium", "high")),
        ("anthropic", "claude-opus-4-8", "anthropic", "adaptive", ("low", "medium", "high", "xhigh", "max")),
        ("anthropic", "claude-haiku-4-5-20251001", "anthropic", "budget", None),
        ("openai", "unheard-of", "openai_chat", "none", None),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "litellm", "budget", None),
        ("vertex_ai", "claude-opus-4-8", "litellm", "adaptive", None),
        ("bedrock", "openai.gpt-oss-120b-1:0", "litellm", "effort", None),
    ],
)
def test_reasoning(family: str, name: str, dialect: str, reasoning: str, efforts: tuple[str, ...] | None) -> None:
    can = catalog.capabilities(family, name, dialect)
    assert can.reasoning == reasoning
    if efforts:
        assert can.efforts == efforts


@pytest.mark.parametrize(
    ("name", "budget"),
    [("gemini-2.5-pro", (128, 32_768)), ("gemini-2.5-flash", (0, 24_576)), ("gemini-3-flash-preview", None)],
)
def test_thinking_budgets(name: str, budget: tuple[int, int] | None) -> None:
    assert catalog.capabilities("gemini", name, "gemini").thinking_budget == budget


def test_openais_reasoning_models_take_no_temperature() -> None:
    assert not catalog.capabilities("openai", "gpt-5.1", "openai_chat").sampling
    assert catalog.capabilities("openai", "gpt-4o", "openai_chat").sampling
    assert not catalog.capabilities("anthropic", "claude-opus-4-8", "anthropic").sampling
    assert not catalog.capabilities("openai", "o3-mini", "openai_chat").parallel_tools


def test_sizes_come_from_the_list_or_the_nearest_name() -> None:
    can = catalog.capabilities("openai", "gpt-4o-2024-08-06", "openai_chat")
    assert (can.context_window, can.max_output) == (128_000, 16_384)
    assert catalog.capabilities("openai", "gpt-4.1-of-tomorrow", "openai_chat").context_window == 1_047_576
    assert catalog.capabilities("", "gpt-4o", "openai_chat") == Capabilities()
    assert catalog.capabilities("openai", "claude-opus-4-8", "openai_chat") == Capabilities()


@pytest.mark.parametrize(
    ("family", "name", "dialect", "takes"),
    [
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "litellm", True),
        ("vertex_ai", "claude-haiku-4-5@20251001", "litellm", True),
        ("bedrock", "us.amazon.nova-pro-v1:0", "litellm", True),
        ("bedrock", "meta.llama3-3-70b-instruct-v1:0", "litellm", False),
        (
            "vertex_ai",
            "gemini-2.5-pro",
            "litellm",
            False,
        ),  # LiteLLM would create a cache of Google's, by a call of its own
        ("openai", "gpt-5.1", "openai_chat", False),
    ],
)
def test_cache_breakpoints_are_for_models_that_litellm_hands_them_to(
    family: str, name: str, dialect: str, takes: bool
) -> None:
    assert catalog.capabilities(family, name, dialect).cache_control is takes


def test_current_models_are_talkers_that_have_not_ended() -> None:
    openai = list(catalog.current_models("openai", date(2026, 11, 22)))
    assert {"gpt-5.1", "gpt-4o", "gpt-4.1"} <= set(openai)
    assert not [name for name in openai if "audio" in name or "2024" in name or "/" in name or "search" in name]
    assert len(openai) == len(set(openai))
    assert "gpt-5.1" not in list(catalog.current_models("openai", date(2027, 5, 1)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("claude-opus-4-8", "Claude Opus 4.8"),
        ("claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("claude-3-5-haiku-20241022", "Claude Haiku 3.5"),
        ("claude-mythos-preview", "Claude Mythos Preview"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
    ],
)
def test_display_names(name: str, shown: str) -> None:
    assert catalog.display_name(name) == shown


def test_prefixes_are_those_of_providers_that_talk() -> None:
    assert {"bedrock", "vertex_ai", "deepseek", "openrouter", "groq"} <= catalog.prefixes()
    assert "milvus" not in catalog.prefixes()


def test_an_admins_words_replace_the_lists() -> None:
    can = catalog.overridden(Capabilities(), {"efforts": ["low"], "vision": False})
    assert (can.efforts, can.vision, can.pdf) == (("low",), False, True)
