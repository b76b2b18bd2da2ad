"""The ways to the provider that are compared: each starts its server and says how to ask it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.gateway import ROOT, Gateway, free_port, provider_environment

from . import litellm_proxy
from .load import Way
from .processes import ALL_CORES, LOAD_CORES, SERVER_CORES, Server

MESSAGES_PATH: Final = "/v1/messages"
_MESSAGES_END: Final = b"message_stop"


@dataclass(frozen=True, slots=True)
class Dialect:
    """``model`` is the name that leads there through the gateway; ``path`` and ``plain_path`` are the provider's."""

    name: str
    model: str
    path: str
    end: bytes
    plain_path: str = ""

    def path_for(self, stream: bool) -> str:
        return self.path if stream or not self.plain_path else self.plain_path


CHAT: Final = Dialect("openai_chat", "claude-opus-4-8", "/v1/chat/completions", b"[DONE]")
DIALECTS: Final = {
    dialect.name: dialect
    for dialect in (
        CHAT,
        Dialect("openai_responses", "responses/gpt-5", "/v1/responses", b"response.completed"),
        Dialect(
            "gemini",
            "gemini/gemini-2.5-pro",
            "/v1beta/models/m:streamGenerateContent",
            b"STOP",
            "/v1beta/models/m:generateContent",
        ),
        Dialect("anthropic", "anthropic/claude-sonnet-5", MESSAGES_PATH, _MESSAGES_END),
    )
}

# What every request of the benchmark meets: two budgets, two rates and a bound on requests in flight, none of them
# ever reached; and a provider that speaks Responses, for that dialect's rows.
_SET_UP: Final = """
import os
from accounting.identity import mint
from accounting.models import Key, Limit, User
from routing import credentials
from routing.models import Provider, Tier
key = Key.objects.first()
if key is None or os.environ.get("BENCHMARK_KEY"):  # a copied ledger, whose keys nobody has
    key, token = mint(User.objects.order_by("id").first())
    openai = Provider.objects.get(name="openai")
    openai.base_url, openai.enabled = os.environ["OPENAI_BASE_URL"], True
    openai.save()
    credentials.store(openai, "sk-test")
    Tier.objects.filter(name="BIG").update(provider=openai, model="gpt-4o")
    print("token", token)
Limit.objects.create(scope="gateway", kind="budget", period="month", amount=10**6)
Limit.objects.create(scope="user", user=key.user, kind="budget", period="day", amount=10**6)
Limit.objects.create(scope="key", key=key, kind="requests_per_minute", count=10**9)
Limit.objects.create(scope="key", key=key, kind="tokens_per_minute", count=10**13)
Limit.objects.create(scope="key", key=key, kind="concurrent_requests", count=10**6)
base = Provider.objects.get(name="openai").base_url
provider = Provider.objects.create(name="responses", dialect="openai_responses", base_url=base, price_family="openai")
credentials.store(provider, "sk-test")
"""


@contextmanager
def provider(folder: Path, *, deltas: int = 32, pace: float = 0.0) -> Iterator[Server]:
    """The pre-baked provider, beside the load generator."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.provider", "--baked", str(deltas), "--pace", str(pace)]
    server = Server([*command, "--port", str(port)], port, folder / "provider.log", os.environ, LOAD_CORES)
    try:
        yield server
    finally:
        server.stop()


class Column:
    """A way to the provider under test. ``server`` is None for the direct one."""

    name: str
    server: Server | None = None

    def way(self, dialect: Dialect, *, stream: bool) -> Way:
        raise NotImplementedError

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()


class Direct(Column):
    """The load generator asks the provider itself."""

    name = "direct"

    def __init__(self, provider_port: int, folder: Path) -> None:
        self._port = provider_port

    def way(self, dialect: Dialect, *, stream: bool) -> Way:
        return Way(self._port, dialect.path_for(stream), dialect.end if stream else b"")


class Relay(Column):
    """``benchmarks.relay`` on uvicorn, as the gateway runs on it."""

    name = "bare relay"

    def __init__(self, provider_port: int, folder: Path) -> None:
        port = free_port()
        environment = os.environ | {"RELAY_TO": f"http://127.0.0.1:{provider_port}"}
        command = [sys.executable, "-m", "uvicorn", "benchmarks.relay:application", "--port", str(port)]
        command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--lifespan", "off"]
        command += ["--log-level", "warning", "--no-server-header", "--no-date-header"]
        self.server = Server(command, port, folder / "relay.log", environment, SERVER_CORES)

    def way(self, dialect: Dialect, *, stream: bool) -> Way:
        assert self.server is not None
        return Way(self.server.port, dialect.path_for(stream), dialect.end if stream else b"")


class Tollgate(Column):
    """This gateway with everything on: authentication, limits, budgets, the ledger."""

    name = "this gateway"

    def __init__(self, provider_port: int, folder: Path, workers: int = 1) -> None:
        home = Path(tempfile.mkdtemp(prefix="gateway-", dir=folder))
        environment = provider_environment(f"http://127.0.0.1:{provider_port}") | {
            "PREFERRED_PROVIDER": "openai",
            "BIG_MODEL": "gpt-4o",
            "PYTHONWARNINGS": "ignore",
            "GATEWAY_MAX_IN_FLIGHT": "10000",
        }
        self.gateway = Gateway(home, environment, workers=workers)
        self.gateway.set_up()
        if not self.gateway.token:
            self.gateway.environment["BENCHMARK_KEY"] = "yes"
        printed = self.gateway.manage("shell", "--no-imports", "-c", _SET_UP)
        self.gateway.token = self.gateway.token or printed.rpartition("token ")[2].strip()
        self.server = Server(
            [sys.executable, str(ROOT / "manage.py"), "serve", f"--port={self.gateway.port}", f"--workers={workers}"],
            self.gateway.port,
            home / "server.log",
            self.gateway.environment,
            SERVER_CORES if workers == 1 else ALL_CORES,
        )

    def way(self, dialect: Dialect, *, stream: bool) -> Way:
        headers = (("x-api-key", self.gateway.token), ("anthropic-version", "2023-06-01"))
        return Way(self.gateway.port, MESSAGES_PATH, _MESSAGES_END if stream else b"", headers)

    def stop(self) -> None:
        super().stop()
        self.gateway.close()


class LiteLLM(Column):
    """LiteLLM's proxy, one worker, no database: less than what is asked of the gateway."""

    name = "LiteLLM's proxy"

    def __init__(self, provider_port: int, folder: Path) -> None:
        command, environment = litellm_proxy.command(folder, provider_port)
        port = free_port()
        self.server = Server(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            port,
            folder / "litellm.log",
            environment,
            SERVER_CORES,
        )

    def way(self, dialect: Dialect, *, stream: bool) -> Way:
        assert self.server is not None
        headers = (("x-api-key", litellm_proxy.KEY), ("anthropic-version", "2023-06-01"))
        return Way(self.server.port, MESSAGES_PATH, _MESSAGES_END if stream else b"", headers)


def use_load_core() -> None:
    """Puts this process, the load generator, on its core."""
    os.sched_setaffinity(0, LOAD_CORES)
