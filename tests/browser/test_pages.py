"""Every page, in light, dark and on a phone: accessible (axe), no wider than its window, and pictured."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.support.gateway import Gateway

from .asking import ask
from .conftest import Visit

pytestmark = pytest.mark.browser
LOOKS: dict[str, tuple[Literal["light", "dark"], ViewportSize]] = {
    "light": ("light", {"width": 1280, "height": 860}),
    "dark": ("dark", {"width": 1280, "height": 860}),
    "phone": ("light", {"width": 390, "height": 844}),
}
PAGES = {
    "sign-in": (None, "/accounts/login/"),
    "reset": (None, "/accounts/password/reset/"),
    "missing": (None, "/nowhere/"),
    "start": ("max", "/"),
    "keys": ("max", "/keys/"),
    "key": ("max", "/keys/new/"),
    "rotate": ("max", "/keys/KEY/rotate/"),
    "revoke": ("max", "/keys/KEY/revoke/"),
    "usage": ("max", "/usage/?period=90"),
    "sessions": ("max", "/usage/sessions/"),
    "session": ("max", "SESSION"),
    "requests": ("max", "/usage/requests/"),
    "request": ("max", "REQUEST"),
    "speed": ("max", "/usage/speed/"),
    "what-if": ("max", "/usage/what-if/?candidates=openai/gpt-4o,gemini/gemini-2.5-pro"),
    "team": ("lena", "TEAM"),
    "month": ("lena", "TEAMmonth/"),
    "everything": ("ada", "/everything/?by=team"),
    "live": ("max", "/live/"),
    "account": ("max", "/account/"),
    "password": ("max", "/accounts/password/change/"),
    "second-factor": ("max", "/accounts/2fa/"),
    "not-yours": ("max", "/everything/"),
}


def _path(gateway: Gateway, path: str) -> str:
    if path in ("SESSION", "REQUEST"):
        (row,) = gateway.rows(
            "SELECT session_id, request_id FROM accounting_ledgerentry WHERE user_name = 'max' AND agent_id <> ''"
            " AND parent_agent_id <> '' ORDER BY id DESC LIMIT 1"
        )
        return f"/sessions/{row['session_id']}/" if path == "SESSION" else f"/requests/{row['request_id']}/"
    (team,) = gateway.rows("SELECT id FROM accounting_team WHERE name = 'Platform'")
    (key,) = gateway.rows(
        "SELECT accounting_key.id FROM accounting_key JOIN accounting_user ON user_id = accounting_user.id"
        " WHERE username = 'max' ORDER BY accounting_key.id LIMIT 1"
    )
    return path.replace("TEAM", f"/teams/{team['id']}/").replace("KEY", str(key["id"]))


def _findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("name", PAGES)
def test_page(visit: Visit, gateway: Gateway, pictures: Path, name: str) -> None:
    """One window for all looks: a page follows its system's colours and its window's size without being loaded anew."""
    who, path = PAGES[name]
    page = visit(who, _path(gateway, path))
    page.wait_for_load_state("networkidle")
    for look, (scheme, size) in LOOKS.items():
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert not _findings(page), look
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], look
        page.screenshot(path=pictures / f"{name}-{look}.png", full_page=look != "phone")


@pytest.mark.parametrize("name", ["start", "usage", "live"])
def test_nothing_moves_while_a_page_loads(visit: Visit, gateway: Gateway, name: str) -> None:
    """Cumulative Layout Shift (https://web.dev/articles/cls), on a first visit: nothing is in the cache."""
    who, path = PAGES[name]
    page = visit(who, "/account/")
    page.goto(_path(gateway, path))
    page.wait_for_load_state("networkidle")
    shifted = page.evaluate(
        """() => new Promise((done) => new PerformanceObserver((list) =>
            done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
        ).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => done(0), 500))"""
    )
    assert shifted < 0.02


_LONG = """
from accounting.identity import mint
from accounting.models import Membership, Team, User
from tests.browser.busy_quarter import PASSWORD
user = User.objects.create_user("maximiliane.von.der.aussicht@research.europe.example.com", password=PASSWORD)
team = Team.objects.create(name="Research and Development of Distributed Autonomous Systems, Europe and Africa")
Membership.objects.create(user=user, team=team, role="lead")
print(team.pk, mint(user, team=team, name="nightly-regression-and-integration-build-server-for-the-monorepo")[1])
"""


def test_long_names_fit_a_phone(visit: Visit, gateway: Gateway) -> None:
    team, token = gateway.manage("shell", "-v", "0", "-c", _LONG).split()
    assert ask(gateway, token, model="claude-sonnet-" + "x" * 90).status_code == 200
    scheme, size = LOOKS["phone"]
    page = visit("maximiliane.von.der.aussicht@research.europe.example.com", color_scheme=scheme, viewport=size)
    reports = ("", "speed/", "what-if/", "sessions/", "requests/", "month/")
    for path in ("/", "/keys/", "/account/", "/live/", *(f"/teams/{team}/{report}" for report in reports)):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
