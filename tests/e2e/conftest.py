"""One gateway process for the whole run, in front of one scripted provider that speaks every dialect."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import ScriptedProvider

from .asking import Asker

# What a newcomer's environment cannot say of a host that is not the vendor's own: that it is like it all the same, and
# where LiteLLM finds a host of its own.
_SETTINGS = """
from routing.environment import PRESETS
from routing.models import Provider
openai = Provider.objects.get(name="openai")
openai.reasoning_dialect = PRESETS["openai"].reasoning_dialect
openai.quirks = dict(PRESETS["openai"].quirks) | {{"service_tier": True, "end_user_field": "safety_identifier"}}
openai.save()
litellm = Provider.objects.get(name="litellm")
litellm.base_url = "{base}/v1"
litellm.enabled = True
litellm.save()
"""


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
        running.manage("shell", "-c", _SETTINGS.format(base=scripted.base_url))
        # LiteLLM's import takes longer than the pings wait here: whichever test comes first must not pay for it.
        body = {"model": "hosted_vllm/warm", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        with running.client() as client:
            client.post("/v1/messages", json=body, timeout=90)
        yield running


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
