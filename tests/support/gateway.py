"""A whole gateway in a process of its own, set up as a newcomer would set it up, on a database of its own."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psycopg
from psycopg.rows import dict_row

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0
_TOKEN = re.compile(r"tg_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}")
# What a gateway under test takes over from the machine; everything else it is given.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
_DETECTOR = Path(__file__).parent / "detector"


def detector_environment() -> dict[str, str]:
    """The environment of a Python whose blocking calls inside an event loop are errors."""
    return {"PYTHONPATH": str(_DETECTOR)}


# What a newcomer's environment cannot say of a host that is not the vendor's own: that it is like it all the same, and
# where LiteLLM finds a host of its own.
_VENDORS = """
from routing.hosts import OPENAI
from routing.models import Provider
openai = Provider.objects.get(name="openai")
openai.reasoning_dialect = OPENAI.reasoning_dialect
openai.quirks = dict(OPENAI.quirks)
openai.save()
litellm = Provider.objects.get(name="litellm")
litellm.base_url = "{base}/v1"
litellm.enabled = True
litellm.save()
"""

SECRETS: Final = ("sk-test-openai", "test-gemini", "sk-ant-test", "a-secret-for-tests-only")
"""What a gateway under test is given and must never write down."""


def provider_environment(provider_url: str) -> dict[str, str]:
    """The environment of a newcomer with a key of each provider, all of whose hosts are ``provider_url``."""
    return {
        "OPENAI_API_KEY": "sk-test-openai",
        "OPENAI_BASE_URL": f"{provider_url}/v1",
        "GEMINI_API_KEY": "test-gemini",
        "GEMINI_API_BASE": provider_url,
        "ANTHROPIC_API_KEY": "sk-ant-test",
        "ANTHROPIC_API_BASE": provider_url,
    }


class Gateway:
    """A running gateway: ``base_url``, the first person's ``token``, and its database.

    ``server`` is ``uvicorn`` (``manage.py serve``), ``daphne`` or ``runserver``. ``environment`` adds settings.
    """

    def __init__(self, folder: Path, environment: dict[str, str], *, server: str = "uvicorn", workers: int = 1) -> None:
        self.folder = folder
        self.server = server
        self.workers = workers
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._postgres_name = ""
        self.environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self.environment |= {
            "ENV_FILE": str(folder / "no.env"),
            "DATA_DIR": str(folder),
            "DATABASE_URL": self._database_url(),
            "REDIS_URL": os.environ.get("REDIS_URL", ""),
            "SECRET_KEY": "a-secret-for-tests-only-" * 3,
            "PYTHONWARNINGS": "default",
            "DRAIN_NOTICE_SECONDS": "0",
        }
        self.environment |= detector_environment() | environment

    # --- its life ---------------------------------------------------------------------------------------------------

    def set_up(self) -> str:
        """Migrations and the first start; returns what that printed, and keeps the token in it."""
        self.manage("migrate", "--verbosity", "0")
        printed = self.manage("first_start")
        if match := _TOKEN.search(printed):
            self.token = match[0]
        return printed

    def start(self) -> None:
        """Starts the server and waits until it is ready. Raises AssertionError with its log where it is not."""
        assert self._process is None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            assert self._process.poll() is None, f"the gateway ended at its start:\n{self.log_text()}"
            assert time.monotonic() < deadline, f"the gateway did not get ready:\n{self.log_text()}"
            time.sleep(0.05)

    def stop(self, seconds: float = 60.0) -> int:
        """SIGTERM, as an operator stops it; the exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def kill(self) -> None:
        """``kill -9`` of the server and all its workers."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        """Stops what runs and removes the database."""
        try:
            self.stop()
        finally:
            if self._postgres_name:
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                    connection.execute(f'DROP DATABASE "{self._postgres_name}" WITH (FORCE)')

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    # --- what it is asked and what it has written -------------------------------------------------------------------

    def manage(self, *arguments: str, check: bool = True) -> str:
        """``manage.py`` with ``arguments`` on this gateway's database; its standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + ("" if check else done.stderr)

    def treat_as_vendors(self, provider_url: str) -> None:
        """Makes a host of ours be asked as OpenAI's own is, Responses included, and through LiteLLM too."""
        self.manage("shell", "-c", _VENDORS.format(base=provider_url))

    def warm_litellm(self) -> None:
        """Has the worker import LiteLLM, which takes seconds."""
        body = {"model": "hosted_vllm/warm", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        with self.client() as client:
            client.post("/v1/messages", json=body, timeout=90)

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client that shows this gateway's first key."""
        headers = {"x-api-key": self.token, "anthropic-version": "2023-06-01"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30, **options)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of the gateway's own database, read beside it. ``sql`` takes ``?`` for parameters."""
        if self._postgres_name:
            with psycopg.connect(self.environment["DATABASE_URL"], row_factory=dict_row) as connection:
                return connection.execute(sql.replace("?", "%s").encode(), parameters).fetchall()
        connection_ = sqlite3.connect(self.folder / "gateway.sqlite3", timeout=20)
        connection_.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection_.execute(sql, parameters)]
        finally:
            connection_.close()

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # --- how --------------------------------------------------------------------------------------------------------

    def _database_url(self) -> str:
        given = os.environ.get("DATABASE_URL", "")
        if not given.startswith("postgres"):
            return f"sqlite:///{self.folder / 'gateway.sqlite3'}"
        self._postgres_name = f"tollgate_{secrets.token_hex(6)}"
        with psycopg.connect(given, autocommit=True) as connection:
            template = os.environ.get(
                "TEST_DATABASE_TEMPLATE", "template1"
            )  # benchmarks: a ledger that is full already
            connection.execute(f'CREATE DATABASE "{self._postgres_name}" TEMPLATE "{template}"')
        return urlsplit(given)._replace(path=f"/{self._postgres_name}").geturl()

    def _command(self) -> list[str]:
        listen = {
            "uvicorn": ["manage.py", "serve", "--host", "127.0.0.1", "--port", str(self.port)],
            "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "proxysite.asgi:application"],
            "runserver": ["manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}"],
        }[self.server]
        if self.server == "uvicorn":
            listen += ["--workers", str(self.workers)]
        return [sys.executable, *listen]

    def is_ready(self) -> bool:
        """Whether it may be sent requests now."""
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def running_gateway(
    folder: Path, environment: dict[str, str], *, server: str | None = None, workers: int = 1
) -> Iterator[Gateway]:
    """A gateway that is set up, started, and gone afterwards. ``server``: as TEST_SERVER says, else uvicorn."""
    chosen = server or os.environ.get("TEST_SERVER", "uvicorn")
    gateway = Gateway(folder, environment, server=chosen, workers=workers)
    try:
        gateway.set_up()
        gateway.start()
        yield gateway
    finally:
        gateway.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
