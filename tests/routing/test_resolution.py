"""Every rule of the mapping, as a table: what is asked, where it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone

from accounting.identity import Caller
from accounting.models import Membership, Team, User
from routing import first_start
from routing.errors import ModelNotAllowed, ModelUnknown, NotConfigured, RoutingError
from routing.models import Model, Override, Provider, Tier, TierPattern
from routing.resolution import listing, resolve
from routing.table import RoutingTable, load

from .mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db
ANNA = Caller(1, "k", 1, "anna", None, "")
OPENAI = {"OPENAI_API_KEY": "sk-1"}


def led(table: RoutingTable, model: str, caller: Caller | None = None) -> str:
    found = resolve(table, caller, model)
    return f"{found.target.provider}/{found.target.model} {found.tier}".strip()


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("claude-3-5-haiku-20241022", "openai/gpt-4o-mini SMALL"),
        ("claude-haiku-4-5", "openai/gpt-4o-mini SMALL"),
        ("CLAUDE-HAIKU-4-5", "openai/gpt-4o-mini SMALL"),
        ("claude-sonnet-4-5-20250929", "gemini/gemini-2.5-pro BIG"),
        ("claude-opus-4-8", "gemini/gemini-2.5-pro BIG"),
        ("claude-opus-4-8[1m]", "gemini/gemini-2.5-pro BIG"),
        ("claude-fable-5", "gemini/gemini-2.5-pro BIG"),
        ("claude-of-a-day-to-come-9", "gemini/gemini-2.5-pro BIG"),
        (" claude-sonnet-5 ", "gemini/gemini-2.5-pro BIG"),
        ("sonnet", "gemini/gemini-2.5-pro BIG"),
        # an explicit provider is not mapped
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai/never-heard-of", "openai/never-heard-of"),
        ("gemini/gemini-2.5-flash", "gemini/gemini-2.5-flash"),
        ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5[1m]", "anthropic/claude-haiku-4-5"),
        ("openai/meta-llama/llama-4", "openai/meta-llama/llama-4"),
        # a bare name on a known list gets its prefix; dates are tolerated
        ("gpt-4o", "openai/gpt-4o"),
        ("gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
        ("gpt-5.1", "openai/gpt-5.1"),
        ("o3-mini", "openai/o3-mini"),
        ("chatgpt-4o-latest", "openai/chatgpt-4o-latest"),
        ("gemini-2.0-flash", "gemini/gemini-2.0-flash"),
        ("gemini-2.5-pro-preview-03-25", "gemini/gemini-2.5-pro-preview-03-25"),
    ],
)
def test_where_a_name_leads(asked: str, wanted: str) -> None:
    table = set_up(**ALL_KEYS, BIG_MODEL="gemini-2.5-pro", SMALL_MODEL="gpt-4o-mini")
    assert led(table, asked) == wanted


@pytest.mark.parametrize("asked", ["nothing-known", "nobody/gpt-4o", "bedrock/amazon.nova", "/", "x/", "", "é" * 300])
def test_unknown_names_are_404(asked: str) -> None:
    table = set_up(**ALL_KEYS)
    with pytest.raises(ModelUnknown):
        resolve(table, None, asked)


def test_anthropic_preferred_maps_nothing() -> None:
    table = set_up(**ALL_KEYS, PREFERRED_PROVIDER="anthropic")
    assert led(table, "claude-sonnet-4-5") == "anthropic/claude-sonnet-4-5 BIG"
    assert led(table, "claude-haiku-4-5-20251001") == "anthropic/claude-haiku-4-5-20251001 SMALL"
    assert led(table, "gpt-4o") == "openai/gpt-4o"


def test_demo_answers_where_there_is_no_key() -> None:
    table = set_up()
    assert led(table, "claude-opus-4-8") == "demo/demo BIG"
    assert led(table, "claude-haiku-4-5") == "demo/demo SMALL"
    with pytest.raises(NotConfigured, match="no key yet"):
        resolve(table, None, "gpt-4o")


def test_a_provider_of_ones_own_is_a_prefix() -> None:
    set_up(**OPENAI)
    groq = Provider.objects.create(name="groq", dialect="openai_chat", base_url="https://api.groq.com/openai/v1/")
    Model.objects.create(provider=groq, name="llama-4-scout")
    found = resolve(load(), None, "groq/llama-4-scout").target
    assert (found.provider, found.model, found.base_url) == ("groq", "llama-4-scout", "https://api.groq.com/openai/v1")
    assert led(load(), "llama-4-scout") == "groq/llama-4-scout"


def test_litellm_carries_its_prefixes() -> None:
    set_up(**OPENAI)
    Provider.objects.filter(name="litellm").update(enabled=True)
    found = resolve(load(), None, "bedrock/anthropic.claude-x")
    assert (found.target.provider, found.target.litellm_provider, found.target.model) == (
        "litellm",
        "bedrock",
        "anthropic.claude-x",
    )
    assert found.price_family == "bedrock"
    with pytest.raises(ModelUnknown):
        resolve(load(), None, "no-such-provider/x")
    Provider.objects.create(name="aws", dialect="litellm", litellm_provider="bedrock", price_family="bedrock")
    assert resolve(load(), None, "bedrock/anthropic.claude-x").target.provider == "aws"


def test_a_tier_may_lead_through_litellm() -> None:
    table = set_up(**OPENAI, BIG_MODEL="deepseek/deepseek-chat")
    target = resolve(table, None, "claude-opus-4-8").target
    assert (target.dialect, target.litellm_provider, target.model) == ("litellm", "deepseek", "deepseek-chat")


def test_overrides_person_before_team_before_everyone() -> None:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-4o", SMALL_MODEL="gpt-4o-mini")
    anna, team = User.objects.create_user("anna"), Team.objects.create(name="core")
    Membership.objects.create(user=anna, team=team)
    big = Tier.objects.get(name="BIG")
    gemini, openai = Provider.objects.get(name="gemini"), Provider.objects.get(name="openai")
    caller = Caller(1, "k", anna.pk, "anna", team.pk, "core")
    Override.objects.create(team=team, tier=big, provider=gemini, model="gemini-2.5-flash")
    assert led(load(), "claude-opus-4-8", caller) == "gemini/gemini-2.5-flash BIG"
    Override.objects.create(user=anna, tier=big, provider=openai, model="o3-mini")
    assert led(load(), "claude-opus-4-8", caller) == "openai/o3-mini BIG"
    Override.objects.create(team=team, pattern="*OPUS*", provider=openai, model="gpt-5.1")
    assert led(load(), "claude-opus-4-8", caller) == "openai/gpt-5.1"
    assert led(load(), "claude-sonnet-5", caller) == "openai/o3-mini BIG"
    assert led(load(), "claude-haiku-4-5", caller) == "openai/gpt-4o-mini SMALL"
    assert led(load(), "anthropic/claude-opus-4-8", caller) == "anthropic/claude-opus-4-8"
    assert led(load(), "claude-opus-4-8") == "openai/gpt-4o BIG"
    assert "override of anna" in " ".join(resolve(load(), caller, "claude-sonnet-5").reasons)


def test_a_further_tier_and_the_order_of_patterns() -> None:
    set_up(**ALL_KEYS)
    thinker = Tier.objects.create(name="THINK", provider=Provider.objects.get(name="openai"), model="o3")
    TierPattern.objects.update(position=5)
    TierPattern.objects.create(tier=thinker, pattern="*fable*", position=0)
    assert led(load(), "claude-fable-5-1") == "openai/o3 THINK"


def test_a_switched_off_model_and_a_keys_own_models_are_403() -> None:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-4o", SMALL_MODEL="gpt-4o-mini")
    Model.objects.filter(name="gpt-4.1").update(enabled=False)
    table = load()
    with pytest.raises(ModelNotAllowed, match="switched off"):
        resolve(table, None, "gpt-4.1")
    caller = replace(ANNA, allowed_models=("claude-haiku-*", "SMALL", "gemini/*"))
    assert led(table, "claude-haiku-4-5", caller) == "openai/gpt-4o-mini SMALL"
    assert led(table, "gemini-2.5-pro", caller) == "gemini/gemini-2.5-pro"
    for asked in ("claude-opus-4-8", "gpt-4o"):
        with pytest.raises(ModelNotAllowed, match="may not use"):
            resolve(table, caller, asked)


def test_a_provider_that_is_off_says_so() -> None:
    set_up(**OPENAI, BIG_MODEL="gpt-4o")
    Provider.objects.filter(name="openai").update(enabled=False)
    with pytest.raises(NotConfigured, match="switched off"):
        resolve(load(), None, "claude-opus-4-8")
    assert issubclass(NotConfigured, RoutingError)


@pytest.mark.parametrize(
    ("base", "model", "dialect"),
    [
        ("", "gpt-5.1", "openai_responses"),
        ("", "o3-mini", "openai_responses"),
        ("", "gpt-5.3-codex", "openai_responses"),
        ("", "gpt-4o", "openai_chat"),
        ("", "made-to-order", "openai_chat"),
        ("https://llm.example.com/v1", "gpt-5.1", "openai_chat"),
    ],
)
def test_openais_own_reasoning_models_speak_responses(base: str, model: str, dialect: str) -> None:
    table = set_up(**OPENAI, OPENAI_BASE_URL=base)
    assert resolve(table, None, f"openai/{model}").target.dialect == dialect


def test_a_models_row_has_the_last_word() -> None:
    set_up(**OPENAI)
    Model.objects.filter(name="gpt-5.1").update(
        dialect="openai_chat", context_window=1000, capabilities={"vision": False, "efforts": ["low"]}
    )
    target = resolve(load(), None, "gpt-5.1").target
    assert target.dialect == "openai_chat"
    can = target.capabilities
    assert (can.context_window, can.max_output, can.vision, can.efforts) == (1000, 128_000, False, ("low",))


def test_the_key_reaches_the_target_and_no_repr() -> None:
    target = resolve(set_up(OPENAI_API_KEY="sk-very-secret-value"), None, "gpt-4o").target
    assert target.api_key == "sk-very-secret-value"
    assert "very-secret" not in repr(target) + repr(load())


def test_listing_shows_what_works_and_where_it_leads() -> None:
    table = set_up(OPENAI_API_KEY="sk", BIG_MODEL="gpt-5.1", SMALL_MODEL="gpt-4o-mini")
    lines = {line.id: line for line in listing(table, None)}
    assert lines["claude-opus-4-8"].display_name == "Claude Opus 4.8 → gpt-5.1 (openai)"
    assert lines["claude-haiku-4-5"].display_name == "Claude Haiku 4.5 → gpt-4o-mini (openai)"
    assert {tier for tier in ("haiku", "sonnet", "opus", "fable") if any(tier in one for one in lines)} == {
        "haiku",
        "sonnet",
        "opus",
        "fable",
    }
    assert lines["gpt-5.1"].display_name == "gpt-5.1"
    assert not [one for one in lines if "gemini" in one or one.startswith("anthropic/")]
    assert lines["gpt-5.1"].created_at <= timezone.now()
    few = listing(table, replace(ANNA, allowed_models=("*haiku*",)))
    assert few
    assert all("haiku" in line.id for line in few)


def test_listing_offers_a_claude_of_ones_own_beside_the_mapping() -> None:
    table = set_up(**ALL_KEYS, PREFERRED_PROVIDER="openai")
    lines = {line.id: line.display_name for line in listing(table, None)}
    assert lines["claude-opus-4-8"] == "Claude Opus 4.8 → gpt-4o (openai)"
    assert lines["anthropic/claude-opus-4-8"] == "Claude Opus 4.8"
    assert first_start.DEMO not in lines
