"""What people come for, from the first click to the last."""

from __future__ import annotations

import csv
import re
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.gateway import Gateway

from .asking import ask, keep_asking
from .conftest import Visit

pytestmark = pytest.mark.browser
TOKEN = re.compile(r"tg_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}")


def _newcomer(gateway: Gateway, name: str) -> None:
    made = "from accounting.models import User; from tests.browser.busy_quarter import PASSWORD"
    gateway.manage("shell", "-v", "0", "-c", f"{made}; User.objects.create_user('{name}', password=PASSWORD)")


def test_from_the_first_sign_in_to_the_first_green_lamp(visit: Visit, gateway: Gateway) -> None:
    _newcomer(gateway, "nora")
    page = visit("nora")
    expect(page.get_by_text("Waiting for your first request")).to_be_visible()
    page.get_by_role("button", name="Make my first key").click()
    shown = page.locator("#token").inner_text()
    assert TOKEN.fullmatch(shown)
    expect(page.locator("#snippet-shell")).to_contain_text(f"export ANTHROPIC_AUTH_TOKEN={shown}")
    page.get_by_role("link", name="The start page").click()
    expect(page.get_by_text("You have 1 live key")).to_be_visible()
    assert ask(gateway, shown).status_code == 200
    expect(page.get_by_text("Connected.")).to_be_visible()  # by itself: nobody loads the page again
    expect(page.locator(".lamp.good")).to_contain_text("claude-sonnet-4-5 went to demo/demo")


def test_the_lamp_tells_of_a_request_that_failed(visit: Visit, gateway: Gateway) -> None:
    _newcomer(gateway, "omar")
    page = visit("omar")
    page.get_by_role("button", name="Make my first key").click()
    token = page.locator("#token").inner_text()
    page.goto("/")
    assert ask(gateway, token, model="no-such-model").status_code == 404
    expect(page.locator(".lamp.bad")).to_contain_text("its last request failed")
    assert ask(gateway, token).status_code == 200
    expect(page.locator(".lamp.good")).to_be_visible()


def test_a_key_is_rotated_and_the_old_one_revoked(visit: Visit, gateway: Gateway) -> None:
    _newcomer(gateway, "pia")
    page = visit("pia", "/keys/")
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Name").fill("build server")
    page.get_by_label("Ends").select_option("in 30 days")
    page.get_by_role("button", name="Make the key").click()
    old = page.locator("#token").inner_text()
    page.goto("/keys/")
    page.get_by_role("link", name="Rotate build server").click()
    page.get_by_label("The old key lives on for").select_option("a day")
    page.get_by_role("button", name="Rotate").click()
    new = page.locator("#token").inner_text()
    assert old != new
    assert [ask(gateway, token).status_code for token in (old, new)] == [200, 200]
    page.reload()  # sends the form again
    assert "shown only once" in page.content()
    assert not TOKEN.search(page.content())
    replaced = page.get_by_role("row").filter(has_text="replaced")
    replaced.get_by_role("link", name="Revoke build server").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("status")).to_contain_text("build server is revoked")
    assert [ask(gateway, token).status_code for token in (old, new)] == [401, 200]


def test_a_report_is_narrowed_and_exported(visit: Visit) -> None:
    page = visit("lena", "/")
    page.get_by_role("link", name="Platform").click()
    page.get_by_label("Period", exact=True).select_option("Last 90 days")
    page.get_by_label("Cut by").select_option("Person")
    expect(page.get_by_role("heading", name="Cost by day")).to_be_visible()
    page.get_by_role("link", name="tomoko", exact=True).click()
    expect(page.get_by_role("link", name="Remove the filter Person tomoko")).to_be_visible()
    page.get_by_text("The numbers").click()
    headings = page.locator(".numbers thead th").all_inner_texts()
    assert headings == ["Day", "tomoko", "Total"]
    link = page.locator("section").filter(has_text="By model").get_by_role("link", name="CSV")
    exported = page.request.get(link.get_attribute("href") or "")
    assert exported.status == 200
    assert exported.text().startswith("model,")
    assert any(line.startswith("gpt-5.1,") for line in exported.text().splitlines())
    page.get_by_role("link", name="Remove the filter Person tomoko").click()
    assert len(page.locator(".numbers thead th").all()) == 5


