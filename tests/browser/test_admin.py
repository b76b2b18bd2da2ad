"""What an admin comes for: in a browser, with a provider behind the gateway and real requests through it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.gateway import Gateway, provider_environment, running_gateway
from tests.support.provider import ScriptedProvider
from tests.support.provider.obliging import obliging

from .conftest import Visit, windows
from .test_pages import LOOKS

pytestmark = pytest.mark.browser
TOKEN = re.compile(r"tg_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}")
_PEOPLE = """
from accounting.models import Limit, User
from tests.browser.busy_quarter import PASSWORD, fill
fill()
User.objects.create_superuser("boss", password=PASSWORD)
gil = User.objects.create_user("gil")
Limit.objects.create(scope="user", user=gil, kind="budget", period="month", amount=0, name="Gil, month")
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        scripted.on(obliging)
        yield scripted


@pytest.fixture(scope="module")
def office(provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = provider_environment(provider.base_url) | {
        "PREFERRED_PROVIDER": "openai",
        "BIG_MODEL": "gpt-4.1",
        "SMALL_MODEL": "gpt-4.1-mini",
    }
    with running_gateway(tmp_path_factory.mktemp("office"), environment) as running:
        running.manage("shell", "-v", "0", "-c", _PEOPLE)
        yield running


@pytest.fixture(scope="module")
def admitted() -> dict[str, Any]:
    """The cookie of each person's sign-in at the office."""
    return {}


@pytest.fixture
def enter(chromium: Browser, office: Gateway, admitted: dict[str, Any]) -> Iterator[Visit]:
    with windows(chromium, office, admitted) as opened:
        yield opened


def _ask(office: Gateway, token: str = "", model: str = "claude-sonnet-4-5") -> httpx.Response:
    body = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "Say hello."}]}
    return httpx.post(
        f"{office.base_url}/v1/messages", json=body, headers={"x-api-key": token or office.token}, timeout=30
    )


def _asked_of(provider: ScriptedProvider) -> str:
    """The model that the provider was asked for last."""
    seen = provider.inferences[-1]
    return str(seen.body["model"]) if seen.body and "model" in seen.body else seen.path


def test_big_is_changed_previewed_and_rolled_back(enter: Visit, office: Gateway, provider: ScriptedProvider) -> None:
    assert _ask(office).status_code == 200
    assert _asked_of(provider) == "gpt-4.1"
    page = enter("boss", "/admin/routing/tier/")
    page.get_by_role("link", name="Change the mapping").click()
    page.get_by_label("Tier 1, provider").select_option("gemini")
    page.get_by_label("Tier 1, model").fill("gemini-2.5-flash")
    page.get_by_label("Reason").fill("a month with Gemini")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("BIG: openai/gpt-4.1 ⇒ gemini/gemini-2.5-flash")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Everyone")).to_contain_text("openai/gpt-4.1")
    _ask(office)
    assert _asked_of(provider) == "gpt-4.1", "a preview changes nothing"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The mapping is in force")).to_be_visible()
    _ask(office)
    assert "gemini-2.5-flash" in _asked_of(provider)
    newest = page.get_by_role("row").filter(has_text="a month with Gemini")
    expect(newest).to_contain_text("boss")
    expect(newest).to_contain_text("in force")
    page.get_by_role("button", name="Roll back to revision 1").click()
    expect(page.get_by_text("The mapping of revision 1 is in force again.")).to_be_visible()
    _ask(office)
    assert _asked_of(provider) == "gpt-4.1"


def test_a_service_key_is_made_rotated_and_the_old_one_revoked(enter: Visit, office: Gateway) -> None:
    page = enter("boss", "/admin/accounting/key/add/")
    page.locator("#id_name").fill("nightly build")
    page.locator(".field-team .select2-selection").click()
    page.get_by_role("option", name="Research").click()
    page.get_by_role("button", name="Save", exact=True).click()
    old = page.locator(".tg-token").inner_text()
    assert TOKEN.fullmatch(old)
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name=re.compile("nightly build")).click()
    page.get_by_role("link", name="Rotate…").click()
    page.get_by_label("The old key").select_option("lives for a day")
    page.get_by_role("button", name="Rotate").click()
    new = page.locator(".tg-token").inner_text()
    assert [_ask(office, token).status_code for token in (old, new)] == [200, 200]
    page.goto("/admin/accounting/key/?q=nightly&state=live")
    page.get_by_role("link", name=re.compile(re.escape(old[3:15]))).click()
    page.get_by_role("button", name="Revoke now").click()
    expect(page.get_by_text("The key is revoked")).to_be_visible()
    assert [_ask(office, token).status_code for token in (old, new)] == [401, 200]


