"""The detector of blocking calls sees one of ours in a test, and any in the process of a gateway under test."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from blockbuster import BlockingError

from accounting.ledger.journal import Journal
from tests.support.gateway import ROOT, detector_environment

_SLEEPS = "import asyncio, time\nasync def main(): time.sleep(0)\nasyncio.run(main())"


async def test_in_a_test(tmp_path: Path) -> None:
    with pytest.raises(BlockingError):
        Journal(tmp_path / "journal", uuid.uuid4()).append([])


def test_in_a_gateway() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SLEEPS], cwd=ROOT, env=detector_environment(), capture_output=True, text=True
    )
    assert "BlockingError: Blocking call to time.sleep" in done.stderr
