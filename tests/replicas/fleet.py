"""Two gateways of two workers each on one PostgreSQL and Redis, behind nginx with the configuration that is shipped."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.gateway import ROOT, Gateway, free_port, provider_environment

_NGINX = ROOT / "deploy" / "nginx" / "nginx.conf"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

# Does to the database what an admin does, on a line of standard input, and says so when it is committed.
_ADMIN = """
import sys
from django.utils import timezone
from accounting.models import Key
from routing.models import Tier
print("ready", flush=True)
for line in sys.stdin:
    word, name = line.split()
    if word == "map":
        tier = Tier.objects.get(name="BIG")
        tier.model = name
        tier.save()
    else:
        key = Key.objects.get(name=name)
        key.revoked_at = timezone.now()
        key.save()
    print("done", flush=True)
"""
_KEYS = """
from accounting.identity import mint
from accounting.models import Limit, User
user = User.objects.get(username="admin")
for number in range({count}):
    print("key", mint(user, name=f"key-{{number}}")[1])
Limit.objects.create(scope="gateway", kind="budget", period="total", amount=100_000)
Limit.objects.create(scope="gateway", kind="concurrent_requests", count=100_000)
"""


class Admin:
    """Somebody in the admin. ``map`` and ``revoke`` return when the change is committed."""

    def __init__(self, gateway: Gateway) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", _ADMIN],
            cwd=ROOT,
            env=gateway.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._await("ready")

    def map(self, model: str) -> None:
        self._say(f"map {model}")

    def revoke(self, name: str) -> None:
        self._say(f"revoke {name}")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._await("done")

    def _await(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == word


class Fleet:
    """``base_url`` is nginx's. ``tokens`` are of keys named ``key-0`` and so on."""

    def __init__(self, folder: Path, provider_url: str, keys: int) -> None:
        environment = provider_environment(provider_url) | {
            "PREFERRED_PROVIDER": "openai",
            "LEDGER_LEASE_SECONDS": "4",
            "DRAIN_NOTICE_SECONDS": "5",
            "TRUSTED_PROXIES": "127.0.0.1/32",
            "LOG_FORMAT": "json",
        }
        self.gateways: list[Gateway] = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            if self.gateways:
                environment["DATABASE_URL"] = self.gateways[0].environment["DATABASE_URL"]
            self.gateways.append(Gateway(folder / name, environment, workers=2))
        first = self.gateways[0]
        first.set_up()
        printed = first.manage("shell", "--no-imports", "-c", _KEYS.format(count=keys))
        self.tokens = re.findall(r"^key (\S+)$", printed, re.M)
        assert len(self.tokens) == keys
        for gateway in self.gateways:
            gateway.start()
        self.admin = Admin(first)
        self._port = free_port()
        self.base_url = f"http://127.0.0.1:{self._port}"
        self._folder = folder / "nginx"
        self._nginx = self._start_nginx()

    @property
    def ledger(self) -> Gateway:
        """The gateway through which the common database is read."""
        return self.gateways[0]

    def close(self) -> None:
        self._nginx.terminate()
        self._nginx.wait(30)
        self.admin.close()
        for gateway in reversed(self.gateways):  # the first one's database is the common one
            gateway.close()

    def _start_nginx(self) -> subprocess.Popen[bytes]:
        self._folder.mkdir()
        conf = self._folder / "nginx.conf"
        conf.write_text(self._conf())
        (self._folder / "logs").mkdir()
        command = [shutil.which("nginx") or "nginx", "-p", str(self._folder), "-e", "logs/error.log", "-c", str(conf)]
        subprocess.run([*command, "-t", "-q"], check=True)
        running = subprocess.Popen(command)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return running

    def _conf(self) -> str:
        """The shipped configuration, on this test's ports and in its folder."""
        text = _NGINX.read_text()
        (server,) = re.findall(r"server gateway:8082 (.*);", text)
        servers = "\n".join(f"server 127.0.0.1:{gateway.port} {server};" for gateway in self.gateways)
        text = text.replace(f"server gateway:8082 {server};", servers)
        text = text.replace("listen 8080;", f"listen 127.0.0.1:{self._port};")
        text = text.replace("worker_processes auto;", "worker_processes 1; daemon off; pid nginx.pid;")
        text = text.replace("worker_rlimit_nofile 65536;", "").replace(
            "worker_connections 16384;", "worker_connections 1024;"
        )
        paths = "".join(f"{name}_temp_path {name};" for name in _TEMPORARY)
        return text.replace("http {", f"http {{ {paths}", 1)


@contextmanager
def fleet(folder: Path, provider_url: str, keys: int) -> Iterator[Fleet]:
    running = Fleet(folder, provider_url, keys)
    try:
        yield running
    finally:
        running.close()
