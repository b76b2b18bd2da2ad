"""``make run`` on an empty machine: what a newcomer reads, wherever the output goes, and what it promises."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.support.gateway import ROOT, START_SECONDS, free_port

_PASTE = re.compile(r"export ANTHROPIC_BASE_URL=(\S+) ANTHROPIC_AUTH_TOKEN=(tg_\w+)")


def test_the_key_is_in_the_log_while_it_serves(tmp_path: Path) -> None:
    """As a service starts it: not on a terminal, so that nothing is written before somebody says so."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        "ENV_FILE": str(tmp_path / "no.env"),
        "PORT": str(free_port()),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "start"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while (pasted := _PASTE.search(log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        body = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
        with httpx.Client(base_url=pasted[1], headers={"x-api-key": pasted[2]}, transport=_patient()) as client:
            answered = client.post("/v1/messages", json=body, timeout=START_SECONDS)
        assert answered.status_code == 200, answered.text
        assert "demo" in log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _patient() -> httpx.HTTPTransport:
    """The key is shown a moment before the port is open."""
    return httpx.HTTPTransport(retries=8)
