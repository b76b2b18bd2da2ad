"""``first_start``, ``route`` and ``load_mapping``: what they print, and that they fail with one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounting.identity import find
from accounting.models import Membership, Team, User
from routing.models import Override, Provider, Tier
from tests.routing.mappings import ALL_KEYS, set_up

ROOT = Path(__file__).resolve().parents[4]


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_first_start_names_the_address_that_people_reach_it_by(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://gateway.example.com"
    said = run("first_start")
    assert "https://gateway.example.com/admin/" in said
    assert "ANTHROPIC_BASE_URL=https://gateway.example.com " in said
    assert "127.0.0.1" not in said


@pytest.mark.django_db
def test_first_start_prints_what_to_paste_once(settings: Settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {"OPENAI_API_KEY": "sk-openai-secret"}
    settings.HOST, settings.PORT = "0.0.0.0", 9000
    said = run("first_start")
    pasted = r"export ANTHROPIC_BASE_URL=http://127\.0\.0\.1:9000 ANTHROPIC_AUTH_TOKEN=(tg_\w+)\n +claude\n"
    token = re.search(pasted, said)
    assert token
    caller = find(token[1])
    assert caller is not None
    assert (caller.user_name, caller.is_admin) == ("admin", True)
    password = re.search(r"Sign in as +admin +password +(\S+)", said)
    assert password
    assert User.objects.get(username="admin").check_password(password[1])
    assert "http://127.0.0.1:9000/admin/" in said
    assert "openai/gpt-4o-mini" in said
    assert "sk-openai-secret" not in said
    again = run("first_start")
    assert "tg_" not in again
    assert "password" not in again
    assert "http://127.0.0.1:9000/admin/" in again
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_first_start_leaves_accounts_alone(settings: Settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {}
    User.objects.create_user("anna")
    said = run("first_start")
    assert "demo" in said
    assert list(User.objects.values_list("username", flat=True)) == ["anna"]


@pytest.mark.django_db
def test_route_says_where_and_why() -> None:
    set_up(**ALL_KEYS, BIG_MODEL="gpt-4o")
    said = run("route", "claude-opus-4-8")
    assert "claude-opus-4-8 → openai/gpt-4o" in said
    assert "matches '*opus*', which leads to BIG" in said
    anna, team = User.objects.create_user("anna"), Team.objects.create(name="core")
    Membership.objects.create(user=anna, team=team)
    gemini = Provider.objects.get(name="gemini")
    Override.objects.create(team=team, tier=Tier.objects.get(name="BIG"), provider=gemini, model="gemini-2.5-pro")
    said = run("route", "claude-opus-4-8", "--user", "anna")
    assert "gemini/gemini-2.5-pro" in said
    assert "override of team core" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nothing"], "model: nothing"), (["gpt-4o", "--user", "x"], "no user 'x'"), (["gemini/x"], "no key yet")],
)
def test_route_fails_with_one_line(arguments: list[str], said: str) -> None:
    set_up(OPENAI_API_KEY="sk")
    with pytest.raises(CommandError, match=said):
        run("route", *arguments)


@pytest.mark.django_db
def test_load_mapping_applies_the_environment_again(settings: Settings) -> None:
    set_up(**ALL_KEYS)
    settings.PROVIDER_ENVIRONMENT = {"PREFERRED_PROVIDER": "openai", "BIG_MODEL": "gpt-5.1"}
    assert run("load_mapping") == "BIG → openai/gpt-5.1\nSMALL → openai/gpt-4o-mini\n"
    assert Tier.objects.get(name="BIG").model == "gpt-5.1"
    settings.PROVIDER_ENVIRONMENT = {"PREFERRED_PROVIDER": "gogle"}
    with pytest.raises(CommandError, match="google, openai or anthropic"):
        run("load_mapping")


@pytest.mark.django_db
def test_load_mapping_before_a_first_start(settings: Settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {"OPENAI_API_KEY": "sk"}
    with pytest.raises(CommandError, match="first_start"):
        run("load_mapping")


@pytest.mark.parametrize("command", ["route gpt-4o", "load_mapping", "create_key anna"])
def test_without_migrations_one_clear_line(tmp_path: Path, command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")}
    environment |= {"DATA_DIR": str(tmp_path), "ENV_FILE": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "manage.py migrate" in done.stderr
