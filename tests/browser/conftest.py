"""Debian's Chromium in front of a whole gateway: what people do, done as they do it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.gateway import ROOT, Gateway, running_gateway

from .busy_quarter import PASSWORD

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_HARMLESS = re.compile(r"status of 40[134]")  # a page that is told to be missing, or another's

Visit = Callable[..., Page]
FOR_DOCS = bool(os.environ.get("DOCS_IMAGES"))  # ``make docs``: pictures go to ``docs/images``


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two workers, with the demo provider, and a quarter of usage behind it."""
    environment = {"PUBLIC_URL": "https://tollgate.example.com"} if FOR_DOCS else {}
    with running_gateway(tmp_path_factory.mktemp("gateway"), environment, workers=2) as running:
        running.manage("shell", "-v", "0", "-c", "from tests.browser.busy_quarter import fill; fill()")
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """The cookie of each person's sign-in: done once, as people do it, and then good for every window."""
    return {}


@pytest.fixture
def visit(chromium: Browser, gateway: Gateway, sessions: dict[str, Any]) -> Iterator[Visit]:
    """A window at the gateway of the session: see ``windows``."""
    with windows(chromium, gateway, sessions) as opened:
        yield opened


@contextmanager
def windows(chromium: Browser, gateway: Gateway, sessions: dict[str, Any]) -> Iterator[Visit]:
    """Opens windows, each of its own, signed in as somebody; whatever the browser complains of fails the test.

    Options are those of a browser context, e.g. ``color_scheme="dark"`` or ``java_script_enabled=False``.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _HARMLESS.search(message.text):
            complaints.append(message.text)

    def opened(who: str | None = "max", path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(base_url=gateway.base_url, **{"locale": "en-GB"} | options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if who in sessions:
            context.add_cookies([sessions[who]])
        elif who is not None:
            sign_in(page, who)
            sessions[who] = next(cookie for cookie in context.cookies() if cookie["name"] == "sessionid")
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def sign_in(page: Page, who: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username or e-mail").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/$"))


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go: a folder that git does not see."""
    folder = ROOT / "tests/artifacts/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