def test_what_is_downloaded_adds_up_to_what_the_page_shows(visit: Visit) -> None:
    page = visit("lena", "/")
    page.get_by_role("link", name="Platform").click()
    page.get_by_label("Period", exact=True).select_option("Last 90 days")
    page.get_by_label("Cut by").select_option("Person")
    page.get_by_role("link", name="gpt-5.1", exact=True).click()
    expect(page.get_by_role("link", name="Remove the filter Model gpt-5.1")).to_be_visible()
    shown = page.locator(".stat").filter(has_text="Cost in the period").locator(".value").inner_text()
    requests = page.locator(".stat").filter(has_text="Requests").locator(".value").inner_text()
    section = page.locator("section").filter(has_text="Cost by day")
    with page.expect_download() as download:
        section.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len({row["user"] for row in rows}) == 3
    assert f"${sum(Decimal(row['cost']) for row in rows):,.2f}" == shown
    assert f"{sum(int(row['requests']) for row in rows):,}" == requests


def test_the_live_page_moves_while_requests_run(visit: Visit, gateway: Gateway) -> None:
    page = visit("max", "/keys/new/")
    page.get_by_role("button", name="Make the key").click()
    token = page.locator("#token").inner_text()
    page.goto("/live/")
    expect(page.get_by_role("status")).to_have_text("Connected")
    in_flight, speed = (page.locator(f"[data-live-value={name}]") for name in ("in_flight", "tokens_per_second"))
    expect(in_flight).to_have_text("0")
    over = threading.Event()
    work = threading.Thread(target=keep_asking, args=(gateway, token, over))
    work.start()
    try:
        expect(speed).to_have_text(re.compile(r"^[\d,]*[1-9][\d,.]*$"), timeout=20_000)
        expect(page.get_by_role("row", name="max")).to_be_visible()
        expect(page.locator("[data-live-value=workers]")).to_have_text(re.compile("^[12]$"))  # of two, those at work
    finally:
        over.set()
        work.join()
    expect(in_flight).to_have_text("0")
    expect(speed).to_have_text("0", timeout=20_000)


def test_without_a_mouse(visit: Visit, gateway: Gateway) -> None:
    page = visit(None, "/accounts/login/")
    expect(page.get_by_label("Username or e-mail")).to_be_focused()
    page.keyboard.type("max")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect your client")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('role')") == "tab":
            break
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Windows")).to_be_focused()
    expect(page.locator("#panel-powershell")).to_be_visible()
    expect(page.locator("#panel-shell")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.locator("#panel-curl")).to_be_visible()
    page.reload()
    expect(page.locator("#panel-curl")).to_be_visible()


def test_without_scripts(visit: Visit) -> None:
    page = visit("max", "/", java_script_enabled=False)
    for name in ("shell", "powershell", "settings", "vscode", "python", "typescript", "curl"):
        expect(page.locator(f"#snippet-{name}")).to_be_visible()
    page.goto("/usage/")
    page.get_by_label("Period", exact=True).select_option("Last 7 days")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"period=7"))
    page.get_by_text("The numbers").click()
    assert len(page.locator(".numbers tbody tr").all()) == 7


def test_a_chosen_theme_stays(visit: Visit) -> None:
    page = visit("max", "/", color_scheme="light")
    toggle = page.get_by_role("button", name="Dark theme")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    page.goto("/keys/")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(toggle).to_have_attribute("aria-pressed", "true")


def test_copy_puts_the_lines_on_the_clipboard(visit: Visit, gateway: Gateway) -> None:
    page = visit("max", "/", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#panel-shell").get_by_role("button", name="Copy").click()
    expect(page.locator("#panel-shell").get_by_role("button")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"export ANTHROPIC_BASE_URL={gateway.base_url}\n")


def test_times_are_those_of_the_viewers_clock(visit: Visit) -> None:
    page = visit("max", "/", timezone_id="Asia/Tokyo")
    page.get_by_role("link", name="max").click()
    expect(page.get_by_text("Asia/Tokyo")).to_be_visible()


def test_a_month_prints(visit: Visit, tmp_path: Path) -> None:
    page = visit("lena", "/")
    page.get_by_role("link", name="Platform").click()
    page.get_by_role("link", name="Month", exact=True).click()
    page.emulate_media(media="print")
    expect(page.locator(".side")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    printed = page.pdf(path=tmp_path / "month.pdf", format="A4")
    assert printed.startswith(b"%PDF")
