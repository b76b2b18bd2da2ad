"""The first start fills an empty database; from then on the database rules."""

from __future__ import annotations

import pytest

from accounting.models import User
from routing import credentials, first_start
from routing.environment import read
from routing.mapping import revising
from routing.models import Credential, Model, Provider, Revision, Tier

from .mappings import ALL_KEYS, set_up

pytestmark = pytest.mark.django_db


def goals() -> dict[str, str]:
    return {tier.name: f"{tier.provider}/{tier.model}" for tier in Tier.objects.select_related("provider")}


def test_providers_are_on_where_they_have_a_key() -> None:
    set_up(OPENAI_API_KEY="sk-1", OPENAI_BASE_URL="https://llm.example.com/v1/")
    on = dict(Provider.objects.values_list("name", "enabled"))
    assert on == {"openai": True, "gemini": False, "anthropic": False, "litellm": False, "demo": False}
    openai = Provider.objects.get(name="openai")
    assert (openai.base_url, openai.reasoning_dialect, openai.quirks) == ("https://llm.example.com/v1", "", {})
    assert Provider.objects.get(name="gemini").base_url == "https://generativelanguage.googleapis.com"


def test_known_lists_hold_the_promised_and_the_current_models() -> None:
    set_up(**ALL_KEYS)
    known = set(Model.objects.filter(provider__name="openai").values_list("name", flat=True))
    assert {"o3-mini", "o1", "o1-mini", "o1-pro", "gpt-4.5-preview", "gpt-4o", "gpt-4o-audio-preview"} <= known
    assert {"chatgpt-4o-latest", "gpt-4o-mini", "gpt-4o-mini-audio-preview", "gpt-4.1", "gpt-4.1-mini"} <= known
    assert {"gpt-5", "gpt-5.1"} <= known
    gemini = set(Model.objects.filter(provider__name="gemini").values_list("name", flat=True))
    assert {"gemini-2.5-pro-preview-03-25", "gemini-2.0-flash", "gemini-2.5-pro", "gemini-2.5-flash"} <= gemini


def test_a_second_start_changes_nothing_that_a_person_edited() -> None:
    set_up(**ALL_KEYS)
    Tier.objects.filter(name="BIG").update(model="gemini-2.5-flash")
    Provider.objects.filter(name="openai").update(enabled=False)
    assert not first_start.fill(read(ALL_KEYS | {"BIG_MODEL": "gpt-4o", "OPENAI_API_KEY": "sk-2"}))
    assert goals()["BIG"] == "gemini/gemini-2.5-flash"
    assert not Provider.objects.get(name="openai").enabled
    assert Credential.objects.count() == 3


def test_a_key_added_after_the_demo_was_seen_counts_as_a_first_start() -> None:
    set_up()
    assert goals() == {"BIG": "demo/demo", "SMALL": "demo/demo"}
    assert Provider.objects.get(name="demo").enabled
    set_up(OPENAI_API_KEY="sk-1")
    assert goals() == {"BIG": "openai/gpt-4o", "SMALL": "openai/gpt-4o-mini"}
    assert not Provider.objects.get(name="demo").enabled


def test_a_mapping_edited_while_the_demo_answers_is_kept() -> None:
    set_up()
    with revising(User.objects.create_user("anna"), "try"):
        Tier.objects.filter(name="BIG").update(model="other")
    assert not first_start.fill(read({"OPENAI_API_KEY": "sk-1"}))


def test_the_demo_leaves_when_an_admin_turns_a_provider_on() -> None:
    set_up()
    gemini = Provider.objects.get(name="gemini")
    assert not first_start.leave_demo(gemini, None)
    credentials.store(gemini, "key")
    gemini.enabled = True
    gemini.save()
    assert first_start.leave_demo(gemini, User.objects.create_user("anna"))
    assert goals() == {"BIG": "gemini/gemini-2.5-pro-preview-03-25", "SMALL": "gemini/gemini-2.0-flash"}
    assert not Provider.objects.get(name="demo").enabled
    assert Revision.objects.latest("id").actor_name == "anna"


def test_a_provider_of_ones_own_takes_over_with_what_it_is_known_to_offer() -> None:
    set_up()
    groq = Provider.objects.create(name="groq", dialect="openai_chat", base_url="https://api.groq.com/openai/v1")
    assert not first_start.leave_demo(groq, None)
    assert goals()["BIG"] == "demo/demo"
    Model.objects.create(provider=groq, name="llama-4")
    assert first_start.leave_demo(groq, None)
    assert goals() == {"BIG": "groq/llama-4", "SMALL": "groq/llama-4"}


def test_load_mapping_reckons_with_the_databases_providers() -> None:
    set_up(OPENAI_API_KEY="sk-1")
    first_start.load_mapping(read({"BIG_MODEL": "gpt-5.1"}), None, "again")
    assert goals() == {"BIG": "openai/gpt-5.1", "SMALL": "openai/gpt-4o-mini"}
    assert Revision.objects.latest("id").diff == ["BIG: openai/gpt-4o ⇒ openai/gpt-5.1"]


def test_load_mapping_keeps_patterns_that_a_person_moved() -> None:
    set_up(OPENAI_API_KEY="sk-1")
    small = Tier.objects.get(name="SMALL")
    Tier.objects.get(name="BIG").patterns.filter(pattern="*sonnet*").update(tier=small)
    first_start.load_mapping(read({}), None, "again")
    assert small.patterns.filter(pattern="*sonnet*").exists()
