"""What Django thinks of the settings of a gateway that people reach by HTTPS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_of_a_deployment_pass_djangos_own_check(tmp_path: Path) -> None:
    given = {"PUBLIC_URL": "https://gateway.example.com", "DATA_DIR": str(tmp_path), "ENV_FILE": os.devnull}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=inherited | given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
