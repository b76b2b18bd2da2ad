"""The pictures of the docs, taken of the pages as they are: ``make docs`` puts them into ``docs/images``."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.support.gateway import ROOT, Gateway

from .asking import keep_asking
from .conftest import FOR_DOCS, Visit

pytestmark = pytest.mark.browser
DESKTOP: ViewportSize = {"width": 1180, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
_MOST_BYTES = 150_000
_SPEEDS_SEEN = (
    "Chart.getChart(document.querySelector('[data-live-chart]')).data.datasets[0].data.filter(Boolean).length > 9"
)


@pytest.fixture
def folder(pictures: Path) -> Path:
    return ROOT / "docs/images" if FOR_DOCS else pictures


def _take(page: Page, path: Path, height: int = DESKTOP["height"]) -> None:
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    size = page.viewport_size or DESKTOP
    page.set_viewport_size({"width": size["width"], "height": height})
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size < _MOST_BYTES, path


def _session(gateway: Gateway) -> str:
    (row,) = gateway.rows(
        "SELECT session_id FROM accounting_ledgerentry WHERE user_name = 'max' AND parent_agent_id <> ''"
        " GROUP BY session_id ORDER BY count(DISTINCT agent_id) DESC, session_id LIMIT 1"
    )
    return f"/sessions/{row['session_id']}/"


def test_the_pages_of_a_developer(visit: Visit, gateway: Gateway, folder: Path) -> None:
    page = visit("max", "/", viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
    _take(page, folder / "start.png", 760)
    page.goto("/usage/?period=30")
    _take(page, folder / "usage.png", 1000)
    page.goto(_session(gateway))
    _take(page, folder / "session.png", 720)


def test_the_pages_of_a_lead(visit: Visit, folder: Path) -> None:
    page = visit("lena", "/", viewport=DESKTOP, color_scheme="dark", reduced_motion="reduce")
    page.get_by_role("link", name="Platform").click()
    page.get_by_label("Cut by").select_option("Person")
    expect(page).to_have_url(re.compile("by=user"))
    _take(page, folder / "team.png", 1000)
    page.emulate_media(color_scheme="light")
    page.get_by_role("link", name="Month", exact=True).click()
    _take(page, folder / "month.png", 900)


def test_on_a_phone(visit: Visit, folder: Path) -> None:
    page = visit("max", "/usage/", viewport=PHONE, color_scheme="light", reduced_motion="reduce")
    _take(page, folder / "phone.png", PHONE["height"])


def test_the_live_page(visit: Visit, gateway: Gateway, folder: Path) -> None:
    page = visit("max", "/keys/new/", viewport=DESKTOP, color_scheme="light", bypass_csp=True)  # to wait for a script
    page.get_by_role("button", name="Make the key").click()
    token = page.locator("#token").inner_text()
    page.goto("/live/")
    over = threading.Event()
    work = [threading.Thread(target=keep_asking, args=(gateway, token, over)) for _ in range(3)]
    for thread in work:
        thread.start()
    try:
        page.wait_for_function(_SPEEDS_SEEN, timeout=60_000)
        expect(page.locator("[data-live-rows=people] th")).to_have_text("max")
        page.screenshot(path=folder / "live.png", animations="disabled")
    finally:
        over.set()
        for thread in work:
            thread.join()
    assert (folder / "live.png").stat().st_size < _MOST_BYTES
