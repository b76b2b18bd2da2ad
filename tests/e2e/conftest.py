"""One gateway process for the whole run, in front of one scripted provider that speaks every dialect."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.gateway import SECRETS, Gateway, provider_environment, running_gateway
from tests.support.provider import ScriptedProvider

from .asking import Asker


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="session")
def gateway(scripted: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = provider_environment(scripted.base_url) | {
        "PREFERRED_PROVIDER": "openai",
        "GATEWAY_PING_SECONDS": "0.5",
        "UPSTREAM_SILENCE_SECONDS": "3",
    }
    with running_gateway(tmp_path_factory.mktemp("gateway"), environment) as running:
        running.treat_as_vendors(scripted.base_url)
        running.warm_litellm()  # longer than the pings wait here: whichever test comes first must not pay for it
        yield running
        logged = running.log_text()
        for secret in (running.token, *SECRETS):
            assert secret not in logged, "a credential stands in the log"


@pytest.fixture
def provider(scripted: ScriptedProvider) -> ScriptedProvider:
    """The scripted provider, with an empty script and no record."""
    scripted.clear()
    return scripted


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with gateway.client() as client:
        yield client


@pytest.fixture
def ask(client: httpx.Client, provider: ScriptedProvider) -> Asker:
    return Asker(client)