def test_a_spent_budget_is_granted_extra(enter: Visit, office: Gateway) -> None:
    printed = office.manage("create_key", "gil", "--name", "granted")
    found = TOKEN.search(printed)
    assert found
    assert _ask(office, found[0]).status_code == 429
    page = enter("boss", "/admin/accounting/limit/")
    page.get_by_role("link", name="Gil, month").click()
    page.get_by_role("link", name="Grant extra…").click()
    page.get_by_label("US dollars, each").fill("5")
    page.get_by_label("Reason").fill("the release")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("1 limit(s) changed")).to_be_visible()
    assert _ask(office, found[0]).status_code == 200
    page.goto("/admin/auditlog/logentry/?q=Gil")
    expect(page.get_by_role("row").filter(has_text="granted $5")).to_contain_text("boss")


def test_models_are_discovered_and_asked_by_their_bare_names(
    enter: Visit, office: Gateway, provider: ScriptedProvider
) -> None:
    provider.desk.known = ["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-next", "gemini-2.5-flash", "claude-haiku-4-5"]
    assert _ask(office, model="gpt-4.1-next").status_code == 404
    page = enter("boss", "/admin/routing/provider/")
    page.get_by_role("link", name="openai", exact=True).click()
    page.get_by_role("link", name="Discover models…").click()
    page.get_by_label("Add gpt-4.1-next").check()
    page.get_by_role("button", name="Take over what is chosen").click()
    expect(page.get_by_text("openai: 1 model(s) added")).to_be_visible()
    assert _ask(office, model="gpt-4.1-next").status_code == 200
    provider.desk.known = None


def test_a_tier_is_checked_and_wears_its_badge(enter: Visit, office: Gateway, provider: ScriptedProvider) -> None:
    released = threading.Event()
    provider.on(lambda seen: _wait(released))
    page = enter("boss", "/admin/routing/tier/")
    small = page.locator("section").filter(has=page.get_by_role("heading", name="SMALL"))
    small.get_by_role("link", name="Check").click()
    page.get_by_role("button", name="Run the checks").click()
    expect(page.get_by_role("status")).to_have_text("1 of 11 checks done")
    address = page.url
    page.goto("/admin/routing/tier/")
    released.set()
    page.goto(address)
    expect(page.locator("header .tg-badge")).to_have_text("10 passed, 0 failed, 1 skipped", timeout=60_000)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.goto("/admin/routing/tier/")
    expect(small.get_by_role("link", name=re.compile("10 of 10 checks"))).to_be_visible()


def _wait(released: threading.Event) -> None:
    assert released.wait(30)


def test_a_real_call_and_a_providers_own_error(enter: Visit, office: Gateway, provider: ScriptedProvider) -> None:
    page = enter("boss", "/admin/routing/tier/test/")
    page.get_by_label("Model, as the client asks for it").fill("claude-haiku-4-5")
    page.get_by_label("What to try").select_option("stream")
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_text("It works")).to_be_visible()
    expect(page.get_by_text("Time to first byte")).to_be_visible()
    provider.desk.api_key = "another"
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_text("Incorrect API key provided")).to_be_visible()
    provider.desk.api_key = None


PAGES = {
    "home": "",
    "board": "routing/tier/",
    "board-edit": "routing/tier/edit/",
    "explain": "routing/tier/explain/?user=max&model=claude-opus-4-8",
    "test": "routing/tier/test/",
    "conformance": "routing/tier/conformance/",
    "providers": "routing/provider/",
    "discover": "routing/provider/1/discover/",
    "revisions": "routing/revision/",
    "limits": "accounting/limit/",
    "limit": "accounting/limit/1/change/",
    "grant": "accounting/limit/grant/?id=1&id=2",
    "key-new": "accounting/key/add/",
    "keys": "accounting/key/",
    "people": "accounting/user/",
    "ledger": "accounting/ledgerentry/",
    "audit": "auditlog/logentry/",
}


# Pages made of our own parts, whose colours are ours to answer for in the dark.
OWN = ("board", "board-edit", "explain", "test", "conformance", "discover", "grant")


def _findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}" for one in serious]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit(enter: Visit, pictures: Path, scheme: str) -> None:
    """The theme asks for the colour scheme when a page is loaded, the width it follows."""
    looks = {look: size for look, (wanted, size) in LOOKS.items() if wanted == scheme}
    page = enter("boss", "/admin/", color_scheme=scheme, reduced_motion="reduce")
    problems = []
    for name in OWN if scheme == "dark" else PAGES:
        page.goto(f"/admin/{PAGES[name]}")
        page.wait_for_load_state("networkidle")
        for look, size in looks.items():
            page.set_viewport_size(size)
            if look != "phone" or name in OWN:
                problems += [f"{name} {look}: {finding}" for finding in _findings(page)]
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                problems.append(f"{name} {look}: {width} pixels wide")
            page.screenshot(path=pictures / f"admin-{name}-{look}.png", full_page=look != "phone")
    assert not problems
