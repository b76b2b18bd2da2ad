"""The real Claude Code client, on loopback, in a home and a working folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import ScriptedProvider

CLIENT_SECONDS = 150
TOOLS = ("Bash", "Write", "Read", "WebSearch")


@dataclass(frozen=True, slots=True)
class Run:
    """What one ``claude -p`` did: its exit status, and what it printed."""

    status: int
    output: str


class Client:
    """One person's Claude Code. Its ``home`` and its ``folder`` last as long as the test, so sessions can go on."""

    def __init__(self, gateway: Gateway, place: Path) -> None:
        binary = os.environ.get("CLAUDE_BIN") or shutil.which("claude")
        assert binary, "the Claude Code client is not installed: npm install -g @anthropic-ai/claude-code"
        self._binary = str(Path(binary).resolve())
        self.home, self.folder = place / "home", place / "work"
        self.home.mkdir()
        self.folder.mkdir()
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "ANTHROPIC_BASE_URL": gateway.base_url,
            "ANTHROPIC_AUTH_TOKEN": gateway.token,
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "2",
        }

    def __call__(self, prompt: str, *options: str, model: str, **environment: str) -> Run:
        """Print mode to its end, with every tool allowed. ``environment`` adds variables; "" takes one away."""
        begun = self.begin(prompt, *options, model=model, **environment)
        try:
            output, errors = begun.communicate(timeout=CLIENT_SECONDS)
        finally:
            begun.kill()
        return Run(begun.returncode, output + errors)

    def begin(self, prompt: str, *options: str, model: str, **environment: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        return subprocess.Popen(
            [self._binary, "-p", prompt, "--model", model, "--allowedTools", *TOOLS, *options],
            cwd=self.folder,
            env={name: value for name, value in (self._environment | environment).items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class Ledger:
    """The rows that a test's clients left: they say which session is theirs."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._before = len(self._all())

    def rows(self) -> list[dict[str, Any]]:
        """In the order in which they were begun."""
        return self._all()[self._before :]

    def _all(self) -> list[dict[str, Any]]:
        return self._gateway.rows("SELECT * FROM accounting_ledgerentry WHERE session_id <> '' ORDER BY started_at, id")


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="session")
def gateway(scripted: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = provider_environment(scripted.base_url) | {"PREFERRED_PROVIDER": "openai"}
    with running_gateway(tmp_path_factory.mktemp("gateway"), environment) as running:
        running.treat_as_vendors(scripted.base_url)
        running.warm_litellm()
        yield running


@pytest.fixture
def provider(scripted: ScriptedProvider, gateway: Gateway) -> Iterator[ScriptedProvider]:
    """The scripted provider with an empty record. It ends up having refused nothing."""
    scripted.clear()
    brain = scripted.desk.brain
    yield scripted
    scripted.desk.brain = brain
    assert scripted.refusals == []


@pytest.fixture
def ledger(gateway: Gateway) -> Ledger:
    return Ledger(gateway)


@pytest.fixture
def claude(gateway: Gateway, tmp_path: Path) -> Client:
    return Client(gateway, tmp_path)
