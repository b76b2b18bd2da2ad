"""The rules of what the environment says, one row each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from routing.environment import KNOWN_GEMINI, goals, preference, read

ROOT = Path(__file__).resolve().parents[2]
OPENAI = {"OPENAI_API_KEY": "sk-1"}
GEMINI = {"GEMINI_API_KEY": "g-1"}
ANTHROPIC = {"ANTHROPIC_API_KEY": "a-1"}


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        (OPENAI | GEMINI | ANTHROPIC, "google"),
        (OPENAI | ANTHROPIC, "openai"),
        (ANTHROPIC, "anthropic"),
        ({}, "google"),
        (GEMINI | {"PREFERRED_PROVIDER": "openai"}, "openai"),
        (GEMINI | {"PREFERRED_PROVIDER": " Anthropic "}, "anthropic"),
        ({"OPENAI_BASE_URL": "http://ollama:11434/v1"}, "openai"),
    ],
)
def test_preference_follows_the_keys_unless_it_is_set(variables: dict[str, str], wanted: str) -> None:
    given = read(variables)
    assert preference(given, given.usable) == wanted


@pytest.mark.parametrize(
    ("variables", "big", "small"),
    [
        # google: its own defaults; a known Gemini name is Gemini's; any other is OpenAI's
        (GEMINI, "gemini/gemini-2.5-pro-preview-03-25", "gemini/gemini-2.0-flash"),
        (GEMINI | {"BIG_MODEL": "gemini-2.5-pro"}, "gemini/gemini-2.5-pro", "gemini/gemini-2.0-flash"),
        (GEMINI | {"BIG_MODEL": "gpt-4.1"}, "openai/gpt-4.1", "gemini/gemini-2.0-flash"),
        (GEMINI | {"SMALL_MODEL": "gpt-4o-mini"}, "gemini/gemini-2.5-pro-preview-03-25", "openai/gpt-4o-mini"),
        (GEMINI | {"BIG_MODEL": "gemini-unheard-of"}, "openai/gemini-unheard-of", "gemini/gemini-2.0-flash"),
        # openai: its defaults, and every bare name is OpenAI's
        (OPENAI, "openai/gpt-4o", "openai/gpt-4o-mini"),
        (OPENAI | {"BIG_MODEL": "gpt-5.1", "SMALL_MODEL": "o3-mini"}, "openai/gpt-5.1", "openai/o3-mini"),
        (
            OPENAI | {"PREFERRED_PROVIDER": "openai", "BIG_MODEL": "gemini-2.5-pro"},
            "openai/gemini-2.5-pro",
            "openai/gpt-4o-mini",
        ),
        # a prefix says for itself whose a name is
        (OPENAI | {"BIG_MODEL": "gemini/gemini-2.5-pro"}, "gemini/gemini-2.5-pro", "openai/gpt-4o-mini"),
        (GEMINI | {"SMALL_MODEL": "openai/gpt-4o-mini"}, "gemini/gemini-2.5-pro-preview-03-25", "openai/gpt-4o-mini"),
        (OPENAI | {"BIG_MODEL": "anthropic/claude-opus-4-8"}, "anthropic/claude-opus-4-8", "openai/gpt-4o-mini"),
        (OPENAI | {"BIG_MODEL": "bedrock/amazon.nova-pro"}, "litellm/bedrock/amazon.nova-pro", "openai/gpt-4o-mini"),
        # a compatible host writes slashes in its names
        (
            OPENAI | {"OPENAI_BASE_URL": "https://openrouter.ai/api/v1", "BIG_MODEL": "deepseek/deepseek-chat"},
            "openai/deepseek/deepseek-chat",
            "openai/gpt-4o-mini",
        ),
        # anthropic: the name as asked, whatever else is set
        (ANTHROPIC, "anthropic/(the name as asked)", "anthropic/(the name as asked)"),
        (ANTHROPIC | {"BIG_MODEL": "gpt-4o"}, "anthropic/(the name as asked)", "anthropic/(the name as asked)"),
    ],
)
def test_goals(variables: dict[str, str], big: str, small: str) -> None:
    given = read(variables)
    reached = goals(given, given.usable, KNOWN_GEMINI)
    assert {name: str(goal) for name, goal in reached.items()} == {"BIG": big, "SMALL": small}


def test_the_clients_own_variable_is_not_read() -> None:
    assert read({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8082"}).bases["anthropic"] == ""


def test_keys_are_not_shown() -> None:
    assert "sk-1" not in repr(read(OPENAI))


def test_name_file_holds_the_value(tmp_path: Path) -> None:
    """Over the settings themselves, in a process of its own: that is where ``NAME_FILE`` is read."""
    (tmp_path / "key").write_text("sk-from-a-file\n")
    (tmp_path / "big").write_text("gpt-5.1\n")
    (tmp_path / "database").write_text(f"sqlite:///{tmp_path}/other.sqlite3\n")
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")}
    environment |= {
        "ENV_FILE": str(tmp_path / "none"),
        "DATA_DIR": str(tmp_path),
        "OPENAI_API_KEY_FILE": str(tmp_path / "key"),
        "BIG_MODEL_FILE": str(tmp_path / "big"),
        "DATABASE_URL_FILE": str(tmp_path / "database"),
        "DJANGO_SETTINGS_MODULE": "proxysite.settings",
    }
    code = (
        "import django; django.setup();"
        "from django.conf import settings; from routing.environment import read; given = read();"
        "print(given.keys['openai'], given.big, settings.DATABASES['default']['NAME'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["sk-from-a-file", "gpt-5.1", f"{tmp_path}/other.sqlite3"], done.stderr
