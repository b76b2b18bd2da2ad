"""A mistake in a variable is told by the variable's name in one line, and what is set to nothing is not set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from proxysite.environment import Env
from tests.support.gateway import ROOT


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Env:
    monkeypatch.setattr(Env.ENVIRON, "files_cache", {})
    return Env()


def _check(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "ENV_FILE": str(tmp_path / "no.env"), "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=kept | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "tollgate"),
        ("LOG_LEVEL", "loud"),
        ("TIME_ZONE", "Mars"),
        ("REDIS_URL", "localhost:6379"),
        ("OPENAI_API_KEY_FILE", "/nowhere"),
    ],
)
def test_a_mistake_is_one_line_with_the_name(tmp_path: Path, name: str, value: str) -> None:
    done = _check(tmp_path, **{name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(name)
    assert done.stderr.count("\n") == 1


def test_set_to_nothing_is_not_set(tmp_path: Path) -> None:
    names = (
        "PORT",
        "WORKERS",
        "DEBUG",
        "DATABASE_URL",
        "REDIS_URL",
        "LOG_LEVEL",
        "ALLOWED_HOSTS",
        "OPENAI_API_KEY_FILE",
    )
    done = _check(tmp_path, **dict.fromkeys(names, ""))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "secret-key").exists()


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "1e9", "ten", "1.5.2"])
def test_a_number_is_in_its_bounds(env: Env, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SOME_NUMBER", given)
    with pytest.raises(ImproperlyConfigured, match=f"^SOME_NUMBER is '{given}'"):
        env.number("SOME_NUMBER", 2.5, least=0.5, most=100.0)


def test_numbers_have_the_type_of_their_default(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NUMBER", "7")
    assert repr(env.number("SOME_NUMBER", 2.5, least=0.5)) == "7.0"
    assert repr(env.number("SOME_NUMBER", 2, least=1)) == "7"
    monkeypatch.setenv("SOME_NUMBER", "7.5")
    with pytest.raises(ImproperlyConfigured, match="a whole number of at least 1 is wanted"):
        env.number("SOME_NUMBER", 2, least=1)


def test_a_databases_password_is_not_shown(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_URL", "mysql://root:hunter2@host/name")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.database("SOME_URL", "")
    assert "hunter2" not in str(caught.value)
