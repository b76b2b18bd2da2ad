"""The process above the workers, with workers that do nothing but serve and leave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

# Serves after a moment, as a gateway does once it has read its table.
WORKER = """
import os, signal, time
ready = int(os.environ["TOLLGATE_WORKER"].split(",")[1])
time.sleep(0.3)
os.write(ready, b"1")
signal.pause()
"""
ABOVE = f"""
import logging, socket, sys
from routing.supervisor import Supervisor
logging.basicConfig(level=logging.INFO, format="%(message)s")
with socket.socket() as sock:
    sock.bind(("127.0.0.1", 0))
    sys.exit(Supervisor([sys.executable, "-c", {WORKER!r}], {{}}, sock, 4, 5.0, lambda slot: None).run())
"""


@pytest.fixture
def above() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", ABOVE], stderr=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


def _started(above: subprocess.Popen[str], count: int) -> None:
    """Returns when so many workers more have been started."""
    assert above.stderr is not None
    while count:
        count -= bool(re.match(r"worker \d+ started", above.stderr.readline()))


def test_who_is_told_to_leave_while_workers_are_replaced_replaces_no_more(above: subprocess.Popen[str]) -> None:
    _started(above, 4)
    os.kill(above.pid, signal.SIGHUP)
    _started(above, 1)
    os.kill(above.pid, signal.SIGTERM)
    assert above.stderr is not None
    assert "started" not in above.stderr.read()
    assert above.wait(30) == 0
