"""The real Claude Code client, on loopback, in a home and a working folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import ScriptedProvider, ToolTask

CLIENT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Run:
    """What one ``claude -p`` did: its exit status, its output, and the folder it worked in."""

    status: int
    output: str
    folder: Path


Claude = Callable[..., Run]


@pytest.fixture(scope="session")
def task_provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(brain=ToolTask(thinking=True)) as provider:
        yield provider


@pytest.fixture(scope="session")
def task_gateway(task_provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = provider_environment(task_provider.base_url) | {"PREFERRED_PROVIDER": "openai"}
    with running_gateway(tmp_path_factory.mktemp("gateway"), environment) as running:
        yield running


@pytest.fixture
def claude(task_gateway: Gateway, tmp_path: Path) -> Claude:
    """Runs the client in print mode with every tool allowed."""
    binary = os.environ.get("CLAUDE_BIN") or shutil.which("claude")
    assert binary, "the Claude Code client is not installed: npm install -g @anthropic-ai/claude-code"
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": task_gateway.base_url,
        "ANTHROPIC_AUTH_TOKEN": task_gateway.token,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
    }

    def run(prompt: str, *options: str, model: str, **more: str) -> Run:
        allowed = ["--allowedTools", "Bash", "Write", "Read", "WebSearch"]
        done = subprocess.run(
            [str(Path(binary).resolve()), "-p", prompt, "--model", model, *allowed, *options],
            cwd=folder,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
        )
        return Run(done.returncode, done.stdout + done.stderr, folder)

    return run
