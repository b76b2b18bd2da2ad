"""A provider at a known host is right from its first request, whoever made its row."""

from __future__ import annotations

import pytest

from routing import hosts
from routing.models import Provider
from routing.table import load
from routing.upstream.target import Quirks, Target

from .mappings import ALL_KEYS, set_up


@pytest.mark.parametrize(
    ("dialect", "url", "field", "value"),
    [
        ("openai_chat", "https://api.openai.com/v1", "max_tools", 128),
        ("openai_responses", "https://api.openai.com/v1", "max_tools", 128),
        ("openai_chat", "https://acme.openai.azure.com/openai/v1", "auth_header", "api-key"),
        ("openai_chat", "https://API.DeepSeek.com", "reasoning_field", "reasoning_content"),
        ("openai_chat", "https://api.mistral.ai/v1", "stream_usage", False),
        ("openai_chat", "https://api.mistral.ai/v1", "max_tokens_field", "max_tokens"),
        ("openai_chat", "https://api.mistral.ai/v1", "tool_id_length", 9),
        ("openai_chat", "https://openrouter.ai/api/v1", "cache_control", True),
    ],
)
def test_what_is_known_of_a_host(dialect: str, url: str, field: str, value: object) -> None:
    assert getattr(Quirks(**hosts.known(dialect, url).quirks), field) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dialect", "url"),
    [
        ("openai_chat", "https://api.openai.com.evil.example/v1"),
        ("openai_chat", "https://notopenrouter.ai/v1"),
        ("openai_chat", "http://vllm:8000/v1"),
        ("openai_chat", ""),
        ("anthropic", "https://openrouter.ai/api"),
    ],
)
def test_nothing_is_known_of_any_other(dialect: str, url: str) -> None:
    assert hosts.known(dialect, url) == hosts.KnownHost()


def test_all_that_is_known_can_be_said() -> None:
    for known in hosts._HOSTS.values():
        Quirks(**known.quirks)  # type: ignore[arg-type]


def _target(name: str, model: str) -> Target:
    return load().hosts[name].target(model)


@pytest.mark.django_db
def test_a_row_made_later_is_as_the_first_start_would_have_made_it() -> None:
    set_up(**ALL_KEYS)
    url = Provider.objects.get(name="openai").base_url
    Provider.objects.create(name="second", dialect="openai_chat", base_url=url)
    for model in ("gpt-4o", "gpt-5.1"):
        first, second = _target("openai", model), _target("second", model)
        assert (second.dialect, second.quirks, second.capabilities) == (first.dialect, first.quirks, first.capabilities)
    assert _target("second", "gpt-5.1").dialect == "openai_responses"
    assert _target("second", "gpt-4o").quirks.max_tools == 128


@pytest.mark.django_db
def test_what_the_row_says_has_the_last_word() -> None:
    set_up(**ALL_KEYS)
    row = Provider.objects.create(
        name="second",
        dialect="openai_chat",
        base_url="https://api.openai.com/v1",
        price_family="azure",
        quirks={"max_tools": None, "service_tier": False},
    )
    quirks = _target("second", "gpt-4o").quirks
    assert (quirks.max_tools, quirks.service_tier, quirks.strict_tools) == (None, False, True)
    assert row.price_family == "azure"
    row.reasoning_dialect = ""
    row.save()
    assert _target("second", "gpt-5.1").dialect == "openai_chat"


@pytest.mark.django_db
def test_a_row_that_moves_elsewhere_takes_nothing_along() -> None:
    set_up(**ALL_KEYS)
    row = Provider.objects.create(name="second", dialect="openai_chat", base_url="https://api.openai.com/v1")
    row.base_url = "http://vllm:8000/v1"
    row.save()
    assert _target("second", "gpt-4o").quirks == Quirks()
