"""Fixtures of the support tests: a provider, and ways to ask it in every dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.provider import ScriptedProvider, echo
from tests.support_tests.asking import Ask


@pytest.fixture(scope="session")
def running() -> Iterator[ScriptedProvider]:
    """One provider for the whole run."""
    with ScriptedProvider() as started:
        yield started


@pytest.fixture
def provider(running: ScriptedProvider) -> ScriptedProvider:
    """The provider as if new: strict, echoing, without script or record."""
    desk = running.desk
    desk.brain, desk.strict, desk.api_key, desk.known = echo, True, None, None
    running.clear()
    return running


@pytest.fixture(scope="session")
def connected(running: ScriptedProvider) -> Iterator[httpx.Client]:
    """A plain HTTP client with every vendor's credentials."""
    headers = {
        "authorization": "Bearer key",
        "x-api-key": "key",
        "x-goog-api-key": "key",
        "anthropic-version": "2023-06-01",
    }
    with httpx.Client(base_url=running.base_url, headers=headers, timeout=5.0) as opened:
        yield opened


@pytest.fixture
def client(provider: ScriptedProvider, connected: httpx.Client) -> httpx.Client:
    """That client, the provider's script being empty."""
    return connected


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """Ask in a dialect; see :class:`Ask`."""
    return Ask(client)


@pytest.fixture(params=["anthropic", "gemini", "openai_chat", "openai_responses"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Every dialect in turn."""
    name: Any = request.param
    return str(name)
