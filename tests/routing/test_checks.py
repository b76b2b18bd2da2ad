"""Each numbered check, and that its text holds the mend."""

from __future__ import annotations

import pytest
from django.core.checks import CheckMessage
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from routing import credentials
from routing.checks import check_environment
from routing.models import Provider

from .mappings import set_up


def check(settings: Settings, **variables: str) -> dict[str, CheckMessage]:
    settings.PROVIDER_ENVIRONMENT = variables
    return {str(message.id).removeprefix("tollgate."): message for message in check_environment(None)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variables", "number", "mend"),
    [
        ({"GEMINI_API_KEY": "g", "BIG_MODEL": "gpt-4o"}, "E001", "Set OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "o", "PREFERRED_PROVIDER": "google"}, "E001", "SMALL_MODEL=openai/gpt-4o-mini"),
        ({"OPENAI_API_KEY": "o", "SMALL_MODEL": "gemini/gemini-2.5-flash"}, "E001", "Set GEMINI_API_KEY"),
        ({"OPENAI_API_KEY": "o", "OPENAI_BASE_URL": "api.openai.com/v1"}, "E002", "https://api.openai.com/v1"),
        ({"GEMINI_API_BASE": "http//x"}, "E002", "GEMINI_API_BASE=https://"),
        ({"PREFERRED_PROVIDER": "gemini"}, "E003", "google, openai or anthropic"),
        ({"ANTHROPIC_API_BASE": "http://localhost:8082"}, "E004", "ANTHROPIC_BASE_URL"),
        ({"BIG_MODEL": "gpt-4o"}, "W001", "Set OPENAI_API_KEY"),
        ({"ANTHROPIC_API_KEY": "a", "BIG_MODEL": "gpt-4o"}, "W005", "PREFERRED_PROVIDER"),
        ({"OPENAI_API_KEY": "o", "OPENAI_BASE_URL": "https://llm.example.com"}, "W006", "/v1"),
        ({"GEMINI_API_KEY": "o", "GEMINI_API_BASE": "https://g.example.com/v1beta"}, "W006", "root"),
    ],
)
def test_mistakes_in_the_environment(settings: Settings, variables: dict[str, str], number: str, mend: str) -> None:
    found = check(settings, **variables)
    assert mend in str(found[number].hint)
    assert found[number].is_serious() == number.startswith("E")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OPENAI_API_KEY": "o"},
        {"OPENAI_API_KEY": "o", "GEMINI_API_KEY": "g", "BIG_MODEL": "gemini-2.5-pro", "SMALL_MODEL": "gpt-4o-mini"},
        {"OPENAI_BASE_URL": "http://ollama:11434/v1", "BIG_MODEL": "qwen3", "SMALL_MODEL": "qwen3"},
        {"ANTHROPIC_API_KEY": "a"},
    ],
)
def test_nothing_is_said_of_a_sound_environment(settings: Settings, variables: dict[str, str]) -> None:
    assert not check(settings, **variables)


@pytest.mark.django_db
def test_debug_open_to_all(settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["*"]
    assert "ALLOWED_HOSTS" in str(check(settings)["W004"].hint)
    settings.ALLOWED_HOSTS = ["gate.example.com"]
    assert not check(settings)


@pytest.mark.django_db
def test_a_database_that_is_set_up_rules(settings: Settings) -> None:
    set_up(OPENAI_API_KEY="sk-1")
    assert not check(settings, GEMINI_API_KEY="g", BIG_MODEL="gpt-4o")
    Provider.objects.filter(name="openai").update(enabled=False)
    found = check(settings)
    assert "is switched off" in found["W002"].msg
    Provider.objects.update(enabled=True)
    Provider.objects.get(name="openai").credentials.all().delete()
    assert "has no key" in check(settings)["W002"].msg


@pytest.mark.django_db
def test_a_credential_that_opens_no_more(settings: Settings) -> None:
    set_up(OPENAI_API_KEY="sk-1")
    settings.ENCRYPTION_KEYS = ["9:new"]
    assert "ENCRYPTION_KEYS" in str(check(settings)["W003"].hint)
    credentials.store(Provider.objects.get(name="openai"), "sk-2")
    assert "W003" in check(settings), "the old one, in its grace time, still does not open"


@pytest.mark.django_db
def test_an_error_stops_a_command_with_the_mend(settings: Settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {"PREFERRED_PROVIDER": "gogle"}
    with pytest.raises((SystemCheckError, CommandError), match=r"tollgate\.E003"):
        call_command("check")
