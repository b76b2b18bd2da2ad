"""Docs and sources name files that are there, and every picture is in one of the docs, and small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")


def _files(page: Path) -> set[Path]:
    found = {first or second for first, second in _LINK.findall(page.read_text())}
    return {(page.parent / name).resolve() for name in found if "://" not in name and not name.startswith("mailto:")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert [path for path in _files(page) if not path.exists()] == []


def test_pages_that_sources_name_are_there() -> None:
    """A stranger who follows a source must find it: here, or on the web."""
    named = {
        (str(path.relative_to(ROOT)), name)
        for room in ("proxysite", "routing", "accounting", "tests", "benchmarks")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r"(?<![\w/.-])[\w/.-]+\.md\b", path.read_text())
    }
    assert [each for each in named if not any((ROOT / where / each[1]).exists() for where in ("", "docs"))] == []


def test_pictures_are_shown_and_small() -> None:
    pictures = {path.resolve() for path in (ROOT / "docs/images").glob("*.png")}
    assert pictures == {path for page in PAGES for path in _files(page) if path.suffix == ".png"}
    assert [path for path in pictures if path.stat().st_size > 150_000] == []
