"""The house's own rules, held by machine: which way arrows point, how large a room may be, what is pinned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
PROXY_VARIABLES = {"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"}  # read in routing.upstream.proxies
ROOMS = ("proxysite", "routing", "accounting", "tests", "benchmarks")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def test_arrows_point_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_files_are_one_room() -> None:
    long = {str(path.relative_to(ROOT)): n for path in _sources() if (n := _lines(path)) > MAX_FILE_LINES}
    assert not long


def test_functions_fit_on_a_page() -> None:
    long = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = lines
    assert not long


@pytest.mark.django_db
def test_migrations_are_up_to_date() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"^[A-Za-z0-9._\[\],-]+==\S+.*--hash=sha256:[0-9a-f]{64}", line), line[:80]


def test_top_level_is_the_one_agreed() -> None:
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert apps == {"routing", "accounting"}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_the_readme_lists_the_settings_that_there_are() -> None:
    sources = "".join((ROOT / "proxysite" / name).read_text() for name in ("settings.py", "oidc.py"))
    read = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', sources))
    assert len(read) > 30
    section = re.search(r"^## Settings\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S)
    assert section is not None
    listed = set(re.findall(r"`([A-Z][A-Z_]{3,})`", re.sub(r"\|[^|]*\|$", "", section[1], flags=re.M)))
    assert read - listed == set()
    assert {name for name in listed if f'"{name}"' not in sources} == PROXY_VARIABLES | {"NAME_FILE"}
