"""The status line's script, run by a shell against a gateway on loopback, as Claude Code runs it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "accounting/static/accounting/statusline.sh"
LINE = "$1.24 today · $18.76 of $20.00 left this month"
INPUT = json.dumps({"session_id": "0a1b-2c", "cwd": "/secret/place", "model": {"display_name": "Opus"}})


class _Answers(BaseHTTPRequestHandler):
    asked: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization", "")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{LINE}\n".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    _Answers.asked = []
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(home: Path, **environment: str) -> str:
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(home), **environment}
    done = subprocess.run(["sh", SCRIPT], input=INPUT, env=variables, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_one_line_and_nothing_sent_but_the_sessions_id(gateway: str, tmp_path: Path) -> None:
    printed = run(tmp_path, ANTHROPIC_BASE_URL=f"{gateway}/", ANTHROPIC_AUTH_TOKEN="tg_key")
    assert printed == f"{LINE}\n"
    assert _Answers.asked == [("/api/statusline?format=txt&session_id=0a1b-2c", "Bearer tg_key")]
    assert run(tmp_path, ANTHROPIC_BASE_URL=gateway, ANTHROPIC_AUTH_TOKEN="tg_key") == f"{LINE}\n"
    assert len(_Answers.asked) == 1  # kept for some seconds


def test_what_was_kept_of_old_sessions_goes(gateway: str, tmp_path: Path) -> None:
    old, recent = (tmp_path / f".cache/tollgate/statusline-{name}" for name in ("old", "recent"))
    old.parent.mkdir(parents=True)
    for path, days in ((old, 9), (recent, 1)):
        path.write_text("a line\n")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    run(tmp_path, ANTHROPIC_BASE_URL=gateway, ANTHROPIC_AUTH_TOKEN="tg_key")
    assert not old.exists()
    assert recent.exists()


def test_a_gateway_that_is_away_leaves_the_last_line(gateway: str, tmp_path: Path) -> None:
    away = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_AUTH_TOKEN": "k", "TOLLGATE_STATUSLINE_SECONDS": "0"}
    assert run(tmp_path, **away) == "tollgate: no answer from http://127.0.0.1:9\n"
    run(tmp_path, **(away | {"ANTHROPIC_BASE_URL": gateway}))
    assert run(tmp_path, **away) == f"{LINE}\n"


def test_without_settings_it_says_which_are_missing(tmp_path: Path) -> None:
    assert run(tmp_path).startswith("tollgate: set ANTHROPIC_BASE_URL")
