from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import pytest
from auditlog.models import LogEntry
from django.test import Client
from pytest_django import Settings

from accounting.identity import mint
from accounting.models import Key, User

from .conftest import Browser


def _policy(client: Client, path: str) -> dict[str, str]:
    header = client.get(path).headers["Content-Security-Policy"]
    return {name: values for name, _, values in (part.strip().partition(" ") for part in header.split(";"))}


def test_pages_run_no_inline_script_or_style(member: User, browse: Browser) -> None:
    for path in ("/", "/keys/new/", "/accounts/2fa/", "/nowhere/"):
        policy = _policy(browse(member), path)
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


def test_the_admins_theme_has_what_it_needs_and_no_more(admin: User, browse: Browser) -> None:
    policy = _policy(browse(admin), "/admin/")
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [("Asia/Tokyo", "01:30"), ("America/New_York", "12:30"), ("../../etc/passwd", "16:30"), ("Nowhere", "16:30")],
)
def test_times_are_in_the_viewers_zone(member: User, browse: Browser, cookie: str, shown: str) -> None:
    key, _ = mint(member)
    Key.objects.filter(pk=key.pk).update(created_at=datetime(2026, 3, 10, 16, 30, tzinfo=UTC))
    client = browse(member)
    client.cookies["tz"] = cookie
    with mock.patch("django.utils.timezone.now", return_value=datetime(2026, 3, 12, tzinfo=UTC)):
        assert f"Mar, {shown}</time>" in client.get("/keys/").content.decode()


@pytest.mark.parametrize(("cookie", "attribute"), [("dark", ' data-theme="dark"'), ("x", ""), ("", "")])
def test_a_chosen_theme_is_there_from_the_first_byte(db: None, cookie: str, attribute: str) -> None:
    client = Client()
    client.cookies["theme"] = cookie
    assert f'<html lang="en"{attribute}>' in client.get("/accounts/login/").content.decode()


def test_static_files_come_whole(db: None) -> None:
    response = Client().get("/static/portal/portal.css")
    assert response.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert response.content.startswith(b"/* Tollgate's pages")
    tag = response.headers["Last-Modified"]
    again = Client().get("/static/portal/portal.css", headers={"if-modified-since": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "recorded"),
    [
        ([], "203.0.113.9", "127.0.0.1"),  # anybody can write that
        (["127.0.0.1/32"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.1/32"], "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.1/32"], "not an address", None),
    ],
)
def test_the_record_says_where_a_change_came_from(
    admin: User, browse: Browser, settings: Settings, trusted: list[str], forwarded: str, recorded: str | None
) -> None:
    settings.TRUSTED_PROXIES = trusted
    made = browse(admin).post(
        "/api/teams", {"name": "core"}, content_type="application/json", headers={"x-forwarded-for": forwarded}
    )
    assert made.status_code == 201
    entry = LogEntry.objects.filter(content_type__model="team").latest("id")
    assert (str(entry.actor), entry.remote_addr) == (admin.username, recorded)
